"""``toyworld.facts``: which facts are true of a scene, and how much of the scene they say."""

from itertools import combinations_with_replacement

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toyworld.misconceptions import captions as misconceptions
from toyworld.facts import (
    Count,
    Description,
    Exists,
    Fact,
    Judgement,
    Relation,
    holds,
    judge,
    says_all,
    total,
    true_facts,
)
from toyworld.scenes import COLOURS, RELATIONS, SHAPES, SIZES, Object, Scene


def thing(size: str, colour: str, shape: str, x: int, y: int) -> Object:
    """``x`` and ``y`` in hundredths of the image's width."""
    return Object(shape, colour, size, x / 100, y / 100, 0.09, (0.0, 0.0, 0.0))


def scene_with(*objects: Object) -> Scene:
    return Scene(objects, (1.0, 1.0, 1.0), 0.0)


FEW = (st.sampled_from(SIZES), st.sampled_from(("red", "orange")), st.sampled_from(("circle", "cross")))
ANY = (st.sampled_from(SIZES), st.sampled_from(COLOURS), st.sampled_from(SHAPES))
PLACE = st.integers(10, 90)
# half of the scenes use few attributes, so that objects are often equal; some pairs are held out
OBJECTS = st.one_of(
    *(st.lists(st.builds(thing, *parts, PLACE, PLACE), min_size=1, max_size=4, unique=True) for parts in (FEW, ANY))
)
DESCRIPTIONS = st.one_of(*(st.builds(Description, *(st.none() | part for part in parts)) for parts in (FEW, ANY)))
FACTS = st.one_of(
    st.builds(Exists, DESCRIPTIONS),
    st.builds(Count, DESCRIPTIONS, st.integers(1, 4)),
    st.builds(total, st.integers(1, 4)),
    st.builds(Relation, DESCRIPTIONS, st.sampled_from(RELATIONS), DESCRIPTIONS),
)

RED_CIRCLE, CIRCLE, RED, STAR = (
    Description(colour="red", shape="circle"),
    Description(shape="circle"),
    Description(colour="red"),
    Description(shape="star"),
)
SCENE = scene_with(
    thing("large", "red", "circle", 20, 20),
    thing("small", "blue", "circle", 60, 25),
    thing("small", "yellow", "star", 40, 80),
    thing("small", "yellow", "star", 80, 80),
)
BIG_RED_CIRCLE = Description("large", "red", "circle")
SMALL_BLUE_CIRCLE = Description("small", "blue", "circle")
SMALL_YELLOW_STAR = Description("small", "yellow", "star")


BY_HAND = [
    (Exists(RED_CIRCLE), True),
    (Exists(CIRCLE), True),  # at least one
    (Exists(Description(colour="green")), False),
    (Exists(Description("small", "red", "circle")), False),  # each word matches some object, all three match none
    (Count(CIRCLE, 2), True),
    (Count(STAR, 1), False),  # exactly one
    (Count(STAR, 3), False),
    (Count(Description(size="small"), 3), True),
    (total(4), True),
    (total(3), False),
    (Relation(RED, "left of", Description(colour="blue")), True),
    (Relation(Description(colour="blue"), "right of", RED), True),
    (Relation(RED, "right of", Description(colour="blue")), False),
    (Relation(RED, "above", Description(colour="blue")), False),  # 0.05 apart: neither above nor below
    (Relation(RED, "below", Description(colour="blue")), False),
    (Relation(RED, "above", STAR), False),  # which star?
    (Relation(CIRCLE, "above", RED), False),  # which circle?
    (Relation(RED, "left of", Description(colour="green")), False),  # there is none
    (Relation(RED, "left of", RED), False),
]


def check_by_hand(candidate) -> None:
    for fact, truth in BY_HAND:
        assert candidate(fact, SCENE) == truth, f"{fact} must be {truth} in\n{SCENE}"


def test_holds_by_hand() -> None:
    check_by_hand(holds)
    facts = [fact for fact, _ in BY_HAND]
    assert true_facts(facts, SCENE) == tuple(fact for fact, truth in BY_HAND if truth)


def fits(description: Description, o: Object) -> bool:
    wanted = {description.size, description.colour, description.shape} - {None}
    return wanted <= {o.size, o.colour, o.shape}


def holds_spec(fact: Fact, scene: Scene) -> bool:
    """By enumeration of all objects, or pairs of objects, that the fact could mean."""
    if isinstance(fact, Exists):
        return any(fits(fact.description, o) for o in scene.objects)
    if isinstance(fact, Count):
        return sum(fits(fact.description, o) for o in scene.objects) == fact.n
    pairs = [(a, b) for a in scene.objects for b in scene.objects if fits(fact.a, a) and fits(fact.b, b)]
    if len(pairs) != 1:
        return False
    ((a, b),) = pairs
    right, down = round(100 * (a.x - b.x)), round(100 * (a.y - b.y))  # from b, in hundredths
    return {"left of": -right, "right of": right, "above": -down, "below": down}[fact.relation] >= 10


def near_the_margin(scene: Scene) -> bool:
    """Hundredths are not exact in binary: a distance of 0.10 may be on either side of the margin."""
    return any(
        round(100 * abs(p - q)) == 10 for a in scene.objects for b in scene.objects for p, q in ((a.x, b.x), (a.y, b.y))
    )


def check_holds(candidate, fact: Fact, scene: Scene) -> None:
    if not near_the_margin(scene):
        got, expected = candidate(fact, scene), holds_spec(fact, scene)
        assert got == expected, f"{fact}: {got}, but all objects that it could mean give {expected}\nin {scene}"


@given(fact=FACTS, objects=OBJECTS)
def test_holds_equals_the_spec(fact: Fact, objects: list[Object]) -> None:
    check_holds(holds, fact, scene_with(*objects))


def test_matching_objects_are_in_the_order_of_the_scene() -> None:
    assert CIRCLE.matching(SCENE) == list(SCENE.objects[:2])
    assert Description().matching(SCENE) == list(SCENE.objects)


@pytest.mark.parametrize(
    ("facts", "true", "stated", "said", "all_is_said"),
    [
        ([], 0, 0, 0, False),
        ([total(4)], 1, 1, 1, False),
        ([total(3)], 0, 1, 0, False),
        ([Exists(RED_CIRCLE)], 1, 1, 0, False),  # without its size
        ([Exists(BIG_RED_CIRCLE)] * 3, 1, 1, 1, False),  # a repeated fact counts once
        ([Exists(SMALL_YELLOW_STAR)], 1, 1, 1, False),  # one of the two
        ([Count(SMALL_YELLOW_STAR, 2), Exists(SMALL_YELLOW_STAR)], 2, 2, 2, False),
        ([Count(SMALL_YELLOW_STAR, 3)], 0, 1, 0, False),
        ([Relation(BIG_RED_CIRCLE, "left of", SMALL_BLUE_CIRCLE)], 1, 1, 2, False),
        ([Relation(BIG_RED_CIRCLE, "right of", SMALL_BLUE_CIRCLE)], 0, 1, 0, False),
        ([Exists(BIG_RED_CIRCLE), Exists(SMALL_BLUE_CIRCLE), Count(SMALL_YELLOW_STAR, 2)], 3, 3, 4, False),  # no number
        ([Exists(BIG_RED_CIRCLE), Exists(SMALL_BLUE_CIRCLE), Exists(SMALL_YELLOW_STAR), total(4)], 4, 4, 4, False),
        ([total(4), Exists(BIG_RED_CIRCLE), Exists(SMALL_BLUE_CIRCLE), Count(SMALL_YELLOW_STAR, 2)], 4, 4, 5, True),
        (
            [Count(SMALL_YELLOW_STAR, 2), Relation(BIG_RED_CIRCLE, "left of", SMALL_BLUE_CIRCLE), total(4), total(2)],
            3, 4, 5, True,
        ),
    ],
)  # fmt: skip
def test_judge_by_hand(facts: list[Fact], true: int, stated: int, said: int, all_is_said: bool) -> None:
    assert judge(facts, SCENE) == Judgement(true, stated, said, to_say=5)
    assert says_all(facts, SCENE) == all_is_said


KINDS = [Description(size, "red", shape) for size in SIZES for shape in ("circle", "square", "star")]
SMALL_WORLD = [
    scene_with(*(thing(d.size, d.colour, d.shape, 10 + 20 * k, 50) for k, d in enumerate(kinds)))
    for n in (1, 2, 3, 4)
    for kinds in combinations_with_replacement(KINDS, n)
]
KIND = st.sampled_from(KINDS)


@given(
    scene=st.sampled_from(SMALL_WORLD),
    facts=st.sets(st.builds(Exists, KIND) | st.builds(Count, KIND, st.integers(1, 4)), max_size=9),
)
def test_facts_say_all_if_one_scene_is_left(scene: Scene, facts: set[Fact]) -> None:
    """In a world with six kinds of objects and 209 scenes: the facts and the number of objects fit one scene only.

    With six kinds, the counts of all other kinds can never determine the last one.
    """
    facts = {*true_facts(facts, scene), total(len(scene.objects))}
    left = [other for other in SMALL_WORLD if len(true_facts(facts, other)) == len(facts)]
    assert says_all(facts, scene) == (left == [scene])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Description(size="red"), "size must be None or one of small, large, got 'red'"),
        (lambda: Description(colour="pink"), "colour must be None or one of red, orange.*, got 'pink'"),
        (lambda: Description(shape="circles"), "shape must be None or one of circle.*, got 'circles'"),
        (lambda: Count(RED, 0), "n must be from 1 to 4, got 0"),
        (lambda: Count(RED, 5), "n must be from 1 to 4, got 5"),
        (lambda: Relation(RED, "near", STAR), "relation must be one of left of.*, got 'near'"),
    ],
)
def test_wrong_facts_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("wrong", misconceptions.HOLDS, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_by_hand(wrong)
