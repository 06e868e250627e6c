"""The report: one HTML file with its pictures inside, which opens anywhere and fetches nothing."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from lab import write_text
from lab.chapter import Chapter

HEADINGS = ("paper", "data", "measured", "chance", "reached", "promised", "seconds")
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 1000px; margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; }
h2 { margin-top: 3rem; }
img { max-width: 100%; display: block; margin: 1rem 0; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 0.3rem 0.9rem 0.3rem 0; border-bottom: 1px solid #ddd; }
th:nth-child(n+4), td:nth-child(n+4) { text-align: right; }
tr.broken td { color: #b03a00; font-weight: bold; }
"""


def cells(chapter: Chapter) -> list[tuple[str, ...]]:
    """A chapter's rows of the table, in the order of ``HEADINGS``."""
    return [
        (
            chapter.paper,
            chapter.data,
            row.measured,
            f"{100 * row.chance:.1f}%",
            f"{100 * row.reached:.2f}%" + ("" if row.kept else " ✗"),
            f"{100 * row.promised:.1f}%",
            f"{chapter.seconds:.0f}",
        )
        for row in chapter.rows
    ]


def write_report(path: Path, chapters: Sequence[Chapter]) -> None:
    """A section for each chapter: its pictures, its table, its paragraph; all of it in the one file ``path``."""
    body = "\n".join(map(section, chapters))
    write_text(
        path,
        f"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>The tour</title><style>{STYLE}</style></head>
<body>
<h1>The tour</h1>
<p>Every paper was just run on this machine. Seconds are those of training; where nothing is learned, of judging.</p>
{body}
</body>
</html>
""",
    )


def section(chapter: Chapter) -> str:
    title = escape(f"{chapter.paper}, {chapter.data}")
    pictures = "\n".join(
        f'<img alt="{escape(picture.stem)}" src="{embedded(picture)}">' for picture in chapter.pictures
    )
    head = "".join(f"<th>{escape(name)}</th>" for name in HEADINGS)
    rows = "\n".join(
        f"<tr{'' if row.kept else ' class=broken'}>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>"
        for row, line in zip(chapter.rows, cells(chapter), strict=True)
    )
    return (
        f"<section>\n<h2>{title}</h2>\n{pictures}\n<table>\n<tr>{head}</tr>\n{rows}\n</table>\n"
        f"<p>{escape(chapter.about)}</p>\n</section>"
    )


def embedded(picture: Path) -> str:
    """A PNG file as a data URL."""
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()
