"""``python -m word2vec`` from end to end: what it trains, answers, judges, writes, and reads again."""

import json
import math
import os
import subprocess
import sys
from collections import Counter
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest
import torch
from gensim.models import KeyedVectors
from PIL import Image
from safetensors.torch import load_file
from word2vec.commands.trained import load_trained

from toyworld.language import sentence_at
from word2vec.__main__ import Train, TrainText, main
from word2vec.commands import toy as module
from word2vec.data import ToyText
from word2vec.evaluate import toy_analogies
from word2vec.extensions.formats import read_vectors
from word2vec.extensions.objectives import OBJECTIVES
from word2vec.extensions.text import TextTraining

TINY = ["--device", "cpu", "--sentences", "4", "--dim", "4"]
TEXT = ["--data", "text", "--path", "text", "--dim", "4", "--min-count", "1", "--epochs", "2"]
RUN = Path("runs/word2vec/toy")
KOREAN = "고양이 와 강아지 는 동물 이다\n사과 와 포도 는 과일 이다\n고양이 는 사과 를 먹지 않는다\n"


@pytest.fixture(scope="module", autouse=True)
def few_sentences_counted():
    """Enough for every word of the toy language."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("word2vec.data.COUNTED", 4000)
        yield


@pytest.fixture(scope="module")
def trained(few_sentences_counted, tmp_path_factory):
    """A folder with a model of the toy language and one of a text, and what the trainings printed."""
    folder = tmp_path_factory.mktemp("work")
    sentences = "".join(" ".join(sentence_at("train", 0, index)) + "\n" for index in range(60))
    (folder / "text").write_text(KOREAN + sentences, encoding="utf-8")
    (folder / "similar.tsv").write_text("# people\nword 1\tword 2\tscore\nking\tqueen\t8\ncat\tdogs\t2\nking\tzzz\t1\n")
    (folder / "questions.txt").write_text(
        ": one\nking queen PRINCE princess\nking queen zzz x\n: two\ncat cats dog dogs\n"
    )
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as printed:
        patch.chdir(folder)
        main([*TINY, "--steps", "5", "--seed", "1"])
        toy = printed.getvalue()
        main(TEXT)
    return folder, toy, printed.getvalue().removeprefix(toy)


@pytest.fixture
def work(trained, monkeypatch) -> Path:
    monkeypatch.chdir(trained[0])
    return trained[0]


def said(arguments: list[str], capsys) -> list[str]:
    capsys.readouterr()
    main(arguments)
    return capsys.readouterr().out.splitlines()


def rows(lines: list[str]) -> list[tuple[float, str]]:
    return [(float(score), word) for score, word in (line.split(maxsplit=1) for line in lines)]


def test_training_judges_draws_and_keeps_everything_in_the_run(work, trained) -> None:
    names = {"best.safetensors", "run.json", "vocabulary.json", "results.json", "relations.png", "training.png"}
    assert names <= {path.name for path in RUN.iterdir()}
    results = json.loads((RUN / "results.json").read_text())
    assert (results["config"]["steps"], results["config"]["dim"], results["config"]["seed"]) == (5, 4, 1)
    assert results["command"] == f"python -m word2vec {' '.join(TINY)} --steps 5 --seed 1"
    assert [point["steps"] for point in results["validation"]] == [1, 2, 3, 4, 5]
    assert set(results["pairs"]) == {"known", "held out"}
    lines = trained[1].splitlines()
    for name in ("known", "held out"):
        table = results["pairs"][name]
        assert list(table) == ["chance", "word-form", "nearest", "reached"]
        first = lines.index(f"{name} pairs")
        assert lines[first + 1].split() == ["relation", *table]
        shown = {line.split()[0]: line.split()[1:] for line in lines[first + 2 : first + 9]}
        assert shown == {
            relation: [f"{column[relation]:.2%}" for column in table.values()] for relation in table["reached"]
        }
    assert lines[-4:-1] == [str(RUN / name) for name in ("results.json", "relations.png", "training.png")]
    for line in lines[-3:-1]:
        assert Image.open(line).size[0] >= 1000


def test_the_hints_of_a_training_work(work, trained, capsys) -> None:
    for printed in trained[1:]:
        hint = printed.splitlines()[-1].removeprefix("ask it: python -m word2vec ")
        assert said(hint.split(), capsys)


def test_a_text_is_trained_on_and_asked(work, trained, capsys) -> None:
    words = (work / "text").read_text().split()
    first, folder, _ = trained[2].splitlines()
    assert first.startswith(f"{2 * len(words):,} words in ")
    assert first.endswith(f"; {len(set(words)):,} vectors")
    assert folder == "runs/word2vec/text"
    found = rows(said(["nearest", "고양이", "--data", "text", "--count", "4"], capsys))
    vectors = load_trained(Path("runs/word2vec/text"), "text")
    i = vectors.words.index("고양이")
    cosines = torch.cosine_similarity(vectors.vectors[i], vectors.vectors, dim=1).tolist()
    best = sorted(range(len(cosines)), key=lambda k: -cosines[k])
    assert [word for _, word in found] == [vectors.words[k] for k in best if k != i][:4]
    for score, word in found:
        assert score == pytest.approx(cosines[vectors.words.index(word)], abs=6e-5)


def test_a_text_may_be_called_as_a_verb(work, capsys) -> None:
    Path("phrases").write_text("a b\na b\n")
    for arguments in (["--path", "phrases"], ["train", "--path", "phrases"], ["--resume", "train", "--path", "x"]):
        if "--resume" in arguments:
            with pytest.raises(SystemExit):
                main(["--data", "text", *arguments])
            assert capsys.readouterr().err.startswith("error: cannot read x: ")
        else:
            printed = said(["--data", "text", *arguments, "--min-count", "1", "--restart"], capsys)
            assert printed[0].startswith("20 words")
    main([*TEXT])


def test_nearest_and_analogy_rank_words_by_their_scores(work, capsys) -> None:
    found = rows(said(["nearest", "KING", "--count", "3"], capsys))
    assert len(found) == len({word for _, word in found}) == 3
    assert "king" not in {word for _, word in found}
    assert [score for score, _ in found] == sorted((score for score, _ in found), reverse=True)
    assert len(said(["nearest", "king"], capsys)) == 10
    vectors = load_trained(RUN, "toy")
    unit = torch.nn.functional.normalize(vectors.vectors, dim=1).double()
    a, b, c = (unit[vectors.words.index(word)] for word in ("king", "queen", "prince"))
    forms = {
        "add": unit @ (b - a + c),
        "mul": (1 + unit @ b) / 2 * (1 + unit @ c) / 2 / ((1 + unit @ a) / 2 + 1e-3),
    }
    for form, scores in forms.items():
        words = ["analogy", "king", "queen", "prince"]
        found = rows(said([*words, "--form", form], capsys))
        assert len(found) == 5
        assert not {"king", "queen", "prince"} & {word for _, word in found}
        expected = [k for k in scores.argsort(descending=True).tolist() if vectors.words[k] not in words][:5]
        assert [word for _, word in found] == [vectors.words[k] for k in expected]
        assert [score for score, _ in found] == pytest.approx(scores[expected].tolist(), rel=1e-5, abs=6e-5)
    assert len(said([*words, "--count", "1000"], capsys)) == len(vectors.words) - 3


def test_tables_are_w_w_prime_and_their_sum(work, capsys) -> None:
    tensors = load_file(RUN / "best.safetensors")
    centre, context = tensors["model.centre"], tensors["model.context"]
    expected = {"centre": centre, "context": context, "sum": centre + context}
    shown = set()
    for table, vectors in expected.items():
        assert said(["export", "--table", table, "--out", "table.bin"], capsys) == ["table.bin"]
        assert torch.equal(read_vectors(Path("table.bin")).vectors, vectors)
        shown.add(tuple(said(["nearest", "king", "--table", table], capsys)))
    assert len(shown) == 3


def test_the_toy_languages_questions_are_asked_without_files(work, capsys) -> None:
    results = json.loads((RUN / "results.json").read_text())["pairs"]
    lines = said(["evaluate"], capsys)
    for name in ("known", "held out"):
        first = lines.index(f"{name} pairs")
        asked = {section: len(questions) for section, questions in toy_analogies(name).items()}
        asked["all"] = sum(asked.values())
        for line in lines[first + 1 : first + 8]:
            section, accuracy, _, count, unknown, _ = line.split()
            assert accuracy == f"{results[name]['reached'][section]:.2%}"
            assert (int(count.rstrip(",").replace(",", "")), unknown) == (asked[section], "0")
    assert lines != said(["evaluate", "--form", "mul"], capsys)


def test_files_of_similar_words_and_of_analogies_are_judged(work, capsys) -> None:
    vectors = load_trained(RUN, "toy")
    u = {word: vectors.vectors[vectors.words.index(word)] for word in ("king", "queen", "cat", "dogs")}
    above = torch.cosine_similarity(u["king"], u["queen"], dim=0) > torch.cosine_similarity(u["cat"], u["dogs"], dim=0)
    expected = f"similar.tsv: Spearman {1 if above else -1:.4f} over 2 pairs, 33.3% unknown"
    both = ["evaluate", "--similarity", "similar.tsv", "--analogies", "questions.txt"]
    first, name, one, two, total = said(both, capsys)
    assert (first, name) == (expected, "questions.txt")
    for line, start in ((one, "one"), (two, "two"), (total, "all")):
        assert line.split()[0] == start
    assert one.endswith("of      1,      1 unknown")
    assert two.endswith("of      1,      0 unknown")
    assert total.endswith("of      2,      1 unknown")
    said(["export", "--out", "judged.vec"], capsys)
    assert said([*both, "--vectors", "judged.vec"], capsys) == [first, name, one, two, total]
    assert said(["evaluate", "--data", "text", "--similarity", "similar.tsv"], capsys)[0].startswith("similar.tsv: ")


@pytest.mark.parametrize("suffix", ["txt", "vec", "bin"])
def test_what_is_exported_is_read_here_and_by_gensim(work, capsys, suffix: str) -> None:
    for data, word in (("toy", "king"), ("text", "고양이")):
        path = Path("out") / f"{data}.{suffix}"
        assert said(["export", "--data", data, "--out", str(path)], capsys) == [str(path)]
        vectors = load_trained(Path("runs/word2vec") / data, data)
        theirs = KeyedVectors.load_word2vec_format(str(path), binary=suffix == "bin")
        assert tuple(theirs.index_to_key) == vectors.words
        assert torch.equal(torch.from_numpy(theirs.vectors), vectors.vectors)
        ours = said(["nearest", word, "--vectors", str(path)], capsys)
        assert ours == said(["nearest", word, "--data", data], capsys)
        near = theirs.most_similar(word, topn=10)
        assert [score for score, _ in rows(ours)] == pytest.approx([score for _, score in near], abs=6e-5)


def test_phrases_are_found_told_and_written(work, capsys) -> None:
    lines = 6 * ["new york city is in new york", "한국 음식 맛"] + [f"w{k} is w{k + 1}" for k in range(40)]
    Path("long.txt").write_text("\n".join(lines))
    arguments = ["phrases", "--path", "long.txt", "--out", "joined.txt", "--discount", "1", "--min-count", "6"]
    first, second, path = said([*arguments, "--thresholds", "5", "2"], capsys)
    assert first.startswith("pass 1: ")
    assert "new_york" in first
    assert second.startswith("pass 2: ")
    assert "new_york_city" in Path(path).read_text()
    assert "한국_음식" in Path("joined.txt").read_text()
    assert Path("joined.txt").read_text().replace("_", " ").splitlines() == lines
    (first, _) = said([*arguments, "--thresholds", "1e9"], capsys)
    assert first == "pass 1: 0 phrases"


def stop_after(monkeypatch, steps: int):
    """Trainings on the toy language and on texts fail in this step."""
    for kind, name in ((ToyText, "batch_at"), (TextTraining, "step")):
        original = getattr(kind, name)

        def fails(self, step: int, *rest: object, original=original):
            if step == steps:
                raise ZeroDivisionError
            return original(self, step, *rest)

        monkeypatch.setattr(kind, name, fails)


@pytest.mark.parametrize("arguments", [[*TINY, "--steps", "4", "--seed", "2"], TEXT])
def test_a_stopped_run_asks_what_to_do_and_goes_on_bit_for_bit(
    trained, tmp_path, monkeypatch, capsys, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("word2vec.__main__.draw_result", lambda result: [])
    Path("text").write_bytes((trained[0] / "text").read_bytes())
    folder = Path("runs/word2vec/text" if "text" in arguments else "runs/word2vec/toy")
    main(arguments)
    whole = (folder / "best.safetensors").read_bytes()
    with monkeypatch.context() as patch:
        stop_after(patch, 1)
        with pytest.raises(ZeroDivisionError):
            main(arguments)
    assert (folder / "best.safetensors").read_bytes() == whole, "the finished run stays until the next one ends"
    capsys.readouterr()
    with pytest.raises(SystemExit):
        main(arguments)
    said = capsys.readouterr().err
    command = f"python -m word2vec {' '.join(arguments)}"
    assert f"go on with {command} --resume, or begin anew with {command} --restart" in said
    main([*arguments, "--resume"])
    assert (folder / "best.safetensors").read_bytes() == whole
    assert json.loads((folder / "results.json").read_text())["command"] == command
    with monkeypatch.context() as patch:
        stop_after(patch, 1)
        with pytest.raises(ZeroDivisionError):
            main(arguments)
    main([*arguments, "--restart"])
    assert (folder / "best.safetensors").read_bytes() == whole


def test_compare_trains_every_objective_once(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["compare", *TINY, "--steps", "3"]
    header, *lines, path = said(arguments, capsys)
    assert header.split() == ["objective", "known", "held", "out", "seconds"]
    folder = Path("runs/word2vec/compare")
    assert path == str(folder / "comparison.png")
    assert Image.open(path).size == (1000, 480)
    assert [line.split()[0] for line in lines] == list(OBJECTIVES)
    summary = json.loads((folder / "results.json").read_text())
    assert (summary["steps"], summary["seed"]) == (3, 0)
    for line in lines:
        name, known, held_out, _ = line.split()
        results = json.loads((folder / name / "results.json").read_text())
        assert results["config"] == vars(
            module.replace(module.ObjectiveConfig(), objective=name, steps=3, sentences=4, dim=4)
        )
        assert summary["objectives"][name]["known"] == results["pairs"]["known"]["reached"]["all"]
        assert f"{results['pairs']['known']['reached']['all']:.2%}" == known
        assert f"{results['pairs']['held out']['reached']['all']:.2%}" == held_out
    with monkeypatch.context() as patch:  # all have ended: nothing is trained again
        patch.setattr(module, "build_optimizer", None)
        assert said([*arguments, "--resume"], capsys) == [header, *lines, path]
    (folder / "cbow/results.json").unlink()
    trained, original = [], module.train_and_judge
    monkeypatch.setattr(
        module, "train_and_judge", lambda config, *rest: (trained.append(config.objective), original(config, *rest))[1]
    )
    said([*arguments, "--resume"], capsys)
    assert trained == ["cbow"]


def test_objectives_other_than_the_first_are_asked_too(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    main([*TINY, "--steps", "2", "--objective", "hierarchical"])
    assert len(said(["nearest", "king"], capsys)) == 10
    with pytest.raises(SystemExit):
        main(["nearest", "king", "--table", "sum"])
    assert "table must be centre, got 'sum'" in capsys.readouterr().err


def test_the_configuration_gives_the_defaults(monkeypatch) -> None:
    started = []
    for name in ("run_train", "run_compare", "run_text"):
        monkeypatch.setattr(f"word2vec.__main__.{name}", lambda chosen, command: started.append((chosen, command)))
    main([])
    main(["--config", "paper", "--steps", "7", "--resume"])
    main(["compare", "--config=paper", "--restart"])
    main(["train", "--data", "text", "--path", "a b.txt", "--window", "3"])
    (toy, _), (paper, command), (compared, _), (text, text_command) = started
    assert type(toy) is Train
    assert toy.fields == module.ObjectiveConfig()
    assert (paper.fields.dim, paper.fields.steps, paper.resume) == (300, 7, True)
    assert command == "python -m word2vec --config paper --steps 7"
    assert (compared.fields.dim, compared.restart, type(compared).__name__) == (300, True, "Compare")
    assert isinstance(text, TrainText)
    assert (text.path, text.fields.window, text.fields.dim) == (Path("a b.txt"), 3, 100)
    assert text_command == "python -m word2vec train --data text --path 'a b.txt' --window 3"


def test_two_seeds_are_two_trainings_and_one_is_one(trained, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    weights = []
    for seed in ("1", "2"):
        main([*TINY, "--steps", "5", "--seed", seed])
        weights.append((RUN / "best.safetensors").read_bytes())
    assert weights[0] == (trained[0] / RUN / "best.safetensors").read_bytes()
    assert weights[1] != weights[0]


def test_metrics_begin_at_the_known_loss(work) -> None:
    """All scores are 0 at first: (1 + k) ln 2 for a pair with k words of noise."""
    first = json.loads((RUN / "metrics.jsonl").read_text().splitlines()[0])
    assert first["loss"] == pytest.approx(6 * math.log(2), rel=1e-6)


def test_as_a_program(tmp_path) -> None:
    """Nothing is said on stderr where that is no terminal."""
    (tmp_path / "text").write_text(4 * KOREAN, encoding="utf-8")
    program = [sys.executable, "-m", "word2vec"]
    environment = {"cwd": tmp_path, "capture_output": True, "text": True, "timeout": 100}
    environment["env"] = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run([*program, *TEXT], **environment)
    assert (done.returncode, done.stderr) == (0, "")
    done = subprocess.run([*program, "nearest", "고양이", "--data", "text"], **environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 10
    assert {word for _, word in rows(done.stdout.splitlines())} <= set(Counter(KOREAN.split()))
