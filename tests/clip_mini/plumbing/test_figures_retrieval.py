"""The figure of retrieval shows the nearest images in their order, the right one in green, and one error."""

from pathlib import Path

import pytest
import torch
from matplotlib.colors import to_hex

from clip_mini import figures_retrieval
from clip_mini.evaluate import Examples
from clip_mini.figures_retrieval import chosen_captions, draw_retrieval, place_of_own
from lab.figure import PALETTE
from tests.clip_mini.plumbing.captioned import colour, number
from tests.pictures import check_texts, keep_figures

IMAGES = 8


def picture(name: str, size: int) -> torch.Tensor:
    return torch.tensor(colour(int(name)), dtype=torch.uint8)[:, None, None].expand(3, size, size)


def test_places_by_hand() -> None:
    similarity = torch.tensor([[0.9, 0.5, 0.2], [0.1, 0.5, 0.8], [0.3, 0.7, 0.1]])  # 3 images, 3 captions
    assert place_of_own(similarity, torch.tensor([0, 1, 2])).tolist() == [0, 2, 2]
    assert place_of_own(torch.ones(4, 1), torch.tensor([2])).tolist() == [3], "ties count against the model"


def test_three_right_and_one_wrong_of_different_images() -> None:
    places = torch.tensor([0, 0, 7, 0, 3, 0, 9, 0])
    image_of = torch.tensor([0, 0, 1, 1, 2, 3, 3, 4])
    chosen = chosen_captions(places, image_of)
    assert [places[k].item() for k in chosen[:3]] == [0, 0, 0]
    assert places[chosen[3]] >= 5, "a caption whose own image is among the five is no clear error"
    assert len({image_of[k].item() for k in chosen}) == 4, "each row is about another image"


def test_the_figure(tmp_path: Path, monkeypatch) -> None:
    figures = keep_figures(monkeypatch, figures_retrieval)
    similarity = torch.eye(IMAGES) + torch.arange(IMAGES)[:, None] / 100
    similarity[:, 5] = -torch.arange(IMAGES) / 10  # its own image is number 6
    captions = tuple(f"a long caption about image {k}, " + "and so on " * 8 for k in range(IMAGES))
    names = tuple(map(str, range(IMAGES)))
    examples = Examples(torch.zeros(IMAGES, 1), torch.zeros(IMAGES, 3).long(), torch.arange(IMAGES), captions, names)
    draw_retrieval(tmp_path / "retrieval.png", similarity, examples, picture)
    (figure,) = figures
    check_texts(figure)
    shown = [axes for axes in figure.findobj(figures_retrieval.Axes) if axes.images]
    numbers = [number(torch.from_numpy(axes.images[0].get_array()).permute(2, 0, 1)) for axes in shown]
    framed = [axes.spines["top"].get_visible() for axes in shown]
    green = {to_hex(axes.spines["top"].get_edgecolor()).upper() for axes in shown if axes.spines["top"].get_visible()}
    assert green == {PALETTE.green}
    assert numbers[15:] == [0, 1, 2, 3, 4, 5], "the five nearest, then its own"
    assert framed[15:] == [False] * 5 + [True]
    for row in range(3):
        assert framed[5 * row : 5 * row + 5] == [True] + [False] * 4
        own = numbers[5 * row]
        assert numbers[5 * row + 1 : 5 * row + 5] == [k for k in reversed(range(IMAGES)) if k != own][:4]
    assert any("number 6" in axes.get_title() for axes in shown)


def test_nothing_to_show_is_an_error(tmp_path: Path) -> None:
    similarity = torch.tensor([[0.0], [1.0]])
    examples = Examples(torch.zeros(2, 1), torch.zeros(1, 3).long(), torch.zeros(1).long(), ("a",), ("0", "1"))
    with pytest.raises(ValueError, match="needs a caption"):
        draw_retrieval(tmp_path / "retrieval.png", similarity, examples, picture)
