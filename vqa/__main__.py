"""``python -m vqa`` trains and judges; ``… ask`` answers about a picture; ``… compare`` sets models side by side."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import tyro
from PIL import Image

from lab import How, command_line
from vqa.commands.ask import ask
from vqa.commands.terminal import percent, result_table, table
from vqa.commands.train_and_judge import compare, draw_result, first, train_and_judge
from vqa.datasets.sources import DATA, Source, open_source
from vqa.train import CONFIGS, Config

RUNS = Path("runs/vqa")
DataName = Literal["toy", "easy-vqa", "vqa-v2"]


@dataclass(frozen=True)
class Train:
    """Train on a data set, then judge the best weights on its test splits, and draw what was learned."""

    fields: tyro.conf.OmitArgPrefixes[Config]
    data: DataName = "toy"  # vqa-v2 needs --root
    config: str | None = None  # one of the configurations in vqa/train.py; by default the data set's own
    root: Path | None = None  # the folder with VQA v2's questions, annotations and pictures
    device: str | None = None  # cuda, mps or cpu; by default the first of them that is there
    resume: bool = False  # go on with a run that was stopped
    restart: bool = False  # throw a stopped run away


class Compare(Train):
    """Train the three fusions, the question alone and the picture alone, one after the other, and compare them."""


@dataclass(frozen=True)
class Ask:
    """Let the trained model answer a question about a picture file."""

    image: Path
    question: str
    data: DataName = "toy"  # the data set that the model was trained on


def main(arguments: Sequence[str] | None = None) -> None:
    with command_line():
        arguments = list(sys.argv[1:] if arguments is None else arguments)
        default = Train(fields=default_config(arguments))
        verbs = (
            Annotated[Train, tyro.conf.subcommand("train", default=default)]
            | Annotated[Compare, tyro.conf.subcommand("compare", default=Compare(default.fields))]
            | Annotated[Ask, tyro.conf.subcommand("ask")]
        )
        chosen = tyro.cli(
            verbs,
            prog="python -m vqa",
            default=default,
            args=arguments,
            config=(tyro.conf.CascadeSubcommandArgs, tyro.conf.OmitArgPrefixes, tyro.conf.FlagCreatePairsOff),
        )
        if isinstance(chosen, Ask):
            run_ask(chosen)
            return
        kept = [word for word in arguments if word not in ("--resume", "--restart")]
        how = How(shlex.join(["python", "-m", "vqa", *kept]), chosen.data, chosen.device, chosen.resume, chosen.restart)
        source = open_source(chosen.data, chosen.fields, chosen.root)
        (run_compare if isinstance(chosen, Compare) else run_train)(chosen, source, how)


def default_config(arguments: Sequence[str]) -> Config:
    """The configuration whose fields the other options change: it must be known before they can be read.

    What counts as nothing in a picture is taken from the data set, whatever the configuration.

    Raises:
        ValueError: if there is no such configuration or data set.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--data", nargs="?", default="toy")
    parser.add_argument("--config", nargs="?")
    known, _ = parser.parse_known_args(arguments)
    if known.data not in DATA:
        raise ValueError(f"--data must be one of {', '.join(DATA)}, got {known.data!r}")
    name = known.config or known.data
    if name not in CONFIGS:
        raise ValueError(f"--config must be one of {', '.join(CONFIGS)}, got {name!r}")
    return replace(CONFIGS[name], ground=CONFIGS[known.data].ground)


def run_train(chosen: Train, source: Source, how: How) -> None:
    result = train_and_judge(chosen.data, chosen.fields, source, RUNS / chosen.data, how)
    print(result_table(result))
    print(f"\n{result.steps} steps in {result.seconds:.0f} s")
    examples, picture = first(source, source.splits[0]), result.folder / "example.png"
    pixels = (255 * examples.images[examples.picture[0]]).round().byte().permute(1, 2, 0).numpy()
    Image.fromarray(pixels).save(picture)
    for path in (result.folder / "results.json", *draw_result(result, source), picture):
        print(path)
    verb = [
        "python",
        "-m",
        "vqa",
        "ask",
        "--data",
        chosen.data,
        "--image",
        str(picture),
        "--question",
        examples.texts[0],
    ]
    print("ask it:", shlex.join(verb))


def run_compare(chosen: Train, source: Source, how: How) -> None:
    judged, path = compare(chosen.data, chosen.fields, source, RUNS / "compare" / chosen.data, how)
    columns = {"chance": judged["product"]["chance"]} | {name: rows["reached"] for name, rows in judged.items()}
    print(f"{chosen.data}, {source.splits[0]} split\n{table(columns)}")
    print(path)


def run_ask(chosen: Ask) -> None:
    answer = ask(RUNS / chosen.data, chosen.data, chosen.image, chosen.question)
    if answer.unknown:
        print("ignored, because unknown:", ", ".join(answer.unknown))
    for words, probability in answer.likely:
        print(f"{percent(probability):>8}  {words}")


if __name__ == "__main__":
    main()
