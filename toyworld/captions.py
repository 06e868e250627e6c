"""Captions: a scene told in English or Korean. First it is decided what to state, then in which words.

``plan`` draws facts that hold, ``say`` puts facts into words, ``parser.read`` turns the words back into the facts.

Four of ten captions are made to say all of their scene (``facts.says_all``). The others are, equally often where the
scene allows it, a list of its objects, a relation, parts of the whole ("three objects, two of them red"), or just one
object, each by attributes drawn at random; with luck they say all, too. A caption of a scene that shows a held-out pair
names the pair's colour and shape in one description.
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
WORDS = {"english": english.WORDS, "korean": korean.WORDS}  # all that captions are made of, marks included
COMPLETE = 0.4  # the share of captions that say all

Attributes = tuple[bool, bool, bool]  # whether size, colour and shape are named
ALL: Attributes = (True, True, True)
SOME: tuple[Attributes, ...] = tuple(named for named in product((False, True), repeat=3) if any(named))
ONE: tuple[Attributes, ...] = tuple(named for named in SOME if sum(named) == 1)
PAIR: tuple[Attributes, ...] = ((False, True, True), ALL)  # those that name colour and shape


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
    """A caption of a scene; with ``complete``, one that says all of it.

    Raises:
        ValueError: if the language is not one of ``LANGUAGES``.
    """
    return say(plan(scene, rng, complete), language, rng)


def say(facts: Sequence[Fact], language: str, rng: Rng) -> str:
    """Any facts, true or not, in words: one or more sentences, each with its period.

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
    """What a caption states, in this order: facts that hold, and that nobody can take for another object's."""
    if complete or rng.random() < COMPLETE:
        return (total(len(scene.objects)), *listed(scene, ALL, rng))
    new = [o for o in scene.objects if (o.colour, o.shape) in HELD_OUT]
    target = rng.choice(new) if new else None
    kinds = rng.shuffle((plan_list, plan_relation, plan_parts, plan_one))
    return next(facts for kind in kinds if (facts := kind(scene, target, rng)))  # a list is always possible


def plan_list(scene: Scene, target: Object | None, rng: Rng) -> tuple[Fact, ...]:
    """All objects by the same attributes, in half of the lists after their number."""
    items = listed(scene, rng.choice(PAIR if target else SOME), rng)
    return (total(len(scene.objects)), *items) if rng.random() < 0.5 else items


def listed(scene: Scene, named: Attributes, rng: Rng) -> tuple[Fact, ...]:
    """Objects that look alike in the named attributes are counted together: no item speaks of another one's objects."""
    kinds = [described(o, named) for o in rng.shuffle(scene.objects)]
    return tuple(Exists(d) if (n := kinds.count(d)) == 1 else Count(d, n) for d in dict.fromkeys(kinds))


def plan_relation(scene: Scene, target: Object | None, rng: Rng) -> tuple[Fact, ...]:
    """How two objects lie, each told apart from all others; in half of the cases after the number of objects."""
    for a, b in rng.shuffle(list(permutations(scene.objects, 2))):
        if target is not None and target is not a and target is not b:
            continue
        first, second = (next(telling_apart(scene, o, target, rng), None) for o in (a, b))
        so = [relation for relation in RELATIONS if related(relation, a, b)]
        if first and second and so:
            fact = Relation(first, rng.choice(so), second)
            return (total(len(scene.objects)), fact) if rng.random() < 0.5 else (fact,)
    return ()


def plan_parts(scene: Scene, target: Object | None, rng: Rng) -> tuple[Fact, ...]:
    """The number of objects, and how many are so, for one or two attributes (for the target, its pair).

    The two share no object ("one of them red and one of them a star" speaks of two), and neither fits all objects.
    """
    parts: list[Count] = []
    left, most = list(scene.objects), rng.integer(1, 2)
    for o in ([target] if target else []) + rng.shuffle(scene.objects):
        for named in rng.shuffle(PAIR if o is target else ONE):
            those = (d := described(o, named)).those(scene)
            if len(parts) < most and len(those) < len(scene.objects) and all(other in left for other in those):
                parts.append(Count(d, len(those)))
                left = [other for other in left if other not in those]
    return (total(len(scene.objects)), *parts) if parts else ()


def plan_one(scene: Scene, target: Object | None, rng: Rng) -> tuple[Fact, ...]:
    """That there is such an object; there may be others, also others like it."""
    o = target or rng.choice(scene.objects)
    return (Exists(next(descriptions_of(o, target, rng))),)


def described(o: Object, named: Attributes) -> Description:
    size, colour, shape = named
    return Description(o.size if size else None, o.colour if colour else None, o.shape if shape else None)


def descriptions_of(o: Object, target: Object | None, rng: Rng) -> Iterator[Description]:
    """All descriptions that fit an object, in random order; the target's name colour and shape."""
    return (described(o, named) for named in rng.shuffle(PAIR if o is target else SOME))


def telling_apart(scene: Scene, o: Object, target: Object | None, rng: Rng) -> Iterator[Description]:
    """Those that fit this object alone."""
    return (d for d in descriptions_of(o, target, rng) if len(d.those(scene)) == 1)
