"""Hear a toy scene: its sound, its figure, and its objects named by ear."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from lab import cli
from lab.checkpoint import write_text
from stft.commands.options import RUNS
from stft.commands.show import SOURCE
from stft.datasets.sound import write_sound
from stft.evaluate import CHANCE, hearing
from stft.extensions.analysis import analyse
from stft.figures import draw_leakage, draw_sound
from toyworld import SAMPLE_RATE, hear, scene_at


def hear_scene(folder: Path, split: str, seed: int, index: int) -> Sequence[Path]:
    """Writes a toy scene as a sound file, its figure, and the spectra of a windowed tone. Returns the paths."""
    if index < 0:
        raise ValueError(f"index must not be negative, got {index}")
    if (folder / SOURCE).exists() or ((folder / "windows.png").exists() and not (folder / "heard.png").exists()):
        raise ValueError(f"{folder}: this folder has pictures of another file; choose another --out")
    scene = scene_at(split, seed, index)
    clip = hear(scene)
    paths = folder / "heard.png", folder / "windows.png", folder / "scene.wav"
    draw_sound(paths[0], f"{split} {index}, heard", analyse([clip], SAMPLE_RATE, clip.shape[-1]), scene)
    draw_leakage(paths[1])
    write_sound(paths[2], clip, SAMPLE_RATE)
    return paths


def listen(folder: Path, seed: int, sounds: int, command: str) -> Mapping[str, Mapping[str, float]]:
    """By split and attribute, the accuracy of naming a single object by ear; also written to ``results.json``."""
    begun = time.monotonic()
    accuracy = {split: hearing(split, seed, sounds) for split in ("test", "compositional")}
    content = {
        "paper": "stft",
        "what": "hearing",
        "command": command,
        "sounds": sounds,
        "seconds": round(time.monotonic() - begun, 1),
        "chance": CHANCE,
        "accuracy": accuracy,
    }
    write_text(folder / "results.json", json.dumps(content, indent=2) + "\n")
    return accuracy


def accuracy_table(accuracy: Mapping[str, Mapping[str, float]]) -> str:
    """The table for the terminal: the accuracy of naming by ear, in %."""
    lines = [f"{'named by ear':<14}{'chance':>9}" + "".join(f"{split:>16}" for split in accuracy)]
    for name, chance in CHANCE.items():
        lines.append(f"{name:<14}{chance:>9.1%}" + "".join(f"{row[name]:>16.1%}" for row in accuracy.values()))
    return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Hear(cli.Threads):
    """Draw the sound of a toy scene and the spectra of a windowed tone; then name objects by ear."""

    split: str = "test"  # the split of the scene: train, test or compositional
    seed: int = 0  # seed of the random scenes
    index: int = 1  # the number of the scene in its split
    sounds: int = 500  # the number of single objects that are named by ear in each split
    out: Annotated[Path, tyro.conf.arg(metavar="FOLDER")] = RUNS / "toy"  # the folder for the files

    def execute(self, command: str) -> None:
        if self.sounds < 1:
            raise ValueError(f"--sounds must be at least 1, got {self.sounds}")
        paths = [*hear_scene(self.out, self.split, self.seed, self.index), self.out / "results.json"]
        print(accuracy_table(listen(self.out, self.seed, self.sounds, command)))
        print(*paths, sep="\n")
