"""Wrong streams of questions that people really make. Each must fail the tests of ``toyworld.questions``."""

from toyworld.questions import (
    ASK,
    ASK_ABOUT,
    KINDS,
    YES_NO,
    Asked,
    Question,
    ask_existence,
    compare,
    half,
    more_questions,
    put,
    question_at,
    rivals,
    show,
    some,
    with_article,
)
from toyworld.rng import Rng
from toyworld.scenes import COLOURS, HELD_OUT, MOST, RELATIONS, SHAPES, SHOWN, Scene, scene_at, scene_of


def with_another(kind, ask):
    """``question_at``, but one kind of question is asked in another way."""

    def wrong(split, seed, index):
        rng = Rng(f"{split}/{seed}/{index}/question")
        drawn = rng.choice(KINDS)
        target = rng.choice(HELD_OUT) if split == "compositional" else None
        return (ask if drawn == kind else ASK[drawn])(rng, target)

    return wrong


def scene_first(split, seed, index):
    """Tempting because a scene is there anyway; few scenes then hold three stars, and "how many" is mostly 1."""
    if split == "compositional":
        return question_at(split, seed, index)
    scene = scene_at(split, seed, index)
    return scene, more_questions(split, seed, index, scene, 1)[0]


def all_pairs_of_numbers(split, seed, index):
    """Tempting because each (k, m) is then equally likely; where k = m both "more" and "fewer" are answered by no."""

    def ask(rng, target):
        a = half(rng, target or rng.choice(SHOWN))
        b, word = rng.choice(rivals(a)), rng.choice(("more", "fewer"))
        fewest = 1 if target else 0
        numbers = [(k, m) for k in range(fewest, MOST + 1) for m in range(MOST + 1 - k) if k + m > 0]
        k, m = rng.choice(numbers)
        scene = show(rng, [(a, some(rng, a, k, target)), (b, some(rng, b, m, None))])
        return scene, put(rng, "comparison", compare(word, k, m), word, *(c.words(plural=True) for c in (a, b)))

    return with_another("comparison", ask)(split, seed, index)


def nothing_that_tempts(split, seed, index):
    """Tempting because other objects are other objects; "is there a red star?" then means "is anything red?"."""

    def ask(rng, target):
        pair = target or rng.choice(SHOWN)
        asked = Asked(*pair) if target or rng.coin() else half(rng, pair)
        answer = rng.choice(YES_NO)
        there = some(rng, asked, 1, target) if answer == "yes" else []
        return show(rng, [(asked, there)]), put(rng, "existence", answer, with_article(asked.words()))

    return with_another("existence", ask)(split, seed, index)


def any_pair_may_be_missing(split, seed, index):
    """Tempting because what is not there is not shown; but training has then heard of "a red circle"."""

    def ask(rng, target):
        scene, question = ask_existence(rng, target)
        if question.answer == "yes" or target:
            return scene, question
        pair = rng.choice([(c, s) for c in COLOURS for s in SHAPES])
        there = "yes" if Asked(*pair).among(scene) else "no"
        return scene, put(rng, "existence", there, with_article(Asked(*pair).words()))

    return with_another("existence", ask)(split, seed, index)


def the_first_star(split, seed, index):
    """Tempting because any star has a colour; with two of them, "the star" is neither."""

    def ask(rng, target):
        asked = Asked(size="large") if target else Asked(shape=rng.choice(SHAPES))
        pair = target or rng.choice([pair for pair in SHOWN if asked.fits(pair)])
        pairs = [pair] + [rng.choice(SHOWN) for _ in range(rng.integer(0, MOST - 1))]
        scene = scene_of(rng, pairs, ["large"] * len(pairs))
        return scene, put(rng, "colour", pair[0], asked.words())

    return with_another("colour", ask)(split, seed, index)


def without_margin(split, seed, index):
    """Tempting because one of two numbers is always smaller; a pixel to the left is no "left of" that anyone sees."""

    def ask(rng, target):
        first = target or rng.choice(SHOWN)
        second = rng.choice([pair for pair in SHOWN if pair[0] != first[0] and pair[1] != first[1]])
        relation, answer = rng.choice(RELATIONS), rng.choice(YES_NO)
        while True:
            scene = scene_of(rng, [first, second], ["small", "large"])
            a, b = scene.objects
            forward = {"left of": b.x - a.x, "right of": a.x - b.x, "above": b.y - a.y, "below": a.y - b.y}[relation]
            if (forward > 0) == (answer == "yes"):
                named = Asked(*first).words(), relation, Asked(*second).words()
                return Scene(scene.objects, scene.background, scene.grain), put(rng, "relation", answer, *named)

    return with_another("relation", ask)(split, seed, index)


def below_is_less_y(split, seed, index):
    """Tempting because y points up in a coordinate system; in a picture it points down."""

    def ask(rng, target):
        scene, question = ASK["relation"](rng, target)
        turned = {"yes": "no", "no": "yes"}[question.answer]
        upright = "above" in question.text or "below" in question.text
        return scene, Question("relation", question.text, turned if upright else question.answer)

    return with_another("relation", ask)(split, seed, index)


def new_pairs_by_their_shape(split, seed, index):
    """Tempting because training asks so; "the circle" was never red in training, so the text rules the answer out."""

    def ask(rng, target):
        if target is None:
            return ASK["colour"](rng, None)
        asked = Asked(shape=target[1])
        return show(rng, [(asked, [target])]), put(rng, "colour", target[0], asked.words())

    return with_another("colour", ask)(split, seed, index)


def new_pairs_beside_the_point(split, seed, index):
    """Tempting because such a scene is new; a question about something else in it measures nothing new."""
    if split != "compositional":
        return question_at(split, seed, index)
    rng, scene = Rng(f"{split}/{seed}/{index}/question"), scene_at(split, seed, index)
    while True:
        question = ASK_ABOUT[rng.choice(KINDS)](rng, scene)
        if question is not None:
            return scene, question


ALL = (
    scene_first,
    all_pairs_of_numbers,
    nothing_that_tempts,
    any_pair_may_be_missing,
    the_first_star,
    without_margin,
    below_is_less_y,
    new_pairs_by_their_shape,
    new_pairs_beside_the_point,
)
