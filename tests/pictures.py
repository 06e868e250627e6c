"""What the tests of pictures share: figures that are kept when they have been drawn, and a look at all that is written.

Nothing that is written may be cut off, and no two texts may touch each other.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import combinations
from types import ModuleType

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from lab.figure import drawing, style


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
    drawn, draw = [], Text.draw

    def noting(self: Text, renderer: object) -> None:
        if self.get_visible() and self.get_text().strip():
            drawn.append((self, self.get_window_extent(renderer)))
        draw(self, renderer)

    with style(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(Text, "draw", noting)
        FigureCanvasAgg(figure).draw()
    assert len(drawn) > 5
    for text, box in drawn:
        assert box.x0 >= 0, text
        assert box.y0 >= 0, text
        assert box.x1 <= figure.bbox.x1, text
        assert box.y1 <= figure.bbox.y1, text
    for (a, one), (b, other) in combinations(drawn, 2):
        apart = one.x1 <= other.x0 or other.x1 <= one.x0 or one.y1 <= other.y0 or other.y1 <= one.y0
        assert apart or (a in crowd and b in crowd), f"{a.get_text()!r} touches {b.get_text()!r}"
