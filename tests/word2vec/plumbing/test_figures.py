"""The figures show their data: arrows connect the words' vectors, curves have the given heights, no texts overlap."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from PIL import Image
from torch.nn.functional import normalize

from lab.figure import PALETTE
from tests.pictures import check_texts, keep_figures
from tests.strategies import unequal_sizes, whole_tensors
from toyworld.language import RELATIONS
from word2vec import figures
from word2vec.evaluate import HELD_OUT, KNOWN
from word2vec.extensions.objectives import OBJECTIVES
from word2vec.figures import plane
from word2vec.vocabulary import Vocabulary

WORDS = tuple(dict.fromkeys(word for relation in RELATIONS.values() for pair in relation.pairs for word in pair))
VOCABULARY = Vocabulary(WORDS, (1,) * len(WORDS))


@pytest.fixture
def drawn(monkeypatch) -> list:
    """The figures, as they are when they have been saved."""
    return keep_figures(monkeypatch, figures)


def like_trained(seed: int) -> torch.Tensor:
    """As training leaves them: a pair's words share a place of their own, and a relation's pairs a difference."""
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.zeros(len(WORDS), 32)
    for relation in RELATIONS.values():
        middle, difference = torch.randn(2, 32, generator=generator)
        for pair in relation.pairs:
            place = middle + 1.2 * torch.randn(32, generator=generator)
            for word, side in zip(pair, (-0.7, 0.7), strict=True):
                noise = 0.25 * torch.randn(32, generator=generator)
                vectors[VOCABULARY.index[word]] = place + side * difference + noise
    return vectors


@st.composite
def pairs(draw) -> tuple[torch.Tensor, torch.Tensor]:
    n, d = draw(unequal_sizes(2, low=3))
    first, second = draw(whole_tensors(n, d)), draw(whole_tensors(n, d))
    return first, second + 9 * torch.eye(d, dtype=first.dtype)[0]  # whatever is drawn, they differ in the mean


def check_plane(axes_of, first: torch.Tensor, second: torch.Tensor) -> None:
    """Orthonormal; the mean difference lies on the first axis alone; the second is where the middles, seen at right
    angles to the first, spread most: their variance there is the largest eigenvalue of their covariance."""
    axes = axes_of(first, second)
    assert axes.shape == (first.shape[1], 2)
    torch.testing.assert_close(axes.T @ axes, torch.eye(2, dtype=axes.dtype), rtol=0, atol=1e-9)
    difference = (second - first).mean(0)
    expected = torch.stack([difference.norm(), difference.new_zeros(())])
    torch.testing.assert_close(difference @ axes, expected, rtol=0, atol=1e-9)
    middles = (first + second) / 2
    unit = difference / difference.norm()
    seen = (middles - middles.mean(0)) @ (torch.eye(len(unit), dtype=unit.dtype) - torch.outer(unit, unit))
    largest = torch.linalg.eigvalsh(seen.T @ seen)[-1]
    torch.testing.assert_close((seen @ axes[:, 1]).square().sum(), largest, rtol=1e-9, atol=1e-9)


@given(pairs())
def test_the_plane_holds_the_mean_difference_and_the_widest_spread(drawn_pairs) -> None:
    first, second = drawn_pairs
    middles = (first + second) / 2
    if (middles - middles.mean(0))[:, 1:].abs().max() > 0.5:  # else there is no second axis to speak of
        check_plane(plane, first, second)


def test_the_plane_of_pairs_drawn_by_hand() -> None:
    """Differences (2, 0, 0); middles at (0, 0, ±3) and (0, ±1, 0): the first axis is x, the second z."""
    middles = torch.tensor([[0.0, 0, 3], [0, 0, -3], [0, 1, 0], [0, -1, 0]])
    shift = torch.tensor([1.0, 0, 0])
    axes = plane(middles - shift, middles + shift)
    assert torch.equal(axes[:, 0], shift)
    torch.testing.assert_close(axes[:, 1].abs(), torch.tensor([0.0, 0, 1]))


def arrows_of(axes: Axes) -> list:
    return [text for text in axes.texts if text.arrow_patch is not None]


def words_of(axes: Axes) -> list:
    return [text for text in axes.texts if text.arrow_patch is None]


@pytest.mark.parametrize("scale", [1.0, 7.0])
def test_arrows_go_from_word_to_word_in_the_plane(tmp_path, drawn, scale: float) -> None:
    """Of vectors of length one; known pairs and held-out ones by turns, in the plane of all known ones."""
    vectors = like_trained(0)
    figures.draw_relations(tmp_path / "relations.png", scale * vectors, VOCABULARY)
    (figure,) = drawn
    Image.open(tmp_path / "relations.png").verify()
    assert [axes.get_title() for axes in figure.axes] == list(RELATIONS)
    unit = dict(zip(WORDS, normalize(vectors, dim=1), strict=True))
    for axes, relation in zip(figure.axes, RELATIONS.values(), strict=True):
        axis = plane(*(torch.stack([unit[pair[side]] for pair in relation.pairs[::2]]) for side in (0, 1)))
        words = [text.get_text() for text in words_of(axes)]
        shown = list(zip(words[::2], words[1::2], strict=True))
        assert set(shown) <= set(relation.pairs)
        assert shown[0] == relation.known[0]
        colours = [PALETTE.blue if pair in relation.known else PALETTE.vermillion for pair in shown]
        assert all(1 <= colours.count(colour) <= 3 for colour in (PALETTE.blue, PALETTE.vermillion))
        for arrow, (a, b), colour in zip(arrows_of(axes), shown, colours, strict=True):
            for end, word in ((arrow.xyann, a), (arrow.xy, b)):  # it points to xy
                assert tuple(end) == pytest.approx((unit[word] @ axis).tolist(), abs=1e-6), word
            assert to_hex(arrow.arrow_patch.get_edgecolor()).upper() == colour
            assert arrow.arrowprops["arrowstyle"] == "-|>"
        for label in words_of(axes):
            assert label.xy == pytest.approx((unit[label.get_text()] @ axis).tolist(), abs=1e-6)
        assert len(set(words)) == len(words)
        lowest, highest = axes.get_xlim()
        assert all(lowest < arrow.xy[0] < highest for arrow in arrows_of(axes))
        mean = sum(arrow.xy[0] - arrow.xyann[0] for arrow in arrows_of(axes)[:3])
        assert mean > 0, "from left to right"
    legend = {text.get_text(): line.get_color() for text, line in zip(*legend_of(figure), strict=True)}
    assert legend == {
        "some sentences hold both words": PALETTE.blue,
        "no sentence holds both words": PALETTE.vermillion,
    }


def legend_of(figure) -> tuple[list, list]:
    (legend,) = figure.legends
    return legend.get_texts(), legend.get_lines()


@pytest.mark.parametrize("seed", range(2))
def test_no_word_of_the_relations_is_cut_off_or_touches_another(tmp_path, drawn, seed: int) -> None:
    figures.draw_relations(tmp_path / "relations.png", like_trained(seed), VOCABULARY)
    (figure,) = drawn
    check_texts(figure)


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=12))
def test_arrows_whose_words_would_touch_are_left_out(drawn_arrows: list[tuple[bool, int, int]]) -> None:
    """Those that stay are readable on both sides, the first stays, and of those that go none could have stayed."""
    arrows = [
        figures.Arrow((HELD_OUT, KNOWN)[known], (f"a{k}", f"b{k}"), (0.0, float(a)), (1.0, float(b)))
        for k, (known, a, b) in enumerate(drawn_arrows)
    ]
    heights = [height for _, a, b in drawn_arrows for height in (a, b)]
    gap = figures.GAP * (max(heights) - min(heights))

    def clear(one: figures.Arrow, other: figures.Arrow) -> bool:
        return all(abs(x[1] - y[1]) >= gap for x, y in ((one.first, other.first), (one.second, other.second)))

    shown = figures.readable(arrows, 3)
    assert shown[0] == next((arrow for arrow in arrows if arrow.kind == KNOWN), arrows[0])
    assert all(clear(one, other) for k, one in enumerate(shown) for other in shown[:k])
    for kind in (KNOWN, HELD_OUT):
        mine = [arrow for arrow in shown if arrow.kind == kind]
        assert len(mine) <= 3
        if len(mine) < 3:
            rest = [arrow for arrow in arrows if arrow.kind == kind and arrow not in shown]
            assert not any(all(clear(arrow, other) for other in shown) for arrow in rest)


@pytest.mark.parametrize("last", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("points", [1, 10])
def test_training_draws_both_kinds_and_the_nearest_word(tmp_path, drawn, points: int, last: float) -> None:
    history = [
        {"steps": 80 * k, "score": 9.0, "known all": last * k / points, "held out all": 0.9 * last * k / points}
        for k in range(1, points + 1)
    ]
    figures.draw_training(tmp_path / "training.png", history, {KNOWN: 0.2, HELD_OUT: 0.031})
    (figure,) = drawn
    (axes,) = figure.axes
    known, held_out, level = axes.lines
    for line, factor, colour in ((known, 1, PALETTE.blue), (held_out, 0.9, PALETTE.vermillion)):
        assert list(line.get_xdata()) == [80 * k for k in range(1, points + 1)]
        assert list(line.get_ydata()) == pytest.approx([100 * factor * last * k / points for k in range(1, points + 1)])
        assert line.get_color() == colour
    assert list(level.get_ydata()) == pytest.approx([3.1, 3.1])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == [
        f"known pairs: {100 * last:.1f}%",
        f"held out pairs: {90 * last:.1f}%",
        "the word nearest to c, held out: 3.1%",
    ]
    low, high = axes.get_xlim()
    assert low == 0
    assert high > 80 * points
    assert axes.get_ylim()[0] < 0 < 100 < axes.get_ylim()[1]
    Image.open(tmp_path / "training.png").verify()
    check_texts(figure)


@pytest.mark.parametrize("points", [1, 10])
def test_comparison_draws_each_objective_over_the_steps(tmp_path, drawn, points: int) -> None:
    histories = {
        name: [
            {"steps": 50 * i, "score": 0.0, "known all": i / points / (k + 1), "held out all": 0.1 * k}
            for i in range(1, points + 1)
        ]
        for k, name in enumerate(OBJECTIVES)
    }
    figures.draw_comparison(tmp_path / "comparison.png", histories)
    (figure,) = drawn
    known, held_out = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["known pairs", "held out pairs"]
    for k, name in enumerate(OBJECTIVES):
        for axes, expected in ((known, [100 * i / points / (k + 1) for i in range(1, points + 1)]),
                               (held_out, [10 * k] * points)):  # fmt: skip
            line = axes.lines[k]
            assert (line.get_label(), list(line.get_xdata())) == (name, [50 * i for i in range(1, points + 1)])
            assert list(line.get_ydata()) == pytest.approx(expected)
        assert known.lines[k].get_color() == held_out.lines[k].get_color()
    assert len({(line.get_color(), line.get_marker()) for line in known.lines}) == len(OBJECTIVES)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(OBJECTIVES)
    check_texts(figure)
