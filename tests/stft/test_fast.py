"""The fast form equals the plain form of ``transform.py``, and torch, for all options: values and gradients.

What is computed            → function                  → test
Σ_m w_m x_(tH+m) W^km       fast.stft                   test_stft_equals_the_plain_form, test_stft_equals_torch
Σ w f / Σ w²  (eq. 6)       fast.istft                  test_istft_equals_the_plain_form, test_istft_equals_torch
Σ_t f_(t,s−tH)              fast.overlap_add            test_overlap_add_equals_the_plain_form
|X|^p                       fast.spectrogram            test_spectrogram_is_the_magnitude_to_a_power
Σ_k B_kj |X[k, t]|^p        fast.mel_spectrogram        test_mel_spectrogram_equals_the_plain_form
"""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stft import fourier, transform
from stft.extensions import fast
from stft.extensions.fast import in_chunks, istft, mel_spectrogram, mfcc, spectrogram, stft
from stft.mel import decibels, mel_bands, mel_cepstrum, mel_filter_bank
from stft.units import magnitude_to_power
from stft.windows import hamming, hann
from tests.stft.checks import BATCHES, check_equal, check_same, normal
from tests.stft.misconceptions import fast as misconceptions
from tests.stft.test_transform import ISTFT, PADDINGS, STFT, with_window
from tests.strategies import unequal_sizes

METHODS = ("matrix", "fft", "torch")
CHUNKS = st.sampled_from([1, 100, 2**19])  # one frame at a time, a few, all


@st.composite
def analyses(draw) -> dict:
    """Drawn options: odd, prime and even sizes, short windows, any hop up to n."""
    n_fft = draw(st.one_of(st.integers(1, 24), st.sampled_from([31, 67, 72, 100, 130])), label="n_fft")
    win_length = draw(st.integers(1, n_fft), label="win_length")
    return {
        "n_fft": n_fft,
        "hop_length": draw(st.integers(1, n_fft), label="hop_length"),
        "win_length": win_length,
        "window": (draw(st.sampled_from(["hamming", "rectangular", "hann", "blackman"]), label="window"), win_length),
        "center": draw(st.booleans(), label="center"),
        "normalized": draw(st.sampled_from([False, "frame_length", "window"]), label="normalized"),
        "onesided": draw(st.booleans(), label="onesided"),
    }


FIXED = {
    "n_fft": 12, "hop_length": 3, "win_length": 9, "window": hamming(9), "center": True, "normalized": False,
    "onesided": True,
}  # fmt: skip


def frame_window(window, n_fft: int, normalized) -> tuple[torch.Tensor, torch.Tensor | float]:
    """The window in the middle of the frame, and the number that a normalised spectrum is divided by."""
    left = (n_fft - len(window)) // 2
    centred = torch.cat([torch.zeros(left), window, torch.zeros(n_fft - len(window) - left)])
    return centred, {False: 1.0, "frame_length": math.sqrt(n_fft), "window": window.norm()}[normalized]


def plain_stft(x, n_fft, hop_length, win_length, window, center, normalized, onesided, pad_mode):
    centred, divisor = frame_window(window, n_fft, normalized)
    spectrum = transform.stft(x, centred, hop_length, center, pad_mode) / divisor
    return spectrum if onesided else fourier.mirrored(spectrum.transpose(-1, -2), n_fft).transpose(-1, -2)


def plain_istft(spectrum, n_fft, hop_length, win_length, window, center, normalized, onesided, length=None):
    centred, divisor = frame_window(window, n_fft, normalized)
    return transform.istft(spectrum[..., : n_fft // 2 + 1, :] * divisor, centred, hop_length, center, length)


def check_stft(candidate, reference, options: dict, pad_mode: str, batch=(2,), samples: int = 150) -> None:
    """Forward, and the gradients of the sound (input 0) and of the window (input 1)."""
    options = {**options, "pad_mode": pad_mode}
    window = options.pop("window")
    check_same(
        f"{STFT}, {options}",
        lambda x, w: candidate(x, window=w, **options),
        lambda x, w: reference(x, window=w, **options),
        [normal(*batch, samples), window],
    )


def check_istft(candidate, reference, options: dict, batch=(2,), count: int = 9) -> None:
    """On spectra that no sound has. Where the reference refuses, so does the candidate."""
    bins = options["n_fft"] // 2 + 1 if options["onesided"] else options["n_fft"]
    spectrum = normal(*batch, bins, count, dtype=torch.complex128)
    try:
        reference(spectrum, **options)
    except (ValueError, RuntimeError):
        with pytest.raises(ValueError, match=r"sample \d+ cannot be known|length must be from 1"):
            candidate(spectrum, **options)
        return
    check_same(ISTFT, lambda x: candidate(x, **options), lambda x: reference(x, **options), [spectrum])


def with_method(transform, method: str):
    return lambda x, **options: transform(x, method=method, **options)


@given(method=st.sampled_from(METHODS), options=analyses(), pad_mode=PADDINGS, batch=BATCHES, chunk=CHUNKS)
def test_stft_equals_the_plain_form(method: str, options, pad_mode: str, batch, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "CHUNK", chunk)
        check_stft(with_method(stft, method), plain_stft, with_window(options), pad_mode, batch)


@given(sizes=unequal_sizes(3), batch=BATCHES)
def test_overlap_add_equals_the_plain_form(sizes, batch) -> None:
    """Also where the hop is longer than a frame."""
    n, hop, count = sizes
    ours, plain = (lambda f: fast.overlap_add(f, hop)), (lambda f: transform.overlap_add(f, hop))
    check_same(f"y_s = Σ_t f_(t,s−tH), n = {n}, H = {hop}", ours, plain, [normal(*batch, count, n)])


@given(method=st.sampled_from(METHODS), options=analyses(), batch=BATCHES, chunk=CHUNKS)
def test_istft_equals_the_plain_form(method: str, options, batch, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "CHUNK", chunk)
        check_istft(with_method(istft, method), plain_istft, with_window(options), batch)


def torch_options(options: dict) -> dict:
    """torch's True is our "frame_length"."""
    return {**options, "normalized": options["normalized"] == "frame_length"}


def torch_stft(x, **options):
    """torch.stft takes one batch dimension only."""
    spectrum = torch.stft(x.reshape(-1, x.shape[-1]), **torch_options(options), return_complex=True)
    return spectrum.reshape(*x.shape[:-1], *spectrum.shape[1:])


def torch_istft(spectrum, **options):
    return torch.istft(spectrum, **torch_options(options))


@given(options=analyses(), pad_mode=PADDINGS, batch=BATCHES)
def test_stft_equals_torch(options, pad_mode: str, batch) -> None:
    """The reference is torch.stft."""
    if options["normalized"] != "window":
        check_stft(stft, torch_stft, with_window(options), pad_mode, batch)


@given(options=analyses())
def test_istft_equals_torch(options) -> None:
    """The reference is torch.istft, which cuts off everything where n_fft is 1 and there is no padding."""
    if options["normalized"] != "window" and not (options["center"] and options["n_fft"] == 1):
        check_istft(istft, torch_istft, with_window(options))


@given(
    power=st.sampled_from([0.5, 1.0, 2.0, 3.0]),
    batch=st.sampled_from([(), (2, 3)]),
    center=st.booleans(),
    normalized=st.sampled_from([False, "window", "frame_length"]),
    chunk=CHUNKS,
)
def test_mel_spectrogram_equals_the_plain_form(power: float, batch, center: bool, normalized, chunk: int) -> None:
    options = {"hop_length": 7, "center": center, "normalized": normalized, "pad_mode": "constant"}

    def plain(x):
        w, divisor = frame_window(hann(20), 20, normalized)
        spectrum = transform.stft(x, w, 7, center, "constant") / divisor
        return mel_bands(magnitude_to_power(spectrum, power), mel_filter_bank(20, 8000, 5))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "CHUNK", chunk)
        check_same(
            f"Σ_k B_kj |X[k, t]|^{power}",
            lambda x: mel_spectrogram(x, 8000, 20, n_mels=5, power=power, **options),
            plain,
            [normal(*batch, 90)],
        )


def test_mfcc_equals_the_plain_form() -> None:
    x = normal(900)
    power = mel_bands(magnitude_to_power(transform.stft(x, hann(64), 32)), mel_filter_bank(64, 8000, 12))
    expected = mel_cepstrum(decibels(power, top_db=80.0), 5)
    check_equal("Σ_j D_jq L_jt", mfcc(x, 8000, 5, n_fft=64, n_mels=12), expected)


@given(power=st.sampled_from([0.5, 1.0, 2.0, 3.0]), batch=BATCHES, onesided=st.booleans())
def test_spectrogram_is_the_magnitude_to_a_power(power: float, batch, onesided: bool) -> None:
    options = {"n_fft": 20, "hop_length": 7, "onesided": onesided}
    check_same(
        f"|X[k, t]|^{power}",
        lambda x: spectrogram(x, power, **options),
        lambda x: stft(x, **options).abs() ** power,
        [normal(*batch, 90)],
    )


@pytest.mark.parametrize(("n_fft", "hop"), [(1, 1), (3, 1), (4, 1), (7, 1), (10, 2), (400, 100)])
def test_the_hop_is_a_quarter_of_a_frame(n_fft: int, hop: int) -> None:
    check_equal("H = ⌊n/4⌋, at least 1", stft(normal(500), n_fft), stft(normal(500), n_fft, hop))


def test_a_finite_spectrum_whose_sum_is_not() -> None:
    """The sum of large finite numbers overflows, but every number is finite, and so is the sound."""
    spectrum = torch.full((3, 9), 1.2e308, dtype=torch.complex128)
    assert not spectrum.sum().isfinite()
    assert istft(spectrum / 8, 4, 2, window=torch.ones(4)).isfinite().all()
    assert istft(torch.full((3, 99), 1e307, dtype=torch.complex128), 4, 2, window=torch.ones(4)).isfinite().all()


@pytest.mark.parametrize("method", METHODS)
def test_float32(method: str) -> None:
    x = normal(3, 2000, dtype=torch.float32)
    got = stft(x, 400, 160, method=method)
    expected = torch.stft(x.double(), 400, 160, window=hann(400), return_complex=True)
    check_equal(STFT, got, expected.to(torch.complex64), rtol=0, atol=1e-5 * float(expected.abs().max()))
    back = istft(got, 400, 160, length=2000, method=method)
    check_equal("istft(stft(x)) = x, in float32", back, x, rtol=0, atol=1e-5 * float(x.abs().max()))


@given(count=st.integers(1, 5), clips=st.integers(1, 4), n=st.integers(1, 5), chunk=st.integers(1, 60))
def test_chunks_are_small_and_change_nothing(count: int, clips: int, n: int, chunk: int) -> None:
    frames = normal(clips, count + n - 1).unfold(-1, n, 1)
    sizes = []

    def compute(piece):
        sizes.append(piece.shape[0] * piece.shape[1])
        return piece**3

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "CHUNK", chunk)
        check_equal("in_chunks(frames, f) = f(frames)", in_chunks(frames, compute), frames**3)
        assert max(sizes) <= max(1, chunk // n), f"{max(sizes)} frames of {n} samples at once"
        check_same("in_chunks(frames, f) = f(frames)", lambda f: in_chunks(f, compute), lambda f: f**3, [frames])


@pytest.mark.parametrize("wrong", misconceptions.OPTIONS, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    def folder_tests() -> None:
        for more in ({}, {"onesided": False}, {"normalized": "frame_length"}):
            check_stft(wrong, plain_stft, {**FIXED, **more}, "reflect", samples=40)

    with pytest.raises(AssertionError):
        folder_tests()
