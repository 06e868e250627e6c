"""Texts that are larger than memory: one pass over the file counts its words and writes their ids into a file.

In this pass a word's id is its place in the order of first occurrences. The vocabulary has other ids, since it begins
with the most frequent word and drops rare words; it is known only after the pass. So the file keeps the first ids, and
``Corpus.chunk`` translates them. Training reads one chunk of the file at a time, as a memory map.

A line is a sentence. A line of more than ``LONGEST`` words is cut, as in gensim. What differs from the authors' code:
it cuts after 1,000 words, which matters for a text that is one line.
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

from lab.checkpoint import naming, replacing, write_text
from word2vec.vocabulary import Vocabulary

LONGEST = 10_000  # most words in a sentence
CHUNK = 65_536  # fewest words in a chunk, except in the last one
PIECE = 2**20  # most bytes that are read at once
BLANKS = b" ", b"\t", b"\r"  # a line that is longer than a piece is cut here
END = 0  # the id of the end of a sentence


class FirstIds(dict[str, int]):
    """The id of each word, from 1, in the order of first occurrences."""

    def __missing__(self, word: str) -> int:
        self[word] = new = len(self) + 1
        return new


@dataclass(frozen=True)
class Corpus:
    """A text as ids in a file: ``words[i - 1]`` is the word with the id i; chunk k ends before token ``ends[k]``."""

    path: Path  # of the ids: int32, END after each sentence
    source: tuple[str, int, int]  # the text's path, size in bytes and time of its last change
    words: Sequence[str]
    counts: Sequence[int]
    ends: Sequence[int]

    @property
    def tokens(self) -> int:
        """The number of words of the text, rare words included."""
        return sum(self.counts)

    def size(self, k: int) -> int:
        """The number of words and sentence ends in chunk k."""
        return self.ends[k] - (self.ends[k - 1] if k else 0)

    def chunk(
        self, k: int, vocabulary_ids: Int[np.ndarray, " all"]
    ) -> tuple[Int[torch.Tensor, " n"], Int[torch.Tensor, " n"]]:
        """The ids of the words of chunk k in the vocabulary, and the number of each word's sentence.

        Words whose entry in ``vocabulary_ids`` is negative are left out.
        """
        n = self.size(k)
        mapped = np.memmap(self.path, np.int32, "r", 4 * (self.ends[k] - n), (n,))
        ids, sentence = vocabulary_ids[mapped], np.cumsum(mapped == END)
        kept = ids >= 0
        return torch.from_numpy(ids[kept]), torch.from_numpy(sentence[kept])

    def vocabulary_ids(self, vocabulary: Vocabulary) -> Int[np.ndarray, " all"]:
        """For each id of the file its id in the vocabulary; -1 for END and for words that the vocabulary lacks."""
        return np.array([-1, *(vocabulary.index.get(word, -1) for word in self.words)])


def read_corpus(source: Path, folder: Path) -> Corpus:
    """The corpus of the text ``source``. It is kept in ``folder`` and made only if it is not there yet.

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
    """The corpus in ``folder`` if it was made from exactly this text."""
    try:
        content = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
        corpus = Corpus(folder / "corpus.ids", stamp, *(content[name] for name in ("words", "counts", "ends")))
        whole = corpus.path.stat().st_size == 4 * corpus.ends[-1] and len(corpus.words) == len(corpus.counts)
        return corpus if whole and content["source"] == list(stamp) else None
    except (FileNotFoundError, NotADirectoryError, ValueError, KeyError, IndexError, TypeError):
        return None


def make_corpus(source: Path, folder: Path, stamp: tuple[str, int, int]) -> Corpus:
    """The one pass over the text. It keeps in memory the words with their counts and one chunk of the text."""
    path = folder / "corpus.ids"
    with naming(path):
        (folder / "corpus.json").unlink(missing_ok=True)  # it describes the old ids
    ids, counts, ends = FirstIds(), np.zeros(1, np.int64), [0]
    bar = tqdm(total=stamp[1], desc=f"reading {source.name}", unit="B", unit_scale=True, disable=None)
    with replacing(path) as file, bar:
        for chunk, position in chunks(source, ids):
            n = len(ids) + 1
            counts = np.pad(counts, (0, n - len(counts))) + np.bincount(chunk, minlength=n)
            ends.append(ends[-1] + len(chunk))
            file.write(chunk.tobytes())
            bar.update(position - bar.n)
        if not ids:
            raise ValueError(f"{source} must hold at least one word, and has none")
    corpus = Corpus(path, stamp, list(ids), counts[1:].tolist(), ends[1:])
    content = {name: getattr(corpus, name) for name in ("source", "words", "counts", "ends")}
    write_text(folder / "corpus.json", json.dumps(content, ensure_ascii=False) + "\n")
    return corpus


def chunks(source: Path, ids: FirstIds) -> Iterator[tuple[Int[np.ndarray, " n"], int]]:
    """The text in chunks of whole sentences, as ids, each with the number of bytes read so far."""
    id_of, chunk, position = ids.__getitem__, array.array("i"), 0
    for words, position in sentences(source):
        chunk.extend(map(id_of, words))
        chunk.append(END)
        if len(chunk) >= CHUNK:
            yield np.array(chunk, np.int32), position
            chunk = array.array("i")
    if chunk:
        yield np.array(chunk, np.int32), position


def sentences(source: Path) -> Iterator[tuple[list[str], int]]:
    """The words of each line, each with the number of bytes read so far. Long lines come in parts.

    Raises:
        ValueError: if a line is not UTF-8, or a word is longer than ``PIECE``.
    """
    with source.open("rb") as file:
        if file.read(3) != codecs.BOM_UTF8:  # a byte order mark is not part of the first word
            file.seek(0)
        words, rest, line = [], b"", 1
        for piece in chain(iter(partial(file.readline, PIECE), b""), [b""]):
            ended = not piece or piece.endswith(b"\n")
            rest += piece
            cut = len(rest) if ended else max(map(rest.rfind, BLANKS)) + 1  # a word may continue in the next piece
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
