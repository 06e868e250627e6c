"""The verbs of ``python -m word2vec``: train (the default), text, judge, compare, nearest, analogy, export, phrases,
morphemes."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from lab import cli, training
from lab.checkpoint import write_text
from word2vec.commands.tasks import TextTask, ToyTask
from word2vec.commands.vectors import check_words, completions, neighbours, note_on_size, open_vectors
from word2vec.datasets.word_sets import read_analogies, read_similarity
from word2vec.evaluate import (
    ALL,
    HELD_OUT,
    KNOWN,
    judge_analogies,
    judge_similarity,
    toy_analogies,
)
from word2vec.extensions.formats import WordVectors, write_vectors
from word2vec.extensions.morphemes import write_morphemes
from word2vec.extensions.objectives import CONFIGS, OBJECTIVES, ObjectiveConfig
from word2vec.extensions.phrases import write_phrases
from word2vec.extensions.text import TextConfig
from word2vec.extensions.three_cos_mul import METHODS
from word2vec.figures import draw_comparison

Overrides = cli.overrides(ObjectiveConfig, CONFIGS)
TextOverrides = cli.overrides(TextConfig, {"text": TextConfig()})
TableName = Literal["centre", "context", "sum"]
Method = Literal["add", "mul"]
Limit = Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint="(default: all)")]
VectorFile = Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")]
Files = Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FILE [FILE ...]", help_behavior_hint="")]
RunName = Annotated[str, tyro.conf.arg(metavar="NAME")]
File = Annotated[Path, tyro.conf.arg(metavar="FILE")]


@dataclass(frozen=True, kw_only=True)
class Train(cli.TrainingOptions):
    """Train on the toy language, judge the vectors by its analogies, and draw them."""

    config: Literal["toy", "paper"] = "toy"  # where the defaults of the options below come from: word2vec/train.py
    configuration: tyro.conf.OmitArgPrefixes[Overrides] = field(default_factory=Overrides)

    def chosen_config(self) -> ObjectiveConfig:
        """The configuration with the user's changes."""
        return cli.overridden(CONFIGS[self.config], self.configuration)

    def execute(self, command: str) -> None:
        trained = training.train(ToyTask(self.chosen_config()), self, command)
        print(toy_tables(trained.results))
        print(f"{trained.results['steps']} steps in {trained.results['seconds']:.0f} s")
        print(trained.folder / "results.json", *trained.figures, sep="\n")
        name = [] if self.run is None else ["--run", self.run]
        print("ask it:", shlex.join(["python", "-m", "word2vec", "analogy", "king", "queen", "prince", *name]))


@dataclass(frozen=True, kw_only=True)
class Text(cli.Threads):
    """Train on any text, on the CPU, with an engine that is fast on large texts."""

    path: File  # the text, in UTF-8, one sentence a line, spaces between words; of Korean text, what `morphemes` wrote
    run: cli.Name = None  # the run is kept in runs/word2vec/NAME; by default NAME is text- and the file's name
    resume: cli.Flag = False  # continue a run that was stopped
    restart: cli.Flag = False  # delete a stopped run, or replace a finished one of another text or configuration
    configuration: tyro.conf.OmitArgPrefixes[TextOverrides] = field(default_factory=TextOverrides)

    def execute(self, command: str) -> None:
        task = TextTask(cli.overridden(TextConfig(), self.configuration), self.path, self.run)
        options = cli.TrainingOptions(
            threads=self.threads, device="cpu", run=task.name, resume=self.resume, restart=self.restart
        )
        trained = training.train(task, options, command)
        words, seconds = trained.results["words"], trained.results["seconds"]
        speed = f"{words / seconds:,.0f} words/s; " if seconds else ""
        print(f"{words:,} words in {seconds:.0f} s; {speed}{trained.results['vocabulary']:,} vectors")
        print(trained.folder)
        words = [word for word in task.vocabulary.words[:201] if not word.startswith("-")]  # "-x" would be an option
        word = words[-1] if words else "WORD"
        print("ask it:", shlex.join(["python", "-m", "word2vec", "nearest", word, "--run", task.name]))
        note_on_size(task.corpus.tokens, task.vocabulary.counts)


@dataclass(frozen=True, kw_only=True)
class Vectors(cli.Threads):
    """The vectors that a verb uses."""

    run: RunName = "toy"  # use the vectors of this finished run
    vectors: VectorFile = None  # use the vectors in this file instead: .txt, .vec or .bin
    table: TableName = "centre"  # the vectors of words as centres (W), as context words (W'), or the sum of both
    limit: Limit = None  # read only the first N words of the file

    def open(self) -> WordVectors:
        return open_vectors(self.run, self.table, self.vectors, self.limit)


@dataclass(frozen=True, kw_only=True)
class Judge(Vectors):
    """Judge trained vectors by the toy language's analogies, or by files of similar words and of analogies."""

    similarity: Files = ()  # pairs of words with people's scores: two words and a number on each line
    analogies: Files = ()  # analogies: four words on each line, in sections that begin with ": NAME"
    method: Method = "add"  # how analogies are answered: add is 3CosAdd, mul is 3CosMul

    def execute(self, command: str) -> None:
        vectors = self.open()
        for file in self.similarity:
            row = judge_similarity(vectors.vectors, vectors.words, read_similarity(file))
            unknown = row.unknown / (row.pairs + row.unknown)
            print(f"{file.name}: Spearman {row.correlation:.4f} over {row.pairs} pairs, {unknown:.1%} unknown")
        sets, on_files = {file.name: read_analogies(file) for file in self.analogies}, self.similarity or self.analogies
        if not on_files:
            if self.vectors is not None or (found := self.toy_run()) is None:
                raise ValueError("--similarity or --analogies must name a file: only the toy language has questions")
            sets = {f"{pairs} pairs": toy_analogies(pairs) for pairs in (KNOWN, HELD_OUT)}
        if sets:
            check_words(vectors, 4)
        for name, analogies in sets.items():
            print(name)
            for section, row in judge_analogies(
                vectors.vectors, vectors.words, analogies, METHODS[self.method]
            ).items():
                print(f"  {section:<30}{row.accuracy:>8.2%} of {row.asked:>6,}, {row.unknown:>6,} unknown")
        if not on_files and (self.method, self.table) == ("add", "centre"):  # what the training's own judging does
            folder, task = found
            judged = training.judge(task, training.open_weights(task, folder), folder)
            print(folder / "results.json", *judged.figures, sep="\n")

    def toy_run(self) -> tuple[Path, ToyTask] | None:
        """The run's folder and task, if it was trained on the toy language."""
        folder, data, config = training.open_run("word2vec", self.run, ObjectiveConfig, "python -m word2vec")
        return (folder, ToyTask(config)) if data == {"data": "toy"} else None


@dataclass(frozen=True, kw_only=True)
class Compare(Train):
    """Train on the toy language with every objective, one after the other, and compare their analogies."""

    def execute(self, command: str) -> None:
        config, place = self.chosen_config(), f"compare/{self.run or 'toy'}"
        if config.objective != CONFIGS["toy"].objective:
            raise ValueError(f"--objective must be left out where all are compared, got {config.objective!r}")
        tasks = {name: ToyTask(replace(config, objective=name), f"{place}/{name}") for name in OBJECTIVES}
        found, trained = {}, training.compare(tasks, self, command)
        for name, one in trained.items():
            reached = {pairs: one.results["pairs"][pairs]["reached"][ALL] for pairs in (KNOWN, HELD_OUT)}
            found[name] = {**reached, "seconds": one.results["seconds"]}
        folder = training.folder_of("word2vec", place)
        draw_comparison(folder / "comparison.png", {name: one.results["validation"] for name, one in trained.items()})
        results = {
            "paper": "word2vec",
            "what": "comparison",
            "command": command,
            "steps": config.steps,
            "seed": config.seed,
            "objectives": found,
        }
        write_text(folder / "results.json", json.dumps(results, indent=2, ensure_ascii=False) + "\n")
        print(f"{'objective':<20}{KNOWN:>10}{HELD_OUT:>10}{'seconds':>10}")
        for name, row in found.items():
            print(f"{name:<20}{row[KNOWN]:>10.2%}{row[HELD_OUT]:>10.2%}{row['seconds']:>10.1f}")
        print(folder / "comparison.png")


@dataclass(frozen=True, kw_only=True)
class Nearest(Vectors):
    """Print the words whose vectors are most similar to a word's, with their cosines."""

    word: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="WORD")]  # a word of the vocabulary
    count: int = 10  # the number of words that are printed

    def execute(self, command: str) -> None:
        check_least("--count", self.count, 1)
        print_scores(neighbours(self.open(), self.word, self.count))


@dataclass(frozen=True, kw_only=True)
class Analogy(Vectors):
    """Print the best words D in "A is to B as C is to D"."""

    a: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="A")]  # for example king
    b: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="B")]  # for example queen
    c: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="C")]  # for example prince
    count: int = 5  # the number of words that are printed
    method: Method = "add"  # how words are scored: add is 3CosAdd, mul is 3CosMul

    def execute(self, command: str) -> None:
        check_least("--count", self.count, 1)
        print_scores(completions(self.open(), self.a, self.b, self.c, self.count, self.method))


@dataclass(frozen=True, kw_only=True)
class Export(Vectors):
    """Write vectors into a file that word2vec, gensim and other programs read."""

    out: File  # the file that is written: .txt or .vec for text, .bin for binary

    def execute(self, command: str) -> None:
        write_vectors(self.out, self.open())
        print(self.out)


@dataclass(frozen=True, kw_only=True)
class Phrases(cli.Threads):
    """Find phrases such as "new york" in a text, and write the text with new_york as one word."""

    path: File  # the text, in UTF-8, one sentence a line
    out: File  # the file that is written
    thresholds: tuple[float, ...] = (100.0,)  # pairs with a higher score are phrases; one threshold for each pass
    discount: float = 5.0  # is subtracted from the count of each pair, so that rare pairs have low scores
    min_count: int = 5  # pairs with fewer occurrences are no phrases

    def execute(self, command: str) -> None:
        check_least("--discount", self.discount, 0)
        check_least("--min-count", self.min_count, 1)
        passes = write_phrases(self.path, self.out, self.thresholds, self.discount, self.min_count)
        for number, found in enumerate(passes, 1):
            frequent = ", ".join("_".join(pair) for pair, _ in found.most_common(5))
            print(f"pass {number}: {len(found):,} phrases" + (f", most frequent {frequent}" if frequent else ""))
        print(self.out)


@dataclass(frozen=True, kw_only=True)
class Morphemes(cli.Threads):
    """Write a Korean text with its particles and endings as words of their own. Then train on the written file."""

    path: File  # the text, in UTF-8, one sentence a line
    out: File  # the file that is written

    def execute(self, command: str) -> None:
        counts = write_morphemes(self.path, self.out, self.threads)
        print(f"{counts.words:,} words between spaces, {counts.different_words:,} different")
        print(f"{counts.morphemes:,} morphemes, {counts.different_morphemes:,} different")
        print(self.out)


def check_least(name: str, value: int | float, least: int) -> None:
    if not value >= least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def print_scores(found: Sequence[tuple[str, float]]) -> None:
    for word, score in found:
        print(f"{score:8.4f}  {word}")


def toy_tables(results: Mapping[str, Any]) -> str:
    """For known and for held-out pairs a table in %: a row for each relation; columns for baselines and the model."""
    parts = []
    for name, columns in results["pairs"].items():
        lines = [f"{name} pairs", f"{'relation':<12}" + "".join(f"{column:>12}" for column in columns)]
        for relation in columns["reached"]:
            cells = "".join(f"{column[relation]:>12.2%}" for column in columns.values())
            lines.append(f"{relation:<12}{cells}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


VERBS = (Train, Text, Judge, Compare, Nearest, Analogy, Export, Phrases, Morphemes)
DEFAULT = Train
