"""An independent way to the answer: regular expressions parse the question, and the scene gives the answer.

It uses nothing of ``toyworld.questions``. A question that must never occur is an ``AssertionError``: "the star" among
two stars, "how many star", a relation within the margin.
"""

import re

from toyworld.scenes import COLOURS, SHAPES, Object, Scene

MARGIN = 0.1  # image widths
PATTERNS = {
    "colour": r"what colour is the (.+)\?|the (.+) has what colour\?",
    "shape": r"what shape is the (.+)\?|the (.+) has what shape\?",
    "count": r"how many (.+) are there\?|what is the number of (.+)\?",
    "existence": r"(?:is there|can you see) (an? .+)\?",
    "comparison": r"(?:are there|do you see) (more|fewer) (.+) than (.+)\?",
    "relation": r"(?:is|can you see) the (.+) (left of|right of|above|below) the (.+)\?",
}
NOUN = re.compile(rf"(?:(small|large) )?(?:({'|'.join(COLOURS)}) )?(?:(object)|({'|'.join(SHAPES)}))")

Phrase = tuple[str | None, str | None, str | None]  # size, colour, shape


def phrase(words: str) -> Phrase:
    match = NOUN.fullmatch(words)
    assert match, f"not a noun in the singular: {words!r}"
    size, colour, _, shape = match.groups()
    return size, colour, shape


def plural(words: str) -> Phrase:
    singular = words.removesuffix("es" if words.endswith("sses") else "s")
    assert words == singular + ("es" if singular.endswith("s") else "s"), f"not a noun in the plural: {words!r}"
    return phrase(singular)


def with_article(words: str) -> Phrase:
    article, noun = words.split(" ", 1)
    assert article == ("an" if noun.startswith(("orange", "object")) else "a"), words
    return phrase(noun)


NUMBER_OF_THE_NOUN = {"count": plural, "existence": with_article, "comparison": plural}  # phrase, after "the"


def take_apart(text: str) -> tuple[str, list[str], list[Phrase]]:
    """The kind of the question, its words of comparison or relation, and the phrases that it names, in order."""
    found = {kind: match for kind, pattern in PATTERNS.items() if (match := re.fullmatch(pattern, text))}
    assert len(found) == 1, f"{text!r} is read as {list(found)}"
    (kind, match), *_ = found.items()
    groups = [group for group in match.groups() if group]
    others = [group for group in groups if group in ("more", "fewer", "left of", "right of", "above", "below")]
    return kind, others, [NUMBER_OF_THE_NOUN.get(kind, phrase)(group) for group in groups if group not in others]


def matching(asked: Phrase, scene: Scene) -> list[Object]:
    size, colour, shape = asked
    fits = [o for o in scene.objects if size in (None, o.size)]
    return [o for o in fits if colour in (None, o.colour) and shape in (None, o.shape)]


def the_one(asked: Phrase, scene: Scene) -> Object:
    found = matching(asked, scene)
    assert len(found) == 1, f"'the …' is not one object: {asked} fits {len(found)} of {scene.objects}"
    return found[0]


def read(text: str, scene: Scene) -> tuple[str, str]:
    """Kind and answer, computed from the words and the scene."""
    kind, others, named = take_apart(text)
    if kind == "colour":
        return kind, the_one(named[0], scene).colour
    if kind == "shape":
        return kind, the_one(named[0], scene).shape
    numbers = [len(matching(asked, scene)) for asked in named]
    if kind == "count":
        return kind, str(numbers[0])
    if kind == "existence":
        yes = numbers[0] > 0
    elif kind == "comparison":
        yes = numbers[0] > numbers[1] if others == ["more"] else numbers[0] < numbers[1]
    else:
        a, b = (the_one(asked, scene) for asked in named)
        assert a is not b, f"one object is related to itself: {text}"
        forward = {"left of": b.x - a.x, "right of": a.x - b.x, "above": b.y - a.y, "below": a.y - b.y}[others[0]]
        assert abs(forward) >= MARGIN, f"{text} {abs(forward):.3f} is within the margin"
        yes = forward > 0
    return kind, "yes" if yes else "no"
