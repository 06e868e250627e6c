"""Captions of scenes, in English and Korean.

``plan`` draws the facts of a caption, ``say`` puts them into words, and ``parser.read`` reads the words back.

Four of ten captions are complete: they say everything about their scene (``facts.says_all``). The others are of four
kinds, equally often where the scene allows it: a list of the objects, a relation, parts of the whole ("three objects,
two of them red"), or one object. They name random attributes, so they can be complete too. If the scene shows a
held-out pair, its caption names the pair's colour and shape in one description.
"""

from collections.abc import Iterator, Sequence
from itertools import permutations, product

from toyworld import english, korean
from toyworld.facts import Count, Description, Exists, Fact, Relation, total
from toyworld.rng import Rng
from toyworld.scenes import HELD_OUT, RELATIONS, Object, Scene, related, scene_at
from toyworld.sentences import sentences

LANGUAGES = ("english", "korean")
SAY = {"english": english.say, "korean": korean.say}
WORDS = {"english": english.WORDS, "korean": korean.WORDS}  # the vocabulary of captions, with punctuation
COMPLETE = 0.4  # share of captions that are complete on purpose

Attributes = tuple[bool, bool, bool]  # which of size, colour and shape a description names
ALL: Attributes = (True, True, True)
SOME: tuple[Attributes, ...] = tuple(named for named in product((False, True), repeat=3) if any(named))
ONE: tuple[Attributes, ...] = tuple(named for named in SOME if sum(named) == 1)
PAIR: tuple[Attributes, ...] = ((False, True, True), ALL)  # the choices with colour and shape


def captions_at(split: str, seed: int, index: int, language: str, count: int = 1, complete: bool = False) -> list[str]:
    """``count`` captions of scene ``index`` of a split. Caption k states the same facts in every language.

    Raises:
        ValueError: if the split is not one of ``SPLITS``, or the language not one of ``LANGUAGES``.
    """
    check_language(language)
    scene = scene_at(split, seed, index)
    captions = []
    for k in range(count):
        name = f"{split}/{seed}/{index}/caption/{k}"
        captions.append(say(plan(scene, Rng(f"{name}/facts"), complete), language, Rng(f"{name}/{language}")))
    return captions


def tell(scene: Scene, language: str, rng: Rng, complete: bool = False) -> str:
    """A caption of a scene; with ``complete``, one that says everything about it.

    ``rng`` draws the facts and the words: ``tell(scene, "korean", Rng("any name"))``.

    Raises:
        ValueError: if the language is not one of ``LANGUAGES``.
    """
    return say(plan(scene, rng, complete), language, rng)


def say(facts: Sequence[Fact], language: str, rng: Rng) -> str:
    """Facts in words, true or not: one or more sentences, each with a period. ``rng`` draws the wording.

    Raises:
        ValueError: if there is no fact, or the language is not one of ``LANGUAGES``.
    """
    if not facts:
        raise ValueError("facts must be at least one, got none")
    check_language(language)
    return SAY[language](sentences(facts), rng)


def check_language(language: str) -> None:
    if language not in LANGUAGES:
        raise ValueError(f"language must be one of {', '.join(LANGUAGES)}, got {language!r}")


def plan(scene: Scene, rng: Rng, complete: bool = False) -> tuple[Fact, ...]:
    """The facts of a caption, in order. They are true, and they are not ambiguous."""
    if complete or rng.random() < COMPLETE:
        return (total(len(scene.objects)), *listed(scene, ALL, rng))
    held_out = [o for o in scene.objects if (o.colour, o.shape) in HELD_OUT]
    target = rng.choice(held_out) if held_out else None
    kinds = rng.shuffle((plan_list, plan_relation, plan_parts, plan_one))
    return next(facts for kind in kinds if (facts := kind(scene, target, rng)))  # a list is always possible


def plan_list(scene: Scene, target: Object | None, rng: Rng) -> tuple[Fact, ...]:
    """All objects, described by the same attributes; half of the lists begin with the number of objects."""
    items = listed(scene, rng.choice(PAIR if target else SOME), rng)
    return (total(len(scene.objects)), *items) if rng.random() < 0.5 else items


def listed(scene: Scene, named: Attributes, rng: Rng) -> tuple[Fact, ...]:
    """One item for all objects with the same description, so that no two items share an object."""
    kinds = [described(o, named) for o in rng.shuffle(scene.objects)]
    return tuple(Exists(d) if (n := kinds.count(d)) == 1 else Count(d, n) for d in dict.fromkeys(kinds))


def plan_relation(scene: Scene, target: Object | None, rng: Rng) -> tuple[Fact, ...]:
    """A relation of two objects, both described uniquely; half begin with the number of objects."""
    for a, b in rng.shuffle(list(permutations(scene.objects, 2))):
        if target is not None and target is not a and target is not b:
            continue
        first, second = (next(unique_descriptions(scene, o, target, rng), None) for o in (a, b))
        true = [relation for relation in RELATIONS if related(relation, a, b)]
        if first and second and true:
            fact = Relation(first, rng.choice(true), second)
            return (total(len(scene.objects)), fact) if rng.random() < 0.5 else (fact,)
    return ()


def plan_parts(scene: Scene, target: Object | None, rng: Rng) -> tuple[Fact, ...]:
    """The number of objects, then one or two parts, each by one attribute (the target by its colour and shape).

    Two parts share no object: "one of them red and one of them a star" means two objects. No part is the whole scene.
    """
    parts: list[Count] = []
    left, most = list(scene.objects), rng.integer(1, 2)
    for o in ([target] if target else []) + rng.shuffle(scene.objects):
        for named in rng.shuffle(PAIR if o is target else ONE):
            part = (d := described(o, named)).matching(scene)
            if len(parts) < most and len(part) < len(scene.objects) and all(other in left for other in part):
                parts.append(Count(d, len(part)))
                left = [other for other in left if other not in part]
    return (total(len(scene.objects)), *parts) if parts else ()


def plan_one(scene: Scene, target: Object | None, rng: Rng) -> tuple[Fact, ...]:
    """One object exists. There may be others, also with the same description."""
    o = target or rng.choice(scene.objects)
    return (Exists(next(descriptions_of(o, target, rng))),)


def described(o: Object, named: Attributes) -> Description:
    size, colour, shape = named
    return Description(o.size if size else None, o.colour if colour else None, o.shape if shape else None)


def descriptions_of(o: Object, target: Object | None, rng: Rng) -> Iterator[Description]:
    """All descriptions of an object, in random order; those of the target name colour and shape."""
    return (described(o, named) for named in rng.shuffle(PAIR if o is target else SOME))


def unique_descriptions(scene: Scene, o: Object, target: Object | None, rng: Rng) -> Iterator[Description]:
    """The descriptions that match this object alone."""
    return (d for d in descriptions_of(o, target, rng) if len(d.matching(scene)) == 1)
