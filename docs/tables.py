"""``python docs/tables.py`` writes the tables of the papers' texts, from the papers' results.

A table is in ``PAPER/README.md`` or ``PAPER/report/*.md``, between ``<!-- results:NAME -->`` and ``<!-- end -->``. It
is made from ``PAPER/report/results.json``, from the promises in ``PAPER/evaluate.py`` and, for the reading order, from
the core files themselves. ``PAPER/report/tables.py`` says which tables a paper has.

``--take FOLDER …`` first copies the numbers that a run left in its folder (``runs/vqa/toy``, ``runs/bench/stft``, …)
into ``PAPER/report/results.json``, and its images into ``PAPER/report/pictures``. Several folders of one data set of
VQA, which may differ in their seed only, become the first one's values, with the lowest and the highest beside them.
"""

import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from lab import cli, papers
from lab.checkpoint import write_text
from lab.tables import NOT_YET, ROOT

PAPERS: dict[str, ModuleType] = {
    name: module for name in ("detector", *papers.PAPERS, "workbook") if (module := papers.part(name, "report.tables"))
}
BLOCK = re.compile(r"(<!-- results:([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str, paper: ModuleType, results: Mapping) -> str:
    """A paper's README with every block written anew.

    Raises:
        ValueError: if a block has a name that there is no table for.
    """

    def block(match: re.Match) -> str:
        opening, name, closing = match.groups()
        if name not in paper.BLOCKS:
            raise ValueError(f"results: must be one of {', '.join(paper.BLOCKS)}, got {name!r}")
        measured = name not in paper.TAKEN or name in results
        return f"{opening}\n{paper.BLOCKS[name](results) if measured else NOT_YET}\n\n{closing}"

    return BLOCK.sub(block, text)


def paper_of(folder: Path) -> str:
    """Whose run it is.

    Raises:
        ValueError: if there are no results in the folder, or such that no paper here has tables for.
    """
    path = folder / "results.json"
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    paper = json.loads(path.read_text(encoding="utf-8")).get("paper")
    if paper not in PAPERS:
        raise ValueError(f"{path}: 'paper' must be one of {', '.join(PAPERS)}, got {paper!r}")
    return paper


def read_results(paper: Path) -> dict:
    """The numbers of a paper's folder; none if nothing was taken over yet."""
    path = paper / "report" / "results.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def take(folders: Sequence[Path], machine: str, root: Path) -> None:
    """Writes the runs' numbers and images into the papers' ``report/`` folders.

    Raises:
        ValueError: if a folder holds no results, or such that no table is made of.
    """
    owners = [paper_of(folder) for folder in folders]
    for name, paper in PAPERS.items():
        mine = [folder for folder, owner in zip(folders, owners, strict=True) if owner == name]
        if mine:
            path = root / name / "report" / "results.json"
            results = paper.take(mine, machine, read_results(root / name))
            write_text(path, json.dumps(results, indent=2, ensure_ascii=False) + "\n")
        for folder in reversed(mine):  # of several seeds, the first one's images stay, as its numbers do
            content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
            for source, image in paper.images(content).items():
                shutil.copyfile(folder / source, root / name / "report" / "pictures" / image)


@dataclass(frozen=True, kw_only=True)
class Tables(cli.Threads):
    """Write the tables of the papers' texts from the papers' results."""

    take: tuple[Path, ...] = ()  # run folders whose numbers and images are taken over first
    machine: str = "two cores, CPU"  # where these runs were made
    check: cli.Flag = False  # compare only; exit status 1 if a table is out of date

    def execute(self, root: Path) -> int:
        if self.take:
            take(self.take, self.machine, root)
        stale = False
        for name, paper in PAPERS.items():
            results = read_results(root / name)
            for path in (root / name / "README.md", *sorted((root / name / "report").glob("*.md"))):
                text = path.read_text(encoding="utf-8")
                new = filled(text, paper, results)
                if self.check:
                    state = "out of date, run python docs/tables.py" if new != text else "up to date"
                    print(f"{path.relative_to(root)}: {state}")
                    stale |= new != text
                else:
                    write_text(path, new)
        return int(stale)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    with cli.command_line():
        arguments = sys.argv[1:] if arguments is None else arguments
        return cli.parse("python docs/tables.py", (Tables,), arguments).execute(root)


if __name__ == "__main__":
    raise SystemExit(main())
