r"""Batches of images and captions of the toy world.

A batch is a pure function of its step. The annotations come from a frozen network, as in the paper (section 4.3): the
grid of the detector, which ``encoders.of_detector`` turns into a_1 … a_L. A caption is complete: it says the number of
objects, and each object with its size, colour and shape.

What is special about the toy captions:

- A caption names the objects from left to right, and from top to bottom where they are in one column of the grid. The
  attention α_t is computed before the word y_{t-1} is known. If the order were random, y_{t-1} alone could say which of
  two objects is meant, and α_t would come too early.
- Periods, commas and colons are words. The parser reads a caption back and needs them.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from toyworld.captions import WORDS, plan, say
from toyworld.cursor import join, split
from toyworld.drawing import draw
from toyworld.rng import Rng
from toyworld.scenes import Scene, scene_at
from toyworld.tokenizer import END, START, Tokenizer, padded

AnnotationsOf = Callable[[Tensor], Tensor]  # images (n, 3, h, w) to what the model reads, such as (n, L, D)
MOST = 2  # objects in a scene
COLUMNS = 16  # of the grid: 64 pixels in cells of 4. The grid does not say where in a column an object is


class Batch(NamedTuple):
    """n images, each with one caption, or with ``several``."""

    annotations: Float[Tensor, "n L D"] | Float[Tensor, "n 3 h w"]  # or pixels, for a model that has an encoder
    captions: Int[Tensor, "n *several t"]  # <start>, words, <end>, padding


def toy_caption(scene: Scene, language: str, rng: Rng) -> str:
    """A true and complete caption that names the objects from left to right, and in one column from top to bottom."""
    number, *items = plan(scene, rng, complete=True)
    items.sort(key=lambda item: min((int(COLUMNS * o.x), o.y) for o in item.description.matching(scene)))
    return say((number, *items), language, rng)


def toy_words(language: str) -> Tokenizer:
    """The words of captions in a language, and the marks between them."""
    return Tokenizer(WORDS[language])


def encode(tokenizer: Tokenizer, captions: Sequence[str]) -> Int[Tensor, "n t"]:
    """A row for each caption: <start>, its words and marks, <end>, padding."""
    return padded([[START, *(tokenizer.id_of[word] for word in split(caption)), END] for caption in captions])


def decode(tokenizer: Tokenizer, ids: Sequence[int]) -> str:
    """The caption with these ids, up to <end>; ``encode`` has the inverse."""
    return join(tokenizer.decode(ids).split())


def toy_scene(split: str, seed: int, index: int) -> Scene:
    """Scene ``index`` of a split: one object, then two, then one, and so on."""
    return scene_at(split, seed, index, count=1 + index % MOST)


def toy_batches(
    annotations_of: AnnotationsOf, language: str, seed: int, images: int, captions: int, image_size: int
) -> Callable[[int], Batch]:
    """``batch_at`` for the toy world: ``images`` scenes a batch, each with ``captions`` captions."""
    tokenizer = toy_words(language)

    def batch_at(step: int) -> Batch:
        scenes, texts = [], []
        for index in range(step * images, (step + 1) * images):
            scenes.append(toy_scene("train", seed, index))
            for k in range(captions):
                texts.append(toy_caption(scenes[-1], language, Rng(f"train/{seed}/{index}/caption/{k}/{language}")))
        ids = encode(tokenizer, texts)  # (images*captions, t)
        return Batch(annotations_of(draw(scenes, image_size)), ids.view(images, captions, -1))

    return batch_at
