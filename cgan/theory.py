r"""What the game leads to, on paper (Goodfellow et al. 2014, arXiv 1406.2661, section 4.1).

Here x is one of k things, so that a distribution is k numbers, an integral is a sum, and every claim can be checked.
p is the distribution of the data, q that of the generator. Against a fixed generator, the best discriminator is
p / (p + q) (proposition 1). What the generator then pays is the Jensen–Shannon divergence between p and q. It is
smallest, −ln 4, only where q = p (theorem 1). The tests do all three.
"""

import math

from jaxtyping import Float
from torch import Tensor
from torch.special import entr, xlogy

VALUE_AT_OPTIMUM = -2 * math.log(2)  # V = -ln 4 where q = p: D says 1/2 to everything
DISCRIMINATOR_AT_OPTIMUM = 2 * math.log(2)  # the discriminator's loss there, -V
GENERATOR_AT_OPTIMUM = math.log(2)  # the non-saturating loss there, -ln(1/2)
# with sentences: D refuses every wrong pair; it cannot tell fakes, which weigh a half, so that it says 1 / (1 + 1/2)
MATCHING_AWARE_AT_OPTIMUM = math.log(3 / 2) + math.log(3) / 2  # the discriminator's loss, -(ln(2/3) + 1/2 ln(1/3))
GENERATOR_AT_ITS_OPTIMUM = math.log(3 / 2)  # the non-saturating loss there, -ln(2/3)


def optimal_discriminator(p: Float[Tensor, " k"], q: Float[Tensor, " k"]) -> Float[Tensor, " k"]:
    r"""Equation 2: :math:`D^*_G(x) = \frac{p_{data}(x)}{p_{data}(x) + p_g(x)}`. Each x is possible in p or in q."""
    return p / (p + q)  # D*_x = p_x / (p_x + q_x)


def expected_value(
    discriminator: Float[Tensor, " k"], p: Float[Tensor, " k"], q: Float[Tensor, " k"]
) -> Float[Tensor, ""]:
    r"""Equation 3: :math:`V(G, D) = \int_x p_{data}(x) \log D(x) + p_g(x) \log(1 - D(x))\, dx`, and 0 log 0 = 0."""
    return (xlogy(p, discriminator) + xlogy(q, 1 - discriminator)).sum()  # sum_x p_x log D_x + q_x log(1 - D_x)


def jensen_shannon(p: Float[Tensor, " k"], q: Float[Tensor, " k"]) -> Float[Tensor, ""]:
    r"""The divergence of equation 6, :math:`C(G) = -\log 4 + 2\, JSD(p_{data} \Vert p_g)`, from 0 to ln 2 nats.

    :math:`JSD = \frac12 KL(p \Vert \tfrac{p+q}2) + \frac12 KL(q \Vert \tfrac{p+q}2)`: the entropy of the mixture minus
    the mean entropy of its parts.
    """
    return (entr((p + q) / 2) - (entr(p) + entr(q)) / 2).sum()  # H((p + q)/2) - (H(p) + H(q))/2
