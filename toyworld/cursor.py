"""A text as a list of tokens (words and punctuation marks), and a cursor that reads them one by one."""

import re
from collections.abc import Iterable, Sequence
from typing import NoReturn


def split(text: str) -> list[str]:
    """Tokens: ``split("two stars.")`` is ``["two", "stars", "."]``. Korean words keep their particles."""
    return re.findall(r"\w+|[^\w\s]", text)


def join(words: Iterable[str]) -> str:
    """The inverse of ``split``, with no space before a mark: ``join(split(caption))`` is the caption."""
    return re.sub(r" (?=[.,:])", "", " ".join(words))


class Cursor:
    """Reads a text token by token; ``word`` is the next token, or empty at the end of the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = split(text)
        self.position = 0

    @property
    def word(self) -> str:
        return self.ahead(0)

    def ahead(self, count: int) -> str:
        """The token that is ``count`` tokens after the next one."""
        return self.words[self.position + count] if self.position + count < len(self.words) else ""

    def accept(self, *words: str) -> str | None:
        """Reads the next token if it is one of these."""
        if self.word not in words:
            return None
        self.position += 1
        return self.words[self.position - 1]

    def expect(self, *words: str) -> str:
        """Reads the next token, which must be one of these."""
        return self.accept(*words) or self.fail(*words)

    def phrase(self, words: Sequence[str]) -> None:
        """Reads these tokens, in this order."""
        for word in words:
            self.expect(word)

    def fail(self, *expected: str) -> NoReturn:
        what = f"the end after word {self.position}" if not self.word else f"{self.word!r}, word {self.position + 1}"
        raise ValueError(f"cannot read {what} of {self.text!r}: expected {' | '.join(dict.fromkeys(expected))}")
