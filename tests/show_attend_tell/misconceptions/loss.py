"""Wrong losses that people really write. Each must fail the tests of ``show_attend_tell.loss``."""

import torch
from torch.nn.functional import cross_entropy

from show_attend_tell.loss import PAD, doubly_stochastic

# of the words


def padding_counts_too(logits, targets):
    """Tempting because it is the default; the model then learns to write <pad>, and long captions weigh less."""
    return cross_entropy(logits.flatten(0, -2), targets.flatten())


def mean_of_the_captions_means(logits, targets):
    """Tempting because "the loss of a caption" is a mean too; each word of a short caption then weighs more."""
    means = [caption_mean(*pair) for pair in zip(logits.flatten(0, -3), targets.flatten(0, -2), strict=True)]
    return torch.stack(means).mean()


def caption_mean(logits, targets):
    return cross_entropy(logits, targets, ignore_index=PAD)


def divided_by_all_places_of_the_batch(logits, targets):
    """Tempting because ``mean()`` comes last; padding then makes the loss smaller."""
    losses = cross_entropy(logits.flatten(0, -2), targets.flatten(), ignore_index=PAD, reduction="none")
    return losses.mean()


def logits_are_probabilities(logits, targets):
    """Tempting because equation 7 gives probabilities; ``cross_entropy`` takes the softmax itself."""
    return cross_entropy(logits.softmax(dim=-1).flatten(0, -2), targets.flatten(), ignore_index=PAD)


def the_end_is_no_word(logits, targets):
    """Tempting because <end> is not in the caption; without it the model never learns to stop."""
    return cross_entropy(logits.flatten(0, -2), targets.flatten().where(targets.flatten() != 2, PAD), ignore_index=PAD)


def logits_transposed_by_view(logits, targets):
    """Tempting because ``cross_entropy`` wants the words in the second axis, and ``view`` gives this shape."""
    swapped = logits.flatten(0, -3)
    n, t, words = swapped.shape
    return cross_entropy(swapped.reshape(n, words, t), targets.flatten(0, -2), ignore_index=PAD)


WORDS = (
    padding_counts_too,
    mean_of_the_captions_means,
    divided_by_all_places_of_the_batch,
    logits_are_probabilities,
    the_end_is_no_word,
    logits_transposed_by_view,
)

# of the attention


def _is_word(weights, lengths):
    return (torch.arange(weights.shape[1]) < lengths[:, None])[..., None]


def padding_looks_too(weights, lengths):
    """Tempting because the authors' code has no mask; the steps after <end> then bring the sums up to 1."""
    return (1 - weights.sum(dim=1)).square().sum(dim=-1)


def summed_over_the_places(weights, lengths):
    """Tempting because the softmax has this sum; it is 1 for each word already, and the penalty never changes."""
    return ((1 - weights.sum(dim=-1)).square() * _is_word(weights, lengths)[..., 0]).sum(dim=-1)


def mean_over_the_places(weights, lengths):
    """Tempting because losses are means; λ then depends on the size of the grid."""
    return doubly_stochastic(weights, lengths) / weights.shape[-1]


def mean_over_the_words(weights, lengths):
    """Tempting because long captions look more; but 1 is asked of the sum over the words."""
    attention = (weights * _is_word(weights, lengths)).sum(dim=1) / lengths[:, None]
    return (1 - attention).square().sum(dim=-1)


def absolute_difference(weights, lengths):
    """Tempting because it is "how far from 1"; with C < L its least value is L − C, and all attention reaches it."""
    return (1 - (weights * _is_word(weights, lengths)).sum(dim=1)).abs().sum(dim=-1)


def square_of_the_sum(weights, lengths):
    """Tempting because sum and square are written in one line; Σ_i (1 − s_i) is L − C whatever the model does."""
    return (1 - (weights * _is_word(weights, lengths)).sum(dim=1)).sum(dim=-1).square()


def start_counts_as_a_word(weights, lengths):
    """Tempting because the caption has one id more than it has predictions."""
    return doubly_stochastic(weights, lengths + 1)


PENALTIES = (
    padding_looks_too,
    summed_over_the_places,
    mean_over_the_places,
    mean_over_the_words,
    absolute_difference,
    square_of_the_sum,
    start_counts_as_a_word,
)
