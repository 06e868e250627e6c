r"""How good the captions are, how good they would be without the image, and where the model looks.

A caption is right if it is true of its scene and complete: each fact that it states holds, and it says the number of
objects and each object with size, colour and shape. The parser of the toy world reads it back. All numbers are shares,
from 0 to 1.

Three baselines show what language alone gives: the most frequent caption of the training split, and the captions that
the same model writes about a blank image, and about the image of another scene with as many objects.

The pointing game (Zhang et al. 2018, arXiv 1608.00507, section 4.2) tests the attention. At each noun of a caption, the
model points at the middle of the place with the largest weight. It is a hit if this point lies in the box of an object
that the noun's description matches, when the box is made larger by one cell on each side. The box is that of the circle
around the object. Chance is the share of places that would be hits. A description that matches no object is a miss.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn

from show_attend_tell.data import MOST, AnnotationsOf, decode, toy_caption, toy_scene
from show_attend_tell.decode import Hypothesis, greedy
from toyworld.drawing import draw
from toyworld.facts import Description, holds, says_all
from toyworld.parser import read
from toyworld.read_english import SHAPES as ENGLISH_NOUNS
from toyworld.read_korean import COLOUR as KOREAN_COLOURS
from toyworld.read_korean import FORMS as KOREAN_FORMS
from toyworld.read_korean import SIZE as KOREAN_SIZES
from toyworld.rng import Rng
from toyworld.scenes import BACKGROUND, COLOURS, SIZES, Object, Scene
from toyworld.tokenizer import Tokenizer

LONGEST = 24  # words and marks of a caption, <end> included; the longest toy caption has 17
PROMISES: Mapping[tuple[str, str, str], float] = MappingProxyType(  # (data, split, what): what the README promises
    {
        ("toy", "test", "right"): 0.97,
        ("toy", "compositional", "right"): 0.85,
        ("toy", "test", "pointing"): 0.90,
    }
)
ATTRIBUTES: Mapping[str, Mapping[str, tuple[str, str]]] = {  # of each language: (attribute, value) of a word
    "english": {word: ("size", word) for word in SIZES} | {word: ("colour", word) for word in COLOURS},
    "korean": {word: ("size", size) for word, size in KOREAN_SIZES.items()}
    | {word: ("colour", colour) for word, colour in KOREAN_COLOURS.items()},
}
NOUNS: Mapping[str, Mapping[str, str]] = {  # of each language: the shape of a noun (its first word), in all its forms
    "english": {word: shape for forms in ENGLISH_NOUNS for word, shape in forms.items() if shape},
    "korean": {form.split()[0]: shape for form, (shape, _) in KOREAN_FORMS.items() if shape},
}


@dataclass(frozen=True)
class Examples:
    """Scenes to judge a model with."""

    scenes: tuple[Scene, ...]
    pixels: Float[Tensor, "n 3 h w"]  # to look at, from 0 to 1
    annotations: Float[Tensor, "n L D"] | Float[Tensor, "n 3 h w"]  # what the model reads


def toy_examples(
    annotations_of: AnnotationsOf, split: str, seed: int, count: int, image_size: int, chunk: int = 500
) -> Iterator[Examples]:
    """The first ``count`` scenes of a split, in chunks."""
    for start in range(0, count, chunk):
        scenes = tuple(toy_scene(split, seed, index) for index in range(start, min(count, start + chunk)))
        pixels = draw(scenes, image_size)
        yield Examples(scenes, pixels, annotations_of(pixels))


def captions_of(model: nn.Module, annotations: Float[Tensor, "n *image"]) -> list[Hypothesis]:
    """Greedy captions, from the model in evaluation mode; on the CPU."""
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    try:
        found = greedy(model, annotations.to(device), LONGEST)
    finally:
        model.train(was_training)
    return [one._replace(weights=one.weights.cpu()) for one in found]


def judge_caption(caption: str, scene: Scene, language: str) -> dict[str, bool]:
    """Whether a caption can be read, is true of the scene, says all about it, and is right: true and complete.

    What the parser cannot read is neither true nor complete.
    """
    try:
        facts = read(caption, language)
    except ValueError:
        return dict.fromkeys(("readable", "true", "complete", "right"), False)
    true, complete = all(holds(fact, scene) for fact in facts), says_all(facts, scene)
    return {"readable": True, "true": true, "complete": complete, "right": true and complete}


def shares(captions: Sequence[str], scenes: Sequence[Scene], language: str) -> dict[str, float]:
    """The mean of ``judge_caption`` over captions of scenes.

    Raises:
        ValueError: if there are none.
    """
    if not captions:
        raise ValueError("there must be at least one caption to judge, got none")
    judged = [judge_caption(*pair, language) for pair in zip(captions, scenes, strict=True)]
    return {name: sum(one[name] for one in judged) / len(judged) for name in judged[0]}


def mentions(words: Sequence[str], language: str) -> list[tuple[int, Description]]:
    """Each noun of a caption that names a shape: its place among the words, and what is said of it up to there."""
    found, named = [], {}
    for t, word in enumerate(words):
        if word in NOUNS[language]:
            found.append((t, Description(shape=NOUNS[language][word], **named)))
        if word in ATTRIBUTES[language]:
            attribute, value = ATTRIBUTES[language][word]
            named[attribute] = value
        else:
            named = {}
    return found


def middle(place: int, side: int) -> tuple[float, float]:
    """x and y of the middle of a cell, in image widths; the cells of a ``side`` × ``side`` grid are counted by rows."""
    return (place % side + 0.5) / side, (place // side + 0.5) / side


def is_near(point: tuple[float, float], o: Object, margin: float) -> bool:
    """Whether a point is in the box of the circle around an object, made larger by ``margin`` on each side."""
    return max(abs(point[0] - o.x), abs(point[1] - o.y)) <= o.radius + margin


def pointing(
    weights: Float[Tensor, "t L"], words: Sequence[str], scene: Scene, language: str
) -> list[tuple[bool, float]]:
    """The pointing game for one caption: for each noun, whether it is a hit, and how likely a random place is one.

    Row t of ``weights`` is the attention for ``words[t]``. The places are a square grid.
    """
    side = round(weights.shape[1] ** 0.5)
    results = []
    for t, description in mentions(words, language):
        objects = description.matching(scene)
        hits = [any(is_near(middle(i, side), o, 1 / side) for o in objects) for i in range(side * side)]
        results.append((hits[int(weights[t].argmax())], sum(hits) / len(hits)))
    return results


def most_frequent_caption(language: str, seed: int, count: int = 2000) -> str:
    """Of the first ``count`` scenes of the training split; the first of several that are equally frequent."""
    captions = (
        toy_caption(toy_scene("train", seed, k), language, Rng(f"train/{seed}/{k}/caption/0/{language}"))
        for k in range(count)
    )
    return Counter(captions).most_common(1)[0][0]


def measure(
    model: nn.Module,
    tokenizer: Tokenizer,
    language: str,
    annotations_of: AnnotationsOf,
    chunks: Iterable[Examples],
    most_frequent: str,
) -> dict[str, dict[str, float]]:
    """The model beside its baselines: for each, the shares of captions; and the pointing game beside chance.

    A model without attention does not play the game.

    Raises:
        ValueError: if there are no scenes.
    """
    scenes: list[Scene] = []
    captions: dict[str, list[str]] = {"reached": [], "exchanged images": [], "blank images": [], "most frequent": []}
    pointed: list[tuple[bool, float]] = []
    for examples in chunks:
        n, found = len(examples.scenes), captions_of(model, examples.annotations)
        written = [decode(tokenizer, one.ids) for one in found]
        pixels = torch.tensor(BACKGROUND)[:, None, None].expand_as(examples.pixels[:1])  # no object
        (about_nothing,) = captions_of(model, annotations_of(pixels))
        scenes += examples.scenes
        captions["reached"] += written
        captions["exchanged images"] += [written[(k + MOST) % n] for k in range(n)]  # as many objects, other ones
        captions["blank images"] += n * [decode(tokenizer, about_nothing.ids)]
        captions["most frequent"] += n * [most_frequent]
        for one, scene in zip(found if model.has_attention else [], examples.scenes, strict=False):
            pointed += pointing(one.weights, tokenizer.decode(one.ids).split(), scene, language)
    results = {name: shares(texts, scenes, language) for name, texts in captions.items()}
    if model.has_attention:
        hits, chances = zip(*pointed, strict=True) if pointed else ((0,), (0.0,))
        results["reached"]["pointing"] = sum(hits) / len(hits)
        results["chance"] = {"pointing": sum(chances) / len(chances)}
    return results
