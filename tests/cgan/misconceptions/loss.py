"""Wrong versions of ``cgan/loss.py`` and ``cgan/theory.py``, each with the reason why it is tempting."""

import torch
from torch.nn.functional import logsigmoid, softplus


def value_of_logits_as_probabilities(real, fake):
    """Tempting because the equation says log D(x), and D is what the network returns; here that is a logit."""
    return real.clamp(1e-3, 1).log().mean() + (1 - fake).clamp(1e-3, 1).log().mean()


def both_called_real(real, fake):
    """Tempting because one line for both is shorter; the fakes need 1 − D, which is σ of the negative logit."""
    return logsigmoid(real).mean() + logsigmoid(fake).mean()


def labels_exchanged(real, fake):
    """Tempting because 0 and 1 are only names. Then the discriminator learns to call fakes real."""
    return logsigmoid(-real).mean() + logsigmoid(fake).mean()


def one_mean_of_all(real, fake):
    """Tempting because one batch of all is simpler; the two expectations are weighed by their numbers then."""
    return 2 * torch.cat([logsigmoid(real), logsigmoid(-fake)]).mean()


def clamped_value(real, fake):
    """Tempting because it avoids log 0. Where the clamp works, the gradient is gone, just where it is needed most."""
    return real.sigmoid().clamp(1e-3, 1 - 1e-3).log().mean() + (1 - fake.sigmoid().clamp(1e-3, 1 - 1e-3)).log().mean()


VALUES = (value_of_logits_as_probabilities, both_called_real, labels_exchanged, one_mean_of_all, clamped_value)


def minimax_in_its_place(fake):
    """Tempting because it is what equation 1 says; against a good discriminator it gives the generator no gradient."""
    return logsigmoid(-fake).mean()


def sign_forgotten(fake):
    """Tempting because the paper says "maximize log D(G(z))"; an optimizer makes its loss small."""
    return logsigmoid(fake).mean()


def sum_in_place_of_mean(fake):
    """Tempting because it works as well; the learning rate then depends on the batch size."""
    return softplus(-fake).sum()


NON_SATURATING = (minimax_in_its_place, sign_forgotten, sum_in_place_of_mean)


def non_saturating_in_its_place(fake):
    """Tempting because all code has it. It is no part of V: the generator's loss is not minus the discriminator's."""
    return -logsigmoid(fake).mean()


def minus_the_minimax(fake):
    """Tempting because a loss is "minus a log-likelihood"; the generator then helps the discriminator."""
    return -logsigmoid(-fake).mean()


MINIMAX = (non_saturating_in_its_place, minus_the_minimax)


def ratio(p, q):
    """Tempting because it is the density ratio; it is D / (1 − D) of the optimal discriminator."""
    return p / q


def of_the_generator(p, q):
    """Tempting because the formula is symmetric; this is the probability of a fake."""
    return q / (p + q)


OPTIMAL = (ratio, of_the_generator)


def kullback_leibler(p, q):
    """Tempting because it is what maximum likelihood makes small; it is not symmetric, and may be infinite."""
    return torch.special.xlogy(p, p / q).sum()


def without_the_halves(p, q):
    """Tempting because equation 5 has two divergences without the halves: their sum is twice the JSD."""
    m = (p + q) / 2
    return torch.special.xlogy(p, p / m).sum() + torch.special.xlogy(q, q / m).sum()


def of_the_sum(p, q):
    """Tempting because D* has p + q without the half; the mixture is (p + q)/2."""
    return (torch.special.xlogy(p, p / (p + q)) / 2 + torch.special.xlogy(q, q / (p + q)) / 2).sum()


DIVERGENCES = (kullback_leibler, without_the_halves, of_the_sum)
