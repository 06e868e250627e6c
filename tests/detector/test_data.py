"""What is promised → function → test

images, places, radii and labels   batch_of      test_labels_are_those_of_the_scene
a batch is a function of its step  toy_batches   test_a_batch_is_a_function_of_its_step
no held-out pair is trained on     toy_batches   test_nothing_held_out_is_shown
"""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.data import batch_of, toy_batches
from tests.teach import check_close, check_equal
from toyworld.drawing import draw
from toyworld.scenes import COLOURS, HELD_OUT, MOST, SHAPES, SIZES, scene_at

PIXEL = {"relative": 0, "absolute": 1 / 255}
SIDE = 16  # pixels


@given(first=st.integers(0, 500), count=st.integers(1, 4))
@settings(max_examples=15)
def test_labels_are_those_of_the_scene(first: int, count: int) -> None:
    scenes = [scene_at("test", 3, k) for k in range(first, first + count)]
    images, image_of, centres, radii, labels = batch_of(scenes, SIDE)
    check_close("the images", images, draw(scenes, SIDE), **PIXEL)
    expected = [(k, o) for k, scene in enumerate(scenes) for o in scene.objects]
    assert image_of.tolist() == [k for k, _ in expected]
    check_close("the centres", centres, torch.tensor([(o.x, o.y) for _, o in expected]), 1e-5, 1e-5)
    check_close("the radii", radii, torch.tensor([o.radius for _, o in expected]), 1e-5, 1e-5)
    named = [(COLOURS[colour], SHAPES[shape], SIZES[size]) for colour, shape, size in labels.tolist()]
    assert named == [(o.colour, o.shape, o.size) for _, o in expected]


def test_a_batch_is_a_function_of_its_step() -> None:
    one, other = toy_batches(1, 3, SIDE), toy_batches(1, 3, SIDE)
    forwards, backwards = [one(step) for step in range(3)], [other(step) for step in (2, 1, 0)][::-1]
    for step, (here, there) in enumerate(zip(forwards, backwards, strict=True)):
        for name, *pair in zip(here._fields, here, there, strict=True):
            check_equal(f"{name} of step {step}, forwards and backwards", *pair)
    images = torch.cat([batch.images for batch in forwards]).flatten(1)
    assert len(images.unique(dim=0)) == 9, "two images are the same"
    assert not torch.equal(toy_batches(2, 3, SIDE)(0).images, forwards[0].images), "the seed has no effect"


def test_nothing_held_out_is_shown() -> None:
    batch = toy_batches(0, 200, SIDE)(1)
    shown = {(COLOURS[colour], SHAPES[shape]) for colour, shape, _ in batch.labels.tolist()}
    assert not shown & set(HELD_OUT)
    assert len(shown) == len(COLOURS) * len(SHAPES) - len(HELD_OUT), "a pair is never shown"
    assert (batch.image_of.bincount() == MOST).all()
