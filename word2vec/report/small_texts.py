"""What a text of some million words can give, measured.

``morphemes``: vectors of Korean split at spaces, and split into morphemes, judged on the same pairs of words.
``rare``: how much of a word's neighbourhood two trainings with different seeds have in common, by how often the word
occurs. What differs between them comes from the seed and not from the text.
"""

import json
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from lab import cli
from lab.checkpoint import write_text
from lab.seeding import seed_everything
from lab.timing import table
from word2vec.datasets.corpus import read_corpus
from word2vec.datasets.word_sets import read_similarity
from word2vec.evaluate import judge_similarity
from word2vec.extensions.morphemes import write_morphemes
from word2vec.extensions.text import TextConfig, TextTraining, vocabulary_of
from word2vec.similarity import cosines
from word2vec.vocabulary import Vocabulary

MORPHEMES = Path("runs/bench/morphemes/results.json")
RARE = Path("runs/bench/rare/results.json")
REVIEWS = 50_000  # of the Korean text; parsing takes most of the time
SPACES, PARSED = "split at spaces", "split into morphemes"
BINS = (5, 10, 20, 50, 100, 200, 1000)  # the least number of occurrences in each row of ``rare``
ASKED, NEAREST = 200, 10  # words in each row, and neighbours of each


def trained(path: Path, cache: Path, config: TextConfig, seed: int) -> tuple[Vocabulary, int, Float[Tensor, "v d"]]:
    """The vocabulary of a text, its number of words, and its vectors."""
    corpus = read_corpus(path, cache)
    vocabulary = vocabulary_of(corpus, config.min_count)
    seed_everything(seed)
    training = TextTraining(corpus, vocabulary, replace(config, seed=seed))
    for step in range(training.steps):
        training.step(step)
    return vocabulary, corpus.tokens, training.model.centre.detach()


def measure_morphemes(repetitions: int, folder: Path, results: Path = MORPHEMES) -> str:
    """The table for the first lines of korean.txt and for wordsim353-korean.csv in ``folder``; its numbers are written
    to ``results``."""
    pairs = read_similarity(folder / "wordsim353-korean.csv")
    paths = {SPACES: results.with_name("spaces.txt"), PARSED: results.with_name("morphemes.txt")}
    with (folder / "korean.txt").open(encoding="utf-8") as file:
        write_text(paths[SPACES], "".join(islice(file, REVIEWS)))
    write_morphemes(paths[SPACES], paths[PARSED], torch.get_num_threads())
    found: dict[str, dict[str, Any]] = {}
    vectors: dict[str, list[tuple[Vocabulary, Float[Tensor, "v d"]]]] = {name: [] for name in paths}
    for name, path in paths.items():
        for seed in range(repetitions):
            vocabulary, words, table_of_words = trained(path, path.with_suffix(".corpus"), TextConfig(), seed)
            vectors[name].append((vocabulary, table_of_words))
        known = judge_similarity(table_of_words, vocabulary.words, pairs)
        found[name] = {"words": words, "vocabulary": len(vocabulary), "unknown": known.unknown, "known": known.pairs}
    words = [set(one[0][0].words) for one in vectors.values()]
    common = [pair for pair in pairs if all(set(pair[:2]) <= known for known in words)]
    for name, trainings in vectors.items():
        for kind, asked in (("all", pairs), ("common", common)):
            scores = [judge_similarity(rows, vocabulary.words, asked).correlation for vocabulary, rows in trainings]
            found[name][kind] = {"mean": statistics.fmean(scores), "low": min(scores), "high": max(scores)}
    content = {
        "paper": "word2vec",
        "what": "morphemes",
        "command": "python -m bench morphemes --folder FOLDER",
        "repetitions": repetitions,
        "reviews": REVIEWS,
        "pairs": len(pairs),
        "common": len(common),
        "ways": found,
    }
    write_text(results, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return f"{table(morpheme_rows(content))}\n{results}"


def morpheme_rows(content: Mapping[str, Any]) -> list[list[str]]:
    """A column for each way of splitting."""

    def correlation(way: Mapping[str, Any], kind: str) -> str:
        return "{mean:.3f} ({low:.3f} to {high:.3f})".format(**way[kind])

    ways = content["ways"].values()
    return [
        ["", *content["ways"]],
        ["words in the text", *(f"{way['words']:,}" for way in ways)],
        ["words in the vocabulary", *(f"{way['vocabulary']:,}" for way in ways)],
        ["unknown pairs of WordSim-353", *(f"{way['unknown'] / content['pairs']:.1%}" for way in ways)],
        ["correlation, all known pairs", *(correlation(way, "all") for way in ways)],
        [f"correlation, the {content['common']} pairs that both know", *(correlation(way, "common") for way in ways)],
    ]


def measure_rare(folder: Path, results: Path = RARE) -> str:
    """The table for english.txt in ``folder``; its numbers are written to ``results``."""
    path, cache = folder / "english.txt", results.with_name("english.corpus")
    vocabulary, words, first = trained(path, cache, TextConfig(), 0)
    _, _, second = trained(path, cache, TextConfig(), 1)
    rows = []
    for low, high in zip(BINS, (*BINS[1:], None), strict=True):
        ids = [i for i, count in enumerate(vocabulary.counts) if low <= count < (high or count + 1)]
        asked = random.Random(0).sample(ids, min(ASKED, len(ids)))
        rows.append({"from": low, "to": high, "words": len(ids), "same": shared(first, second, asked)})
    content = {
        "paper": "word2vec",
        "what": "rare",
        "command": "python -m bench rare --folder FOLDER",
        "words": words,
        "asked": ASKED,
        "nearest": NEAREST,
        "rows": rows,
    }
    write_text(results, json.dumps(content, indent=2) + "\n")
    return f"{table(rare_rows(content))}\n{results}"


def shared(first: Float[Tensor, "v d"], second: Float[Tensor, "v d"], asked: Sequence[int]) -> float | None:
    """The share of the nearest words that two tables have in common, the mean over the words ``asked``, if any."""
    if not asked:
        return None
    ids = torch.tensor(asked)
    own = ids[:, None]  # a word is no neighbour of itself
    one, other = (cosines(rows, ids).scatter(1, own, -torch.inf).topk(NEAREST).indices for rows in (first, second))
    return float((one[:, :, None] == other[:, None]).any(2).double().mean())


def rare_rows(content: Mapping[str, Any]) -> list[list[str]]:
    """A row for each number of occurrences."""
    rows = [["occurrences", "words", f"of {content['nearest']} nearest words the same"]]
    for row in content["rows"]:
        here = f"{row['from']} to {row['to'] - 1:,}" if row["to"] else f"{row['from']:,} or more"
        rows.append([here, f"{row['words']:,}", "" if row["same"] is None else f"{row['same']:.0%}"])
    return rows


@dataclass(frozen=True, kw_only=True)
class Morphemes(cli.Threads):
    """The vectors of Korean text that is split at spaces, and of the same text in morphemes."""

    folder: Path  # a folder with korean.txt and wordsim353-korean.csv
    repetitions: int = 3  # the number of seeds

    def execute(self, command: str) -> None:
        if self.repetitions < 1:
            raise ValueError(f"--repetitions must be at least 1, got {self.repetitions}")
        print(measure_morphemes(self.repetitions, self.folder))


@dataclass(frozen=True, kw_only=True)
class Rare(cli.Threads):
    """How much the neighbours of a rare word depend on the seed."""

    folder: Path  # a folder with english.txt

    def execute(self, command: str) -> None:
        print(measure_rare(self.folder))


VERBS = (Morphemes, Rare)
