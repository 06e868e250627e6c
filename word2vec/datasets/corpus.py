"""Texts that are larger than memory: one pass over the file counts its words and writes their numbers into a file.

In the first pass a word's number is the order in which words were met; the vocabulary, which puts the most frequent
first and drops the rare, is known only when it has ended. So the file keeps the first numbers, and each stretch is
renumbered when it is read. Training never sees more than one stretch: as much of the file as that is mapped into
memory, and given back.

A line is a sentence. A longer line than ``LONGEST`` words is cut there, as in gensim. What differs from the authors'
code: it cuts after 1,000 words, which matters for texts that are one line.
"""

import array
import codecs
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int
from tqdm import tqdm

from lab import write_text
from lab.checkpoint import naming, replacing
from word2vec.vocabulary import Vocabulary

LONGEST = 10_000  # words in a sentence
STRETCH = 65_536  # words, at least, but for the last stretch
PIECE = 2**20  # bytes that are read at once, at most
BLANKS = b" ", b"\t", b"\r"  # where a line that is longer than a piece can be cut
END = 0  # the number that stands between two sentences


class Numbers(dict[str, int]):
    """A word's number, in the order in which words are met, from 1 on."""

    def __missing__(self, word: str) -> int:
        self[word] = number = len(self) + 1
        return number


@dataclass(frozen=True)
class Corpus:
    """A text as numbers: ``words[n - 1]`` is the word with the number n; stretch k ends before token ``ends[k]``."""

    path: Path  # of the numbers: int32, END after each sentence
    source: tuple[str, int, int]  # the text's path, size in bytes and time of its last change
    words: Sequence[str]
    counts: Sequence[int]
    ends: Sequence[int]

    @property
    def tokens(self) -> int:
        """All words of the text, the rare ones too."""
        return sum(self.counts)

    def size(self, k: int) -> int:
        """How many words and ends of sentences stretch k has."""
        return self.ends[k] - (self.ends[k - 1] if k else 0)

    def stretch(
        self, k: int, renumber: Int[np.ndarray, " all"]
    ) -> tuple[Int[torch.Tensor, " n"], Int[torch.Tensor, " n"]]:
        """The words of stretch k and the sentence each stands in, without those that ``renumber`` makes negative."""
        n = self.size(k)
        mapped = np.memmap(self.path, np.int32, "r", 4 * (self.ends[k] - n), (n,))
        numbers, sentence = renumber[mapped], np.cumsum(mapped == END)
        kept = numbers >= 0
        return torch.from_numpy(numbers[kept]), torch.from_numpy(sentence[kept])

    def renumbering(self, vocabulary: Vocabulary) -> Int[np.ndarray, " all"]:
        """By a word's number here, its number in the vocabulary; -1 for END and for words that it does not have."""
        return np.array([-1, *(vocabulary.index.get(word, -1) for word in self.words)])


def read_corpus(source: Path, folder: Path) -> Corpus:
    """The corpus in ``folder``; it is made out of the text ``source`` first, unless it was made from it before.

    Raises:
        ValueError: if the text is not UTF-8 or has no words; the message names the line.
        OSError: if a file cannot be read or written.
    """
    try:
        with source.open("rb"):
            status = source.stat()
    except OSError as error:
        raise OSError(f"cannot read {source}: {error.strerror}") from error
    stamp = (str(source.resolve()), status.st_size, status.st_mtime_ns)
    return open_corpus(folder, stamp) or make_corpus(source, folder, stamp)


def open_corpus(folder: Path, stamp: tuple[str, int, int]) -> Corpus | None:
    """The corpus that was made from just this text, if it is there."""
    try:
        content = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
        corpus = Corpus(folder / "corpus.ids", stamp, *(content[name] for name in ("words", "counts", "ends")))
        whole = corpus.path.stat().st_size == 4 * corpus.ends[-1] and len(corpus.words) == len(corpus.counts)
        return corpus if whole and content["source"] == list(stamp) else None
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, IndexError, TypeError):
        return None


def make_corpus(source: Path, folder: Path, stamp: tuple[str, int, int]) -> Corpus:
    """The one pass. What it holds in memory is the words with their counts, and one stretch of the text."""
    path = folder / "corpus.ids"
    with naming(path):
        (folder / "corpus.json").unlink(missing_ok=True)  # it speaks of the old numbers
    numbers, counts, ends = Numbers(), np.zeros(1, np.int64), [0]
    bar = tqdm(total=stamp[1], desc=f"reading {source.name}", unit="B", unit_scale=True, disable=None)
    with replacing(path) as file, bar:
        for stretch, position in stretches(source, numbers):
            n = len(numbers) + 1
            counts = np.pad(counts, (0, n - len(counts))) + np.bincount(stretch, minlength=n)
            ends.append(ends[-1] + len(stretch))
            file.write(stretch.tobytes())
            bar.update(position - bar.n)
        if not numbers:
            raise ValueError(f"{source} must hold at least one word, and has none")
    corpus = Corpus(path, stamp, list(numbers), counts[1:].tolist(), ends[1:])
    content = {name: getattr(corpus, name) for name in ("source", "words", "counts", "ends")}
    write_text(folder / "corpus.json", json.dumps(content, ensure_ascii=False) + "\n")
    return corpus


def stretches(source: Path, numbers: Numbers) -> Iterator[tuple[Int[np.ndarray, " n"], int]]:
    """The text in stretches of whole sentences, as numbers, with the bytes that were read until then."""
    number_of, here, position = numbers.__getitem__, array.array("i"), 0
    for words, position in sentences(source):
        here.extend(map(number_of, words))
        here.append(END)
        if len(here) >= STRETCH:
            yield np.array(here, np.int32), position
            here = array.array("i")
    if here:
        yield np.array(here, np.int32), position


def sentences(source: Path) -> Iterator[tuple[list[str], int]]:
    """The words of each line, of long lines in parts, with the bytes that were read until then.

    Raises:
        ValueError: if a line is not UTF-8, or a word is longer than ``PIECE``.
    """
    with source.open("rb") as file:
        if file.read(3) != codecs.BOM_UTF8:  # a byte order mark is no part of the first word
            file.seek(0)
        words, rest, line = [], b"", 1
        for piece in chain(iter(partial(file.readline, PIECE), b""), [b""]):
            ended = not piece or piece.endswith(b"\n")
            rest += piece
            cut = (
                len(rest) if ended else max(map(rest.rfind, BLANKS)) + 1
            )  # a word that goes on in the next piece waits
            words += decoded(source, rest[:cut], line)
            rest = rest[cut:]
            if len(rest) > PIECE:
                raise ValueError(
                    f"{source} must have words of at most {PIECE:,} bytes, got a longer one in line {line}"
                )
            whole = len(words) if ended else len(words) // LONGEST * LONGEST
            for k in range(0, whole, LONGEST):
                yield words[k : min(k + LONGEST, whole)], file.tell()
            words = words[whole:]
            line += ended


def decoded(source: Path, text: bytes, line: int) -> list[str]:
    """The words of a part of a line."""
    try:
        return text.decode().split()
    except UnicodeDecodeError as error:
        byte = text[error.start]
        raise ValueError(f"{source} must be text in UTF-8, got the byte 0x{byte:02x} in line {line}") from None
