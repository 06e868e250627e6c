"""Wrong losses of skip-gram that people really write. Each must fail the tests of ``word2vec.loss``."""

import torch
from torch.nn.functional import cross_entropy, logsigmoid

from word2vec.loss import negative_sampling_loss, softmax_loss


def sigmoid_then_log(positive_scores, noise_scores):
    """Tempting because equation 4 reads so; if a score is far from 0, σ is 0 or 1 and the loss is infinite."""
    return -(positive_scores.sigmoid().log() + (1 - noise_scores.sigmoid()).log().sum(dim=1)).mean()


def an_epsilon_in_the_log(positive_scores, noise_scores):
    """Tempting because it avoids the infinity; the gradient of the worst pairs is then lost, too."""
    epsilon = 1e-7
    noise = ((-noise_scores).sigmoid() + epsilon).log().sum(dim=1)
    return -((positive_scores.sigmoid() + epsilon).log() + noise).mean()


def noise_with_the_sign_of_neighbours(positive_scores, noise_scores):
    """Tempting because both terms are ln σ(s); the score of a noise word has a minus sign."""
    return negative_sampling_loss(positive_scores, -noise_scores)


def mean_over_the_noise(positive_scores, noise_scores):
    """Tempting because losses are means; equation 4 sums over k words, and k is the shift ln k of the optimum."""
    return -(logsigmoid(positive_scores) + logsigmoid(-noise_scores).mean(dim=1)).mean()


def mean_over_all_answers(positive_scores, noise_scores):
    """Tempting because binary_cross_entropy takes means; it divides equation 4 by k + 1."""
    return negative_sampling_loss(positive_scores, noise_scores) / (1 + noise_scores.shape[1])


def summed_over_the_batch(positive_scores, noise_scores):
    """Tempting because the paper's objective is a sum; the learning rate then depends on the batch size."""
    return negative_sampling_loss(positive_scores, noise_scores) * len(positive_scores)


def sum_before_the_sigmoid(positive_scores, noise_scores):
    """Tempting because sums commute with nearly everything; ln σ of a sum is not the sum of ln σ."""
    return -(logsigmoid(positive_scores) + logsigmoid(-noise_scores.sum(dim=1))).mean()


def softmax_twice(scores, contexts):
    """Tempting because a network should give probabilities; cross_entropy takes scores and does it itself."""
    return cross_entropy(scores.softmax(dim=1), contexts)


def softmax_over_the_batch(scores, contexts):
    """Tempting because other losses contrast within a batch; words outside the batch then have no part in the sum."""
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
    mean_over_all_answers,
    summed_over_the_batch,
    sum_before_the_sigmoid,
)
SOFTMAX = (
    softmax_twice,
    softmax_over_the_batch,
    softmax_over_the_wrong_axis,
    softmax_in_bits,
    softmax_unshifted,
)
