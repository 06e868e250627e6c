"""What is claimed → function → test

a row for each question, whatever picture it is about    probabilities         test_each_question_meets_its_picture
the model is left as it was                               probabilities         test_the_mode_is_put_back
accuracy by kind                                          accuracies, by_kind   test_accuracies_by_hand
what is reached without looking                           baselines             test_baselines_by_hand
1/N                                                       chance                test_chance_by_hand
what the toy world's questions can have as answers        possible_toy_answers  test_possible_answers_do_occur
"""

from collections import defaultdict

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from toyworld.questions import question_at
from toyworld.scenes import COLOURS, SHAPES
from vqa.data import Examples, Vocabulary, split_words
from vqa.evaluate import (
    ALL,
    PROMISES,
    Asked,
    accuracies,
    baselines,
    by_kind,
    chance,
    possible_toy_answers,
    predict,
    probabilities,
)

WORDS, ANSWERS = ("one", "three", "two"), tuple("abcdefg")  # numbered 1, 2, 3
VOCABULARY = Vocabulary(WORDS, ANSWERS)
VALUE = {"one": 1, "three": 2, "two": 3}


class Adder(nn.Module):
    """Answers with the number (picture's value + 3 · sum of the words' numbers) mod 7; for evaluation only."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(5.0))

    def forward(self, images, questions):
        assert not self.training
        assert not torch.is_grad_enabled()
        m, n = len(images), len(questions)
        assert n % m == 0
        values = images.mean(dim=(1, 2, 3)).round().long().repeat_interleave(n // m)
        return self.scale * nn.functional.one_hot((values + 3 * questions.sum(dim=1)) % 7, 7)


def examples(pictures, texts, answers=None, kinds=None) -> Examples:
    images = torch.arange(max(pictures) + 1.0).view(-1, 1, 1, 1).expand(-1, 3, 4, 5)
    n = len(texts)
    return Examples(images, tuple(pictures), tuple(texts), answers or (("a",),) * n, kinds or ("k",) * n)


def right_answer(picture: int, text: str) -> str:
    return ANSWERS[(picture + 3 * sum(VALUE[word] for word in text.split())) % 7]


ASKED = st.lists(
    st.tuples(st.integers(0, 4), st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)),
    min_size=1,
    max_size=12,
)


@given(asked=ASKED)
def test_each_question_meets_its_picture(asked) -> None:
    """Pictures in any order, some with many questions, some with none."""
    pictures, texts = zip(*asked, strict=True)
    some = examples(pictures, texts)
    expected = [right_answer(*pair) for pair in asked]
    assert predict(Adder(), VOCABULARY, some) == expected
    rows = probabilities(Adder(), VOCABULARY, some)
    assert rows.shape == (len(asked), 7)
    assert torch.allclose(rows.sum(dim=1), torch.ones(len(asked)))
    top = 1 / (1 + 6 * torch.tensor(-5.0).exp())  # one logit is 5, six are 0
    assert torch.allclose(rows.amax(dim=1), top.expand(len(asked)))


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_put_back(training: bool) -> None:
    model = Adder().train(training)
    probabilities(model, VOCABULARY, examples([0], ["one"]))
    assert model.training is training
    without_pictures = Examples(torch.zeros(0, 3, 4, 5), (0,), ("one",), (("a",),), ("k",))
    with pytest.raises(IndexError):
        probabilities(model, VOCABULARY, without_pictures)
    assert model.training is training


def test_a_question_without_a_known_word_gets_no_answer() -> None:
    some = examples([1, 0, 1], ["one two", "zebra?", "zebra one"])
    assert predict(Adder(), VOCABULARY, some) == [right_answer(1, "one two"), "", right_answer(1, "one")]
    assert predict(Adder(), VOCABULARY, examples([0], ["zebra"])) == [""]
    with pytest.raises(ValueError, match="at least one known word, got 'zebra"):
        probabilities(Adder(), VOCABULARY, some)


def test_accuracies_by_hand() -> None:
    """Three stretches' worth of questions: the ten answers' metric, then plain equality, then an unknown word."""
    first = examples([0, 0], ["one", "one"], (("d",) * 2 + ("b",) * 8, ("a",) * 10), ("number", "other"))
    second = examples([1, 2], ["one", "zebra"], (("e",), ("",)), ("number", "other"))
    assert predict(Adder(), VOCABULARY, first) == ["d", "d"]
    reached = accuracies(Adder(), VOCABULARY, [first, second])
    assert reached == pytest.approx({"number": (0.6 + 1) / 2, "other": (0 + 1) / 2, ALL: (0.6 + 1 + 0 + 1) / 4})
    assert list(reached) == ["number", "other", ALL]


def test_a_mean_of_all_is_no_mean_of_means() -> None:
    assert by_kind(["x", "y", "x", "x"], [1.0, 0.0, 1.0, 0.0]) == pytest.approx({"x": 2 / 3, "y": 0, ALL: 0.5})
    with pytest.raises(ValueError, match="at least one question"):
        by_kind([], [])


def test_baselines_by_hand() -> None:
    learned = [
        Asked("what?", ("red",), "colour"),
        Asked("what?", ("red",), "colour"),
        Asked("which?", ("blue",), "colour"),
        Asked("is it?", ("no",), "existence"),
        Asked("is it?", ("no",), "existence"),
        Asked("is she?", ("yes",), "existence"),
        Asked("is he?", ("no",), "existence"),
    ]
    asked = [
        Asked("what?", ("red",), "colour"),
        Asked("which?", ("blue",), "colour"),
        Asked("is she?", ("yes",), "existence"),
        Asked("new text?", ("no",), "existence"),
        Asked("new kind?", ("pink",), "count"),
    ]
    possible = {"colour": ("red", "blue", "green"), "existence": ("yes", "no"), "count": ("1", "2")}
    found = baselines(learned, asked, ("no", "red", "yes"), lambda question: possible[question.kind])
    kinds = ("colour", "count", "existence", ALL)
    expected = {
        "chance": (1 / 3, 0, 1 / 2, (2 / 3 + 1) / 5),
        "most frequent": (0, 0, 1 / 2, 1 / 5),  # "no"
        "by kind": (1 / 2, 0, 1 / 2, 2 / 5),  # "red", "no"
        "by text": (1, 0, 1, 4 / 5),  # all that was seen, and "no" for the new text of a known kind
        "ceiling": (1 / 2, 0, 1, 3 / 5),  # "blue" is not in the vocabulary
    }
    assert list(found) == list(expected)
    for name, numbers in expected.items():
        assert found[name] == pytest.approx(dict(zip(kinds, numbers, strict=True))), name
    with pytest.raises(ValueError, match="to learn from"):
        baselines([], asked, ("no",), lambda question: ("no",))


def test_chance_by_hand() -> None:
    assert chance(("red",), ("red", "blue", "green", "black")) == 1 / 4
    assert chance(("red",), ("blue", "green")) == 0
    # two of ten said cat (0.6), eight said dog (1.0), and cow is possible too
    assert chance(("cat",) * 2 + ("dog",) * 8, ("cat", "dog", "cow")) == pytest.approx(1.6 / 3)
    assert chance(("cat",) * 2 + ("dog",) * 8, ("cat", "cow")) == pytest.approx(0.3)


def test_possible_answers_do_occur() -> None:
    """Over the first questions of the stream, two ways to ask the same taken together."""
    seen = defaultdict(set)
    for k in range(2500):
        _, question = question_at("train", 0, k)
        named = tuple(word for word in split_words(question.text) if word in (*COLOURS, *SHAPES))
        key = (question.kind, named) if question.kind in ("colour", "shape") else (question.kind,)
        seen[key, possible_toy_answers(Asked(question.text, (), question.kind))].add(question.answer)
    assert len(seen) == 1 + len(SHAPES) + 1 + len(COLOURS) + 4
    for (key, possible), answers in seen.items():
        assert answers == set(possible), key
    assert {len(possible) for (key, possible) in seen if key == ("colour", ())} == {8}
    assert {len(possible) for (key, possible) in seen if key == ("colour", ("circle",))} == {6}  # not red, not purple


def test_promises_are_accuracies() -> None:
    assert all(0 < promised <= 1 for promised in PROMISES.values())
    assert {data for data, _, _ in PROMISES} == {"toy", "easy-vqa"}
