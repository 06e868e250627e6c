"""The chapter of the short-time Fourier transform: the toy world is heard, and nothing is learned."""

import time
from collections.abc import Mapping
from pathlib import Path

from lab.chapter import Chapter, Row
from stft.commands import hear_scene
from stft.evaluate import CHANCE, PROMISES, SOUNDS, hearing

ABOUT = (
    "A scene is a chord: the shape decides which harmonics sound, the colour the pitch, the size the loudness, the "
    "place the onset and the side. The short-time Fourier transform takes the sound apart again. Promised is that a "
    "lone object is named from its spectrum, by comparing it with what each pair of colour and shape would sound like. "
    "A place counts if it is right to 0.01 picture widths."
)


def stft_chapter(
    folder: Path,
    promises: Mapping[tuple[str, str, str], float] = PROMISES,
    sounds: int = SOUNDS,
    resume: bool = False,
) -> Chapter:
    """Draws a scene's sound in ``folder``, and sets what is named by ear beside the promises.

    ``resume`` is there because the tour says it to every chapter: here nothing is trained that could be gone on with.
    """
    heard, windows, _ = hear_scene(folder, "test", 0, 1)
    begun = time.monotonic()
    reached = {split: hearing(split, 0, sounds) for split in dict.fromkeys(split for _, split, _ in promises)}
    rows = tuple(
        Row(f"accuracy by ear, {split}: {name}", CHANCE[name], reached[split][name], promised)
        for (_, split, name), promised in promises.items()
    )
    return Chapter("STFT", "toy", ABOUT, rows, time.monotonic() - begun, (heard, windows))


CHAPTERS = {"stft-toy": stft_chapter}
