"""Wrong ways to read and write word vectors that people really write. Each must fail the tests of
``word2vec.extensions.formats``."""

from pathlib import Path

import numpy as np
import torch

from lab.checkpoint import write_text
from word2vec.extensions.formats import WordVectors, write_vectors


def _word_vectors(lines):
    vectors = torch.tensor([[float(number) for number in numbers] for _, *numbers in lines], dtype=torch.float32)
    return WordVectors(tuple(word for word, *_ in lines), vectors)


def split_at_any_blank(path, limit=None):
    """Tempting because ``split()`` also takes away the line's end; U+00A0 and U+3000 are blanks to it, inside words."""
    with Path(path).open(encoding="utf-8", newline="\n") as file:
        next(file)
        return _word_vectors([line.split() for line in file])


def lines_by_splitlines(path, limit=None):
    r"""Tempting because it reads as it sounds; U+2028, U+0085 and ``\r`` end a line there, inside words."""
    return _word_vectors([line.split(" ") for line in Path(path).read_bytes().decode().splitlines()[1:]])


def line_break_behind_each_vector(path, limit=None):
    """Tempting because the authors' code writes one; gensim does not, and the next word then loses its first letter."""
    with Path(path).open("rb") as file:
        v, d = map(int, file.readline().split())
        words, rows = [], []
        for _ in range(v):
            words.append(b"".join(iter(lambda: file.read(1), b" ")).decode())
            rows.append(np.frombuffer(file.read(4 * d), dtype="<f4"))
            file.read(1)
    return WordVectors(tuple(words), torch.from_numpy(np.stack(rows)))


def six_digits(path, vectors):
    """Tempting because it is the authors' own ``%lf``; a small number loses its digits, a tiny one is 0."""
    _write(path, vectors, lambda number: f"{number:f}")


def fewest_digits(path, vectors):
    """Tempting because they name one float32 alone, and gensim writes them; read by way of float64, one goes astray."""
    _write(path, vectors, lambda number: str(np.float32(number)))


def spaces_written(path, vectors):
    """Tempting because gensim writes them without a word; nobody can tell any more where the word ends."""
    joined = tuple(word.replace(" ", "_") for word in vectors.words)
    write_vectors(path, WordVectors(joined, vectors.vectors))
    content = Path(path).read_bytes()
    for ours, theirs in zip(joined, vectors.words, strict=True):
        content = content.replace(ours.encode(), theirs.encode())
    Path(path).write_bytes(content)


def _write(path, vectors, spell):
    rows = vectors.vectors.tolist()
    lines = [" ".join([word, *map(spell, row)]) for word, row in zip(vectors.words, rows, strict=True)]
    write_text(path, "\n".join([f"{len(rows)} {len(rows[0])}", *lines, ""]))


READERS = {split_at_any_blank: "txt", lines_by_splitlines: "txt", line_break_behind_each_vector: "bin"}
WRITERS = {six_digits: "txt", fewest_digits: "txt", spaces_written: "bin"}
