"""What ``python -m toyworld`` does."""

from dataclasses import dataclass
from pathlib import Path

from lab import cli
from toyworld.sheet import save_sheet


@dataclass(frozen=True, kw_only=True)
class Sheet(cli.Threads):
    """Draw a sheet of the toy world: what is seen, said, asked and heard."""

    split: str = "train"  # train, test or compositional
    seed: int = 0  # another seed gives other scenes
    first: int = 0  # the first example that is shown
    count: int = 6  # how many are shown, 1 to 40
    out: Path = Path("runs/toyworld/sheet.png")  # the PNG file that is written

    def execute(self, command: str) -> None:
        save_sheet(self.out, self.split, self.seed, self.first, self.count)
        print(self.out)


VERBS = (Sheet,)
DEFAULT = Sheet
