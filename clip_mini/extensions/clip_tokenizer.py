r"""CLIP's own tokenizer (Radford et al. 2021, section 2.4), from the merges that its authors published.

A text is cleaned first (``clean``) and written in lower case, then split into words. A word is byte-level byte pairs as
in ``byte_pair``, with one more mark: the last byte of a word carries ``</w>``. So "low" at the end of a word and "low"
within "lowest" are different symbols, and no symbol holds a space.

Ids: 256 bytes, 256 bytes with ``</w>``, 48,894 merges, ``<|startoftext|>`` 49406, ``<|endoftext|>`` 49407.

The reference is ``transformers.CLIPTokenizer``. It does not have the authors' clean-up: on a text that is cleaned
already, the ids are equal; on others, this file has the authors' form, with which the weights were trained. The test
has a table of the differences. Where a text is longer than 77 ids, the authors' code raises an error, unless it is
asked to cut. Here, and in ``transformers``, the end token is kept; ``encode_batch`` also says how many texts were cut.
"""

import html
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from jaxtyping import Int
from torch import Tensor

from clip_mini.extensions.byte_pair import Subwords, byte_characters, to_symbols, to_text

START, END, END_OF_WORD = "<|startoftext|>", "<|endoftext|>", "</w>"
CONTEXT = 77  # token ids, start and end included
WORD = (
    r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d"  # special tokens, English endings
    r"|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"  # letters, one digit, other signs
)


def clean(text: str) -> str:
    """The authors' clean-up: broken encodings are repaired, HTML entities resolved twice ("&amp;lt;" is "<"), white
    space is one space, letters are lower case."""
    import ftfy
    import regex

    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return regex.sub(r"\s+", " ", text.strip()).strip().lower()


def split_words(text: str) -> list[str]:
    """ "it's 10 stars!" → it, 's, 1, 0, stars, !"""
    import regex

    return regex.findall(WORD, text, regex.IGNORECASE)


def to_word(word: str) -> tuple[str, ...]:
    """The bytes of a word, the last with ``</w>``."""
    *first, last = to_symbols(word)
    return (*first, last + END_OF_WORD)


@cache
def alphabet() -> tuple[str, ...]:
    characters = tuple(byte_characters().values())
    return characters + tuple(character + END_OF_WORD for character in characters)


class ClipTokenizer(Subwords):
    """CLIP's tokenizer; ``tokenizer_files.read_clip_tokenizer`` makes one.

    Args:
        merges: pairs of symbols, in the order in which they are applied.
        ids: of all symbols and of the two special tokens.
    """

    def __init__(self, merges: Sequence[tuple[str, str]], ids: Mapping[str, int]) -> None:
        super().__init__(merges, ids, start=ids[START], end=ids[END])

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without start and end. As in the authors' code, a special token in the text is one."""
        ids = []
        for word in split_words(clean(text)):
            ids.extend([self.ids[word]] if word in (START, END) else self.word_ids(to_word(word)))
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """The words up to the first end token, with a space after each: how it was written before is not kept."""
        space = byte_characters()[ord(" ")]
        return to_text(symbol.replace(END_OF_WORD, space) for symbol in self.symbols_of(ids)).rstrip(" ")

    def encode_batch(self, texts: Sequence[str], context: int = CONTEXT) -> tuple[Int[Tensor, "n t"], int]:
        return super().encode_batch(texts, context)
