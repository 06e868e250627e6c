"""What a verdict says, of two results that differ by hand."""

import pickle

import pytest
import torch

from stft.fourier import dft
from workbook import verdict as module
from workbook.exercises import find_exercise
from workbook.judge import Outcome
from workbook.mistakes import behaviour, both_shown, common_factor, compare_calls, in_another_order, shown
from workbook.verdict import verdict


def double(*numbers: float) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def found(wrong, *inputs: torch.Tensor) -> dict[str, str]:
    """The explanation of a wrong version of the DFT."""
    notes = [pickle.dumps(((x,), {})) for x in inputs]
    pairs = [(note, behaviour(wrong, note)) for note in notes]
    return compare_calls(find_exercise("stft.fourier.dft"), [pickle.dumps((torch.get_default_dtype(), pairs))])


def test_values_come_before_gradients() -> None:
    """The constant 2, 2, 2 has the same spectrum if the transform turns the other way; only the gradient differs."""
    explained = found(lambda x: dft(x.conj()).conj(), double(2, 2, 2) + 0j, double(0, 1, 0, 0) + 0j)
    assert explained["input"] == "x = [0j, (1+0j), 0j, 0j]"
    assert explained["mistake"] == "fourier.turning_the_other_way"


@pytest.mark.parametrize(
    ("wrong", "note"),
    [
        (lambda x: -3 * dft(x), {"factor": "-3"}),
        (lambda x: dft(x).roll(1, -1), {"order": "yes"}),
        (lambda x: (2 + 1j) * dft(x), {}),
        (lambda x: dft(x) + 1, {}),
        (lambda x: dft(x)[..., :1], {}),
        (lambda x: 1 / 0, {}),
    ],
)
def test_a_factor_or_another_order_is_told(wrong, note: dict[str, str]) -> None:
    explained = found(wrong, double(0, 1, 5, 0) + 0j, double(1, 2) + 0j)
    assert {key: explained[key] for key in ("factor", "order", "mistake") if key in explained} == note


def halves(p, q):
    """Right, but NaN where neither p nor q has a part: so is the known mistake without the halves."""
    m = (p + q) / 2
    return ((p * (p / m).log()).sum() + (q * (q / m).log()).sum()) / 2


def without_the_halves(p, q):
    return 2 * halves(p, q)


@pytest.mark.parametrize(("function", "mistake"), [(halves, None), (without_the_halves, "loss.without_the_halves")])
def test_a_mistake_is_named_if_it_agrees_in_half_of_the_calls(function, mistake) -> None:
    rows = ([0.5, 0.5, 0.0], [0.5, 0.5, 0.0]), ([0.5, 0.2, 0.3], [0.2, 0.2, 0.6]), ([0.1, 0.9], [0.7, 0.3])
    notes = [pickle.dumps((tuple(map(torch.tensor, pair)), {})) for pair in rows]
    calls = [(note, behaviour(function, note)) for note in notes]
    explained = compare_calls(find_exercise("cgan.theory.jensen_shannon"), [pickle.dumps((torch.float32, calls))])
    assert explained["came"] == "nan"
    assert explained.get("mistake") == mistake


def test_one_number_may_be_twice_another_by_chance() -> None:
    calls = [(([double(2.0)], []), ([double(1.0)], []))]
    assert common_factor(calls) == ""
    assert common_factor(calls * 3) == "2"
    assert common_factor([(right, right) for _, right in calls * 3]) == ""
    assert common_factor([*calls * 3, (([double(3.0)], []), ([double(1.0)], []))]) == ""


def test_equal_numbers_of_another_type_are_in_no_other_order() -> None:
    assert not in_another_order(([double(1, 2)], []), ([double(1, 2).float()], []))


@pytest.mark.parametrize(
    ("came", "right", "shown"),
    [
        ([double(2.3671228808)], [double(2.36712361413)], ("[2.3671229]", "[2.3671236]")),
        ([double(1, 2)], [double(1, 2).float()], ("[1.0, 2.0] (float64)", "[1.0, 2.0] (float32)")),
        ([double(1), double(2)], [double(1), double(3)], ("[1.0], [2.0]", "[1.0], [3.0]")),
        ([double(1), torch.ones(3, 5)], [double(1), 2 * torch.eye(3, 5)], ("part 2 at index", "part 2 at index")),
        ("TypeError", [double(1)], ("TypeError (an error)", "[1.0]")),
    ],
)
def test_the_part_that_differs_is_shown(came, right, shown: tuple[str, str]) -> None:
    """With so many digits that it can be seen."""
    texts = both_shown(*(each if isinstance(each, str) else (each, []) for each in (came, right)))
    assert all(text.startswith(start) for text, start in zip(texts, shown, strict=True)), texts
    assert texts[0] != texts[1]


def test_numbers_are_rounded() -> None:
    value = torch.tensor([1 / 3 - 4.4e-16j, 2e-16 + 1j], dtype=torch.complex128)
    assert shown(value) == "[(0.33333+0j), 1j]"


def test_a_module_without_its_constructor_can_be_shown() -> None:
    """The reader's __init__ may not begin with that of nn.Module."""
    assert shown(torch.nn.Linear.__new__(torch.nn.Linear)) == "Linear()"


def test_a_gradient_is_called_one() -> None:
    texts = both_shown(([double(1)], [double(2)]), ([double(1)], [double(3)]))
    assert texts == ("the gradient: [2.0]", "the gradient: [3.0]")


LONG = " ".join(["word"] * 200)
WRONG = {"input": "x = 1", "came": "2", "expected": "1"}
LONGEST = dict.fromkeys(("came", "expected", "why"), LONG) | {"input": f"x = {LONG}\ny = {LONG}\nz = {LONG}\nw = 3"}


@pytest.mark.parametrize(
    ("kind", "explained", "language", "there", "not_there"),
    [
        (
            "wrong",
            WRONG | {"factor": "2"},
            "en",
            ["checked        the sum", "in every call, 2 times"],
            ["got 2", "m.py"],
        ),
        ("wrong", WRONG | {"order": "yes"}, "ko", ["확인한 것      the sum", "값은 모두 맞지만 순서가 다릅니다"], []),
        ("raised", WRONG, "en", ["message        the sum: got 2", "line           m.py", "expected       1"], ["came"]),
        ("wrong", LONGEST | {"mistake": "fourier.turning_the_other_way"}, "en", ["turning_the_other_way", "hint"], []),
        ("syntax", {}, "en", ["no valid Python", "m.py"], ["hint"]),
        ("needs", {}, "en", ["another function", "hint"], []),
    ],
)
def test_what_matters_is_in_15_lines(kind, explained, language, there, not_there, monkeypatch) -> None:
    monkeypatch.setattr(module, "explain", lambda *_: explained)
    of_all = LONG if "why" in explained else "y = x"
    message = f"{LONG if 'why' in explained else 'the sum'}: got 2, expected 1"
    outcome = Outcome("stft.fourier.dft", kind, message, "m.py, line 3", "test_x.py::test", of_all, calls=[b""])
    lines = verdict(find_exercise("stft.fourier.dft"), outcome, language)
    text = "\n".join(lines)
    assert len(lines) <= 15
    assert [words for words in there if words not in text] == []
    assert [words for words in not_there if words in text] == []


def test_a_message_that_is_in_the_equation_is_not_said_again(monkeypatch) -> None:
    monkeypatch.setattr(module, "explain", lambda *_: WRONG)
    outcome = Outcome("stft.fourier.dft", "wrong", "y = x: got 2, expected 1", equation="1: y = x", calls=[b""])
    assert "checked" not in "\n".join(verdict(find_exercise("stft.fourier.dft"), outcome))
