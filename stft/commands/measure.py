"""Invert every WAV file of a folder, and report the error of the magnitudes."""

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro
from tqdm import tqdm

from lab import cli
from lab.checkpoint import write_text
from stft.commands.invert import found_again
from stft.commands.options import RUNS, Out
from stft.datasets.sound import read_sound


def measure(
    folder: Path, out: Path, iterations: int, momentum: float, seed: int, command: str
) -> Mapping[str, Sequence[float]]:
    """The error of the magnitudes of every WAV file in ``folder``, in dB: random phases, without and with momentum."""
    if not folder.is_dir():
        raise ValueError(f"{folder}: there is no such folder")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".wav")
    if not files:
        raise ValueError(f"{folder}: there is no .wav file in it")
    ways = {"random phases": (0, 0.0), "without momentum": (iterations, 0.0), "with momentum": (iterations, momentum)}
    found: dict[str, list[float]] = {name: [] for name in ways}
    for file in tqdm(files, unit="file"):
        sound, rate = read_sound(file)
        for name, (steps, weight) in ways.items():
            found[name].append(found_again(sound, rate, steps, weight, seed)[1])
    content = {
        "paper": "stft",
        "what": "inversion",
        "command": command,
        "files": len(files),
        "decibels": {name: spread(values) for name, values in found.items()},
    }
    write_text(out, json.dumps(content, indent=2) + "\n")
    return content["decibels"]


def spread(values: Sequence[float]) -> Sequence[float]:
    """The quantiles 0.1, 0.5 and 0.9."""
    parts = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    return torch.tensor(values, dtype=torch.float64).quantile(parts).tolist()


@dataclass(frozen=True, kw_only=True)
class Measure(cli.Threads):
    """Invert every WAV file of a folder, with and without momentum, and report the error of the magnitudes."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FOLDER")]  # a folder with .wav files
    out: Out = RUNS / "measure" / "results.json"  # the file that is written
    iterations: int = 100  # steps of the Griffin-Lim algorithm
    momentum: float = 0.99  # momentum of the fast Griffin-Lim algorithm
    seed: int = 0  # seed of the random phases at the start

    def execute(self, command: str) -> None:
        words = shlex.split(command)
        place = [Path(word) == self.folder for word in words].index(True)
        command = shlex.join([*words[:place], "FOLDER", *words[place + 1 :]])
        rows = measure(self.folder, self.out, self.iterations, self.momentum, self.seed, command)
        print("error in dB: 10%, 50% and 90% of the files are below")
        for name, values in rows.items():
            print(f"{name:<18}" + "".join(f"{value:8.1f}" for value in values))
        print(self.out)
