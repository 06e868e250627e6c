"""Naming a single object by its sound: every name, the promised accuracy, and listeners that do not reach it.

Equation → function → test

the harmonics of ``toyworld.sounds``     patterns        test_patterns_stand_at_the_harmonics
amplitudes at 50, 100, … Hz              harmonic_amplitudes   test_harmonic_amplitudes
the most likely pair, level, place       name_by_ear     test_every_lone_object_is_named, test_promises_are_kept
"""

import math
from collections.abc import Callable

import pytest
import torch

from stft import evaluate
from stft.evaluate import CHANCE, PROMISES, correct, harmonic_amplitudes, hearing, name_by_ear, patterns
from tests.teach import check_close
from toyworld import COLOURS, SHAPES, SIZES, Object, Scene, hear, scene_at

pytestmark = pytest.mark.usefixtures("float32")
PITCH = dict(zip(COLOURS, (400, 450, 500, 550, 600, 650, 700, 750), strict=True))  # Hz


def thing(shape: str, colour: str, size: str, x: float) -> Object:
    return Object(shape, colour, size, x, 0.5, 0.1, (0.0, 0.0, 0.0))


def sound_of(o: Object) -> torch.Tensor:
    return hear(Scene((o,), (0.9, 0.9, 0.9), 0.0))


def check_naming(candidate: Callable, places: tuple[float, ...]) -> None:
    """Each of the 96 kinds of object, at these places in turn."""
    known, number = patterns(), 0
    for colour in COLOURS:
        for shape in SHAPES:
            for size in SIZES:
                x = places[number % len(places)]
                number += 1
                *names, place = candidate(sound_of(thing(shape, colour, size, x)), known)
                assert names == [colour, shape, size], f"{size} {colour} {shape} at {x}: {names}"
                assert abs(place - x) < 0.01, f"{size} {colour} {shape} at {x}: {place}"


def check_hearing(candidate: Callable, count: int = 20) -> None:
    """Every promise, on ``count`` sounds of its split."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate, "name_by_ear", candidate)
        reached = {split: hearing(split, count=count) for split in ("test", "compositional")}
    for (_, split, attribute), promised in PROMISES.items():
        assert reached[split][attribute] >= promised, f"{split}, {attribute}: {reached[split][attribute]}"


def test_harmonic_amplitudes() -> None:
    """0.2 at 400 Hz on the left, 0.1 at 1150 Hz on the right, 0.05 at 7950 Hz on both; silence at the ends."""
    t = torch.arange(16_000, dtype=torch.float64) / 16_000
    sounding = (t > 0.3) & (t < 0.7)
    low, middle, high = (torch.sin(2 * math.pi * hertz * t) * sounding for hertz in (400, 1150, 7950))
    expected = torch.zeros(2, 160)
    expected[0, 7], expected[1, 22], expected[:, 158] = 0.2, 0.1, 0.05
    amplitudes = harmonic_amplitudes(torch.stack([0.2 * low + 0.05 * high, 0.1 * middle + 0.05 * high]))
    check_close("amplitudes at 50, 100, … 8000 Hz, left and right", amplitudes.float(), expected, 0, 1e-4)


def test_the_loudest_frame_is_used() -> None:
    """A quiet tone on the left, then a loud one on the right, then silence: the loud one reads its amplitude."""
    t = torch.arange(16_000) / 16_000
    strength = torch.stack([0.1 * (t < 0.4), 0.6 * ((t > 0.5) & (t < 0.8))])
    amplitudes = harmonic_amplitudes(strength * torch.sin(2 * math.pi * 500 * t))
    check_close("the amplitude at 500 Hz, left and right", amplitudes[:, 9], torch.tensor([0.0, 0.6]), 0, 1e-3)


@pytest.mark.parametrize(("decibels", "size"), [(-4.9, "large"), (-5.1, "small")])
def test_half_way_between_the_loudnesses(decibels: float, size: str) -> None:
    """A large object is at 0 dB, a small one at -10 dB. Made softer by nearly half of that, it is large."""
    clip = sound_of(thing("star", "blue", "large", 0.5)) * 10 ** (decibels / 20)
    assert name_by_ear(clip, patterns())[2] == size


def test_patterns_stand_at_the_harmonics() -> None:
    """Amplitudes by multiples of 50 Hz, worked out by hand; each of length 1."""
    known = patterns()
    assert set(known) == {(colour, shape) for colour in COLOURS for shape in SHAPES}
    tables = {
        "circle": {1: 1.0},
        "square": {k: 1 / k for k in range(1, 20, 2)},
        "triangle": {k: 1 / k**2 for k in range(1, 20, 2)},
        "diamond": {1: 1.0, 2: 1 / 2, 4: 1 / 4, 8: 1 / 8, 16: 1 / 16},
        "cross": {1: 1.0, 5: 1.0},
        "star": {k: 1 / k for k in range(1, 20)},
    }
    for (colour, shape), pattern in known.items():
        expected = torch.zeros(160)  # 50, 100, … 8000 Hz
        for k, amplitude in tables[shape].items():
            if k * PITCH[colour] < 8000:
                expected[k * PITCH[colour] // 50 - 1] = amplitude
        check_close(f"the harmonics of a {colour} {shape}", pattern, expected / expected.norm(), 1e-5, 1e-5)
        assert float(pattern.norm()) == pytest.approx(1)


def test_correct_by_hand() -> None:
    o = thing("star", "red", "small", 0.5)
    assert correct(("red", "star", "small", 0.509), o) == dict.fromkeys(CHANCE, True)
    assert correct(("blue", "cross", "large", 0.511), o) == dict.fromkeys(CHANCE, False)
    assert correct(("red", "cross", "small", 0.489), o) == {
        "colour": True,
        "shape": False,
        "size": True,
        "place": False,
    }


def test_every_lone_object_is_named() -> None:
    check_naming(name_by_ear, (0.11, 0.2, 0.37, 0.5, 0.63, 0.789, 0.89))


def test_objects_at_the_edges_are_named() -> None:
    """In one channel alone."""
    for x in (0.0, 1.0):
        for size in SIZES:
            *names, place = name_by_ear(sound_of(thing("star", "green", size, x)), patterns())
            assert names == ["green", "star", size]
            assert place == pytest.approx(x, abs=0.01)


def test_promises_are_kept() -> None:
    check_hearing(name_by_ear)


def test_promises_and_chance() -> None:
    """Eight colours, six shapes, two sizes; a place from 0.11 to 0.89 lies within 0.01 of a guess in 2 of 78 cases."""
    assert pytest.approx({"colour": 1 / 8, "shape": 1 / 6, "size": 1 / 2, "place": 2 / 78}) == CHANCE
    assert set(PROMISES) == {("toy", split, name) for split in ("test", "compositional") for name in CHANCE}
    assert all(promised > CHANCE[name] for (_, _, name), promised in PROMISES.items())


def ignores_loudness(clip, known):
    colour, shape, _, x = name_by_ear(clip, known)
    return colour, shape, "large", x


def left_and_right_swapped(clip, known):
    return name_by_ear(clip.flip(0), known)


def linear_panning(clip, known):
    """Reads the place as if the channels' amplitudes, and not their powers, summed to 1."""
    left, right = clip.norm(dim=1).tolist()
    return *name_by_ear(clip, known)[:3], right / (left + right)


def fundamental_only(clip, known):
    """Knows the pitch, and takes every sound for a sine."""
    colour, _, size, x = name_by_ear(clip, {pair: pattern for pair, pattern in known.items() if pair[1] == "circle"})
    return colour, "circle", size, x


def a_pitch_too_high(clip, known):
    return name_by_ear(clip, {pair: pattern.roll(1) for pair, pattern in known.items()})


def hears_one_channel(clip, known):
    """As loud as the left channel alone, so that it takes what is on the right for small."""
    return *name_by_ear(clip, known)[:2], name_by_ear(clip * torch.tensor([[1.0], [0.0]]), known)[2], clip_place(clip)


def clip_place(clip) -> float:
    left, right = clip.norm(dim=1).tolist()
    return math.atan2(right, left) / (math.pi / 2)


@pytest.mark.parametrize(
    ("wrong", "attribute"),
    [
        (ignores_loudness, "size"),
        (hears_one_channel, "size"),
        (left_and_right_swapped, "place"),
        (linear_panning, "place"),
        (fundamental_only, "shape"),
        (a_pitch_too_high, "colour"),
    ],
)
def test_a_wrong_listener_does_not_keep_the_promises(wrong, attribute: str) -> None:
    with pytest.raises(AssertionError, match=attribute):
        check_hearing(wrong)
    with pytest.raises(AssertionError):
        check_naming(wrong, (0.11, 0.2, 0.37, 0.63, 0.789, 0.89))


@pytest.mark.parametrize("split", ["train", "test", "compositional"])
def test_hearing_is_the_accuracy(split: str, monkeypatch) -> None:
    """Counted by hand for a listener who always says the same; another seed has other sounds."""
    monkeypatch.setattr(evaluate, "name_by_ear", lambda clip, known: ("purple", "circle", "small", 0.6))
    for seed, count in ((0, 30), (4, 17)):
        things = [scene_at(split, seed, index, count=1).objects[0] for index in range(count)]
        assert hearing(split, seed, count) == pytest.approx(
            {
                "colour": sum(o.colour == "purple" for o in things) / count,
                "shape": sum(o.shape == "circle" for o in things) / count,
                "size": sum(o.size == "small" for o in things) / count,
                "place": sum(abs(o.x - 0.6) <= 0.01 for o in things) / count,
            }
        )
