"""Facts: what a caption may state of a scene, whether it is so, and how much of the scene has then been said.

Facts know no language: the same ones are told in English and in Korean, and read back from either.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from toyworld.scenes import COLOURS, MOST, RELATIONS, SHAPES, SIZES, Object, Scene, related


@dataclass(frozen=True, slots=True)
class Description:
    """The objects of a size, a colour and a shape; None is any. ``Description()`` fits every object.

    Raises:
        ValueError: if a size, a colour or a shape is none of the toy world's.
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

    def matches(self, o: Object) -> bool:
        return (
            (self.size is None or self.size == o.size)
            and (self.colour is None or self.colour == o.colour)
            and (self.shape is None or self.shape == o.shape)
        )

    def those(self, scene: Scene) -> list[Object]:
        """The objects of the scene that fit, in its order."""
        return [o for o in scene.objects if self.matches(o)]

    @property
    def full(self) -> bool:
        """Whether size, colour and shape are all named."""
        return None not in (self.size, self.colour, self.shape)


@dataclass(frozen=True, slots=True)
class Exists:
    """There is at least one such object: "a red circle"."""

    description: Description


@dataclass(frozen=True, slots=True)
class Count:
    """There are exactly ``n`` such objects: "two red circles". ``Count(Description(), n)`` counts the whole scene.

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
    """The one object ``a`` lies so to the one object ``b``: "the red circle is above the star".

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
    """What a fact names, in its order."""
    return (fact.a, fact.b) if isinstance(fact, Relation) else (fact.description,)


def holds(fact: Fact, scene: Scene) -> bool:
    """Whether a fact is true of a scene.

    A relation holds only where each of its descriptions fits exactly one object, whichever article it came with: said
    of a scene with two red circles, "the red circle is above the star" and "a red circle above a star" are ambiguous,
    and ambiguous is not true. Within the margin of ``related`` neither a relation nor its opposite holds.
    """
    if isinstance(fact, Relation):
        a, b = fact.a.those(scene), fact.b.those(scene)
        return len(a) == len(b) == 1 and related(fact.relation, a[0], b[0]) is True
    n = len(fact.description.those(scene))
    return n >= 1 if isinstance(fact, Exists) else n == fact.n


def true_facts(facts: Iterable[Fact], scene: Scene) -> tuple[Fact, ...]:
    """Those of the facts that hold, in their order."""
    return tuple(fact for fact in facts if holds(fact, scene))


@dataclass(frozen=True, slots=True)
class Judgement:
    """How facts fit a scene: ``true`` of the ``stated`` facts hold, and they say ``said`` of the ``to_say`` things.

    The things to say are each object, with its size, colour and shape, and how many objects there are.
    """

    true: int
    stated: int
    said: int
    to_say: int


def judge(facts: Iterable[Fact], scene: Scene) -> Judgement:
    """Of what is stated, how much is true; of what there is, how much is said. A repeated fact counts once.

    Only what is true says something. An object is said by a fact that names size, colour and shape at once: of three
    objects of one kind, ``Exists`` says one, ``Count`` all three, and a relation the two objects that it relates. The
    number of objects is said by ``Count(Description(), n)`` alone: a list may be silent about others. Relations
    themselves are not among the things to say.
    """
    stated = set(facts)
    true = true_facts(stated, scene)
    said: dict[Description, int] = {}  # of each fully named kind, how many objects
    for fact in true:
        for kind in descriptions(fact):
            if kind.full:
                n = fact.n if isinstance(fact, Count) else 1
                said[kind] = max(said.get(kind, 0), n)
    n = len(scene.objects)
    return Judgement(len(true), len(stated), sum(said.values()) + (total(n) in stated), n + 1)


def says_all(facts: Iterable[Fact], scene: Scene) -> bool:
    """Whether every object is said, with size, colour and shape, and also how many objects there are (see ``judge``).

    Only one kind of scene is then left: one that shows the same objects, places aside. False facts do not count, and
    do not harm either; ``judge`` tells whether there are any.
    """
    judgement = judge(facts, scene)
    return judgement.said == judgement.to_say
