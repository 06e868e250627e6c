"""What several verbs share: types of options, where results are kept, and how the ends of a file are padded."""

import math
from pathlib import Path
from typing import Annotated

import tyro

RUNS = Path("runs/stft")
SoundFile = Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")]
Out = Annotated[Path, tyro.conf.arg(metavar="FILE")]
ENDS = {"pad_mode": "constant"}  # a file may be shorter than a frame: too short for padding by reflection


def softened(divisor: float) -> str:
    """One line for the terminal if a sound was divided by more than 1, else nothing."""
    return f"{20 * math.log10(divisor):.1f} dB softer, so that no sample is beyond ±1\n" if divisor > 1 else ""
