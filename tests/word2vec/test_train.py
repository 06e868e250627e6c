"""The loop, its rate and its batches; and that words which never met complete analogies when it is done."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from word2vec.data import ToyText, generator_at, toy_vocabulary
from word2vec.evaluate import ALL, HELD_OUT, baselines, judge_analogies, toy_analogies
from word2vec.loss import negative_sampling_loss, softmax_loss
from word2vec.model import SkipGram
from word2vec.train import CONFIGS, Config, build_optimizer, full_loss, learning_rate, sampled_loss, train

SMALL = Config(steps=300, sentences=160)


def text_of(config: Config, split: str = "train") -> ToyText:
    return ToyText(
        toy_vocabulary(config.seed), config.seed, config.sentences, config.window, config.sample, config.power, split
    )


def trained(config: Config) -> tuple[SkipGram, list[float]]:
    text, losses = text_of(config), []
    torch.manual_seed(config.seed)
    model = SkipGram(len(text.vocabulary), config.dim)
    train(
        model,
        build_optimizer(model, config),
        lambda step: text.noisy_pairs_at(step, config.negatives),
        range(config.steps),
        lambda step, loss: losses.append(loss),
        lambda step: learning_rate(config.learning_rate, config.steps, step),
    )
    return model, losses


def test_words_that_never_met_complete_analogies() -> None:
    """Beside its baselines: neither a word of the right form nor the nearest word is the answer."""
    model, losses = trained(SMALL)
    vectors, words = model.centre.detach(), toy_vocabulary(0).words
    questions = toy_analogies(HELD_OUT)
    reached = judge_analogies(vectors, words, questions)[ALL].accuracy
    others = baselines(vectors, words, questions)
    assert losses[0] == pytest.approx(6 * math.log(2), rel=1e-5)
    assert losses[-1] < 0.5 * losses[0]
    assert reached > 0.6
    assert reached > 3 * max(row[ALL] for row in others.values())


def test_the_same_seed_gives_the_same_bits() -> None:
    config = replace(SMALL, steps=5)
    tables = [trained(one)[0].centre.detach() for one in (config, config, replace(config, seed=1))]
    assert torch.equal(tables[0], tables[1])
    assert not torch.equal(tables[0], tables[2])


def test_the_loop_by_hand() -> None:
    """Two steps of plain gradient descent, taken outside the loop."""
    batches = [
        (torch.tensor([0, 1, 2]), torch.tensor([1, 1, 0]), torch.tensor([[2, 0], [1, 3], [3, 3]])) for _ in range(2)
    ]
    torch.manual_seed(0)
    model, spec = SkipGram(4, 3).double(), SkipGram(4, 3).double()
    spec.load_state_dict(model.state_dict())
    logged = []
    train(
        model,
        torch.optim.SGD(model.parameters(), lr=9.0),
        lambda step: batches[step - 5],
        range(5, 7),
        lambda step, loss: logged.append((step, loss)),
        lambda step: 0.1 * step,
    )
    for step in (5, 6):
        loss = sampled_loss(spec, *batches[step - 5])
        assert logged[step - 5] == (step, pytest.approx(loss.item(), rel=1e-12))
        slopes = torch.autograd.grad(loss, list(spec.parameters()))
        with torch.no_grad():
            for table, slope in zip(spec.parameters(), slopes, strict=True):
                table -= 0.1 * step * slope
    for ours, theirs in zip(model.parameters(), spec.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)


def test_losses_of_a_batch_are_those_of_its_scores() -> None:
    torch.manual_seed(0)
    model = SkipGram(7, 3).double()
    torch.nn.init.normal_(model.context)
    centres, contexts = torch.tensor([0, 6, 3]), torch.tensor([5, 6, 1])
    noise = torch.tensor([[1, 2, 5, 5], [6, 0, 1, 3], [2, 2, 2, 2]])
    scores = model.centre @ model.context.T
    positive, negative = scores[centres, contexts], scores[centres[:, None], noise]
    expected = negative_sampling_loss(positive, negative, 4)
    torch.testing.assert_close(sampled_loss(model, centres, contexts, noise), expected, rtol=1e-12, atol=1e-12)
    expected = softmax_loss(scores[centres], contexts)
    torch.testing.assert_close(full_loss(model, centres, contexts), expected, rtol=1e-12, atol=1e-12)


@given(st.integers(1, 1000), st.data())
def test_the_rate_falls_on_a_line_to_zero(steps: int, data) -> None:
    step = data.draw(st.integers(0, steps - 1))
    assert learning_rate(0.3, steps, 0) == 0.3
    assert learning_rate(0.3, steps, steps) == 0
    assert learning_rate(0.3, steps, step) == pytest.approx(0.3 * (steps - step) / steps)


def test_a_batch_is_a_function_of_its_seed_and_step() -> None:
    text, again, other = text_of(SMALL), text_of(SMALL), text_of(replace(SMALL, seed=1))
    first = text.noisy_pairs_at(3, 5)
    assert all(map(torch.equal, first, again.noisy_pairs_at(3, 5)))
    for batch in (text.noisy_pairs_at(4, 5), other.noisy_pairs_at(3, 5), text_of(SMALL, "test").noisy_pairs_at(3, 5)):
        assert [one.tolist() for one in first] != [one.tolist() for one in batch]
    assert all(map(torch.equal, first[:2], text.pairs_at(3)))


def test_every_seed_has_its_own_random_numbers() -> None:
    """Torch's generator takes 32 bits: seeds that differ above them only would draw the same."""
    high = torch.Generator().manual_seed(2**32)
    assert torch.equal(torch.rand(4, generator=high), torch.rand(4, generator=torch.Generator().manual_seed(0)))
    streams = [tuple(torch.rand(4, generator=generator_at(*one)).tolist()) for one in ((0, 0), (0, 1), (1, 0), (9, 7))]
    assert len(set(streams)) == 4
    assert streams[0] == tuple(torch.rand(4, generator=generator_at(0, 0)).tolist())


def test_steps_read_the_text_on_and_never_twice(monkeypatch) -> None:
    from word2vec import data

    seen = []
    monkeypatch.setattr(data, "sentence_at", lambda split, seed, index: seen.append((split, seed, index)) or ["a", "b"])
    text = ToyText(data.Vocabulary(("a", "b"), (1, 1)), 4, 3, 2, 0, 0.75)
    for step in range(3):
        text.pairs_at(step)
    assert seen == [("train", 4, index) for index in range(9)]


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [
        ("steps", 0, "at least 1"),
        ("sentences", 0, "at least 1"),
        ("dim", -3, "at least 1"),
        ("window", 0, "at least 1"),
        ("negatives", 0, "at least 1"),
        ("seed", -1, "at least 0"),
        ("sample", -0.1, "at least 0"),
        ("power", -1.0, "at least 0"),
        ("learning_rate", 0.0, "above 0"),
        ("learning_rate", math.nan, "finite"),
        ("learning_rate", math.inf, "finite"),
    ],
)
def test_numbers_out_of_range_are_named(field: str, value: float | int, allowed: str) -> None:
    with pytest.raises(ValueError, match=rf"^{field} must be {allowed}, got {value}$"):
        replace(Config(), **{field: value}).check()


def test_what_may_be_zero_and_every_configuration_pass() -> None:
    for config in (*CONFIGS.values(), Config(sample=0.0, power=0.0, seed=0)):
        config.check()
