"""The figures show the numbers that they get: bars are as long as their numbers, no text is cut off or overlaps."""

import matplotlib
import pytest
import torch
from matplotlib.colors import to_hex
from matplotlib.text import Text
from torch import nn

from lab.figure import PALETTE
from tests.pictures import check_texts, keep_figures
from vqa import figures
from vqa.evaluate import Examples
from vqa.extensions.vocabulary import QuestionVocabulary

ANSWERS = ("yes", "no", "purple and a little yellow", "2", "blue", "green")
VOCABULARY = QuestionVocabulary(("is", "it"), ANSWERS)


class Fixed(nn.Module):
    """Gives every question the same distribution."""

    def __init__(self, percents) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor(percents).log())

    def forward(self, images, questions, image_of):
        return self.logits.expand(len(questions), -1)


@pytest.fixture
def drawn(monkeypatch) -> list:
    """The figures, as they are when they have been saved."""
    return keep_figures(monkeypatch, figures)


def asked(n: int, kinds=None, answers=("yes",)) -> Examples:
    texts = tuple(f"is it {'really ' * k}it?" for k in range(n))
    pixels = torch.rand(n, 3, 16, 16)
    return Examples(pixels, torch.zeros(n, 2, 4, 4), tuple(range(n)), texts, (answers,) * n, kinds or ("k",) * n)


@pytest.mark.parametrize(("given", "colour", "sign"), [("yes", PALETTE.green, "✓"), ("no", PALETTE.vermillion, "✗")])
def test_answers_show_five_bars_and_right_or_wrong(tmp_path, drawn, given: str, colour: str, sign: str) -> None:
    percents = [0.5, 0.2, 0.15, 0.1, 0.04, 0.01]
    if given == "no":
        percents[:2] = percents[1::-1]
    figures.draw_answers(tmp_path / "answers.png", Fixed(percents), VOCABULARY, asked(5))
    (figure,) = drawn
    charts = [axes for axes in figure.findobj(matplotlib.axes.Axes) if axes.patches]
    assert len(charts) == 5
    for axes in charts:
        assert [bar.get_width() for bar in axes.patches] == pytest.approx([50, 20, 15, 10, 4], rel=1e-5)
        assert axes.get_title(loc="left") == f"{sign} {given}"
        assert to_hex(axes.patches[0].get_facecolor()).upper() == colour
        assert axes.yaxis_inverted()
        labels = [label.get_text() for label in axes.get_yticklabels()]
        assert labels[0] == given
        assert labels[2:] == ["purple and a li…", "2", "blue"]
    written = [text.get_text() for text in figure.findobj(Text)]
    assert written.count("wrong, expected: yes") == (0 if sign == "✓" else 5)
    assert all(text in written for text in asked(5).texts)
    check_texts(figure)


def test_fewer_answers_than_five(tmp_path, drawn) -> None:
    figures.draw_answers(tmp_path / "a.png", Fixed([0.25, 0.75]), QuestionVocabulary(("is",), ("yes", "no")), asked(1))
    (axes,) = [axes for axes in drawn[0].findobj(matplotlib.axes.Axes) if axes.patches]
    assert [bar.get_width() for bar in axes.patches] == pytest.approx([75, 25])


def test_one_of_each_kind_comes_first() -> None:
    pixels = torch.arange(5.0).view(5, 1, 1, 1).expand(5, 3, 2, 2)
    examples = Examples(
        pixels,
        10 + pixels,
        (0, 0, 1, 2, 3, 4),
        ("a", "b", "c", "d", "e", "f"),
        tuple((text,) for text in "ABCDEF"),
        ("x", "y", "x", "y", "z", "x"),
    )
    chosen = figures.one_of_each_kind(examples, 4)  # b is about a's image
    assert chosen.texts == ("a", "d", "e", "c")
    assert chosen.answers == (("A",), ("D",), ("E",), ("C",))
    assert [chosen.pixels[k, 0, 0, 0].item() for k in chosen.image_of] == [0, 2, 3, 1]
    assert [chosen.images[k, 0, 0, 0].item() for k in chosen.image_of] == [10, 12, 13, 11]
    assert len(chosen.images) == 4
    assert figures.one_of_each_kind(examples, 9).texts == ("a", "d", "e", "c", "f")
    assert figures.one_of_each_kind(examples, 4, last=5).texts == ("b", "e", "c", "f"), (
        "f takes the place of its kind x"
    )


@pytest.mark.parametrize("kinds", [1, 4, 5])
def test_training_has_a_panel_with_its_chance_for_each_kind(tmp_path, drawn, kinds: int) -> None:
    chance = {f"kind {k}": 0.15 * k for k in range(kinds)} | {"all": 0.3}
    history = [{"steps": 500 * i, "score": 0.0} | dict.fromkeys(chance, 0.1 * i) for i in range(1, 11)]
    figures.draw_training(tmp_path / "training.png", history, chance)
    (figure,) = drawn
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == kinds
    for k, axes in enumerate(panels):
        assert f"kind {k}" in axes.get_title()
        curve, level = axes.lines
        assert list(curve.get_xdata()) == [500 * i for i in range(1, 11)]
        assert list(curve.get_ydata()) == pytest.approx([10 * i for i in range(1, 11)])
        assert level.get_ydata() == pytest.approx([15 * k] * 2)
    check_texts(figure)


def test_the_comparison_says_why_a_number_is_never_the_answer_without_the_question(tmp_path, drawn) -> None:
    """Far below chance is below half of it: 9.9% is, and 10% is not. A bar that cannot be seen has its number."""
    chance = {"count": 0.2, "colour": 0.2, "existence": 0.5, "all": 0.3}
    reached = {"product": dict.fromkeys(chance, 0.9), "image only": {"count": 0.004, "colour": 0.1, "existence": 0.5}}
    reached["image only"]["all"] = 0.25
    figures.draw_comparison(tmp_path / "comparison.png", reached, chance)
    reached["image only"]["colour"] = 0.099
    figures.draw_comparison(tmp_path / "comparison.png", reached, chance)
    figures.draw_comparison(tmp_path / "comparison.png", {"product": dict.fromkeys(chance, 0.0)}, chance)
    said = [figure.get_supxlabel() for figure in drawn]
    assert said[0].endswith("kind count.")
    assert said[1].endswith("kind count or colour.")
    assert said[2] == ""
    assert [text.get_text() for text in drawn[0].axes[0].texts if text.get_text()] == ["0.4"]
    for figure in drawn:
        check_texts(figure)


def test_comparison_has_a_bar_for_each_model_and_kind(tmp_path, drawn) -> None:
    kinds, models = (
        ("colour", "comparison", "count", "existence", "relation", "shape", "all"),
        ("product", "sum", "image only"),
    )
    reached = {
        model: {kind: 0.1 * (k + 1) + 0.01 * j for j, kind in enumerate(kinds)} for k, model in enumerate(models)
    }
    figures.draw_comparison(tmp_path / "comparison.png", reached, {kind: 0.05 * j for j, kind in enumerate(kinds)})
    (figure,) = drawn
    (axes,) = figure.axes
    for k, (bars, model) in enumerate(zip(axes.containers, models, strict=True)):
        assert [bar.get_height() for bar in bars] == pytest.approx([10 * (k + 1) + j for j in range(7)])
        for j, bar in enumerate(bars):
            assert j - 0.5 < bar.get_x() < bar.get_x() + bar.get_width() < j + 0.5
        assert bars.get_label() == model
    levels = [segment[0][1] for lines in axes.collections for segment in lines.get_segments()]
    assert levels == pytest.approx([5 * j for j in range(7)])
    assert [label.get_text() for label in axes.get_xticklabels()] == list(kinds)
    assert sorted(text.get_text() for text in figure.legends[0].get_texts()) == sorted(("chance", *models))
    check_texts(figure)
