"""What a verdict shows of a reader's results, and which mistake it names."""

import pickle

import pytest
import torch

from workbook.exercises import find_exercise
from workbook.judge import behaviour
from workbook.verdict import both_shown, compare_calls, shown


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
    found = compare_calls(find_exercise("cgan.theory.jensen_shannon"), [pickle.dumps((torch.float32, calls))])
    assert found["came"] == "nan"
    assert found.get("mistake") == mistake


def test_a_wrong_value_is_shown_before_a_wrong_gradient() -> None:
    """The conjugate of the DFT of 1, 0 is right."""
    notes = [pickle.dumps(((torch.tensor(row),), {})) for row in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])]
    calls = [(note, behaviour(lambda x: torch.fft.ifft(x) * len(x), note)) for note in notes]
    found = compare_calls(find_exercise("stft.fourier.dft"), [pickle.dumps((torch.float32, calls))])
    assert found["input"] == "x = [0.0, 1.0, 0.0]"


def test_a_difference_is_always_seen() -> None:
    """Equal numbers of two types; and of two results the one that differs."""
    single, double = torch.full((3,), 0.5), torch.full((3,), 0.5, dtype=torch.float64)
    assert both_shown(([single], []), ([double], []))[0] == "[0.5, 0.5, 0.5], torch.float32"
    many, other = torch.zeros(20), torch.ones(2)
    assert both_shown(([many, other], []), ([many, other + 1], [])) == ("result 1: [1.0, 1.0]", "result 1: [2.0, 2.0]")


def test_numbers_are_rounded() -> None:
    value = torch.tensor([1 / 3 - 4.4e-16j, 2e-16 + 1j], dtype=torch.complex128)
    assert shown(value) == "[(0.33333+0j), 1j]"


def test_a_module_without_its_constructor_can_be_shown() -> None:
    """The reader's __init__ may not begin with that of nn.Module."""
    assert shown(torch.nn.Linear.__new__(torch.nn.Linear)) == "Linear()"
