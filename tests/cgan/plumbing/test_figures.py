"""The figures show the numbers that they get; no text is cut off or overlaps."""

import math

import pytest
import torch
from matplotlib.colors import to_hex
from PIL import Image

from cgan import figures
from cgan.data import RADIUS, SIGMA, ring_means
from lab.figure import PALETTE
from tests.pictures import check_texts, keep_figures

LABELS = torch.arange(8).repeat_interleave(3)
SNAPSHOTS = {step: ring_means()[LABELS] + 0.01 * step for step in (1, 10, 20, 30, 40, 50, 60, 70)}


@pytest.fixture
def drawn(monkeypatch) -> list:
    """The figures, as they are when they have been saved."""
    return keep_figures(monkeypatch, figures)


def test_the_ring_has_a_panel_for_each_of_some_snapshots(tmp_path, drawn) -> None:
    figures.draw_ring(tmp_path / "ring.png", SNAPSHOTS, LABELS, panels=4)
    (figure,) = drawn
    panels = [axes for axes in figure.axes if axes.get_visible()]
    steps = [int(axes.get_title().split()[1]) for axes in panels]
    assert steps[0] == 1
    assert steps[-1] == 70
    assert len(steps) == 4
    for axes, step in zip(panels, steps, strict=True):
        for label, (line, circle) in enumerate(zip(axes.lines, axes.patches, strict=True)):
            assert torch.allclose(torch.tensor(line.get_xydata()).float(), SNAPSHOTS[step][label == LABELS])
            assert circle.get_radius() == 3 * SIGMA
            assert torch.tensor(circle.center).norm().item() == pytest.approx(RADIUS)
            assert to_hex(line.get_color()).upper() == PALETTE[label]
            assert axes.texts[label].get_text() == str(label)
    check_texts(figure)


@pytest.mark.parametrize("count", [2, 6, 20])
def test_first_and_last_snapshots_are_shown(count: int) -> None:
    for n in (1, 2, 7, 31):
        shown = figures.chosen(list(range(n)), count)
        assert shown[0] == 0
        assert shown[-1] == n - 1
        assert shown == sorted(set(shown))
        assert len(shown) <= count


def test_the_animation_has_a_frame_for_each_snapshot(tmp_path) -> None:
    figures.animate_ring(tmp_path / "ring.gif", SNAPSHOTS, LABELS)
    with Image.open(tmp_path / "ring.gif") as image:
        assert image.n_frames == len(SNAPSHOTS)
        assert image.info["loop"] == 0
        first = image.convert("RGB").tobytes()
        image.seek(image.n_frames - 1)
        assert image.convert("RGB").tobytes() != first
        assert image.info["duration"] == 10 * figures.MILLISECONDS


def test_pictures_have_their_row(tmp_path, drawn) -> None:
    rows = {f"{k} to 8": torch.full((4 - k, 1, 4, 5), 0.1 * (k + 1)) for k in range(4)}
    figures.draw_pictures(tmp_path / "pictures.png", rows)
    (figure,) = drawn
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == list(rows)
    (image,) = axes.images
    assert image.get_clim() == (-1, 1)
    sheet, gap = torch.tensor(image.get_array()), figures.GAP
    for k in range(4):
        for column in range(4):
            picture = sheet[k * (4 + gap) :][:4, column * (5 + gap) :][:, :5]
            assert picture.shape == (4, 5)
            assert torch.allclose(picture, torch.tensor(0.1 * (k + 1) if column < 4 - k else -1.0))
    check_texts(figure)


@pytest.mark.parametrize(
    "name", ["a small black diamond", "from a small red square\nto a large blue star", "작은 검은색 마름모"]
)
def test_pictures_in_colour_have_their_sentence(tmp_path, drawn, name: str) -> None:
    colours = torch.tensor([[-1.0, 0.0, 1.0], [1.0, -1.0, 0.5]])
    rows = {name: colours[:, :, None, None].expand(-1, -1, 4, 4), " ": colours[:1, :, None, None].expand(-1, -1, 4, 4)}
    rows |= dict.fromkeys(("a star", "a cross", "a circle"), rows[name])
    figures.draw_pictures(tmp_path / "pictures.png", rows)
    (figure,) = drawn
    (axes,) = figure.axes
    assert axes.get_yticklabels()[0].get_text() == name
    sheet, gap = torch.tensor(axes.images[0].get_array()).float(), figures.GAP
    for row, column, expected in ((0, 0, colours[0]), (0, 1, colours[1]), (1, 0, colours[0]), (1, 1, torch.ones(3))):
        part = sheet[row * (4 + gap) :][:4, column * (4 + gap) :][:, :4]
        assert torch.allclose(part, ((expected + 1) / 2).expand(4, 4, 3), atol=1e-6)
    check_texts(figure)


def test_losses_are_means_beside_the_levels_of_theory(tmp_path, drawn) -> None:
    discriminator = [1.0, 2.0, 1.0, 2.0, 1.2]
    generator = [0.5, 0.7, 0.9, 0.7, 0.6]
    figures.draw_losses(tmp_path / "losses.png", discriminator, generator, window=2)
    figures.draw_losses(tmp_path / "sentences.png", discriminator, generator, {"a": 0.9, "b": 0.4}, window=2)
    figure, with_sentences = drawn
    assert [line.get_ydata()[0] for line in with_sentences.axes[0].lines[1::2]] == [0.9, 0.4]
    assert [line.get_label() for line in with_sentences.axes[0].lines[1::2]] == ["theory: a", "theory: b"]
    (axes,) = figure.axes
    curve, level, other, other_level = axes.lines
    assert list(curve.get_xdata()) == list(other.get_xdata()) == [2, 4, 5]
    assert list(curve.get_ydata()) == pytest.approx([1.5, 1.5, 1.2])
    assert list(other.get_ydata()) == pytest.approx([0.6, 0.8, 0.6])
    assert level.get_ydata() == pytest.approx([2 * math.log(2)] * 2)
    assert other_level.get_ydata() == pytest.approx([math.log(2)] * 2)
    check_texts(figure)


def test_the_vanishing_gradient(tmp_path, drawn) -> None:
    norms = {"minimax": [1.0, 0.1, 0.01], "non-saturating": [1.0, 2.0, 3.0]}
    figures.draw_vanishing(tmp_path / "vanishing.png", norms)
    (figure,) = drawn
    left, right = figure.axes
    for line, name in zip(right.lines, norms, strict=True):
        assert list(line.get_ydata()) == norms[name]
    assert right.get_yscale() == "log"
    minimax, other = left.lines
    assert (minimax.get_ydata()[0], minimax.get_ydata()[-1]) == (0, 1)
    assert (other.get_ydata()[0], other.get_ydata()[-1]) == (1, 0)
    assert minimax.get_label() == "minimax"
    check_texts(figure)
