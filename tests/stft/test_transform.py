"""Equation → function → test

f_tm = x_{tH+m}                     frame            test_frames_by_hand
y_s = Σ_t f_{t,s−tH}                overlap_add      test_overlap_add_is_the_transpose_of_frame
Σ_m w_m x_{tH+m} W^km               stft             test_equals_the_spec, test_stft_equals_torch
Σ w f / Σ w²  (eq. 6)               istft            test_istft_equals_torch, test_round_trip, test_least_squares
"""

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import signal
from torch.testing import assert_close

from stft import transform
from stft.transform import (
    frame,
    in_chunks,
    is_cola,
    is_nola,
    istft,
    overlap_add,
    overlapped,
    spectrogram,
    stft,
    stft_spec,
)
from stft.windows import WINDOWS, blackman, hamming, hann
from tests.stft.checks import BATCHES, EXACT, check_same, normal
from tests.stft.misconceptions import transform as misconceptions
from tests.strategies import unequal_sizes, whole_tensors

METHODS = ("matrix", "fft", "torch")
SIZES = st.one_of(st.integers(1, 24), st.sampled_from([31, 67, 72, 100, 130]))


@st.composite
def analyses(draw) -> dict:
    """Drawn arguments of ``stft`` that are also torch's: odd, prime and even sizes, short windows, any hop up to n."""
    n_fft = draw(SIZES, label="n_fft")
    win_length = draw(st.integers(1, n_fft), label="win_length")
    return {
        "n_fft": n_fft,
        "hop_length": draw(st.integers(1, n_fft), label="hop_length"),
        "win_length": win_length,
        "window": draw(st.sampled_from(["hamming", "rectangular", "hann", "blackman"]), label="window"),
        "center": draw(st.booleans(), label="center"),
        "normalized": draw(st.sampled_from([False, "frame_length"]), label="normalized"),
        "onesided": draw(st.booleans(), label="onesided"),
    }


def with_window(options: dict) -> dict:
    return {**options, "window": WINDOWS[options["window"]](options["win_length"])}


def as_torch(options: dict) -> dict:
    return {**options, "normalized": options["normalized"] == "frame_length"}


def torch_stft(x, **options):
    """torch.stft takes one batch dimension only."""
    spectrum = torch.stft(x.reshape(-1, x.shape[-1]), **as_torch(options), return_complex=True)
    return spectrum.reshape(*x.shape[:-1], *spectrum.shape[1:])


def check_stft(candidate, options: dict, pad_mode: str, batch=(2,), samples: int = 150) -> None:
    """Forward, and the gradients of the sound and of the window. The reference is torch.stft."""
    options = dict(options)
    window = options.pop("window")
    check_same(
        lambda x, w: candidate(x, window=w, pad_mode=pad_mode, **options),
        lambda x, w: torch_stft(x, window=w, pad_mode=pad_mode, **options),
        [normal(*batch, samples), window],
    )


def check_istft(candidate, options: dict, count: int = 9) -> None:
    """On spectra that are no sound's. The reference is torch.istft, also in what cannot be inverted."""
    bins = options["n_fft"] // 2 + 1 if options["onesided"] else options["n_fft"]
    spectrum = normal(2, bins, count, dtype=torch.complex128)
    if options["center"] and options["n_fft"] == 1:
        return  # torch.istft cuts off everything where there is nothing to cut off
    try:
        torch.istft(spectrum, **as_torch(options))
    except RuntimeError:
        with pytest.raises(ValueError, match=r"sample \d+ cannot be known|length must be from 1"):
            candidate(spectrum, **options)
        return
    check_same(
        lambda x: candidate(x, **options), lambda x: torch.istft(x, **as_torch(options)), [spectrum]
    )  # fmt: skip


FIXED = {"n_fft": 12, "hop_length": 3, "win_length": 9, "window": hamming(9), "center": True, "normalized": False}


def test_frames_by_hand() -> None:
    x = torch.arange(8.0)
    assert frame(x, 4, 3).tolist() == [[0, 1, 2, 3], [3, 4, 5, 6]], "sample 7 fills no frame"
    assert frame(x, 8, 5).tolist() == [x.tolist()]
    assert frame(x, 2, 4).tolist() == [[0, 1], [4, 5]]


def test_a_frame_is_a_view() -> None:
    x = torch.zeros(100)
    assert frame(x, 10, 1).untyped_storage().data_ptr() == x.untyped_storage().data_ptr()


def test_overlap_add_by_hand() -> None:
    frames = torch.tensor([[1.0, 2, 3], [10, 20, 30]])
    assert overlap_add(frames, 1).tolist() == [1, 12, 23, 30]
    assert overlap_add(frames, 2).tolist() == [1, 2, 13, 20, 30]
    assert overlap_add(frames, 4).tolist() == [1, 2, 3, 0, 10, 20, 30]


@given(sizes=unequal_sizes(3), batch=BATCHES)
def test_overlap_add_is_the_transpose_of_frame(sizes, batch) -> None:
    """⟨frame(x), f⟩ = ⟨x, overlap_add(f)⟩; so each is the other's gradient."""
    n, hop, count = sizes
    x, f = normal(*batch, (count - 1) * hop + n), normal(*batch, count, n, seed=1)
    assert_close((frame(x, n, hop) * f).sum(), (x * overlap_add(f, hop)).sum(), **EXACT)
    check_same(lambda f: overlap_add(f, hop), lambda f: scattered(f, hop), [f])


def scattered(frames, hop: int):
    count = frames.shape[-2]
    columns = [torch.nn.functional.pad(frames[..., t, :], (t * hop, (count - 1 - t) * hop)) for t in range(count)]
    return torch.stack(columns).sum(0)


@given(n=st.integers(1, 8), hop=st.integers(1, 8), data=st.data())
def test_equals_the_spec(n: int, hop: int, data) -> None:
    x, window = data.draw(whole_tensors(12), label="x"), data.draw(whole_tensors(n), label="window")
    expected = stft_spec(x, window, hop)
    for method in METHODS:
        got = stft(x, n, hop, window=window, center=False, method=method)
        assert_close(got, expected, **EXACT)


@pytest.mark.parametrize("method", METHODS)
@given(options=analyses(), pad_mode=st.sampled_from(["reflect", "constant", "replicate"]), batch=BATCHES)
def test_stft_equals_torch(method: str, options, pad_mode: str, batch) -> None:
    def ours(x, **rest):
        return stft(x, method=method, **rest)

    check_stft(ours, with_window(options), pad_mode, batch)


@pytest.mark.parametrize("method", METHODS)
@given(options=analyses())
def test_istft_equals_torch(method: str, options) -> None:
    def ours(spectrum, **rest):
        return istft(spectrum, method=method, **rest)

    check_istft(ours, with_window(options))


@given(
    options=analyses(), pad_mode=st.sampled_from(["reflect", "constant", "replicate"]), batch=BATCHES, data=st.data()
)
def test_round_trip(options, pad_mode: str, batch, data) -> None:
    """``istft(stft(x), length=len(x)) = x`` wherever some window is not zero, and a clear error elsewhere."""
    samples = data.draw(st.integers(140, 170), label="samples")
    x, options = normal(*batch, samples), with_window(options)
    spectrum = stft(x, pad_mode=pad_mode, **options)
    n, hop = options["n_fft"], options["hop_length"]
    start = n // 2 if options["center"] else 0
    reached = (spectrum.shape[-1] - 1) * hop + n - start
    left = (n - options["win_length"]) // 2
    squares = torch.zeros(reached + start)
    for t in range(spectrum.shape[-1]):
        squares[t * hop + left : t * hop + left + options["win_length"]] += options["window"] ** 2
    if reached < samples:
        with pytest.raises(ValueError, match=f"length must be from 1 to the {reached} samples"):
            istft(spectrum, length=samples, **options)
    elif (squares[start : start + samples] < 1e-11).any():
        at = int((squares[start : start + samples] < 1e-11).nonzero()[0])
        with pytest.raises(ValueError, match=f"sample {at} cannot be known"):
            istft(spectrum, length=samples, **options)
    else:
        assume(squares[start : start + samples].min() > 1e-4)  # rounding is divided by it
        assert_close(istft(spectrum, length=samples, **options), x, **EXACT)


@given(hop=st.integers(1, 6))
def test_least_squares(hop: int) -> None:
    """Of all sounds, the one whose STFT is nearest: no step away from it comes nearer, whatever the spectra are."""
    window = hamming(6)
    goal = normal(4, 5, dtype=torch.complex128)
    best = istft(goal, 6, hop, window=window, center=False).requires_grad_()
    sides = torch.tensor([1.0, 2, 2, 1])[:, None]  # a one-sided bin stands for two, but for the ends
    goal = goal.clone()
    goal[0], goal[-1] = goal[0].real.to(goal), goal[-1].real.to(goal)  # what no sound can have is out of reach
    distance = (sides * (stft(best, 6, hop, window=window, center=False) - goal).abs().square()).sum()
    (slope,) = torch.autograd.grad(distance, best)
    assert_close(slope, torch.zeros_like(slope), atol=1e-9, rtol=0)


@pytest.mark.parametrize(("n_fft", "hop"), [(1, 1), (3, 1), (4, 1), (7, 1), (10, 2), (400, 100)])
def test_the_hop_is_a_quarter_of_a_frame(n_fft: int, hop: int) -> None:
    assert_close(stft(normal(500), n_fft), stft(normal(500), n_fft, hop), **EXACT)


def test_a_finite_spectrum_whose_sum_is_not() -> None:
    """Each number is finite, and so is the sound, where samples cancel; only adding all of them up goes too far."""
    spectrum = torch.full((3, 9), 1.2e308, dtype=torch.complex128)
    assert not spectrum.sum().isfinite()
    assert istft(spectrum / 8, 4, 2, window=torch.ones(4)).isfinite().all()
    assert istft(torch.full((3, 99), 1e307, dtype=torch.complex128), 4, 2, window=torch.ones(4)).isfinite().all()


def test_cola_is_relative_to_the_height() -> None:
    assert is_cola(1e-9 * hann(16), 4)
    assert not is_cola(1e-9 * hann(16), 7)


@pytest.mark.parametrize("method", METHODS)
def test_float32(method: str) -> None:
    x = normal(3, 2000, dtype=torch.float32)
    got = stft(x, 400, 160, method=method)
    expected = torch.stft(x.double(), 400, 160, window=hann(400), return_complex=True)
    assert got.dtype == torch.complex64
    assert (got - expected).abs().max() <= 1e-5 * expected.abs().max()
    back = istft(got, 400, 160, length=2000, method=method)
    assert back.dtype == torch.float32
    assert (back - x).abs().max() <= 1e-5 * x.abs().max()


@given(count=st.integers(1, 5), clips=st.integers(1, 4), n=st.integers(1, 5), chunk=st.integers(1, 60))
def test_chunks_change_nothing(count: int, clips: int, n: int, chunk: int) -> None:
    frames = normal(clips, count + n - 1).unfold(-1, n, 1)
    seen = []

    def compute(piece):
        seen.append(piece.shape[0] * piece.shape[1])
        return piece.cumsum(-1) ** 2

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transform, "CHUNK", chunk)
        assert torch.equal(in_chunks(frames, compute), compute(frames))
        assert max(seen[:-1]) <= max(1, chunk // n), "more at once than a chunk"
        check_same(lambda f: in_chunks(f, lambda piece: piece**3), lambda f: f**3, [frames])


def test_chunks_are_used(monkeypatch) -> None:
    x = normal(3, 900)
    expected = spectrogram(x, n_fft=64, hop_length=16)
    calls = []
    real = torch.fft.rfft
    monkeypatch.setitem(transform.FORWARD, "torch", lambda frames: calls.append(1) or real(frames))
    monkeypatch.setattr(transform, "CHUNK", 64 * 7)
    assert_close(spectrogram(x, n_fft=64, hop_length=16), expected, **EXACT)
    assert len(calls) == 3 * math.ceil(expected.shape[-1] / 7)


@given(power=st.sampled_from([0.5, 1.0, 2.0, 3.0]), batch=BATCHES, onesided=st.booleans())
def test_spectrogram_is_the_magnitude_to_a_power(power: float, batch, onesided: bool) -> None:
    options = {"n_fft": 20, "hop_length": 7, "onesided": onesided}
    check_same(
        lambda x: spectrogram(x, power, **options), lambda x: stft(x, **options).abs() ** power, [normal(*batch, 90)]
    )


@given(a=st.integers(-3, 3), b=st.integers(-3, 3))
def test_linear(a: int, b: int) -> None:
    x, y = normal(90), normal(90, seed=1)
    assert_close(stft(a * x + b * y, 20), a * stft(x, 20) + b * stft(y, 20), **EXACT)


@given(hops=st.integers(0, 5))
def test_a_shift_by_hops_is_a_shift_of_frames(hops: int) -> None:
    x = normal(120)
    later = torch.cat([torch.zeros(7 * hops), x])
    assert_close(stft(later, 20, 7, center=False)[:, hops:], stft(x, 20, 7, center=False), **EXACT)


def test_parseval_in_each_frame() -> None:
    x, window = normal(90), hamming(20)
    spectrum = stft(x, 20, 7, window=window, center=False, onesided=False)
    energy = (frame(x, 20, 7) * window).square().sum(-1)
    assert_close(spectrum.abs().square().sum(0) / 20, energy, **EXACT)
    unitary = stft(x, 20, 7, window=window, center=False, onesided=False, normalized="frame_length")
    assert_close(unitary.abs().square().sum(0), energy, **EXACT)


def test_a_tone_turns_by_its_frequency_from_frame_to_frame() -> None:
    """Phase is counted from the frame's own beginning: it advances by 2πfH, f in periods a sample."""
    f, hop = 3.3 / 32, 5
    x = torch.sin(2 * math.pi * f * torch.arange(400.0))
    spectrum = stft(x, 32, hop, center=False)[3]
    advance = (spectrum[1:] / spectrum[:-1]).angle()
    expected = (2 * math.pi * f * hop + math.pi) % (2 * math.pi) - math.pi
    assert_close(advance, torch.full_like(advance, expected), rtol=0, atol=0.02)  # the mirrored lobe adds a little


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("n", [12, 15, 16])
def test_cola_and_nola_equal_scipy(name: str, n: int) -> None:
    """The references are scipy.signal.check_COLA and check_NOLA."""
    for periodic in (True, False):
        window = WINDOWS[name](n, periodic)
        for hop in range(1, n + 1):
            assert is_cola(window, hop) == signal.check_COLA(window.numpy(), n, n - hop), (hop, periodic)
            assert is_nola(window, hop) == signal.check_NOLA(window.numpy(), n, n - hop), (hop, periodic)


@pytest.mark.parametrize(
    ("window", "hop", "total"), [(hann, 8, 1.0), (hann, 4, 2.0), (hamming, 8, 1.08), (blackman, 4, 1.68)]
)
def test_partition_of_unity(window, hop: int, total: float) -> None:
    """Copies of cosines, a whole number of hops a period, cancel: a_0 n/H is what remains."""
    assert_close(overlapped(window(16), hop), torch.full((hop,), total), **EXACT)
    assert is_cola(window(16), hop)
    assert not is_cola(window(16, periodic=False), hop)


@given(n=st.integers(1, 9), hop=st.integers(1, 12), data=st.data())
def test_overlapped_is_the_middle_of_an_overlap_add(n: int, hop: int, data) -> None:
    window = data.draw(whole_tensors(n))
    copies = math.ceil(n / hop)
    total = overlap_add(torch.nn.functional.pad(window, (0, max(0, hop - n))).expand(2 * copies, -1), hop)
    assert_close(overlapped(window, hop), total[(copies - 1) * hop : copies * hop], **EXACT)


@pytest.mark.parametrize("wrong", misconceptions.FORWARD, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    def folder_tests() -> None:
        for onesided in (True, False):
            check_stft(wrong, {**FIXED, "onesided": onesided}, "reflect", samples=40)
        check_stft(wrong, {**FIXED, "normalized": "frame_length", "onesided": True}, "reflect", samples=40)

    with pytest.raises(AssertionError):
        folder_tests()


@pytest.mark.parametrize("wrong", misconceptions.INVERSE, ids=lambda function: function.__name__)
def test_misconception_about_the_inverse_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_istft(wrong, {**FIXED, "onesided": True})
