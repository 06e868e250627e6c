r"""Pairs of image and caption from the toy world. A batch is a pure function of its step."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from toyworld.captions import WORDS, say, tell
from toyworld.drawing import draw
from toyworld.facts import Description, Relation
from toyworld.rng import Rng
from toyworld.scenes import RELATIONS, Scene, related, scene_at
from toyworld.tokenizer import END, START, Tokenizer, padded


class Batch(NamedTuple):
    """n pairs: text k belongs to image k."""

    images: Float[Tensor, "n 3 h w"]
    texts: Int[Tensor, "n t"]  # token ids


def toy_tokenizer(language: str) -> Tokenizer:
    return Tokenizer.of(WORDS[language])


def encode(tokenizer: Tokenizer, texts: Sequence[str], context: int) -> Int[Tensor, "n t"]:
    return padded([[START, *tokenizer.ids(text)[: context - 2], END] for text in texts])


def caption(scene: Scene, language: str, rng: Rng) -> str:
    """Half of the captions of two different objects say where they are."""
    if len(scene.objects) == 2 and rng.coin():
        a, b = rng.shuffle(scene.objects)
        first, second = (Description(o.size, o.colour, o.shape) for o in (a, b))
        true = [relation for relation in RELATIONS if related(relation, a, b)]
        if first != second and true:
            return say([Relation(first, rng.choice(true), second)], language, rng)
    return tell(scene, language, rng, complete=True)


def toy_batches(
    tokenizer, language, seed: int, pairs: int, image_size: int, context: int, most: int = 2
) -> Callable[[int], Batch]:
    def batch_at(step: int) -> Batch:
        rngs = [Rng(f"clip_mini/train/{seed}/{k}") for k in range(step * pairs, (step + 1) * pairs)]
        scenes = [scene_at("train", seed, step * pairs + k, rng.integer(1, most)) for k, rng in enumerate(rngs)]
        texts = [caption(scene, language, rng) for scene, rng in zip(scenes, rngs, strict=True)]
        return Batch(draw(scenes, image_size), encode(tokenizer, texts, context))

    return batch_at
