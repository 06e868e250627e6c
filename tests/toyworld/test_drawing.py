"""``toyworld.drawing``: areas by geometry, directions, a slow form without windows, boxes, masks and noise."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.teach import check_close, check_equal
from tests.toyworld.misconceptions import scenes as misconceptions
from toyworld.drawing import DISTANCES, SQUARE, box, cover, draw, masks
from toyworld.scenes import SHAPES, SPLITS, Object, Scene, scene_at

GREY = (0.5, 0.5, 0.5)


def single(shape: str, x: float = 0.5, y: float = 0.5, radius: float = 0.15) -> Scene:
    return Scene((Object(shape, "red", "large", x, y, radius, (0.9, 0.1, 0.2)),), GREY, 0.0)


def shoelace(corners: list[tuple[float, float]]) -> float:
    pairs = zip(corners, corners[1:] + corners[:1], strict=True)
    return abs(sum(x * v - u * y for (x, y), (u, v) in pairs)) / 2


def polar(radius: float, degrees: float) -> tuple[float, float]:
    return radius * math.cos(math.radians(degrees)), radius * math.sin(math.radians(degrees))


AREA = {  # of each shape in a circle of radius 1, by elementary geometry
    "circle": math.pi * 0.88**2,
    "square": (2 * SQUARE) ** 2,
    "triangle": shoelace([polar(1, 120 * k) for k in range(3)]),
    "diamond": 2 * 0.72 * 1.0,
    "cross": 2 * (2 * 0.94) * (2 * 0.3) - (2 * 0.3) ** 2,  # two bars, minus their common square
    "star": shoelace([polar(0.42 if k % 2 else 1, 36 * k) for k in range(10)]),
}


def cover_spec(scenes: list[Scene], size: int) -> torch.Tensor:
    """Every pixel of the image for every object, in float64."""
    out = torch.zeros(len(scenes), 4, size, size, dtype=torch.float64)
    centres = (torch.arange(size, dtype=torch.float64) + 0.5) / size
    for b, scene in enumerate(scenes):
        for k, o in enumerate(scene.objects):
            distance = DISTANCES[o.shape]((centres[None] - o.x) / o.radius, (centres[:, None] - o.y) / o.radius)
            out[b, k] = (0.5 - distance * o.radius * size).clamp(0, 1)
    return out


def draw_spec(scenes: list[Scene], size: int) -> torch.Tensor:
    """Without noise: every pixel mixes the background and the objects in proportion to what they cover."""
    images = []
    for scene, alphas in zip(scenes, cover_spec(scenes, size), strict=True):
        image = torch.tensor(scene.background).double()[:, None, None] * (1 - alphas.sum(0))
        for o, alpha in zip(scene.objects, alphas, strict=False):
            image = image + torch.tensor(o.rgb).double()[:, None, None] * alpha
        images.append(image.clamp(0, 1))
    return torch.stack(images)


def check_equals_the_spec(candidate, scenes: list[Scene], size: int) -> None:
    got, expected = candidate(scenes, size), cover_spec(scenes, size).float()
    assert got.shape == expected.shape
    error = (got - expected).abs()
    b, k, row, column = (int(i) for i in torch.unravel_index(error.argmax(), error.shape))
    assert error.max() <= 2e-7 * size, (  # float32 coordinates, times pixels
        f"alpha = clip(1/2 - d, 0, 1) of {scenes[b].objects[k].shape} {k} in scene {b}, row {row}, column {column}: "
        f"got {got[b, k, row, column]:.4f}, expected {expected[b, k, row, column]:.4f}"
    )


def check_area(candidate, shape: str) -> None:
    """To 1 in 1000: at a radius of 75.4 pixels, blending is wrong by less than one of 8000 pixels at each corner."""
    size, radius = 512, 0.1473
    area = candidate([single(shape, 0.4931, 0.5117, radius)], size)[0, 0].sum().item() / (radius * size) ** 2
    assert area == pytest.approx(AREA[shape], rel=1e-3), f"the sum of alpha, the area of a {shape} of radius 1"


SIZES = st.sampled_from([9, 16, 37, 64])
INDICES = st.lists(st.integers(0, 10**6), min_size=1, max_size=3)


@pytest.mark.parametrize("shape", SHAPES)
def test_areas_by_geometry(shape: str) -> None:
    check_area(cover, shape)


def test_up_is_up() -> None:
    mask = masks([single("triangle", x=0.3, y=0.7)], 100)[0, 0]
    assert mask[:, :50].sum() == mask.sum() == mask[50:].sum(), "x = 0.3, y = 0.7 is the lower left quarter"
    rows = mask.sum(1)
    assert rows[60] < rows[70] < rows[75], "the tip of a triangle points up"


@given(split=st.sampled_from(SPLITS), indices=INDICES, size=SIZES)
def test_cover_equals_the_spec(split: str, indices: list[int], size: int) -> None:
    check_equals_the_spec(cover, [scene_at(split, 0, index) for index in indices], size)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("x", "y"), [(0.11, 0.11), (0.89, 0.11), (0.11, 0.89), (0.83, 0.5)])
def test_objects_near_the_edge_equal_the_spec(shape: str, x: float, y: float) -> None:
    for size in (9, 37):
        check_equals_the_spec(cover, [single(shape, x, y, 0.09), single("circle")], size)


@pytest.mark.parametrize("shape", SHAPES)
def test_no_window_is_too_small(shape: str) -> None:
    """A blended tip of the star reaches 1/2 / sin 20.5° = 1.43 pixels beyond the tip."""
    for step in range(20):
        for radius in (0.1506, 0.1544):
            check_equals_the_spec(cover, [single(shape, (14 + step / 20) / 37, (10 + step / 20) / 37, radius)], 37)


@given(indices=INDICES, size=SIZES)
def test_images_equal_the_spec(indices: list[int], size: int) -> None:
    scenes = [scene_at("train", 0, index) for index in indices]
    images = draw(scenes, size, noise=0.0)
    assert images.dtype == torch.float32
    check_close(
        "the image: background and objects, in proportion to what they cover",
        images,
        draw_spec(scenes, size).float(),
        0,
        2e-7 * size,
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_signed_distances(shape: str) -> None:
    """Negative in the centre, positive outside the circle around the shape, and with a gradient of length 1."""
    x, y = (2.4 * torch.rand(2, 20_000, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) - 1.2).unbind()
    x, y = x.requires_grad_(), y.requires_grad_()
    distance = DISTANCES[shape](x, y)
    gradient = torch.hypot(*torch.autograd.grad(distance.sum(), (x, y)))
    assert gradient.max() <= 1 + 1e-9  # not above 1: the edge is not narrower than a pixel,
    assert (gradient > 0.99).double().mean() > 0.99  # and not wider
    assert (distance[torch.hypot(x, y) > 1 + 1e-9] > 0).all()
    assert DISTANCES[shape](torch.zeros(1), torch.zeros(1)) < -0.25


@given(index=st.integers(0, 10**6), size=SIZES)
def test_a_mirrored_scene_has_a_mirrored_image(index: int, size: int) -> None:
    scene = scene_at("test", 0, index)
    mirrored = replace(scene, objects=tuple(replace(o, x=1 - o.x) for o in scene.objects))
    check_close(
        "the mirrored image of a mirrored scene",
        draw([mirrored], size, 0.0),
        draw([scene], size, 0.0).flip(-1),
        0,
        2e-5,
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_the_box_is_the_bounding_box_of_the_mask(shape: str) -> None:
    scene, size = single(shape, 0.4, 0.6), 1024
    rows, columns = masks([scene], size)[0, 0].nonzero().T
    edges = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    sides = zip(("left", "top", "right", "bottom"), edges, box(scene.objects[0]), (-1, -1, 1, 1), strict=True)
    for side, edge, expected, outwards in sides:
        beyond = outwards * (edge.item() - expected * size)  # pixels
        assert -2 <= beyond <= 0.5, (
            f"{side}: {beyond:.2f}"
        )  # the last 1.3 pixels of a star's tip are thinner than a pixel


@given(index=st.integers(0, 10**6), size=SIZES)
def test_masks_are_disjoint_and_in_the_order_of_the_scene(index: int, size: int) -> None:
    scene = scene_at("train", 0, index)
    found = masks([scene], size)[0]
    assert found.sum(0).max() <= 1
    assert not found[len(scene.objects) :].any()
    if size >= 37:  # in smaller images a small cross may cover no pixel to one half
        for o, mask in zip(scene.objects, found, strict=False):
            assert mask[int(o.y * size), int(o.x * size)], o


def test_a_batch_equals_its_scenes_one_by_one() -> None:
    scenes = [scene_at("train", 0, index) for index in range(7)]
    for noise in (0.0, 0.02):
        alone = torch.cat([draw([scene], 37, noise) for scene in scenes])
        check_close(f"the images one by one, noise {noise}", draw(scenes, 37, noise), alone, 0, 1e-5)


@pytest.mark.parametrize("size", [8, 64, 840])  # the last one needs more than half of the table
def test_noise_is_uniform_with_its_amplitude(size: int) -> None:
    for grain in (0.0, 0.61, 0.999999):
        scene = replace(single("star"), grain=grain)
        noise = (draw([scene], size, 0.02) - draw([scene], size, 0.0)) / 0.02
        assert noise.abs().max() <= 1 + 1e-4
        count = noise.numel()
        assert abs(noise.mean()) < 6 * math.sqrt(1 / 3 / count)  # a uniform number from -1 to 1 has variance 1/3,
        assert abs(noise.square().mean() - 1 / 3) < 6 * math.sqrt(4 / 45 / count)  # and its square 4/45


def test_the_grain_selects_the_noise_and_values_stay_between_0_and_1() -> None:
    a, b = single("cross"), replace(single("cross"), grain=0.5)
    check_equal("the image of the same scene", draw([a], 16), draw([a], 16))
    assert (draw([a], 16) - draw([b], 16)).abs().max() > 0.02
    loud = draw([a], 16, noise=2.0)
    assert loud.min() == 0
    assert loud.max() == 1


def test_an_image_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="size must be at least 8 pixels, got 7"):
        draw([single("circle")], 7)


def test_scenes_without_objects_are_refused() -> None:
    with pytest.raises(ValueError, match="scenes must hold at least one object, got 1 scenes with none"):
        draw([Scene((), GREY, 0.0)])


@pytest.mark.parametrize("wrong", misconceptions.COVERS, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    def folder_tests() -> None:
        check_equals_the_spec(wrong, [scene_at("train", 0, index) for index in range(5)], 37)
        for shape in SHAPES:
            check_area(wrong, shape)

    with pytest.raises(AssertionError):
        folder_tests()
