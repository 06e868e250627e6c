"""Common mistakes in drawing questions. Each must fail the tests of ``toyworld.questions``."""

from toyworld.facts import Description
from toyworld.question_text import YES_NO, Meaning
from toyworld.questions import (
    ASK,
    ASK_ABOUT,
    KINDS,
    about_count,
    ask_count,
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
from toyworld.scenes import COLOURS, HELD_OUT, MOST, RELATIONS, SHAPES, SHOWN, scene_at, scene_of


def with_another(kind, ask):
    """``question_at`` with another way to ask one kind of question; ``ask`` gives what is asked, and the answer."""

    def wrong(split, seed, index):
        rng = Rng(f"{split}/{seed}/{index}/question")
        drawn = rng.choice(KINDS)
        target = rng.choice(HELD_OUT) if split == "compositional" else None
        scene, asked = (ask if drawn == kind else ASK[drawn])(rng, target)
        return scene, worded(rng, asked, "english")

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
        return scene, (Meaning("comparison", (a, b), word), compare(word, k, m))

    return with_another("comparison", ask)(split, seed, index)


def no_distractors(split, seed, index):
    """Tempting because any other objects will do. But "is anything red?" then answers "is there a red star?"."""

    def ask(rng, target):
        pair = target or rng.choice(SHOWN)
        asked = colour_and_shape(pair) if target or rng.coin() else colour_or_shape(rng, pair)
        answer = rng.choice(YES_NO)
        there = pairs_for(rng, asked, 1, target) if answer == "yes" else []
        return scene_with(rng, [(asked, there)]), (Meaning("existence", (asked,)), answer)

    return with_another("existence", ask)(split, seed, index)


def any_pair_may_be_missing(split, seed, index):
    """Tempting because an absent pair is not shown. But the words "a red circle" then occur in training."""

    def ask(rng, target):
        scene, (meaning, answer) = ask_existence(rng, target)
        if answer == "yes" or target:
            return scene, (meaning, answer)
        pair = rng.choice([(c, s) for c in COLOURS for s in SHAPES])
        there = "yes" if colour_and_shape(pair).matching(scene) else "no"
        return scene, (Meaning("existence", (colour_and_shape(pair),)), there)

    return with_another("existence", ask)(split, seed, index)


def the_first_star(split, seed, index):
    """Tempting because any star has a colour. But with two stars, "the star" is ambiguous."""

    def ask(rng, target):
        asked = Description(size="large") if target else Description(shape=rng.choice(SHAPES))
        pair = target or rng.choice([pair for pair in SHOWN if fits(pair, asked)])
        pairs = [pair] + [rng.choice(SHOWN) for _ in range(rng.integer(0, MOST - 1))]
        scene = scene_of(rng, pairs, ["large"] * len(pairs))
        return scene, (Meaning("colour", (asked,)), pair[0])

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
                meaning = Meaning("relation", (colour_and_shape(first), colour_and_shape(second)), relation)
                return scene, (meaning, answer)

    return with_another("relation", ask)(split, seed, index)


def below_is_less_y(split, seed, index):
    """Tempting because y points up in mathematics. In an image it points down."""

    def ask(rng, target):
        scene, (meaning, answer) = ASK["relation"](rng, target)
        turned = {"yes": "no", "no": "yes"}[answer]
        return scene, (meaning, turned if meaning.word in ("above", "below") else answer)

    return with_another("relation", ask)(split, seed, index)


def held_out_pairs_by_their_shape(split, seed, index):
    """Tempting because training asks so. But "the circle" was never red in training: the text rules the answer out."""

    def ask(rng, target):
        if target is None:
            return ASK["colour"](rng, None)
        asked = Description(shape=target[1])
        return scene_with(rng, [(asked, [target])]), (Meaning("colour", (asked,)), target[0])

    return with_another("colour", ask)(split, seed, index)


def questions_about_other_objects(split, seed, index):
    """Tempting because the scene is new. But a question about its other objects measures nothing new."""
    if split != "compositional":
        return question_at(split, seed, index)
    rng, scene = Rng(f"{split}/{seed}/{index}/question"), scene_at(split, seed, index)
    while True:
        asked = ASK_ABOUT[rng.choice(KINDS)](rng, scene)
        if asked is not None:
            return scene, worded(rng, asked, "english")


def an_empty_scene_is_possible(split, seed, index):
    """Tempting because every other count may be 0. But no scene is empty: the text alone rules 0 out."""

    def ask(rng, target):
        scene, (meaning, answer) = ask_count(rng, target)
        if answer == "1" and meaning.nouns == (Description(),) and rng.coin():
            answer = "0"
        return scene, (meaning, answer)

    return with_another("count", ask)(split, seed, index)


def any_object_beside_a_count(split, seed, index):
    """Tempting because any other objects will do. But "how many are red?" then answers "how many are red stars?"."""

    def ask(rng, target):
        _, (meaning, answer) = ask_count(rng, target)
        return scene_with(rng, [(meaning.nouns[0], pairs_for(rng, meaning.nouns[0], int(answer), target))]), (
            meaning,
            answer,
        )

    return with_another("count", ask)(split, seed, index)


def counts_of_the_scene(split, seed, index):
    """Tempting because a scene has its own number of objects. But then 1 is the most frequent number."""

    def ask(rng, target):
        while True:
            scene = scene_with(rng, [(Description(), [rng.choice(SHOWN)])])
            if asked := about_count(rng, scene):
                return scene, asked

    return (
        with_another("count", ask)(split, seed, index) if split != "compositional" else question_at(split, seed, index)
    )


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
    an_empty_scene_is_possible,
    any_object_beside_a_count,
    counts_of_the_scene,
)
