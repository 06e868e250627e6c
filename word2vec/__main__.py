"""``python -m word2vec`` trains, ``… compare`` with each objective; ``… nearest``, ``… analogy`` and ``… evaluate`` ask
what vectors know, ``… export`` writes them as a file, ``… phrases`` joins words of a text."""

import argparse
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from lab import How, command_line
from word2vec.commands.toy import compare, draw_result, train_and_judge
from word2vec.commands.trained import check_words, completions, neighbours, open_vectors
from word2vec.evaluate import (
    HELD_OUT,
    KNOWN,
    judge_analogies,
    judge_similarity,
    read_analogies,
    read_similarity,
    toy_analogies,
)
from word2vec.extensions.formats import write_vectors
from word2vec.extensions.phrases import write_phrases
from word2vec.extensions.text import TextConfig, train_on_text
from word2vec.train import CONFIGS, Config

RUNS = Path("runs/word2vec")
VERBS = ("train", "compare", "nearest", "analogy", "evaluate", "export", "phrases")
DataName = Literal["toy", "text"]
TableName = Literal["centre", "context", "sum"]
Form = Literal["add", "mul"]


@dataclass(frozen=True)
class Train:
    """Train on the toy language, judge on its analogies, and draw what was learned."""

    fields: tyro.conf.OmitArgPrefixes[Config]
    data: Literal["toy"] = "toy"  # text has other fields: see --data text --help
    config: str | None = None  # one of the configurations in word2vec/train.py; by default the data's own
    device: str | None = None  # cuda, mps or cpu; by default the first of them that is there
    resume: bool = False  # go on with a run that was stopped
    restart: bool = False  # throw a stopped run away


class Compare(Train):
    """Train on the toy language with every objective, one after the other, and compare what is learned."""


@dataclass(frozen=True)
class TrainText:
    """Train on any text by the block engine."""

    path: Path  # the text, in UTF-8, one sentence a line
    fields: tyro.conf.OmitArgPrefixes[TextConfig] = field(default_factory=TextConfig)
    data: Literal["text"] = "text"
    resume: bool = False  # go on with a run that was stopped
    restart: bool = False  # throw a stopped run away


@dataclass(frozen=True)
class Vectors:
    """Which vectors are asked."""

    data: DataName = "toy"  # those of the last training on this
    vectors: Path | None = None  # or those of a file, .txt, .vec or .bin
    table: TableName = "centre"  # W, W' or their sum
    limit: int | None = None  # of a file, only so many words, the most frequent as a rule


@dataclass(frozen=True)
class Nearest(Vectors):
    """Print the words whose vectors are most similar to a word's, with their cosines."""

    word: tyro.conf.Positional[str] = tyro.MISSING
    count: int = 10  # how many


@dataclass(frozen=True)
class Analogy(Vectors):
    """Print what D may be, if A is to B as C is to D."""

    a: tyro.conf.Positional[str] = tyro.MISSING
    b: tyro.conf.Positional[str] = tyro.MISSING
    c: tyro.conf.Positional[str] = tyro.MISSING
    count: int = 5  # how many
    form: Form = "add"  # 3CosAdd or 3CosMul


@dataclass(frozen=True)
class Evaluate(Vectors):
    """Judge vectors by the toy language's analogies, or by files of similar words and of analogies."""

    similarity: tuple[Path, ...] = ()  # files with two words and a number on each line
    analogies: tuple[Path, ...] = ()  # files with four words on each line, in sections
    form: Form = "add"  # 3CosAdd or 3CosMul


@dataclass(frozen=True)
class Export(Vectors):
    """Write vectors as a file that word2vec, gensim and others read."""

    out: Path = tyro.MISSING  # .txt or .vec for text, .bin for binary


@dataclass(frozen=True)
class Phrases:
    """Find phrases in a text, and write it with their words joined."""

    path: Path  # the text, in UTF-8, one sentence a line
    out: Path  # the file that is written
    thresholds: tuple[float, ...] = (100.0,)  # of the score, one for each pass over the text
    discount: float = 5.0  # taken off each count, so that rare pairs score nothing
    min_count: int = 5  # of a phrase


def main(arguments: Sequence[str] | None = None) -> None:
    with command_line():
        arguments = list(sys.argv[1:] if arguments is None else arguments)
        place = place_of_verb(arguments)
        fields = default_fields(arguments, "train" if place is None else arguments[place])
        if fields is None:
            words = [word for k, word in enumerate(arguments) if k != place]
            chosen = tyro.cli(
                TrainText,
                prog="python -m word2vec",
                args=words,
                config=(tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
            )
            run_text(chosen, command_of(arguments))
            return
        default = Train(fields=fields)
        kinds = (
            Annotated[Train, tyro.conf.subcommand("train", default=default)]
            | Annotated[Compare, tyro.conf.subcommand("compare", default=Compare(fields))]
            | Annotated[Nearest, tyro.conf.subcommand("nearest")]
            | Annotated[Analogy, tyro.conf.subcommand("analogy")]
            | Annotated[Evaluate, tyro.conf.subcommand("evaluate")]
            | Annotated[Export, tyro.conf.subcommand("export")]
            | Annotated[Phrases, tyro.conf.subcommand("phrases")]
        )
        chosen = tyro.cli(
            kinds,
            prog="python -m word2vec",
            default=default,
            args=arguments,
            config=(tyro.conf.CascadeSubcommandArgs, tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
        )
        match chosen:
            case Compare():
                run_compare(chosen, command_of(arguments))
            case Train():
                run_train(chosen, command_of(arguments))
            case Nearest():
                check_least("count", chosen.count, 1)
                told(neighbours(vectors_of(chosen), chosen.word, chosen.count))
            case Analogy():
                check_least("count", chosen.count, 1)
                told(completions(vectors_of(chosen), chosen.a, chosen.b, chosen.c, chosen.count, chosen.form))
            case Evaluate():
                run_evaluate(chosen)
            case Export():
                write_vectors(chosen.out, vectors_of(chosen))
                print(chosen.out)
            case Phrases():
                run_phrases(chosen)


def place_of_verb(arguments: Sequence[str]) -> int | None:
    """Where the verb stands, if there is one: a word behind an option, as in ``--path train``, is its value."""
    before = ["", *arguments]
    options = {word for word in arguments if word.startswith("--") and "=" not in word} - {"--resume", "--restart"}
    return next((k for k, word in enumerate(arguments) if word in VERBS and before[k] not in options), None)


def default_fields(arguments: Sequence[str], verb: str) -> Config | None:
    """The configuration whose fields the other options change, none if a training on a text is asked for, which has
    one of its own: it must be known before the options can be read.

    Raises:
        ValueError: if there is no such configuration or data set.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--data", nargs="?", default="toy")
    parser.add_argument("--config", nargs="?")
    known, _ = parser.parse_known_args(arguments)
    if known.data not in ("toy", "text"):
        raise ValueError(f"--data must be one of toy, text, got {known.data!r}")
    if verb == "compare" and known.data != "toy":
        raise ValueError("--data must be toy where objectives are compared, got 'text'")
    if verb == "train" and known.data == "text":
        return None
    name = known.config or "toy"
    if name not in CONFIGS:
        raise ValueError(f"--config must be one of {', '.join(CONFIGS)}, got {name!r}")
    return CONFIGS[name]


def command_of(arguments: Sequence[str]) -> str:
    kept = [word for word in arguments if word not in ("--resume", "--restart")]
    return shlex.join(["python", "-m", "word2vec", *kept])


def run_train(chosen: Train, command: str) -> None:
    how = How(command, device=chosen.device, resume=chosen.resume, restart=chosen.restart)
    result = train_and_judge(chosen.fields, RUNS / "toy", how)
    for name, measures in result.pairs.items():
        print(f"{name} pairs\n{accuracy_table(measures)}\n")
    print(f"{result.config.steps} steps in {result.seconds:.0f} s")
    for path in (result.folder / "results.json", *draw_result(result)):
        print(path)
    print("ask it: python -m word2vec analogy king queen prince")


def run_compare(chosen: Compare, command: str) -> None:
    if chosen.fields.objective != CONFIGS["toy"].objective:
        raise ValueError(f"--objective must be left out where all are compared, got {chosen.fields.objective!r}")
    how = How(command, device=chosen.device, resume=chosen.resume, restart=chosen.restart)
    found, path = compare(chosen.fields, RUNS / "compare", how)
    print(f"{'objective':<20}{KNOWN:>10}{HELD_OUT:>10}{'seconds':>10}")
    for name, row in found.items():
        print(f"{name:<20}{row[KNOWN]:>10.2%}{row[HELD_OUT]:>10.2%}{row['seconds']:>10.1f}")
    print(path)


def run_text(chosen: TrainText, command: str) -> None:
    how = How(command, title=chosen.path.name, resume=chosen.resume, restart=chosen.restart)
    trained = train_on_text(chosen.fields, chosen.path, RUNS / "text", how)
    speed = f"{trained.words / trained.seconds:,.0f} words/s" if trained.seconds else ""
    print(f"{trained.words:,} words in {trained.seconds:.0f} s, {speed}; {len(trained.vocabulary):,} vectors")
    print(trained.folder)
    word = trained.vocabulary.words[min(200, len(trained.vocabulary) - 1)]
    print(f"ask it: python -m word2vec nearest {shlex.quote(word)} --data text")


def run_evaluate(chosen: Evaluate) -> None:
    vectors = vectors_of(chosen)
    for file in chosen.similarity:
        row = judge_similarity(vectors.vectors, vectors.words, read_similarity(file))
        unknown = row.unknown / (row.pairs + row.unknown)
        print(f"{file.name}: Spearman {row.correlation:.4f} over {row.pairs} pairs, {unknown:.1%} unknown")
    sets = {file.name: read_analogies(file) for file in chosen.analogies}
    if not chosen.similarity and not chosen.analogies:
        if chosen.vectors is not None or chosen.data != "toy":
            raise ValueError(
                "--similarity or --analogies must name a file: only the toy language has its own questions"
            )
        sets = {f"{pairs} pairs": toy_analogies(pairs) for pairs in (KNOWN, HELD_OUT)}
    if sets:
        check_words(vectors, 4)
    for name, analogies in sets.items():
        print(name)
        for section, row in judge_analogies(vectors.vectors, vectors.words, analogies, chosen.form).items():
            print(f"  {section:<30}{row.accuracy:>8.2%} of {row.asked:>6,}, {row.unknown:>6,} unknown")


def run_phrases(chosen: Phrases) -> None:
    check_least("discount", chosen.discount, 0)
    check_least("min_count", chosen.min_count, 1)
    passes = write_phrases(chosen.path, chosen.out, chosen.thresholds, chosen.discount, chosen.min_count)
    for number, found in enumerate(passes, 1):
        often = ", ".join("_".join(pair) for pair, _ in found.most_common(5))
        print(f"pass {number}: {len(found):,} phrases" + (f", most often {often}" if often else ""))
    print(chosen.out)


def vectors_of(chosen: Vectors):
    return open_vectors(RUNS / chosen.data, chosen.data, chosen.table, chosen.vectors, chosen.limit)


def check_least(name: str, number: int | float, least: int) -> None:
    if not number >= least:
        raise ValueError(f"{name} must be at least {least}, got {number}")


def told(found: Sequence[tuple[str, float]]) -> None:
    for word, score in found:
        print(f"{score:8.4f}  {word}")


def accuracy_table(measures: Mapping[str, Mapping[str, float]]) -> str:
    """Columns of accuracies in %, a row for each relation."""
    lines = [f"{'relation':<12}" + "".join(f"{name:>10}" for name in measures)]
    for relation in measures["reached"]:
        lines.append(f"{relation:<12}" + "".join(f"{column[relation]:>10.2%}" for column in measures.values()))
    return "\n".join(lines)


if __name__ == "__main__":
    main()
