"""Questions about scenes, in English, with their answers: six kinds, equally often.

To keep answers balanced, a question comes before its scene: the kind is drawn, then the question, then its answer out
of all that are possible, and only then a scene for which that is so. Given a question's text, each of its possible
answers is therefore equally likely, and neither the text alone nor the most frequent answer gives the game away.

| kind | a question | its possible answers |
| --- | --- | --- |
| colour | what colour is the star? what colour is the large object? | the colours that a star may have; all |
| shape | what shape is the red object? what shape is the small object? | the shapes that may be red; all |
| count | how many stars are there? | 0, 1, 2, 3, 4 |
| existence | is there a red star? | yes, no |
| comparison | are there more stars than circles? | yes, no |
| relation | is the red star left of the blue circle? | yes, no |

In ``compositional`` each question turns on a pair out of ``HELD_OUT``: it is about an object that is such a pair and is
shown, or asks whether such a pair is there. Colour and shape are asked there by size alone: in training "what colour is
the circle?" is never answered with red, so that the text by itself would rule the right answer out.

``more_questions`` asks on about a scene that is given, so that a training run may use one picture several times. There
the answers are near balance only; what is measured is measured on ``question_at``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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

KINDS = ("colour", "shape", "count", "existence", "comparison", "relation")
NUMBERS = tuple(str(n) for n in range(MOST + 1))
YES_NO = ("yes", "no")
ANSWERS = (*COLOURS, *SHAPES, *NUMBERS, *YES_NO)

PHRASES = {  # two ways to ask, equally often
    "colour": ("what colour is the {}?", "the {} has what colour?"),
    "shape": ("what shape is the {}?", "the {} has what shape?"),
    "count": ("how many {} are there?", "what is the number of {}?"),
    "existence": ("is there {}?", "can you see {}?"),
    "comparison": ("are there {} {} than {}?", "do you see {} {} than {}?"),
    "relation": ("is the {} {} the {}?", "can you see the {} {} the {}?"),
}


@dataclass(frozen=True, slots=True)
class Question:
    kind: str
    text: str
    answer: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question speaks of: ``star``, ``red object``, ``red star`` or ``large object``; None is any."""

    colour: str | None = None
    shape: str | None = None
    size: str | None = None

    def fits(self, pair: Pair) -> bool:
        return self.colour in (None, pair[0]) and self.shape in (None, pair[1])

    def among(self, scene: Scene) -> list[Object]:
        return [o for o in scene.objects if self.fits((o.colour, o.shape)) and self.size in (None, o.size)]

    def words(self, plural: bool = False) -> str:
        noun = self.shape or "object"
        ending = "" if not plural else "es" if noun.endswith("s") else "s"
        return " ".join(word for word in (self.size, self.colour, noun + ending) if word)


def question_at(split: str, seed: int, index: int) -> tuple[Scene, Question]:
    """Question ``index`` of a split and the scene that it is about.

    Raises:
        ValueError: if the split is not one of ``SPLITS``.
    """
    check_split(split)
    rng = Rng(f"{split}/{seed}/{index}/question")
    kind = rng.choice(KINDS)
    target = rng.choice(HELD_OUT) if split == "compositional" else None
    return ASK[kind](rng, target)


def ask_colour(rng: Rng, target: Pair | None) -> tuple[Scene, Question]:
    asked = Asked(shape=rng.choice(SHAPES)) if target is None and rng.coin() else Asked(size=rng.choice(SIZES))
    pair = target or rng.choice([pair for pair in SHOWN if asked.fits(pair)])
    return show(rng, [(asked, [pair])]), put(rng, "colour", pair[0], asked.words())


def ask_shape(rng: Rng, target: Pair | None) -> tuple[Scene, Question]:
    asked = Asked(rng.choice(COLOURS)) if target is None and rng.coin() else Asked(size=rng.choice(SIZES))
    shape = target[1] if target else rng.choice([s for s in SHAPES if (asked.colour, s) not in HELD_OUT])
    pair = target or rng.choice([pair for pair in SHOWN if asked.fits(pair) and pair[1] == shape])
    return show(rng, [(asked, [pair])]), put(rng, "shape", shape, asked.words())


def ask_count(rng: Rng, target: Pair | None) -> tuple[Scene, Question]:
    asked = half(rng, target or rng.choice(SHOWN))
    count = rng.integer(1 if target else 0, MOST)
    scene = show(rng, [(asked, some(rng, asked, count, target))])
    return scene, put(rng, "count", str(count), asked.words(plural=True))


def ask_existence(rng: Rng, target: Pair | None) -> tuple[Scene, Question]:
    pair = target or rng.choice(SHOWN)
    asked = Asked(*pair) if target or rng.coin() else half(rng, pair)
    answer = rng.choice(YES_NO)
    there = some(rng, asked, rng.integer(1, 2), target) if answer == "yes" else []
    return show(rng, [(asked, there)], tempt=True), put(rng, "existence", answer, with_article(asked.words()))


def ask_comparison(rng: Rng, target: Pair | None) -> tuple[Scene, Question]:
    a = half(rng, target or rng.choice(SHOWN))
    b = rng.choice(rivals(a))
    word, answer = rng.choice(("more", "fewer")), rng.choice(YES_NO)
    fewest = 1 if target else 0
    counts = [(k, m) for k in range(fewest, MOST + 1) for m in range(MOST + 1 - k) if compare(word, k, m) == answer]
    k, m = rng.choice([(k, m) for k, m in counts if k + m > 0])
    scene = show(rng, [(a, some(rng, a, k, target)), (b, some(rng, b, m, None))])
    return scene, put(rng, "comparison", answer, word, a.words(plural=True), b.words(plural=True))


def ask_relation(rng: Rng, target: Pair | None) -> tuple[Scene, Question]:
    first = target or rng.choice(SHOWN)
    second = rng.choice([pair for pair in SHOWN if pair[0] != first[0] and pair[1] != first[1]])
    first, second = rng.shuffle((first, second))
    narrow = Asked if target else rng.choice(NARROW)
    a, b = narrow(*first), narrow(*second)
    relation, answer = rng.choice(RELATIONS), rng.choice(YES_NO)
    scene = show(rng, [(a, [first]), (b, [second])], where=(relation, answer == "yes"))
    return scene, put(rng, "relation", answer, a.words(), relation, b.words())


NARROW = (Asked, lambda colour, shape: Asked(colour=colour), lambda colour, shape: Asked(shape=shape))

ASK = {
    "colour": ask_colour,
    "shape": ask_shape,
    "count": ask_count,
    "existence": ask_existence,
    "comparison": ask_comparison,
    "relation": ask_relation,
}


def put(rng: Rng, kind: str, answer: str, *words: str) -> Question:
    return Question(kind, rng.choice(PHRASES[kind]).format(*words), answer)


def with_article(words: str) -> str:
    return f"an {words}" if words[0] in "aeiou" else f"a {words}"


def half(rng: Rng, pair: Pair) -> Asked:
    """The pair's colour alone, or its shape alone."""
    return rng.choice((Asked(colour=pair[0]), Asked(shape=pair[1])))


def rivals(a: Asked) -> list[Asked]:
    """What a colour, or a shape, can be compared with."""
    if a.colour:
        return [Asked(colour=colour) for colour in COLOURS if colour != a.colour]
    return [Asked(shape=shape) for shape in SHAPES if shape != a.shape]


def compare(word: str, k: int, m: int) -> str:
    return "yes" if (k > m if word == "more" else k < m) else "no"


def some(rng: Rng, asked: Asked, count: int, target: Pair | None) -> list[Pair]:
    """``count`` pairs that are asked for, the first of them the target if there is one."""
    first = [target] if target and count else []
    options = [pair for pair in (*SHOWN, *first) if asked.fits(pair)]
    return first + [rng.choice(options) for _ in range(count - len(first))]


def show(
    rng: Rng,
    named: Sequence[tuple[Asked, list[Pair]]],
    where: tuple[str, bool] | None = None,
    tempt: bool = False,
) -> Scene:
    """A scene with just these objects of those that are named, and others up to a number drawn from what fits.

    ``where`` is a relation and whether it holds between the first two objects. With ``tempt``, half of the other
    objects have the colour or the shape that is asked for: "is there a red star?" is then not answered by "something
    is red".
    """
    asked = [group for group, _ in named]
    pairs = [pair for _, those in named for pair in those]
    sizes = [group.size or rng.choice(SIZES) for group, those in named for _ in those]
    # next to "the large object", any pair may stand, but small; next to "the star", any size may stand, but no star
    other_size = next((size for size in SIZES if asked[0].size and size != asked[0].size), None)
    others = SHOWN if other_size else [pair for pair in SHOWN if not any(group.fits(pair) for group in asked)]
    near = [p for p in others if any(p[0] == group.colour or p[1] == group.shape for group in asked)] if tempt else []
    for _ in range(rng.integer(max(1, len(pairs)), MOST) - len(pairs)):
        pairs.append(rng.choice(near if near and rng.coin() else others))
        sizes.append(other_size or rng.choice(SIZES))
    while True:
        scene = scene_of(rng, pairs, sizes)
        if where is None or related(where[0], *scene.objects[:2]) is where[1]:
            return Scene(tuple(rng.shuffle(scene.objects)), scene.background, scene.grain)


def more_questions(split: str, seed: int, index: int, scene: Scene, count: int) -> list[Question]:
    """``count`` further questions about a scene that shows no held-out pair, of kinds that can be asked about it.

    Raises:
        ValueError: if the split is not one of ``SPLITS``.
    """
    check_split(split)
    rng = Rng(f"{split}/{seed}/{index}/more")
    found = []
    while len(found) < count:
        question = ASK_ABOUT[rng.choice(KINDS)](rng, scene)
        if question is not None:
            found.append(question)
    return found


def about_colour(rng: Rng, scene: Scene) -> Question | None:
    o = rng.choice(scene.objects)
    asked = rng.choice((Asked(shape=o.shape), Asked(size=o.size)))
    return put(rng, "colour", o.colour, asked.words()) if len(asked.among(scene)) == 1 else None


def about_shape(rng: Rng, scene: Scene) -> Question | None:
    o = rng.choice(scene.objects)
    asked = rng.choice((Asked(colour=o.colour), Asked(size=o.size)))
    return put(rng, "shape", o.shape, asked.words()) if len(asked.among(scene)) == 1 else None


def about_count(rng: Rng, scene: Scene) -> Question | None:
    """A number is drawn first, so that 0 does not outweigh the others."""
    wanted, asked = rng.integer(0, len(scene.objects)), half(rng, rng.choice(SHOWN))
    if wanted:
        o = rng.choice(scene.objects)
        asked = half(rng, (o.colour, o.shape))
    return put(rng, "count", str(wanted), asked.words(plural=True)) if len(asked.among(scene)) == wanted else None


def about_existence(rng: Rng, scene: Scene) -> Question | None:
    answer, o, pair = rng.choice(YES_NO), rng.choice(scene.objects), rng.choice(SHOWN)
    if answer == "yes":
        pair = (o.colour, o.shape)
    elif rng.coin():  # tempting: a pair that shares its colour or its shape with something that is there
        pair = rng.choice([(c, s) for c, s in SHOWN if c == o.colour or s == o.shape])
    asked = Asked(*pair) if rng.coin() else half(rng, pair)
    there = "yes" if asked.among(scene) else "no"
    return put(rng, "existence", answer, with_article(asked.words())) if there == answer else None


def about_comparison(rng: Rng, scene: Scene) -> Question | None:
    o, answer, word = rng.choice(scene.objects), rng.choice(YES_NO), rng.choice(("more", "fewer"))
    a = half(rng, (o.colour, o.shape))
    pair = rng.shuffle((a, rng.choice(rivals(a))))
    right = compare(word, *(len(asked.among(scene)) for asked in pair))
    return put(rng, "comparison", answer, word, *(a.words(plural=True) for a in pair)) if right == answer else None


def about_relation(rng: Rng, scene: Scene) -> Question | None:
    if len(scene.objects) < 2:
        return None
    a, b = rng.sample(scene.objects, 2)
    narrow, relation = rng.choice(NARROW), rng.choice(RELATIONS)
    named = [narrow(o.colour, o.shape) for o in (a, b)]
    holds = related(relation, a, b)
    if holds is None or any(len(asked.among(scene)) != 1 for asked in named):
        return None
    return put(rng, "relation", "yes" if holds else "no", named[0].words(), relation, named[1].words())


ASK_ABOUT = {
    "colour": about_colour,
    "shape": about_shape,
    "count": about_count,
    "existence": about_existence,
    "comparison": about_comparison,
    "relation": about_relation,
}
