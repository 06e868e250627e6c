"""One word-level tokenizer for every paper that reads questions or captions.

A text is normalised first: Unicode's composed form (NFC: macOS writes Hangul decomposed), typographic apostrophes as
straight ones, lower case by ``str.lower``. (``casefold`` and upper case would merge ß with ss, and ı with i.) A word is
a longest piece of letters, digits, underscores, marks that combine with a letter, and apostrophes inside it.
"""

import unicodedata
from collections.abc import Iterable, Sequence

import torch
from jaxtyping import Int
from torch import Tensor

SPECIAL = ("<pad>", "<start>", "<end>", "<unknown>")
PAD, START, END, UNKNOWN = range(len(SPECIAL))
APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u2018\u02bc\uff07", "'"))


def split_words(text: str) -> list[str]:
    """ "What’s the  star's colour?" → what's, the, star's, colour."""
    text = unicodedata.normalize("NFC", text).translate(APOSTROPHES).lower()
    kept = "".join(c if c in "_'" or c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in text)
    return [word for word in (piece.strip("'") for piece in kept.split()) if word]


class Tokenizer:
    """Words ↔ ids. The ids 0 to 3 are ``<pad>``, ``<start>``, ``<end>`` and ``<unknown>``; then come the words.

    Args:
        words: each once, in the order of their ids.

    Raises:
        ValueError: if a word comes twice.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self.id_of = {word: index for index, word in enumerate((*SPECIAL, *self.words))}
        if len(self.id_of) != len(self):
            raise ValueError(f"words must differ from each other and from {', '.join(SPECIAL)}")

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Tokenizer":
        """All words of these texts, in alphabetical order."""
        return cls(sorted({word for text in texts for word in split_words(text)}))

    def __len__(self) -> int:
        """The number of ids, the special ones included."""
        return len(SPECIAL) + len(self.words)

    def ids(self, text: str) -> list[int]:
        """The id of each word, ``UNKNOWN`` for an unknown one. ``START`` and ``END`` are not added."""
        return [self.id_of.get(word, UNKNOWN) for word in split_words(text)]

    def unknown(self, text: str) -> list[str]:
        """The words of a text that the tokenizer does not have."""
        return [word for word in split_words(text) if word not in self.id_of]

    def encode(self, texts: Sequence[str]) -> Int[Tensor, "n t"]:
        """The ids of each text in a row, padded with ``PAD`` at the end."""
        return padded([self.ids(text) for text in texts])

    def decode(self, ids: Iterable[int]) -> str:
        """The words up to ``END``, without padding and ``START``."""
        words, names = [], (*SPECIAL, *self.words)
        for index in ids:
            if index == END:
                break
            if index not in (PAD, START):
                words.append(names[index])
        return " ".join(words)


def padded(rows: Sequence[Sequence[int]]) -> Int[Tensor, "n t"]:
    """Rows of ids in one tensor, as wide as the longest row, padded with ``PAD`` at the end."""
    width = max(map(len, rows), default=0)
    filled = [[*row, *[PAD] * (width - len(row))] for row in rows]
    return torch.tensor(filled, dtype=torch.int64).reshape(len(rows), width)
