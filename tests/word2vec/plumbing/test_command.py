"""``python -m word2vec`` from end to end: it trains, judges, answers, exports, and goes on after a stop."""

import json
import math
import os
import shlex
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from gensim.models import KeyedVectors
from PIL import Image
from safetensors.torch import load_file

from lab import cli
from tests import refusals
from tests.word2vec.plumbing.conftest import TEXT, TINY
from word2vec.__main__ import main
from word2vec.commands import DEFAULT, VERBS, Compare, Text, Train
from word2vec.commands.tasks import ToyTask
from word2vec.commands.vectors import CHANGES, RARE, SMALL, load_trained, neighbours, note_on_size
from word2vec.data import ToyText
from word2vec.datasets import corpus
from word2vec.evaluate import toy_analogies
from word2vec.extensions.formats import WordVectors, read_vectors
from word2vec.extensions.objectives import CONFIGS, OBJECTIVES
from word2vec.extensions.text import TextConfig, TextTraining

RUNS = Path("runs/word2vec")
TOY, OF_TEXT = RUNS / "toy", RUNS / "text-words"


def output(arguments: list[str], capsys) -> list[str]:
    capsys.readouterr()
    main(arguments)
    return capsys.readouterr().out.splitlines()


def rows(lines: list[str]) -> list[tuple[float, str]]:
    return [(float(score), word) for score, word in (line.split(maxsplit=1) for line in lines)]


def arguments_of(command: str) -> list[str]:
    """Those of a printed command line."""
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "word2vec"], command
    return words[3:]


def weights(folder: Path) -> bytes:
    return (folder / "best.safetensors").read_bytes()


def test_a_training_judges_draws_and_keeps_everything_in_the_run(work, trained) -> None:
    names = {"best.safetensors", "run.json", "vocabulary.json", "results.json", "relations.png", "training.png"}
    assert names <= {path.name for path in TOY.iterdir()}
    results = json.loads((TOY / "results.json").read_text())
    assert (results["config"]["steps"], results["config"]["dim"], results["config"]["seed"]) == (5, 4, 1)
    assert results["command"] == f"python -m word2vec {' '.join(TINY)} --steps 5 --seed 1"
    assert [point["steps"] for point in results["validation"]] == [1, 2, 3, 4, 5]
    lines = trained.toy.splitlines()
    for name in ("known", "held out"):
        table = results["pairs"][name]
        assert list(table) == ["chance", "word-form", "nearest", "reached"]
        first = lines.index(f"{name} pairs") + 2
        printed = {line.split()[0]: line.split()[1:] for line in lines[first : first + len(table["reached"])]}
        assert printed == {row: [f"{column[row]:.2%}" for column in table.values()] for row in table["reached"]}
    for name in ("results.json", "relations.png", "training.png"):
        assert str(TOY / name) in lines
    for name in ("relations.png", "training.png"):
        Image.open(TOY / name).verify()


def test_the_first_loss_is_known(work) -> None:
    """All scores are 0 at first: (1 + k) ln 2 for a pair with k noise words."""
    first = json.loads((TOY / "metrics.jsonl").read_text().splitlines()[0])
    assert first["loss"] == pytest.approx(6 * math.log(2), rel=1e-6)


def test_the_printed_questions_work(work, trained, capsys) -> None:
    for printed in (trained.toy, trained.text):
        assert output(arguments_of(printed.splitlines()[-1].removeprefix("ask it: ")), capsys)


def test_a_text_is_trained_on_and_asked(work, trained, capsys) -> None:
    words = Path("words.txt").read_text(encoding="utf-8").split()
    first, folder, _ = trained.text.splitlines()
    assert first.startswith(f"{2 * len(words):,} words in ")
    assert first.endswith(f"; {len(set(words)):,} vectors")
    assert folder == str(OF_TEXT)
    found = rows(output(["nearest", "고양이", "--run", "text-words", "--count", "4"], capsys))
    vectors = load_trained("text-words")
    i = vectors.words.index("고양이")
    cosines = torch.cosine_similarity(vectors.vectors[i], vectors.vectors, dim=1)
    best = [k for k in cosines.argsort(descending=True).tolist() if k != i][:4]
    assert [word for _, word in found] == [vectors.words[k] for k in best]
    assert [score for score, _ in found] == pytest.approx(cosines[best].tolist(), abs=6e-5)


def test_two_texts_have_runs_of_their_own(tmp_path, monkeypatch, capsys) -> None:
    """Another text has another name; under the same name it is refused in one line, until it gets a name or replaces.

    A five-step trial does not replace a finished run either: its configuration is another one.
    """
    monkeypatch.chdir(tmp_path)
    for path, words in (("a.txt", "a b c\n"), ("b.txt", "b c d\n"), ("other/a.txt", "e f g\n")):
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(words)
    first = output([*TEXT, "a.txt"], capsys)
    before = weights(RUNS / "text-a")
    second = output([*TEXT, "b.txt"], capsys)
    refusals.check_refused(main, [*TEXT, "other/a.txt"], "give the new one a name with --run NAME", capsys)
    refusals.check_refused(main, [*TEXT, "a.txt", "--dim", "5"], "(dim was 4 and is 5 now)", capsys)
    third = output([*TEXT, "other/a.txt", "--run", "letters"], capsys)
    assert weights(RUNS / "text-a") == before
    for printed, name, words in ((first, "text-a", "abc"), (second, "text-b", "bcd"), (third, "letters", "efg")):
        assert printed[1] == str(RUNS / name)
        assert set(load_trained(name).words) == set(words)
        assert output(arguments_of(printed[-1].removeprefix("ask it: ")), capsys)
    Path("dashes and b.txt").write_text("b -x\n")
    printed = output([*TEXT, "dashes and b.txt"], capsys)[-1]
    assert output(arguments_of(printed.removeprefix("ask it: ")), capsys), "-x would be an option"
    output([*TEXT, "a.txt"], capsys)
    assert weights(RUNS / "text-a") == before, "the same text and configuration may be trained again"
    output([*TEXT, "other/a.txt", "--restart"], capsys)
    assert set(load_trained("text-a").words) == set("efg")


def test_nearest_and_analogy_rank_words_by_their_scores(work, capsys) -> None:
    found = rows(output(["nearest", "KING", "--count", "3"], capsys))
    assert len({word for _, word in found} - {"king"}) == 3
    assert [score for score, _ in found] == sorted((score for score, _ in found), reverse=True)
    vectors = load_trained("toy")
    unit = torch.nn.functional.normalize(vectors.vectors, dim=1).double()
    question = ["king", "queen", "prince"]
    a, b, c = (unit[vectors.words.index(word)] for word in question)
    methods = {
        "add": unit @ (b - a + c),
        "mul": (1 + unit @ b) / 2 * (1 + unit @ c) / 2 / ((1 + unit @ a) / 2 + 1e-3),
    }
    for method, scores in methods.items():
        found = rows(output(["analogy", *question, "--method", method], capsys))
        expected = [k for k in scores.argsort(descending=True).tolist() if vectors.words[k] not in question][:5]
        assert [word for _, word in found] == [vectors.words[k] for k in expected]
        assert [score for score, _ in found] == pytest.approx(scores[expected].tolist(), rel=1e-5, abs=6e-5)
    everything = output(["analogy", *question, "--count", "1000"], capsys)
    assert len(everything) == len(vectors.words) - 3, "the words of the question are no answers"


def test_a_rare_word_is_named_with_its_number(work, capsys) -> None:
    """On stderr, and only where the number of occurrences is known and small."""
    for word, times in (("고양이", "only 2 times"), ("강아지", "only once")):
        main(["nearest", word, "--run", "text-words"])
        assert capsys.readouterr().err == f"note: {word} occurs {times} in the text: {CHANGES}\n"
    main(["export", "--out", "toy.vec"])
    for question in (["king"], ["king", "--vectors", "toy.vec"]):
        main(["nearest", *question])
        assert capsys.readouterr().err == ""
    Path("toy.vec").unlink()


@pytest.mark.parametrize(("count", "said"), [(RARE - 1, True), (RARE, False)])
def test_how_rare_a_rare_word_is(capsys, count: int, said: bool) -> None:
    neighbours(WordVectors(("a", "b"), torch.eye(2), (500, count)), "b", 1)
    assert bool(capsys.readouterr().err) == said


@pytest.mark.parametrize(("words", "said"), [(SMALL - 1, True), (SMALL, False)])
def test_a_small_text_says_what_to_expect(capsys, words: int, said: bool) -> None:
    note_on_size(words, [RARE, RARE - 1, 1, 1])
    told = capsys.readouterr().err
    assert told.startswith(f"note: {words:,} words are few: 3.8 million answered 13% ") == said
    assert ("75% of the vectors are of words that occur fewer than 100 times" in told) == said


def test_tables_are_w_w_prime_and_their_sum(work, tmp_path, capsys) -> None:
    tensors = load_file(TOY / "best.safetensors")
    centre, context = tensors["model.centre"], tensors["model.context"]
    path = str(tmp_path / "table.bin")
    for table, vectors in {"centre": centre, "context": context, "sum": centre + context}.items():
        assert output(["export", "--table", table, "--out", path], capsys) == [path]
        assert torch.equal(read_vectors(Path(path)).vectors, vectors)
        near = output(["nearest", "king", "--table", table], capsys)
        assert near == output(["nearest", "king", "--vectors", path], capsys)


def test_judging_needs_no_training(work, capsys) -> None:
    """It asks the questions of the toy language, and writes the results and the figures again."""
    before = (TOY / "results.json").read_bytes()
    results = json.loads(before)["pairs"]
    (TOY / "results.json").write_text("damaged")
    (TOY / "training.png").unlink()
    lines = output(["judge"], capsys)
    assert (TOY / "results.json").read_bytes() == before
    assert (TOY / "training.png").exists()
    for name in ("known", "held out"):
        asked = {section: len(questions) for section, questions in toy_analogies(name).items()}
        asked["all"] = sum(asked.values())
        first = lines.index(f"{name} pairs") + 1
        for line in lines[first : first + len(asked)]:
            section, accuracy, _, count, unknown, _ = line.split()
            assert accuracy == f"{results[name]['reached'][section]:.2%}"
            assert (int(count.rstrip(",").replace(",", "")), unknown) == (asked[section], "0")
    other = output(["judge", "--method", "mul"], capsys)
    assert other != lines
    assert (TOY / "results.json").read_bytes() == before, "another method is printed only"


def test_files_of_similar_words_and_of_analogies_are_judged(work, tmp_path, capsys) -> None:
    similar, questions, exported = (str(tmp_path / name) for name in ("similar.tsv", "questions.txt", "judged.vec"))
    Path(similar).write_text("# people\nword 1\tword 2\tscore\nking\tqueen\t8\ncat\tdogs\t2\nking\tzzz\t1\n")
    Path(questions).write_text(": one\nking queen PRINCE princess\nking queen zzz x\n: two\ncat cats dog dogs\n")
    vectors = load_trained("toy")
    king, queen, cat, dogs = (vectors.vectors[vectors.words.index(word)] for word in ("king", "queen", "cat", "dogs"))
    above = torch.cosine_similarity(king, queen, dim=0) > torch.cosine_similarity(cat, dogs, dim=0)
    both = ["judge", "--similarity", similar, "--analogies", questions]
    lines = output(both, capsys)
    first, name, one, two, total = lines
    assert first == f"similar.tsv: Spearman {1 if above else -1:.4f} over 2 pairs, 33.3% unknown"
    assert (name, one.split()[0], two.split()[0], total.split()[0]) == ("questions.txt", "one", "two", "all")
    for line, asked, unknown in ((one, "1,", "1"), (two, "1,", "0"), (total, "2,", "1")):
        assert line.split()[3:5] == [asked, unknown]
    output(["export", "--out", exported], capsys)
    assert output([*both, "--vectors", exported], capsys) == lines
    assert output(["judge", "--run", "text-words", "--similarity", similar], capsys)[0].startswith("similar.tsv: ")


@pytest.mark.parametrize("suffix", ["txt", "vec", "bin"])
def test_exported_vectors_are_read_here_and_by_gensim(work, tmp_path, capsys, suffix: str) -> None:
    for run, word in (("toy", "king"), ("text-words", "고양이")):
        path = tmp_path / "out" / f"{run}.{suffix}"
        assert output(["export", "--run", run, "--out", str(path)], capsys) == [str(path)]
        vectors = load_trained(run)
        theirs = KeyedVectors.load_word2vec_format(str(path), binary=suffix == "bin")
        assert tuple(theirs.index_to_key) == vectors.words
        assert torch.equal(torch.from_numpy(theirs.vectors), vectors.vectors)
        ours = output(["nearest", word, "--vectors", str(path)], capsys)
        assert ours == output(["nearest", word, "--run", run], capsys)
        near = theirs.most_similar(word, topn=10)
        assert [score for score, _ in rows(ours)] == pytest.approx([score for _, score in near], abs=6e-5)


def test_phrases_are_found_printed_and_written(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    lines = 6 * ["new york city is in new york", "한국 음식 맛"] + [f"w{k} is w{k + 1}" for k in range(40)]
    Path("long.txt").write_text("\n".join(lines), encoding="utf-8")
    arguments = ["phrases", "--path", "long.txt", "--out", "joined.txt", "--discount", "1", "--min-count", "6"]
    first, second, path = output([*arguments, "--thresholds", "5", "2"], capsys)
    assert first.startswith("pass 1: ")
    assert "new_york" in first
    assert second.startswith("pass 2: ")
    joined = Path(path).read_text(encoding="utf-8")
    assert "new_york_city" in joined
    assert "한국_음식" in joined
    assert joined.replace("_", " ").splitlines() == lines
    assert output([*arguments, "--thresholds", "1e9"], capsys)[0] == "pass 1: 0 phrases"


@pytest.fixture
def no_figures(monkeypatch) -> None:
    """Where a test trains several times, figures would take most of its time."""
    monkeypatch.setattr(ToyTask, "draw", lambda self, folder, model, results: [])


def stop_at(patch: pytest.MonkeyPatch, at: int) -> None:
    """Ctrl-C in this step of a training, on the toy language or on a text."""
    for kind, name in ((ToyText, "batch_at"), (TextTraining, "step")):
        original = getattr(kind, name)

        def stopped(self, step: int, *rest: object, original=original):
            if step == at and getattr(self, "split", "train") == "train":
                signal.raise_signal(signal.SIGINT)
            return original(self, step, *rest)

        patch.setattr(kind, name, stopped)


@pytest.mark.parametrize(
    ("arguments", "folder", "stops"),
    [([*TINY, "--steps", "4", "--seed", "2"], TOY, [1]), ([*TEXT, "words.txt"], OF_TEXT, [1, 5])],
)
def test_a_stopped_run_goes_on_bit_for_bit(
    trained, no_figures, tmp_path, monkeypatch, capsys, arguments: list[str], folder: Path, stops: list[int]
) -> None:
    """The printed commands work as they are printed; the finished run stays until the next one ends."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(corpus, "CHUNK", 150)  # words: the text has several steps in each of its two epochs
    Path("words.txt").write_bytes((trained.folder / "words.txt").read_bytes())
    main(arguments)
    whole, lines = weights(folder), (folder / "metrics.jsonl").read_bytes()
    assert len(lines.splitlines()) > max(stops) + 1
    for at in stops:
        with monkeypatch.context() as patch:
            stop_at(patch, at)
            with pytest.raises(SystemExit) as stopped:
                main(arguments)
        assert stopped.value.code == 130
        printed = capsys.readouterr().err.splitlines()[-1]
        assert printed.startswith(f"stopped after {at + 1} of ")
        assert weights(folder) == whole
        refusals.check_refused(main, arguments, "go on with python -m word2vec", capsys)
        main(arguments_of(printed.partition("go on with ")[2]))
        assert weights(folder) == whole
        assert (folder / "metrics.jsonl").read_bytes() == lines
    command = f"python -m word2vec {shlex.join(arguments)}"
    assert json.loads((folder / "results.json").read_text())["command"] == command
    with monkeypatch.context() as patch:
        stop_at(patch, 1)
        with pytest.raises(SystemExit):
            main(arguments)
    main([*arguments, "--restart"])
    assert weights(folder) == whole


def test_compare_trains_every_objective_once(no_figures, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["compare", *TINY, "--steps", "2"]
    header, *lines, path = output(arguments, capsys)
    folder = RUNS / "compare/toy"
    assert path == str(folder / "comparison.png")
    Image.open(path).verify()
    assert [line.split()[0] for line in lines] == list(OBJECTIVES)
    summary = json.loads((folder / "results.json").read_text())
    assert (summary["steps"], summary["seed"]) == (2, 0)
    for line in lines:
        name, known, held_out, _ = line.split()
        results = json.loads((folder / name / "results.json").read_text())
        expected = replace(CONFIGS["toy"], objective=name, steps=2, sentences=4, dim=4)
        assert results["config"] == asdict(expected)
        assert summary["objectives"][name]["known"] == results["pairs"]["known"]["reached"]["all"]
        assert f"{results['pairs']['known']['reached']['all']:.2%}" == known
        assert f"{results['pairs']['held out']['reached']['all']:.2%}" == held_out
    (folder / "cbow/results.json").unlink()  # trained, not judged
    monkeypatch.setattr(ToyTask, "train", None)  # nothing is trained again
    assert output([*arguments, "--resume"], capsys) == [header, *lines, path]
    assert (folder / "cbow/results.json").exists()
    assert len(output(["nearest", "king", "--run", "compare/toy/hierarchical"], capsys)) == 10
    wrong = ["nearest", "king", "--run", "compare/toy/hierarchical", "--table", "sum"]
    refusals.check_refused(main, wrong, "--table must be centre, got 'sum'", capsys)


def test_the_configuration_gives_the_defaults() -> None:
    def parsed(*arguments: str):
        return cli.parse("python -m word2vec", VERBS, arguments, DEFAULT)

    assert type(parsed()) is Train
    assert parsed().chosen_config() == CONFIGS["toy"]
    paper = parsed("--config", "paper", "--steps", "7", "--resume")
    assert paper.chosen_config() == replace(CONFIGS["paper"], steps=7)
    assert (paper.resume, paper.restart) == (True, False)
    compared = parsed("compare", "--config=paper", "--restart")
    assert isinstance(compared, Compare)
    assert (compared.chosen_config(), compared.restart) == (CONFIGS["paper"], True)
    text = parsed("text", "--path", "a b.txt", "--window", "3")
    assert isinstance(text, Text)
    assert text.path == Path("a b.txt")
    assert cli.overridden(TextConfig(), text.configuration) == TextConfig(window=3)


def test_two_seeds_are_two_trainings_and_one_is_one(work, no_figures, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for seed in ("1", "2"):
        main([*TINY, "--steps", "5", "--seed", seed, "--run", seed])
    assert weights(RUNS / "1") == weights(work / TOY)
    assert weights(RUNS / "2") != weights(work / TOY)


def test_as_a_program(work) -> None:
    """A question, as another process: only the note is printed on stderr where that is no terminal."""
    program = [sys.executable, "-m", "word2vec", "nearest", "고양이", "--run", "text-words"]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONUTF8": "1"}
    done = subprocess.run(program, capture_output=True, encoding="utf-8", timeout=100, env=environment)
    assert (done.returncode, done.stderr) == (0, f"note: 고양이 occurs only 2 times in the text: {CHANGES}\n")
    assert len(rows(done.stdout.splitlines())) == 10
