"""One style for all figures: legible at a README's width, safe for colour-blind readers, with Hangul.

The colours are those of Okabe & Ito (2008), "Color Universal Design".
"""

import importlib.util
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import matplotlib
from matplotlib import font_manager
from matplotlib.figure import Figure

from lab.checkpoint import write_bytes

DOTS_PER_INCH = 100


class Palette(NamedTuple):
    """The eight colours, in the order in which lines take them."""

    blue: str = "#0072B2"
    vermillion: str = "#D55E00"
    green: str = "#009E73"
    purple: str = "#CC79A7"
    orange: str = "#E69F00"
    sky: str = "#56B4E9"
    black: str = "#000000"
    yellow: str = "#F0E442"


PALETTE = Palette()


def add_fonts() -> None:
    """Makes NanumGothic known to matplotlib; the package that carries the files is located and not imported."""
    if "NanumGothic" not in font_manager.fontManager.get_font_names():
        package = importlib.util.find_spec("koreanize_matplotlib")
        for file in sorted(Path(package.submodule_search_locations[0]).rglob("NanumGothic*.ttf")):
            font_manager.fontManager.addfont(file)


@contextmanager
def style() -> Iterator[None]:
    """Everything that is drawn inside has the project's style; afterwards matplotlib is as it was."""
    add_fonts()
    settings = {
        "font.family": ["NanumGothic", "DejaVu Sans"],  # the second draws what the first lacks: − and other signs
        "text.parse_math": False,  # "$5 or $10" in a question, a caption or a file name is drawn as it is written
        "font.size": 14,
        "axes.titlesize": 15,
        "axes.unicode_minus": True,
        "axes.prop_cycle": matplotlib.cycler(color=PALETTE),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#E0E0E0",
        "grid.linewidth": 0.8,
        "lines.linewidth": 2,
        "legend.frameon": False,
        "figure.constrained_layout.use": True,
        "figure.facecolor": "white",
        "image.interpolation": "nearest",
    }
    with matplotlib.rc_context(settings):
        yield


@contextmanager
def drawing(path: Path, width: int = 1000, height: int = 500) -> Iterator[Figure]:
    """A figure of ``width`` × ``height`` pixels to draw on; when the block ends it is written to ``path`` as PNG.

    ``with drawing(path) as figure: left, right = figure.subplots(1, 2)``. There is no pyplot and hence no global state.
    """
    with style():
        figure = Figure(figsize=(width / DOTS_PER_INCH, height / DOTS_PER_INCH), dpi=DOTS_PER_INCH)
        yield figure
        save_figure(figure, path)


def save_figure(figure: Figure, path: Path) -> None:
    """Writes the whole PNG or nothing. The same figure gives the same bytes: the file has no version of matplotlib."""
    buffer = io.BytesIO()
    with style():  # tick labels and fonts are looked up only now
        figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    write_bytes(path, buffer.getvalue())
