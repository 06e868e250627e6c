r"""The game's two losses (Goodfellow et al. 2014, arXiv 1406.2661, section 3; Mirza & Osindero 2014, arXiv 1411.1784,
equation 2).

The discriminator is a classifier: D(x) is the probability that x is real. The generator makes fakes, x = G(z). Both
play for one value V(D, G). The discriminator wants it large, the generator wants it small. With a condition y, such as
a label, both players see y too: D(x | y) and G(z | y). The equation is the same.

Early in training the discriminator is almost sure of every fake, D(G(z)) ≈ 0. There log(1 − D) is flat, and the
generator hardly learns. So section 3 gives the generator another loss, −log D(G(z)). It has the same fixed point.

What differs from the paper: the functions read logits a, with D = σ(a). log D = log σ(a) and log(1 − D) = log σ(−a),
which ``logsigmoid`` computes without overflow. The forms with probabilities are beside them, as ``…_spec``.
"""

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid


def value(real_logits: Float[Tensor, " n"], fake_logits: Float[Tensor, " m"]) -> Float[Tensor, ""]:
    r"""Equation 1: :math:`V(D, G) = \mathbb E_{x}[\log D(x)] + \mathbb E_{z}[\log(1 - D(G(z)))]`, in nats.

    At most 0. It is −2 ln 2 if the discriminator says ½ to everything. The discriminator's loss is −V.
    """
    return logsigmoid(real_logits).mean() + logsigmoid(-fake_logits).mean()  # mean log D_i + mean log(1 - D_j)


def value_spec(real: Float[Tensor, " n"], fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
    """``value`` as the paper writes it, of the probabilities D(x) and D(G(z)). Exact 0 or 1 gives an infinite loss."""
    return real.log().mean() + (1 - fake).log().mean()


def minimax_loss(fake_logits: Float[Tensor, " m"]) -> Float[Tensor, ""]:
    r"""The generator's part of equation 1, which it makes small: :math:`\mathbb E_{z}[\log(1 - D(G(z)))]`.

    Its slope by a logit is −D/m: nothing where D(G(z)) = 0, just where the fakes are bad.
    """
    return logsigmoid(-fake_logits).mean()  # mean_j log(1 - D(G_j))


def minimax_loss_spec(fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
    """``minimax_loss`` of the probabilities D(G(z))."""
    return (1 - fake).log().mean()


def non_saturating_loss(fake_logits: Float[Tensor, " m"]) -> Float[Tensor, ""]:
    r"""Section 3: the generator makes :math:`\log D(G(z))` large. The loss is :math:`-\mathbb E_{z}[\log D(G(z))]`.

    Its slope by a logit is −(1 − D)/m: largest where D(G(z)) = 0.
    """
    return -logsigmoid(fake_logits).mean()  # -mean_j log D(G_j)


def non_saturating_loss_spec(fake: Float[Tensor, " m"]) -> Float[Tensor, ""]:
    """``non_saturating_loss`` of the probabilities D(G(z))."""
    return -fake.log().mean()


def matching_aware_value(
    real: Float[Tensor, " n"], wrong: Float[Tensor, " n"], fake: Float[Tensor, " m"]
) -> Float[Tensor, ""]:
    r"""Algorithm 1 of Reed et al. 2016, "GAN-CLS": :math:`\log s_r + \frac12 (\log(1 - s_w) + \log(1 - s_f))`.

    The discriminator makes it large.

    Args:
        real: logits of real pictures, each with a sentence that is true of it, :math:`s_r = D(x, h)`.
        wrong: logits of the same pictures, each with a sentence that is false of it, :math:`s_w = D(x, \hat h)`.
        fake: logits of fakes with their sentence, :math:`s_f = D(\hat x, h)`.
    """
    refused = (logsigmoid(-wrong).mean() + logsigmoid(-fake).mean()) / 2  # each of the two counts a half
    return logsigmoid(real).mean() + refused


def interpolated(vectors: Float[Tensor, "n d"], beta: float = 0.5) -> Float[Tensor, "n d"]:
    r"""Equation 5, "GAN-INT": :math:`\beta h_1 + (1 - \beta) h_2`, where h_2 is the previous sentence of the batch."""
    return beta * vectors + (1 - beta) * vectors.roll(1, dims=0)
