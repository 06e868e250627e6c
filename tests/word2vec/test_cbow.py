"""CBOW: bags are what stands in the windows, the loss is equation 4 with a mean in the place of the centre."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.word2vec.misconceptions import cbow as wrong
from word2vec.data import ToyText, toy_vocabulary
from word2vec.extensions import cbow as module
from word2vec.extensions.cbow import bags, cbow_loss, cbow_loss_spec, mean_vectors
from word2vec.extensions.huffman import huffman_tree
from word2vec.extensions.objectives import OBJECTIVES, objective_of
from word2vec.model import SkipGram
from word2vec.pairs import Text
from word2vec.train import Config, build_optimizer, train

WORDS, DIM = 9, 5


def some_text(lengths: tuple[int, ...], seed: int, window: int = 3) -> Text:
    generator = torch.Generator().manual_seed(seed)
    n = sum(lengths)
    sentence = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths, dtype=torch.int64))
    numbers = torch.randint(WORDS, (n,), generator=generator)
    return Text(numbers, sentence, torch.randint(1, window + 1, (n,), generator=generator))


def some_model() -> SkipGram:
    torch.manual_seed(0)
    model = SkipGram(WORDS, DIM).double()
    with torch.no_grad():
        for table in model.parameters():
            table.normal_()
    return model


def bags_spec(text: Text) -> list[tuple[int, list[int]]]:
    """Each word that has neighbours, with them in the order of the text."""
    found = []
    numbers, sentence = text.numbers.tolist(), text.sentence.tolist()
    for t, c in enumerate(text.windows.tolist()):
        near = [numbers[o] for o in range(len(numbers)) if 0 < abs(o - t) <= c and sentence[o] == sentence[t]]
        if near:
            found.append((numbers[t], near))
    return found


def check_bags(function, text: Text) -> None:
    centres, bag, inside = function(text)
    found = [
        (word, [other for other, yes in zip(row, there, strict=True) if yes])
        for word, row, there in zip(centres.tolist(), bag.tolist(), inside.tolist(), strict=True)
    ]
    assert found == bags_spec(text)


def check_mean(function) -> None:
    """The mean itself, and what it passes on: of n neighbours each moves by 1/n of the gradient."""
    model = some_model()
    bag = torch.tensor([[1, 2, 2, 4], [3, 0, 0, 0], [5, 1, 8, 0]])
    inside = torch.tensor([[True, True, True, True], [True, False, False, False], [True, True, True, False]])
    found = function(model, bag, inside)
    expected = torch.stack([
        model.centre[row[there]].sum(0) / int(there.sum()) for row, there in zip(bag, inside, strict=True)
    ])  # fmt: skip
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-10)
    direction = torch.randn(found.shape, dtype=found.dtype, generator=torch.Generator().manual_seed(0))
    slopes = [torch.autograd.grad((h * direction).sum(), model.centre, allow_unused=True)[0] for h in (found, expected)]
    assert slopes[0] is not None, "no gradient reaches W"
    torch.testing.assert_close(*slopes, rtol=1e-10, atol=1e-10)


@given(st.lists(st.integers(1, 9), max_size=5), st.integers(1, 6), st.integers(0, 99))
def test_bags_are_what_the_windows_hold(lengths: list[int], window: int, seed: int) -> None:
    check_bags(bags, some_text(tuple(lengths), seed, window))


def test_the_mean_and_its_gradient() -> None:
    check_mean(mean_vectors)


@pytest.mark.parametrize("mistake", wrong.MEANS)
def test_misconceptions_of_the_mean_are_caught(mistake) -> None:
    with pytest.raises(AssertionError):
        check_mean(mistake)


@pytest.mark.parametrize("mistake", wrong.BAGS)
def test_misconceptions_of_the_bag_are_caught(mistake) -> None:
    with pytest.raises(AssertionError):
        check_bags(mistake, some_text((6, 1, 4, 8), 1))


@pytest.mark.parametrize("seed", range(5))
def test_cbow_equals_the_spec(seed: int) -> None:
    model, text = some_model(), some_text((7, 1, 3, 12), seed)
    centres, bag, inside = bags(text)
    noise = torch.randint(WORDS, (len(centres), 4), generator=torch.Generator().manual_seed(seed))
    loss = cbow_loss(model, centres, bag, inside, noise)
    spec = cbow_loss_spec(model, centres.tolist(), bag.tolist(), inside.tolist(), noise.tolist())
    torch.testing.assert_close(loss, spec, rtol=1e-10, atol=1e-10)
    for ours, theirs in zip(*(torch.autograd.grad(h, list(model.parameters())) for h in (loss, spec)), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_the_first_loss() -> None:
    torch.manual_seed(0)
    model, text = SkipGram(WORDS, DIM), some_text((7, 3), 0)
    centres, bag, inside = bags(text)
    loss = module.cbow_loss(model, centres, bag, inside, torch.zeros(len(centres), 5, dtype=torch.int64))
    assert loss.item() == pytest.approx(6 * math.log(2), rel=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_goes_down_from_what_it_costs_to_know_nothing(name: str) -> None:
    """Its first loss is known, and forty steps of training take 15% off."""
    config = Config(objective=name, sentences=64, dim=16)
    objective, vocabulary, losses = objective_of(name), toy_vocabulary(0), []
    torch.manual_seed(0)
    model = objective.build(vocabulary, config.dim)
    text = ToyText(vocabulary, 0, config.sentences, config.window, config.sample, config.power)
    train(
        model,
        build_optimizer(model, config),
        lambda step: objective.batch_at(text, config, step),
        range(40),
        lambda step, loss: losses.append(loss),
        lambda step: 0.05,
        objective.loss,
    )
    known = {"softmax": math.log(len(vocabulary)), "negative-sampling": 6 * math.log(2), "cbow": 6 * math.log(2)}
    if name == "hierarchical":
        _, contexts = objective.batch_at(text, config, 0)
        known[name] = math.log(2) * huffman_tree(vocabulary.counts).lengths[contexts].double().mean().item()
    assert losses[0] == pytest.approx(known[name], rel=1e-6)
    assert losses[-1] < 0.85 * losses[0]


def test_an_unknown_objective_is_named() -> None:
    with pytest.raises(ValueError, match=r"^objective must be one of negative-sampling, softmax, .*, got 'glove'$"):
        objective_of("glove")
