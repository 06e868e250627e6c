"""Figures: the same bytes, fonts that draw every sign, colours that are told apart, and no trace left in matplotlib."""

import re
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text
from PIL import Image

from lab.figure import PALETTE, drawing, save_figure, style
from lab.papers import PAPERS
from lab.tables import ROOT


def draw(path: Path, title: str = "빨간 원 α ≤ −1", **size: int) -> np.ndarray:
    with drawing(path, **size) as figure:
        left, right = figure.subplots(1, 2)
        left.plot([-3, 1, 2], [0, -5, 1])
        right.set_title(title)
    return np.asarray(Image.open(path).convert("RGB"))  # (height, width, 3)


def test_the_same_figure_gives_the_same_bytes(tmp_path) -> None:
    draw(tmp_path / "first.png")
    draw(tmp_path / "second.png")
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()
    assert "Software" not in Image.open(tmp_path / "first.png").info
    assert sorted(file.name for file in tmp_path.iterdir()) == ["first.png", "second.png"]


def test_sizes_are_pixels(tmp_path) -> None:
    assert draw(tmp_path / "default.png").shape == (500, 1000, 3)
    assert draw(tmp_path / "small.png", width=420, height=310).shape == (310, 420, 3)


def test_every_sign_has_a_glyph_in_the_font_that_is_chosen(tmp_path) -> None:
    with style():
        families = matplotlib.rcParams["font.family"]
        fonts = [FT2Font(font_manager.findfont(family, fallback_to_default=False)) for family in families]
    hangul, signs = "빨간원이왼쪽에있다몇개", "−≤αβσ∂·×→"
    assert fonts[0].family_name == "NanumGothic"
    assert all(fonts[0].get_char_index(ord(sign)) for sign in hangul)  # 0 is the empty box
    assert all(any(font.get_char_index(ord(sign)) for font in fonts) for sign in signs)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "Glyph … missing from font(s)"
        draw(tmp_path / "figure.png", hangul + signs)
    with pytest.warns(UserWarning, match="missing from font"):  # the check can fail: Egyptian is in neither
        draw(tmp_path / "figure.png", "\U00013000")


@pytest.mark.parametrize("written", ["$5 or $10", r"$\frac$", "a_1 $x^2$"])
def test_every_text_is_drawn_as_it_is_written(tmp_path, written: str) -> None:
    r"""Dollars are no mathematics: ``$5 or $10`` keeps its signs, and ``$\frac$`` is no error."""
    with drawing(tmp_path / "figure.png", 1200, 800) as figure:
        figure.suptitle(written)
        figure.supxlabel(written)
        figure.text(0.1, 0.1, written)
        part, other = figure.subfigures(1, 2)
        part.suptitle(written)
        axes = part.subplots()
        axes.bar([0, 1], [1, 2], label=written)
        axes.bar_label(axes.containers[0], [written] * 2)
        axes.set_xticks([0, 1], [written] * 2)
        axes.set_title(written)
        axes.set_ylabel(written)
        axes.annotate(written, (0, 1))
        axes.legend(title=written)
        figure.legend()
        other.subplots().table([[written]])
    drawn = [text for text in figure.findobj(Text) if text.get_text() == written]
    assert len(drawn) == 16
    assert not any(text.get_parse_math() for text in drawn)


def test_figures_are_drawn_in_this_style_and_no_text_is_mathematics() -> None:
    """So that the setting above holds for every figure: none is made elsewhere, and none asks for mathematics."""
    folders = ["bench", "detector", "docs", "lab", "tour", "toyworld", *PAPERS]
    sources = {
        str(file.relative_to(ROOT)): file.read_text() for name in folders for file in (ROOT / name).rglob("*.py")
    }
    raw = re.compile(r"(import|from) \S*pyplot|parse_math=|parse_math\(|usetex|\bFigure\(|rc_context|rcParams")
    found = {(name, match[0]) for name, text in sources.items() for match in raw.finditer(text)}
    assert found == {("lab/figure.py", "Figure("), ("lab/figure.py", "rc_context"), ("cgan/figures.py", "Figure(")}
    assert "with style():" in sources["cgan/figures.py"]  # the frames of its animation


def test_lines_take_the_palette_in_order(tmp_path) -> None:
    with drawing(tmp_path / "lines.png") as figure:
        axes = figure.subplots()
        colours = [axes.plot([0, 1], [0, height])[0].get_color() for height in range(len(PALETTE))]
        assert not axes.spines["top"].get_visible()
        assert not axes.spines["right"].get_visible()
    assert colours == list(PALETTE)
    pixels = {tuple(pixel) for pixel in np.asarray(Image.open(tmp_path / "lines.png").convert("RGB")).reshape(-1, 3)}
    assert all(tuple(round(255 * part) for part in to_rgb(colour)) in pixels for colour in PALETTE)


def test_neighbouring_colours_differ_in_lightness() -> None:
    """So that the first four lines are told apart in black and white too (luminance of ITU-R BT.709)."""
    luminances = sorted(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)) for colour in PALETTE[:4])
    assert min(np.diff(luminances)) > 0.02
    assert (PALETTE.blue, PALETTE.vermillion, PALETTE.yellow) == ("#0072B2", "#D55E00", "#F0E442")


def test_matplotlib_is_left_as_it_was(tmp_path) -> None:
    draw(tmp_path / "first.png")
    before, fonts = dict(matplotlib.rcParams), len(font_manager.fontManager.ttflist)
    draw(tmp_path / "second.png")
    assert dict(matplotlib.rcParams) == before
    assert len(font_manager.fontManager.ttflist) == fonts


def test_an_error_while_drawing_writes_nothing(tmp_path) -> None:
    with pytest.raises(ZeroDivisionError), drawing(tmp_path / "figure.png"):
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="cannot write"):
        save_figure(Figure(), tmp_path / "file" / "figure.png")


def test_neither_pyplot_nor_the_fonts_package_is_imported(tmp_path) -> None:
    code = (
        "import pathlib, sys, lab.figure\n"
        f"with lab.figure.drawing(pathlib.Path({str(tmp_path / 'a.png')!r})) as figure: figure.subplots()\n"
        "print(*{'matplotlib.pyplot', 'koreanize_matplotlib'} & set(sys.modules))"
    )
    root = Path(__file__).parents[2]
    result = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""
    assert (tmp_path / "a.png").exists()
