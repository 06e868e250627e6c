"""A recursive-descent parser: it reads the facts that a caption states.

It accepts every sentence of the grammar, true or false, and rejects everything else. It shares words with ``english``
and ``korean``, but not their templates. Each function of ``read_english`` and ``read_korean`` reads one construction;
its docstring is the grammar rule. ``[x]`` is optional, ``{x}`` repeats, a bar separates alternatives.
"""

from toyworld.captions import check_language
from toyworld.cursor import Cursor
from toyworld.facts import Fact
from toyworld.read_english import english_sentence
from toyworld.read_korean import korean_sentence

SENTENCE = {"english": english_sentence, "korean": korean_sentence}


def read(text: str, language: str) -> tuple[Fact, ...]:
    """The facts that a text states, in its order. The last period is optional.

    Raises:
        ValueError: at the first word that cannot be read, with its position and the words that are allowed there; or
            if the language is not one of ``LANGUAGES``.
    """
    check_language(language)
    cursor, facts = Cursor(text), []
    while True:
        facts += SENTENCE[language](cursor)
        if cursor.word and not cursor.accept("."):
            cursor.fail(".")
        if not cursor.word:
            return tuple(facts)


def read_sentences(text: str, language: str) -> tuple[tuple[Fact, ...], int]:
    """The facts of all sentences that can be read, and the number of sentences that cannot.

    Use this for text from a model. A sentence with one wrong word states nothing. An empty text has no sentences.

    Raises:
        ValueError: if the language is not one of ``LANGUAGES``.
    """
    check_language(language)
    facts, broken = [], 0
    for sentence in filter(str.strip, text.split(".")):
        try:
            facts += read(sentence, language)
        except ValueError:
            broken += 1
    return tuple(facts), broken
