"""Wrong losses of skip-gram that people really write. Each must fail the tests of ``word2vec.loss``."""

import torch
from torch.nn.functional import cross_entropy, logsigmoid

from word2vec.loss import negative_sampling_loss, softmax_loss


def sigmoid_then_log(positive, negative, negatives):
    """Tempting because equation 4 reads so; where a score is far from 0, σ is 0 or 1 and the loss is infinite."""
    return -(positive.sigmoid().log() + negatives * (1 - negative.sigmoid()).log().mean(dim=1)).mean()


def an_epsilon_in_the_log(positive, negative, negatives):
    """Tempting because it silences the infinity; the gradient of the worst pairs is then gone as well."""
    epsilon = 1e-7
    return -(
        (positive.sigmoid() + epsilon).log() + negatives * ((-negative).sigmoid() + epsilon).log().mean(dim=1)
    ).mean()


def noise_with_the_sign_of_neighbours(positive, negative, negatives):
    """Tempting because both are ln σ(s); noise is to be told apart, so its score stands with a minus."""
    return negative_sampling_loss(positive, -negative, negatives)


def mean_over_the_noise(positive, negative, negatives):
    """Tempting because losses are means; equation 4 sums over k words, and k is the shift ln k of the optimum."""
    return negative_sampling_loss(positive, negative, 1)


def sum_over_the_noise(positive, negative, negatives):
    """Tempting because with k draws it is the same; with more draws it is their number that weighs, not k."""
    return negative_sampling_loss(positive, negative, negative.shape[1])


def mean_over_all_answers(positive, negative, negatives):
    """Tempting because binary_cross_entropy takes means; it divides equation 4 by k + 1."""
    return negative_sampling_loss(positive, negative, negatives) / (negatives + 1)


def summed_over_the_batch(positive, negative, negatives):
    """Tempting because the paper's objective is a sum; the rate of learning then depends on the batch's size."""
    return negative_sampling_loss(positive, negative, negatives) * len(positive)


def mean_before_the_sigmoid(positive, negative, negatives):
    """Tempting because means commute with nearly everything; ln σ of a mean is not the mean of ln σ."""
    return -(logsigmoid(positive) + negatives * logsigmoid(-negative.mean(dim=1))).mean()


def softmax_twice(scores, contexts):
    """Tempting because a network should give probabilities; cross_entropy takes scores and does it itself."""
    return cross_entropy(scores.softmax(dim=1), contexts)


def softmax_over_the_batch(scores, contexts):
    """Tempting because other losses contrast within a batch; words that the batch does not hold are then free."""
    return cross_entropy(scores[:, contexts], torch.arange(len(contexts)))


def softmax_over_the_wrong_axis(scores, contexts):
    """Tempting because the sum over w looks like the sum over the first index; that one counts pairs."""
    return -scores.log_softmax(dim=0)[torch.arange(len(contexts)), contexts].mean()


def softmax_in_bits(scores, contexts):
    """Tempting because information is counted in bits; the first loss is then log2 V."""
    return softmax_loss(scores, contexts) / torch.tensor(2.0).log()


def softmax_unshifted(scores, contexts):
    """Tempting because it is equation 2; exp of a score of 1000 is infinite."""
    return (scores.exp().sum(dim=1).log() - scores.gather(1, contexts[:, None])[:, 0]).mean()


NEGATIVE_SAMPLING = (
    sigmoid_then_log,
    an_epsilon_in_the_log,
    noise_with_the_sign_of_neighbours,
    mean_over_the_noise,
    sum_over_the_noise,
    mean_over_all_answers,
    summed_over_the_batch,
    mean_before_the_sigmoid,
)
SOFTMAX = (
    softmax_twice,
    softmax_over_the_batch,
    softmax_over_the_wrong_axis,
    softmax_in_bits,
    softmax_unshifted,
)
