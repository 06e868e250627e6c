"""CBOW (Mikolov et al. 2013a, section 3.1): a bag is a window; the loss is equation 4 with the mean of a bag."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.teach import check_close
from tests.word2vec.misconceptions import cbow as wrong
from word2vec.extensions.cbow import bags, cbow_loss, cbow_loss_spec, mean_vectors
from word2vec.model import SkipGram
from word2vec.pairs import Text

WORDS, DIM = 9, 5


def some_text(lengths: tuple[int, ...], seed: int, window: int = 3) -> Text:
    generator = torch.Generator().manual_seed(seed)
    n = sum(lengths)
    sentence = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths, dtype=torch.int64))
    ids = torch.randint(WORDS, (n,), generator=generator)
    return Text(ids, sentence, torch.randint(1, window + 1, (n,), generator=generator))


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
    ids, sentence = text.ids.tolist(), text.sentence.tolist()
    for t, c in enumerate(text.windows.tolist()):
        near = [ids[o] for o in range(len(ids)) if 0 < abs(o - t) <= c and sentence[o] == sentence[t]]
        if near:
            found.append((ids[t], near))
    return found


def check_bags(function, text: Text) -> None:
    centres, neighbours, mask = function(text)
    found = [
        (word, [other for other, yes in zip(row, there, strict=True) if yes])
        for word, row, there in zip(centres.tolist(), neighbours.tolist(), mask.tolist(), strict=True)
    ]
    assert found == bags_spec(text)


def check_mean(function) -> None:
    """The mean itself, and what it passes on: of n neighbours each moves by 1/n of the gradient."""
    model = some_model()
    neighbours = torch.tensor([[1, 2, 2, 4], [3, 0, 0, 0], [5, 1, 8, 0]])
    mask = torch.tensor([[True, True, True, True], [True, False, False, False], [True, True, True, False]])
    found = function(model, neighbours, mask)
    expected = torch.stack([
        model.centre[row[there]].sum(0) / int(there.sum()) for row, there in zip(neighbours, mask, strict=True)
    ])  # fmt: skip
    check_close("h = 1/n Σ v_w, the mean of the neighbours", found, expected)
    direction = torch.randn(found.shape, dtype=found.dtype, generator=torch.Generator().manual_seed(0))
    slopes = [torch.autograd.grad((h * direction).sum(), model.centre, allow_unused=True)[0] for h in (found, expected)]
    assert slopes[0] is not None, "no gradient reaches W"
    check_close("the gradient of the mean", *slopes)


def check_mean_by_hand(function) -> None:
    """v_0 = (2, 0), v_1 = (0, 4), v_2 = (6, 2). Words 0 and 1 have the mean (1, 2), 2 alone (6, 2)."""
    model = SkipGram(3, 2).double()
    with torch.no_grad():
        model.centre.copy_(torch.tensor([[2.0, 0], [0, 4], [6, 2]]))
    neighbours, mask = torch.tensor([[0, 1], [2, 0]]), torch.tensor([[True, True], [True, False]])
    what = "2013a, section 3.1, the mean of the neighbours"
    check_close(what, function(model, neighbours, mask), torch.tensor([[1.0, 2], [6, 2]]))


def test_the_mean_by_hand() -> None:
    check_mean_by_hand(mean_vectors)


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
    centres, neighbours, mask = bags(text)
    noise = torch.randint(WORDS, (len(centres), 4), generator=torch.Generator().manual_seed(seed))
    loss = cbow_loss(model, centres, neighbours, mask, noise)
    spec = cbow_loss_spec(model, centres.tolist(), neighbours.tolist(), mask.tolist(), noise.tolist())
    check_close("the loss of CBOW in loops", loss, spec)
    for ours, theirs in zip(*(torch.autograd.grad(h, list(model.parameters())) for h in (loss, spec)), strict=True):
        check_close("the gradient of the loss of CBOW", ours, theirs)


def test_the_first_loss() -> None:
    torch.manual_seed(0)
    model, text = SkipGram(WORDS, DIM), some_text((7, 3), 0)
    centres, neighbours, mask = bags(text)
    loss = cbow_loss(model, centres, neighbours, mask, torch.zeros(len(centres), 5, dtype=torch.int64))
    assert loss.item() == pytest.approx(6 * math.log(2), rel=1e-6)
