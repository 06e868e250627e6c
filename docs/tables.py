"""``python docs/tables.py`` writes the tables of the papers' READMEs; ``--check`` only compares; ``--take`` takes runs over.

A table is between ``<!-- results:NAME -->`` and ``<!-- end -->``. It is made from ``PAPER/report/results.json``, from the
promises in ``PAPER/evaluate.py`` and, for the reading order, from the core files themselves. ``PAPER/report/tables.py``
says which tables a paper has.

``--take FOLDER …`` copies the numbers that a run left in its folder (``runs/vqa/toy``, ``runs/bench/stft``, …) into
``PAPER/report/results.json``, and its images into ``PAPER/report/pictures``. Several folders of one data set of VQA, which
may differ in their seed only, become the first one's values, with the lowest and the highest of all beside it.
"""  # noqa: E501

import argparse
import json
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from lab import papers
from lab.tables import NOT_YET, ROOT

PAPERS: dict[str, ModuleType] = {paper: papers.part(paper, "report.tables") for paper in papers.PAPERS}
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
        ValueError: if there are no results in the folder.
    """
    path = folder / "results.json"
    if not path.is_file():
        raise ValueError(f"{path}: there is no such file")
    return json.loads(path.read_text(encoding="utf-8")).get("paper", "vqa")


def take(folders: Sequence[Path], machine: str, root: Path) -> None:
    """Writes the runs' numbers and pictures into the papers' ``report/`` folders.

    Raises:
        ValueError: if a folder holds no results, or such that no table is made of.
    """
    owners = [paper_of(folder) for folder in folders]
    for name, paper in PAPERS.items():
        mine = [folder for folder, owner in zip(folders, owners, strict=True) if owner == name]
        if mine:
            path = root / name / "report" / "results.json"
            results = paper.take(mine, machine, json.loads(path.read_text(encoding="utf-8")))
            path.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        for folder in reversed(mine):  # of several seeds, the first one's pictures stay, as its numbers do
            content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
            for source, picture in paper.pictures(content).items():
                shutil.copyfile(folder / source, root / name / "report" / "pictures" / picture)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="python docs/tables.py", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only; status 1 if a table is out of date")
    parser.add_argument("--take", nargs="+", type=Path, default=[], metavar="FOLDER", help="run folders to take over")
    parser.add_argument("--machine", default="two cores, CPU", help="where the runs were made")
    chosen = parser.parse_args(arguments)
    if chosen.take:
        try:
            take(chosen.take, chosen.machine, root)
        except ValueError as error:
            parser.error(str(error))
    stale = False
    for name, paper in PAPERS.items():
        readme, results = root / name / "README.md", root / name / "report" / "results.json"
        text = readme.read_text(encoding="utf-8")
        new = filled(text, paper, json.loads(results.read_text(encoding="utf-8")))
        if chosen.check:
            told = "out of date, run python docs/tables.py" if new != text else "up to date"
            print(f"{readme.relative_to(root)}: {told}")
            stale |= new != text
        else:
            readme.write_text(new, encoding="utf-8")
    return int(stale)


if __name__ == "__main__":
    raise SystemExit(main())
