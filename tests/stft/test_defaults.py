"""Defaults from torch, torchaudio and librosa, whose arguments are taken over, and those of the README."""

import inspect

import pytest

from lab.peers import import_torchaudio
from tests.defaults import check_defaults

STFT = {"n_fft": 400, "hop_length": None, "win_length": None, "window": None, "center": True, "pad_mode": "reflect"}
MEL = {
    "n_fft": 400,
    "sample_rate": 16_000,
    "n_mels": 128,
    "f_min": 0.0,
    "f_max": None,
    "norm": None,
    "mel_scale": "htk",
}
DEFAULTS = {
    "stft.stft": {**STFT, "normalized": False, "onesided": True, "method": "torch", "then": None},
    "stft.istft": {
        **{name: value for name, value in STFT.items() if name != "pad_mode"},
        "normalized": False, "onesided": True, "length": None, "method": "torch",
    },
    "stft.spectrogram": {"power": 2.0},
    "stft.mel_spectrogram": {**STFT, **MEL, "power": 2.0, "normalized": False},
    "stft.mfcc": {"sample_rate": 16_000, "n_mfcc": 40, "norm": "ortho", "log_mels": False, "shared_dims": 3},
    "stft.mel.mel_filter_bank": MEL,
    "stft.mel.hz_to_mel": {"mel_scale": "htk"},
    "stft.mel.mel_to_hz": {"mel_scale": "htk"},
    "stft.mel.decibels": {"stype": "power", "top_db": None, "reference": 1.0, "amin": 1e-10, "shared_dims": 3},
    "stft.mel.dct_matrix": {"norm": "ortho"},
    "stft.mel.mel_cepstrum": {"n_mfcc": 40, "norm": "ortho"},
    "stft.units.magnitude_to_power": {"power": 2},
    "stft.transform.stft": {"center": True, "pad_mode": "reflect"},
    "stft.transform.istft": {"center": True, "length": None},
    "stft.transform.is_cola": {"tolerance": 1e-6},
    "stft.windows.rectangular": {"periodic": True},
    "stft.windows.hann": {"periodic": True},
    "stft.windows.hamming": {"periodic": True},
    "stft.windows.blackman": {"periodic": True},
    "stft.windows.response": {"points_per_bin": 64},
    "stft.windows.main_lobe_width": {"points_per_bin": 64},
    "stft.windows.side_lobe_level": {"points_per_bin": 64},
    "stft.extensions.kaiser.kaiser": {"beta": 12.0, "periodic": True},  # torch.kaiser_window
    "stft.griffin_lim": {
        **{name: value for name, value in STFT.items() if name != "center"},
        "iterations": 32, "momentum": 0.99, "length": None, "start": None,
    },
    "stft.extensions.griffin_lim.spectral_convergence": {"n_fft": 400},
    "stft.extensions.streaming.stream_stft": {"n_fft": 400, "center": True, "pad_mode": "reflect"},
    "stft.evaluate": {"NEAR": 0.01, "INSIDE": 0.78, "SOUNDS": 500},
    "stft.evaluate.hearing": {"seed": 0, "count": 500},
    "stft.commands.Hear": {"split": "test", "seed": 0, "index": 1, "sounds": 500},
    "stft.commands.Show": {"frame": None, "window": "hann"},
    "stft.commands.Invert": {"iterations": 100, "momentum": 0.99, "seed": 0},
    "stft.commands.Measure": {"iterations": 100, "momentum": 0.99, "seed": 0},
    "stft.extensions.analysis": {"FRAME": 64.0, "BANDS": 64, "COEFFICIENTS": 13},
}  # fmt: skip


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name: str) -> None:
    check_defaults(name, DEFAULTS[name])


def test_the_table_is_torchaudios() -> None:
    """``hop_length`` is another function of the others there, and ``normalized`` has two meanings (see ``stft``)."""
    theirs = inspect.signature(import_torchaudio().transforms.MelSpectrogram).parameters
    ours = {"sample_rate": 16_000, "n_fft": 400, "f_min": 0.0, "f_max": None, "n_mels": 128, "power": 2.0, "norm": None}
    ours |= {"win_length": None, "hop_length": None, "center": True, "pad_mode": "reflect", "mel_scale": "htk"}
    assert {name: theirs[name].default for name in ours} == ours
    assert inspect.signature(import_torchaudio().transforms.MFCC).parameters["n_mfcc"].default == 40
    assert inspect.signature(import_torchaudio().transforms.GriffinLim).parameters["n_iter"].default == 32
