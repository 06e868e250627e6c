"""Common mistakes in drawing questions. Each must fail the tests of ``toyworld.questions``."""

from toyworld.english import phrase, with_article
from toyworld.facts import Description
from toyworld.questions import (
    ASK,
    ASK_ABOUT,
    KINDS,
    YES_NO,
    Question,
    ask_existence,
    colour_and_shape,
    colour_or_shape,
    compare,
    fits,
    more_questions,
    others_than,
    pairs_for,
    question_at,
    scene_with,
    worded,
)
from toyworld.rng import Rng
from toyworld.scenes import COLOURS, HELD_OUT, MOST, RELATIONS, SHAPES, SHOWN, Scene, scene_at, scene_of


def with_another(kind, ask):
    """``question_at`` with another way to ask one kind of question."""

    def wrong(split, seed, index):
        rng = Rng(f"{split}/{seed}/{index}/question")
        drawn = rng.choice(KINDS)
        target = rng.choice(HELD_OUT) if split == "compositional" else None
        return (ask if drawn == kind else ASK[drawn])(rng, target)

    return wrong


def scene_first(split, seed, index):
    """Tempting because a scene is needed anyway. But few scenes hold three stars, so "how many" is mostly 1."""
    if split == "compositional":
        return question_at(split, seed, index)
    scene = scene_at(split, seed, index)
    return scene, more_questions(split, seed, index, scene, 1)[0]


def all_pairs_of_numbers(split, seed, index):
    """Tempting because each (k, m) is equally likely. But for k = m the answer is no to "more" and to "fewer"."""

    def ask(rng, target):
        a = colour_or_shape(rng, target or rng.choice(SHOWN))
        b, word = rng.choice(others_than(a)), rng.choice(("more", "fewer"))
        fewest = 1 if target else 0
        numbers = [(k, m) for k in range(fewest, MOST + 1) for m in range(MOST + 1 - k) if k + m > 0]
        k, m = rng.choice(numbers)
        scene = scene_with(rng, [(a, pairs_for(rng, a, k, target)), (b, pairs_for(rng, b, m, None))])
        return scene, worded(rng, "comparison", compare(word, k, m), word, *(phrase(c, plural=True) for c in (a, b)))

    return with_another("comparison", ask)(split, seed, index)


def no_distractors(split, seed, index):
    """Tempting because any other objects will do. But "is anything red?" then answers "is there a red star?"."""

    def ask(rng, target):
        pair = target or rng.choice(SHOWN)
        asked = colour_and_shape(pair) if target or rng.coin() else colour_or_shape(rng, pair)
        answer = rng.choice(YES_NO)
        there = pairs_for(rng, asked, 1, target) if answer == "yes" else []
        return scene_with(rng, [(asked, there)]), worded(rng, "existence", answer, with_article(phrase(asked)))

    return with_another("existence", ask)(split, seed, index)


def any_pair_may_be_missing(split, seed, index):
    """Tempting because an absent pair is not shown. But the words "a red circle" then occur in training."""

    def ask(rng, target):
        scene, question = ask_existence(rng, target)
        if question.answer == "yes" or target:
            return scene, question
        pair = rng.choice([(c, s) for c in COLOURS for s in SHAPES])
        there = "yes" if colour_and_shape(pair).matching(scene) else "no"
        return scene, worded(rng, "existence", there, with_article(phrase(colour_and_shape(pair))))

    return with_another("existence", ask)(split, seed, index)


def the_first_star(split, seed, index):
    """Tempting because any star has a colour. But with two stars, "the star" is ambiguous."""

    def ask(rng, target):
        asked = Description(size="large") if target else Description(shape=rng.choice(SHAPES))
        pair = target or rng.choice([pair for pair in SHOWN if fits(pair, asked)])
        pairs = [pair] + [rng.choice(SHOWN) for _ in range(rng.integer(0, MOST - 1))]
        scene = scene_of(rng, pairs, ["large"] * len(pairs))
        return scene, worded(rng, "colour", pair[0], phrase(asked))

    return with_another("colour", ask)(split, seed, index)


def without_margin(split, seed, index):
    """Tempting because one of two numbers is smaller. But nobody sees that an object is one pixel further left."""

    def ask(rng, target):
        first = target or rng.choice(SHOWN)
        second = rng.choice([pair for pair in SHOWN if pair[0] != first[0] and pair[1] != first[1]])
        relation, answer = rng.choice(RELATIONS), rng.choice(YES_NO)
        while True:
            scene = scene_of(rng, [first, second], ["small", "large"])
            a, b = scene.objects
            forward = {"left of": b.x - a.x, "right of": a.x - b.x, "above": b.y - a.y, "below": a.y - b.y}[relation]
            if (forward > 0) == (answer == "yes"):
                named = phrase(colour_and_shape(first)), relation, phrase(colour_and_shape(second))
                return Scene(scene.objects, scene.background, scene.grain), worded(rng, "relation", answer, *named)

    return with_another("relation", ask)(split, seed, index)


def below_is_less_y(split, seed, index):
    """Tempting because y points up in mathematics. In an image it points down."""

    def ask(rng, target):
        scene, question = ASK["relation"](rng, target)
        turned = {"yes": "no", "no": "yes"}[question.answer]
        upright = "above" in question.text or "below" in question.text
        return scene, Question("relation", question.text, turned if upright else question.answer)

    return with_another("relation", ask)(split, seed, index)


def held_out_pairs_by_their_shape(split, seed, index):
    """Tempting because training asks so. But "the circle" was never red in training: the text rules the answer out."""

    def ask(rng, target):
        if target is None:
            return ASK["colour"](rng, None)
        asked = Description(shape=target[1])
        return scene_with(rng, [(asked, [target])]), worded(rng, "colour", target[0], phrase(asked))

    return with_another("colour", ask)(split, seed, index)


def questions_about_other_objects(split, seed, index):
    """Tempting because the scene is new. But a question about its other objects measures nothing new."""
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
    no_distractors,
    any_pair_may_be_missing,
    the_first_star,
    without_margin,
    below_is_less_y,
    held_out_pairs_by_their_shape,
    questions_about_other_objects,
)
