"""``python -m toyworld``: a sheet of what is seen, said, asked and heard."""

from collections.abc import Sequence
from pathlib import Path

import tyro

from lab import command_line
from toyworld.sheet import save_sheet


def sheet(
    split: str = "train", seed: int = 0, first: int = 0, count: int = 6, out: Path = Path("runs/toyworld/sheet.png")
) -> None:
    """Draw a sheet of the toy world.

    Args:
        split: train, test or compositional.
        seed: another seed, another world.
        first: the first example shown.
        count: how many are shown, 1 to 40.
        out: the PNG that is written.
    """
    save_sheet(out, split, seed, first, count)
    print(out)


def main(arguments: Sequence[str] | None = None) -> None:
    with command_line():
        tyro.cli(sheet, prog="python -m toyworld", args=arguments)


if __name__ == "__main__":
    main()
