"""Equation → function → test

f_tm = x_(tH+m)                     frame              test_frames_by_hand
X[k,t] = Σ_m w_m x_(tH+m) W^km      stft               test_stft_by_hand, test_equals_the_spec, test_stft_equals_torch
y_s = Σ_t f_(t,s−tH)                overlap_add        test_overlap_add_by_hand
Σ w f / Σ w²  (eq. 6)               istft              test_istft_by_hand, test_least_squares, test_round_trip
Σ_t w_(r+tH) is constant            overlapped         test_partition_of_unity
"""

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import signal
from torch.nn.functional import pad

from stft.transform import frame, is_cola, is_nola, istft, overlap_add, overlapped, pad_ends, stft, stft_spec
from stft.windows import WINDOWS, blackman, hamming, hann
from tests.stft.checks import BATCHES, check_equal, check_same, normal
from tests.stft.misconceptions import transform as misconceptions
from tests.strategies import unequal_sizes, whole_tensors

STFT = "X[k, t] = Σ_m w_m x_(tH+m) W_n^(km)"
ISTFT = "Griffin & Lim (6): x_s = Σ_t w_(s−tH) f_(t,s−tH) / Σ_t w²_(s−tH)"
PADDINGS = st.sampled_from(["reflect", "constant", "replicate"])


@st.composite
def analyses(draw) -> dict:
    """Drawn arguments: frames of odd, even and prime length, any hop up to a frame."""
    n = draw(st.one_of(st.integers(1, 24), st.sampled_from([31, 67, 72, 100, 130])), label="n")
    return {
        "window": (draw(st.sampled_from(["hamming", "rectangular", "hann", "blackman"]), label="window"), n),
        "hop_length": draw(st.integers(1, n), label="hop_length"),
        "center": draw(st.booleans(), label="center"),
    }


def with_window(options: dict) -> dict:
    """The drawn window is a name and a length."""
    name, n = options["window"]
    return {**options, "window": WINDOWS[name](n)}


def torch_stft(x, window, **options):
    """torch.stft takes one batch dimension only."""
    flat = x.reshape(-1, x.shape[-1])
    spectrum = torch.stft(flat, len(window), window=window, return_complex=True, **options)
    return spectrum.reshape(*x.shape[:-1], *spectrum.shape[1:])


def check_stft(transform, window, hop_length: int, center: bool, pad_mode: str, batch=(2,), samples: int = 150) -> None:
    """Forward, and the gradients of the sound (input 0) and of the window (input 1). The reference is torch.stft."""
    options = {"hop_length": hop_length, "center": center, "pad_mode": pad_mode}
    check_same(
        f"{STFT}, n = {len(window)}, H = {hop_length}, center = {center}, {pad_mode}",
        lambda x, w: transform(x, w, **options),
        lambda x, w: torch_stft(x, w, **options),
        [normal(*batch, samples), window],
    )


def check_istft(transform, window, hop_length: int, center: bool, count: int = 9) -> None:
    """On spectra that no sound has. The reference is torch.istft, also where the inverse does not exist."""
    n = len(window)
    if center and n == 1:
        return  # torch.istft cuts off everything where there is no padding
    spectrum = normal(2, n // 2 + 1, count, dtype=torch.complex128)

    def reference(x):
        return torch.istft(x, n, hop_length, window=window, center=center)

    try:
        reference(spectrum)
    except RuntimeError:
        with pytest.raises(ValueError, match=r"sample \d+ cannot be known|length must be from 1"):
            transform(spectrum, window, hop_length, center)
        return
    equation = f"{ISTFT}, n = {n}, H = {hop_length}, center = {center}"
    check_same(equation, lambda x: transform(x, window, hop_length, center), reference, [spectrum])


def test_frames_by_hand() -> None:
    x = torch.arange(8.0)
    assert frame(x, 4, 3).tolist() == [[0, 1, 2, 3], [3, 4, 5, 6]], "frame t begins at tH = 3t; sample 7 fills no frame"
    assert frame(x, 8, 5).tolist() == [x.tolist()]
    assert frame(x, 2, 4).tolist() == [[0, 1], [4, 5]]
    shared = frame(x, 4, 1).untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    assert shared, "the frames must be a view: the same memory as the waveform, not a copy of it"


def test_padding_by_hand() -> None:
    x = torch.tensor([1.0, 2, 3, 4])
    assert pad_ends(x, 2, "reflect").tolist() == [3, 2, 1, 2, 3, 4, 3, 2], "the outermost sample is not repeated"
    assert pad_ends(x, 2, "constant").tolist() == [0, 0, 1, 2, 3, 4, 0, 0]
    assert pad_ends(x, 2, "replicate").tolist() == [1, 1, 1, 2, 3, 4, 4, 4]
    assert pad_ends(x, 0, "reflect").tolist() == x.tolist()


def test_stft_by_hand() -> None:
    """Hann's window for n = 4 is 0, ½, 1, ½. So the windowed frames are 0, 1, 3, 2 and 0, 2, 5, 3."""
    spectrum = stft(torch.arange(1.0, 7), hann(4), 2, center=False)
    check_equal(f"{STFT}, x = 1, …, 6, H = 2", spectrum, torch.tensor([[6, 10], [-3 + 1j, -5 + 1j], [0, 0]]))


def test_overlap_add_by_hand() -> None:
    frames = torch.tensor([[1.0, 2, 3], [10, 20, 30]])
    assert overlap_add(frames, 1).tolist() == [1, 12, 23, 30], "y_s = Σ_t f_(t,s−tH) with H = 1"
    assert overlap_add(frames, 2).tolist() == [1, 2, 13, 20, 30], "y_s = Σ_t f_(t,s−tH) with H = 2"
    assert overlap_add(frames, 4).tolist() == [1, 2, 3, 0, 10, 20, 30], "a hop longer than a frame leaves a gap"


def test_istft_by_hand() -> None:
    """Two frames, w = (1, 2), H = 1. Sample 1 is in both: (2·6 + 1·1) / (2² + 1²) = 13/5."""
    frames, window = torch.tensor([[4.0, 6], [1, 8]]), torch.tensor([1.0, 2])
    got = istft(torch.fft.rfft(frames).T, window, 1, center=False)
    check_equal(f"{ISTFT}, f = (4, 6), (1, 8)", got, torch.tensor([1 * 4 / 1, 13 / 5, 2 * 8 / 4]))


@pytest.mark.parametrize(
    ("window", "hop", "total"), [(hann, 8, 1.0), (hann, 4, 2.0), (hamming, 8, 1.08), (blackman, 4, 1.68)]
)
def test_partition_of_unity(window, hop: int, total: float) -> None:
    """The cosines of all copies cancel, if a period is a whole number of hops. What remains is a₀ n/H."""
    check_equal(f"Σ_t w_(r+tH) = a₀ n/H, n = 16, H = {hop}", overlapped(window(16), hop), torch.full((hop,), total))
    assert is_cola(window(16), hop)
    assert not is_cola(window(16, periodic=False), hop), "a symmetric window is one sample off"


@given(n=st.integers(1, 8), hop=st.integers(1, 8), data=st.data())
def test_equals_the_spec(n: int, hop: int, data) -> None:
    x, window = data.draw(whole_tensors(12), label="x"), data.draw(whole_tensors(n), label="window")
    check_equal(f"{STFT}, H = {hop}", stft(x, window, hop, center=False), stft_spec(x, window, hop))


@given(options=analyses(), pad_mode=PADDINGS, batch=BATCHES)
def test_stft_equals_torch(options, pad_mode: str, batch) -> None:
    check_stft(stft, **with_window(options), pad_mode=pad_mode, batch=batch)


@given(sizes=unequal_sizes(3), batch=BATCHES)
def test_overlap_add_is_the_transpose_of_frame(sizes, batch) -> None:
    """So each is the other's gradient."""
    n, hop, count = sizes
    x, f = normal(*batch, (count - 1) * hop + n), normal(*batch, count, n, seed=1)
    check_equal("⟨frame(x), f⟩ = ⟨x, overlap_add(f)⟩", (frame(x, n, hop) * f).sum(), (x * overlap_add(f, hop)).sum())
    check_same("y_s = Σ_t f_(t,s−tH)", lambda f: overlap_add(f, hop), lambda f: scattered(f, hop), [f])


def scattered(frames, hop: int):
    count = frames.shape[-2]
    return sum(pad(frames[..., t, :], (t * hop, (count - 1 - t) * hop)) for t in range(count))


@given(options=analyses())
def test_istft_equals_torch(options) -> None:
    check_istft(istft, **with_window(options))


@given(hop=st.integers(1, 6))
def test_least_squares(hop: int) -> None:
    """The distance from the given spectra has slope 0 at the inverse, also for spectra that no sound has."""
    window = hamming(6)
    goal = normal(4, 5, dtype=torch.complex128)
    best = istft(goal, window, hop, center=False).requires_grad_()
    sides = torch.tensor([1.0, 2, 2, 1])[:, None]  # a one-sided bin represents two, except the first and the last
    goal = goal.clone()
    goal[0], goal[-1] = goal[0].real.to(goal), goal[-1].real.to(goal)  # no sound has the imaginary parts
    distance = (sides * (stft(best, window, hop, center=False) - goal).abs().square()).sum()
    (slope,) = torch.autograd.grad(distance, best)
    check_equal(f"the gradient of |stft(x) − X|² at x = istft(X), H = {hop}", slope, torch.zeros_like(slope), atol=1e-9)


@given(options=analyses(), pad_mode=PADDINGS, batch=BATCHES, samples=st.integers(140, 170))
def test_round_trip(options, pad_mode: str, batch, samples: int) -> None:
    """``istft(stft(x), length=len(x)) = x`` wherever some window is not zero, and a clear error elsewhere."""
    options = with_window(options)
    x, window, hop = normal(*batch, samples), options["window"], options["hop_length"]
    spectrum = stft(x, pad_mode=pad_mode, **options)
    n, frames = len(window), spectrum.shape[-1]
    start = n // 2 if options["center"] else 0
    squares = torch.zeros((frames - 1) * hop + n)
    for t in range(frames):
        squares[t * hop : t * hop + n] += window**2
    squares = squares[start:]
    if len(squares) < samples:
        with pytest.raises(ValueError, match=f"length must be from 1 to the {len(squares)} samples"):
            istft(spectrum, length=samples, **options)
    elif (squares[:samples] < 1e-11).any():
        at = int((squares[:samples] < 1e-11).nonzero()[0])
        with pytest.raises(ValueError, match=f"sample {at} cannot be known"):
            istft(spectrum, length=samples, **options)
    else:
        assume(squares[:samples].min() > 1e-4)  # the rounding error is divided by it
        check_equal("istft(stft(x)) = x", istft(spectrum, length=samples, **options), x)


@given(a=st.integers(-3, 3), b=st.integers(-3, 3))
def test_linear(a: int, b: int) -> None:
    (x, y), w = (normal(90, seed=seed) for seed in (0, 1)), hann(20)
    check_equal(
        "stft(ax + by) = a stft(x) + b stft(y)", stft(a * x + b * y, w, 5), a * stft(x, w, 5) + b * stft(y, w, 5)
    )


@given(hops=st.integers(0, 5))
def test_a_shift_by_hops_is_a_shift_of_frames(hops: int) -> None:
    x, w = normal(120), hann(20)
    later = stft(torch.cat([torch.zeros(7 * hops), x]), w, 7, center=False)
    check_equal(f"x delayed by {hops} hops: X[k, t − {hops}]", later[:, hops:], stft(x, w, 7, center=False))


def test_parseval_in_each_frame() -> None:
    x, window = normal(90), hamming(21)
    spectrum = stft(x, window, 7, center=False).abs().square()
    both_sides = (spectrum[0] + 2 * spectrum[1:].sum(0)) / 21
    check_equal("1/n Σ_k |X[k, t]|² = Σ_m |w_m x_(tH+m)|²", both_sides, (frame(x, 21, 7) * window).square().sum(-1))


def test_a_tone_turns_by_its_frequency_from_frame_to_frame() -> None:
    """The phase counts from the frame's first sample. So it advances by 2πfH, f in periods per sample."""
    f, hop = 3.3 / 32, 5
    x = torch.sin(2 * math.pi * f * torch.arange(400.0))
    spectrum = stft(x, hann(32), hop, center=False)[3]
    advance = (spectrum[1:] / spectrum[:-1]).angle()
    expected = torch.full_like(advance, (2 * math.pi * f * hop + math.pi) % (2 * math.pi) - math.pi)
    check_equal("∠X[k, t+1] − ∠X[k, t] = 2πfH", advance, expected, atol=0.02)  # the tone's mirror image adds a little


@pytest.mark.parametrize("name", WINDOWS)
@pytest.mark.parametrize("n", [12, 15, 16])
def test_cola_and_nola_equal_scipy(name: str, n: int) -> None:
    """The references are scipy.signal.check_COLA and check_NOLA."""
    for periodic in (True, False):
        window = WINDOWS[name](n, periodic)
        for hop in range(1, n + 1):
            assert is_cola(window, hop) == signal.check_COLA(window.numpy(), n, n - hop), (hop, periodic)
            assert is_nola(window, hop) == signal.check_NOLA(window.numpy(), n, n - hop), (hop, periodic)


def test_cola_is_relative_to_the_height() -> None:
    assert is_cola(1e-9 * hann(16), 4)
    assert not is_cola(1e-9 * hann(16), 7)
    assert is_cola(-hann(16), 4), "the constant may be negative"


def test_nola_adds_squares() -> None:
    """Copies of the window 1, −1 cancel each other. Their squares do not, so every sample can be known."""
    window = torch.tensor([1.0, -1])
    assert overlapped(window, 1).tolist() == [0]
    assert is_nola(window, 1), "Σ_t w²_(r+tH) = 2 for w = 1, −1 and H = 1"


@given(n=st.integers(1, 9), hop=st.integers(1, 12), data=st.data())
def test_overlapped_is_the_middle_of_an_overlap_add(n: int, hop: int, data) -> None:
    window = data.draw(whole_tensors(n))
    copies = math.ceil(n / hop)
    total = overlap_add(pad(window, (0, max(0, hop - n))).expand(2 * copies, -1), hop)
    check_equal("Σ_t w_(r+tH)", overlapped(window, hop), total[(copies - 1) * hop : copies * hop])


@pytest.mark.parametrize("wrong", misconceptions.FORWARD, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_stft(wrong, hamming(12), 3, True, "reflect", samples=40)


@pytest.mark.parametrize("wrong", misconceptions.INVERSE, ids=lambda function: function.__name__)
def test_misconception_about_the_inverse_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_istft(wrong, hamming(12), 3, True)
