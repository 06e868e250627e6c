"""Questions about scenes, in English, with their answers: six kinds, equally often.

The question is drawn before its scene, to balance the answers: first the kind, then the question, then one of its
possible answers, then a scene with that answer. So for each question text all possible answers are equally likely, and
the text alone says nothing about the answer.

| kind | question | possible answers |
| --- | --- | --- |
| colour | what colour is the star? what colour is the large object? | the colours that a star may have; all |
| shape | what shape is the red object? what shape is the small object? | the shapes that may be red; all |
| count | how many stars are there? | 0, 1, 2, 3, 4 |
| existence | is there a red star? | yes, no |
| comparison | are there more stars than circles? | yes, no |
| relation | is the red star left of the blue circle? | yes, no |

In ``compositional`` each question depends on a pair from ``HELD_OUT``: it is about an object with this pair, or it asks
whether there is one. Questions about colour and shape then name only the size. (In training, red is never the answer to
"what colour is the circle?". So the text alone would rule out the right answer.)

``more_questions`` draws further questions about a given scene, so that training can use an image several times. Their
answers are only nearly balanced. Evaluation uses ``question_at``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from toyworld.english import phrase, with_article
from toyworld.facts import Description
from toyworld.rng import Rng
from toyworld.scenes import (
    COLOURS,
    HELD_OUT,
    MOST,
    RELATIONS,
    SHAPES,
    SHOWN,
    SIZES,
    Pair,
    Scene,
    check_split,
    related,
    scene_of,
)

KINDS = ("colour", "shape", "count", "existence", "comparison", "relation")
NUMBERS = tuple(str(n) for n in range(MOST + 1))
YES_NO = ("yes", "no")
ANSWERS = (*COLOURS, *SHAPES, *NUMBERS, *YES_NO)

PHRASES = {  # two wordings, equally often
    "colour": ("what colour is the {}?", "the {} has what colour?"),
    "shape": ("what shape is the {}?", "the {} has what shape?"),
    "count": ("how many {} are there?", "what is the number of {}?"),
    "existence": ("is there {}?", "can you see {}?"),
    "comparison": ("are there {} {} than {}?", "do you see {} {} than {}?"),
    "relation": ("is the {} {} the {}?", "can you see the {} {} the {}?"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A question of one of the ``KINDS``, and its answer, one of ``ANSWERS``."""

    kind: str
    text: str
    answer: str


def question_at(split: str, seed: int, index: int) -> tuple[Scene, Question]:
    """Question ``index`` of a split, and its scene.

    Raises:
        ValueError: if the split is not one of ``SPLITS``.
    """
    check_split(split)
    rng = Rng(f"{split}/{seed}/{index}/question")
    kind = rng.choice(KINDS)
    target = rng.choice(HELD_OUT) if split == "compositional" else None
    return ASK[kind](rng, target)


def ask_colour(rng: Rng, target: Pair | None) -> tuple[Scene, Question]:
    by_shape = target is None and rng.coin()
    asked = Description(shape=rng.choice(SHAPES)) if by_shape else Description(size=rng.choice(SIZES))
    pair = target or rng.choice([pair for pair in SHOWN if fits(pair, asked)])
    return scene_with(rng, [(asked, [pair])]), worded(rng, "colour", pair[0], phrase(asked))


def ask_shape(rng: Rng, target: Pair | None) -> tuple[Scene, Question]:
    by_colour = target is None and rng.coin()
    asked = Description(colour=rng.choice(COLOURS)) if by_colour else Description(size=rng.choice(SIZES))
    shape = target[1] if target else rng.choice([s for s in SHAPES if (asked.colour, s) not in HELD_OUT])
    pair = target or rng.choice([pair for pair in SHOWN if fits(pair, asked) and pair[1] == shape])
    return scene_with(rng, [(asked, [pair])]), worded(rng, "shape", shape, phrase(asked))


def ask_count(rng: Rng, target: Pair | None) -> tuple[Scene, Question]:
    asked = colour_or_shape(rng, target or rng.choice(SHOWN))
    count = rng.integer(1 if target else 0, MOST)
    scene = scene_with(rng, [(asked, pairs_for(rng, asked, count, target))])
    return scene, worded(rng, "count", str(count), phrase(asked, plural=True))


def ask_existence(rng: Rng, target: Pair | None) -> tuple[Scene, Question]:
    pair = target or rng.choice(SHOWN)
    asked = colour_and_shape(pair) if target or rng.coin() else colour_or_shape(rng, pair)
    answer = rng.choice(YES_NO)
    pairs = pairs_for(rng, asked, rng.integer(1, 2), target) if answer == "yes" else []
    scene = scene_with(rng, [(asked, pairs)], distract=True)
    return scene, worded(rng, "existence", answer, with_article(phrase(asked)))


def ask_comparison(rng: Rng, target: Pair | None) -> tuple[Scene, Question]:
    a = colour_or_shape(rng, target or rng.choice(SHOWN))
    b = rng.choice(others_than(a))
    word, answer = rng.choice(("more", "fewer")), rng.choice(YES_NO)
    fewest = 1 if target else 0
    counts = [(k, m) for k in range(fewest, MOST + 1) for m in range(MOST + 1 - k) if compare(word, k, m) == answer]
    k, m = rng.choice([(k, m) for k, m in counts if k + m > 0])
    scene = scene_with(rng, [(a, pairs_for(rng, a, k, target)), (b, pairs_for(rng, b, m, None))])
    return scene, worded(rng, "comparison", answer, word, phrase(a, plural=True), phrase(b, plural=True))


def ask_relation(rng: Rng, target: Pair | None) -> tuple[Scene, Question]:
    first = target or rng.choice(SHOWN)
    second = rng.choice([pair for pair in SHOWN if pair[0] != first[0] and pair[1] != first[1]])
    first, second = rng.shuffle((first, second))
    describe = colour_and_shape if target else rng.choice(DESCRIBE)
    a, b = describe(first), describe(second)
    relation, answer = rng.choice(RELATIONS), rng.choice(YES_NO)
    scene = scene_with(rng, [(a, [first]), (b, [second])], where=(relation, answer == "yes"))
    return scene, worded(rng, "relation", answer, phrase(a), relation, phrase(b))


ASK = {
    "colour": ask_colour,
    "shape": ask_shape,
    "count": ask_count,
    "existence": ask_existence,
    "comparison": ask_comparison,
    "relation": ask_relation,
}


def worded(rng: Rng, kind: str, answer: str, *words: str) -> Question:
    """The question in one of its two wordings."""
    return Question(kind, rng.choice(PHRASES[kind]).format(*words), answer)


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


def scene_with(
    rng: Rng,
    required: Sequence[tuple[Description, list[Pair]]],
    where: tuple[str, bool] | None = None,
    distract: bool = False,
) -> Scene:
    """A scene in which exactly the required objects match their descriptions; a random number of other objects joins.

    ``where`` is a relation, and whether it holds between the first two objects. With ``distract``, half of the other
    objects share the colour or the shape of the description. So "something is red" does not answer "is there a red
    star?".
    """
    asked = [description for description, _ in required]
    pairs = [pair for _, these in required for pair in these]
    sizes = [description.size or rng.choice(SIZES) for description, these in required for _ in these]
    # beside "the large object" all others are small; beside "the star" the others may be large, but are no stars
    other_size = next((size for size in SIZES if asked[0].size and size != asked[0].size), None)
    others = SHOWN if other_size else [pair for pair in SHOWN if not any(fits(pair, d) for d in asked)]
    near = [p for p in others if any(p[0] == d.colour or p[1] == d.shape for d in asked)] if distract else []
    for _ in range(rng.integer(max(1, len(pairs)), MOST) - len(pairs)):
        pairs.append(rng.choice(near if near and rng.coin() else others))
        sizes.append(other_size or rng.choice(SIZES))
    while True:
        scene = scene_of(rng, pairs, sizes)
        if where is None or related(where[0], *scene.objects[:2]) is where[1]:
            return Scene(tuple(rng.shuffle(scene.objects)), scene.background, scene.grain)


def more_questions(split: str, seed: int, index: int, scene: Scene, count: int) -> list[Question]:
    """``count`` further questions about a scene without held-out pairs.

    Raises:
        ValueError: if the split is not one of ``SPLITS``.
    """
    check_split(split)
    rng = Rng(f"{split}/{seed}/{index}/more")
    questions = []
    while len(questions) < count:
        question = ASK_ABOUT[rng.choice(KINDS)](rng, scene)  # None if it has no answer in this scene
        if question is not None:
            questions.append(question)
    return questions


def about_colour(rng: Rng, scene: Scene) -> Question | None:
    o = rng.choice(scene.objects)
    asked = rng.choice((Description(shape=o.shape), Description(size=o.size)))
    return worded(rng, "colour", o.colour, phrase(asked)) if len(asked.matching(scene)) == 1 else None


def about_shape(rng: Rng, scene: Scene) -> Question | None:
    o = rng.choice(scene.objects)
    asked = rng.choice((Description(colour=o.colour), Description(size=o.size)))
    return worded(rng, "shape", o.shape, phrase(asked)) if len(asked.matching(scene)) == 1 else None


def about_count(rng: Rng, scene: Scene) -> Question | None:
    """The number is drawn first; otherwise 0 would be the most frequent answer."""
    number, asked = rng.integer(0, len(scene.objects)), colour_or_shape(rng, rng.choice(SHOWN))
    if number:
        o = rng.choice(scene.objects)
        asked = colour_or_shape(rng, (o.colour, o.shape))
    right = len(asked.matching(scene)) == number
    return worded(rng, "count", str(number), phrase(asked, plural=True)) if right else None


def about_existence(rng: Rng, scene: Scene) -> Question | None:
    answer, o, pair = rng.choice(YES_NO), rng.choice(scene.objects), rng.choice(SHOWN)
    if answer == "yes":
        pair = (o.colour, o.shape)
    elif rng.coin():  # a distractor: a pair that shares its colour or its shape with an object of the scene
        pair = rng.choice([(c, s) for c, s in SHOWN if c == o.colour or s == o.shape])
    asked = colour_and_shape(pair) if rng.coin() else colour_or_shape(rng, pair)
    right = "yes" if asked.matching(scene) else "no"
    return worded(rng, "existence", answer, with_article(phrase(asked))) if right == answer else None


def about_comparison(rng: Rng, scene: Scene) -> Question | None:
    o, answer, word = rng.choice(scene.objects), rng.choice(YES_NO), rng.choice(("more", "fewer"))
    a = colour_or_shape(rng, (o.colour, o.shape))
    pair = rng.shuffle((a, rng.choice(others_than(a))))
    right = compare(word, *(len(asked.matching(scene)) for asked in pair))
    return worded(rng, "comparison", answer, word, *(phrase(a, plural=True) for a in pair)) if right == answer else None


def about_relation(rng: Rng, scene: Scene) -> Question | None:
    if len(scene.objects) < 2:
        return None
    a, b = rng.sample(scene.objects, 2)
    describe, relation = rng.choice(DESCRIBE), rng.choice(RELATIONS)
    first, second = (describe((o.colour, o.shape)) for o in (a, b))
    holds = related(relation, a, b)
    if holds is None or any(len(asked.matching(scene)) != 1 for asked in (first, second)):
        return None
    return worded(rng, "relation", "yes" if holds else "no", phrase(first), relation, phrase(second))


ASK_ABOUT = {
    "colour": about_colour,
    "shape": about_shape,
    "count": about_count,
    "existence": about_existence,
    "comparison": about_comparison,
    "relation": about_relation,
}
