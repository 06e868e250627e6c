"""Equation → function → test

logits = W_a z + b_a, z = tanh ⊙ tanh   VQA     test_equals_each_question_alone
sum, concat: logits = f(q) + g(v)       VQA     test_sum_and_concat_have_no_interaction, test_exclusive_or
dL/dq = dL/dz ⊙ v                       fuse    test_gradient_of_the_product
the loss of guessing, ln(answers)       build   test_first_loss_is_near_that_of_guessing

The two streams are judged in ``test_streams.py``.
"""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

from tests.strategies import unequal_sizes, whole_tensors
from tests.vqa.misconceptions import model as misconceptions
from vqa.model import FUSIONS, STREAMS, VQA, fuse
from vqa.train import CONFIGS, build

EXACT = {"rtol": 1e-10, "atol": 1e-11}
WORDS, ANSWERS, SIDE = 10, 6, 32  # the padding is among the words; pixels
SEEDS = st.integers(0, 10_000)


def small(seed: int = 0, answers: int = ANSWERS, **changes) -> VQA:
    """A model in float64 whose sizes differ from each other, without dropout unless it is asked for."""
    torch.manual_seed(seed)
    config = replace(CONFIGS["toy"], **({"embedding": 5, "hidden": 4, "common": 7, "dropout": 0.0} | changes))
    return build(config, WORDS, answers).double().eval()


def some_images(m: int, seed: int = 0, height: int = SIDE, width: int = SIDE) -> torch.Tensor:
    """Patchworks of 4×4 colours."""
    patches = torch.rand(m, 3, 4, 4, generator=torch.Generator().manual_seed(seed)).double()
    return nn.functional.interpolate(patches, (height, width))


def some_questions(n: int, seed: int = 0) -> torch.Tensor:
    """Questions of one to six words, each filled up with 0."""
    generator = torch.Generator().manual_seed(seed)
    words = torch.randint(1, WORDS, (n, 6), generator=generator)
    lengths = torch.randint(1, 7, (n, 1), generator=generator)
    return words * (torch.arange(6) < lengths)


def check_each_question_alone(candidate, m: int, k: int, fusion: str, seed: int) -> None:
    """``candidate(model, images, questions)``: k questions about each of m pictures, against one at a time by hand."""
    model, images, questions = small(seed, fusion=fusion), some_images(m, seed), some_questions(m * k, seed)
    nn.init.normal_(model.classify.bias)
    for row, got in enumerate(candidate(model, images, questions)):
        q = model.question_stream(questions[row : row + 1])[0]
        v = model.image_stream(images[row // k : row // k + 1])[0]  # questions 0 … k − 1 are about the first picture
        q = torch.tanh(model.from_question.weight @ q + model.from_question.bias)
        v = torch.tanh(model.from_image.weight @ v + model.from_image.bias)
        z = {"product": q * v, "sum": q + v, "concat": torch.cat([q, v])}[fusion]
        expected = model.classify.weight @ z + model.classify.bias
        assert_close(got, expected, **EXACT, msg=lambda text, row=row: f"question {row}, picture {row // k}: {text}")


def ask(model: VQA, images: torch.Tensor, questions: torch.Tensor) -> torch.Tensor:
    return model(images, questions)


@pytest.mark.parametrize("fusion", FUSIONS)
@given(sizes=unequal_sizes(2, low=1, high=4), seed=SEEDS)
@settings(max_examples=8)
def test_equals_each_question_alone(fusion: str, sizes, seed: int) -> None:
    check_each_question_alone(ask, *sizes, fusion, seed)


def interaction(candidate, fusion: str, seed: int) -> float:
    """The largest of |logits(a, x) − logits(a, y) − logits(b, x) + logits(b, y)| for random a, b, x, y."""
    model, questions = small(seed, fusion=fusion), some_questions(2, seed).repeat(2, 1)  # a, b, a, b
    with torch.no_grad():
        ax, bx, ay, by = candidate(model, some_images(2, seed), questions)  # x, x, y, y
    return (ax - ay - bx + by).abs().max().item()


def check_no_interaction(candidate, fusion: str, seed: int) -> None:
    assert interaction(candidate, fusion, seed) < 1e-10


@pytest.mark.parametrize("fusion", ["sum", "concat"])
@given(seed=SEEDS)
@settings(max_examples=10)
def test_sum_and_concat_have_no_interaction(fusion: str, seed: int) -> None:
    check_no_interaction(ask, fusion, seed)


def test_product_has_an_interaction() -> None:
    sizes = sorted(interaction(ask, "product", seed) for seed in range(9))
    assert sizes[4] > 1e-3, sizes  # against 1e-10 above


@pytest.mark.parametrize("fusion", FUSIONS)
def test_exclusive_or(fusion: str) -> None:
    r"""Two questions, two pictures, and the answer is yes where exactly one of them is the second.

    Without an interaction the margins :math:`s_{qv}` by which the right answers lead satisfy :math:`\sum s = 0`. So not
    all four can be right, and by Jensen the mean of softplus(−s) is at least softplus(0) = ln 2, whatever the weights.
    """
    model, images = small(answers=2, fusion=fusion, hidden=16, common=64), some_images(2)
    questions = torch.tensor([[1, 2], [3, 0]] * 2)
    answers, losses, right = torch.tensor([0, 1, 1, 0]), [], 0
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    for _ in range(80):
        logits = model(images, questions)
        loss = cross_entropy(logits, answers)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        right = (logits.argmax(dim=-1) == answers).sum().item()
    if fusion == "product":
        assert losses[-1] < 0.05, losses[-1]
        assert right == 4
    else:
        assert min(losses) >= math.log(2) - 1e-12
        assert right <= 3


@given(sizes=unequal_sizes(3), data=st.data())
def test_gradient_of_the_product(sizes, data) -> None:
    """dL/dq = dL/dz ⊙ v; dL/dv is the sum of dL/dz ⊙ q over the questions about that picture."""
    m, k, d = sizes
    q, v, cotangent = (data.draw(whole_tensors(*shape)) for shape in ((m * k, d), (m, d), (m * k, d)))
    q.requires_grad_(), v.requires_grad_()
    z = fuse(q, v.repeat_interleave(k, dim=0), "product")
    to_q, to_v = torch.autograd.grad(z, (q, v), cotangent)
    for row in range(m * k):
        assert_close(to_q[row], cotangent[row] * v[row // k], **EXACT)
    for picture in range(m):
        expected = sum(cotangent[row] * q[row] for row in range(picture * k, (picture + 1) * k))
        assert_close(to_v[picture], expected, **EXACT)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_one_stream_alone(fusion: str) -> None:
    questions, images = some_questions(6), some_images(2).requires_grad_()
    model = small(fusion=fusion, streams="question")
    logits = model(images, questions)
    assert torch.allclose(logits, model(images.flip(0), questions), **EXACT), "depends on the picture"
    assert torch.autograd.grad(logits.sum(), images, allow_unused=True) == (None,)
    assert logits.std(dim=0).max() > 1e-6, "does not depend on the question"
    model = small(fusion=fusion, streams="image")
    logits = model(images, questions)
    assert torch.allclose(logits, model(images, questions.flip(0)), **EXACT), "depends on the question"
    assert_close(logits, logits[[0, 0, 0, 5, 5, 5]], **EXACT)
    assert (logits[0] - logits[5]).abs().max() > 1e-6, "does not depend on the picture"


@given(sizes=unequal_sizes(3, low=2, high=40))
@settings(max_examples=20)
def test_fusions_have_the_same_number_of_parameters(sizes) -> None:
    hidden, common, answers = sizes
    count = {
        fusion: sum(p.numel() for p in small(fusion=fusion, hidden=hidden, common=common, answers=answers).parameters())
        for fusion in FUSIONS
    }
    assert count["sum"] == count["product"]
    model = small(hidden=hidden)
    unit = model.question_stream.features + 1 + model.image_stream.features + 1 + 2 * answers  # of a concatenation
    assert abs(count["concat"] - count["product"]) <= unit


@pytest.mark.parametrize("changes", [{"fusion": "add"}, {"streams": "none"}])
def test_wrong_choice_is_named(changes) -> None:
    ((name, wrong),) = changes.items()
    allowed = FUSIONS if name == "fusion" else STREAMS
    with pytest.raises(ValueError, match=f"{name} must be one of {', '.join(allowed)}, got '{wrong}'"):
        small(**changes)


def test_dropout_acts_in_training_only_and_comes_from_the_seed() -> None:
    model, images, questions = small(dropout=0.5, common=50), some_images(2), some_questions(6)
    assert torch.equal(model(images, questions), small(common=50)(images, questions))  # the same weights, no dropout
    model.train()
    torch.manual_seed(5)
    first, second = model(images, questions), model(images, questions)
    torch.manual_seed(5)
    assert torch.equal(first, model(images, questions))
    assert not torch.allclose(first, second)


@pytest.mark.parametrize("seed", range(3))
def test_first_loss_is_near_that_of_guessing(seed: int) -> None:
    """ln(answers), and little more: entries of z are within ±1 (tanh), and ``nn.Linear`` begins with weights of
    variance 1/(3·common), so a logit's variance s² is at most 1/3, and ln Σ exp adds about s²/2: at most 1/6."""
    torch.manual_seed(seed)
    answers = 27
    model, questions = build(CONFIGS["toy"], WORDS, answers), some_questions(24, seed)
    with torch.no_grad():
        logits = model(some_images(4, seed, 64, 64).float(), questions)
    loss = torch.stack([cross_entropy(logits, torch.full((24,), k)) for k in range(answers)]).mean().item()
    assert loss < math.log(answers) + 1 / 6  # (the mean over all answers is never below ln, by Jensen)


@pytest.mark.parametrize("wrong", misconceptions.ANSWERS, ids=lambda function: function.__name__)
def test_wrong_answer_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_each_question_alone(wrong, 2, 3, "product", seed=0)


@pytest.mark.parametrize("wrong", misconceptions.INTERACTIONS, ids=lambda function: function.__name__)
def test_wrong_sum_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_no_interaction(wrong, "sum", seed=0)
