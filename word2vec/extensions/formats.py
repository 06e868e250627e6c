"""Files of word vectors, in the two formats of the authors' code (word2vec.c, 2013), which every library reads.

Both begin with a line of two numbers: V words, D numbers each. Then, for each word in order:

    text    ``.txt``, ``.vec``   the word, then D numbers with a space before each, then a line break
    binary  ``.bin``             the word, a space, D float32 (4 bytes, little-endian)

GloVe's text (Pennington et al. 2014) is the same without the first line, and is read; one line on stderr says so. Its
words may have spaces: the last D parts of a line are the numbers, and D is that of the first line.

The suffix of the file name decides the format. The reference is gensim 4.4 (``KeyedVectors.save_word2vec_format``,
``load_word2vec_format``): each program reads the other's files.

What differs, and why:
- The authors' code writes a space at the end of each text line, and a line break after each binary vector. gensim
  writes neither, and neither do we. Both kinds are read.
- In text, numbers have nine digits, which is enough for every float32. The authors' six decimals are not enough. gensim
  writes the fewest digits that identify a float32, and reads them as float64 first. Then 7.038531e-26 comes back as
  another float32; with nine digits it does not.
- An empty word, or a word with a space or a line break, is an error in both formats. gensim writes such words, and
  reads them in pieces or not at all. Phrases are joined with ``_``, as in the authors' code. Other kinds of white space
  (U+00A0, U+3000) are allowed in words.
- A word that comes twice is an error; gensim keeps the first. In GloVe's text the first is kept here, too. A number
  that is not finite is an error, and so is a word that is not UTF-8: the authors' code cuts long words after a fixed
  number of bytes, maybe within a letter.
"""

import mmap
import re
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from lab.checkpoint import write_bytes

BINARY = {".txt": False, ".vec": False, ".bin": True}  # by suffix, whether the format is binary
IN_TEXT = b"0123456789+-.eE \r\n"  # the bytes that numbers in text consist of
LONGEST_LINE = 2**20  # bytes in which the first line ends
IS_NUMBER = re.compile(rb"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class WordVectors:
    """Row i of ``vectors``, in float32, belongs to word i, which occurs ``counts[i]`` times in the text, if known."""

    words: tuple[str, ...]
    vectors: Float[Tensor, "v d"]
    counts: tuple[int, ...] | None = None


def write_vectors(path: Path, vectors: WordVectors) -> None:
    """Writes vectors in float32. After an error the old file is unchanged.

    Raises:
        ValueError: if the name does not end in .txt, .vec or .bin; if the numbers of words and of vectors differ, or
            are 0; or as ``check_vectors``.
        OSError: if the file cannot be written.
    """
    binary = is_binary(path)
    words, rows = vectors.words, vectors.vectors.detach().cpu().float().numpy()  # rows: (v, d)
    if len(words) != len(rows) or rows.size == 0:
        raise ValueError(f"{path}: there must be as many words as vectors, and some, got {len(words)} and {rows.shape}")
    check_vectors(path, words, rows)
    v, d = rows.shape
    if binary:
        lines = (f"{word} ".encode() + row.astype("<f4").tobytes() for word, row in zip(words, rows, strict=True))
    else:
        line = "%s" + d * " %.9g" + "\n"
        lines = ((line % (word, *row.tolist())).encode() for word, row in zip(words, rows, strict=True))
    write_bytes(path, b"".join([f"{v} {d}\n".encode(), *lines]))


def read_vectors(path: Path, limit: int | None = None) -> WordVectors:
    """The words of a file with their vectors, or the first ``limit`` of them; the words after them are not read.

    Raises:
        ValueError: if the name does not end in .txt, .vec or .bin; if the file cannot be read or is empty; if it does
            not begin with two positive whole numbers (or, in text, with a word and its numbers), or has fewer or more
            words or numbers than they say; or as ``check_vectors``. The message has one line, with the file's name.
    """
    binary = is_binary(path)
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")
    try:
        with path.open("rb") as file:
            if path.stat().st_size == 0:
                raise ValueError(f"{path} is empty")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                if not binary and (d := numbers_behind_a_word(data[:LONGEST_LINE].split(b"\n")[0])):
                    return read_glove(path, data, d, limit)
                v, d = read_header(path, data, binary)
                n = min(v, limit or v)
                words, rows = (read_binary if binary else read_text)(path, data, n, v, d)
                rest = data[data.tell() :].strip() if n == v else b""
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
    if rest:
        raise ValueError(f"{path}: the header says {v} words of {d} numbers, but more follows: {rest[:20]!r}")
    check_vectors(path, words, rows)
    return WordVectors(words, torch.from_numpy(rows))


def numbers_behind_a_word(line: bytes) -> int:
    """How many numbers end a line of GloVe; 0 if it is no such line. Two numbers alone are a header."""
    parts = line.split()[1:]
    numbers = next((k for k, part in enumerate(reversed(parts)) if not IS_NUMBER.fullmatch(part)), len(parts))
    return numbers if numbers > 1 else 0


def read_glove(path: Path, data: mmap.mmap, d: int, limit: int | None) -> WordVectors:
    """Lines of a word and ``d`` numbers, without a header. One line on stderr says what was assumed."""
    v = sum(1 for line in islice(iter(data.readline, b""), limit) if line.strip())
    data.seek(0)
    words, rows = read_text(path, data, v, v, d, header=False)
    first: dict[str, int] = {}
    for i, word in enumerate(words):
        first.setdefault(word, i)
    twice = v - len(first)
    if twice:
        words, rows = tuple(first), rows[list(first.values())]
    check_vectors(path, words, rows, spaces=True)
    more = f"; {twice:,} more are of words that came before, and left out" if twice else ""
    print(
        f"note: {path} has no header: read as GloVe's text, {len(words):,} words of {d} numbers{more}", file=sys.stderr
    )
    return WordVectors(words, torch.from_numpy(rows))


def is_binary(path: Path) -> bool:
    """Whether the suffix of the name means the binary format.

    Raises:
        ValueError: if the suffix belongs to neither format.
    """
    if path.suffix.lower() not in BINARY:
        raise ValueError(f"{path}: the name must end in .txt or .vec (text) or .bin (binary)")
    return BINARY[path.suffix.lower()]


def check_vectors(path: Path, words: tuple[str, ...], rows: Float[np.ndarray, "v d"], spaces: bool = False) -> None:
    """Checks that both formats can hold the words and vectors; with ``spaces``, that GloVe's text can.

    Raises:
        ValueError: if a word is empty, contains a space or a line break, cannot be encoded, or occurs twice; or if a
            number is not finite. The message counts words from 1.
    """
    for number, word in enumerate(words, start=1):
        if not word or (" " in word and not spaces) or "\n" in word:
            what = f"{path}: word {number} must not be empty or hold a space or a line break"
            raise ValueError(f"{what}, got {word[:40]!r}")
        if word.encode(errors="ignore").decode() != word:
            raise ValueError(f"{path}: word {number} cannot be written in UTF-8, got {word[:40]!r}")
    if len(set(words)) < len(words):
        word, times = Counter(words).most_common(1)[0]
        raise ValueError(f"{path}: each word must come once, but {word!r} comes {times} times")
    finite = np.isfinite(rows).all(axis=1)
    if not finite.all():
        number = int(finite.argmin())
        raise ValueError(f"{path}: numbers must be finite in float32, but those of {words[number]!r} are not")


def read_header(path: Path, data: mmap.mmap, binary: bool) -> tuple[int, int]:
    """V and D. They are checked against the size of the file, before arrays of this size are made.

    Raises:
        ValueError: if the first line is not two whole positive numbers, or the file is too short for them.
    """
    line = data[:64].split(b"\n")[0]
    sizes = [int(field) for field in line.split() if field.isdigit()]
    if len(line.split()) != 2 or len(sizes) != 2 or 0 in sizes:
        allowed = "two whole positive numbers (words, numbers each)" + ("" if binary else " or a word and its numbers")
        raise ValueError(f"{path}: the first line must be {allowed}, got {line!r}")
    v, d = sizes
    least = (
        v * (1 + 1 + 4 * d) if binary else v * (1 + 2 * d + 1) - 1
    )  # words of one letter; the last line break may be missing
    left = max(0, data.size() - len(line) - 1)
    if left < least:
        what = f"{v} words of {d} numbers need {least} bytes or more, got {left}"
        raise ValueError(f"{path}: cut short, or a wrong header: {what}")
    data.seek(len(line) + 1)
    return v, d


def read_text(
    path: Path, data: mmap.mmap, n: int, v: int, d: int, header: bool = True
) -> tuple[tuple[str, ...], Float[np.ndarray, "n d"]]:
    """The first ``n`` of ``v`` words with ``d`` numbers each. Only U+0020 separates them, and only U+000A ends a line.

    Without a header a word may have spaces, if none of its parts behind the first is a number.

    Raises:
        ValueError: if there are fewer lines, or one (counted from 1, with the header) is not a word and d numbers.
    """
    words, rows = [], np.empty((n, d), dtype=np.float32)
    for i in range(n):
        line = data.readline()
        if not line:
            raise ValueError(f"{path}: cut short: the header says {v} words, got {i}")
        whole, number = line.endswith(b"\n"), i + 1 + header
        word, *numbers = line.rstrip().split(b" ")
        if not header and len(numbers) > d == numbers_behind_a_word(line):
            word, numbers = b" ".join([word, *numbers[:-d]]), numbers[-d:]
        if len(numbers) != d:
            cut = "" if whole else "cut short: "
            raise ValueError(f"{path}: {cut}line {number} must have {d} numbers behind a word, got {len(numbers)}")
        try:
            with np.errstate(
                over="ignore"
            ):  # a number too large for float32 becomes infinite; check_vectors refuses it
                rows[i] = [float(number) for number in numbers]
        except ValueError as error:
            raise ValueError(f"{path}: line {number}: {error}") from None
        words.append(decode(path, i, word))
    return tuple(words), rows


def read_binary(
    path: Path, data: mmap.mmap, n: int, v: int, d: int
) -> tuple[tuple[str, ...], Float[np.ndarray, "n d"]]:
    """The first ``n`` of ``v`` words with ``d`` numbers each, with or without line breaks after the numbers.

    Raises:
        ValueError: if the file ends too early, or if the numbers are text.
    """
    words, rows = [], np.empty((n, d), dtype=np.float32)
    for i in range(n):
        start = data.tell()
        space = data.find(b" ", start)
        if space < 0 or data.size() < space + 1 + 4 * d:
            raise ValueError(f"{path}: cut short: the header says {v} words of {d} numbers, got {i}")
        data.seek(space + 1)
        numbers = data.read(4 * d)
        if i == 0 and d > 4 and not numbers.strip(IN_TEXT):  # more than 16 random bytes are not all digits
            raise ValueError(f"{path}: the name ends in .bin (binary), but the numbers are text: {numbers[:20]!r}")
        rows[i] = np.frombuffer(numbers, dtype="<f4")
        words.append(decode(path, i, data[start:space].lstrip(b"\n")))
    return tuple(words), rows


def decode(path: Path, i: int, word: bytes) -> str:
    """Word i, counted from 0, as a string.

    Raises:
        ValueError: if it is not UTF-8.
    """
    try:
        return word.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{path}: word {i + 1} must be UTF-8, got {word[:40]!r}") from None
