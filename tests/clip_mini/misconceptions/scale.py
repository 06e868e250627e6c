"""Wrong ways to the same loss at scale that people really write. Each must fail the tests of ``extensions.chunked`` or
of ``extensions.parallel``."""

import torch
import torch.distributed as dist
from torch.nn.functional import cross_entropy

from clip_mini.extensions.parallel import gather_features
from clip_mini.loss import contrastive_loss, pairwise_similarity
from lab.distributed import processes

# In chunks: (image, text, log_scale, chunk) to the loss of all pairs.


def mean_over_chunks(image, text, log_scale, chunk):
    """Tempting because it is gradient accumulation, which is exact for other losses; here a chunk has fewer
    negatives."""
    parts = zip(image.split(chunk), text.split(chunk), strict=True)
    sums = [len(one) * contrastive_loss(pairwise_similarity(one, other, log_scale)) for one, other in parts]
    return sum(sums) / len(image)


def rows_only(image, text, log_scale, chunk):
    """Tempting because a row is complete in its chunk, and a column is not; the loss then has one direction."""
    total = 0
    for start in range(0, len(image), chunk):
        rows = pairwise_similarity(image[start : start + chunk], text, log_scale)
        labels = torch.arange(start, start + len(rows))
        total = total + cross_entropy(rows, labels, reduction="sum")
    return total / len(image)


def columns_within_the_chunk(image, text, log_scale, chunk):
    """Tempting because both losses are then computed from the same block; a text meets the images of its chunk only."""
    total = 0
    for start in range(0, len(image), chunk):
        rows = pairwise_similarity(image[start : start + chunk], text, log_scale)
        own = rows[:, start : start + len(rows)]
        total = total + cross_entropy(rows, torch.arange(start, start + len(rows)), reduction="sum")
        total = total + cross_entropy(own.T, torch.arange(len(rows)), reduction="sum")
    return total / (2 * len(image))


def shifted_by_the_scale(image, text, log_scale, chunk):
    """Tempting because no similarity is above e^t, so that one shift serves all; where all are far below, e^(S - e^t)
    is 0 in float32, and the loss infinite."""
    similarity = pairwise_similarity(image, text, log_scale)
    shifted = (similarity - log_scale.exp()).exp()
    both = shifted.sum(dim=1).log() + shifted.sum(dim=0).log()
    return (both / 2 + log_scale.exp() - similarity.diagonal()).mean()


def scale_not_learned(image, text, log_scale, chunk):
    """Tempting because the scale looks like a constant of the loss; the gradient of t is then lost."""
    return contrastive_loss(pairwise_similarity(image, text, log_scale.detach())) + 0 * log_scale


def norm_without_gradient(image, text, log_scale, chunk):
    """Tempting because encoders give unit vectors already; their gradient then has a part along the vector, which only
    the norm takes away."""
    image, text = (features / features.detach().norm(dim=1, keepdim=True) for features in (image, text))
    return contrastive_loss(log_scale.exp() * image @ text.T)


# Across processes: (image, text, log_scale), the features of the own pairs, to the loss of this process.


def _gathered(features):
    parts = [torch.empty_like(features) for _ in range(processes().count)]
    dist.all_gather(parts, features.detach().contiguous())
    return parts


def gathered_without_gradient(image, text, log_scale):
    """Tempting because ``torch.distributed.all_gather`` does it silently; the encoders are then not trained at all."""
    both = (torch.cat(_gathered(features)) for features in (image, text))
    anchor = 0 * (image.sum() + text.sum())  # or autograd would notice
    return contrastive_loss(pairwise_similarity(*both, log_scale)) + anchor


def _own_with_gradient(features):
    parts = _gathered(features)
    parts[processes().rank] = features
    return torch.cat(parts)


def factor_forgotten(image, text, log_scale):
    """Tempting because the own part, put back among the gathered ones, has its whole gradient; DDP's mean then divides
    it by the number of processes."""
    both = (_own_with_gradient(features) for features in (image, text))
    return contrastive_loss(pairwise_similarity(*both, log_scale))


def factor_on_the_loss(image, text, log_scale):
    """Tempting because it repairs ``factor_forgotten`` for the encoders; ``log_scale`` then learns N times too fast."""
    return processes().count * factor_forgotten(image, text, log_scale)


def local_negatives_only(image, text, log_scale):
    """Tempting because it is what DDP does for other losses, and nothing is gathered; each process has fewer
    negatives."""
    return contrastive_loss(pairwise_similarity(image, text, log_scale))


def _own_rows(image, text, log_scale, first):
    all_images, all_texts = gather_features(image), gather_features(text)
    labels = first + torch.arange(len(image))
    of_images = cross_entropy(pairwise_similarity(image, all_texts, log_scale), labels)
    of_texts = cross_entropy(pairwise_similarity(text, all_images, log_scale), labels)
    return (of_images + of_texts) / 2


def own_rows(image, text, log_scale):
    """Right: each process has the loss of its own rows, with the labels that its pairs have in the whole batch. The
    mean of these losses is L, and the sum in the backward pass is of unequal numbers."""
    return _own_rows(image, text, log_scale, first=processes().rank * len(image))


def labels_without_offset(image, text, log_scale):
    """Tempting because the own rows are 0 … n - 1 here; in all processes but the first, they are the others' pairs."""
    return _own_rows(image, text, log_scale, first=0)


# What each process takes of the batch.


def the_whole_batch(batch):
    """Tempting because a loop written for one process runs unchanged; after the gathering each pair is there N times,
    as its own false negative."""
    return batch


def the_same_rows(batch):
    """Tempting because ``[: n // N]`` looks like a share; the other rows are never seen."""
    return tuple(tensor[: len(tensor) // processes().count] for tensor in batch)


CHUNKED = (
    mean_over_chunks,
    rows_only,
    columns_within_the_chunk,
    shifted_by_the_scale,
    scale_not_learned,
    norm_without_gradient,
)
PARALLEL = (
    gathered_without_gradient,
    factor_forgotten,
    factor_on_the_loss,
    local_negatives_only,
    labels_without_offset,
)
SHARES = (the_whole_batch, the_same_rows)
