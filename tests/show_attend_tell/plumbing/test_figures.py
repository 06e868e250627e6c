"""The figures: what they show is what was measured; nothing that is written is cut off or touches another text."""

import pytest
import torch
from matplotlib.figure import Figure

from show_attend_tell import figures
from show_attend_tell.extensions.free_running import MEASURES
from show_attend_tell.figures import Captioned
from tests.pictures import check_texts, keep_figures

ENGLISH = "the picture shows two objects: a small purple triangle and a large yellow diamond."
KOREAN = "물체가 두 개 보이는데, 큰 노란색 삼각형과 작은 하늘색 십자가입니다."
IMAGE = torch.full((3, 8, 8), 0.5)


@pytest.fixture
def kept(monkeypatch) -> list[Figure]:
    return keep_figures(monkeypatch, figures)


def one(caption: str, nouns: int, right: bool) -> Captioned:
    words = caption.split()
    weights = torch.full((len(words), 4), 0.1)
    weights[:, 1] = 0.7
    return Captioned(IMAGE, caption, words, weights, [1, 3, 5][:nouns], right)


def test_lit_by_hand() -> None:
    """4 places, 2 by 2; the second is the largest, so the right upper quarter has its full brightness."""
    shown = figures.lit(IMAGE, torch.tensor([0.0, 0.5, 0.25, 0.25]))
    assert shown[0, 0, 7] == pytest.approx(0.5)
    assert shown[0, 0, 0] == pytest.approx(0.5 * figures.DARKEST)
    assert shown[2, 7, 0] == pytest.approx(0.5 * (0.5 + 0.5 / 2))


def test_right_captions_come_first_then_one_that_is_wrong() -> None:
    captions = [
        one(f"caption {k}", nouns, right) for k, (nouns, right) in enumerate([(1, True), (2, False), (2, True)])
    ]
    names = [shown.caption for shown in figures.chosen(captions)]
    assert names == ["caption 2", "caption 0", "caption 1"]
    assert len(figures.chosen([one("a", 1, True)] * 9)) == 4


@pytest.mark.parametrize("caption", [ENGLISH, KOREAN])
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_captions(tmp_path, kept, caption: str, count: int) -> None:
    shown = [one(caption, 2, k < 3) for k in range(count)]
    figures.draw_captions(tmp_path / "captions.png", shown)
    figures.draw_captions(tmp_path / "side.png", shown, [f"model {k}" for k in range(count)])
    figures.draw_attention(tmp_path / "attention.png", IMAGE, caption.split(), shown[0].weights)
    for figure in kept:
        if sum(bool(axes.get_title()) for axes in figure.findobj(figures.Axes)) > 5:  # check_texts needs more than five
            check_texts(figure)
    assert all((tmp_path / f"{name}.png").exists() for name in ("captions", "side", "attention"))


def history(last: float) -> list[dict[str, float]]:
    shares = dict.fromkeys((*figures.CURVES, *figures.PHOTO_CURVES, *MEASURES), last)
    return [{"steps": 40 * k, **{name: value * k / 10 for name, value in shares.items()}} for k in range(1, 11)]


@pytest.mark.parametrize("last", [0.0, 0.5, 1.0])
def test_curves(tmp_path, kept, last: float) -> None:
    figures.draw_training(tmp_path / "training.png", history(last))
    figures.draw_forcing(tmp_path / "forcing.png", history(max(last, 0.1)))
    figures.draw_photo_training(tmp_path / "photographs.png", history(last))
    for figure in kept:
        check_texts(figure)
    assert kept[0].axes[0].lines[0].get_ydata()[-1] == pytest.approx(100 * last)
    assert kept[2].axes[0].lines[1].get_ydata()[-1] == pytest.approx(last)


@pytest.mark.parametrize("pointing", [0.0, 0.03, 1.0])
def test_comparison(tmp_path, kept, pointing: float) -> None:
    columns = {"reached": {"right": 0.9, "pointing": pointing}, "chance": {"pointing": 0.03}}
    splits = {"test": columns, "compositional": columns}
    names = ("soft", "soft, λ = 1", "hard", "none")
    figures.draw_comparison(tmp_path / "c.png", {n: {"splits": splits, "validation": history(0.9)} for n in names})
    check_texts(kept[0])
    heights = [bar.get_height() for bar in kept[0].axes[0].patches]
    assert heights == pytest.approx([90, 90, 100 * pointing] * 4)
