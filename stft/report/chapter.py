"""The chapter of the short-time Fourier transform: objects of the toy world are named by ear, without learning."""

import time
from collections.abc import Mapping
from pathlib import Path

from lab.chapter import Chapter, Page, Row, exhibits
from lab.cli import TrainingOptions
from stft.commands.hear import hear_scene
from stft.commands.options import RUNS
from stft.evaluate import CHANCE, PROMISES, SOUNDS, hearing

ABOUT = (
    "A scene is a chord. The shape of an object decides which harmonics sound; its colour decides the pitch, its size "
    "the loudness, its place the onset and the side. The short-time Fourier transform separates the tones again. The "
    "promise: a single object is named from its spectrum, by comparison with the spectrum of each pair of colour and "
    "shape. A place counts as right if its error is at most 0.01 image widths."
)

SHOWN = {
    "scene": "The sound of a scene with three objects. An object on the left is louder on the left side.",
    "heard": (
        "The same sound as a picture: its wave, its spectrogram with the number of each harmonic, its mel bands and "
        "its cepstral coefficients. Top right: the scene."
    ),
    "windows": (
        "One frame with a strong tone and a weak one (circle), seen through four windows. The rectangular window "
        "hides the weak tone under its side lobes."
    ),
}


def stft_page(
    options: TrainingOptions,
    folder: Path = RUNS / "toy",
    promises: Mapping[tuple[str, str, str], float] = PROMISES,
    sounds: int = SOUNDS,
) -> Page:
    """Draws a scene's sound in ``folder``, and compares the accuracy of naming by ear with the promises."""
    files = hear_scene(folder, "test", 0, 1)
    begun = time.monotonic()
    reached = {split: hearing(split, 0, sounds) for split in dict.fromkeys(split for _, split, _ in promises)}
    rows = tuple(
        Row(f"accuracy by ear, {split}: {name}", CHANCE[name], reached[split][name], promised)
        for (_, split, name), promised in promises.items()
    )
    return Page("STFT", "toy", ABOUT, rows, time.monotonic() - begun, exhibits(files, SHOWN))


CHAPTERS = (Chapter(stft_page),)
