"""Wrong losses and similarities that people really write. Each must fail the tests of ``clip_mini.loss``."""

import torch
from torch.nn.functional import cross_entropy, normalize

from clip_mini.loss import pairwise_similarity


def _labels(similarity):
    return torch.arange(len(similarity))


def one_direction_only(similarity):
    """Tempting because it is the usual cross-entropy; one text may then be the nearest of all images."""
    return cross_entropy(similarity, _labels(similarity))


def columns_twice(similarity):
    """Tempting because ``axis=0`` and ``axis=1`` of figure 3 are easily mixed up; one direction is never trained."""
    return (cross_entropy(similarity.T, _labels(similarity)) + cross_entropy(similarity.T, _labels(similarity))) / 2


def sum_of_both(similarity):
    """Tempting because two losses are added; at equal similarities it starts at 2 ln n."""
    return cross_entropy(similarity, _labels(similarity)) + cross_entropy(similarity.T, _labels(similarity))


def sum_over_the_batch(similarity):
    """Tempting because likelihoods multiply; the learning rate then depends on the batch size."""
    labels = _labels(similarity)
    both = cross_entropy(similarity, labels, reduction="sum") + cross_entropy(similarity.T, labels, reduction="sum")
    return both / 2


def softmax_twice(similarity):
    """Tempting because a network should give probabilities; ``cross_entropy`` takes logits and does it itself."""
    labels = _labels(similarity)
    return (cross_entropy(similarity.softmax(dim=1), labels) + cross_entropy(similarity.softmax(dim=0).T, labels)) / 2


def one_softmax_over_all_pairs(similarity):
    """Tempting because it is one line; the pairs of a batch then compete with each other."""
    return similarity.logsumexp(dim=(0, 1)) - similarity.diagonal().mean()


def without_the_own_pair(similarity):
    """Tempting because a pair is not its own negative; the loss then has no lower bound."""
    others = similarity.masked_fill(torch.eye(len(similarity), dtype=torch.bool), -torch.inf)
    own = similarity.diagonal()
    return ((others.logsumexp(dim=1) - own) + (others.logsumexp(dim=0) - own)).mean() / 2


def probabilities_before_the_logarithm(similarity):
    """Tempting because the equation reads so; with logits of ±1000, e^S is infinite."""
    powers = similarity.exp()
    own = powers.diagonal()
    return -((own / powers.sum(dim=1)).log() + (own / powers.sum(dim=0)).log()).mean() / 2


def no_normalisation(image, text, log_scale):
    """Tempting because a dot product is a similarity; a long vector is then near to everything."""
    return log_scale.exp() * image @ text.T


def normalised_over_the_batch(image, text, log_scale):
    """Tempting because ``dim=0`` runs as well; each dimension then has unit length, and no vector has."""
    return log_scale.exp() * normalize(image, dim=0) @ normalize(text, dim=0).T


def divided_by_the_scale(image, text, log_scale):
    """Tempting because a temperature divides; figure 3 has the logarithm of its inverse, which multiplies."""
    return normalize(image, dim=-1) @ normalize(text, dim=-1).T / log_scale.exp()


def the_scale_itself(image, text, log_scale):
    """Tempting because it saves an ``exp``; the scale could then become negative, and nearest would be furthest."""
    return log_scale * normalize(image, dim=-1) @ normalize(text, dim=-1).T


def texts_times_images(image, text, log_scale):
    """Tempting because the loss is symmetric; row i is then text i, and recall is that of the other direction."""
    return pairwise_similarity(text, image, log_scale)


def pushed_by_one_side(similarity):
    """Tempting because the gradient of one softmax is p - 1 on the diagonal; here there are two softmaxes."""
    identity = torch.eye(len(similarity), dtype=similarity.dtype)
    return (similarity.softmax(dim=1) - identity) / len(similarity)


LOSSES = (
    one_direction_only, columns_twice, sum_of_both, sum_over_the_batch, softmax_twice, one_softmax_over_all_pairs,
    without_the_own_pair, probabilities_before_the_logarithm,
)  # fmt: skip
SIMILARITIES = (
    no_normalisation, normalised_over_the_batch, divided_by_the_scale, the_scale_itself, texts_times_images
)  # fmt: skip
GRADIENTS = (pushed_by_one_side,)
