"""Facts: what a caption may state about a scene, whether it is true, and how much of the scene it covers.

Facts do not depend on a language. English and Korean sentences state the same facts, and both are read back as facts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from toyworld.scenes import COLOURS, MOST, RELATIONS, SHAPES, SIZES, Object, Scene, related


@dataclass(frozen=True, slots=True)
class Description:
    """Objects of a size, a colour and a shape; None means any. ``Description()`` matches every object.

    Raises:
        ValueError: if the size, colour or shape is not in ``SIZES``, ``COLOURS`` or ``SHAPES``.
    """

    size: str | None = None
    colour: str | None = None
    shape: str | None = None

    def __post_init__(self) -> None:
        for name, value, known in (
            ("size", self.size, SIZES),
            ("colour", self.colour, COLOURS),
            ("shape", self.shape, SHAPES),
        ):
            if value is not None and value not in known:
                raise ValueError(f"{name} must be None or one of {', '.join(known)}, got {value!r}")

    def matches(self, o: Any) -> bool:
        """Whether all that is named is so of ``o``, which has a size, a colour and a shape."""
        return self.size in (None, o.size) and self.colour in (None, o.colour) and self.shape in (None, o.shape)

    def matching(self, scene: Scene) -> list[Object]:
        """The objects of the scene that match, in its order."""
        return [o for o in scene.objects if self.matches(o)]

    @property
    def full(self) -> bool:
        """Whether size, colour and shape are all named."""
        return None not in (self.size, self.colour, self.shape)


@dataclass(frozen=True, slots=True)
class Exists:
    """There is at least one such object, as in "a red circle"."""

    description: Description


@dataclass(frozen=True, slots=True)
class Count:
    """There are exactly ``n`` such objects, as in "two red circles". ``Count(Description(), n)`` counts all objects.

    Raises:
        ValueError: if ``n`` is not from 1 to 4.
    """

    description: Description
    n: int

    def __post_init__(self) -> None:
        if self.n not in range(1, MOST + 1):
            raise ValueError(f"n must be from 1 to {MOST}, got {self.n}")


@dataclass(frozen=True, slots=True)
class Relation:
    """The only object ``a`` is left of, right of, above or below the only ``b``: "the red circle is above the star".

    Raises:
        ValueError: if ``relation`` is not one of ``RELATIONS``.
    """

    a: Description
    relation: str
    b: Description

    def __post_init__(self) -> None:
        if self.relation not in RELATIONS:
            raise ValueError(f"relation must be one of {', '.join(RELATIONS)}, got {self.relation!r}")


Fact = Exists | Count | Relation


def total(n: int) -> Count:
    """The fact that the scene has exactly ``n`` objects."""
    return Count(Description(), n)


def descriptions(fact: Fact) -> tuple[Description, ...]:
    """The descriptions in a fact, in its order."""
    return (fact.a, fact.b) if isinstance(fact, Relation) else (fact.description,)


def holds(fact: Fact, scene: Scene) -> bool:
    """Whether a fact is true of a scene.

    A relation holds only if each of its descriptions matches exactly one object. In a scene with two red circles, "the
    red circle is above the star" is ambiguous, and so is "a red circle above a star". An ambiguous relation does not
    hold. Two objects that are closer than ``MARGIN`` are in no relation.
    """
    if isinstance(fact, Relation):
        a, b = fact.a.matching(scene), fact.b.matching(scene)
        return len(a) == len(b) == 1 and related(fact.relation, a[0], b[0]) is True
    n = len(fact.description.matching(scene))
    return n >= 1 if isinstance(fact, Exists) else n == fact.n


def true_facts(facts: Iterable[Fact], scene: Scene) -> tuple[Fact, ...]:
    """The facts that hold, in their order."""
    return tuple(fact for fact in facts if holds(fact, scene))


@dataclass(frozen=True, slots=True)
class Judgement:
    """``true`` of the ``stated`` facts hold, and they say ``said`` of the ``to_say`` things.

    The things to say are: each object with its size, colour and shape, and the number of objects.
    """

    true: int
    stated: int
    said: int
    to_say: int


def judge(facts: Iterable[Fact], scene: Scene) -> Judgement:
    """How many of the facts are true (compare precision), and how much of the scene they say (compare recall).

    A repeated fact counts once. Only true facts say something. A fact says an object if it names size, colour and shape
    together. Of three objects of one kind, ``Exists`` says one and ``Count`` says three; a relation says its two
    objects. Only ``Count(Description(), n)`` says the number of objects, since a list may leave objects out. Relations
    are not among the things to say.
    """
    stated = set(facts)
    true = true_facts(stated, scene)
    said: dict[Description, int] = {}  # how many objects of each fully described kind
    for fact in true:
        for kind in descriptions(fact):
            if kind.full:
                n = fact.n if isinstance(fact, Count) else 1
                said[kind] = max(said.get(kind, 0), n)
    n = len(scene.objects)
    return Judgement(len(true), len(stated), sum(said.values()) + (total(n) in stated), n + 1)


def says_all(facts: Iterable[Fact], scene: Scene) -> bool:
    """Whether the facts say every object with size, colour and shape, and the number of objects (see ``judge``).

    They then determine the scene, except for places. False facts are ignored; ``judge`` counts them.
    """
    judgement = judge(facts, scene)
    return judgement.said == judgement.to_say
