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

from lab import How
from toyworld.language import sentence_at
from word2vec.datasets import corpus as corpus_module
from word2vec.datasets.corpus import Corpus, read_corpus
from word2vec.evaluate import ALL, KNOWN, baselines, judge_analogies, toy_analogies
from word2vec.extensions import text as module
from word2vec.extensions.text import TextConfig, TextTraining, check_config, train_on_text, vocabulary_of

HOW = How("python -m word2vec")
SMALL = TextConfig(dim=8, window=2, negatives=3, min_count=1, epochs=2)


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    """Sentences of the toy language, in nine chunks of some 500 words."""
    path = tmp_path_factory.mktemp("source") / "text"
    path.write_text("".join(" ".join(sentence_at("train", 0, index)) + "\n" for index in range(600)))
    return path


@pytest.fixture(autouse=True)
def short_chunks(monkeypatch) -> None:
    monkeypatch.setattr(corpus_module, "CHUNK", 500)


@pytest.fixture
def training(source, tmp_path) -> TextTraining:
    corpus = read_corpus(source, tmp_path / "corpus")
    torch.manual_seed(0)
    return TextTraining(corpus, vocabulary_of(corpus, 1), SMALL)


def weights(folder: Path) -> bytes:
    return (folder / "best.safetensors").read_bytes()


def test_vectors_of_a_text_answer_its_analogies(tmp_path, monkeypatch) -> None:
    """The toy language, read as any text is; far above the word nearest to c, and above a word of the right form."""
    monkeypatch.setattr(corpus_module, "CHUNK", 8192)
    source = tmp_path / "text"
    source.write_text("".join(" ".join(sentence_at("train", 0, index)) + "\n" for index in range(10_000)))
    config = TextConfig(dim=32, sample=1e-2, epochs=10)
    trained = train_on_text(config, source, tmp_path / "run", HOW)
    words, vectors = trained.vocabulary.words, trained.model.centre.detach()
    questions = toy_analogies(KNOWN)
    reached = judge_analogies(vectors, words, questions)[ALL].accuracy
    cheap = baselines(vectors, words, questions)
    level = max(cheap[name][ALL] for name in ("chance", "word-form", "nearest"))
    assert reached > 0.5 > 2 * level, f"reached {reached:.2%}, without learning {level:.2%}"
    losses = [json.loads(line)["loss"] for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert losses[0] == pytest.approx(6 * math.log(2), rel=1e-6), "all scores are 0 at first: (1 + k) ln 2"
    assert losses[-1] < 0.75 * losses[0]
    assert torch.isfinite(trained.model.context).all()


def test_what_a_training_leaves_behind(source, tmp_path) -> None:
    trained = train_on_text(SMALL, source, tmp_path / "runs/text", HOW)
    counts = Counter(source.read_text().split())
    assert trained.words == 2 * counts.total()
    assert dict(zip(trained.vocabulary.words, trained.vocabulary.counts, strict=True)) == counts
    assert list(trained.vocabulary.counts) == sorted(counts.values(), reverse=True)
    assert trained.model.centre.shape == (len(counts), 8)
    results = json.loads((trained.folder / "results.json").read_text())
    assert (results["paper"], results["what"], results["text"]) == ("word2vec", "text", "text")
    assert (results["words"], results["vocabulary"]) == (2 * counts.total(), len(counts))
    assert results["config"] == json.loads(json.dumps(vars(SMALL)))
    rows = [json.loads(line) for line in (trained.folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == list(range(len(rows)))
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {"text", "text.corpus", ".text.lock"}


def test_the_same_seed_gives_the_same_bits_and_another_others(source, tmp_path) -> None:
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        train_on_text(replace(SMALL, seed=seed), source, tmp_path / name, HOW)
    assert weights(tmp_path / "one") == weights(tmp_path / "two")
    assert weights(tmp_path / "one") != weights(tmp_path / "three")


@pytest.mark.parametrize("at", [0, 4, 9, 13])  # in the first epoch, in the second
def test_a_stopped_training_goes_on_bit_for_bit(source, tmp_path, monkeypatch, capsys, at: int) -> None:
    train_on_text(SMALL, source, tmp_path / "whole", HOW)
    taken, original = [], TextTraining.step

    def stops(self: TextTraining, step: int) -> float:
        taken.append(step)
        if len(taken) == at + 1:
            signal.raise_signal(signal.SIGINT)
        return original(self, step)

    monkeypatch.setattr(TextTraining, "step", stops)
    with pytest.raises(SystemExit) as stopped:
        train_on_text(SMALL, source, tmp_path / "run", HOW)
    assert stopped.value.code == 130
    n = len(json.loads((tmp_path / "run.corpus/corpus.json").read_text())["ends"])
    message = f"stopped after {at + 1} of {2 * n} steps: go on with python -m word2vec --resume"
    assert message in capsys.readouterr().err
    with pytest.raises(ValueError, match="holds an unfinished run: go on with python -m word2vec --resume"):
        train_on_text(SMALL, source, tmp_path / "run", HOW)
    trained = train_on_text(SMALL, source, tmp_path / "run", replace(HOW, resume=True))
    assert taken == list(range(2 * n))
    assert weights(tmp_path / "run") == weights(tmp_path / "whole")
    assert trained.words == 2 * len(source.read_text().split()), "those of both sessions"
    for file in ("metrics.jsonl", "vocabulary.json"):
        assert (tmp_path / "run" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), file


def test_another_text_or_configuration_is_not_gone_on_with(source, tmp_path, monkeypatch) -> None:
    copy = tmp_path / "text"
    copy.write_bytes(source.read_bytes())
    with monkeypatch.context() as patch:
        patch.setattr(TextTraining, "step", lambda self, step: 1 / 0 if step == 2 else 0.0)
        with pytest.raises(ZeroDivisionError):
            train_on_text(SMALL, copy, tmp_path / "run", HOW)
    with pytest.raises(ValueError, match="cannot be resumed with another configuration: dim was 8 and is 9 now"):
        train_on_text(replace(SMALL, dim=9), copy, tmp_path / "run", replace(HOW, resume=True))
    with copy.open("a") as file:
        file.write("one more line\n")
    with pytest.raises(ValueError, match="cannot be resumed with another configuration: text was "):
        train_on_text(SMALL, copy, tmp_path / "run", replace(HOW, resume=True))
    train_on_text(SMALL, copy, tmp_path / "run", replace(HOW, restart=True))


def test_a_step_is_a_pure_function_of_its_number(training, source) -> None:
    """Weights before and a number give weights after, whatever was drawn or learned before; each number its own."""
    before = {name: weight.clone() for name, weight in training.model.state_dict().items()}

    def after(step: int) -> tuple[float, bytes]:
        training.model.load_state_dict(before)
        loss = training.step(step)
        return loss, b"".join(weight.numpy().tobytes() for weight in training.model.state_dict().values())

    first = after(3)
    torch.manual_seed(99)
    after(4)
    after(training.steps - 1)
    assert after(3) == first


def test_an_epoch_draws_words_and_windows_anew(training, monkeypatch) -> None:
    """The same step draws the same, the same chunk in the next epoch, or with another seed, something else."""
    drawn = []
    monkeypatch.setattr(training.engine, "learn", lambda text, rate, generator: drawn.append(text) or 0.0)
    n = len(training.corpus.ends)
    for step in (1, 1, n + 1):
        training.step(step)
    training.config = replace(SMALL, seed=1)
    training.step(1)
    first, again, next_epoch, other_seed = ((text.ids.tolist(), text.windows.tolist()) for text in drawn)
    assert first == again
    assert first != next_epoch
    assert first != other_seed


def test_a_step_reads_its_chunk(training, monkeypatch) -> None:
    """Twice through the text, chunk by chunk, in order."""
    read, original = [], Corpus.chunk
    monkeypatch.setattr(
        Corpus, "chunk", lambda self, k, vocabulary_ids: (read.append(k), original(self, k, vocabulary_ids))[1]
    )
    n = len(training.corpus.ends)
    assert n > 3
    assert training.steps == 2 * n
    for step in range(training.steps):
        training.step(step)
    assert read == [*range(n), *range(n)]


def test_a_chunk_without_frequent_words_teaches_nothing(tmp_path, monkeypatch) -> None:
    """As the end of a text may be: all its words are rare."""
    monkeypatch.setattr(corpus_module, "CHUNK", 6)
    source = tmp_path / "text"
    source.write_text("a b c a b c\nx y z\n")
    config = replace(SMALL, min_count=2, epochs=1)
    corpus = read_corpus(source, tmp_path / "corpus")
    assert len(corpus.ends) == 2
    training = TextTraining(corpus, vocabulary_of(corpus, 2), config)
    before = training.model.centre.clone()
    assert math.isnan(training.step(1))
    assert torch.equal(training.model.centre, before)
    assert train_on_text(config, source, tmp_path / "run", HOW).words == 9


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
    st.integers(1, 3),
    st.sampled_from([0.5, 0.025]),
    st.sampled_from([0.25, 1e-4]),
)
def test_the_rate_falls_linearly_with_the_words_read(sizes, epochs, first, last) -> None:
    """:math:`\\eta_0 (1 - \\text{words read} / \\text{all words of all epochs})`, and never below the lowest."""
    training = object.__new__(TextTraining)  # the rate needs no model
    ends = [sum(sizes[: k + 1]) for k in range(len(sizes))]
    training.corpus = Corpus(Path("x"), ("x", 1, 1), ["a"], [1], ends)
    training.config = TextConfig(epochs=epochs, learning_rate=first, last_learning_rate=last)
    read = 0
    for step, size in enumerate(epochs * sizes):
        expected = max(last, first * (1 - read / (epochs * sum(sizes))))
        assert training.rate_at(step) == pytest.approx(expected, rel=1e-12), f"step {step}"
        read += size


def test_the_rate_is_that_of_the_step(training, monkeypatch) -> None:
    given_rates = []
    monkeypatch.setattr(training.engine, "learn", lambda text, rate, generator: given_rates.append(rate) or 0.0)
    for step in (0, 5):
        training.step(step)
    assert given_rates == [0.05, training.rate_at(5)]
    assert given_rates[1] < 0.05


@pytest.mark.parametrize("name", TextConfig.__dataclass_fields__)
def test_values_out_of_range_are_named(tmp_path, name: str) -> None:
    """Before anything is read or written."""
    value = type(getattr(TextConfig(), name))(-1)
    with pytest.raises(ValueError, match=f"^{name} must be .*, got {re.escape(str(value))}$"):
        train_on_text(replace(SMALL, **{name: value}), tmp_path / "gone", tmp_path / "run", HOW)
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


def test_too_few_words_are_told(tmp_path) -> None:
    (tmp_path / "text").write_text("a a b c c\n")
    with pytest.raises(ValueError, match="min_count must leave two words or more, got 5, which leaves 0 of 3"):
        train_on_text(TextConfig(), tmp_path / "text", tmp_path / "run", HOW)
    assert module.vocabulary_of(read_corpus(tmp_path / "text", tmp_path / "run.corpus"), 2).words == ("a", "c")
