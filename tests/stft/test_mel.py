"""Equation → function → test

m(f), f(m)                       hz_to_mel, mel_to_hz       test_anchors, test_scales_equal_librosa
triangles between the corners    mel_filter_bank            test_bank_by_hand, test_bank_equals_torchaudio
Σ_k B_kj S_kt                    mel_bands                  test_bands_by_hand, test_mel_spectrogram_equals_torchaudio
10 log₁₀ max(x, a)               decibels                   test_decibels_by_hand, test_decibels_equal_torchaudio
2 cos(πq(2j+1)/2M)               dct_matrix                 test_dct_equals_the_spec, test_dct_is_orthonormal
Σ_j D_jq L_jt                    mel_cepstrum               test_cepstrum_by_hand, test_mfcc_equals_torchaudio
"""

import math
import warnings
from functools import partial

import librosa
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lab.peers import import_torchaudio
from stft.extensions.fast import mel_spectrogram, mfcc
from stft.mel import dct_matrix, dct_spec, decibels, hz_to_mel, mel_bands, mel_cepstrum, mel_filter_bank, mel_to_hz
from tests.stft.checks import check_equal, check_same, normal
from tests.stft.misconceptions import mel as misconceptions
from tests.strategies import whole_tensors

torchaudio = import_torchaudio()
BANK = "B_kj = max(0, min((f_k − c_j)/(c_(j+1) − c_j), (c_(j+2) − f_k)/(c_(j+2) − c_(j+1))))"
DCT = "D_jq = 2 cos(πq(2j + 1)/2M)"
SCALES = st.sampled_from(["htk", "slaney"])


@st.composite
def banks(draw) -> dict:
    """Even rates and sizes: for odd ones torchaudio's bins are not where the transform has them."""
    rate = 2 * draw(st.integers(2000, 24_000), label="rate / 2")
    f_min = draw(st.sampled_from([0.0, 20.0, 300.5]), label="f_min")
    return {
        "n_fft": 2 * draw(st.integers(10, 200), label="n_fft / 2"),
        "sample_rate": rate,
        "n_mels": draw(st.integers(1, 40), label="n_mels"),
        "f_min": f_min,
        "f_max": draw(st.sampled_from([None, rate / 2, rate / 3]), label="f_max"),
        "norm": draw(st.sampled_from([None, "slaney"]), label="norm"),
        "mel_scale": draw(SCALES, label="mel_scale"),
    }


def torchaudio_bank(n_fft: int, f_max: float | None, sample_rate: int, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a band may lie between two bins
        return torchaudio.functional.melscale_fbanks(
            n_fft // 2 + 1, f_max=f_max or sample_rate / 2, sample_rate=sample_rate, **options
        )


def check_bank(candidate, options: dict) -> None:
    check_equal(f"{BANK}, {options}", candidate(**options), torchaudio_bank(**options))


def check_decibels(candidate, shape: tuple[int, ...], stype: str, top_db: float | None) -> None:
    reference = torchaudio.transforms.AmplitudeToDB(stype, top_db)
    x = normal(*shape).square() * 10 ** (3 * normal(*shape, seed=1))
    x.view(-1)[0] = 1e-11  # below the floor
    equation = f"{20 if stype == 'magnitude' else 10} log₁₀ max(x, 1e-10), top_db = {top_db}"
    check_same(equation, lambda x: candidate(x, stype, top_db), reference, [x])


def check_dct(candidate) -> None:
    for n_mfcc, n_mels in ((1, 1), (3, 5), (7, 7)):
        for norm in (None, "ortho"):
            expected = torchaudio.functional.create_dct(n_mfcc, n_mels, norm)
            check_equal(f"{DCT}, M = {n_mels}, norm = {norm}", candidate(n_mfcc, n_mels, norm), expected)


def check_mfcc(candidate) -> None:
    options = {"n_fft": 64, "hop_length": 20, "n_mels": 12}
    reference = torchaudio.transforms.MFCC(8000, 5, melkwargs=options)
    fading = normal(3, 700) * 10 ** torch.linspace(1, -6, 700)  # over 140 dB, more than the 80 that are kept
    check_same("Σ_j D_jq L_jt", lambda x: candidate(x, 8000, 5, **options), reference, [fading])


@pytest.mark.parametrize(
    ("mel_scale", "hz", "mel", "accuracy"),
    [
        ("htk", 0.0, 0.0, 0.0),
        ("htk", 1000.0, 1000.0, 0.02),  # 1 kHz is 1,000 mel, nearly: 2595 is rounded
        ("htk", 6300.0, 2595.0, 1e-9),  # 1 + 6300 / 700 = 10
        ("slaney", 0.0, 0.0, 0.0),
        ("slaney", 500.0, 7.5, 1e-12),
        ("slaney", 1000.0, 15.0, 1e-12),
        ("slaney", 6400.0, 42.0, 1e-12),  # 27 steps above the knee
    ],
)
def test_anchors(mel_scale: str, hz: float, mel: float, accuracy: float) -> None:
    assert float(hz_to_mel(torch.tensor(hz), mel_scale)) == pytest.approx(mel, abs=accuracy)
    assert float(mel_to_hz(torch.tensor(mel), mel_scale)) == pytest.approx(hz, abs=max(accuracy, 1e-9) * 2)


def test_bank_by_hand() -> None:
    """8 bins of 1 Hz below 1 kHz, where Slaney's scale is linear: the corners of 3 bands are 0, 2, 4, 6 and 8 Hz."""
    bank = mel_filter_bank(16, 16, 3, mel_scale="slaney")
    triangle = [0, 0.5, 1, 0.5, 0]
    expected = torch.tensor([[*triangle, 0, 0, 0, 0], [0, 0, *triangle, 0, 0], [0, 0, 0, 0, *triangle]]).T
    check_equal(f"{BANK}\n  c = 0, 2, 4, 6, 8 Hz", bank, expected)
    area_1 = mel_filter_bank(16, 16, 3, norm="slaney", mel_scale="slaney")
    check_equal("B_kj · 2/(c_(j+2) − c_j): each band has the area 1", area_1, expected / 2)
    odd = mel_filter_bank(17, 17, 3, f_max=8.0, mel_scale="slaney")
    check_equal("f_k = k f_s/n, also for an odd n: 17 samples at 17 Hz have bins at 0, 1, …, 8 Hz too", odd, expected)


def test_bands_by_hand() -> None:
    """Two bands of three bins. Both have half of the middle bin."""
    bank, spectrogram = torch.tensor([[1, 0], [0.5, 0.5], [0, 1]]), torch.tensor([[1.0, 10], [2, 20], [3, 30]])
    check_equal("Σ_k B_kj S_kt", mel_bands(spectrogram, bank), torch.tensor([[2.0, 20], [4, 40]]))


def test_cepstrum_by_hand() -> None:
    """With two bands, D has the columns (1, 1)/√2 and (1, −1)/√2."""
    levels = torch.tensor([[10.0], [4.0]])
    check_equal("Σ_j D_jq L_jt", mel_cepstrum(levels, 2), torch.tensor([[14 / math.sqrt(2)], [6 / math.sqrt(2)]]))


@pytest.mark.parametrize(
    ("x", "options", "expected"),
    [
        (1000.0, {}, 30.0),
        (1000.0, {"stype": "magnitude"}, 60.0),
        (0.0, {}, -100.0),
        (0.0, {"stype": "magnitude"}, -200.0),
        (0.0, {"amin": 1e-5}, -50.0),
        (1000.0, {"reference": 10.0}, 20.0),
        (1000.0, {"reference": 1e-20, "amin": 1e-2}, 50.0),
    ],
)
def test_decibels_by_hand(x: float, options: dict, expected: float) -> None:
    assert float(decibels(torch.tensor(x), **options)) == pytest.approx(expected, abs=1e-9)


def test_top_db_by_hand() -> None:
    """Two clips of two channels, with maxima of 40, 20, 60 and 0 dB. The floor is 30 dB below the maximum."""
    peaks = torch.tensor([40.0, 20, 60, 0]).view(2, 2, 1, 1)
    x = 10 ** (torch.cat([peaks, peaks - 25, peaks - 90], dim=-1) / 10)
    for shared_dims, floors in ((2, [10, -10, 30, -30]), (3, [10, 10, 30, 30]), (4, [30, 30, 30, 30])):
        levels = decibels(x, top_db=30.0, shared_dims=shared_dims, amin=1e-20)
        assert levels[..., 2].flatten().tolist() == pytest.approx(floors, abs=1e-9)
    assert decibels(x, top_db=30.0, amin=1e-20)[..., 2].flatten().tolist() == pytest.approx([10, 10, 30, 30])


def test_a_cosine_has_one_coefficient() -> None:
    n = 16
    x = torch.cos(math.pi * 3 * (2 * torch.arange(n) + 1) / (2 * n))
    expected = torch.zeros(n)
    expected[3] = math.sqrt(n / 2)
    check_equal("the DCT of the third cosine", x @ dct_matrix(n, n), expected)


@given(mel_scale=SCALES, hz=st.lists(st.floats(0, 50_000), min_size=1, max_size=9))
def test_scales_equal_librosa(mel_scale: str, hz) -> None:
    """The reference is librosa.hz_to_mel and librosa.mel_to_hz."""
    frequencies, htk = torch.tensor(hz), mel_scale == "htk"
    mels = torch.from_numpy(librosa.hz_to_mel(frequencies.numpy(), htk=htk))
    hz_of_mels = torch.from_numpy(librosa.mel_to_hz(mels.numpy(), htk=htk))
    check_equal(f"Hz to mel, {mel_scale}", hz_to_mel(frequencies, mel_scale), mels)
    check_equal(f"mel to Hz, {mel_scale}", mel_to_hz(mels, mel_scale), hz_of_mels)
    back = mel_to_hz(hz_to_mel(frequencies, mel_scale), mel_scale)
    check_equal(f"Hz to mel and back, {mel_scale}", back, frequencies, atol=1e-9)


@pytest.mark.parametrize("mel_scale", ["htk", "slaney"])
def test_the_scales_rise_smoothly(mel_scale: str) -> None:
    frequencies = torch.linspace(1, 8000, 5000).requires_grad_()
    (slopes,) = torch.autograd.grad(hz_to_mel(frequencies, mel_scale).sum(), frequencies)
    assert (slopes > 0).all()
    assert (slopes.diff().abs() <= 0.04 * slopes[1:]).all(), "more of a kink than the 3% that Slaney's has at 1 kHz"


@given(options=banks())
def test_bank_equals_torchaudio(options) -> None:
    """The reference is torchaudio.functional.melscale_fbanks."""
    check_bank(mel_filter_bank, options)


@given(options=banks())
def test_bands_add_up_to_1_between_the_first_peak_and_the_last(options) -> None:
    options = {**options, "norm": None}
    low, high = (float(hz_to_mel(torch.tensor(f), options["mel_scale"])) for f in (
        options["f_min"], options["f_max"] or options["sample_rate"] / 2))  # fmt: skip
    step = (high - low) / (options["n_mels"] + 1)
    first, last = (float(mel_to_hz(torch.tensor(m), options["mel_scale"])) for m in (low + step, high - step))
    frequencies = torch.arange(options["n_fft"] // 2 + 1) * options["sample_rate"] / options["n_fft"]
    inside = (frequencies >= first) & (frequencies <= last)
    sums = mel_filter_bank(**options).sum(-1)
    check_equal("Σ_j B_kj = 1", sums[inside], torch.ones(int(inside.sum())), rtol=1e-9)
    assert (sums <= 1 + 1e-9).all()


def test_slaneys_norm_makes_areas_1() -> None:
    bank = mel_filter_bank(2**15, 16_000, 20, norm="slaney")
    areas = bank.sum(0) * 16_000 / 2**15
    check_equal("the area of a band", areas, torch.ones(20), rtol=2e-3)  # a sum approximates the integral


@given(
    options=banks(),
    hop_length=st.sampled_from([None, 7, 50]),
    win_length=st.sampled_from([None, 13]),
    power=st.sampled_from([1.0, 2.0]),
    center=st.booleans(),
    pad_mode=st.sampled_from(["reflect", "constant", "replicate"]),
    normalized=st.sampled_from([False, "window", "frame_length"]),
    batch=st.sampled_from([(), (3,), (2, 3)]),
)
def test_mel_spectrogram_equals_torchaudio(options, batch, **more) -> None:
    """The reference is torchaudio.transforms.MelSpectrogram."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference = torchaudio.transforms.MelSpectrogram(**options, **more)
    ours = partial(mel_spectrogram, **options, **more)
    check_same("Σ_k B_kj |X[k, t]|^p", ours, reference, [normal(*batch, 500)])


def test_the_defaults_are_torchaudios() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pairs = (
            (mel_spectrogram, torchaudio.transforms.MelSpectrogram()),
            (mfcc, torchaudio.transforms.MFCC()),
            (lambda x: decibels(x.abs()), lambda x: torchaudio.transforms.AmplitudeToDB()(x.abs())),
        )
    for ours, reference in pairs:
        check_same("the defaults of torchaudio", ours, reference, [normal(2, 1600)])


@given(
    shape=st.sampled_from([(4, 5), (3, 4, 5), (2, 3, 4, 5), (2, 1, 3, 4, 5)]),
    stype=st.sampled_from(["power", "magnitude"]),
    top_db=st.sampled_from([None, 0.0, 20.0, 80.0]),
)
def test_decibels_equal_torchaudio(shape, stype: str, top_db) -> None:
    """The reference is torchaudio.transforms.AmplitudeToDB."""
    check_decibels(decibels, shape, stype, top_db)


@given(n=st.integers(1, 9), data=st.data())
def test_dct_equals_the_spec(n: int, data) -> None:
    x = data.draw(whole_tensors(n), label="x")
    check_equal(DCT, x @ dct_matrix(n, n, None), dct_spec(x))


def test_dct_equals_torchaudio() -> None:
    """The reference is torchaudio.functional.create_dct."""
    check_dct(dct_matrix)


@given(n=st.integers(1, 40))
def test_dct_is_orthonormal(n: int) -> None:
    matrix = dct_matrix(n, n)
    check_equal("DᵀD = 1", matrix.T @ matrix, torch.eye(n))
    check_equal("DDᵀ = 1", matrix @ matrix.T, torch.eye(n))


@given(
    n_mfcc=st.integers(1, 12),
    norm=st.sampled_from([None, "ortho"]),
    log_mels=st.booleans(),
    batch=st.sampled_from([(), (3,), (2, 3)]),
)
def test_mfcc_equals_torchaudio(n_mfcc: int, norm, log_mels: bool, batch) -> None:
    """The reference is torchaudio.transforms.MFCC."""
    options = {"n_fft": 64, "hop_length": 20, "n_mels": 12, "f_min": 30.0, "mel_scale": "slaney"}
    reference = torchaudio.transforms.MFCC(8000, n_mfcc, norm=norm, log_mels=log_mels, melkwargs=options)
    check_same(
        "Σ_j D_jq L_jt",
        lambda x: mfcc(x, 8000, n_mfcc, norm, log_mels, **options),
        reference,
        [normal(*batch, 700)],
    )


def test_mfcc_of_several_clips_by_themselves() -> None:
    """With shared_dims = 2 a clip does not depend on its neighbours. With 3, as in torchaudio, it does."""
    x = torch.stack([normal(900), 1e-5 * normal(900)])
    options = {"n_mfcc": 5, "n_fft": 64, "n_mels": 12}
    alone = torch.stack([mfcc(clip, 8000, **options) for clip in x])
    check_equal("each clip has its own maximum", mfcc(x, 8000, shared_dims=2, **options), alone)
    assert float((mfcc(x, 8000, **options) - alone).abs().max()) > 10


def test_the_hop_is_half_of_whatever_window_is_given() -> None:
    x = normal(2000)
    for options in ({"win_length": 200}, {"window": torch.hann_window(200)}):
        expected = mel_spectrogram(x, n_mels=8, hop_length=100, win_length=200)
        check_equal("H = win_length // 2", mel_spectrogram(x, n_mels=8, **options), expected)
    assert mel_spectrogram(x, n_fft=1, n_mels=1).shape[-1] == 2000, "a hop of one sample at least"


def test_filters_have_the_default_dtype() -> None:
    torch.set_default_dtype(torch.float32)
    try:
        assert {mel_filter_bank(n_mels=4).dtype, dct_matrix(3, 4).dtype} == {torch.float32}
    finally:
        torch.set_default_dtype(torch.float64)


def test_slaneys_slope_at_0_hz_is_finite() -> None:
    frequencies = torch.tensor([0.0, 500.0]).requires_grad_()
    (slopes,) = torch.autograd.grad(hz_to_mel(frequencies, "slaney").sum(), frequencies)
    check_equal("dm/df = 3/200 below 1 kHz", slopes, torch.full((2,), 3 / 200))


def test_mfcc_of_a_louder_sound_differs_in_the_first_only() -> None:
    """Twice as loud is 6 dB more in every band: a constant, which only the first cosine sees."""
    x = normal(2000)
    difference = mfcc(2 * x, n_mfcc=13, n_mels=40) - mfcc(x, n_mfcc=13, n_mels=40)
    check_equal("coefficients from 1 on", difference[1:], torch.zeros_like(difference[1:]), atol=1e-9)
    expected = torch.full_like(difference[0], 20 * math.log10(2) * math.sqrt(40))
    check_equal("coefficient 0: √M · 20 log₁₀ 2", difference[0], expected)


def test_float32() -> None:
    x = normal(3, 2000, dtype=torch.float32)
    for transform in (lambda x: mel_spectrogram(x, n_mels=40), lambda x: mfcc(x, n_mfcc=13, n_mels=40)):
        got, expected = transform(x), transform(x.double())
        largest = float(expected.abs().max())
        check_equal("in float32", got, expected.float(), rtol=0, atol=1e-5 * largest)


CHECKS = {
    "bank": lambda wrong: [
        check_bank(wrong, {"n_fft": 64, "sample_rate": 8000, "n_mels": 7, "f_min": 50.0, "f_max": 3000.0, **more})
        for more in ({"norm": None, "mel_scale": "htk"}, {"norm": "slaney", "mel_scale": "slaney"})
    ],
    "decibels": lambda wrong: [
        check_decibels(wrong, (2, 3, 4, 5), stype, top_db)
        for stype in ("power", "magnitude")
        for top_db in (None, 20.0)
    ],
    "dct": check_dct,
    "mfcc": check_mfcc,
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "wrong"), [(kind, wrong) for kind, all_ in misconceptions.ALL.items() for wrong in all_]
)
def test_misconception_is_caught(kind: str, wrong) -> None:
    with pytest.raises(AssertionError):
        CHECKS[kind](wrong)
