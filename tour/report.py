"""The report: one HTML file with its pictures and sounds inside, which opens anywhere and fetches nothing.

First the verdict, then a chapter for each page: what it is about, what was reached, then what there is to see.
"""

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from lab.chapter import Exhibit, Page
from lab.checkpoint import write_text

HEADINGS = ("paper", "data", "measured", "chance", "reached", "promised", "seconds")
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #222; max-width: 1000px; margin: 0 auto; padding: 1rem; }
h1, h2 { line-height: 1.2; }
h2 { margin-top: 3rem; }
.verdict { font-size: 1.25rem; font-weight: bold; }
.kept { color: #00694d; }
.broken { color: #b03a00; font-weight: bold; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { text-align: right; vertical-align: top; padding: 0.3rem 0 0.3rem 0.8rem; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
figure { margin: 2rem 0; }
figcaption { color: #444; margin-bottom: 0.5rem; }
img { display: block; max-width: 100%; }
audio { width: 100%; max-width: 500px; }
.narrow { display: none; }
@media (max-width: 700px) {
  .narrow { display: block; }
  img { max-width: 700px; }
  table { font-size: 0.875rem; }
  th, td { padding-left: 0.5rem; }
  td:first-child { overflow-wrap: anywhere; }
}
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
    """The verdict on all pages and a section for each page; all of it in the one file ``path``."""
    body = "\n".join(section(k, page) for k, page in enumerate(pages))
    write_text(
        path,
        f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The tour</title>
<style>{STYLE}</style>
</head>
<body>
<h1>The tour</h1>
{verdict(pages)}
<p>Every paper was just run on this machine, and compared with what its README promises. A promise is an accuracy that a
run must reach. Chance is what a guess reaches. Seconds are those of training; where nothing is learned, of judging.</p>
<p class="narrow">Pictures are wider than this screen: move them sideways.</p>
{body}
</body>
</html>
""",
    )


def verdict(pages: Sequence[Page]) -> str:
    """Whether all promises were kept; those that were not; how many each chapter kept."""
    count = sum(len(page.rows) for page in pages)
    broken = [(k, page, row) for k, page in enumerate(pages) for row in page.rows if not row.kept]
    lines = [
        f'<p class="verdict broken">✗ Broken promises: {len(broken)} of {count}</p>'
        if broken
        else f'<p class="verdict kept">✓ Every promise is kept, {count} in all.</p>'
    ]
    lines += [
        f'<p>✗ <a href="#{k}">{escape(title(page))}</a>, {escape(row.measured)}: '
        f"{100 * row.promised:.1f}% are promised, {100 * row.reached:.2f}% were reached.</p>"
        for k, page, row in broken
    ]
    rows = [
        (
            f'<a href="#{k}">{escape(title(page))}</a>',
            f"{sum(row.kept for row in page.rows)} of {len(page.rows)}",
            f"{page.seconds:.0f}",
            all(row.kept for row in page.rows),
        )
        for k, page in enumerate(pages)
    ]
    return "\n".join([*lines, table(("chapter", "promises kept", "seconds"), rows)])


def title(page: Page) -> str:
    return f"{page.paper}, {page.data}"


def table(head: Sequence[str], rows: Sequence[tuple]) -> str:
    """Cells are HTML; the last value of a row says whether its promises are kept."""
    lines = ["<tr>" + "".join(f"<th>{name}</th>" for name in head) + "</tr>"]
    for *line, kept in rows:
        lines.append(f"<tr{'' if kept else ' class=broken'}>" + "".join(f"<td>{cell}</td>" for cell in line) + "</tr>")
    return '<div class="wide"><table>\n' + "\n".join(lines) + "\n</table></div>"


def section(number: int, page: Page) -> str:
    """What the chapter is about, what was reached, and what there is to see and to hear."""
    lines = [tuple(map(escape, line[2:6])) for line in cells(page)]
    rows = [(*line, row.kept) for line, row in zip(lines, page.rows, strict=True)]
    shown = "\n".join(map(figure, page.exhibits))
    return (
        f'<section id="{number}">\n<h2>{escape(title(page))}</h2>\n<p>{escape(page.about)}</p>\n'
        f"{table(HEADINGS[2:6], rows)}\n{shown}\n</section>"
    )


def figure(exhibit: Exhibit) -> str:
    """A picture or a player, under its text. Readers who see no picture get the text, once."""
    kind = "audio/wav" if exhibit.path.suffix == ".wav" else "image/png"
    source = f"data:{kind};base64,{base64.b64encode(exhibit.path.read_bytes()).decode()}"
    text = escape(exhibit.text)
    if kind == "audio/wav":
        return f'<figure><figcaption>{text}</figcaption><audio controls src="{source}"></audio></figure>'
    return (
        f'<figure><figcaption aria-hidden="true">{text}</figcaption>'
        f'<div class="wide"><img alt="{text}" src="{source}"></div></figure>'
    )
