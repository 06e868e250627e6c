"""Stand-in for the lead's file."""

from pathlib import Path
from typing import Any

from clip_mini.data import toy_tokenizer
from clip_mini.model import CLIP
from clip_mini.train import Config, build
from lab import folders, training
from toyworld.tokenizer import END, Tokenizer


def open_model(name: str, command: str) -> tuple[Path, dict[str, Any], Config, Tokenizer, CLIP]:
    folder, data, config = training.open_run("clip_mini", name, Config, command)
    tokenizer = toy_tokenizer(data.get("language", "english"))
    model = build(config, len(tokenizer), END)
    folders.load_best(folder, {"model": model})
    return folder, data, config, tokenizer, model.eval()


def command_for_run(name: str) -> str:
    return "python -m clip_mini" + ("" if name == "toy" else f" --run {name}")
