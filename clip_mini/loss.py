r"""The symmetric contrastive loss (Radford et al. 2021, arXiv 2103.00020, section 2.3 and figure 3).

A batch has n pairs of image and text. Every image is compared with every text. This gives n² cosine similarities. The
n on the diagonal belong to pairs; the others do not. For each image, a softmax over all texts should choose its own
text. For each text, a softmax over all images should choose its own image. The loss is the mean of both
cross-entropies, in nats.

What differs from the paper: nothing.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize


def pairwise_similarity(
    image: Float[Tensor, "n d"], text: Float[Tensor, "m d"], log_scale: Float[Tensor, ""]
) -> Float[Tensor, "n m"]:
    r"""Figure 3: :math:`S_{ij} = e^{t}\, \hat u_i \cdot \hat v_j`, where :math:`\hat u = u / \lVert u \rVert_2`.

    ``log_scale`` is t; :math:`e^{-t}` is the temperature. With n pairs, text i belongs to image i. Vectors of unit
    length stay as they are.
    """
    return log_scale.exp() * normalize(image, dim=-1) @ normalize(text, dim=-1).T  # (n, m); row i: image i, all texts


def contrastive_loss_spec(similarity: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    r"""The loss as two loops over its definition.

    .. math::
        L = \frac{1}{2n} \sum_i \left( -\ln \frac{e^{S_{ii}}}{\sum_j e^{S_{ij}}}
            - \ln \frac{e^{S_{ii}}}{\sum_j e^{S_{ji}}} \right)
    """
    n, _ = similarity.shape  # n pairs
    image_to_text = [similarity[i].logsumexp(dim=0) - similarity[i, i] for i in range(n)]  # row i: over the texts
    text_to_image = [similarity[:, i].logsumexp(dim=0) - similarity[i, i] for i in range(n)]  # column i: the images
    return torch.stack(image_to_text + text_to_image).mean()


def contrastive_loss(similarity: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    r"""Figure 3: the mean of two cross-entropies, over rows and over columns; the right class of row i is i.

    Args:
        similarity: of n images (rows) and their n texts (columns), from ``pairwise_similarity``.
    """
    labels = torch.arange(len(similarity), device=similarity.device)
    loss_of_images = cross_entropy(similarity, labels)  # rows: one image, all texts
    loss_of_texts = cross_entropy(similarity.T, labels)  # columns: one text, all images
    return (loss_of_images + loss_of_texts) / 2


def contrastive_gradient(similarity: Float[Tensor, "n n"]) -> Float[Tensor, "n n"]:
    r"""The closed form :math:`\partial L / \partial S = (P_{row} + P_{col} - 2I) / 2n`.

    P_row is the softmax over each row, P_col over each column. So a pair is pulled together by what its two
    probabilities lack to 1, and every other pair is pushed apart by its own two probabilities.
    """
    n, _ = similarity.shape
    identity = torch.eye(n, dtype=similarity.dtype, device=similarity.device)
    return (similarity.softmax(dim=1) + similarity.softmax(dim=0) - 2 * identity) / (2 * n)
