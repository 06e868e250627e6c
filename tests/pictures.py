"""What the tests of pictures share: figures that are kept when they have been drawn, a look at all that is written, and
figures that are not drawn.

Nothing that is written may be cut off, and no two texts may touch each other.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from lab.figure import drawing, style


def draw_blank(path: Path, *what: object) -> None:
    """Stands in for functions that draw: they take most of the time of a small command."""
    Image.new("RGB", (1, 1)).save(path)


def blank_figures(patch: pytest.MonkeyPatch) -> None:
    """From now on figures are put together as ever, but their files have one pixel."""
    patch.setattr("lab.figure.save_figure", lambda figure, path: draw_blank(path))


def keep_figures(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> list[Figure]:
    """The figures that ``module`` draws from now on, as they are when they have been saved."""
    kept = []

    @contextmanager
    def keeping(*arguments: object) -> Iterator[Figure]:
        with drawing(*arguments) as figure:
            yield figure
            kept.append(figure)

    monkeypatch.setattr(module, "drawing", keeping)
    return kept


def check_texts(figure: Figure, crowd: Sequence[Text] = ()) -> None:
    """All that is written lies inside, and no two texts touch each other. Drawn once more, to note what is drawn.

    Those of the ``crowd`` may touch each other, and nothing else.
    """
    boxes, draw = [], Text.draw
    width, height = (round(length) for length in figure.bbox.size)
    alone = RendererAgg(width, height, figure.dpi)

    def noting(self: Text, renderer: RendererAgg) -> None:
        if self.get_visible() and self.get_text().strip():
            box = self.get_window_extent(renderer)
            assert min(box.x0, box.y0) >= 0, f"{self.get_text()!r} is cut off"
            assert box.x1 <= width, f"{self.get_text()!r} is cut off"
            assert box.y1 <= height, f"{self.get_text()!r} is cut off"
            alone.clear()
            draw(self, alone)
            boxes.append((self, ink(alone)))
        draw(self, renderer)

    with style(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", noting)
        FigureCanvasAgg(figure).draw()
    assert len(boxes) > 3
    for (a, (left, right, top, bottom)), (b, (west, east, north, south)) in combinations(boxes, 2):
        apart = right < west or east < left or bottom < north or south < top
        assert apart or (a in crowd and b in crowd), f"{a.get_text()!r} touches {b.get_text()!r}"


def ink(renderer: RendererAgg) -> tuple[int, int, int, int]:
    """First and last column and row of pixels that are not empty."""
    alpha = np.asarray(renderer.buffer_rgba())[..., 3]  # (height, width)
    rows, columns = (np.flatnonzero(alpha.any(axis=axis)) for axis in (1, 0))
    return int(columns[0]), int(columns[-1]), int(rows[0]), int(rows[-1])
