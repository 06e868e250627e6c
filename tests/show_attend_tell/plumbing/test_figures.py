"""The figures: what they show is what was measured; nothing that is written is cut off or touches another text."""

import pytest
import torch
from matplotlib.figure import Figure

from show_attend_tell import figures
from show_attend_tell.extensions.free_running import MEASURES
from show_attend_tell.figures import Captioned
from tests.pictures import check_texts, keep_figures

ENGLISH = "the picture shows two objects: a small purple triangle and a large yellow diamond."
KOREAN = "물체가 두 개 보이는데, 큰 노란색 삼각형과 작은 하늘색 십자 모양입니다."
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


def test_a_caption_that_is_not_true_is_shown_before_one_that_is_only_incomplete() -> None:
    incomplete, untrue = one("incomplete", 3, False), one("untrue", 1, False)._replace(true=False)
    assert figures.chosen([incomplete, untrue, one("right", 2, True)])[-1].caption == "untrue"


@pytest.mark.parametrize("place", range(4))
def test_the_frame_is_around_the_place_with_the_largest_weight(place: int) -> None:
    """4 places of 4 by 4 pixels in an image of 8 by 8. Equal weights have no frame."""
    axes = figures.Axes(Figure(), (0, 0, 1, 1))
    figures.show_attention(axes, IMAGE, 0.1 + 0.6 * torch.eye(4)[place], "word")
    (frame,) = axes.patches
    row, column = divmod(place, 2)
    assert (frame.get_x(), frame.get_y()) == (4 * column - 0.5, 4 * row - 0.5)  # a pixel's middle has a whole number
    assert (frame.get_width(), frame.get_height()) == (4, 4)
    equal = figures.Axes(Figure(), (0, 0, 1, 1))
    figures.show_attention(equal, IMAGE, torch.full((4,), 0.25), "word")
    assert not equal.patches


BOTH = pytest.mark.parametrize("caption", [ENGLISH, KOREAN], ids=["English", "Korean"])


@BOTH
@pytest.mark.parametrize(("count", "names"), [(1, False), (2, True), (3, False), (4, False), (4, True)])
def test_captions(tmp_path, kept, caption: str, count: int, names: bool) -> None:
    shown = [one(caption, 2, k < 3) for k in range(count)]
    figures.draw_captions(tmp_path / "captions.png", shown, [f"model {k}" for k in range(count)] if names else ())
    check_texts(kept[0])
    titles = [part.get_suptitle() for part in kept[0].subfigs if part.get_visible()]
    assert [title.startswith(f"model {k}:\n") for k, title in enumerate(titles)] == [names] * count
    assert ["✓" in title for title in titles] == [k < 3 for k in range(count)]


@BOTH
def test_attention(tmp_path, kept, caption: str) -> None:
    words = caption.split()
    figures.draw_attention(tmp_path / "attention.png", IMAGE, words, one(caption, 2, True).weights)
    check_texts(kept[0])
    assert [axes.get_title() for axes in kept[0].axes if axes.get_visible()] == ["the image", *words]


def history(last: float, without: str = "") -> list[dict[str, float]]:
    shares = dict.fromkeys((*figures.CURVES, *figures.PHOTO_CURVES, *MEASURES), last)
    shares.pop(without, None)
    return [{"steps": 40 * k, **{name: value * k / 10 for name, value in shares.items()}} for k in range(1, 11)]


@pytest.mark.parametrize("last", [0.0, 1.0])
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
    """The last model has no attention: no number and no curve of it is about pointing."""

    def model(shares: dict[str, float], without: str = "") -> dict:
        split = {"reached": shares, "chance": {"pointing": 0.03}}
        return {"splits": {"test": split, "compositional": split}, "validation": history(0.9, without)}

    names, attention = ("soft", "soft, λ = 1", "hard"), model({"right": 0.9, "pointing": pointing})
    models = dict.fromkeys(names, attention) | {"none": model({"right": 0.8}, without="pointing")}
    figures.draw_comparison(tmp_path / "comparison.png", models)
    check_texts(kept[0])
    bars, right, on_object = kept[0].axes
    heights = [bar.get_height() for bar in bars.patches]
    assert heights == pytest.approx([90, 90, 100 * pointing] * 3 + [80, 80, 0])
    numbers = [text.get_text() for text in bars.texts]
    assert numbers == ["90.0", "90.0", f"{100 * pointing:.1f}"] * 3 + ["80.0", "80.0"]
    assert [len(axes.lines) for axes in (right, on_object)] == [4, 3]
