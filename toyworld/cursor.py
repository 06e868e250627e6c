"""A text as words and marks, and a place in it."""

import re
from collections.abc import Iterable, Sequence
from typing import NoReturn


def split(text: str) -> list[str]:
    """Words and marks: ``split("two stars.")`` is ``["two", "stars", "."]``. Korean words keep their particles."""
    return re.findall(r"\w+|[^\w\s]", text)


def join(words: Iterable[str]) -> str:
    """A text again, with no space before a mark: ``join(split(caption))`` is the caption."""
    return re.sub(r" (?=[.,:])", "", " ".join(words))


class Cursor:
    """Reads word after word; ``word`` is the next one, empty at the end of the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = split(text)
        self.place = 0

    @property
    def word(self) -> str:
        return self.ahead(0)

    def ahead(self, count: int) -> str:
        """The word that is ``count`` words after the next one."""
        return self.words[self.place + count] if self.place + count < len(self.words) else ""

    def accept(self, *words: str) -> str | None:
        """Reads the next word if it is one of these."""
        if self.word not in words:
            return None
        self.place += 1
        return self.words[self.place - 1]

    def expect(self, *words: str) -> str:
        """Reads the next word, which must be one of these."""
        return self.accept(*words) or self.fail(*words)

    def phrase(self, words: Sequence[str]) -> None:
        """Reads all of these, in this order."""
        for word in words:
            self.expect(word)

    def fail(self, *expected: str) -> NoReturn:
        what = f"the end after word {self.place}" if not self.word else f"{self.word!r}, word {self.place + 1}"
        raise ValueError(f"cannot read {what} of {self.text!r}: expected {' | '.join(dict.fromkeys(expected))}")
