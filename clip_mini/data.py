r"""Pairs of image and caption from the toy world. A batch is a pure function of its step.

The paper's pairs come from the web; ours are scenes of one or two objects with a true caption. Half of the captions
name size, colour and shape of each object, the other half colour and shape only. A caption lists the objects, or it
says how two objects lie to each other.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from toyworld.captions import WORDS, described, listed, say
from toyworld.drawing import draw
from toyworld.facts import Relation, total
from toyworld.rng import Rng
from toyworld.scenes import RELATIONS, Scene, related, scene_at
from toyworld.tokenizer import END, START, Tokenizer, padded

LANGUAGES = {"english": ("english",), "korean": ("korean",), "both": ("english", "korean")}
FULL, PAIR = (True, True, True), (False, True, True)  # which of size, colour and shape a description names
ALONE = 0.5  # share of the scenes with one object
RELATED = 0.3  # share of the captions of two objects that say how they lie to each other


class Batch(NamedTuple):
    """n pairs: text k belongs to image k."""

    images: Float[Tensor, "n ..."]
    texts: Int[Tensor, "n t"]  # token ids


def toy_tokenizer(language: str) -> Tokenizer:
    """The words of captions in a language, or in both."""
    return Tokenizer.of(word for name in LANGUAGES[language] for word in WORDS[name])


def encode(tokenizer: Tokenizer, texts: Sequence[str], context: int) -> Int[Tensor, "n t"]:
    """Start, words, end, padding. A text of more than ``context`` ids is cut; its end token stays."""
    return padded([[START, *tokenizer.ids(text)[: context - 2], END] for text in texts])


def caption(scene: Scene, language: str, rng: Rng) -> str:
    """A true caption: a list of the objects, or the relation of two of them."""
    named = FULL if rng.coin() else PAIR
    if len(scene.objects) == 2 and rng.random() < RELATED:
        a, b = rng.shuffle(scene.objects)
        first, second = described(a, named), described(b, named)
        true = [relation for relation in RELATIONS if related(relation, a, b)]  # at least one: they do not overlap
        if first != second:  # otherwise the relation would be ambiguous
            return say([Relation(first, rng.choice(true), second)], language, rng)
    items = listed(scene, named, rng)
    return say((total(len(scene.objects)), *items) if rng.coin() else items, language, rng)


def toy_pair(split: str, seed: int, index: int, language: str) -> tuple[Scene, str]:
    """Pair ``index`` of a split: a scene of one or two objects, and its caption in a language, or in one of both."""
    rng = Rng(f"clip_mini/{split}/{seed}/{index}")
    scene = scene_at(split, seed, index, 1 if rng.random() < ALONE else 2)
    return scene, caption(scene, rng.choice(LANGUAGES[language]), rng)


def toy_batches(
    tokenizer: Tokenizer, language: str, seed: int, pairs: int, image_size: int, context: int
) -> Callable[[int], Batch]:
    """``batch_at`` for the training split of the toy world, ``pairs`` pairs a batch."""

    def batch_at(step: int) -> Batch:
        indices = range(step * pairs, (step + 1) * pairs)
        scenes, texts = zip(*(toy_pair("train", seed, index, language) for index in indices), strict=True)
        return Batch(draw(scenes, image_size), encode(tokenizer, texts, context))

    return batch_at
