"""Training on a text: it learns, it goes on with the same bits after a stop, and its rates have a closed form."""

import json
import math
import re
import signal
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lab import training
from lab.cli import TrainingOptions
from toyworld.language import sentence_at
from word2vec.commands.tasks import TextTask
from word2vec.commands.vectors import load_trained
from word2vec.datasets import corpus as corpus_module
from word2vec.datasets.corpus import Corpus, read_corpus
from word2vec.evaluate import ALL, KNOWN, baselines, judge_analogies, toy_analogies
from word2vec.extensions.text import TextConfig, TextTraining, check_config, vocabulary_of

RUNS = Path("runs/word2vec")
SMALL = TextConfig(dim=8, window=2, negatives=3, min_count=1, epochs=2)


def train_on_text(config: TextConfig, source: Path, name: str = "run", **options: bool) -> training.Trained:
    """A run in ``runs/word2vec/NAME`` of the current folder."""
    task = TextTask(config, source, name)
    return training.train(task, TrainingOptions(device="cpu", **options), "python -m word2vec text")


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Sentences of the toy language, in nine chunks of some 500 words."""
    path = tmp_path_factory.mktemp("source") / "text"
    path.write_text("".join(" ".join(sentence_at("train", 0, index)) + "\n" for index in range(600)))
    return path


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch, tmp_path) -> None:
    """Runs go to a folder of the test's own."""
    monkeypatch.setattr(corpus_module, "CHUNK", 500)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def steps(source, tmp_path) -> TextTraining:
    corpus = read_corpus(source, tmp_path / "corpus")
    torch.manual_seed(0)
    return TextTraining(corpus, vocabulary_of(corpus, 1), SMALL)


def weights(name: str) -> bytes:
    return (RUNS / name / "best.safetensors").read_bytes()


def test_vectors_of_a_text_answer_its_analogies(tmp_path, monkeypatch) -> None:
    """The toy language, read as any text is: far above the word nearest to c, and above a word of the right form."""
    monkeypatch.setattr(corpus_module, "CHUNK", 8192)
    source = tmp_path / "text"
    source.write_text("".join(" ".join(sentence_at("train", 0, index)) + "\n" for index in range(10_000)))
    trained = train_on_text(TextConfig(dim=32, sample=1e-2, epochs=10), source)
    words, vectors = load_trained("run").words, trained.model.centre.detach()
    questions = toy_analogies(KNOWN)
    reached = judge_analogies(vectors, words, questions)[ALL].accuracy
    cheap = baselines(vectors, words, questions)
    level = max(cheap[name][ALL] for name in ("chance", "word-form", "nearest"))
    assert reached > 0.5 > 2 * level, f"reached {reached:.2%}, without learning {level:.2%}"
    losses = [json.loads(line)["loss"] for line in (trained.folder / "metrics.jsonl").read_text().splitlines()]
    assert losses[0] == pytest.approx(6 * math.log(2), rel=1e-6), "all scores are 0 at first: (1 + k) ln 2"
    assert losses[-1] < 0.75 * losses[0]
    assert torch.isfinite(trained.model.context).all()


def test_the_files_of_a_training(source) -> None:
    trained = train_on_text(SMALL, source)
    counts = Counter(source.read_text().split())
    assert trained.results["words"] == 2 * counts.total()
    assert trained.results["vocabulary"] == len(counts)
    assert trained.model.centre.shape == (len(counts), 8)
    assert json.loads((trained.folder / "results.json").read_text()) == trained.results
    vocabulary = json.loads((trained.folder / "vocabulary.json").read_text())
    assert dict(zip(vocabulary["words"], vocabulary["counts"], strict=True)) == counts
    assert vocabulary["counts"] == sorted(counts.values(), reverse=True)
    rows = [json.loads(line) for line in (trained.folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(len(rows)))
    assert {path.name for path in RUNS.iterdir()} == {"run", "run.corpus", ".run.lock"}


def test_the_same_seed_gives_the_same_bits_and_another_others(source) -> None:
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        train_on_text(replace(SMALL, seed=seed), source, name)
    assert weights("one") == weights("two")
    assert weights("one") != weights("three")


@pytest.mark.parametrize("at", [0, 4, 9, 13])  # in the first epoch, in the second
def test_a_stopped_training_goes_on_bit_for_bit(source, monkeypatch, capsys, at: int) -> None:
    """No step is taken twice, or left out."""
    train_on_text(SMALL, source, "whole")
    taken, original = [], TextTraining.step

    def stops(self: TextTraining, step: int) -> float:
        taken.append(step)
        if len(taken) == at + 1:
            signal.raise_signal(signal.SIGINT)
        return original(self, step)

    monkeypatch.setattr(TextTraining, "step", stops)
    with pytest.raises(SystemExit) as stopped:
        train_on_text(SMALL, source)
    assert stopped.value.code == 130
    n = len(json.loads((RUNS / "run.corpus/corpus.json").read_text())["ends"])
    assert f"stopped after {at + 1} of {2 * n} steps: go on with " in capsys.readouterr().err
    with pytest.raises(ValueError, match="holds an unfinished run: go on with "):
        train_on_text(SMALL, source)
    trained = train_on_text(SMALL, source, resume=True)
    assert taken == list(range(2 * n))
    assert weights("run") == weights("whole")
    assert trained.results["words"] == 2 * len(source.read_text().split()), "those of both sessions"
    for file in ("metrics.jsonl", "vocabulary.json"):
        assert (RUNS / "run" / file).read_bytes() == (RUNS / "whole" / file).read_bytes(), file


def test_a_run_of_another_text_or_configuration_is_not_resumed(source, tmp_path, monkeypatch) -> None:
    copy = tmp_path / "text"
    copy.write_bytes(source.read_bytes())
    with monkeypatch.context() as patch:
        patch.setattr(TextTraining, "step", lambda self, step: 1 / 0 if step == 2 else 0.0)
        with pytest.raises(ZeroDivisionError):
            train_on_text(SMALL, copy)
    with pytest.raises(ValueError, match="cannot be resumed with another configuration: dim was 8 and is 9 now"):
        train_on_text(replace(SMALL, dim=9), copy, resume=True)
    with copy.open("a") as file:
        file.write("one more line\n")
    with pytest.raises(ValueError, match="cannot be resumed with another configuration: text was "):
        train_on_text(SMALL, copy, resume=True)
    train_on_text(SMALL, copy, restart=True)


def test_a_step_is_a_pure_function_of_its_number(steps, source) -> None:
    """Weights before and a number give weights after, whatever was drawn or learned before; each number its own."""
    before = {name: weight.clone() for name, weight in steps.model.state_dict().items()}

    def after(step: int) -> tuple[float, bytes]:
        steps.model.load_state_dict(before)
        loss = steps.step(step)
        return loss, b"".join(weight.numpy().tobytes() for weight in steps.model.state_dict().values())

    first = after(3)
    torch.manual_seed(99)
    after(4)
    after(steps.steps - 1)
    assert after(3) == first


def test_an_epoch_draws_words_and_windows_anew(steps, monkeypatch) -> None:
    """The same step draws the same, the same chunk in the next epoch, or with another seed, something else."""
    drawn = []
    monkeypatch.setattr(steps.engine, "learn", lambda text, rate, generator: drawn.append(text) or 0.0)
    n = len(steps.corpus.ends)
    for step in (1, 1, n + 1):
        steps.step(step)
    steps.config = replace(SMALL, seed=1)
    steps.step(1)
    first, again, next_epoch, other_seed = ((text.ids.tolist(), text.windows.tolist()) for text in drawn)
    assert first == again
    assert first != next_epoch
    assert first != other_seed


def test_a_step_reads_its_chunk(steps, monkeypatch) -> None:
    """Twice through the text, chunk by chunk, in order."""
    read, original = [], Corpus.chunk
    monkeypatch.setattr(
        Corpus, "chunk", lambda self, k, vocabulary_ids: (read.append(k), original(self, k, vocabulary_ids))[1]
    )
    n = len(steps.corpus.ends)
    assert n > 3
    assert steps.steps == 2 * n
    for step in range(steps.steps):
        steps.step(step)
    assert read == [*range(n), *range(n)]


def test_a_chunk_without_frequent_words_teaches_nothing(tmp_path, monkeypatch) -> None:
    """As the end of a text may be: all its words are rare."""
    monkeypatch.setattr(corpus_module, "CHUNK", 6)
    source = tmp_path / "text"
    source.write_text("a b c a b c\nx y z\n")
    config = replace(SMALL, min_count=2, epochs=1, sample=0.0)
    corpus = read_corpus(source, tmp_path / "corpus")
    assert len(corpus.ends) == 2
    steps = TextTraining(corpus, vocabulary_of(corpus, 2), config)
    before = steps.model.centre.clone()
    assert steps.step(1) is None
    assert torch.equal(steps.model.centre, before)
    assert train_on_text(config, source).results["words"] == 9


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.integers(1, 3),
    st.sampled_from([0.5, 0.025]),
    st.sampled_from([0.25, 1e-4]),
)
def test_the_rate_falls_linearly_with_the_words_read(sizes, epochs, first, last) -> None:
    """:math:`\\eta_0 (1 - \\text{words read} / \\text{all words of all epochs})`, and never below the lowest."""
    steps = object.__new__(TextTraining)  # the rate needs no model
    ends = [sum(sizes[: k + 1]) for k in range(len(sizes))]
    steps.corpus = Corpus(Path("x"), ("x", 1, 1), ["a"], [1], ends)
    steps.config = TextConfig(epochs=epochs, learning_rate=first, last_learning_rate=last)
    read = 0
    for step, size in enumerate(epochs * sizes):
        expected = max(last, first * (1 - read / (epochs * sum(sizes))))
        assert steps.rate_at(step) == pytest.approx(expected, rel=1e-12), f"step {step}"
        read += size


def test_the_rate_is_that_of_the_step(steps, monkeypatch) -> None:
    given_rates = []
    monkeypatch.setattr(steps.engine, "learn", lambda text, rate, generator: given_rates.append(rate) or 0.0)
    for step in (0, 5):
        steps.step(step)
    assert given_rates == [0.05, steps.rate_at(5)]
    assert given_rates[1] < 0.05


@pytest.mark.parametrize("name", TextConfig.__dataclass_fields__)
def test_values_out_of_range_are_named(tmp_path, name: str) -> None:
    """Before anything is read or written."""
    value = type(getattr(TextConfig(), name))(-1)
    with pytest.raises(ValueError, match=f"^{name} must be .*, got {re.escape(str(value))}$"):
        train_on_text(replace(SMALL, **{name: value}), tmp_path / "gone")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"window": 51}, "window must be less than or equal to 50, got 51"),
        ({"learning_rate": 0.0}, "learning_rate must be greater than 0, got 0.0"),
        ({"sample": math.nan}, "sample must be a finite number, got nan"),
        ({"learning_rate": 1e-5}, "last_learning_rate must be at most learning_rate, 1e-05, got 0.0001"),
    ],
)
def test_the_limits_of_a_text_configuration(values: dict, message: str) -> None:
    check_config(TextConfig(sample=0.0, power=0.0, seed=0))
    with pytest.raises(ValueError, match=f"^{message}$"):
        check_config(replace(TextConfig(), **values))


@pytest.mark.parametrize(
    ("chunk", "epochs", "name"),
    [
        (500, 4, "loss must be finite, got nan in step 1"),
        (10**6, 1, "model.centre must be finite, got nan after 1 steps"),
    ],
)
def test_a_training_that_diverges_is_named(source, monkeypatch, chunk: int, epochs: int, name: str) -> None:
    """Also in its only step, whose loss is that of the first weights. The bound keeps rates up to 1e38 finite."""
    monkeypatch.setattr(corpus_module, "CHUNK", chunk)
    with pytest.raises(ValueError, match=rf"^{name}: .* begin anew with a lower learning rate and .*{RUNS}/run"):
        train_on_text(replace(SMALL, learning_rate=1e39, sample=0.0, epochs=epochs), source)
    assert not (RUNS / "run").exists()
    saved = torch.load(RUNS / "run.unfinished" / "last.pt")["modules"]["model"]
    assert all(tensor.isfinite().all() for tensor in saved.values())


@pytest.mark.parametrize(("sample", "refused"), [(0.0, False), (1.0, False), (1e-9, True)])
def test_a_threshold_that_leaves_no_pair_is_refused(tmp_path, sample: float, refused: bool) -> None:
    """Before the first step. The text alone has pairs; with a threshold of 1 they are all kept."""
    source, config = tmp_path / "text", replace(SMALL, sample=sample, epochs=1)
    source.write_text("a b\nb a\n")
    if refused:
        with pytest.raises(
            ValueError, match=rf"^sample must leave a pair of words in {source}, got 1e-09: take a larger"
        ):
            train_on_text(config, source)
        assert not (RUNS / "run.unfinished").exists()
    else:
        assert "loss" in train_on_text(config, source).folder.joinpath("metrics.jsonl").read_text()


def test_too_few_words_are_refused(tmp_path) -> None:
    (tmp_path / "text").write_text("a a b c c\n")
    with pytest.raises(ValueError, match="min_count must leave two words or more, got 5, which leaves 0 of 3"):
        train_on_text(TextConfig(), tmp_path / "text")
    assert vocabulary_of(read_corpus(tmp_path / "text", tmp_path / "run.corpus"), 2).words == ("a", "c")
