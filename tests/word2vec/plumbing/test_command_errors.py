"""``python -m word2vec`` with wrong input: one line on stderr, status 2, and no file is new or another."""

import errno
import os
from contextlib import redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path

import pytest
import safetensors.torch
import torch

from tests import refusals
from word2vec.__main__ import main
from word2vec.extensions.formats import WordVectors, write_vectors

TRAIN = ["text", "--min-count", "1", "--dim", "4", "--sample", "0", "--path"]
RUN = Path("runs/word2vec/text-short")
OF_RUN = ["--run", "text-short"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a model of a text, with vectors in files, and with files that hold none."""
    folder = tmp_path_factory.mktemp("wrong")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()):
        patch.chdir(folder)
        Path("short.txt").write_text("the king and the queen\nthe kings and queens of 한국어\n", encoding="utf-8")
        main([*TRAIN, "short.txt", "--epochs", "1"])
        Path("other").mkdir()
        Path("other/short.txt").write_text("the king and the queen\n")
        Path("empty").touch()
        Path("alone").write_text("a\nb\na\nb\n")
        Path("blank").write_text(" \n\n\t\r\n")
        Path("one").write_text("a a a\na\n")
        Path("latin").write_bytes("a b\nété".encode("latin-1"))
        Path("folder").mkdir()
        Path("folder.vec").mkdir()
        Path("four.txt").write_text(": s\na b c d\n")
        Path("pairs.tsv").write_text("a\tb\t1\nb\tc\t2\n")
        Path("no pairs.tsv").write_text("a\tb\t1\nb c\n")
        Path("no section.txt").write_text("a b c d\n")
        Path("three.txt").write_text(": s\na b c\n")
        for n in (1, 3):
            write_vectors(Path(f"{n}.vec"), WordVectors(("a", "b", "c")[:n], torch.ones(n, 2)))
        Path("cut.bin").write_bytes(b"3 2\na 1234")
    return folder


@pytest.fixture
def work(folder, monkeypatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


check_refused = partial(refusals.check_refused, main)


WRONG = {
    "empty": ([*TRAIN, "empty"], "empty must hold at least one word, and has none"),
    "blank": ([*TRAIN, "blank"], "blank must hold at least one word, and has none"),
    "no UTF-8": ([*TRAIN, "latin"], "latin must be text in UTF-8, got the byte 0xe9 in line 2"),
    "no file": ([*TRAIN, "gone"], "cannot read gone: No such file or directory"),
    "a folder": ([*TRAIN, "folder"], "cannot read folder: Is a directory"),
    "one word": ([*TRAIN, "one"], "min_count must leave two words or more, got 1, which leaves 1 of 1"),
    "one word a line": ([*TRAIN, "alone"], "alone must have a sentence with two words of the"),
    "all are rare": (
        ["text", "--path", "short.txt", "--min-count", "9"],
        "min_count must leave two words or more, got 9, which leaves 0 of 8",
    ),
    "the same name": ([*TRAIN, "other/short.txt", "--epochs", "1"], "holds a finished run of another configuration"),
    "unknown word": (
        ["nearest", "quen", *OF_RUN],
        "word must be one of the 8 words of the vocabulary, got 'quen'; did you mean queen, queens?",
    ),
    "unknown word in Korean": (["nearest", "한국", *OF_RUN], "got '한국'; did you mean 한국어?"),
    "a word like no other": (["nearest", "xyz", *OF_RUN], "of the 8 words of the vocabulary, got 'xyz'\n"),
    "an empty word": (["nearest", "", *OF_RUN], "of the vocabulary, got ''"),
    "unknown in an analogy": (["analogy", "king", "queen", "kins", *OF_RUN], "got 'kins'; did you mean king"),
    "no model": (["nearest", "king"], "runs/word2vec/toy holds no trained model: make one with python -m word2vec; "),
    "the runs that there are": (["nearest", "king"], "finished runs: text-short\n"),
    "no model of a text": (["nearest", "king", "--run", "my"], "make one with python -m word2vec text --path FILE; "),
    "no model to judge": (["judge"], "runs/word2vec/toy holds no trained model: make one with"),
    "no model to export": (["export", "--out", "a.txt"], "runs/word2vec/toy holds no trained model: make one with"),
    "a run elsewhere": (["nearest", "king", "--run", "../vqa/toy"], "--run must be a name such as"),
    "a run outside": (["--run", "/tmp/x", "--steps", "1"], "--run must be a name such as"),
    "unknown device": (["--device", "abacus"], "device must be one of"),
    "no threads": (["--threads", "0"], "--threads must be at least 1, got 0"),
    "a window too wide": ([*TRAIN, "short.txt", "--window", "51"], "window must be less than or equal to 50, got 51"),
    "rates that rise": (
        [*TRAIN, "short.txt", "--learning-rate", "1e-6"],
        "last_learning_rate must be at most learning_rate, 1e-06, got 0.0001",
    ),
    "one objective of all": (
        ["compare", "--objective", "cbow"],
        "--objective must be left out where all are compared, got 'cbow'",
    ),
    "no words are left": (["--sample", "1e-12"], "sample and sentences must leave words beside each other, got 1e-12"),
    "no pairs are left": (
        [*TRAIN[:-3], "--sample", "1e-9", "--path", "short.txt"],
        "short.txt, got 1e-09: take a larger one, or 0 to keep all words",
    ),
    "no pairs are left for CBOW": (["--sample", "1e-12", "--objective", "cbow"], "got 1e-12 and 256, which leave none"),
    "morphemes of nothing": (["morphemes", "--path", "blank", "--out", "x"], "blank holds no words; it must hold text"),
    "morphemes of no file": (["morphemes", "--path", "gone", "--out", "x"], "cannot read gone: No such file"),
    "morphemes of no text": (["morphemes", "--path", "latin", "--out", "x"], "latin, line 2: must be UTF-8"),
    "morphemes nowhere": (["morphemes", "--path", "short.txt", "--out", "one/x"], "cannot write one/x: File exists"),
    "a limit without a file": (["nearest", "king", *OF_RUN, "--limit", "3"], "limit must be left out where no file"),
    "thresholds": (["phrases", "--path", "one", "--out", "x", "--thresholds", "nan"], "thresholds must be a finite"),
    "count 0": (["nearest", "king", *OF_RUN, "--count", "0"], "--count must be at least 1, got 0"),
    "count below 0": (["analogy", "a", "b", "c", *OF_RUN, "--count", "-1"], "--count must be at least 1, got -1"),
    "no questions": (["judge", *OF_RUN], "--similarity or --analogies must name a file: only the toy language has"),
    "no questions for a file": (["judge", "--vectors", "3.vec"], "--similarity or --analogies must name a file"),
    "a table of a file": (
        ["nearest", "a", "--vectors", "3.vec", "--table", "sum"],
        "table must be centre where a file of vectors is read, got 'sum'",
    ),
    "no vectors": (["nearest", "a", "--vectors", "gone.vec"], "cannot read gone.vec: No such file or directory"),
    "vectors cut": (["nearest", "a", "--vectors", "cut.bin"], "cut.bin: cut short"),
    "vectors of no format": (["nearest", "a", "--vectors", "one"], "one: the name must end in .txt or .vec"),
    "one vector": (["nearest", "a", "--vectors", "1.vec"], "the vocabulary must have 2 words or more, got 1"),
    "three vectors": (
        ["analogy", "a", "b", "c", "--vectors", "3.vec"],
        "the vocabulary must have 4 words or more, got 3",
    ),
    "three vectors to judge": (
        ["judge", "--vectors", "3.vec", "--analogies", "four.txt"],
        "the vocabulary must have 4 words or more, got 3",
    ),
    "no file of analogies": (["judge", *OF_RUN, "--analogies", "gone"], "cannot read gone: No such file"),
    "no file of pairs": (["judge", *OF_RUN, "--similarity", "folder"], "cannot read folder: Is a directory"),
    "no analogies": (["judge", *OF_RUN, "--analogies", "three.txt"], "must have four words, got 'a b c' in line 2"),
    "no section": (["judge", *OF_RUN, "--analogies", "no section.txt"], "must have ': NAME' before the first"),
    "no pairs": (["judge", *OF_RUN, "--similarity", "no pairs.tsv"], "must have two words and a number, got 'b c'"),
    "nothing in a file": (["judge", *OF_RUN, "--similarity", "empty"], "must have lines of two words and a number"),
    "no UTF-8 in a file": (["judge", *OF_RUN, "--analogies", "latin"], "latin must be text in UTF-8"),
    "wrong suffix": (["export", *OF_RUN, "--out", "a.npy"], "a.npy: the name must end in .txt or .vec (text) or .bin"),
    "a file in the way": (["export", *OF_RUN, "--out", "one/a.vec"], "cannot write one/a.vec: File exists"),
    "a folder in the way": (["export", *OF_RUN, "--out", "folder.vec"], "cannot write folder.vec: Is a directory"),
    "phrases of nothing": (["phrases", "--path", "blank", "--out", "x"], "blank holds no words; it must hold text"),
    "phrases of no file": (["phrases", "--path", "gone", "--out", "x"], "No such file or directory"),
    "phrases of no text": (["phrases", "--path", "latin", "--out", "x"], "latin, line 2: must be UTF-8"),
    "phrases nowhere": (["phrases", "--path", "short.txt", "--out", "one/x"], "cannot write one/x: File exists"),
    "phrases of none": (
        ["phrases", "--path", "one", "--out", "x", "--min-count", "0"],
        "--min-count must be at least 1, got 0",
    ),
    "a premium": (["phrases", "--path", "one", "--out", "x", "--discount", "-1"], "--discount must be at least 0, got"),
    "nothing to resume": ([*TRAIN, "short.txt", "--resume"], f"nothing to resume, {RUN} is finished already"),
    "nothing to resume on toys": (["--resume"], "nothing to resume, runs/word2vec/toy has not been started"),
    "both": ([*TRAIN, "short.txt", "--resume", "--restart"], "--resume and --restart exclude each other"),
    "no seed": (["--seed", str(2**32)], f"seed must lie between 0 and 2**32 - 1, got {2**32}"),
    "unknown configuration": (["--config", "huge"], "'huge'"),
    "a text without a path": (["text"], "--path"),
    "no word": (["nearest"], "required"),
    "two words of three": (["analogy", "a", "b"], "required"),
    "no file to write": (["export"], "--out"),
    "no phrases to write": (["phrases", "--path", "one"], "--out"),
    "unknown verb": (["judg"], "did you mean judge?"),
    "unknown option": (["nearest", "a", "--cuont", "3"], "did you mean --count?"),
    "unknown table": (["nearest", "a", "--table", "left"], "'left'"),
    "unknown method": (["analogy", "a", "b", "c", "--method", "divide"], "'divide'"),
    "unknown objective": (["--objective", "glove"], "'glove'"),
    "no number": (["--steps", "one"], "'one'"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_status_2(work, capsys, case: str) -> None:
    check_refused(*WRONG[case], capsys)


@pytest.mark.parametrize("start", [[], [*TRAIN, "short.txt"]])
@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("dim", "0", "greater than or equal to 1"),
        ("window", "-1", "greater than or equal to 1"),
        ("seed", "-1", "greater than or equal to 0"),
        ("sample", "-1.0", "greater than or equal to 0"),
        ("power", "11.0", "less than or equal to 10"),
        ("learning_rate", "0.0", "greater than 0"),
        ("learning_rate", "nan", "a finite number"),
    ],
)
def test_values_out_of_range_are_named(work, capsys, start: list[str], name: str, value: str, allowed: str) -> None:
    arguments = [*start, f"--{name.replace('_', '-')}", value]
    check_refused(arguments, f"error: {name} must be {allowed}, got {value}\n", capsys)


DAMAGES = {
    "no JSON": ("vocabulary.json", b"{"),
    "no UTF-8": ("vocabulary.json", b"\xff"),
    "no words": ("vocabulary.json", b"{}"),
    "a list": ("vocabulary.json", b"[]"),
    "fewer words": ("vocabulary.json", b'{"words": ["king"], "counts": [1]}'),
    "empty words": ("vocabulary.json", b""),
    "empty weights": ("best.safetensors", b""),
    "no weights": ("best.safetensors", b"{}"),
    "other weights": ("best.safetensors", safetensors.torch.save({"model.other": torch.ones(8, 4)})),
    "fewer weights": ("best.safetensors", safetensors.torch.save({"model.centre": torch.ones(7, 4)})),
}


@pytest.mark.parametrize("verb", [["nearest", "king"], ["export", "--out", "x.txt"]])
@pytest.mark.parametrize("case", DAMAGES)
def test_a_damaged_run_is_named(work, capsys, case: str, verb: list[str]) -> None:
    name, content = DAMAGES[case]
    whole = (RUN / name).read_bytes()
    try:
        (RUN / name).write_bytes(content)
        check_refused([*verb, *OF_RUN], f"error: {RUN} is damaged or of another version: train anew\n", capsys)
        (RUN / name).unlink()
        check_refused([*verb, *OF_RUN], str(RUN), capsys)
    finally:
        (RUN / name).write_bytes(whole)


def test_a_file_in_the_place_of_the_runs(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("words").write_text("a b c\n")
    Path("runs").touch()
    check_refused(["--steps", "1"], "cannot write runs/word2vec/toy.unfinished: ", capsys)
    check_refused([*TRAIN, "words"], "cannot write runs/word2vec/text-words.unfinished: ", capsys)
    Path("runs").unlink()
    Path("runs/word2vec").mkdir(parents=True)
    Path("runs/word2vec/text-words").touch()
    check_refused([*TRAIN, "words"], "runs/word2vec/text-words is in the way and is no finished run: move it", capsys)


def test_a_full_disk_leaves_the_old_file(work, tmp_path, capsys, monkeypatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = str(tmp_path / "full.bin")
    main(["export", *OF_RUN, "--out", path])
    before = Path(path).read_bytes()
    capsys.readouterr()
    monkeypatch.setattr(os, "fsync", full)
    check_refused(["export", *OF_RUN, "--out", path], f"cannot write {path}: No space left on device", capsys)
    assert Path(path).read_bytes() == before
    check_refused(["phrases", "--path", "short.txt", "--out", "one"], "cannot write one: No space left", capsys)


def test_a_damaged_result_is_named_when_a_comparison_goes_on(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    one = ["compare", "--sentences", "4", "--dim", "4", "--steps", "1", "--device", "cpu"]
    monkeypatch.setattr("word2vec.commands.OBJECTIVES", ["negative-sampling"])
    monkeypatch.setattr("word2vec.commands.tasks.ToyTask.draw", lambda *arguments: [])
    main(one)
    capsys.readouterr()
    path = Path("runs/word2vec/compare/toy/negative-sampling/results.json")
    for content in ("", "{", "[]", "{}"):
        path.write_text(content)
        check_refused([*one, "--resume"], f"{path} is damaged: delete it", capsys)
