"""Wrong forms of self-critical training that people really write. Each must fail the tests of
``show_attend_tell.extensions.self_critical``."""

from show_attend_tell.decode import log_probabilities
from show_attend_tell.extensions.self_critical import self_critical_loss
from show_attend_tell.loss import PAD


def own_reward_in_the_baseline(rewards):
    """Tempting because the mean over all is shorter; the gradient is then too small by the factor (k - 1) / k."""
    return rewards - rewards.mean(dim=1, keepdim=True)


def mean_of_the_batch(rewards):
    """Tempting because one number is simpler; with one image it has the own reward too, and with many it says which
    images are hard."""
    return rewards - rewards.mean()


def others_of_the_batch(rewards):
    """Tempting because the own reward is left out; but captions of an easy image then all look good."""
    return rewards - (rewards.sum() - rewards) / (rewards.numel() - 1)


def divided_by_the_deviation(rewards):
    """Tempting because advantages are normalised elsewhere; images with nearly equal rewards then learn most."""
    others = (rewards.sum(dim=1, keepdim=True) - rewards) / (rewards.shape[1] - 1)
    return (rewards - others) / (rewards.std(dim=1, keepdim=True) + 1e-6)


def wrong_sign(logits, targets, advantage):
    """Tempting because a loss is made small; captions with a high reward then become less probable."""
    return -self_critical_loss(logits, targets, advantage)


def mean_over_words(logits, targets, advantage):
    """Tempting because caption losses are means over words; long captions then learn less than short ones."""
    log_p = log_probabilities(logits).log_softmax(dim=-1).gather(-1, targets[..., None])[..., 0]
    words = targets != PAD
    return -(advantage * log_p.where(words, 0).sum(dim=-1) / words.sum(dim=-1)).mean()


def all_words_of_the_softmax(logits, targets, advantage):
    """Tempting because it is the usual log p; <unknown> was never drawn, so the drawing had other probabilities."""
    log_p = logits.log_softmax(dim=-1).gather(-1, targets[..., None])[..., 0]
    return -(advantage * log_p.masked_fill(targets == PAD, 0).sum(dim=-1)).mean()


def probability_in_place_of_its_logarithm(logits, targets, advantage):
    """Tempting because p(w) is what should grow; probable captions then learn twice."""
    log_p = log_probabilities(logits).log_softmax(dim=-1).gather(-1, targets[..., None])[..., 0]
    return -(advantage * log_p.masked_fill(targets == PAD, 0).sum(dim=-1).exp()).mean()
