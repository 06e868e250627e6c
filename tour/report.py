"""The report: one HTML file with its images inside, which opens anywhere and fetches nothing."""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from lab.chapter import Page
from lab.checkpoint import write_text

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


def cells(page: Page) -> list[tuple[str, ...]]:
    """A page's rows of the table, in the order of ``HEADINGS``."""
    return [
        (
            page.paper,
            page.data,
            row.measured,
            f"{100 * row.chance:.1f}%",
            f"{100 * row.reached:.2f}%" + ("" if row.kept else " ✗"),
            f"{100 * row.promised:.1f}%",
            f"{page.seconds:.0f}",
        )
        for row in page.rows
    ]


def write_report(path: Path, pages: Sequence[Page]) -> None:
    """A section for each page: its images, its table, its paragraph; all of it in the one file ``path``."""
    body = "\n".join(map(section, pages))
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


def section(page: Page) -> str:
    title = escape(f"{page.paper}, {page.data}")
    images = "\n".join(f'<img alt="{escape(image.stem)}" src="{embedded(image)}">' for image in page.images)
    head = "".join(f"<th>{escape(name)}</th>" for name in HEADINGS)
    rows = "\n".join(
        f"<tr{'' if row.kept else ' class=broken'}>" + "".join(f"<td>{escape(cell)}</td>" for cell in line) + "</tr>"
        for row, line in zip(page.rows, cells(page), strict=True)
    )
    return (
        f"<section>\n<h2>{title}</h2>\n{images}\n<table>\n<tr>{head}</tr>\n{rows}\n</table>\n"
        f"<p>{escape(page.about)}</p>\n</section>"
    )


def embedded(image: Path) -> str:
    """A PNG file as a data URL."""
    return "data:image/png;base64," + base64.b64encode(image.read_bytes()).decode()
