r"""Other losses for pairs of image and text: the relatives of figure 3's contrastive loss.

All but one compare all images of a batch with all texts. ``similarity[i, j]`` is the cosine of image i and text j, and
text i belongs to image i: n pairs are on the diagonal, and n(n - 1) mismatched pairs beside it.

- ``sigmoid_loss``: SigLIP (Zhai et al. 2023, arXiv 2303.15343, section 3.2 and algorithm 1). Each of the n² pairs is a
  question of its own: does the text belong to the image?
- ``devise_loss``: DeViSE (Frome et al. 2013, equation 1). For each image, the right text is ahead of every wrong one by
  a margin.
- ``ranking_loss``: the same in both directions (Kiros et al. 2014, arXiv 1411.2539, section 2.2).
- ``hardest_negative_loss``: only the worst of the wrong ones counts (VSE++, Faghri et al. 2018, arXiv 1707.05612,
  section 3.2).
- ``cosine_loss`` and ``semantic_loss``: images and recipes (Salvador et al. 2017; Marin et al. 2019, arXiv 1810.06553).
  A cosine has a target, and a classifier that both sides share says what kind of dish it is.

What differs from the papers: the wrong texts and images are those of the batch, all of them. DeViSE draws wrong labels
until one violates the margin, and its label vectors are frozen vectors of words. Sums over images are means over the
images of a batch, so that the learning rate does not depend on its size. Salvador et al. draw 20% matched and 80%
mismatched pairs; here all pairs count, with weights that give the expectation of that draw.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid

BACKGROUND = 0  # the class of what has no class: the classifier does not learn from it


def sigmoid_loss_spec(
    similarity: Float[Tensor, "n n"], log_scale: Float[Tensor, ""], bias: Float[Tensor, ""]
) -> Float[Tensor, ""]:
    r"""Zhai et al. 2023, section 3.2, as two loops.

    .. math::
        L = -\frac{1}{n} \sum_i \sum_j \ln \frac{1}{1 + e^{z_{ij} (-t \, x_i \cdot y_j - b)}}

    where :math:`t = e^{t'}`, and :math:`z_{ij}` is 1 for a pair and -1 for the others. The paper prints + b in section
    3.2. Its algorithm 1, with b = -10 at the start, has the sign used here.
    """
    n, _ = similarity.shape  # n pairs
    losses = []
    for i in range(n):
        for j in range(n):
            z = 1 if i == j else -1
            losses.append(torch.log1p(torch.exp(z * (-log_scale.exp() * similarity[i, j] - bias))))
    return torch.stack(losses).sum() / n


def sigmoid_loss(
    similarity: Float[Tensor, "n n"], log_scale: Float[Tensor, ""], bias: Float[Tensor, ""]
) -> Float[Tensor, ""]:
    r"""Zhai et al. 2023, algorithm 1: :math:`-\frac{1}{n} \sum_{ij} \ln \sigma(z_{ij} (e^{t'} S_{ij} + b))`, in nats.

    ``log_scale`` is t', ``bias`` is b. The sum has n² terms and is divided by n, the number of pairs.
    """
    n, _ = similarity.shape
    logits = log_scale.exp() * similarity + bias  # (n, n)
    labels = 2 * torch.eye(n, dtype=logits.dtype, device=logits.device) - 1  # z_ij: 1 on the diagonal, -1 elsewhere
    return -logsigmoid(labels * logits).sum() / n


def devise_loss_spec(similarity: Float[Tensor, "n n"], margin: float) -> Float[Tensor, ""]:
    r"""Frome et al. 2013, equation 1, as loops; the mean over the images i.

    .. math::
        L_i = \sum_{j \neq i} \max(0, \mathrm{margin} - S_{ii} + S_{ij})
    """
    n, _ = similarity.shape
    losses = [(margin - similarity[i, i] + similarity[i, j]).relu() for i in range(n) for j in range(n) if j != i]
    return torch.stack(losses).sum() / n


def violations(similarity: Float[Tensor, "n n"], margin: float) -> Float[Tensor, "n n"]:
    r""":math:`\max(0, \mathrm{margin} - S_{ii} + S_{ij})`: what text j lacks to be behind text i; 0 on the diagonal."""
    n, _ = similarity.shape
    own = similarity.diagonal()[:, None]  # (n, 1): S_ii, of each image with its own text
    itself = torch.eye(n, dtype=torch.bool, device=similarity.device)
    return (margin - own + similarity).relu().masked_fill(itself, 0.0)  # (n, n)


def devise_loss(similarity: Float[Tensor, "n n"], margin: float) -> Float[Tensor, ""]:
    r"""Frome et al. 2013, equation 1: the mean over i of :math:`\sum_{j \neq i} \max(0, margin - S_{ii} + S_{ij})`."""
    return violations(similarity, margin).sum(dim=1).mean()  # over the wrong texts, then over the images


def ranking_loss_spec(similarity: Float[Tensor, "n n"], margin: float) -> Float[Tensor, ""]:
    r"""Kiros et al. 2014, section 2.2, the pairwise ranking loss, as loops; :math:`\alpha` is the margin.

    .. math::
        L = \frac{1}{n} \Big( \sum_i \sum_{k \neq i} \max(0, \alpha - S_{ii} + S_{ik})
            + \sum_i \sum_{k \neq i} \max(0, \alpha - S_{ii} + S_{ki}) \Big)
    """
    n, _ = similarity.shape
    losses = []
    for i in range(n):
        for k in range(n):
            if k != i:
                losses.append((margin - similarity[i, i] + similarity[i, k]).relu())  # text k is wrong for image i
                losses.append((margin - similarity[i, i] + similarity[k, i]).relu())  # image k is wrong for text i
    return torch.stack(losses).sum() / n


def ranking_loss(similarity: Float[Tensor, "n n"], margin: float) -> Float[Tensor, ""]:
    """Kiros et al. 2014, section 2.2: wrong texts for each image, and wrong images for each text."""
    return devise_loss(similarity, margin) + devise_loss(similarity.T, margin)


def hardest_negative_loss_spec(similarity: Float[Tensor, "n n"], margin: float) -> Float[Tensor, ""]:
    r"""Faghri et al. 2018, section 3.2, the max of hinges, as loops; the mean over the pairs i.

    .. math::
        L_i = \max_{k \neq i} \max(0, \alpha - S_{ii} + S_{ik}) + \max_{k \neq i} \max(0, \alpha - S_{ii} + S_{ki})
    """
    n, _ = similarity.shape
    losses = []
    for i in range(n):
        others = [k for k in range(n) if k != i]
        losses.append(torch.stack([(margin - similarity[i, i] + similarity[i, k]).relu() for k in others]).amax())
        losses.append(torch.stack([(margin - similarity[i, i] + similarity[k, i]).relu() for k in others]).amax())
    return torch.stack(losses).sum() / n


def hardest_negative_loss(similarity: Float[Tensor, "n n"], margin: float) -> Float[Tensor, ""]:
    """Faghri et al. 2018, section 3.2: of the wrong texts the nearest one, and of the wrong images the nearest one."""
    return sum(violations(s, margin).amax(dim=1).mean() for s in (similarity, similarity.T))


def cosine_loss_spec(similarity: Float[Tensor, "n n"], margin: float, matched: float) -> Float[Tensor, ""]:
    r"""Salvador et al. 2017, the cosine embedding loss :math:`L_{cos}`, as loops.

    .. math::
        L_{cos}(i, j) = 1 - S_{ij} \text{ if } i = j, \quad \max(0, S_{ij} - \alpha) \text{ if not}

    ``matched`` is the share of matched pairs among those that are drawn: 0.2 in the paper.
    """
    n, _ = similarity.shape
    right = [1 - similarity[i, i] for i in range(n)]
    wrong = [(similarity[i, j] - margin).relu() for i in range(n) for j in range(n) if i != j]
    return matched * sum(right) / len(right) + (1 - matched) * sum(wrong) / len(wrong)


def cosine_loss(similarity: Float[Tensor, "n n"], margin: float, matched: float) -> Float[Tensor, ""]:
    """Salvador et al. 2017, the cosine embedding loss: its expectation over the draw of pairs."""
    n, _ = similarity.shape
    itself = torch.eye(n, dtype=torch.bool, device=similarity.device)
    wrong = (similarity - margin).relu().masked_fill(itself, 0.0).sum() / (n * (n - 1))  # the mean over i != j
    return matched * (1 - similarity.diagonal()).mean() + (1 - matched) * wrong


def semantic_loss_spec(
    image_logits: Float[Tensor, "n c"], text_logits: Float[Tensor, "n c"], classes: Int[Tensor, " n"]
) -> Float[Tensor, ""]:
    r"""Salvador et al. 2017, semantic regularisation :math:`L_{reg}`, as a loop over the pairs that have a class.

    .. math::
        L_{reg} = -\frac{1}{2m} \sum_{i:\, c_i \neq 0}
            \left( \ln \frac{e^{a_{i c_i}}}{\sum_c e^{a_{ic}}} + \ln \frac{e^{b_{i c_i}}}{\sum_c e^{b_{ic}}} \right)

    a are the logits of the images, b those of the texts, m is the number of pairs with a class.
    """
    losses = [
        logits[i].logsumexp(dim=0) - logits[i, c]
        for i, c in enumerate(classes.tolist())
        if c != BACKGROUND
        for logits in (image_logits, text_logits)
    ]
    return torch.stack(losses).mean() if losses else 0 * image_logits.sum()


def semantic_loss(
    image_logits: Float[Tensor, "n c"], text_logits: Float[Tensor, "n c"], classes: Int[Tensor, " n"]
) -> Float[Tensor, ""]:
    """Salvador et al. 2017: the mean of both sides' cross-entropies, over the pairs that have a class; in nats."""
    labelled = (classes != BACKGROUND).sum().clamp(min=1)  # where no pair has a class, the loss is 0
    both = torch.cat([image_logits, text_logits])  # (2n, c)
    return cross_entropy(both, classes.repeat(2), ignore_index=BACKGROUND, reduction="sum") / (2 * labelled)
