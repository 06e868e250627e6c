r"""Byte-level byte-pair encoding: the vocabulary is learned from texts, and every Unicode string can be encoded.

Sennrich et al. 2016 (arXiv 1508.07909, section 3.2 and Algorithm 1): the symbols are single characters at first. The
pair of neighbours that occurs most often becomes a new symbol, again and again. A new text is encoded by the same
merges, in the order in which they were learned. Pairs never cross the border of a word.

Radford et al. 2019 (GPT-2, section 2.2): the first symbols are the 256 bytes of UTF-8. So no character is unknown.

What differs, and why:
- Algorithm 1 leaves open which of two equally frequent pairs comes first. Here it is the pair whose left symbol has the
  smaller id, then the pair whose right symbol has. The ``tokenizers`` library has the same rule.
- The end of a word has no mark ``</w>``. As in GPT-2, a space belongs to the word after it, which loses no space.
- GPT-2's pattern for words needs Unicode's classes of letters. Ours has Python's ``\w``: digits stay with letters.
- ``<start>`` and ``<end>`` have the last two ids, as in CLIP. A text cannot produce them.
"""

import heapq
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise, takewhile

from jaxtyping import Int
from torch import Tensor

from toyworld.tokenizer import padded

WORD = r" ?\w+| ?[^\w\s]+|\s+(?!\S)|\s+"  # with the space before it; of several spaces, the last one
KEPT = 2**16  # how many words a tokenizer remembers


@cache
def byte_characters() -> dict[int, str]:
    """A visible character for each byte, in GPT-2's order of ids, which is also the order of the characters.

    A byte that is a visible Latin-1 character is that character. The others, in order, are U+0100, U+0101, …: a space
    is "Ġ".
    """
    visible = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [byte for byte in range(256) if byte not in visible]
    return {byte: chr(byte) for byte in visible} | {byte: chr(256 + k) for k, byte in enumerate(others)}


def to_symbols(text: str) -> tuple[str, ...]:
    """The bytes of a text, each as its visible character.

    Raises:
        ValueError: if the text has half of a surrogate pair, which has no bytes.
    """
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"character {error.start} of {text!r:.60} is a lone surrogate, U+{ord(text[error.start]):04X}; "
            "allowed is every Unicode character"
        ) from None
    return tuple(byte_characters()[byte] for byte in data)


def to_text(symbols: Iterable[str]) -> str:
    """The inverse of ``to_symbols``, also for longer symbols. Bytes that are no UTF-8 become U+FFFD."""
    byte_of = {character: byte for byte, character in byte_characters().items()}
    return bytes(byte_of[character] for symbol in symbols for character in symbol).decode(errors="replace")


def split_words(text: str) -> list[str]:
    """ "a star." → "a", " star", ".": joined, the words are the text again."""
    return re.findall(WORD, text)


def merge_pair(symbols: tuple[str, ...], pair: tuple[str, str]) -> tuple[str, ...]:
    """Each occurrence of the pair becomes one symbol, from left to right: of "aaa", the first two."""
    merged, i = [], 0
    while i < len(symbols):
        width = 2 if symbols[i : i + 2] == pair else 1
        merged.append("".join(symbols[i : i + width]))
        i += width
    return tuple(merged)


def apply_merges(symbols: tuple[str, ...], ranks: Mapping[tuple[str, str], int]) -> tuple[str, ...]:
    """Encodes one word: of its pairs, the one that was learned first is merged, until none was learned."""
    while pairs := [pair for pair in pairwise(symbols) if pair in ranks]:
        symbols = merge_pair(symbols, min(pairs, key=ranks.__getitem__))
    return symbols


def learn_merges_spec(words: Mapping[tuple[str, ...], int], merges: int) -> list[tuple[str, str]]:
    """Sennrich et al. 2016, Algorithm 1: counts all pairs in each round.

    As there, a pair counts once for each place: "aaa" has the pair (a, a) twice, though only one can be merged.

    Args:
        words: each word as its symbols, and how often it occurs.
        merges: how many pairs to merge; the result is shorter if no pair is left.
    """
    ids = {symbol: k for k, symbol in enumerate(sorted({symbol for word in words for symbol in word}))}
    words, learned = list(words.items()), []
    while len(learned) < merges:
        counts = Counter()
        for word, count in words:
            for pair in pairwise(word):
                counts[pair] += count
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], ids[pair[0]], ids[pair[1]]))
        words = [(merge_pair(word, best), count) for word, count in words]
        ids["".join(best)] = len(ids)
        learned.append(best)
    return learned


def learn_merges(words: Mapping[tuple[str, ...], int], merges: int) -> list[tuple[str, str]]:
    """``learn_merges_spec``, faster: a merge changes only the counts of the words that have the pair."""
    ids = {symbol: k for k, symbol in enumerate(sorted({symbol for word in words for symbol in word}))}
    learned, counts, heap = [], Counter(), []
    where = defaultdict(set)  # the indices of the words that have, or had, a pair
    occurrences, new_words = list(words.values()), dict(enumerate(words))
    words = [()] * len(words)
    while True:
        changes = Counter()
        for index, new in new_words.items():  # in the first round, all words
            for pair in pairwise(words[index]):
                changes[pair] -= occurrences[index]
            for pair in pairwise(new):
                changes[pair] += occurrences[index]
                where[pair].add(index)
            words[index] = new
        for pair, change in changes.items():
            counts[pair] += change
            if change and counts[pair]:
                heapq.heappush(heap, (-counts[pair], *map(ids.get, pair), pair))
        while heap and -heap[0][0] != counts[heap[0][-1]]:  # an old count; the new one is in the heap, too
            heapq.heappop(heap)
        if not heap or len(learned) == merges:
            return learned
        best = heap[0][-1]
        ids["".join(best)] = len(ids)
        learned.append(best)
        new_words = {index: merge_pair(words[index], best) for index in where.pop(best)}


def symbol_ids(merges: Iterable[Sequence[str]], alphabet: Iterable[str], place: str, first: int) -> dict[str, int]:
    """The id of each symbol: the alphabet comes first, then what each merge makes.

    Args:
        place, first: where the merges are, for the error, and the number of the first.

    Raises:
        ValueError: if a merge has not two symbols, or one that is not known yet, or makes one that is.
    """
    ids = {symbol: k for k, symbol in enumerate(alphabet)}
    for number, merge in enumerate(merges, first):
        made = "".join(merge)
        if len(merge) != 2 or made in ids or any(symbol not in ids for symbol in merge):
            raise ValueError(
                f"{place} {number}: got {' '.join(merge)!r:.60}, allowed are two symbols with a space between them, "
                "each a byte or made by a merge above, that make a new symbol"
            )
        ids[made] = len(ids)
    return ids


class Subwords:
    """Symbols ↔ ids, and batches of texts: what the tokenizers of this file and of ``clip_tokenizer`` share.

    Args:
        merges: pairs of symbols, in the order in which they are applied.
        ids: of the symbols.
        start, end: the ids of the special tokens.
    """

    def __init__(self, merges: Iterable[tuple[str, str]], ids: Mapping[str, int], start: int, end: int) -> None:
        self.merges, self.start, self.end = tuple(merges), start, end
        self.ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self.ids, self.symbols = dict(ids), {k: symbol for symbol, k in ids.items()}
        self.words = 1 + max(*ids.values(), start, end)  # token ids
        self.kept = {}  # words and their ids: most words of a text come again and again

    def word_ids(self, symbols: tuple[str, ...]) -> tuple[int, ...]:
        found = self.kept.get(symbols) or tuple(self.ids[symbol] for symbol in apply_merges(symbols, self.ranks))
        if len(self.kept) < KEPT:
            self.kept[symbols] = found
        return found

    def symbols_of(self, ids: Iterable[int]) -> list[str]:
        """The symbols up to the first end token, without start tokens."""
        ids = [index for index in takewhile(lambda index: index != self.end, ids) if index != self.start]
        for index in ids:
            if index not in self.symbols:
                raise ValueError(f"got the token id {index}, allowed are 0 to {self.words - 1}")
        return [self.symbols[index] for index in ids]

    def encode_batch(self, texts: Sequence[str], context: int) -> tuple[Int[Tensor, "n t"], int]:
        """The ids of each text between start and end, and how many texts were cut to have at most ``context`` ids.

        A text that is cut keeps its end token. Rows are padded with id 0; the text encoder reads none of it.
        """
        if context < 2:
            raise ValueError(f"context must be at least 2, for the start and the end token, got {context}")
        rows = [self.encode(text) for text in texts]
        cut = sum(len(row) > context - 2 for row in rows)
        return padded([[self.start, *row[: context - 2], self.end] for row in rows]), cut


class BytePairs(Subwords):
    """A tokenizer for every Unicode string. Ids: the bytes in GPT-2's order, what the merges make, start, end.

    Args:
        merges: in the order in which they were learned; see ``train_byte_pairs``.

    Raises:
        ValueError: if a merge is wrong; see ``symbol_ids``.
    """

    def __init__(self, merges: Sequence[tuple[str, str]]) -> None:
        ids = symbol_ids(merges, byte_characters().values(), "merge", first=1)
        super().__init__(merges, ids, start=len(ids), end=len(ids) + 1)

    def encode(self, text: str) -> list[int]:
        return [index for word in split_words(text) for index in self.word_ids(to_symbols(word))]

    def decode(self, ids: Iterable[int]) -> str:
        """The text up to the first end token. A character that was cut in the middle of its bytes becomes U+FFFD."""
        return to_text(self.symbols_of(ids))


def train_byte_pairs(texts: Iterable[str], merges: int) -> BytePairs:
    """Learns merges from texts: the same ones for the same texts, in any order. If no pair is left, it stops early.

    Raises:
        ValueError: if ``merges`` is negative, or a text has a lone surrogate.
    """
    if merges < 0:
        raise ValueError(f"merges must be at least 0, got {merges}")
    words = Counter(word for text in texts for word in split_words(text))
    return BytePairs(learn_merges({to_symbols(word): count for word, count in words.items()}, merges))
