"""Questions in words, in English and Korean, and the way back from a text to what it asks.

``say_question`` fills one of two wordings with nouns. ``read_question`` reads a text if the toy world can ask it, in
any case and with or without a question mark. A text that it cannot read has a form that no training shows.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from string import Formatter
from typing import Any

from toyworld import english, korean
from toyworld.facts import Description
from toyworld.scenes import COLOURS, HELD_OUT, MOST, RELATIONS, SHAPES, SIZES
from toyworld.tokenizer import split_words

KINDS = ("colour", "shape", "count", "existence", "comparison", "relation")
NUMBERS = tuple(str(n) for n in range(MOST + 1))
YES_NO = ("yes", "no")
ANSWERS = (*COLOURS, *SHAPES, *NUMBERS, *YES_NO)
ANSWERS_IN = {  # answer k means the same in every language
    "english": ANSWERS,
    "korean": (
        *(korean.COLOURS[colour] for colour in COLOURS),
        *(korean.NOUNS[shape] for shape in SHAPES),
        *(f"{n}{korean.COUNTER}" for n in NUMBERS),
        *("예", "아니요"),
    ),
}

PHRASES = {  # two wordings, equally often; {0:s} is plural, {0:a} has an article, {0:은/는} has this particle
    "english": {
        "colour": ("what colour is the {0}?", "the {0} has what colour?"),
        "shape": ("what shape is the {0}?", "the {0} has what shape?"),
        "count": ("how many {0:s} are there?", "what is the number of {0:s}?"),
        "existence": ("is there {0:a}?", "can you see {0:a}?"),
        "comparison": ("are there {word} {0:s} than {1:s}?", "do you see {word} {0:s} than {1:s}?"),
        "relation": ("is the {0} {word} the {1}?", "can you see the {0} {word} the {1}?"),
    },
    "korean": {
        "colour": ("{0:은/는} 무슨 색입니까?", "{0}의 색은 무엇입니까?"),
        "shape": ("{0:은/는} 무슨 모양입니까?", "{0}의 모양은 무엇입니까?"),
        "count": ("{0:은/는} 몇 개입니까?", "{0:이/가} 몇 개 있습니까?"),
        "existence": ("{0:이/가} 있습니까?", "{0:이/가} 보입니까?"),
        "comparison": ("{0:이/가} {1}보다 {word}?", "{0}의 수가 {1}의 수보다 {word}?"),
        "relation": ("{0:은/는} {1}의 {word} 있습니까?", "{0:이/가} {1}의 {word} 보입니까?"),
    },
}
WORDS = {  # {word} of a comparison and of a relation
    "english": {
        "comparison": {"more": "more", "fewer": "fewer"},
        "relation": {relation: relation for relation in RELATIONS},
    },
    "korean": {"comparison": {"more": "많습니까", "fewer": "적습니까"}, "relation": korean.PLACES},
}
NAMED = {  # which attributes a question's nouns name; two nouns name the same ones
    "colour": (("shape",), ("size",)),
    "shape": (("colour",), ("size",)),
    "count": ((), ("size",), ("colour",), ("shape",), ("size", "colour"), ("size", "shape"), ("colour", "shape")),
    "existence": (("colour",), ("shape",), ("colour", "shape")),
    "comparison": (("colour",), ("shape",)),
    "relation": (("colour",), ("shape",), ("colour", "shape")),
}
EXAMPLES = (Description("large", "red", "star"), Description("small", "blue", "circle"))  # of nouns, in ``forms``


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a question asks, in no language: its kind, its nouns, and a word such as "more" or "left of"."""

    kind: str
    nouns: tuple[Description, ...]
    word: str = ""


@dataclass(frozen=True, slots=True)
class Noun:
    """A description that ``str.format`` puts into words, in the form that the wording asks for."""

    description: Description
    language: str

    def __format__(self, form: str) -> str:
        if self.language == "korean":
            words = korean.phrase(self.description)
            return korean.with_particle(words, form) if form else words
        words = english.phrase(self.description, plural=form == "s")
        return english.with_article(words) if form == "a" else words


def say_question(meaning: Meaning, language: str, wording: int) -> str:
    """The question in its first wording (0) or its second (1)."""
    nouns = (Noun(description, language) for description in meaning.nouns)
    word = WORDS[language].get(meaning.kind, {}).get(meaning.word, "")
    return PHRASES[language][meaning.kind][wording].format(*nouns, word=word)


def read_question(text: str, language: str) -> Meaning | None:
    """What a text asks; None if the toy world has no question of this form in this language.

    Case, punctuation and additional blanks do not matter.
    """
    plain = " ".join(split_words(text))
    for kind, wordings in PHRASES[language].items():
        for wording in wordings:
            if match := pattern(wording, kind, language).fullmatch(plain):
                words = {say: word for word, say in WORDS[language].get(kind, {}).items()}
                nouns = tuple(nouns_in(form, language)[match[f"noun{k}"]] for k, form in slots(wording))
                meaning = Meaning(kind, nouns, words[match["word"]] if words else "")
                if is_asked(meaning):
                    return meaning
    return None


def is_asked(meaning: Meaning) -> bool:
    """Whether the nouns name what this kind of question names, and no two are the same."""
    named = {attributes(noun) for noun in meaning.nouns}
    return len(named) == 1 and named <= set(NAMED[meaning.kind]) and len(set(meaning.nouns)) == len(meaning.nouns)


def attributes(noun: Description) -> tuple[str, ...]:
    return tuple(name for name in ("size", "colour", "shape") if getattr(noun, name))


def naming(names: tuple[str, ...], noun: Any) -> Description:
    """A description by these attributes alone of what has a size, a colour and a shape."""
    return Description(**{name: getattr(noun, name) for name in names})


@cache
def nouns_in(form: str, language: str) -> dict[str, Description]:
    """By its words in this form, every description."""
    every = (Description(*values) for values in product((None, *SIZES), (None, *COLOURS), (None, *SHAPES)))
    return {format(Noun(description, language), form): description for description in every}


def slots(wording: str) -> list[tuple[int, str]]:
    """The nouns of a wording, in their order in the meaning: number and form."""
    return sorted((int(name), form) for _, name, form, _ in Formatter().parse(wording) if name and name != "word")


@cache
def pattern(wording: str, kind: str, language: str) -> re.Pattern[str]:
    """A wording as a regular expression, with a group for each noun and for the word."""
    parts = []
    for literal, name, form, _ in Formatter().parse(wording.replace("?", "")):
        parts.append(re.escape(literal))
        if name is not None:
            options = WORDS[language][kind].values() if name == "word" else nouns_in(form, language)
            group = name if name == "word" else f"noun{name}"
            parts.append(f"(?P<{group}>{'|'.join(map(re.escape, options))})")
    return re.compile("".join(parts))


def possible_answers(meaning: Meaning, language: str) -> tuple[str, ...]:
    """The answers that this question can have in training. Each is equally likely, so the text gives none away."""
    first = meaning.nouns[0]
    answers = {
        "colour": tuple(colour for colour in COLOURS if (colour, first.shape) not in HELD_OUT),
        "shape": tuple(shape for shape in SHAPES if (first.colour, shape) not in HELD_OUT),
        "count": NUMBERS if attributes(first) else NUMBERS[1:],  # no scene is empty
    }.get(meaning.kind, YES_NO)
    return tuple(translated(answer, language) for answer in answers)


def translated(answer: str, language: str) -> str:
    """An answer of ``ANSWERS`` in a language."""
    return ANSWERS_IN[language][ANSWERS.index(answer)]


def forms(language: str) -> dict[str, str]:
    """By kind, all forms in one line: both wordings with "…" for a noun, and an example of each way to name it."""
    lines = {}
    for kind, wordings in PHRASES[language].items():
        word = "/".join(WORDS[language].get(kind, {}).values())
        asked = [re.sub(r"{\d:?([^as}]*)[as]?}", r"…\1", wording).replace("{word}", word) for wording in wordings]
        form = slots(wordings[0])[0][1] if language == "english" else ""
        nouns = (format(Noun(naming(names, EXAMPLES[0]), language), form) for names in NAMED[kind])
        lines[kind] = f"{' '.join(asked)} (…: {', '.join(nouns)})"
    return lines


def wordings_of_all(language: str) -> Iterator[str]:
    """Every wording with every noun; two nouns of one question are the same. These have all words of questions."""
    for kind, wordings in PHRASES[language].items():
        nouns = [noun for noun in nouns_in("", language).values() if attributes(noun) in NAMED[kind]]
        for noun, word, (wording, text) in product(nouns, WORDS[language].get(kind, ("",)), enumerate(wordings)):
            yield say_question(Meaning(kind, (noun,) * len(slots(text)), word), language, wording)


def samples(language: str) -> list[str]:
    """One question of each kind."""
    questions = []
    for kind, ways in NAMED.items():
        number = len(slots(PHRASES[language][kind][0]))
        nouns = tuple(naming(ways[0], example) for example in EXAMPLES[:number])
        word = next(iter(WORDS[language].get(kind, {"": ""})))
        questions.append(say_question(Meaning(kind, nouns, word), language, 0))
    return questions
