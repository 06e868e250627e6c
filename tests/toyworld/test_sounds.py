"""``toyworld.sounds``

promise                             test
shape: timbre, no aliasing          test_timbre_is_the_table_and_nothing_else, test_partial_sums_approach_the_waves
colour: pitch; x: onset             test_pitch_and_onset_of_every_object_can_be_measured
size: loudness; x: panning          test_ten_decibels_between_sizes_and_equal_power_of_all_shapes, test_panning_…
never above 1; a plain sum          test_four_objects_never_exceed_one, test_a_scene_is_the_sum_of_its_notes
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.teach import check_close, check_equal
from tests.toyworld.misconceptions import sounds as misconceptions
from toyworld.scenes import COLOURS, SHAPES, Object, Scene, scene_at
from toyworld.sounds import harmonics, hear, note, tone

RATE = 16_000  # Hz
PITCHES = [400, 450, 500, 550, 600, 650, 700, 750]  # Hz, in the order of COLOURS
SPECTRUM = {  # amplitude of each harmonic: the Fourier sine series of the waves, from textbooks
    "circle": {1: 1},
    "square": {k: 1 / k for k in (1, 3, 5, 7, 9, 11, 13, 15, 17, 19)},
    "triangle": {1: 1, 3: -1 / 9, 5: 1 / 25, 7: -1 / 49, 9: 1 / 81, 11: -1 / 121, 13: 1 / 169, 15: -1 / 225}
    | {17: 1 / 289, 19: -1 / 361},
    "diamond": {1: 1, 2: 1 / 2, 4: 1 / 4, 8: 1 / 8, 16: 1 / 16},
    "cross": {1: 1, 5: 1},
    "star": {k: 1 / k for k in range(1, 20)},
}


def thing(shape="circle", colour="red", size="large", x=0.5, y=0.5) -> Object:
    return Object(shape, colour, size, x, y, 0.1, (0.0, 0.0, 0.0))


def scene_of(*objects: Object) -> Scene:
    return Scene(objects, (0.9, 0.9, 0.9), 0.0)


def test_no_harmonic_at_half_the_sample_rate() -> None:
    assert harmonics("star", 500.0)[0].tolist() == [500.0 * k for k in range(1, 16)]  # the 16th is at 8000 Hz


def test_a_note_is_silent_before_its_onset_and_a_second_later() -> None:
    sound = note(thing("star", "green", x=0.5))
    assert not sound[:8001].any()  # up to 0.5 s, where all sines and the envelope are 0
    assert sound[8001:24_000].abs().max() > 0.05
    assert not sound[24_000:].any()  # from 1.5 s


def steady_part(channel: torch.Tensor, x: float) -> torch.Tensor:
    """0.9 s between attack and release, without the decay: 45 times 20 ms, so every multiple of 50 Hz is on a bin."""
    start = round((x + 0.02) * RATE)
    part = channel.double()[start : start + 14_400]
    return part * torch.exp((torch.arange(start, start + 14_400) / RATE - x) / 0.3)


def check_timbre(candidate, shape: str, k: int) -> None:
    """Fourier coefficients: on the harmonics those of the table, with their signs; elsewhere less than -80 dB."""
    x, pitch = 0.25, PITCHES[k]
    part = steady_part(candidate(scene_of(thing(shape, COLOURS[k], x=x)))[0], x)
    hertz = torch.arange(7201) / 0.9
    since_onset = (round((x + 0.02) * RATE) / RATE) - x
    rotation = torch.exp(-2j * math.pi * hertz.double() * since_onset)  # to phase 0 at the note's onset
    sines = -(torch.fft.rfft(part) * rotation).imag / (14_400 / 2)
    cosines = (torch.fft.rfft(part) * rotation).real / (14_400 / 2)
    expected = {n: a for n, a in SPECTRUM[shape].items() if n * pitch < RATE / 2}
    bins = [round(n * pitch * 0.9) for n in expected]
    for n, got, a in zip(expected, (sines[bins] / sines[bins[0]]).tolist(), expected.values(), strict=True):
        close = pytest.approx(a, rel=1e-5, abs=1e-6)  # float32 sound
        assert got == close, f"{shape}: harmonic {n} has the amplitude {got:.5f}, expected {a:.5f}"
    rest = torch.hypot(sines, cosines) / sines[bins].abs().max()
    rest[bins] = cosines[bins].abs() / sines[bins].abs().max()
    where = rest.argmax().item()
    assert rest[where] < 1e-4, f"{shape} at {pitch} Hz: {rest[where]:.1e} of the strongest at {hertz[where]:.0f} Hz"


def check_power(candidate) -> None:
    """A large object is 10 dB above a small one; the power depends neither on the shape nor on the place."""

    def energy(**o) -> float:
        return candidate(scene_of(thing(**o))).double().square().sum().item()

    reference = energy(x=0.5)
    decibels = 10 * math.log10(reference / energy(size="small"))
    assert decibels == pytest.approx(10, abs=1e-4), f"large is {decibels:.2f} dB above small, not 10 dB"
    for shape in SHAPES:  # within 0.05 dB, since the envelope mixes the harmonics a little
        assert energy(shape=shape, x=0.5) == pytest.approx(reference, rel=0.01), f"the energy of a {shape}"
    for x in (0.1, 0.3, 0.7, 0.9):
        assert energy(x=x) == pytest.approx(reference, rel=1e-4), f"the energy at x = {x}"


def check_panning(candidate, x: float) -> None:
    left, right = candidate(scene_of(thing("star", "blue", x=x))).double().square().sum(1).sqrt().tolist()
    got = math.atan2(right, left) * 2 / math.pi
    assert got == pytest.approx(x, abs=1e-6), f"gains cos(πx/2), sin(πx/2) give x = {got:.4f}, expected {x}"


def measured_onsets(sound: torch.Tensor) -> list[tuple[str, float]]:
    r"""(colour, onset in seconds) of every note, in the order of colours.

    The spectrum of a Hann window of 80 ms is zero at all multiples of 50 Hz except 0, so each pitch has its own bin. A
    note that goes on is multiplied by :math:`e^{-0.08/0.3}` from one window to the next. Any other change is a new
    note.
    """
    window, hop = 1280, 64  # samples: 80 ms, 4 ms
    padded = torch.nn.functional.pad(sound.double(), (2 * window, 0)).unfold(1, window, hop)  # (2, frames, window)
    spectrum = torch.fft.rfft(padded * torch.hann_window(window, dtype=torch.float64)) * 2 / (window / 2)
    level = spectrum[:, :, [round(p * 0.08) for p in PITCHES]]  # (2, frames, 8)
    steps = window // hop  # 80 ms hold whole periods of all pitches, so the phase stays the same
    new = (level[:, steps:] - level[:, :-steps] * math.exp(-0.08 / 0.3)).abs().square().sum(0).sqrt().T  # (8, frames)
    onsets = []
    for colour, strength in zip(COLOURS, new.clone(), strict=True):
        while strength.max() > 0.1 / 6:  # a small note has 0.22 / 6, the end of a large one 0.04 / 6
            peak = strength.argmax().item()
            onsets.append((colour, (peak - steps) * hop / RATE))
            strength[max(0, peak - steps) : peak + steps] = 0
    return sorted(onsets, key=lambda event: (COLOURS.index(event[0]), event[1]))


def check_onsets(candidate, scene: Scene) -> None:
    true = sorted(((o.colour, o.x) for o in scene.objects), key=lambda event: (COLOURS.index(event[0]), event[1]))
    got = measured_onsets(candidate(scene))
    assert [colour for colour, _ in got] == [colour for colour, _ in true], f"notes {got}, expected {true}"
    for (colour, onset), (_, x) in zip(got, true, strict=True):
        assert abs(onset - x) < 0.02, f"the {colour} object is at x = {x:.3f}, but its note begins at {onset:.3f} s"


def too_close(scene: Scene) -> bool:
    """Whether two notes of one pitch begin within two windows (160 ms); ``measured_onsets`` finds only one then."""
    return any(
        a.colour == b.colour and abs(a.x - b.x) < 0.16 for k, a in enumerate(scene.objects) for b in scene.objects[:k]
    )


def test_pitch_and_onset_of_every_object_can_be_measured() -> None:
    scenes = [scene_at("train", 0, index) for index in range(30)]
    apart = [scene for scene in scenes if not too_close(scene)]
    assert len(apart) > 20, "about 8% of all scenes have two notes that are too close to measure"
    for scene in apart:
        check_onsets(hear, scene)


@pytest.mark.parametrize("k", range(8), ids=COLOURS)
@pytest.mark.parametrize("shape", SHAPES)
def test_timbre_is_the_table_and_nothing_else(shape: str, k: int) -> None:
    check_timbre(hear, shape, k)


@pytest.mark.parametrize("shape", ["square", "triangle", "star"])
def test_partial_sums_approach_the_waves(shape: str) -> None:
    """All have the power 1/2 of a sine: a square wave of ±√(1/2), a triangle wave and a sawtooth of ±√(3/2)."""
    share = (torch.arange(400, dtype=torch.float64) + 0.5) / 400  # parts of a period
    wave = {
        "square": torch.where(share < 0.5, 1.0, -1.0) * math.sqrt(1 / 2),
        "triangle": (1 - 4 * (torch.remainder(share + 0.25, 1) - 0.5).abs()) * math.sqrt(3 / 2),
        "star": (1 - 2 * share) * math.sqrt(3 / 2),
    }[shape]
    errors = []
    for pitch in (16.0, 4.0):  # 499 and 1999 harmonics: the mean error is about proportional to 1 / their number
        errors.append((tone(shape, pitch, share / pitch) - wave).abs().mean().item())
    assert errors[0] < 0.02
    assert errors[1] < errors[0] / 2.5  # not 4: it falls more slowly near a jump


@given(pitch=st.floats(100, 7999), shape=st.sampled_from(SHAPES))
def test_harmonics_stay_below_half_the_rate_and_have_unit_power(pitch: float, shape: str) -> None:
    frequencies, amplitudes = harmonics(shape, pitch)
    assert frequencies[0] == pitch
    assert frequencies.max() < RATE / 2
    assert amplitudes.square().sum().item() == pytest.approx(1)
    expected = sum(n * pitch < RATE / 2 for n in range(1, 80) if shape == "star" or (shape == "square" and n % 2))
    assert shape not in ("star", "square") or len(frequencies) == expected


@pytest.mark.parametrize("pitch", [0.0, -1.0, 8000.0])
def test_a_pitch_out_of_range_is_refused(pitch: float) -> None:
    with pytest.raises(ValueError, match=f"below 8000 Hz, got {pitch}"):
        harmonics("circle", pitch)


def test_ten_decibels_between_sizes_and_equal_power_of_all_shapes() -> None:
    check_power(hear)


@given(x=st.integers(0, 20).map(lambda n: n / 20))
def test_panning_gives_x_back(x: float) -> None:
    check_panning(hear, x)


LIKELY = st.integers(0, 4).map(lambda n: n / 4)
THINGS = st.builds(
    thing, st.sampled_from(SHAPES), st.sampled_from(COLOURS), st.sampled_from(["large", "small"]), LIKELY
)


@given(objects=st.lists(THINGS, min_size=4, max_size=4))
def test_four_objects_never_exceed_one(objects: list[Object]) -> None:
    sound = hear(scene_of(*objects))
    assert sound.shape == (2, 32_000)
    assert sound.dtype == torch.float32
    assert sound.abs().max() <= 1


@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_worst_scene_does_not_exceed_one(shape: str, colour: str) -> None:
    """Four equal large notes in one channel. Without ``CREST`` the cross would exceed 1."""
    assert 0.5 < hear(scene_of(*[thing(shape, colour, x=0.0)] * 4)).abs().max() <= 1


@given(objects=st.lists(THINGS, min_size=1, max_size=4))
def test_a_scene_is_the_sum_of_its_notes(objects: list[Object]) -> None:
    alone = [math.pi / 2 * o.x for o in objects]
    gains = torch.tensor([[math.cos(angle) for angle in alone], [math.sin(angle) for angle in alone]])
    check_close(
        "the sum of the notes, cos(πx/2) left and sin(πx/2) right",
        hear(scene_of(*objects)),
        gains @ torch.stack([note(o) for o in objects]),
        0,
        1e-6,
    )


def test_height_radius_and_exact_colour_do_not_change_the_sound() -> None:
    a, b = thing(), Object("circle", "red", "large", 0.5, 0.9, 0.2, (1.0, 1.0, 1.0))
    check_equal("the sound of another height, radius and exact colour", hear(scene_of(a)), hear(scene_of(b)))


@pytest.mark.parametrize("wrong", misconceptions.ALL, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    def folder_tests() -> None:
        for shape in SHAPES:
            check_timbre(wrong, shape, 1)
        check_power(wrong)
        check_panning(wrong, 0.25)
        check_onsets(wrong, scene_at("train", 0, 0, count=2))

    with pytest.raises(AssertionError):
        folder_tests()
