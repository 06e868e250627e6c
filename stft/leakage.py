r"""How good a window is, in three numbers of Harris 1978: it blurs, it leaks, and it sees little between the bins."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def response(window: Float[Tensor, " n"], points_per_bin: int = 64) -> Float[Tensor, " points"]:
    r"""How a tone is seen f bins beside it: :math:`|W(f)|/|W(0)|` at f = 0, 1/points, … to n/2 bins.

    W is the window's transform; the bins in between come from zeros that are put behind the window.

    Raises:
        ValueError: if the window sums to 0, so that there is nothing to relate to.
    """
    spectrum = torch.fft.rfft(window, n=points_per_bin * len(window)).abs()  # (points)
    if spectrum[0] <= 1e-12 * window.abs().sum():
        raise ValueError("window must not sum to 0")
    return spectrum / spectrum[0]


def main_lobe_edge(levels: Float[Tensor, " points"]) -> int:
    """The first point of a response at which it stops falling: the end of the main lobe."""
    falls = levels[1:] < levels[:-1]
    return int((~falls).nonzero()[0]) if not falls.all() else len(levels) - 1


def main_lobe_width(window: Float[Tensor, " n"], points_per_bin: int = 64) -> float:
    """From zero to zero, in bins: two tones that are nearer than half of it are one hill."""
    return 2 * main_lobe_edge(response(window, points_per_bin)) / points_per_bin


def side_lobe_level(window: Float[Tensor, " n"], points_per_bin: int = 64) -> float:
    """The highest side lobe, in dB below the main lobe: a tone that is weaker than this may be hidden.

    Raises:
        ValueError: if there is none; a window of a few samples is all main lobe.
    """
    levels = response(window, points_per_bin)
    highest = float(levels[main_lobe_edge(levels) :].max())
    if highest < 1e-12:
        raise ValueError(f"a window of {len(window)} samples like this one has no side lobe")
    return 20 * math.log10(highest)


def scalloping_loss(window: Float[Tensor, " n"]) -> float:
    r"""How much weaker a tone looks half-way between two bins, in dB: :math:`-20\log_{10} |W(\tfrac12)|/|W(0)|`."""
    return -20 * math.log10(response(window, 2)[1])
