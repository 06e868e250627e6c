"""Equation → function → test

a centre's share in a place              shares        test_shares_by_loops, test_shares_locate_a_centre
BCE of objectness, shares of −ln p_a     lesson_loss   test_loss_by_loops
dL/dz of objectness = (σ(z) − s) / n     lesson_loss   test_gradient_of_objectness
pictures, places and names               toy_lessons   test_lessons_name_what_stands_where
the loop goes down this loss             train         test_the_loop_of_the_lessons_by_hand
it learns to see                         train         test_lessons_teach_where_and_what
"""

import math
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.testing import assert_close

from tests.strategies import unequal_sizes
from tests.vqa.misconceptions import lessons as misconceptions
from tests.vqa.test_data import PIXEL, check_nothing_held_out
from tests.vqa.test_model import EXACT, SEEDS, SIDE, small, some_images
from toyworld.drawing import draw
from toyworld.scenes import COLOURS, MOST, SHAPES, SIZES, scene_at
from vqa.extensions.lessons import lesson_loss, shares, toy_lessons
from vqa.model import ImageStream
from vqa.train import train

INSIDE = st.floats(0.26, 0.74)  # picture widths: at least half a place from the border of a grid of two


def some_places(count: int, pictures: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    xy = 0.26 + 0.48 * torch.rand(count, 2, generator=generator).double()
    return torch.cat([torch.randint(0, pictures, (count, 1), generator=generator).double(), xy], dim=1)


def map_of(found: tuple, m: int, rows: int, columns: int) -> torch.Tensor:
    picture, row, column, share = found
    return torch.zeros(m, rows, columns).double().index_put((picture, row, column), share, accumulate=True)


def shares_by_loops(places: torch.Tensor, m: int, rows: int, columns: int) -> torch.Tensor:
    """Each place asks each centre how near its middle is: 1 at the centre, 0 one place away."""
    expected = torch.zeros(m, rows, columns).double()
    for (picture, x, y), row, column in product(places.tolist(), range(rows), range(columns)):
        right, down = abs((column + 0.5) - columns * x), abs((row + 0.5) - rows * y)  # in places
        expected[int(picture), row, column] += max(0.0, 1 - right) * max(0.0, 1 - down)
    return expected


def check_shares(candidate, count: int, m: int, rows: int, columns: int, seed: int) -> None:
    places = some_places(count, m, seed)
    assert_close(
        map_of(candidate(places, rows, columns), m, rows, columns), shares_by_loops(places, m, rows, columns), **EXACT
    )


@given(sizes=unequal_sizes(4), seed=SEEDS)
@settings(max_examples=30)
def test_shares_by_loops(sizes, seed: int) -> None:
    check_shares(shares, *sizes, seed)


@given(sizes=unequal_sizes(2), x=INSIDE, y=INSIDE)
@settings(max_examples=50)
def test_shares_locate_a_centre(sizes, x: float, y: float) -> None:
    """They sum to one, and the mean of the places' middles is the centre itself."""
    (rows, columns), one = sizes, torch.tensor([[0.0, x, y]]).double()
    shown = map_of(shares(one, rows, columns), 1, rows, columns)[0]
    assert shown.sum().item() == pytest.approx(1)
    assert (shown >= 0).all()
    middles = [(torch.arange(side).double() + 0.5) / side for side in (columns, rows)]
    assert (shown.sum(dim=0) @ middles[0]).item() == pytest.approx(x)
    assert (shown.sum(dim=1) @ middles[1]).item() == pytest.approx(y)


@pytest.mark.parametrize(("x", "y"), [(0.0, 0.5), (1.0, 0.5), (0.5, 0.0), (0.3, 1.0)])
def test_shares_beyond_the_border_go_to_the_place_at_the_border(x: float, y: float) -> None:
    shown = map_of(shares(torch.tensor([[0.0, x, y]]).double(), 3, 5), 1, 3, 5)[0]
    assert shown.sum().item() == pytest.approx(1)
    if x in (0.0, 1.0):
        assert shown.sum(dim=0)[int(4 * x)].item() == pytest.approx(1)
    else:
        assert shown.sum(dim=1)[int(2 * y)].item() == pytest.approx(1)


def some_lesson(seed: int) -> tuple:
    """Two pictures of 8×16 places, five things, three and two names."""
    stream = small(seed, attributes=(3, 2), form=(4, 6), colour=3).image_stream
    images, places = some_images(2, seed, height=SIDE // 2, width=SIDE), some_places(5, 2, seed)
    generator = torch.Generator().manual_seed(seed)
    names = torch.stack([torch.randint(0, n, (5,), generator=generator) for n in (3, 2)], dim=1)
    return stream, images, places, names


def check_loss(candidate, seed: int) -> None:
    stream, images, places, names = some_lesson(seed)
    logits = stream.detect(images)
    m, _, rows, columns = logits.shape
    total, wanted = 0.0, shares_by_loops(places, m, rows, columns).clamp(max=1)
    for picture, row, column in product(range(m), range(rows), range(columns)):
        o = 1 / (1 + math.exp(-logits[picture, 0, row, column].item()))
        s = wanted[picture, row, column].item()
        total -= s * math.log(o) + (1 - s) * math.log(1 - o)
    for k, place in enumerate(places):
        alone = shares_by_loops(place[None], m, rows, columns)
        for picture, row, column in alone.nonzero().tolist():
            z = logits[picture, :, row, column]
            for group, name in ((z[1:4], names[k, 0]), (z[4:6], names[k, 1])):
                total -= alone[picture, row, column].item() * group.log_softmax(dim=0)[name].item()
    assert candidate(stream, images, places, names).item() == pytest.approx(total / 5, rel=1e-10)


@given(seed=SEEDS)
@settings(max_examples=10)
def test_loss_by_loops(seed: int) -> None:
    check_loss(lesson_loss, seed)


@given(seed=SEEDS)
@settings(max_examples=10)
def test_gradient_of_objectness(seed: int) -> None:
    """Cross-entropy and sigmoid: what is said less what is wanted. And no name is learned where nothing stands."""
    stream, images, places, names = some_lesson(seed)
    logits = stream.detect(images).detach().requires_grad_()
    stream.detect = lambda images: logits
    (gradient,) = torch.autograd.grad(lesson_loss(stream, images, places, names), logits)
    wanted = shares_by_loops(places, len(images), *logits.shape[2:]).clamp(max=1)
    assert_close(gradient[:, 0], (logits[:, 0].sigmoid() - wanted) / len(places), **EXACT)
    empty = (wanted == 0)[:, None].expand(-1, 5, -1, -1)
    assert (gradient[:, 1:][empty] == 0).all()
    assert gradient[:, 1:].abs().max() > 0


@given(step=st.integers(0, 500), pictures=st.integers(1, 4), seed=st.integers(0, 3))
@settings(max_examples=15)
def test_lessons_name_what_stands_where(step: int, pictures: int, seed: int) -> None:
    images, places, names = toy_lessons(seed, pictures, SIDE)(step)
    scenes = [scene_at("train", seed, k, MOST) for k in range(step * pictures, (step + 1) * pictures)]
    assert_close(images, draw(scenes, SIDE), **PIXEL)
    expected = [(k, o) for k, scene in enumerate(scenes) for o in scene.objects]
    assert_close(places, torch.tensor([(k, o.x, o.y) for k, o in expected]))
    told = [(COLOURS[colour], SHAPES[shape], SIZES[size]) for colour, shape, size in names]
    assert told == [(o.colour, o.shape, o.size) for _, o in expected]
    for scene in scenes:
        check_nothing_held_out(scene)


def test_a_lesson_is_a_function_of_its_step() -> None:
    one, other = toy_lessons(1, 3, SIDE), toy_lessons(1, 3, SIDE)
    forwards, backwards = [one(step) for step in range(3)], [other(step) for step in (2, 1, 0)][::-1]
    for here, there in zip(forwards, backwards, strict=True):
        assert all(torch.equal(*pair) for pair in zip(here, there, strict=True))


class Dial(ImageStream):
    """An image stream of one place, whose six logits are its weights: objectness, three names, two names."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        self.attributes = (3, 2)
        self.w = nn.Parameter(torch.tensor([0.3, 1.0, -1.0, 0.5, 0.2, -0.4]).double())

    def detect(self, images: torch.Tensor) -> torch.Tensor:
        return self.w.view(1, 6, 1, 1).expand(len(images), 6, 1, 1)


def test_the_loop_of_the_lessons_by_hand() -> None:
    """One thing in the only place: each logit moves by the rate times (what is wanted − what is said)."""
    stream, told = Dial(), []
    lesson = (torch.zeros(1, 3, 4, 4), torch.tensor([[0, 0.5, 0.5]]).double(), torch.tensor([[2, 0]]))
    optimizer, w = torch.optim.SGD([stream.w], lr=99.0), stream.w.detach().clone()
    log = lambda step, loss: told.append((step, loss))  # noqa: E731
    train(stream, optimizer, lambda step: lesson, range(3, 6), log, lambda step: 0.1 * step, lesson_loss)
    for step, loss in told:
        said = torch.cat([w[:1].sigmoid(), w[1:4].softmax(dim=0), w[4:].softmax(dim=0)])
        assert loss == pytest.approx(-(said[0].log() + said[3].log() + said[4].log()).item())
        w = w + 0.1 * step * (torch.tensor([1, 0, 0, 1, 1, 0]) - said)
    assert [step for step, _ in told] == [3, 4, 5]
    assert_close(stream.w.detach(), w, **EXACT)


def test_lessons_teach_where_and_what() -> None:
    """Beside guessing: one of eight colours, one of six shapes, one of two sizes."""
    torch.manual_seed(0)
    stream = small(attributes=(8, 6, 2), form=(16, 32, 64), colour=16).image_stream.float()
    optimizer = torch.optim.Adam(stream.parameters())
    rate_at = lambda step: 1e-2 * (1 - step / 160)  # noqa: E731
    train(stream, optimizer, toy_lessons(0, 24, 64), range(160), lambda step, loss: None, rate_at, lesson_loss)
    images, places, names = toy_lessons(1, 60, 64)(0)
    with torch.no_grad():
        logits = stream.detect(images)
        described = stream.describe(images)
    picture, row, column, share = shares(places, *logits.shape[2:])
    best = share.argmax(dim=0)
    n = torch.arange(len(places))
    there = logits[picture[best, n], :, row[best, n], column[best, n]]  # (n, 1 + names)
    right = [
        (z.argmax(dim=1) == name).double().mean().item()
        for z, name in zip(there[:, 1:].split((8, 6, 2), dim=1), names.T, strict=True)
    ]
    assert right[0] > 0.9, f"colours: {right[0]:.2f}, by guessing 0.13"
    assert right[1] > 0.5, f"shapes: {right[1]:.2f}, by guessing 0.17"
    assert right[2] > 0.9, f"sizes: {right[2]:.2f}, by guessing 0.50"
    counted = described[:, 0].sum(dim=(1, 2))
    right_number = (counted.round() == 4).double().mean().item()
    assert right_number > 0.5, f"each picture shows four things: so said of {right_number:.2f}"


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda function: function.__name__)


@each(misconceptions.SHARES)
def test_wrong_shares_are_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_shares(wrong, 5, 2, 4, 3, seed=0)


@each(misconceptions.LOSSES)
def test_wrong_loss_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_loss(wrong, seed=0)
