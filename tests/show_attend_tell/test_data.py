"""What is promised → function → test

a caption is read back, true and complete       toy_caption     test_each_caption_is_about_its_image
objects from left to right                      toy_caption     test_the_order_of_the_objects_by_hand
<start>, words, <end>, padding                  encode          test_ids_by_hand
decode(encode(caption)) is the caption          encode, decode  test_a_caption_comes_back
a batch is a function of its step               toy_batches     test_a_batch_is_a_function_of_its_step
a cell, then its x and y, row by row            with_places     test_places_by_hand
an annotation sees a part of the image          SmallCNN        test_an_annotation_sees_a_part_of_the_image
the background is subtracted                    SmallCNN        test_the_background_is_nothing_for_the_cnn
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from detector.model import CELL
from show_attend_tell import decode as decoder
from show_attend_tell import loss
from show_attend_tell.data import COLUMNS, MOST, Batch, decode, encode, toy_batches, toy_caption, toy_scene, toy_words
from show_attend_tell.encoders import SCALE, SmallCNN, of_detector, with_places
from show_attend_tell.extensions import free_running
from show_attend_tell.train import CONFIGS
from tests.show_attend_tell.misconceptions import data as misconceptions
from tests.teach import check_close, check_equal
from toyworld.captions import LANGUAGES
from toyworld.cursor import split
from toyworld.drawing import draw
from toyworld.facts import holds, says_all
from toyworld.parser import read
from toyworld.rng import Rng
from toyworld.scenes import BACKGROUND, HELD_OUT, SPLITS, Object, Scene
from toyworld.tokenizer import END, PAD, START, UNKNOWN

SIDE = 16  # pixels
LANGUAGE = pytest.mark.parametrize("language", LANGUAGES)


def pixels(images: torch.Tensor) -> torch.Tensor:
    return images


def check_caption(caption: str, scene: Scene, language: str) -> None:
    facts = read(caption, language)
    assert all(holds(fact, scene) for fact in facts), f"{caption!r} is not true of {scene}"
    assert says_all(facts, scene), f"{caption!r} does not say all about {scene}"
    named = [min((int(COLUMNS * o.x), o.y) for o in fact.description.matching(scene)) for fact in facts[1:]]
    assert named == sorted(named), f"{caption!r}: not from left to right in {scene}"


def check_batches(candidate, language: str, step: int, images: int, captions: int, seed: int) -> None:
    """The scenes are made anew. Each caption is read, and judged by its scene."""
    batch = candidate(pixels, language, seed, images, captions, SIDE)(step)
    scenes = [toy_scene("train", seed, index) for index in range(step * images, (step + 1) * images)]
    assert batch.captions.shape[:2] == (images, captions)
    assert (batch.captions[..., -1] != PAD).any(), "wider than the longest caption"
    check_close("the images", batch.annotations, draw(scenes, SIDE), absolute=1 / 255)
    for scene, rows in zip(scenes, batch.captions, strict=True):
        assert not {(o.colour, o.shape) for o in scene.objects} & set(HELD_OUT)
        for row in rows:
            check_caption(decode(toy_words(language), row.tolist()), scene, language)


@LANGUAGE
@given(step=st.integers(0, 200), seed=st.integers(0, 3), images=st.integers(1, 6), captions=st.integers(1, 3))
@settings(max_examples=10)
def test_each_caption_is_about_its_image(language, step: int, seed: int, images: int, captions: int) -> None:
    check_batches(toy_batches, language, step, images, captions, seed)


@LANGUAGE
@pytest.mark.parametrize("split_name", SPLITS)
def test_captions_of_each_split(language: str, split_name: str) -> None:
    for index in range(20):
        scene = toy_scene(split_name, 0, index)
        assert len(scene.objects) == 1 + index % MOST
        check_caption(toy_caption(scene, language, Rng(f"{index}")), scene, language)


@pytest.mark.parametrize(
    ("red", "blue", "first"),
    [
        ((0.30, 0.8), (0.34, 0.2), "red"),  # columns 4 and 5
        ((0.34, 0.2), (0.30, 0.8), "blue"),
        ((0.32, 0.8), (0.36, 0.2), "blue"),  # both in column 5, which ends at 6/16 = 0.375
        ((0.36, 0.2), (0.32, 0.8), "red"),
        ((0.01, 0.5), (0.99, 0.1), "red"),
    ],
)
def test_the_order_of_the_objects_by_hand(red: tuple, blue: tuple, first: str) -> None:
    """From left to right, and in one of the 16 columns of the detector's grid from top to bottom."""
    assert COLUMNS == CONFIGS["toy"].image_size // CELL == 16
    objects = [Object("star", colour, "small", *place, 0.05, (0.5, 0.5, 0.5)) for colour, place in
               (("red", red), ("blue", blue))]  # fmt: skip
    for k in range(5):
        caption = toy_caption(Scene(tuple(objects), BACKGROUND, 0.5), "english", Rng(f"{k}"))
        assert (caption.index("red") < caption.index("blue")) == (first == "red"), caption


def test_special_ids_are_those_of_the_tokenizer() -> None:
    """The core does not import the toy world, so it has its own names for them."""
    assert (decoder.START, decoder.END, loss.PAD, free_running.START) == (START, END, PAD, START)
    assert set(decoder.NEVER) == {PAD, START, UNKNOWN}


def test_ids_by_hand() -> None:
    tokenizer = toy_words("english")
    ids = encode(tokenizer, ["one object: a red star.", "a star."])
    of = tokenizer.id_of
    words = ["one", "object", ":", "a", "red", "star", "."]
    assert ids.tolist() == [
        [START, *(of[word] for word in words), END],
        [START, of["a"], of["star"], of["."], END, *[PAD] * 4],
    ]


@LANGUAGE
def test_a_caption_comes_back(language: str) -> None:
    tokenizer = toy_words(language)
    captions = [toy_caption(toy_scene("train", 0, k), language, Rng(f"{k}")) for k in range(100)]
    ids = encode(tokenizer, captions)
    assert [decode(tokenizer, row) for row in ids.tolist()] == captions
    assert [len(split(caption)) + 2 for caption in captions] == (ids != PAD).sum(dim=1).tolist()


def test_a_batch_is_a_function_of_its_step() -> None:
    one, other = (toy_batches(pixels, "english", 1, 3, 2, SIDE) for _ in range(2))
    forwards, backwards = [one(step) for step in range(4)], [other(step) for step in (3, 2, 1, 0)][::-1]
    for step, (here, there) in enumerate(zip(forwards, backwards, strict=True)):
        for name, *pair in zip(here._fields, here, there, strict=True):
            check_equal(f"{name} of step {step}, forwards and backwards", *pair)
    images = torch.cat([batch.annotations for batch in forwards]).flatten(1)
    assert len(images.unique(dim=0)) == 12, "two images are the same"
    assert not torch.equal(toy_batches(pixels, "english", 2, 3, 2, SIDE)(0).annotations, forwards[0].annotations)


def test_the_model_reads_what_annotations_of_gives() -> None:
    def halves(images: torch.Tensor) -> torch.Tensor:
        return with_places(torch.nn.functional.avg_pool2d(images, 8))

    plain, changed = (toy_batches(f, "korean", 0, 3, 2, SIDE)(5) for f in (pixels, halves))
    assert isinstance(changed, Batch)
    assert changed.annotations.shape == (3, 4, 5)
    check_close("annotations", changed.annotations, halves(plain.annotations), absolute=1e-6)


def check_places(candidate) -> None:
    """Two rows and four columns: x is −3/4, −1/4, 1/4, 3/4 and y is −1/2, 1/2."""
    grid = torch.arange(16).double().view(1, 2, 2, 4)
    x, y = [-3 / 4, -1 / 4, 1 / 4, 3 / 4] * 2, [-1 / 2] * 4 + [1 / 2] * 4
    expected = [[i, i + 8.0, x[i], y[i]] for i in range(8)]
    check_close("a_i: the cell's features, x and y", candidate(grid), torch.tensor([expected]).double())


def test_places_by_hand() -> None:
    check_places(with_places)


def test_the_detectors_grid_is_made_larger() -> None:
    """Its features, and not x and y."""
    grid = torch.rand(2, 3, 4, 5).double()
    check_close("SCALE · features, then x and y", of_detector(grid), with_places(SCALE * grid))


def test_an_annotation_sees_a_part_of_the_image() -> None:
    """After three layers, a cell of 8×8 pixels sees 22×22 pixels: 1 + 2 + 4 = 7 more on each side."""
    torch.manual_seed(0)
    encoder, images = SmallCNN((3, 4, 5), 0.9), torch.rand(1, 3, 64, 64).requires_grad_()
    annotations = encoder(images)
    assert annotations.shape == (1, 64, encoder.annotation)
    (slope,) = torch.autograd.grad(annotations[0, 27, :-2].sum(), images)  # row 3, column 3
    seen = slope[0].abs().sum(dim=0).nonzero()
    assert seen.min() >= 24 - 7
    assert seen.max() <= 31 + 7


@pytest.mark.parametrize("background", [0.0, 0.3, 0.93])
def test_the_background_is_nothing_for_the_cnn(background: float) -> None:
    """All pixels of an empty image are 0 after the subtraction. So are its features, as all biases begin with 0."""
    encoder = SmallCNN((3, 4), background)
    annotations = encoder(torch.full((1, 3, 16, 16), background))
    assert (annotations[..., :-2] == 0).all()
    assert (encoder(torch.full((1, 3, 16, 16), 0.5))[..., :-2] != 0).any()


def each(wrongs: tuple):
    return pytest.mark.parametrize("wrong", wrongs, ids=lambda function: function.__name__)


@each(misconceptions.BATCHES)
def test_wrong_batches_are_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_batches(wrong, "english", 1, 6, 3, seed=0)


@each(misconceptions.PLACES)
def test_wrong_places_are_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_places(wrong)
