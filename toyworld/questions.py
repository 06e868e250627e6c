"""Questions about scenes with their answers, in English and Korean: six kinds, equally often.

The question is drawn before its scene, to balance the answers: first the kind, then the question, then one of its
possible answers, then a scene with that answer. So for each question text all possible answers are equally likely, and
the text alone says nothing about the answer.

| kind | question | possible answers |
| --- | --- | --- |
| colour | what colour is the star? what colour is the large object? | the colours that a star may have; all |
| shape | what shape is the red object? what shape is the small object? | the shapes that may be red; all |
| count | how many stars are there? how many large red objects are there? | 0, 1, 2, 3, 4; of all objects 1, 2, 3, 4 |
| existence | is there a red star? | yes, no |
| comparison | are there more stars than circles? | yes, no |
| relation | is the red star left of the blue circle? | yes, no |

In ``compositional`` each question depends on a pair from ``HELD_OUT``: it is about an object with this pair, or it asks
whether there is one. Questions about colour and shape then name only the size. (In training, red is never the answer to
"what colour is the circle?". So the text alone would rule out the right answer.)

``more_questions`` draws further questions about a given scene, so that training can use an image several times. Their
answers are only nearly balanced. Evaluation uses ``question_at``.

What is asked and answered does not depend on the language; ``question_text`` puts it into words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from toyworld.captions import check_language
from toyworld.facts import Description
from toyworld.question_text import ANSWERS, KINDS, NAMED, YES_NO, Meaning, attributes, naming, say_question, translated
from toyworld.rng import Rng
from toyworld.scenes import (
    COLOURS,
    HELD_OUT,
    MOST,
    RELATIONS,
    SHAPES,
    SHOWN,
    SIZES,
    Object,
    Pair,
    Scene,
    check_split,
    related,
    scene_of,
)

__all__ = ["ANSWERS", "KINDS", "Question", "more_questions", "question_at"]


@dataclass(frozen=True, slots=True)
class Question:
    """A question of one of the ``KINDS``, and its answer, one of ``ANSWERS_IN[language]``."""

    kind: str
    text: str
    answer: str


Answered = tuple[Meaning, str]  # what a question asks, and the right answer, one of ``ANSWERS``


def question_at(split: str, seed: int, index: int, language: str = "english") -> tuple[Scene, Question]:
    """Question ``index`` of a split, and its scene. It asks the same in every language.

    Raises:
        ValueError: if the split is not one of ``SPLITS``, or the language not one of ``LANGUAGES``.
    """
    check_split(split)
    check_language(language)
    rng = Rng(f"{split}/{seed}/{index}/question")
    kind = rng.choice(KINDS)
    target = rng.choice(HELD_OUT) if split == "compositional" else None
    scene, asked = ASK[kind](rng, target)
    return scene, worded(rng, asked, language)


def ask_colour(rng: Rng, target: Pair | None) -> tuple[Scene, Answered]:
    by_shape = target is None and rng.coin()
    asked = Description(shape=rng.choice(SHAPES)) if by_shape else Description(size=rng.choice(SIZES))
    pair = target or rng.choice([pair for pair in SHOWN if fits(pair, asked)])
    return scene_with(rng, [(asked, [pair])]), (Meaning("colour", (asked,)), pair[0])


def ask_shape(rng: Rng, target: Pair | None) -> tuple[Scene, Answered]:
    by_colour = target is None and rng.coin()
    asked = Description(colour=rng.choice(COLOURS)) if by_colour else Description(size=rng.choice(SIZES))
    shape = target[1] if target else rng.choice([s for s in SHAPES if (asked.colour, s) not in HELD_OUT])
    pair = target or rng.choice([pair for pair in SHOWN if fits(pair, asked) and pair[1] == shape])
    return scene_with(rng, [(asked, [pair])]), (Meaning("shape", (asked,)), shape)


def ask_count(rng: Rng, target: Pair | None) -> tuple[Scene, Answered]:
    names = names_to_count(rng)
    asked = naming(names, Description(rng.choice(SIZES), *(target or rng.choice(SHOWN))))
    count = rng.integer(1 if target or not names else 0, MOST)
    scene = scene_with(rng, [(asked, pairs_for(rng, asked, count, target))], distract=True)
    return scene, (Meaning("count", (asked,)), str(count))


def names_to_count(rng: Rng) -> tuple[str, ...]:
    """Which attributes a count names: none, one or two, equally often."""
    number = rng.integer(0, 2)
    return rng.choice([names for names in NAMED["count"] if len(names) == number])


def ask_existence(rng: Rng, target: Pair | None) -> tuple[Scene, Answered]:
    pair = target or rng.choice(SHOWN)
    asked = colour_and_shape(pair) if target or rng.coin() else colour_or_shape(rng, pair)
    answer = rng.choice(YES_NO)
    pairs = pairs_for(rng, asked, rng.integer(1, 2), target) if answer == "yes" else []
    scene = scene_with(rng, [(asked, pairs)], distract=True)
    return scene, (Meaning("existence", (asked,)), answer)


def ask_comparison(rng: Rng, target: Pair | None) -> tuple[Scene, Answered]:
    a = colour_or_shape(rng, target or rng.choice(SHOWN))
    b = rng.choice(others_than(a))
    word, answer = rng.choice(("more", "fewer")), rng.choice(YES_NO)
    fewest = 1 if target else 0
    counts = [(k, m) for k in range(fewest, MOST + 1) for m in range(MOST + 1 - k) if compare(word, k, m) == answer]
    k, m = rng.choice([(k, m) for k, m in counts if k + m > 0])
    scene = scene_with(rng, [(a, pairs_for(rng, a, k, target)), (b, pairs_for(rng, b, m, None))])
    return scene, (Meaning("comparison", (a, b), word), answer)


def ask_relation(rng: Rng, target: Pair | None) -> tuple[Scene, Answered]:
    first = target or rng.choice(SHOWN)
    second = rng.choice([pair for pair in SHOWN if pair[0] != first[0] and pair[1] != first[1]])
    first, second = rng.shuffle((first, second))
    describe = colour_and_shape if target else rng.choice(DESCRIBE)
    a, b = describe(first), describe(second)
    relation, answer = rng.choice(RELATIONS), rng.choice(YES_NO)
    scene = scene_with(rng, [(a, [first]), (b, [second])], where=(relation, answer == "yes"))
    return scene, (Meaning("relation", (a, b), relation), answer)


ASK = {
    "colour": ask_colour,
    "shape": ask_shape,
    "count": ask_count,
    "existence": ask_existence,
    "comparison": ask_comparison,
    "relation": ask_relation,
}


def worded(rng: Rng, asked: Answered, language: str) -> Question:
    """The question in one of its two wordings."""
    meaning, answer = asked
    return Question(meaning.kind, say_question(meaning, language, rng.integer(0, 1)), translated(answer, language))


def fits(pair: Pair, asked: Description) -> bool:
    return asked.colour in (None, pair[0]) and asked.shape in (None, pair[1])


def colour_and_shape(pair: Pair) -> Description:
    return Description(None, *pair)


def colour_or_shape(rng: Rng, pair: Pair) -> Description:
    """The pair's colour alone, or its shape alone."""
    return rng.choice((Description(colour=pair[0]), Description(shape=pair[1])))


DESCRIBE = (colour_and_shape, lambda pair: Description(colour=pair[0]), lambda pair: Description(shape=pair[1]))


def others_than(a: Description) -> list[Description]:
    """All other colours for a colour, all other shapes for a shape."""
    if a.colour:
        return [Description(colour=colour) for colour in COLOURS if colour != a.colour]
    return [Description(shape=shape) for shape in SHAPES if shape != a.shape]


def compare(word: str, k: int, m: int) -> str:
    return "yes" if (k > m if word == "more" else k < m) else "no"


def pairs_for(rng: Rng, asked: Description, count: int, target: Pair | None) -> list[Pair]:
    """``count`` pairs that fit; the first one is the target, if there is one."""
    first = [target] if target and count else []
    options = [pair for pair in (*SHOWN, *first) if fits(pair, asked)]
    return first + [rng.choice(options) for _ in range(count - len(first))]


KINDS_OF_OBJECTS = tuple(Description(size, *pair) for pair in SHOWN for size in SIZES)


def shares(a: Description, b: Description) -> bool:
    """Whether a size, a colour or a shape of ``b`` is that of ``a`` too."""
    return any(getattr(b, name) == getattr(a, name) for name in attributes(b))


def scene_with(
    rng: Rng,
    required: Sequence[tuple[Description, list[Pair]]],
    where: tuple[str, bool] | None = None,
    distract: bool = False,
) -> Scene:
    """A scene in which exactly the required objects match their descriptions; a random number of other objects joins.

    ``where`` is a relation, and whether it holds between the first two objects. With ``distract``, half of the other
    objects share an attribute of the description. So "something is red" does not answer "is there a red star?".
    """
    asked = [description for description, _ in required]
    pairs = [pair for _, these in required for pair in these]
    sizes = [description.size or rng.choice(SIZES) for description, these in required for _ in these]
    # beside "the large object" all others are small; beside "the star" the others may be large, but are no stars
    others = [o for o in KINDS_OF_OBJECTS if not any(d.matches(o) for d in asked)]
    near = [o for o in others if any(shares(o, d) for d in asked)] if distract else []
    for _ in range(rng.integer(max(1, len(pairs)), MOST) - len(pairs) if others else 0):
        other = rng.choice(near if near and rng.coin() else others)
        pairs.append((other.colour, other.shape))
        sizes.append(other.size)
    while True:
        scene = scene_of(rng, pairs, sizes)
        if where is None or related(where[0], *scene.objects[:2]) is where[1]:
            return Scene(tuple(rng.shuffle(scene.objects)), scene.background, scene.grain)


def more_questions(
    split: str, seed: int, index: int, scene: Scene, count: int, language: str = "english"
) -> list[Question]:
    """``count`` further questions about a scene without held-out pairs.

    Raises:
        ValueError: if the split is not one of ``SPLITS``, or the language not one of ``LANGUAGES``.
    """
    check_split(split)
    check_language(language)
    rng = Rng(f"{split}/{seed}/{index}/more")
    questions = []
    while len(questions) < count:
        asked = ASK_ABOUT[rng.choice(KINDS)](rng, scene)  # None if it has no answer in this scene
        if asked is not None:
            questions.append(worded(rng, asked, language))
    return questions


def about_colour(rng: Rng, scene: Scene) -> Answered | None:
    o = rng.choice(scene.objects)
    asked = rng.choice((Description(shape=o.shape), Description(size=o.size)))
    return (Meaning("colour", (asked,)), o.colour) if len(asked.matching(scene)) == 1 else None


def about_shape(rng: Rng, scene: Scene) -> Answered | None:
    o = rng.choice(scene.objects)
    asked = rng.choice((Description(colour=o.colour), Description(size=o.size)))
    return (Meaning("shape", (asked,)), o.shape) if len(asked.matching(scene)) == 1 else None


def about_count(rng: Rng, scene: Scene) -> Answered | None:
    """One count of five is 0, if it names something. For the others the number is drawn first: most would be 1."""
    names = rng.choice(NAMED["count"])
    if names and rng.random() < 0.2:
        absent = naming(names, Description(rng.choice(SIZES), *absent_pair(rng, rng.choice(scene.objects))))
        return None if absent.matching(scene) else (Meaning("count", (absent,)), "0")
    shown = dict.fromkeys(naming(names, o) for o in scene.objects)
    by_number = {}
    for asked in shown:
        by_number.setdefault(len(asked.matching(scene)), []).append(asked)
    number = rng.choice(sorted(by_number))
    return Meaning("count", (rng.choice(by_number[number]),)), str(number)


def absent_pair(rng: Rng, o: Object) -> Pair:
    """Any pair; in half of the cases a distractor, a pair that shares its colour or its shape with an object."""
    return rng.choice([(c, s) for c, s in SHOWN if c == o.colour or s == o.shape] if rng.coin() else SHOWN)


def about_existence(rng: Rng, scene: Scene) -> Answered | None:
    answer, o = rng.choice(YES_NO), rng.choice(scene.objects)
    pair = (o.colour, o.shape) if answer == "yes" else absent_pair(rng, o)
    asked = colour_and_shape(pair) if rng.coin() else colour_or_shape(rng, pair)
    right = "yes" if asked.matching(scene) else "no"
    return (Meaning("existence", (asked,)), answer) if right == answer else None


def about_comparison(rng: Rng, scene: Scene) -> Answered | None:
    o, answer, word = rng.choice(scene.objects), rng.choice(YES_NO), rng.choice(("more", "fewer"))
    a = colour_or_shape(rng, (o.colour, o.shape))
    pair = rng.shuffle((a, rng.choice(others_than(a))))
    right = compare(word, *(len(asked.matching(scene)) for asked in pair))
    return (Meaning("comparison", tuple(pair), word), answer) if right == answer else None


def about_relation(rng: Rng, scene: Scene) -> Answered | None:
    if len(scene.objects) < 2:
        return None
    a, b = rng.sample(scene.objects, 2)
    describe, relation = rng.choice(DESCRIBE), rng.choice(RELATIONS)
    first, second = (describe((o.colour, o.shape)) for o in (a, b))
    holds = related(relation, a, b)
    if holds is None or any(len(asked.matching(scene)) != 1 for asked in (first, second)):
        return None
    return Meaning("relation", (first, second), relation), "yes" if holds else "no"


ASK_ABOUT = {
    "colour": about_colour,
    "shape": about_shape,
    "count": about_count,
    "existence": about_existence,
    "comparison": about_comparison,
    "relation": about_relation,
}
