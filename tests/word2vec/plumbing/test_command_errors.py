"""What ``python -m word2vec`` says to wrong input: one line, status 2, and no file is new or another."""

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

TRAIN = ["--data", "text", "--min-count", "1", "--dim", "4", "--path"]
RUN = Path("runs/word2vec/text")


@pytest.fixture(scope="module", autouse=True)
def few_sentences_counted():
    """Enough for every word of the toy language."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("word2vec.data.COUNTED", 4000)
        yield


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A folder with a model of a text, with vectors in files, and with files that hold none."""
    folder = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()):
        patch.chdir(folder)
        Path("text").write_text("the king and the queen\nthe kings and queens of 한국어\n")
        main([*TRAIN, "text", "--epochs", "1"])
        Path("empty").touch()
        Path("alone").write_text("a\nb\na\nb\n")
        Path("blank").write_text(" \n\n\t\r\n")
        Path("one").write_text("a a a\na\n")
        Path("latin").write_bytes("a b\nété".encode("latin-1"))
        Path("folder").mkdir()
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
def work(trained, monkeypatch) -> Path:
    monkeypatch.chdir(trained)
    return trained


check_refused = partial(refusals.check_refused, main)


TEXT = ["--data", "text"]
WRONG = {
    "empty": ([*TRAIN, "empty"], "empty must hold at least one word, and has none"),
    "blank": ([*TRAIN, "blank"], "blank must hold at least one word, and has none"),
    "no UTF-8": ([*TRAIN, "latin"], "latin must be text in UTF-8, got the byte 0xe9 in line 2"),
    "no file": ([*TRAIN, "gone"], "cannot read gone: No such file or directory"),
    "a folder": ([*TRAIN, "folder"], "cannot read folder: Is a directory"),
    "one word": ([*TRAIN, "one"], "min_count must leave two words or more, got 1, which leaves 1 of 1"),
    "all are rare": (
        [*TEXT, "--path", "text", "--min-count", "9"],
        "min_count must leave two words or more, got 9, which leaves 0 of 8",
    ),
    "unknown word": (
        ["nearest", "quen", *TEXT],
        "word must be one of the 8 words of the vocabulary, got 'quen'; spelled nearly so: queen, queens",
    ),
    "unknown word in Korean": (["nearest", "한국", *TEXT], "got '한국'; spelled nearly so: 한국어"),
    "a word like no other": (["nearest", "xyz", *TEXT], "of the 8 words of the vocabulary, got 'xyz'\n"),
    "an empty word": (["nearest", "", *TEXT], "of the vocabulary, got ''"),
    "unknown in an analogy": (["analogy", "king", "queen", "kins", *TEXT], "got 'kins'; spelled nearly so: king"),
    "no model": (["nearest", "king"], "toy holds no trained model: make one with python -m word2vec --data toy\n"),
    "no model to judge": (["evaluate"], "runs/word2vec/toy holds no trained model: make one with"),
    "no model to export": (["export", "--out", "a.txt"], "runs/word2vec/toy holds no trained model: make one with"),
    "unknown config": (["--config", "huge"], "--config must be one of toy, paper, got 'huge'"),
    "unknown config for compare": (["compare", "--config", "huge"], "--config must be one of toy, paper, got 'huge'"),
    "unknown data": (["--data", "coco"], "--data must be one of toy, text, got 'coco'"),
    "unknown data for a verb": (["nearest", "a", "--data", "coco"], "--data must be one of toy, text, got 'coco'"),
    "compare on a text": (["compare", *TEXT], "--data must be toy where objectives are compared, got 'text'"),
    "unknown device": (["--device", "abacus"], "device must be one of"),
    "one word a line": ([*TRAIN, "alone", "--min-count", "1"], "alone must have a sentence with two words of the"),
    "a window too wide": ([*TRAIN, "text", "--window", "51"], "window must be less than or equal to 50, got 51"),
    "rates that rise": (
        [*TRAIN, "text", "--learning-rate", "1e-6"],
        "last_learning_rate must be at most learning_rate, 1e-06, got 0.0001",
    ),
    "one objective of all": (
        ["compare", "--objective", "cbow"],
        "--objective must be left out where all are compared, got 'cbow'",
    ),
    "no words are left": (["--sample", "1e-12"], "sample and sentences must leave words beside each other, got 1e-12"),
    "a limit without a file": (["nearest", "king", *TEXT, "--limit", "3"], "limit must be left out where no file"),
    "thresholds": (["phrases", "--path", "text", "--out", "x", "--thresholds", "nan"], "thresholds must be a finite"),
    "count 0": (["nearest", "king", *TEXT, "--count", "0"], "count must be at least 1, got 0"),
    "count below 0": (["analogy", "the", "king", "and", *TEXT, "--count", "-1"], "count must be at least 1, got -1"),
    "no questions": (["evaluate", *TEXT], "--similarity or --analogies must name a file: only the toy language has"),
    "no questions for a file": (["evaluate", "--vectors", "3.vec"], "--similarity or --analogies must name a file"),
    "a table of a file": (
        ["nearest", "a", "--vectors", "3.vec", "--table", "sum"],
        "table must be centre where a file of vectors is read, got 'sum'",
    ),
    "no vectors": (["nearest", "a", "--vectors", "gone.vec"], "cannot read gone.vec: No such file or directory"),
    "vectors cut": (["nearest", "a", "--vectors", "cut.bin"], "cut.bin: cut short"),
    "vectors of no format": (["nearest", "a", "--vectors", "text"], "text: the name must end in .txt or .vec"),
    "one vector": (["nearest", "a", "--vectors", "1.vec"], "the vocabulary must have 2 words or more, got 1"),
    "three vectors": (
        ["analogy", "a", "b", "c", "--vectors", "3.vec"],
        "the vocabulary must have 4 words or more, got 3",
    ),
    "three vectors to judge": (
        ["evaluate", "--vectors", "3.vec", "--analogies", "four.txt"],
        "the vocabulary must have 4 words or more, got 3",
    ),
    "no file of analogies": (["evaluate", *TEXT, "--analogies", "gone"], "cannot read gone: No such file"),
    "no file of pairs": (["evaluate", *TEXT, "--similarity", "folder"], "cannot read folder: Is a directory"),
    "no analogies": (["evaluate", *TEXT, "--analogies", "three.txt"], "must have four words, got 'a b c' in line 2"),
    "no section": (["evaluate", *TEXT, "--analogies", "no section.txt"], "must have ': NAME' before the first"),
    "no pairs": (["evaluate", *TEXT, "--similarity", "no pairs.tsv"], "must have two words and a number, got 'b c'"),
    "nothing in a file": (["evaluate", *TEXT, "--similarity", "empty"], "must have lines of two words and a number"),
    "no UTF-8 in a file": (["evaluate", *TEXT, "--analogies", "latin"], "latin must be text in UTF-8"),
    "wrong suffix": (["export", *TEXT, "--out", "a.npy"], "a.npy: the name must end in .txt or .vec (text) or .bin"),
    "a file in the way": (["export", *TEXT, "--out", "text/a.vec"], "cannot write text/a.vec: File exists"),
    "a folder in the way": (["export", *TEXT, "--out", "folder/../folder"], "the name must end in"),
    "phrases of nothing": (["phrases", "--path", "blank", "--out", "x"], "blank holds no words; it must hold text"),
    "phrases of no file": (["phrases", "--path", "gone", "--out", "x"], "No such file or directory"),
    "phrases of no text": (["phrases", "--path", "latin", "--out", "x"], "latin, line 2: must be UTF-8"),
    "phrases nowhere": (["phrases", "--path", "text", "--out", "one/x"], "cannot write one/x: File exists"),
    "phrases of none": (
        ["phrases", "--path", "text", "--out", "x", "--min-count", "0"],
        "min_count must be at least 1, got 0",
    ),
    "a premium": (["phrases", "--path", "text", "--out", "x", "--discount", "-1"], "discount must be at least 0, got"),
    "nothing to resume": ([*TRAIN, "text", "--resume"], "nothing to resume, runs/word2vec/text is finished already"),
    "nothing to resume on toys": (["--resume"], "nothing to resume, runs/word2vec/toy has not been started"),
    "both": ([*TRAIN, "text", "--resume", "--restart"], "--resume and --restart exclude each other"),
    "no seed": (["--seed", str(2**32)], f"seed must lie between 0 and 2**32 - 1, got {2**32}"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_input_is_one_line_and_status_2(work, capsys, case: str) -> None:
    check_refused(*WRONG[case], capsys)


@pytest.mark.parametrize("start", [[], [*TRAIN, "text"]])
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


@pytest.mark.parametrize(
    "arguments",
    [
        ["--data", "text"],
        ["nearest"],
        ["analogy", "a", "b"],
        ["export"],
        ["sing"],
        ["nearest", "a", "--table", "left"],
        ["analogy", "a", "b", "c", "--form", "divide"],
        ["--objective", "glove"],
        ["--steps", "one"],
        ["phrases", "--path", "text"],
    ],
)
def test_what_is_no_command_is_status_2(work, capsys, arguments: list[str]) -> None:
    refusals.check_no_command(main, "python -m word2vec", arguments, capsys)


def test_a_text_without_a_path_is_told_which_option_is_missing(work, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["--data", "text"])
    assert "--path" in capsys.readouterr().err


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
        check_refused([*verb, *TEXT], f"error: {RUN} is damaged or of another version: train anew\n", capsys)
        (RUN / name).unlink()
        check_refused([*verb, *TEXT], str(RUN), capsys)
    finally:
        (RUN / name).write_bytes(whole)


def test_no_model_names_the_command_that_makes_one(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for data, command in (("toy", "--data toy"), ("text", "--data text --path FILE")):
        message = f"error: runs/word2vec/{data} holds no trained model: make one with python -m word2vec {command}\n"
        check_refused(["nearest", "king", "--data", data], message, capsys)
        check_refused(["export", "--data", data, "--out", "a.bin"], message, capsys)


def test_a_file_in_the_place_of_the_runs(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("text").write_text("a b c\n")
    Path("runs").touch()
    check_refused(["--steps", "1"], "cannot write runs/word2vec/toy.unfinished: ", capsys)
    check_refused([*TRAIN, "text"], "cannot write runs/word2vec/text.unfinished: ", capsys)
    Path("runs").unlink()
    Path("runs/word2vec").mkdir(parents=True)
    Path("runs/word2vec/text").touch()
    check_refused([*TRAIN, "text"], "runs/word2vec/text is in the way and is no finished run: move it", capsys)


def test_a_full_disk_leaves_the_old_file(work, capsys, monkeypatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    main(["export", *TEXT, "--out", "full.bin"])
    capsys.readouterr()
    monkeypatch.setattr(os, "fsync", full)
    check_refused(["export", *TEXT, "--out", "full.bin"], "cannot write full.bin: No space left on device", capsys)
    check_refused(["phrases", "--path", "text", "--out", "one"], "cannot write one: No space left on device", capsys)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_a_damaged_result_is_named_when_a_comparison_goes_on(tmp_path, monkeypatch, capsys, content: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = Path("runs/word2vec/compare/negative-sampling/results.json")
    path.parent.mkdir(parents=True)
    path.write_text(content)
    check_refused(["compare", "--resume"], f"{path} is damaged: train anew without --resume", capsys)
