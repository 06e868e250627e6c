"""A finished run, opened: what ``judge`` and ``ask`` share."""

import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from detector.commands import load_detector
from lab import cli, folders, training
from lab.checkpoint import CheckpointError
from vqa.datasets.sources import DATA
from vqa.extensions.vocabulary import QuestionVocabulary
from vqa.model import VQA
from vqa.train import Config, build


def open_model(name: str, command: str) -> tuple[Path, dict[str, Any], Config, QuestionVocabulary, VQA]:
    """A finished run: its folder, its data, configuration and vocabulary, and the model in evaluation mode.

    Raises:
        ValueError: if there is no finished run of that name, or a file in it is damaged.
    """
    folder, data, config = training.open_run("vqa", name, Config, command)
    try:
        vocabulary = QuestionVocabulary.from_json((folder / "vocabulary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:  # deleted, edited, or written by another version
        raise CheckpointError(f"{folder / 'vocabulary.json'} is damaged or of another version: train anew") from error
    model = build(config, len(vocabulary.tokenizer), len(vocabulary.answers))
    folders.load_best(folder, {"model": model})
    return folder, data, config, vocabulary, model.eval()


def features_of(data: Mapping[str, Any], config: Config, command: str, machine: cli.Machine) -> Callable:
    """What turns pixels into what the model reads: for a model on the detector's grid, the detector it was trained on.

    Args:
        command: the command that is running, as for ``load_detector``.

    Raises:
        ValueError: if the detector was trained anew since then.
    """
    if config.encoder != "grid":
        return lambda pixels: pixels
    detector, fingerprint = load_detector(command, machine.device, machine.threads)
    if fingerprint != data.get("detector"):
        raise ValueError(
            "the model was trained on another detector than runs/detector/toy: "
            f"train it anew with {command_for(data['data'], data.get('language', 'english'))} --restart"
        )
    return detector.grid


def command_for(data: str, language: str = "english") -> str:
    """The command that trains on a data set."""
    options = "" if data == "toy" else f" --data {data}" + (" --root DIR" if data == "vqa-v2" else "")
    return f"python -m vqa{options}" + (f" --language {language}" if language != "english" else "")


def command_for_run(name: str) -> str:
    """The command that makes a run of this name."""
    if name == "toy-korean":
        return command_for("toy", "korean")
    return command_for(name) if name in DATA else f"python -m vqa --run {shlex.quote(name)}"
