"""The fast forms equal ``Captioner``: values and gradients

a training step            FastCaptioner.forward, Unrolled    test_training_step, test_gradients
greedy and beam search     FastDecoder                        test_decoding
tanh(x + y)                exponential                        test_large_numbers
"""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from show_attend_tell.decode import greedy
from show_attend_tell.extensions import fast as module
from show_attend_tell.extensions.beam_search import beam_search
from show_attend_tell.extensions.fast import FastDecoder, exponential, faster
from show_attend_tell.extensions.hard_attention import HardCaptioner
from tests.show_attend_tell.test_decode import check_hypotheses
from tests.show_attend_tell.tiny import random_annotations, random_captioner
from tests.strategies import unequal_sizes
from tests.teach import check_close

SIZES = {"sizes": unequal_sizes(4, 1, 6), "seed": st.integers(0, 10_000)}


def check_equals_model(candidate: Callable, annotations: Tensor, captions: Tensor, seed: int) -> None:
    """Logits, attention, and the gradients to all weights and to the annotations, for random cotangents."""
    model = random_captioner(9, annotations.shape[-1], seed)
    results = []
    for function in (candidate(model), model):
        leaf = annotations.clone().requires_grad_()
        values = function(leaf, captions)
        generator = torch.Generator().manual_seed(1)
        total = sum((v * torch.randn(v.shape, generator=generator, dtype=v.dtype)).sum() for v in values)
        results.append([*values, *torch.autograd.grad(total, [leaf, *model.parameters()])])
    names = ["the logits", "the attention", "the gradient to the annotations"]
    names += [f"the gradient to {name}" for name, _ in model.named_parameters()]
    for name, got, expected in zip(names, *results, strict=True):
        check_close(name, got, expected)


@given(**SIZES, several=st.sampled_from([None, 1, 3]))
@settings(max_examples=20)
def test_training_step(sizes, seed: int, several: int | None) -> None:
    n, places, annotation, t = sizes
    shape = (n, t + 1) if several is None else (n, several, t + 1)
    captions = torch.randint(0, 9, shape, generator=torch.Generator().manual_seed(seed))
    check_equals_model(faster, random_annotations(n, places, annotation, seed), captions, seed)


def test_gradients() -> None:
    """``gradcheck`` with finite differences: no other code of ours is asked."""
    shapes = ((2, 2, 3, 8), (2, 4, 3), (2, 4, 2), (2, 2, 2), (2, 2, 2), (11, 2), (1,), (8, 3), (2,))
    generator = torch.Generator().manual_seed(0)
    inputs = [torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_() for shape in shapes]
    assert torch.autograd.gradcheck(module.Unrolled.apply, inputs)


@given(**SIZES)
@settings(max_examples=20)
def test_decoding(sizes, seed: int) -> None:
    n, places, annotation, width = sizes
    model, images = random_captioner(9, annotation, seed), random_annotations(n, places, annotation, seed)
    fast = FastDecoder(model)
    check_hypotheses("greedy", greedy(fast, images, 5), greedy(model, images, 5))
    found, expected = (beam_search(one, images, width, 5, 0.7) for one in (fast, model))
    for i in range(n):
        check_hypotheses(f"beam search, image {i}", found[i], expected[i])


def test_a_few_images_at_a_time(monkeypatch) -> None:
    model, images = random_captioner(9, 3, 0), random_annotations(7, 4, 3, 0)
    expected = beam_search(model, images, 3, 5)
    monkeypatch.setattr(module, "CHUNK", 2 * 3 * 4 * 4)  # two images
    for i, found in enumerate(beam_search(FastDecoder(model), images, 3, 5)):
        check_hypotheses(f"image {i}", found, expected[i])


def test_large_numbers() -> None:
    """tanh is ±1 far away, and nothing overflows, in float32."""
    x = torch.tensor([-1e4, -30, -1, 0, 1, 30, 1e4])
    for y in (-1.5, 0.0, 2.0):
        got = 1 - 2 / (1 + exponential(x) * exponential(torch.tensor(y)))
        check_close(f"tanh(x + {y})", got, (x + y).tanh(), 1e-6, 1e-6)
    assert (exponential(torch.tensor(1e9)) * exponential(torch.tensor(1e9))).isfinite()


def test_both_forms_share_the_weights() -> None:
    model = random_captioner(9, 3, 0)
    fast = faster(model)
    with torch.no_grad():
        model.output.bias += 1
    assert fast.state_dict().keys() == model.state_dict().keys()
    assert all(a is b for a, b in zip(fast.parameters(), model.parameters(), strict=True))
    assert not fast.eval().training
    assert not model.training


def test_wrong_models() -> None:
    hard = HardCaptioner(9, 3, embedding=3, hidden=5, attention=4)
    for model in (random_captioner(9, 3, 0, attention=None), hard):
        with pytest.raises(ValueError, match="must be a Captioner with soft attention"):
            faster(model)
    with pytest.raises(ValueError, match="evaluation mode"):
        FastDecoder(random_captioner(9, 3, 0).train())
