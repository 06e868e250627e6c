"""What counts as a word, in captions and references alike, and what every metric needs of them."""

import re
from collections import Counter
from collections.abc import Sequence

Words = Sequence[str]
Ngram = tuple[str, ...]


def caption_words(text: str) -> list[str]:
    """The lower-case words ``[a-z0-9']+``: "Two dogs, one man's!" → two, dogs, one, man's."""
    return re.findall(r"[a-z0-9']+", text.lower())


def ngrams(words: Words, n: int) -> Counter[Ngram]:
    """How often each piece of n words in a row comes."""
    return Counter(tuple(words[k : k + n]) for k in range(len(words) - n + 1))


def check_references(candidates: Sequence[Words], references: Sequence[Sequence[Words]]) -> None:
    """There must be captions, each with at least one reference, all of them lists of words.

    Raises:
        ValueError: if this is not so.
    """
    if len(candidates) != len(references):
        raise ValueError(
            f"each candidate needs its references, got {len(candidates)} candidates and {len(references)} references"
        )
    if not len(candidates):
        raise ValueError("candidates must be at least one caption, got none")
    for i, (candidate, group) in enumerate(zip(candidates, references, strict=True)):
        if not len(group):
            raise ValueError(f"caption {i} has no reference; each caption needs at least one")
        if isinstance(candidate, str) or any(isinstance(text, str) for text in group):
            raise ValueError(f"caption {i}: captions are lists of words, got a string; split it with caption_words")
