r"""Figure 3's loss in chunks of rows: the core's value, the core's gradient, memory linear in the batch.

By hand, with the unit vectors :math:`\hat u = (1,0), (0,1)`, equal texts, and :math:`e^t = \ln 3`: S is ln 3 on the
diagonal and 0 elsewhere. Every softmax is (3/4, 1/4), so L = ln(4/3), and
:math:`\partial L/\partial S = (P_{row} + P_{col} - 2I)/4 = [[-1/8, 1/8], [1/8, -1/8]]`.
So :math:`\partial L/\partial t = \sum_{ij} \partial L/\partial S_{ij}\, S_{ij} = -\ln 3 / 4`. Image 1 gets
:math:`\ln 3\,(-1/8, 1/8)`; its part along :math:`\hat u_1` is lost in the L2 norm: :math:`(0, \ln 3 / 8)`.
"""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from clip_mini.extensions.chunked import chunked_contrastive_loss
from clip_mini.loss import contrastive_loss, pairwise_similarity
from tests.clip_mini.misconceptions import scale as misconceptions
from tests.strategies import unequal_sizes, whole_tensors

Loss = Callable[[Tensor, Tensor, Tensor, int], Tensor]
NAMES = ("∂L/∂image", "∂L/∂text", "∂L/∂t")


def core(image: Tensor, text: Tensor, log_scale: Tensor, chunk: int) -> Tensor:
    return contrastive_loss(pairwise_similarity(image, text, log_scale))


def value_and_gradients(loss: Loss, image: Tensor, text: Tensor, log_scale: Tensor, chunk: int) -> tuple[Tensor, ...]:
    inputs = [tensor.clone().requires_grad_() for tensor in (image, text, log_scale)]
    value = loss(*inputs, chunk)
    return value.detach(), *torch.autograd.grad(3 * value, inputs)  # 3: the backward pass is given a gradient


def check_close(what: str, got: Tensor, expected: Tensor, relative: float = 1e-10, absolute: float = 1e-12) -> None:
    __tracebackhide__ = True
    assert got.shape == expected.shape, f"{what}: shape {tuple(got.shape)}, expected {tuple(expected.shape)}"
    off = (got - expected).abs() - relative * expected.abs() - absolute
    off = off.where(off == off, torch.inf)  # NaN is off
    if off.max() > 0:
        index = tuple(int(i) for i in torch.unravel_index(off.argmax(), off.shape)) if off.dim() else ()
        raise AssertionError(f"{what} at {index}: got {got[index].item():.12g}, expected {expected[index].item():.12g}")


def check_as_core(loss: Loss, image: Tensor, text: Tensor, log_scale: Tensor, chunk: int, **tolerance: float) -> None:
    """Value and gradients of a loss in chunks are those of figure 3."""
    got = value_and_gradients(loss, image, text, log_scale, chunk)
    expected = value_and_gradients(core, image, text, log_scale, chunk)
    for what, one, other in zip(("L", *NAMES), got, expected, strict=True):
        check_close(f"figure 3, {what}, {len(image)} pairs in chunks of {chunk}", one, other, **tolerance)


def random_pairs(n: int, d: int, seed: int = 0, scale: float = 100.0, dtype: torch.dtype = torch.float64):
    generator = torch.Generator().manual_seed(seed)
    image, text = (torch.randn(n, d, generator=generator, dtype=torch.float64) for _ in range(2))
    return image.to(dtype), (text + image).to(dtype), torch.tensor(math.log(scale), dtype=dtype)


def exact(number: float) -> Tensor:
    return torch.tensor(number, dtype=torch.float64)


@pytest.mark.parametrize("chunk", [1, 2, 5])
def test_two_pairs_by_hand(chunk: int) -> None:
    unit, t = torch.eye(2).double(), exact(math.log(math.log(3)))
    value, of_image, of_text, of_t = value_and_gradients(chunked_contrastive_loss, unit, unit, t, chunk)
    check_close("L = ln(4/3)", value, exact(math.log(4 / 3)))
    across = 3 * math.log(3) / 8 * torch.eye(2).double().flip(0)
    check_close("3 ∂L/∂image", of_image, across)
    check_close("3 ∂L/∂text", of_text, across)
    check_close("3 ∂L/∂t = -3/4 ln 3", of_t, exact(-3 * math.log(3) / 4))


def test_of_one_pair_the_loss_is_zero() -> None:
    got = value_and_gradients(chunked_contrastive_loss, *random_pairs(1, 3), 4)
    assert [tensor.abs().max().item() for tensor in got] == [0.0] * 4


@given(sizes=unequal_sizes(2), data=st.data())
def test_the_core_s_value_and_gradient_at_any_chunk(sizes: tuple[int, int], data) -> None:
    """Also where ``chunk`` does not divide n, and where it is larger. No row is all zeros: it has no direction."""
    n, d = sizes
    image, text = (data.draw(whole_tensors(n, d).filter(lambda x: bool(x.any(dim=1).all()))) for _ in range(2))
    log_scale = torch.tensor(data.draw(st.integers(-2, 4))).double()
    check_as_core(chunked_contrastive_loss, image, text, log_scale, chunk=data.draw(st.integers(1, n + 2)))


@pytest.mark.parametrize("chunk", [1, 4, 7, 30])
def test_at_the_largest_scale(chunk: int) -> None:
    """At e^t = 100, e^S lies between 4e-44 and 3e43: a sum without a maximum would leave float32."""
    check_as_core(chunked_contrastive_loss, *random_pairs(29, 5), chunk)
    inputs = random_pairs(29, 5, dtype=torch.float32)
    check_as_core(chunked_contrastive_loss, *inputs, chunk, relative=1e-4, absolute=1e-5)  # S has errors of 1e-5


def test_float32_keeps_a_small_loss() -> None:
    """The pair's similarity is the largest by 15: L = ln(1 + 2 e^-15), about 6e-7, beside logarithms of about 100."""
    unit, t = torch.eye(3).double(), exact(math.log(15.0))
    offset = torch.full((3, 1), math.sqrt(85 / 15)).double()  # a common direction adds 85 to all similarities
    image = torch.cat([unit, offset], dim=1)
    log_scale = t + 2 * image[0].norm().log()  # e^t û·v̂ = 15 u·v = 15 · identity + 85
    expected = core(image, image, log_scale, 2)
    check_close("ln(1 + 2 e^-15)", expected, exact(math.log1p(2 * math.exp(-15))), relative=1e-6)
    got = chunked_contrastive_loss(image.float(), image.float(), log_scale.float(), 2)
    check_close("L in float32", got.double(), expected, relative=0.2)  # 1 + 6e-7 has errors of 1e-7


def test_every_image_opposite_to_every_text() -> None:
    """S = -100 everywhere: L = ln n, not infinite."""
    image, log_scale = torch.ones(6, 4), torch.tensor(math.log(100.0))
    got = chunked_contrastive_loss(image, -image, log_scale, 4)
    check_close("ln n", got, torch.tensor(math.log(6)), relative=1e-5)


@pytest.mark.parametrize("chunk", [1, 2])
def test_a_text_far_from_all_images(chunk: int) -> None:
    """S = [[100, -100], [100, -100]] in float32: the rows give 0 and 200, the columns ln 2 each. L = 50 + ln(2)/2.

    Below the largest number of S, the second column is e^-200 = 0: each column needs its own maximum.
    """
    image, text = torch.tensor([[1.0, 0.0], [1.0, 0.0]]), torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    got = chunked_contrastive_loss(image, text, torch.tensor(math.log(100.0)), chunk)
    check_close("L = 50 + ln(2)/2", got, torch.tensor(50 + math.log(2) / 2), relative=1e-5)


def test_gradcheck() -> None:
    """The closed form is the derivative, by finite differences."""
    image, text, log_scale = random_pairs(7, 3, scale=5.0)
    inputs = [tensor.requires_grad_() for tensor in (image, text, log_scale)]
    assert torch.autograd.gradcheck(lambda *tensors: chunked_contrastive_loss(*tensors, 3), inputs)


def test_other_strides_and_float32_features() -> None:
    image, text, log_scale = random_pairs(6, 4)
    check_as_core(lambda i, t, *rest: chunked_contrastive_loss(i, t.T.contiguous().T, *rest), image, text, log_scale, 4)
    got = value_and_gradients(chunked_contrastive_loss, image.float(), text.float(), log_scale.float(), 4)
    assert {tensor.dtype for tensor in got} == {torch.float32}


class Largest(TorchDispatchMode):
    """Notes how many numbers the largest new tensor has."""

    numbers = 0

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        result = function(*arguments, **(keywords or {}))
        for tensor in result if isinstance(result, (tuple, list)) else [result]:
            if isinstance(tensor, Tensor):
                self.numbers = max(self.numbers, tensor.numel())
        return result


def largest_tensor(loss: Loss, n: int, d: int, chunk: int) -> int:
    image, text, log_scale = (tensor.requires_grad_() for tensor in random_pairs(n, d))
    with Largest() as largest:
        loss(image, text, log_scale, chunk).backward()
    return largest.numbers


def test_memory_is_linear_in_the_batch() -> None:
    """No tensor, forward or backward, is larger than chunk × n or the features."""
    assert largest_tensor(chunked_contrastive_loss, 64, 8, chunk=8) == 8 * 64
    assert largest_tensor(core, 64, 8, chunk=8) == 64 * 64, "the measure can fail"


@pytest.mark.parametrize(
    ("shapes", "chunk", "message"),
    [
        (((3, 2), (4, 2)), 2, r"must both be \(n, d\), got \(3, 2\) and \(4, 2\)"),
        (((3, 2), (3, 5)), 2, r"must both be \(n, d\), got \(3, 2\) and \(3, 5\)"),
        (((3, 2), (3, 2)), 0, "chunk must be at least 1 row, got 0"),
    ],
)
def test_wrong_input_is_named(shapes, chunk: int, message: str) -> None:
    """Called without jaxtyping's own check of shapes, as outside of tests."""
    function = getattr(chunked_contrastive_loss, "__wrapped__", chunked_contrastive_loss)
    with pytest.raises(ValueError, match=message):
        function(*(torch.ones(shape) for shape in shapes), torch.tensor(0.0), chunk)


@pytest.mark.parametrize("wrong", misconceptions.CHUNKED, ids=lambda wrong: wrong.__name__)
def test_wrong_losses_are_caught(wrong: Loss) -> None:
    inputs = random_pairs(29, 5)
    if wrong is misconceptions.shifted_by_the_scale:  # wrong in float32 only, and only where all S are far below e^t
        inputs = -torch.ones(6, 4), torch.ones(6, 4), torch.tensor(math.log(100.0))
    with pytest.raises(AssertionError, match=r"^figure 3, "):
        check_as_core(wrong, *inputs, chunk=4, relative=1e-4, absolute=1e-5)
