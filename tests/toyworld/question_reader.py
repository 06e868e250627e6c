"""An independent way to the answer: regular expressions parse the question, and the scene gives the answer.

It uses nothing of ``toyworld.questions`` and ``toyworld.question_text``. A question that must never occur is an
``AssertionError``: "the star" among two stars, "how many star", a relation within the margin.
"""

import re
import unicodedata

from toyworld import korean
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
SIDES = "|".join(korean.PLACES.values())
KOREAN_PATTERNS = {
    "colour": r"(.+[은는]) 무슨 색입니까\?|(.+)의 색은 무엇입니까\?",
    "shape": r"(.+[은는]) 무슨 모양입니까\?|(.+)의 모양은 무엇입니까\?",
    "count": r"(.+[은는]) 몇 개입니까\?|(.+[이가]) 몇 개 있습니까\?",
    "existence": r"((?:(?!에 ).)+[이가]) (?:있습니까|보입니까)\?",
    "comparison": r"(.+)의 수가 (.+)의 수보다 (많습니까|적습니까)\?|(.+[이가]) (.+)보다 (많습니까|적습니까)\?",
    "relation": rf"(.+[은는]) (.+)의 ({SIDES}) 있습니까\?|(.+[이가]) (.+)의 ({SIDES}) 보입니까\?",
}
OTHERS = {"많습니까": "more", "적습니까": "fewer", **{word: relation for relation, word in korean.PLACES.items()}}
KOREAN_NOUN = re.compile(
    rf"(?:({'|'.join(korean.SIZES.values())}) )?(?:({'|'.join(korean.COLOURS.values())}) )?"
    rf"({'|'.join(korean.NOUNS.values())})([은는이가])?"
)
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


def korean_phrase(words: str) -> Phrase:
    """A noun, with a particle or without; the particle's form follows the noun's last consonant."""
    match = KOREAN_NOUN.fullmatch(words)
    assert match, f"not a noun: {words!r}"
    *said, particle = match.groups()
    if particle:
        consonant = len(unicodedata.normalize("NFD", said[2][-1])) == 3  # first consonant, vowel, last consonant
        assert (particle in "은이") == consonant, f"the wrong particle: {words!r}"
    tables = (korean.SIZES, korean.COLOURS, korean.NOUNS)
    return tuple({v: k for k, v in table.items()}.get(word) for table, word in zip(tables, said, strict=True))


def take_apart_korean(text: str) -> tuple[str, list[str], list[Phrase]]:
    found = {kind: match for kind, pattern in KOREAN_PATTERNS.items() if (match := re.fullmatch(pattern, text))}
    assert len(found) == 1, f"{text!r} is read as {list(found)}"
    (kind, match), *_ = found.items()
    groups = [group for group in match.groups() if group]
    named = [korean_phrase(group) for group in groups if group not in OTHERS]
    return kind, [OTHERS[group] for group in groups if group in OTHERS], named


def in_korean(answer: str) -> str:
    """An answer, by hand."""
    if answer.isdigit():
        return f"{answer}개"
    return {"yes": "예", "no": "아니요", **korean.COLOURS, **korean.NOUNS}[answer]


def take_apart(text: str, language: str = "english") -> tuple[str, list[str], list[Phrase]]:
    """The kind of the question, its words of comparison or relation, and the phrases that it names, in order."""
    if language == "korean":
        return take_apart_korean(text)
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


def read(text: str, scene: Scene, language: str = "english") -> tuple[str, str]:
    """Kind and answer, computed from the words and the scene."""
    kind, answer = read_in_english(*take_apart(text, language), scene)
    return kind, in_korean(answer) if language == "korean" else answer


def read_in_english(kind: str, others: list[str], named: list[Phrase], scene: Scene) -> tuple[str, str]:
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
        assert a is not b, f"one object is related to itself: {named}"
        forward = {"left of": b.x - a.x, "right of": a.x - b.x, "above": b.y - a.y, "below": a.y - b.y}[others[0]]
        assert abs(forward) >= MARGIN, f"{others} {named}: {abs(forward):.3f} is within the margin"
        yes = forward > 0
    return kind, "yes" if yes else "no"
