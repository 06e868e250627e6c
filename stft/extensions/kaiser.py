r"""Kaiser's window (Kaiser 1974, "Nonrecursive digital filter design using the I0-sinh window function").

The window with most of its energy in the main lobe is a prolate spheroidal function. Kaiser's formula is close to it.
Its one parameter β trades a wider main lobe for lower side lobes.

**Which β is like Hamming or Blackman?** It depends on what should match. The main lobe ends at
:math:`\sqrt{1 + (\beta/\pi)^2}` bins. So it is as wide as Hamming's (4 bins) at :math:`\beta = \pi\sqrt3 \approx 5.44`,
and as wide as Blackman's (6 bins) at :math:`\beta = \pi\sqrt8 \approx 8.89`. The highest side lobe is then at −40 and
−65 dB, where Hamming's is at −43 and Blackman's at −58 dB. Equal side lobes need β ≈ 5.84 and β ≈ 7.93.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from stft.checks import Dtype, check_at_least_1


def kaiser(n: int, beta: float = 12.0, periodic: bool = True, dtype: Dtype = None) -> Float[Tensor, " n"]:
    r""":math:`w_m = I_0\big(\beta\sqrt{1 - (2m/N - 1)^2}\big) / I_0(\beta)`, N = n if periodic, else n − 1.

    :math:`I_0` is the modified Bessel function of the first kind. β = 0 gives the rectangular window. Computed in float64,
    returned in ``dtype``, by default torch's default dtype. I₀ grows like :math:`e^\beta`; ``i0e`` leaves this factor out of both I₀.

    Raises:
        ValueError: if ``n`` is below 1, or ``beta`` is negative or not finite.
    """  # noqa: E501
    check_at_least_1(n=n)
    check_0_or_more(beta=beta)
    if n == 1:
        return torch.ones(1, dtype=dtype)
    m = torch.arange(n, dtype=torch.float64)
    places = 2 * m / (n if periodic else n - 1) - 1  # (n)  from -1 to 1
    arguments = beta * (1 - places.square()).sqrt()  # (n)
    peak = torch.tensor(beta, dtype=torch.float64)
    window = torch.special.i0e(arguments) / torch.special.i0e(peak) * torch.exp(arguments - peak)
    return window.to(dtype or torch.get_default_dtype())


def kaiser_beta(attenuation: float) -> float:
    r"""The β of a filter whose stopband is ``attenuation`` dB (A) below its passband.

    This is about a filter designed with the window, not about the window's own side lobes. Kaiser's fit: β is 0 up to
    21 dB, :math:`0.5842\,(A - 21)^{0.4} + 0.07886\,(A - 21)` up to 50 dB, then :math:`0.1102\,(A - 8.7)`.

    Raises:
        ValueError: if ``attenuation`` is negative or not finite.
    """
    check_0_or_more(attenuation=attenuation)
    if attenuation > 50:
        return 0.1102 * (attenuation - 8.7)
    above = max(0.0, attenuation - 21)
    return 0.5842 * above**0.4 + 0.07886 * above


def check_0_or_more(**numbers: float) -> None:
    for name, number in numbers.items():
        if not 0 <= number < math.inf:
            raise ValueError(f"{name} must be 0 or more and finite, got {number}")
