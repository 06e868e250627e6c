"""Vectors of a run or of a file, their nearest words, and their answers to analogies."""

import difflib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import safetensors.torch
import torch
from jaxtyping import Float
from torch import Tensor

from lab import folders, training
from lab.checkpoint import CheckpointError, read_bytes
from word2vec.evaluate import table_of
from word2vec.extensions.formats import WordVectors, read_vectors
from word2vec.extensions.three_cos_mul import METHODS
from word2vec.similarity import complete, nearest

RARE = 100  # occurrences below which ``nearest`` says how often a word occurs
CHANGES = "with another seed, about a third of the ten nearest words of such a word stay the same"  # bench rare
SMALL = 100_000_000  # words of a text, below which its training says what can be expected
SPELLINGS = 3  # words of similar spelling that are shown for an unknown word


def load_trained(name: str, table: str = "centre") -> WordVectors:
    """The vectors of a finished run.

    Raises:
        ValueError: if there is no finished run of that name, a file in it is damaged, or it has no such table.
    """
    text = "" if name == "toy" else " text --path FILE"
    folder = training.find_run("word2vec", name, f"python -m word2vec{text}")
    try:
        vocabulary = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
        words, counts = vocabulary["words"], vocabulary["counts"]
        of_text = folders.read_summary(folder)["config"]["data"] == "text"  # the toy language has no end
        tensors = safetensors.torch.load(read_bytes(folder / "best.safetensors"))
        centre: Float[Tensor, "v d"] = tensors["model.centre"]
        if not len(words) == len(counts) == len(centre):
            raise ValueError(f"{len(words)} words, {len(counts)} counts and {len(centre)} vectors")
    except CheckpointError:
        raise
    except Exception as error:  # deleted, edited, or cut short; safetensors has its own kind of error
        raise CheckpointError(f"{folder} is damaged or of another version: train anew") from error
    if table != "centre" and "model.context" not in tensors:
        raise ValueError(f"--table must be centre, got {table!r}: words have no other vector in {folder}")
    return WordVectors(
        tuple(words), table_of(centre, tensors.get("model.context", centre), table), tuple(counts) if of_text else None
    )


def open_vectors(
    run: str = "toy", table: str = "centre", file: Path | None = None, limit: int | None = None
) -> WordVectors:
    """The vectors in ``file``, or without one those of a finished run."""
    if file is None and limit is not None:
        raise ValueError(f"--limit must be left out where no file of vectors is read, got {limit}")
    if file is None:
        return load_trained(run, table)
    if table != "centre":
        raise ValueError(f"--table must be centre where a file of vectors is read, got {table!r}: it holds one table")
    return read_vectors(file, limit)


def check_words(vectors: WordVectors, least: int) -> None:
    """Raises ValueError if there are fewer words than a question and its answer need."""
    if len(vectors.words) < least:
        raise ValueError(f"the vocabulary must have {least} words or more, got {len(vectors.words)}")


def id_of(vectors: WordVectors, word: str) -> int:
    """The row of a word, or of its lower case if the vocabulary lacks the word as it is.

    Raises:
        ValueError: if neither is there; the message suggests words of similar spelling.
    """
    index = {known: number for number, known in enumerate(vectors.words)}
    for variant in (word, word.lower()):
        if variant in index:
            return index[variant]
    near = difflib.get_close_matches(word.lower(), vectors.words, SPELLINGS, cutoff=0.6)
    suggestion = f"; did you mean {', '.join(near)}?" if near else ""
    raise ValueError(f"word must be one of the {len(index):,} words of the vocabulary, got {word!r}{suggestion}")


def note_on_size(words: int, counts: Sequence[int]) -> None:
    """One line on stderr about what a text of this size can give, unless it is large. See report/measured.md."""
    if words < SMALL:
        rare = sum(count < RARE for count in counts) / len(counts)
        print(
            f"note: {words:,} words are few: 3.8 million answered 13% of public analogies, a billion 59%; "
            f"{rare:.0%} of the vectors are of words that occur fewer than {RARE} times",
            file=sys.stderr,
        )


def neighbours(vectors: WordVectors, word: str, count: int) -> list[tuple[str, float]]:
    """The words with the most similar vectors, with their cosines. One line on stderr if the word is rare."""
    check_words(vectors, 2)
    i = id_of(vectors, word)
    if vectors.counts is not None and vectors.counts[i] < RARE:
        times = f"only {vectors.counts[i]} times in the text" if vectors.counts[i] > 1 else "only once in the text"
        print(f"note: {vectors.words[i]} occurs {times}: {CHANGES}", file=sys.stderr)
    return [(vectors.words[k], cosine) for k, cosine in nearest(vectors.vectors, i, count)]


def completions(vectors: WordVectors, a: str, b: str, c: str, count: int, method: str) -> list[tuple[str, float]]:
    """The best answers to "a is to b as c is to …", with their scores."""
    check_words(vectors, 4)
    question = torch.tensor([[id_of(vectors, word) for word in (a, b, c)]])
    ids, scores = complete(vectors.vectors, question, count, METHODS[method])
    return [(vectors.words[k], score) for k, score in zip(ids[0].tolist(), scores[0].tolist(), strict=True)]
