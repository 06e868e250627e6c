"""The figures: what they show is what was measured; nothing that is written is cut off or touches another text."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from clip_mini import figures
from clip_mini.evaluate import Examples
from clip_mini.extensions.ablations import ABLATIONS
from clip_mini.extensions.objectives import OBJECTIVES
from clip_mini.figures import (
    DIRECTIONS,
    NEAREST,
    captions_of_one_level,
    chosen_captions,
    draw_ablations,
    draw_comparison,
    draw_retrieval,
    draw_training,
)
from lab.figure import PALETTE
from tests.clip_mini.plumbing.captioned import colour, number
from tests.pictures import check_texts, keep_figures

IMAGES = 8
ENGLISH, KOREAN = (
    "a long caption about image {}, " + "and so on " * 8,
    "{}번 그림: 큰 빨간색 마름모와 작은 노란색 원입니다.",
)


@pytest.fixture
def kept(monkeypatch) -> list[Figure]:
    return keep_figures(monkeypatch, figures)


def test_right_captions_come_first_then_one_that_is_wrong() -> None:
    """By hand: 4 images, 5 captions; captions 0, 1 and 4 find their image, 2 and 3 do not."""
    similarity = torch.tensor(
        [[0.9, 0.8, 0.5, 0.1, 0.2], [0.1, 0.2, 0.5, 0.3, 0.1], [0.3, 0.1, 0.2, 0.2, 0.1], [0.2, 0.3, 0.1, 0.9, 0.7]]
    )
    image_of = torch.tensor([0, 0, 1, 2, 3])
    assert chosen_captions(similarity, image_of) == [0, 4, 2], "caption 1 is of image 0 again; 2 has a tie: it is wrong"
    assert chosen_captions(torch.ones(1, 1), torch.tensor([0])) == [0]
    assert chosen_captions(torch.eye(2)[[1, 0]], torch.arange(2)) == [0]
    assert len(chosen_captions(torch.eye(100), torch.arange(100))) == 4
    spread = chosen_captions(torch.eye(100), torch.arange(100))
    assert np.ptp(spread) >= 50, f"they are spread over the list, got {spread}"


PLAIN, POLITE, NONE = "물체 두 개가 보인다. 별이 있다.", "그림에서 별이 보입니다.", "큰 빨간색 별."


@pytest.mark.parametrize(
    ("captions", "expected"),
    [
        ([PLAIN, POLITE, NONE, PLAIN], [0, 2, 3]),
        ([POLITE, POLITE, PLAIN, NONE], [0, 1, 3]),
        ([POLITE, NONE], [0, 1]),
        (["바다", "a star.", "ada", POLITE, POLITE], [1, 2, 3, 4]),
        (["a panda", "바다", "바다."], [0, 1, 2]),
        ([], []),
    ],
)
def test_a_figure_has_one_level_of_politeness(captions, expected) -> None:
    assert captions_of_one_level(captions) == expected


def test_the_figure_draws_only_captions_of_one_level(tmp_path, kept) -> None:
    """Captions 1, 3, 5 and 7 are polite, number 6 has no verb, and the others are plain."""
    levels = Examples(
        torch.zeros(8, 1), torch.zeros(8, 3).long(), torch.arange(8), (PLAIN, POLITE) * 3 + (NONE, POLITE), ()
    )
    draw_retrieval(tmp_path / "figure.png", torch.eye(8), levels, pixels)
    texts = {text.get_text() for text in kept[0].findobj(Text)}
    assert POLITE in texts
    assert PLAIN not in texts
    assert {k for k, frame in shown(kept[0]) if frame == PALETTE.green} <= {1, 3, 5, 6, 7}


def examples(count: int, text: str) -> Examples:
    captions, names = tuple(text.format(k) for k in range(count)), tuple(map(str, range(count)))
    return Examples(torch.zeros(count, 1), torch.zeros(count, 3).long(), torch.arange(count), captions, names)


def pixels(k: int) -> torch.Tensor:
    return torch.tensor(colour(k))[:, None, None].expand(3, 12, 12) / 255


def retrieved(path: Path, similarity: torch.Tensor, text: str = ENGLISH) -> None:
    draw_retrieval(path, similarity, examples(len(similarity), text), pixels)
    Image.open(path).verify()


def shown(figure: Figure) -> list[tuple[int, str]]:
    """The number of each image, and the colour of its frame."""
    panels = [axes for axes in figure.findobj(Axes) if axes.images]
    images = [torch.from_numpy(255 * np.asarray(axes.images[0].get_array())).permute(2, 0, 1) for axes in panels]
    frames = [to_hex(axes.spines["top"].get_edgecolor()).upper() for axes in panels]
    return list(zip(map(number, images), frames, strict=True))


def one_error(n: int = IMAGES) -> torch.Tensor:
    """All captions find their image, but for number 5, whose image comes sixth."""
    similarity = torch.eye(n) + torch.arange(n)[:, None] / 100
    similarity[:, 5] = -torch.arange(n) / 10
    return similarity


@pytest.mark.parametrize("text", [ENGLISH, KOREAN])
def test_captions_with_their_nearest_images(tmp_path, kept, text: str) -> None:
    retrieved(tmp_path / "figure.png", one_error(), text)
    check_texts(kept[0])
    green, wrong, grey = PALETTE.green, PALETTE.vermillion, figures.GREY
    panels = shown(kept[0])
    for row in range(figures.RIGHT):
        own = panels[NEAREST * row][0]
        others = [k for k in reversed(range(IMAGES)) if k != own][: NEAREST - 1]
        assert panels[NEAREST * row : NEAREST * (row + 1)] == [(own, green), *((k, grey) for k in others)]
    last = panels[NEAREST * figures.RIGHT :]
    assert last == [(0, wrong), *((k, grey) for k in (1, 2, 3, 4)), (5, green)], "the five nearest, then its own"
    titles = [axes.get_title() for axes in kept[0].findobj(Axes) if axes.images]
    assert titles[-1] == "-0.50, place 6"


@pytest.mark.parametrize("case", ["all right", "all wrong", "all equal", "one", "two", "few", "many"])
def test_any_number_of_captions_and_any_success(tmp_path, kept, case: str) -> None:
    similarity, rows = {
        "all right": (torch.eye(IMAGES), 4),
        "all wrong": (-torch.eye(IMAGES), 1),
        "all equal": (torch.ones(IMAGES, IMAGES), 1),
        "one": (torch.ones(1, 1), 1),
        "two": (torch.eye(2), 2),
        "few": (torch.eye(3)[[1, 0, 2]], 2),
        "many": (one_error(200), 5),
    }[case]
    retrieved(tmp_path / "figure.png", similarity)
    if case != "one":  # which has three texts
        check_texts(kept[0])
    assert len([axes for axes in kept[0].findobj(Axes) if axes.images]) >= rows * min(NEAREST, len(similarity))


def history(steps: int, last: float) -> list[dict[str, float]]:
    return [
        {"steps": steps * (k + 1) // 10, **{f"{d} R@1": last * (k + 1) / 10 for d in DIRECTIONS}} for k in range(10)
    ]


@pytest.mark.parametrize("case", ["usual", "one step", "stuck", "high"])
def test_training(tmp_path, kept, case: str) -> None:
    losses, points = {
        "usual": (np.linspace(5, 0.1, 900), history(900, 0.99)),
        "one step": (np.array([4.9]), history(10, 0.3)[-1:]),
        "stuck": (np.full(300, math.log(128)), history(300, 0.004)),
        "high": (np.linspace(40, 10, 300), history(300, 0.5)),
    }[case]
    draw_training(tmp_path / "figure.png", losses.tolist(), points, 128, 1 / 5000)
    check_texts(kept[0])
    left, right = kept[0].axes
    assert left.lines[0].get_ydata() == pytest.approx(losses)
    assert left.lines[1].get_ydata() == pytest.approx([math.log(128)] * 2)
    assert left.get_ylim()[1] > max(losses), "the curve is cut off"
    for line, direction in zip(right.lines, DIRECTIONS, strict=False):
        assert line.get_ydata() == pytest.approx([100 * point[f"{direction} R@1"] for point in points])
    assert "chance 0.02%" in [text.get_text() for text in right.get_legend().get_texts()], "and not 0.0%"


def measured(names, steps: int = 60) -> dict:
    reached = {"image→text R@1": 0.5, "text→image R@1": 1.0}
    one = {
        "splits": {"test": {"reached": reached}, "compositional": {"reached": reached}, "seen": {"reached": {"a": 1}}},
        "validation": history(steps, 0.9),
        "losses": np.linspace(5, 1, steps).tolist(),
    }
    return dict.fromkeys(names, one)


@pytest.mark.parametrize("steps", [1, 60])
def test_ablations(tmp_path, kept, steps: int) -> None:
    draw_ablations(tmp_path / "figure.png", measured(ABLATIONS, steps), 128)
    check_texts(kept[0])
    left, right = kept[0].axes
    assert [line.get_label() for line in left.lines] == [*ABLATIONS, "ln 128, guessing"]
    curve = left.lines[0].get_ydata()
    means = np.linspace(5, 1, steps).reshape(-1, 2).mean(axis=1) if steps == 60 else [5.0]
    assert curve == pytest.approx(means), "the mean of each thirtieth of the run"
    assert right.lines[0].get_ydata()[-1] == pytest.approx(90)


@pytest.mark.parametrize("names", [["contrastive"], list(OBJECTIVES), [f"objective {k}" for k in range(8)]])
def test_comparison(tmp_path, kept, names: list[str]) -> None:
    """Of the splits that have recall; bars of both directions for each objective."""
    draw_comparison(tmp_path / "figure.png", measured(names), 1 / 256)
    check_texts(kept[0])
    panels = kept[0].findobj(Axes)
    assert [axes.get_title() for axes in panels[:2]] == ["test split", "compositional split"]
    for axes in panels[:2]:
        assert [bar.get_width() for bar in axes.patches] == [50] * len(names) + [100] * len(names)
    assert [line.get_label() for line in panels[2].lines[:-1]] == names
