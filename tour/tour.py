"""The tour: every paper is trained (or computed), one after the other, and compared with what its README promises."""

from collections.abc import Sequence
from pathlib import Path

from lab.chapter import Chapter, Page, TrainedChapter
from lab.cli import TrainingOptions
from lab.papers import PAPERS, part
from tour.report import HEADINGS, cells, write_report


def chapters() -> list[Chapter | TrainedChapter]:
    """Those of the detector, which papers build on, and of every paper."""
    modules = [part(name, "report.chapter") for name in ("detector", *PAPERS)]
    return [chapter for module in modules if module for chapter in module.CHAPTERS]


def take_tour(
    folder: Path, chapters: Sequence[Chapter | TrainedChapter], options: TrainingOptions, command: str
) -> bool:
    """Computes all chapters, prints the table, writes the report to ``folder`` and prints its path last.

    Returns whether every promise was kept; those that were not are named before the path.
    """
    for chapter in chapters:  # before the first step of the first one
        chapter.check(options, command)
    pages = [chapter.page(options, command) for chapter in chapters]
    print(plain_table(pages))
    broken = [(page, row) for page in pages for row in page.rows if not row.kept]
    for page, row in broken:
        print(f"below its promise: {page.paper}, {page.data}, {row.measured}")
    path = folder / "report.html"
    write_report(path, pages)
    print(path)
    return not broken


def plain_table(pages: Sequence[Page]) -> str:
    """The table for the terminal: a row for each promise; words are aligned left, numbers right."""
    rows = [HEADINGS, *(line for page in pages for line in cells(page))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    words = 3  # columns of words
    return "\n".join(
        "  ".join(
            cell.ljust(width) if k < words else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
