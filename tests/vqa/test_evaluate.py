"""What is claimed → function → test

accuracy by kind                                          by_kind, accuracies        test_accuracies_by_hand
1/N, the mean over the choices                            Choices.mean               test_choices_by_hand
the best of the choices                                   Choices.best               test_choices_by_hand
accuracies without the images                             baselines                  test_baselines_by_hand
the answer vocabulary                                     most_frequent_answers      test_the_answer_vocabulary
question k is about image image_of[k]                     probabilities, predict     test_each_question_meets_its_image
the model's mode is put back                              probabilities              test_the_mode_is_put_back
"""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from tests.teach import check_close
from vqa.answer_text import vqa_accuracy
from vqa.evaluate import (
    ALL,
    PROMISES,
    Asked,
    Choices,
    Examples,
    accuracies,
    baselines,
    by_kind,
    most_frequent_answers,
    predict,
    probabilities,
)
from vqa.extensions.vocabulary import QuestionVocabulary


def test_the_mean_of_all_is_not_the_mean_of_means() -> None:
    assert by_kind(["x", "y", "x", "x"], [1.0, 0.0, 1.0, 0.0]) == pytest.approx({"x": 2 / 3, "y": 0, ALL: 0.5})
    with pytest.raises(ValueError, match="at least one question"):
        by_kind([], [])


TWO_CATS, THREE_CATS = ("cat",) * 2 + ("dog",) * 8, ("cat",) * 3 + ("dog",) * 7
CHOICES = {  # the case: the choices, the annotators' answers, the best accuracy and the mean accuracy of the choices
    "one of four": (("red", "blue", "green", "black"), ("red",), 1, 1 / 4),
    "none of two": (("blue", "green"), ("red",), 0, 0),
    "two are right in part": (("cat", "dog", "cow"), TWO_CATS, 1, (0.6 + 1 + 0) / 3),
    "the best is no choice": (("cat", "cow"), TWO_CATS, 0.6, (0.6 + 0) / 2),
    "three of ten": (("cat",), THREE_CATS, 0.9, 0.9),
    "written otherwise": (("The Dog", "cow"), TWO_CATS, 1, 1 / 2),
    "twice the same": (("2", "two", "3"), ("two",) * 9 + ("2",), 1, 2 / 3),
    "all agree, so nothing is normalised": (("2", "Two"), ("two",) * 10, 0, 0),
}


@pytest.mark.parametrize("case", CHOICES)
def test_choices_by_hand(case: str) -> None:
    choices, answers, best, mean = CHOICES[case]
    found = Choices(choices)
    assert found.best(answers) == pytest.approx(best), f"{case}: the ceiling of {choices} for {answers}"
    assert found.mean(answers) == pytest.approx(mean), f"{case}: chance over {choices} for {answers}"


WRITTEN = st.sampled_from(["cat", "dog", "2", "t-shirt", "Two", "the dog", "dont"])


@given(choices=st.sets(WRITTEN, min_size=1), answers=st.lists(WRITTEN, min_size=1, max_size=10))
def test_choices_equal_the_accuracy_of_each(choices: set[str], answers: list[str]) -> None:
    each = [vqa_accuracy(choice, answers) for choice in sorted(choices)]
    assert Choices(choices).best(answers) == pytest.approx(max(each), abs=1e-12)
    assert Choices(choices).mean(answers) == pytest.approx(sum(each) / len(each), abs=1e-12)


def test_without_a_choice_the_ceiling_is_zero() -> None:
    assert Choices(()).best(("cat",)) == 0


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


@pytest.mark.parametrize(
    ("answer_lists", "count", "expected"),
    [
        ([["no"], ["yes"], ["yes"]], 2, ("yes", "no")),
        ([["no"], ["yes"], ["yes"]], 1, ("yes",)),
        ([["no"], ["yes"], ["yes"]], 9, ("yes", "no")),
        ([["cat"] * 6 + ["dog"] * 4] * 2 + [["cow"]], 9, ("cat", "cow")),  # eight said "dog", never a majority
        ([["dog", "cat"], ["cat", "dog"]], 9, ("cat",)),  # a tie within a question: the alphabet
        ([["dog"], ["cat"], ["cow"]], 2, ("cat", "cow")),  # a tie between answers: the alphabet
        ([["The Dog"]], 1, ("The Dog",)),
        ([], 3, ()),
    ],
)
def test_the_answer_vocabulary(answer_lists, count: int, expected: tuple[str, ...]) -> None:
    assert most_frequent_answers(answer_lists, count) == expected


def test_the_answer_vocabulary_of_wrong_input() -> None:
    with pytest.raises(ValueError, match="count must be at least 1, got 0"):
        most_frequent_answers([["yes"]], 0)
    with pytest.raises(ValueError, match="question 1 has none"):
        most_frequent_answers([["yes"], []], 1)


WORDS, ANSWERS = ("one", "three", "two"), tuple("abcdefg")
VOCABULARY = QuestionVocabulary(WORDS, ANSWERS)
ID_OF = {word: int(VOCABULARY.encode([word])) for word in WORDS}


class Adder(nn.Module):
    """Answers with (the image's value + 3 · the sum of the token ids) mod 7; for evaluation only."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(5.0))

    def forward(self, images, questions, image_of):
        assert not self.training
        assert not torch.is_grad_enabled()
        values = images.mean(dim=(1, 2, 3)).round().long()[image_of]
        return self.scale * nn.functional.one_hot((values + 3 * questions.sum(dim=1)) % 7, 7)


def examples(image_of, texts, answers=None, kinds=None) -> Examples:
    images = torch.arange(max(image_of) + 1.0).view(-1, 1, 1, 1).expand(-1, 2, 4, 5)  # a detector's grid
    n = len(texts)
    pixels = torch.zeros(len(images), 3, 8, 10)
    return Examples(pixels, images, tuple(image_of), tuple(texts), answers or (("a",),) * n, kinds or ("k",) * n)


def right_answer(image: int, text: str) -> str:
    return ANSWERS[(image + 3 * sum(ID_OF[word] for word in text.split())) % 7]


ASKED = st.lists(
    st.tuples(st.integers(0, 4), st.lists(st.sampled_from(WORDS), min_size=1, max_size=4).map(" ".join)),
    min_size=1,
    max_size=12,
)


@given(asked=ASKED)
def test_each_question_meets_its_image(asked) -> None:
    """Images in any order, some with many questions, some with none."""
    image_of, texts = zip(*asked, strict=True)
    some = examples(image_of, texts)
    predictions = predict(Adder(), VOCABULARY, some)
    for k, (image, text) in enumerate(asked):
        expected = right_answer(image, text)
        assert predictions[k] == expected, (
            f"question {k} ({text!r}) is about image_of[{k}] = {image}: expected {expected}, got {predictions[k]}"
        )
    rows = probabilities(Adder(), VOCABULARY, some)
    assert rows.shape == (len(asked), 7)
    largest = 1 / (1 + 6 * torch.tensor(-5.0).exp())  # softmax: one logit is 5, six are 0
    check_close("softmax of 5 and six times 0, the largest", rows.amax(dim=1), largest.expand(len(asked)), 1e-5, 1e-5)
    check_close("the sum of the probabilities", rows.sum(dim=1), torch.ones(len(asked)), 1e-5, 1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_put_back(training: bool) -> None:
    """Also when the model fails."""
    model = Adder().train(training)
    probabilities(model, VOCABULARY, examples([0], ["one"]))
    assert model.training is training
    without_images = Examples(torch.zeros(0, 3, 8, 10), torch.zeros(0, 2, 4, 5), (0,), ("one",), (("a",),), ("k",))
    with pytest.raises(IndexError):
        probabilities(model, VOCABULARY, without_images)
    assert model.training is training


def test_a_question_without_a_known_word_gets_no_answer() -> None:
    some = examples([1, 0, 1], ["one two", "zebra?", "zebra one"])
    assert predict(Adder(), VOCABULARY, some) == [right_answer(1, "one two"), "", predict_one(1, "zebra one")]
    assert predict(Adder(), VOCABULARY, examples([0], ["zebra"])) == [""]


def predict_one(image: int, text: str) -> str:
    return predict(Adder(), VOCABULARY, examples([image], [text]))[0]


def test_accuracies_by_hand() -> None:
    """The questions of two chunks: the metric of ten annotators, then plain equality, then an unknown word."""
    said = right_answer(0, "one")
    first = examples([0, 0], ["one", "one"], ((said,) * 2 + ("x",) * 8, ("y",) * 10), ("number", "other"))
    second = examples([1, 2], ["one", "zebra"], ((right_answer(1, "one"),), ("",)), ("number", "other"))
    reached = accuracies(Adder(), VOCABULARY, [first, second])
    assert reached == pytest.approx({"number": (0.6 + 1) / 2, "other": (0 + 1) / 2, ALL: (0.6 + 1 + 0 + 1) / 4})
    assert list(reached) == ["number", "other", ALL]


def test_promises_are_accuracies() -> None:
    assert all(0 < promised <= 1 for promised in PROMISES.values())
    assert {data for data, _, _ in PROMISES} == {"toy", "easy-vqa"}
