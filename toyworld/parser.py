"""Reading: the facts that a caption states, by recursive descent through the grammar of its language.

The parser knows the words of ``english`` and ``korean`` and their grammar, not the wordings that ``say`` draws from: it
reads every sentence of the grammar, false ones too, and nothing else. Each function of the two grammars (in
``read_english`` and ``read_korean``) reads one construction, whose rule stands in its docstring; ``[x]`` may be left
out, ``{x}`` may come any number of times, a bar divides alternatives.
"""

from toyworld.captions import check_language
from toyworld.cursor import Cursor
from toyworld.facts import Fact
from toyworld.read_english import english_sentence
from toyworld.read_korean import korean_sentence

SENTENCE = {"english": english_sentence, "korean": korean_sentence}


def read(text: str, language: str) -> tuple[Fact, ...]:
    """The facts that a text states, in the order of statement. The last sentence may lack its period.

    Raises:
        ValueError: at the first word that cannot be read, which it names, with its place and with what could stand
            there; if the language is not one of ``LANGUAGES``.
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
    """The facts of the sentences that can be read, and the number of those that cannot: what a model wrote may be
    broken in places. A sentence with a broken word states nothing; a text without words has no sentences.

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
