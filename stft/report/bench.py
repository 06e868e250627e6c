"""The time of our short-time Fourier transform beside torch's, torchaudio's, librosa's and nnAudio's, and of our FFT
beside torch's.

A row is our time divided by the peer's time in the same repetition: below 1 we are faster. Both compute the same result
from the same sound, in float32, with a periodic Hann window and centred frames. The two sides of a row run in turn, and
nothing else runs between them. Each peer is in its fastest mode: without gradients unless the row has them, modules
built before the clock starts, librosa on a float32 array of numpy, nnAudio with fixed kernels and complex output.
"""

import json
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import torch

from lab import cli
from lab.checkpoint import write_text
from lab.peers import import_torchaudio
from lab.timing import alternately, ratios, shown, spread, table
from stft.extensions.fast import istft, mel_spectrogram, stft
from stft.fourier import fft

CLIPS, SECONDS, RATE = 16, 10, 16_000
SIZES = ((400, 160), (1024, 256), (2048, 512))  # n_fft and hop_length
BATCH, LENGTHS = 1000, (1024, 1000)  # of the FFT
MELS = 80
RESULTS = Path("runs/bench/stft/results.json")
NONE = (None, None)  # no target

Work = Callable[[], object]


class Row(NamedTuple):
    """Ours, and a peer that computes the same. ``targets`` of the ratio: must and moonshot."""

    name: str
    ours: Work
    peer: Work
    targets: tuple[float | None, float | None] = NONE


def measure(repetitions: int = 25, seconds: float = SECONDS, results: Path = RESULTS) -> str:
    """The table; its numbers are written to ``results``, where ``docs/tables.py --take`` finds them."""
    groups = [stft_rows(n_fft, hop, seconds) for n_fft, hop in SIZES]
    groups += [fft_rows(n, max(1, round(BATCH * seconds / SECONDS))) for n in LENGTHS]
    lines, measured = [("what", "ours / peer", "ours (ms)", "must", "moonshot")], {}
    for rows in groups:
        for row in rows:
            times = alternately({"peer": row.peer, "ours": row.ours}, repetitions)
            own, peer = (spread([1000 * t for t in times[side]]) for side in ("ours", "peer"))
            ratio = ratios(times["ours"], times["peer"])._replace(median=own.median / peer.median)
            must, moonshot = ("" if target is None else f"≤ {target}" for target in row.targets)
            lines.append((row.name, shown(ratio), f"{own.median:.1f}", must, moonshot))
            measured[row.name] = {"ratio": ratio._asdict(), "milliseconds": own._asdict(), "targets": row.targets}
    threads = torch.get_num_threads()
    content = {
        "paper": "stft",
        "what": "speed",
        "command": "python -m bench stft",
        "repetitions": repetitions,
        "threads": threads,
        "rows": measured,
    }
    write_text(results, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return (
        f"{table(lines)}\n\n"
        f"{CLIPS} clips of {seconds:g} s at {RATE // 1000} kHz, float32; FFTs of {BATCH:,} signals.\n"
        f"Ratios of the medians of {repetitions} repetitions in turn, with quartiles; {threads} threads.\n{results}"
    )


def stft_rows(n_fft: int, hop: int, seconds: float) -> list[Row]:
    import librosa

    torchaudio = import_torchaudio()
    x = torch.randn(CLIPS, round(seconds * RATE), generator=torch.Generator().manual_seed(0))
    learned = x.clone().requires_grad_()
    array, window = x.numpy(), torch.hann_window(n_fft)
    shape = {"n_fft": n_fft, "hop_length": hop}
    spectrum = stft(x, **shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about bands that have no bin
        mel = torchaudio.transforms.MelSpectrogram(RATE, **shape, n_mels=MELS)
    convolution = nnaudio(n_fft, hop)

    def torch_stft(x: torch.Tensor) -> torch.Tensor:
        return torch.stft(x, **shape, window=window, return_complex=True)

    small = n_fft == SIZES[0][0]
    named = f"n_fft {n_fft}, hop {hop}"
    return [
        Row(f"torch.stft, {named}", lambda: stft(x, **shape), lambda: torch_stft(x), (1.05, 0.7)),
        Row(
            f"torchaudio MelSpectrogram, {named}",
            lambda: mel_spectrogram(x, RATE, **shape, n_mels=MELS),
            lambda: mel(x),
            (0.9, 0.5) if small else (0.5, 0.25),
        ),
        Row(
            f"librosa.stft, {named}",
            lambda: stft(x, **shape, pad_mode="constant"),
            lambda: librosa.stft(array, **shape, dtype="complex64"),
            (0.35, 0.2) if small else (0.8, 0.4),
        ),
        Row(f"nnAudio STFT, {named}", lambda: stft(x, **shape), lambda: convolution(x), (0.2, 0.1)),
        Row(
            f"torch.stft with backward, {named}",
            gradient(learned, lambda x: stft(x, **shape)),
            gradient(learned, torch_stft),
        ),
        Row(
            f"MelSpectrogram with backward, {named}",
            gradient(learned, lambda x: mel_spectrogram(x, RATE, **shape, n_mels=MELS)),
            gradient(learned, mel),
        ),
        Row(
            f"torch.istft, {named}",
            lambda: istft(spectrum, **shape),
            lambda: torch.istft(spectrum, **shape, window=window),
        ),
        Row(f"torch.stft by our fft, {named}", lambda: stft(x, **shape, method="fft"), lambda: torch_stft(x)),
        Row(f"torch.stft by the matrix, {named}", lambda: stft(x, **shape, method="matrix"), lambda: torch_stft(x)),
    ]


def gradient(x: torch.Tensor, transform: Callable[[torch.Tensor], torch.Tensor]) -> Work:
    """Forward and backward: the gradient of the sum of squared magnitudes."""

    def work() -> torch.Tensor:
        (slope,) = torch.autograd.grad(transform(x).abs().square().sum(), x)
        return slope

    return work


def nnaudio(n_fft: int, hop: int) -> torch.nn.Module:
    """nnAudio's STFT, without its output and its warning about a name that newer versions of scipy moved."""
    with redirect_stdout(StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from nnAudio.features import STFT

        return STFT(n_fft=n_fft, hop_length=hop, output_format="Complex", sr=RATE, verbose=False)


def fft_rows(n: int, batch: int) -> list[Row]:
    z = torch.randn(batch, n, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    learned = z.clone().requires_grad_()

    return [
        Row(f"torch.fft.fft, n = {n:,}", lambda: fft(z), lambda: torch.fft.fft(z), (8, 3)),
        Row(f"torch.fft.fft with backward, n = {n:,}", gradient(learned, fft), gradient(learned, torch.fft.fft)),
    ]


@dataclass(frozen=True, kw_only=True)
class Stft(cli.Threads):
    """The short-time Fourier transform beside torch, torchaudio, librosa and nnAudio; our FFT beside torch's."""

    repetitions: int = 25  # the number of runs of each candidate, in turn

    def execute(self, command: str) -> None:
        print(measure(self.repetitions))


VERBS = (Stft,)
