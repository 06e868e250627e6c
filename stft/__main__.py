"""``python -m stft`` hears a toy scene; ``… show`` a sound file; ``… stretch`` and ``… invert`` write sound."""

import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from lab import command_line
from stft.commands import hear_scene, invert, listen, measure, show, stretch
from stft.evaluate import CHANCE

RUNS = Path("runs/stft")


@dataclass(frozen=True)
class Hear:
    """Draw what a scene of the toy world sounds like and what windows do to a pure tone; then name objects by ear."""

    split: str = "test"  # train, test or compositional
    seed: int = 0  # another seed, another world
    index: int = 1  # which scene
    sounds: int = 500  # of how many lone objects a split are listened to
    out: Path = RUNS / "toy"  # the folder that is written to


@dataclass(frozen=True)
class Show:
    """Draw what a sound file holds: WAV, FLAC or OGG, any sample rate, any number of channels."""

    file: tyro.conf.Positional[Path]
    out: Path | None = None  # the folder that is written to; by default runs/stft/show/NAME


@dataclass(frozen=True)
class Stretch:
    """Make a sound longer or shorter without changing its pitch."""

    file: tyro.conf.Positional[Path]
    rate: float  # 0.8 is slower, 1.25 is faster
    out: Path  # the .wav, .flac or .ogg file that is written


@dataclass(frozen=True)
class Invert:
    """Forget the phases of a sound's spectrogram, and find a sound for the magnitudes alone."""

    file: tyro.conf.Positional[Path]
    out: Path  # the .wav, .flac or .ogg file that is written
    iterations: int = 100  # of Griffin and Lim
    momentum: float = 0.99  # 0 is Griffin and Lim's own algorithm
    seed: int = 0  # of the first phases


@dataclass(frozen=True)
class Measure:
    """Invert every WAV file of a folder, with momentum and without, and say how near their magnitudes are met."""

    folder: tyro.conf.Positional[Path]
    out: Path = RUNS / "measure" / "results.json"  # the file that is written
    iterations: int = 100  # of Griffin and Lim
    momentum: float = 0.99
    seed: int = 0  # of the first phases


def told(accuracy: Mapping[str, Mapping[str, float]]) -> str:
    """The table for the terminal: what is named by ear, in %."""
    lines = [f"{'named by ear':<14}{'chance':>9}" + "".join(f"{split:>16}" for split in accuracy)]
    for name, chance in CHANCE.items():
        lines.append(f"{name:<14}{chance:>9.1%}" + "".join(f"{row[name]:>16.1%}" for row in accuracy.values()))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    with command_line():
        arguments = list(sys.argv[1:] if arguments is None else arguments)
        verbs = (
            Annotated[Hear, tyro.conf.subcommand("hear", default=Hear())]
            | Annotated[Show, tyro.conf.subcommand("show")]
            | Annotated[Stretch, tyro.conf.subcommand("stretch")]
            | Annotated[Invert, tyro.conf.subcommand("invert")]
            | Annotated[Measure, tyro.conf.subcommand("measure")]
        )
        chosen = tyro.cli(
            verbs,
            prog="python -m stft",
            default=Hear(),
            args=arguments,
            config=(tyro.conf.CascadeSubcommandArgs, tyro.conf.OmitArgPrefixes),
        )
        command = shlex.join(["python", "-m", "stft", *arguments])
        match chosen:
            case Hear():
                if chosen.sounds < 1:
                    raise ValueError(f"sounds must be at least 1, got {chosen.sounds}")
                paths = [*hear_scene(chosen.out, chosen.split, chosen.seed, chosen.index), chosen.out / "results.json"]
                print(told(listen(chosen.out, chosen.seed, chosen.sounds, command)))
            case Show():
                paths = show(chosen.file, chosen.out or RUNS / "show" / chosen.file.stem)
            case Stretch():
                before, after = stretch(chosen.file, chosen.rate, chosen.out)
                print(f"{before:.2f} s became {after:.2f} s")
                paths = [chosen.out]
            case Invert():
                first, last = invert(chosen.file, chosen.out, chosen.iterations, chosen.momentum, chosen.seed)
                print(f"magnitudes are {first:.1f} dB off at first, {last:.1f} dB after {chosen.iterations} iterations")
                paths = [chosen.out]
            case Measure():
                place = [Path(word) == chosen.folder for word in arguments].index(True)
                words = [*arguments[:place], "FOLDER", *arguments[place + 1 :]]
                command = shlex.join(["python", "-m", "stft", *words])
                rows = measure(chosen.folder, chosen.out, chosen.iterations, chosen.momentum, chosen.seed, command)
                print("dB off, below which a tenth, a half and nine tenths of the files lie")
                for name, values in rows.items():
                    print(f"{name:<18}" + "".join(f"{value:8.1f}" for value in values))
                paths = [chosen.out]
        for path in paths:
            print(path)


if __name__ == "__main__":
    main()
