"""The tour: every paper is trained (or just run) anew, one after the other, and held to what its README promises."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lab import papers
from lab.chapter import Chapter
from lab.papers import part
from tour.report import HEADINGS, cells, write_report

Papers = Mapping[str, Callable[[Path], Chapter]]  # by the name of its folder under runs/tour
PAPERS: Papers = {
    name: make for paper in papers.PAPERS for name, make in part(paper, "report.chapter").CHAPTERS.items()
}


def take_tour(folder: Path, papers: Papers = PAPERS) -> bool:
    """Trains all papers in ``folder``, prints the table, writes the report and prints its path last.

    Returns whether every promise was kept; those that were not are named before the path.
    """
    chapters = [chapter(folder / name) for name, chapter in papers.items()]
    print(plain_table(chapters))
    broken = [(chapter, row) for chapter in chapters for row in chapter.rows if not row.kept]
    for chapter, row in broken:
        print(f"below its promise: {chapter.paper}, {chapter.data}, {row.measured}")
    path = folder / "report.html"
    write_report(path, chapters)
    print(path)
    return not broken


def plain_table(chapters: Sequence[Chapter]) -> str:
    """The table for the terminal: a row for each promise, columns as wide as they must be."""
    rows = [HEADINGS, *(line for chapter in chapters for line in cells(chapter))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    words = 3  # columns of words stand to the left, numbers to the right
    return "\n".join(
        "  ".join(
            cell.ljust(width) if k < words else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
