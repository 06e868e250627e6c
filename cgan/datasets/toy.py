"""Pictures of the toy world with sentences, some true and some false of each picture.

``close``: one object near the middle, its radius up to a third of the picture. So a shape has many pixels, as the birds
of the paper have. ``anywhere``: one object of the toy world's own sizes, at any place.

A wrong sentence is false of its picture, by the toy world's facts. Half of them differ from a true one in one word: a
discriminator that sees such pairs must look at each word. The others belong to another picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from toyworld.captions import PAIR, described, say
from toyworld.drawing import draw
from toyworld.facts import Description, Exists, Fact, descriptions, holds, total
from toyworld.parser import read
from toyworld.rng import Rng
from toyworld.scenes import COLOURS, HELD_OUT, SHAPES, SIZES, Scene, scene_at

SCENES = ("close", "anywhere")
SIDE = 32  # pixels, height and width
RADII = {"small": (0.2, 0.24), "large": (0.29, 0.33)}  # close up, in image widths
MIDDLE = (0.42, 0.58)  # where the centre lies, close up
ATTRIBUTES = {"colour": COLOURS, "shape": SHAPES, "size": SIZES}
SENTENCES = 2  # right ones of a picture, and as many wrong ones
CHUNK = 500  # pictures that are drawn together


class Captioned(NamedTuple):
    """m pictures with sentences. ``facts`` are those of each sentence, read by the toy world's parser."""

    scenes: Sequence[Scene]
    images: Float[Tensor, "m 3 32 32"]  # from -1 to 1
    sentences: Sequence[str]
    facts: Sequence[tuple[Fact, ...]]
    right: Int[Tensor, "m k"]  # rows of ``sentences`` that are true of the picture
    wrong: Int[Tensor, "m k"]  # rows of some that are false


def toy_scene(kind: str, split: str, seed: int, index: int) -> Scene:
    """Scene ``index`` of a split of the toy world, with one object.

    Raises:
        ValueError: if ``kind`` is not one of ``SCENES``.
    """
    if kind not in SCENES:
        raise ValueError(f"scene must be one of {', '.join(SCENES)}, got {kind!r}")
    scene = scene_at(split, seed, index, count=1)
    if kind == "anywhere":
        return scene
    (one,), rng = scene.objects, Rng(f"{split}/{seed}/{index}/close")
    x, y, radius = rng.between(*MIDDLE), rng.between(*MIDDLE), rng.between(*RADII[one.size])
    return replace(scene, objects=(replace(one, x=x, y=y, radius=radius),))


def pictures(scenes: Sequence[Scene]) -> Float[Tensor, "m 3 32 32"]:
    """Drawn, from −1 to 1."""
    parts = [draw(scenes[k : k + CHUNK], SIDE) for k in range(0, len(scenes), CHUNK)]
    return torch.cat(parts) * 2 - 1


def attributes(scenes: Sequence[Scene]) -> Int[Tensor, "m 3"]:
    """Colour, shape and size of the only object, as numbers in ``ATTRIBUTES``."""
    rows = [[names.index(getattr(scene.objects[0], what)) for what, names in ATTRIBUTES.items()] for scene in scenes]
    return torch.tensor(rows)


def named_attributes(facts: Sequence[Sequence[Fact]]) -> Int[Tensor, "s 3"]:
    """The same for what each sentence says of the object; −1 where it says nothing."""
    rows = []
    for stated in facts:
        (one,) = (part for fact in stated for part in descriptions(fact) if part != Description())
        names = [(names, getattr(one, what)) for what, names in ATTRIBUTES.items()]
        rows.append([-1 if name is None else known.index(name) for known, name in names])
    return torch.tensor(rows)


def judge_scenes(kind: str, seed: int, count: int) -> tuple[Float[Tensor, "m 3 32 32"], Int[Tensor, "m 3"]]:
    """Pictures with the attributes of their object; every fourth has a pair that the players never see."""
    splits = ("compositional", "train", "train", "train")
    scenes = [toy_scene(kind, splits[index % 4], seed, index) for index in range(count)]
    return pictures(scenes), attributes(scenes)


def captioned(
    kind: str, language: str, split: str, seed: int, count: int, known: Mapping[str, int] | None = None
) -> Captioned:
    """``count`` pictures of a split, each with some right and some wrong sentences."""
    scenes = [toy_scene(kind, split, seed, index) for index in range(count)]
    rows: dict[str, int] = {}
    stated: list[tuple[Fact, ...]] = []

    def row_of(facts: tuple[Fact, ...], rng: Rng) -> int:
        sentence = say(facts, language, rng)
        if sentence not in rows:
            stated.append(read(sentence, language))
        return rows.setdefault(sentence, len(rows))

    right, wrong = [], []
    for index, scene in enumerate(scenes):
        rng = Rng(f"{split}/{seed}/{index}/{language}/cgan")
        right.append([row_of(right_facts(scene, rng), rng) for _ in range(SENTENCES)])
        others = [scenes[rng.integer(0, count - 1)] for _ in range(SENTENCES)]
        wrong.append([row_of(wrong_facts(scene, other, rng), rng) for other in others])
    return Captioned(scenes, pictures(scenes), tuple(rows), stated, torch.tensor(right), torch.tensor(wrong))


def right_facts(scene: Scene, rng: Rng) -> tuple[Fact, ...]:
    """Colour and shape, and sometimes the size; sometimes that there is one object."""
    return said(described(scene.objects[0], rng.choice(PAIR)), rng)


def said(one: Description, rng: Rng) -> tuple[Fact, ...]:
    return (total(1), Exists(one)) if rng.random() < 0.3 else (Exists(one),)


def wrong_facts(scene: Scene, other: Scene, rng: Rng) -> tuple[Fact, ...]:
    """Facts that are not all true of ``scene``: one word is changed, or they are those of the other scene."""
    facts = (
        right_facts(other, rng)
        if rng.coin()
        else said(changed(described(scene.objects[0], rng.choice(PAIR)), rng), rng)
    )
    while all_true(facts, scene):  # the other picture has the same kind of object
        facts = said(changed(described(scene.objects[0], rng.choice(PAIR)), rng), rng)
    return facts


def changed(one: Description, rng: Rng) -> Description:
    """The description with another colour, shape or size in place of one that it names.

    The new colour and shape are a pair that training shows: no sentence can be refused because its words never come
    together.
    """
    what = rng.choice([name for name in ATTRIBUTES if getattr(one, name) is not None])
    others = [replace(one, **{what: name}) for name in ATTRIBUTES[what] if name != getattr(one, what)]
    return rng.choice([other for other in others if what == "size" or (other.colour, other.shape) not in HELD_OUT])


def all_true(facts: Sequence[Fact], scene: Scene) -> bool:
    return all(holds(fact, scene) for fact in facts)


def truth(scenes: Sequence[Scene], facts: Sequence[Sequence[Fact]]) -> Bool[Tensor, "m s"]:
    """Whether sentence j is true of scene i."""
    return torch.tensor([[all_true(stated, scene) for stated in facts] for scene in scenes])
