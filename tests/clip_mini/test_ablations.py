r"""The variants of ``python -m clip_mini ablate``: each leaves out one thing of figure 3, and nothing else.

By hand, with unit vectors in two dimensions, n = 2 pairs, and scale s. Images (1, 0) and (0, 1); texts (1, 0) and
(1, 0), so that both texts say the same:

    S = s [[1, 1], [0, 0]]

- Rows: both texts are equally near to each image. L_row = ln 2, whatever s is.
- Columns: text 1 chooses image 1 with p = e^s / (e^s + 1), text 2 chooses image 2 with 1 - p.
  L_col = (softplus(-s) + softplus(s)) / 2.
- Figure 3: L = (L_row + L_col) / 2. At s = 1, L_col = (0.3133 + 1.3133) / 2 = 0.8133, L = 0.7532.
"""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from clip_mini.extensions.ablations import ABLATIONS, AnyLength, CLIPWithAnyLength, FixedScale, ImagesChoose
from clip_mini.extensions.objectives import Contrastive, Objective
from clip_mini.loss import contrastive_loss
from clip_mini.train import Config, build
from tests.clip_mini.misconceptions import ablations as wrong
from tests.clip_mini.tiny import CONFIG
from tests.teach import check_close

IMAGES = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
TEXTS = torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
NO_CLASSES = torch.zeros(2, dtype=torch.long)


def vectors(n: int, d: int, seed: int) -> tuple[Tensor, Tensor]:
    """n vectors of images and n of texts, of different lengths."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, n, d, dtype=torch.float64, generator=generator).unbind()


def loss_of(objective: Objective, image: Tensor, text: Tensor) -> Tensor:
    return objective.double()(image, text, torch.zeros(len(image), dtype=torch.long))


def check_images_choose(kind: Callable[[], Objective]) -> None:
    s = 1 / 0.07
    got = loss_of(kind(), IMAGES, TEXTS).item()
    assert got == pytest.approx(math.log(2), rel=1e-10), f"rows of S = s[[1, 1], [0, 0]]: ln 2 = 0.6931, got {got:.4f}"
    image, text = vectors(5, 3, 0)
    unit = [x / x.norm(dim=1, keepdim=True) for x in (image, text)]
    expected = cross_entropy(s * unit[0] @ unit[1].T, torch.arange(5)).item()
    got = loss_of(kind(), image, text).item()
    assert got == pytest.approx(expected, rel=1e-6), f"cross-entropy of the rows is {expected:.4f}, got {got:.4f}"


def check_fixed_scale(kind: Callable[[float], Objective]) -> None:
    for s in (1.0, 100.0):
        objective = kind(s)
        names = [name for name, _ in objective.named_parameters()]
        assert not names, f"the scale must not be learned, but {names} are parameters"
        columns = (softplus(torch.tensor(-s)) + softplus(torch.tensor(s))).item() / 2
        got, expected = loss_of(objective, IMAGES, TEXTS).item(), (math.log(2) + columns) / 2
        assert got == pytest.approx(expected, rel=1e-5), (
            f"scale {s}: (ln 2 + L_col) / 2 = {expected:.4f}, got {got:.4f}"
        )
        image, text = vectors(4, 3, 1)
        again = loss_of(objective, 7 * image, text).item()
        assert again == pytest.approx(loss_of(objective, image, text).item(), rel=1e-10), "lengths must not count"


def check_any_length(kind: Callable[[], Objective]) -> None:
    r"""Lengths count: vectors a times as long are a scale a times as high. L(a u, v; s) = L(u, v; a s)."""
    image, text = vectors(5, 3, 2)
    s = 1 / 0.07
    for a in (1.0, 0.5, 3.0):
        expected = contrastive_loss(a * s * image @ text.T).item()
        got = loss_of(kind(), a * image, text).item()
        assert got == pytest.approx(expected, rel=1e-6), f"images {a} times as long: {expected:.4f}, got {got:.4f}"


def check_lengths_of_the_model(kind: type) -> None:
    """The vectors are those of the paper's model before they are scaled; twice the projection, twice the length."""
    torch.manual_seed(0)
    model = build(CONFIG, 9, 2).double()
    images, texts = torch.rand(3, 3, 16, 16).double(), torch.tensor([[1, 5, 2], [1, 6, 2], [1, 7, 2]])
    unit = model(images, texts)
    model.__class__ = kind
    for side, (got, direction) in zip(("image", "text"), zip(model(images, texts), unit, strict=True), strict=True):
        length = got.norm(dim=1, keepdim=True)
        check_close(f"the direction of the {side} vectors", got / length, direction)
        assert (length - 1).abs().min() > 1e-3, f"the {side} vectors still have length 1"


def check_objectives(objectives: dict[str, Callable[[int], Objective]]) -> None:
    """On the vectors by hand, with s the scale that each begins with."""
    s, ln2 = 1 / 0.07, math.log(2)

    def figure_3(scale: float) -> float:
        return (ln2 + (softplus(torch.tensor(-scale)) + softplus(torch.tensor(scale))).item() / 2) / 2

    expected = {
        "as in the paper": figure_3(s), "images choose only": ln2, "scale fixed at 1": figure_3(1.0),
        "scale fixed at 100": figure_3(100.0), "any length": figure_3(s),
    }  # fmt: skip
    assert list(objectives) == list(expected)
    for name, loss in expected.items():
        got = loss_of(objectives[name](2), IMAGES, TEXTS).item()
        assert got == pytest.approx(loss, rel=1e-5), f"{name}: {loss:.4f} by hand, got {got:.4f}"


CHECKS = [
    (check_images_choose, ImagesChoose, [wrong.ColumnsOnly, wrong.HalfTheLoss]),
    (check_fixed_scale, FixedScale, [wrong.StillLearned, wrong.ScaleForItsLogarithm]),
    (check_any_length, AnyLength, [wrong.StillCosines]),
    (check_lengths_of_the_model, CLIPWithAnyLength, [wrong.OnlyImagesAnyLength]),
    (check_objectives, ABLATIONS, [wrong.SWAPPED]),
]


@pytest.mark.parametrize(("check", "right"), [(check, right) for check, right, _ in CHECKS])
def test_each_variant_leaves_out_what_it_says(check: Callable, right: object) -> None:
    check(right)


@pytest.mark.parametrize(("check", "mistake"), [(check, one) for check, _, mistakes in CHECKS for one in mistakes])
def test_mistakes_are_caught(check: Callable, mistake: object) -> None:
    with pytest.raises(AssertionError):
        check(mistake)


@given(n=st.integers(2, 6), d=st.integers(2, 5), seed=st.integers(0, 99))
def test_figure_3_is_the_mean_of_both_choices(n: int, d: int, seed: int) -> None:
    """L(u, v) = (images choose + texts choose) / 2; texts choose as images would, with both sides swapped."""
    image, text = vectors(n, d, seed)
    rows, columns = loss_of(ImagesChoose(), image, text), loss_of(ImagesChoose(), text, image)
    check_close("figure 3, L = (rows + columns) / 2", loss_of(Contrastive(), image, text), (rows + columns) / 2)


@given(n=st.integers(2, 6), d=st.integers(2, 5), seed=st.integers(0, 99))
def test_of_unit_vectors_any_length_is_the_paper(n: int, d: int, seed: int) -> None:
    image, text = (x / x.norm(dim=1, keepdim=True) for x in vectors(n, d, seed))
    check_close("any length, of unit vectors", loss_of(AnyLength(), image, text), loss_of(Contrastive(), image, text))


@pytest.mark.parametrize("name", ABLATIONS)
def test_scales_that_are_learned_stay_at_most_100(name: str) -> None:
    objective = ABLATIONS[name](Config().common)
    learned = list(objective.parameters())
    assert len(learned) == (0 if name.startswith("scale fixed") else 1)
    for parameter in learned:
        parameter.data.fill_(9.0)
    objective.constrain()
    assert all(parameter.item() == pytest.approx(math.log(100)) for parameter in learned)
