r"""The symmetric contrastive loss in chunks of rows: memory linear in the batch, exact value and gradient.

The core's loss holds the n × n matrix S, its two softmaxes and their gradients: at the paper's batch of 32,768 pairs,
4 GB for each. Here, only ``chunk`` rows of S exist at a time. S is needed twice, so there are two passes over its rows:

1. Forward: the maximum and the sum of exponentials of each row and of each column. A row is complete in its chunk. A
   column is not, so its sum is rescaled whenever a chunk brings a larger maximum. The loss follows from them.
2. Backward: the closed form :math:`\partial L / \partial S = (P_{row} + P_{col} - 2I) / 2n`, chunk by chunk, times the
   features. P needs the sums of whole columns, so it cannot be had in the first pass.

The gradient is computed in the backward pass, and S a second time for it. To compute it in the forward pass would not
save the second S, because the first pass keeps none. It would hold both gradients until the backward pass, multiply
them there by the gradient of what follows, and compute them in validation, where nobody needs them.

The maximum and the sum are kept apart, as in ``log_softmax``. At a scale of 100, ln(sum) is near 0 where the pair has
the largest similarity of its row. One number, max + ln(sum) ≈ 100, would round it away in float32.
"""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

EPS = 1e-12  # the least length by which ``normalize`` divides


def chunked_contrastive_loss(
    image: Float[Tensor, "n d"], text: Float[Tensor, "n d"], log_scale: Float[Tensor, ""], chunk: int
) -> Float[Tensor, ""]:
    r"""Figure 3: ``contrastive_loss(pairwise_similarity(image, text, log_scale))`` without the n × n matrix.

    .. math::
        L = \frac{1}{2n} \sum_i \left( \ln \sum_j e^{S_{ij}} + \ln \sum_j e^{S_{ji}} - 2 S_{ii} \right)

    Args:
        chunk: how many rows of S there are at a time. The memory beside features and gradients is that of
            2 ``chunk`` × n numbers; the result does not depend on it.

    Raises:
        ValueError: if the two have different shapes, or ``chunk`` is below 1.
    """
    if image.ndim != 2 or image.shape != text.shape:
        raise ValueError(f"image and text must both be (n, d), got {tuple(image.shape)} and {tuple(text.shape)}")
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1 row, got {chunk}")
    return ChunkedContrastiveLoss.apply(image, text, log_scale, chunk)


class ChunkedContrastiveLoss(Function):
    """The two passes. Its gradient has no gradient itself."""

    @staticmethod
    def forward(
        ctx: Any, image: Float[Tensor, "n d"], text: Float[Tensor, "n d"], log_scale: Float[Tensor, ""], chunk: int
    ) -> Float[Tensor, ""]:
        n, _ = image.shape  # n pairs
        image_length, text_length = length(image), length(text)  # (n,) each
        row_max, row_sum, diagonal = (image.new_empty(n) for _ in range(3))
        column_max, column_sum = image.new_full((n,), -torch.inf), image.new_zeros(n)
        for rows in chunks(n, chunk):
            unit = image[rows] / image_length[rows, None]  # (c, d)
            similarity = (log_scale.exp() * unit @ text.T).div_(text_length)  # S_ij, (c, n)
            diagonal[rows] = similarity.diagonal(rows.start)  # S_ii
            row_max[rows] = similarity.amax(dim=1)  # max_j S_ij
            row_sum[rows] = (similarity - row_max[rows, None]).exp_().sum(dim=1)  # Σ_j e^(S_ij - max)
            larger = column_max.maximum(similarity.amax(dim=0))  # max_i S_ij, of the rows until now
            column_sum.mul_((column_max - larger).exp_())  # the sum until now, below the new maximum
            column_sum.add_(similarity.sub_(larger).exp_().sum(dim=0))  # Σ_i e^(S_ij - max)
            column_max = larger
        sums = row_max, row_sum, column_max, column_sum
        ctx.save_for_backward(image, text, log_scale, image_length, text_length, *sums)
        ctx.chunk = chunk
        loss_of_images = row_max - diagonal + row_sum.log()  # -ln P_row,ii
        loss_of_texts = column_max - diagonal + column_sum.log()  # -ln P_col,ii
        return (loss_of_images + loss_of_texts).mean() / 2

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, gradient: Float[Tensor, ""]
    ) -> tuple[Float[Tensor, "n d"], Float[Tensor, "n d"], Float[Tensor, ""], None]:
        image, text, log_scale, image_length, text_length, row_max, row_sum, column_max, column_sum = ctx.saved_tensors
        n, _ = image.shape
        of_image, of_text, of_log_scale = torch.empty_like(image), torch.zeros_like(text), torch.zeros_like(log_scale)
        for rows in chunks(n, ctx.chunk):
            unit = image[rows] / image_length[rows, None]  # û_i, (c, d)
            similarity = (log_scale.exp() * unit @ text.T).div_(text_length)  # S_ij again, (c, n)
            of_cosine = (similarity - row_max[rows, None]).exp_().div_(row_sum[rows, None])  # P_row
            of_cosine.add_(similarity.sub_(column_max).exp_().div_(column_sum))  # + P_col
            of_cosine.diagonal(rows.start).sub_(2)  # - 2I
            of_cosine.mul_(gradient * log_scale.exp() / (2 * n))  # ∂L/∂(û_i · v̂_j) = e^t ∂L/∂S_ij
            of_text.addmm_(of_cosine.T, unit)  # ∂L/∂v̂_j = Σ_i e^t ∂L/∂S_ij û_i
            of_unit = of_cosine.div_(text_length) @ text  # ∂L/∂û_i = Σ_j e^t ∂L/∂S_ij v̂_j, (c, d)
            of_log_scale += (unit * of_unit).sum()  # ∂L/∂t = Σ_ij ∂L/∂S_ij S_ij = Σ_i û_i · ∂L/∂û_i
            of_image[rows] = through_normalize(of_unit, unit, image_length[rows])
        for rows in chunks(n, ctx.chunk):
            unit = text[rows] / text_length[rows, None]
            of_text[rows] = through_normalize(of_text[rows], unit, text_length[rows])
        return of_image, of_text, of_log_scale, None


def chunks(n: int, chunk: int) -> Iterator[slice]:
    """Neighbouring rows, ``chunk`` at a time; the last chunk has what is left."""
    return (slice(start, start + chunk) for start in range(0, n, chunk))


def length(features: Float[Tensor, "n d"]) -> Float[Tensor, " n"]:
    """What ``normalize`` divides each row by."""
    return features.norm(dim=1).clamp_min(EPS)


def through_normalize(
    gradient: Float[Tensor, "c d"], unit: Float[Tensor, "c d"], length: Float[Tensor, " c"]
) -> Float[Tensor, "c d"]:
    r""":math:`\partial L/\partial u = (g - \hat u\,(\hat u \cdot g)) / \lVert u \rVert`.

    g is the gradient with respect to the unit vector :math:`\hat u = u / \lVert u \rVert`.
    """
    along = (unit * gradient).sum(dim=1, keepdim=True)  # û · g: a longer u has the same û
    return (gradient - along * unit) / length[:, None]
