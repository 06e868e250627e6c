"""Equation → function → test

peaks: 3×3 max-pooling              peaks     test_peaks_by_hand, test_peaks_by_loops
o [1, p(colour), p(shape), p(size)] grid      test_grid_by_hand
(x̂ + δx̂, ŷ + δŷ)                    detect    test_detections_by_hand
convolutions see no absolute place  forward   test_a_shift_by_one_cell_shifts_the_logits
a cell sees 32×32 pixels            forward   test_a_cell_sees_32_pixels
shapes hold for every colour        forward   test_the_shape_pathway_does_not_see_the_direction_of_a_colour
colours hold for every shape        forward   test_a_colour_does_not_depend_on_the_pixels_of_other_cells
the heatmap begins at the prior     Detector  test_the_heatmap_begins_at_the_prior
"""

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.decode import detect
from detector.model import CELL, PRIOR, THRESHOLD, Detector, peaks
from tests.detector.misconceptions import model as misconceptions
from tests.detector.test_loss import doubles, equals
from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close, check_equal
from toyworld.scenes import COLOURS, SHAPES, SIZES


def check_peaks_by_hand(candidate) -> None:
    heatmap = doubles(
        [0.9, 0.5, 0.1, 0.1],  # 0.9 is a peak; 0.5 is above the threshold, but beside it
        [0.1, 0.1, 0.1, 0.6],  # 0.6 is a peak at the border
        [0.1, 0.2, 0.1, 0.1],  # 0.2 is above its neighbours, but below the threshold
    )
    expected = torch.zeros(3, 4, dtype=torch.bool)
    expected[0, 0] = expected[1, 3] = True
    got = candidate(heatmap[None])[0]
    check_equal("peaks: the cells (0, 0) and (1, 3)", got, expected)


def test_peaks_by_hand() -> None:
    check_peaks_by_hand(peaks)


@given(sizes=unequal_sizes(3), data=st.data())
@settings(max_examples=30)
def test_peaks_by_loops(sizes, data) -> None:
    heatmap = data.draw(whole_tensors(*sizes)) / 5
    got = peaks(heatmap)
    for image, row, column in product(*map(range, sizes)):
        around = heatmap[image, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        here = heatmap[image, row, column]
        expected = bool((here >= around).all() and here >= THRESHOLD)
        assert got[image, row, column] == expected, f"cell ({row}, {column}) of {heatmap[image].tolist()}"


class Fixed(Detector):
    """A detector whose logits are given; attributes of 3 and 2 values unless others are."""

    def __init__(self, logits: torch.Tensor, attributes=(3, 2)) -> None:
        super().__init__(attributes)
        self.logits = logits

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.logits


def check_grid_by_hand(candidate) -> None:
    """One peak in cell (0, 1) of two rows and three columns; its probabilities are 1/6, 2/6, 3/6 and 1/4, 3/4."""
    logits = torch.zeros(1, 8, 2, 3).double()
    logits[0, 0] = -5
    logits[0, :, 0, 1] = doubles(2, 0.5, 0.5, 0, math.log(2), math.log(3), 0, math.log(3))
    expected = torch.zeros(1, 6, 2, 3).double()
    expected[0, :, 0, 1] = doubles(1, 1 / 6, 2 / 6, 3 / 6, 1 / 4, 3 / 4)
    equals(candidate(Fixed(logits), torch.zeros(1, 3, 8, 12).double()), expected, "o [1, p_1, p_2] at peaks, else 0")


def test_grid_by_hand() -> None:
    check_grid_by_hand(lambda model, images: model.grid(images))


def check_detections_by_hand(candidate) -> None:
    """Two objects in the second of two images, on a grid of 2 rows and 4 columns."""
    logits = torch.zeros(2, 19, 2, 4).double()
    logits[:, 0] = -5
    for row, column, heat, right, down, colour, shape, size in (
        (1, 0, 1.0, 0.5, 0.25, 2, 1, 1),
        (0, 3, 2, 0, 1, 7, 5, 0),
    ):
        logits[1, :3, row, column] = doubles(heat, right, down)
        for start, value in ((3, colour), (11, shape), (17, size)):
            logits[1, start + value, row, column] = 9
    first, second = candidate(Fixed(logits, (8, 6, 2)), torch.zeros(2, 3, 8, 16).double())
    assert first == []
    assert [(o.colour, o.shape, o.size) for o in second] == [
        (COLOURS[7], SHAPES[5], SIZES[0]),
        (COLOURS[2], SHAPES[1], SIZES[1]),
    ], "the most confident one comes first"
    assert [(o.x, o.y) for o in second] == [(3 / 4, 1 / 2), (0.5 / 4, 1.25 / 2)], "x = (column + δx) / columns"
    assert second[0].confidence == pytest.approx(1 / (1 + math.exp(-2)))


def test_detections_by_hand() -> None:
    check_detections_by_hand(detect)


def some_images(m: int, height: int, width: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(m, 3, height, width, generator=torch.Generator().manual_seed(seed)).double()


def test_a_shift_by_one_cell_shifts_the_logits() -> None:
    """Away from the border, the logits of a cell depend on what is around it, not on where it is."""
    torch.manual_seed(0)
    model, images = Detector().double(), some_images(2, 48, 64)
    logits, shifted = model(images), model(images.roll((CELL, 2 * CELL), dims=(2, 3)))
    assert logits.shape == (2, 19, 48 // CELL, 64 // CELL)
    check_close(
        "logits of an image that is shifted by one cell down and two to the right",
        shifted[:, :, 5:-4, 6:-4],
        logits[:, :, 4:-5, 4:-6],
    )


def test_a_cell_sees_32_pixels() -> None:
    """Cell 8 has the pixels 32 to 35. Backwards: the dilated convolution reads the cells 6 to 10, the one before it 5
    to 11, which are 10 to 23 before pooling; the first one reads 9 to 24, blocks of two pixels: the pixels 18 to 49."""
    torch.manual_seed(0)
    model, images = Detector().double(), some_images(8, 64, 64).requires_grad_()
    (gradient,) = torch.autograd.grad(model(images)[:, :, 8, 8].sum(), images)
    seen = (gradient != 0).any(dim=0).any(dim=0).nonzero()  # (pixels, 2): rows and columns
    assert (seen.amin(dim=0).tolist(), seen.amax(dim=0).tolist()) == ([18, 18], [49, 49])


def test_the_heatmap_begins_at_the_prior() -> None:
    torch.manual_seed(0)
    with torch.no_grad():
        heatmap = Detector()(some_images(4, 64, 64).float())[:, 0].sigmoid()
    assert abs(heatmap.median().item() - PRIOR) < 0.05, f"the bias is the logit of {PRIOR}"


def test_the_shape_pathway_does_not_see_the_direction_of_a_colour() -> None:
    """Three colours at distance 0.3 from the background: (0.3, 0, 0), (0, 0, 0.3) and (0.18, 0.24, 0) below it."""
    torch.manual_seed(0)
    model, images = Detector().double(), torch.full((3, 3, 16, 24), 0.93, dtype=torch.float64)
    images[0, 0, 4:9, 6:13] -= 0.3
    images[1, 2, 4:9, 6:13] -= 0.3
    images[2, :2, 4:9, 6:13] -= doubles(0.18, 0.24)[:, None, None]
    logits = model(images)
    colours = slice(3, 3 + model.attributes[0])
    others = torch.cat([logits[:, : colours.start], logits[:, colours.stop :]], dim=1)
    check_close("logits of shape and size where only the colour differs", others, others[:1].expand_as(others))
    assert others.std(dim=(2, 3)).max() > 1e-3, "the shape must be seen"
    assert logits[:, colours].std(dim=0).max() > 1e-3, "the colour must be seen"


def test_a_colour_does_not_depend_on_the_pixels_of_other_cells() -> None:
    """So no shape can make a colour more or less likely, also one that never had this colour in training."""
    torch.manual_seed(0)
    model, images = Detector().double(), some_images(2, 16, 24).double()
    images[1] = images[0]
    images[1, :, :, 4:] = 0.5  # all but the first column of cells
    colours = model(images)[:, 3 : 3 + model.attributes[0], :, 0]
    check_close("colours of the first column of cells", colours[1], colours[0])


@pytest.mark.parametrize(("height", "width"), [(64, 62), (30, 32)])
def test_a_side_that_cells_do_not_fill_is_refused(height: int, width: int) -> None:
    with pytest.raises(ValueError, match=f"multiples of {CELL} pixels, got {height}×{width}"):
        Detector()(some_images(1, height, width).float())


def test_the_grid_is_frozen() -> None:
    assert not Detector().grid(some_images(1, 16, 16).float()).requires_grad


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda function: function.__name__)


@each(misconceptions.PEAKS)
def test_wrong_peaks_are_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_peaks_by_hand(wrong)


@each(misconceptions.GRIDS)
def test_wrong_grid_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_grid_by_hand(wrong)


@each(misconceptions.DETECTIONS)
def test_wrong_detections_are_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_detections_by_hand(wrong)
