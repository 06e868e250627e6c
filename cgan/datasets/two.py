"""Pictures of two objects, with sentences about their relation: "a large red square left of a small blue star".

A wrong sentence is false of its picture, by the toy world's facts. Most of them differ from a true one in one thing: an
attribute of one object, the relation, or which object is which. The others belong to another picture.

A sentence begins with the object that the relation is about: "the square is left of the star", and never "left of the
star is the square".
"""

from collections.abc import Sequence
from dataclasses import replace

import torch

from cgan.datasets.toy import SENTENCES, Captioned, changed, pictures
from toyworld import english, korean
from toyworld.captions import PAIR, described, say
from toyworld.facts import Description, Relation, holds
from toyworld.parser import read
from toyworld.rng import Rng
from toyworld.scenes import HELD_OUT, RELATIONS, SHOWN, SIZES, Scene, check_split, related, scene_of

OPPOSITE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
PHRASE = {"english": english.phrase, "korean": korean.phrase}
FROM_ANOTHER = 0.25  # share of wrong sentences that belong to another picture


def two_scene(split: str, seed: int, index: int) -> Scene:
    """Scene ``index`` of a split: two objects with different pairs of colour and shape.

    In ``compositional``, one pair is one that training never shows.

    Raises:
        ValueError: if the split is not one of ``SPLITS``.
    """
    check_split(split)
    rng = Rng(f"{split}/{seed}/{index}/two")
    pairs = rng.sample(SHOWN, 2)
    if split == "compositional":
        pairs[0] = rng.choice(HELD_OUT)
    return scene_of(rng, pairs, [rng.choice(SIZES) for _ in pairs])


def true_relation(scene: Scene, rng: Rng) -> Relation:
    """A relation that is true of the scene, both objects named by colour and shape, and sometimes by size."""
    a, b = rng.shuffle(scene.objects)
    relation = rng.choice([name for name in RELATIONS if related(name, a, b)])
    return Relation(described(a, rng.choice(PAIR)), relation, described(b, rng.choice(PAIR)))


def false_relation(fact: Relation, rng: Rng) -> Relation:
    """The same with one thing changed: an attribute of an object, the relation, or which object is which."""
    what = rng.integer(0, 5)
    if what < 2:
        return replace(fact, a=changed(fact.a, rng))
    if what < 4:
        return replace(fact, b=changed(fact.b, rng))
    return replace(fact, relation=OPPOSITE[fact.relation]) if what == 4 else Relation(fact.b, fact.relation, fact.a)


def say_in_order(fact: Relation, language: str, rng: Rng) -> str:
    """The fact in words, its first object first."""
    first, second = (PHRASE[language](one) for one in (fact.a, fact.b))
    while True:
        sentence = say((fact,), language, rng)
        if sentence.index(first) < sentence.rindex(second):
            return sentence


def captioned_pairs(language: str, split: str, seed: int, count: int) -> Captioned:
    """``count`` pictures of a split, each with some right and some wrong sentences."""
    scenes = [two_scene(split, seed, index) for index in range(count)]
    rows: dict[str, int] = {}

    def row_of(fact: Relation, rng: Rng) -> int:
        return rows.setdefault(say_in_order(fact, language, rng), len(rows))

    right, wrong = [], []
    for index, scene in enumerate(scenes):
        rng = Rng(f"{split}/{seed}/{index}/{language}/cgan/two")
        facts = [true_relation(scene, rng) for _ in range(SENTENCES)]
        right.append([row_of(fact, rng) for fact in facts])
        wrong.append([row_of(wrong_relation(fact, scene, scenes, rng), rng) for fact in facts])
    facts = [read(sentence, language) for sentence in rows]
    return Captioned(scenes, pictures(scenes), tuple(rows), facts, torch.tensor(right), torch.tensor(wrong))


def wrong_relation(fact: Relation, scene: Scene, scenes: Sequence[Scene], rng: Rng) -> Relation:
    """A relation that is false of the scene: ``fact`` with one thing changed, or one that is true of another scene."""
    other = false_relation(fact, rng)
    if rng.random() < FROM_ANOTHER:
        other = true_relation(rng.choice(scenes), rng)
    while holds(other, scene):
        other = false_relation(fact, rng)
    return other


def full_relations(count: int) -> list[Relation]:
    """``count`` relations that name size, colour and shape of both objects."""
    found = []
    for index in range(count):
        rng = Rng(f"full/{index}/two")
        first, second = (Description(rng.choice(SIZES), *pair) for pair in rng.sample(SHOWN, 2))
        found.append(Relation(first, RELATIONS[index % len(RELATIONS)], second))
    return found


def scenes_of(fact: Relation, count: int, seed: int = 0) -> list[Scene]:
    """``count`` scenes of which a relation that names everything is true."""
    both, found, index = (fact.a, fact.b), [], 0
    while len(found) < count:
        rng = Rng(f"{fact}/{seed}/{index}")
        scene = scene_of(rng, [(one.colour, one.shape) for one in both], [one.size for one in both])
        found += [scene] if holds(fact, scene) else []
        index += 1
    return found
