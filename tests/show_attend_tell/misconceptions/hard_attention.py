"""Wrong estimators of hard attention that people really write. Each must fail the tests of
``show_attend_tell.extensions.hard_attention``."""


def reward_with_a_gradient(terms, baseline, weight=1.0, entropy_weight=0.0):
    """Tempting because ``detach`` is easily forgotten; log p(s | a) then multiplies the gradient of the words."""
    return terms.log_p + weight * (terms.log_p - baseline) * terms.log_path + entropy_weight * terms.entropy


def only_reinforce(terms, baseline, weight=1.0, entropy_weight=0.0):
    """Tempting because reinforcement learning knows only the reward; here the words have a gradient of their own."""
    return weight * (terms.log_p.detach() - baseline) * terms.log_path + entropy_weight * terms.entropy


def only_the_words(terms, baseline, weight=1.0, entropy_weight=0.0):
    """Tempting because autograd "takes care"; nothing goes through a drawn place, and attention learns nothing."""
    return terms.log_p + entropy_weight * terms.entropy


def loss_in_place_of_the_reward(terms, baseline, weight=1.0, entropy_weight=0.0):
    """Tempting because a loss is at hand; its sign is the other one, and bad paths become probable."""
    return terms.log_p + weight * (-terms.log_p.detach() - baseline) * terms.log_path


def probability_in_place_of_its_logarithm(terms, baseline, weight=1.0, entropy_weight=0.0):
    """Tempting because p(s | a) is what should grow; a probable path would then learn more, twice."""
    advantage = terms.log_p.detach() - baseline
    return terms.log_p + weight * advantage * terms.log_path.exp() + entropy_weight * terms.entropy


def own_sample_in_the_baseline(terms, baseline, weight=1.0, entropy_weight=0.0):
    """Tempting because b_k, with the batch's own log p, is the newest; the second part is then 10%/n too small (n
    captions in the batch)."""
    baseline = 0.9 * baseline + 0.1 * terms.log_p.detach()
    return terms.log_p + weight * (terms.log_p.detach() - baseline) * terms.log_path + entropy_weight * terms.entropy


def divided_by_the_baseline(terms, baseline, weight=1.0, entropy_weight=0.0):
    """Tempting because rewards are often normalised; a number that is not subtracted changes the expectation."""
    return terms.log_p + weight * terms.log_p.detach() / baseline.abs().clamp(min=0.5) * terms.log_path


ESTIMATORS = (
    reward_with_a_gradient,
    only_reinforce,
    only_the_words,
    loss_in_place_of_the_reward,
    probability_in_place_of_its_logarithm,
    own_sample_in_the_baseline,
    divided_by_the_baseline,
)


def entropy_lowered(terms, baseline, weight=1.0, entropy_weight=0.0):
    """Tempting because "regularisation is added to the loss"; entropy must grow, so that all places are tried."""
    advantage = terms.log_p.detach() - baseline
    return terms.log_p + weight * advantage * terms.log_path - entropy_weight * terms.entropy


ENTROPIES = (entropy_lowered,)
