"""What the paper says → function → test

(8) a place is drawn with probability alpha   drawn               test_places_are_drawn_with_their_weights
(9) the context is that place's annotation    look_at             test_the_context_is_one_annotation
(10) L_s is a lower bound of log p(y | a)     lower_bound         test_the_bound
(11) its gradient                             reinforce           test_the_expectation_is_the_gradient
4.1 the moving-average baseline               moving_average      test_any_baseline, test_moving_average
4.1 the entropy, the expected context         reinforce, follow   test_bias_of_*
the loop, with all of them                    train_hard          test_the_loop_by_hand, test_training_finds_the_place
"""

import math
from collections.abc import Callable
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from show_attend_tell.decode import beam_search_one
from show_attend_tell.extensions.beam_search import beam_search
from show_attend_tell.extensions.hard_attention import (
    HardCaptioner,
    Terms,
    all_paths,
    along,
    drawn,
    drawn_or_expected,
    expected,
    expected_gradient,
    follow_all,
    gradient,
    log_likelihood,
    lower_bound,
    most_probable,
    moving_average,
    reinforce,
    terms_of,
    train_hard,
)
from show_attend_tell.loss import PAD
from show_attend_tell.model import lstm_cell
from tests.show_attend_tell.misconceptions import hard_attention as misconceptions
from tests.show_attend_tell.tiny import random_annotations, random_captioner
from tests.teach import check_close

NO_BASELINE = torch.zeros(()).double()
CASES = {"places": st.integers(1, 3), "words": st.integers(1, 3), "seed": st.integers(0, 10_000)}


def case(places: int, words: int, seed: int, scale: float = 0.7) -> tuple[HardCaptioner, Tensor, Tensor]:
    """A model, an image with this many places, and a caption of this many words behind <start>."""
    soft = random_captioner(7, 2, seed, attention=3, scale=scale)
    model = HardCaptioner(7, 2, embedding=3, hidden=5, attention=3).double().eval()
    model.load_state_dict(soft.state_dict(), strict=False)
    ids = torch.randint(2, 7, (1, words), generator=torch.Generator().manual_seed(seed))
    return model, random_annotations(1, places, 2, seed), torch.cat([torch.ones(1, 1, dtype=torch.int64), ids], dim=1)


@given(**CASES)
@settings(max_examples=15)
def test_the_bound(places: int, words: int, seed: int) -> None:
    """Equation 10 is Jensen's inequality. With one place there is one path, and both sides are equal."""
    arguments = case(places, words, seed)
    terms = follow_all(*arguments)
    check_close("the sum of p(s | a) over all paths", terms.log_path.exp().sum(), 1.0)
    low, high = lower_bound(*arguments), log_likelihood(*arguments)
    assert low <= high + 1e-12, f"L_s = {low:.6f} must be at most log p(y | a) = {high:.6f}"
    if places == 1:
        check_close("L_s with one path", low, high)


def check_expectation(estimator: Callable, places: int, words: int, seed: int, baseline: float) -> None:
    arguments = case(places, words, seed)
    exact = gradient(arguments[0], lower_bound(*arguments))
    b = torch.tensor(baseline).double()
    got = expected_gradient(*arguments, lambda terms: estimator(terms, b))
    check_close(f"equation 11, the expectation over all {places}^{words} paths with b = {baseline}", got, exact)


@given(**CASES)
@settings(max_examples=15)
def test_the_expectation_is_the_gradient(places: int, words: int, seed: int) -> None:
    check_expectation(reinforce, places, words, seed, 0.0)


@given(**CASES, baseline=st.floats(-9, 9))
@settings(max_examples=15)
def test_any_baseline(places: int, words: int, seed: int, baseline: float) -> None:
    """A number that does not depend on the path leaves the expectation as it is: it adds b times the derivative of
    the sum of all p(s | a), which is always 1."""
    check_expectation(reinforce, places, words, seed, baseline)


def second_part(arguments: tuple) -> Tensor:
    """The REINFORCE part of the expectation."""
    return expected_gradient(*arguments, lambda terms: terms.log_p.detach() * terms.log_path)


def bias(arguments: tuple, estimate: Callable[[Terms], Tensor], share: float = 0.0) -> Tensor:
    exact = gradient(arguments[0], lower_bound(*arguments))
    return expected_gradient(*arguments, estimate, share) - exact


def test_bias_of_the_own_sample_in_the_baseline() -> None:
    """b_k contains a tenth of the log p that it is subtracted from."""
    arguments = case(3, 2, 0)
    got = bias(arguments, lambda terms: misconceptions.own_sample_in_the_baseline(terms, NO_BASELINE))
    check_close("the bias of b_k", got, -0.1 * second_part(arguments))


def test_bias_of_the_weight() -> None:
    arguments = case(3, 2, 1)
    got = bias(arguments, lambda terms: reinforce(terms, NO_BASELINE, weight=0.25))
    check_close("the bias of lambda_r = 1/4", got, (0.25 - 1) * second_part(arguments))


def check_entropy(estimator: Callable) -> None:
    arguments = case(3, 2, 2)
    got = bias(arguments, lambda terms: estimator(terms, NO_BASELINE, entropy_weight=0.5))
    model = arguments[0]
    terms = follow_all(*arguments)
    entropy = gradient(model, (terms.log_path.exp().detach() * terms.entropy).sum())
    check_close("lambda_e times the expected gradient of H[s]", got, 0.5 * entropy)


def test_bias_of_the_entropy() -> None:
    check_entropy(reinforce)
    alone = case(1, 2, 0)
    check_close("with one place, the entropy", follow_all(*alone).entropy, torch.zeros(1, 1))


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_bias_of_the_expected_context(share: float) -> None:
    """The estimator is the gradient of soft attention for that share of captions. log p(s | a) has no part in it:
    sum_i alpha_i d log alpha_i = d sum_i alpha_i = 0."""
    arguments = model, annotations, caption = case(3, 3, 3)
    exact = gradient(model, lower_bound(*arguments))
    soft = random_captioner(7, 2, 3, attention=3, scale=0.7)
    log_p = soft(annotations, caption)[0].log_softmax(dim=-1)[0, range(3), caption[0, 1:]].sum()
    of_soft = torch.cat([slope.flatten() for slope in torch.autograd.grad(log_p, list(soft.parameters()))])
    b = torch.tensor(-2.5).double()
    got = bias(arguments, lambda terms: reinforce(terms, b), share)
    check_close(f"the bias with a share of {share}", got, share * (of_soft - exact))
    assert got.norm() > 1e-2 * exact.norm(), "the two gradients differ"


@pytest.mark.parametrize("seed", range(10))
def test_the_expected_context_has_the_largest_bias(seed: int) -> None:
    """The norm of each bias over that of the gradient, with λ_r = 1: the order that the docstring claims."""
    arguments = case(3, 3, seed)
    size = gradient(arguments[0], lower_bound(*arguments)).norm()
    biases = {
        "baseline": bias(arguments, lambda terms: reinforce(terms, torch.tensor(-3.0).double())),
        "entropy 0.002": bias(arguments, lambda terms: reinforce(terms, NO_BASELINE, entropy_weight=0.002)),
        "own sample": bias(arguments, lambda terms: misconceptions.own_sample_in_the_baseline(terms, NO_BASELINE)),
        "expected context": bias(arguments, lambda terms: reinforce(terms, NO_BASELINE), 0.5),
    }
    relative = {name: (difference.norm() / size).item() for name, difference in biases.items()}
    assert relative["baseline"] < 1e-12
    assert max(relative, key=relative.get) == "expected context", relative
    assert relative["entropy 0.002"] < 0.01, relative


def test_the_baseline_lowers_the_variance() -> None:
    """Over all paths, in exact numbers: with b = E[log p] the estimator scatters less than with b = 0."""
    arguments = case(3, 2, 4)
    parameters, spread = list(arguments[0].parameters()), {}
    for b in (0.0, lower_bound(*arguments).item()):
        terms = follow_all(*arguments)
        rows = []
        for value in reinforce(terms, torch.tensor(b).double())[0]:
            slopes = torch.autograd.grad(value, parameters, retain_graph=True)
            rows.append(torch.cat([slope.flatten() for slope in slopes]))
        p, rows = terms.log_path[0].exp(), torch.stack(rows)  # (paths,), (paths, parameters)
        spread[b] = (p @ (rows - p @ rows).square()).sum().item()
    first, second = spread.values()
    assert second < first / 2, spread


def test_moving_average() -> None:
    """b_k = 0.9 b_{k-1} + 0.1 log p: after -2 and -4 it is 0.9 · (-0.2) - 0.4 = -0.58."""
    b = torch.zeros(()).double()
    for log_p in (torch.tensor([[-1], [-3]]).double(), torch.tensor([[-4]]).double()):
        b = moving_average(b, log_p)
    check_close("b_2", b, -0.58)


def test_places_are_drawn_with_their_weights() -> None:
    weights = torch.tensor([0.5, 0.3, 0.2, 0.0]).double()
    torch.manual_seed(0)
    counts = drawn(weights.log().expand(40_000, -1), 0).sum(dim=0)
    deviations = (40_000 * weights * (1 - weights)).sqrt()
    assert ((counts - 40_000 * weights).abs() <= 4 * deviations).all(), counts


def test_the_context_is_one_annotation() -> None:
    model, annotations, caption = case(4, 3, 5)
    places = torch.tensor([[2, 0, 3]])
    path = model.follow(annotations, caption, along(places))
    assert path.chosen.argmax(dim=-1).tolist() == places.tolist()
    projected = model.project(annotations)
    state = model.start(projected)
    context, _, _ = model.look_at(state.h, projected, along(places), 0)
    check_close("z_1 = beta_1 a_2", context, model.gate(state.h).sigmoid() * annotations[:, 2])


def test_expected_context_is_soft_attention() -> None:
    model, annotations, caption = case(4, 3, 6)
    soft = random_captioner(7, 2, 6, attention=3, scale=0.7)
    path = model.follow(annotations, caption, expected)
    for got, right in zip((path.logits, path.log_weights.exp()), soft(annotations, caption), strict=True):
        check_close("soft attention", got, right)


def test_half_of_the_captions_use_the_expected_context() -> None:
    model, annotations, caption = case(4, 3, 7)
    is_expected = torch.tensor([[True, False, True]])
    path = model.follow(annotations, caption[:, None].expand(-1, 3, -1), drawn_or_expected(is_expected))
    is_one_hot = (path.chosen.max(dim=-1).values == 1).all(dim=-1)
    assert is_one_hot.tolist() == (~is_expected).tolist()
    check_close("alpha", path.chosen[is_expected], path.log_weights.exp()[is_expected])


def test_padding_has_no_part() -> None:
    model, annotations, caption = case(3, 3, 8)
    longer = torch.cat([caption, torch.zeros(1, 2, dtype=torch.int64)], dim=1)
    short, long = (terms_of(model.follow(annotations, ids, most_probable), ids[:, 1:]) for ids in (caption, longer))
    for name, one, other in zip(Terms._fields, short, long, strict=True):
        check_close(name, other, one)


def test_decoding_takes_the_most_probable_place() -> None:
    """``forward`` and ``step`` use it, so greedy decoding and beam search work as they are."""
    model, annotations, caption = case(3, 3, 9)
    path = model.follow(annotations, caption, most_probable)
    logits, weights = model(annotations, caption)
    check_close("the logits", logits, path.logits)
    check_close("alpha", weights, path.log_weights.exp())
    found, spec = beam_search(model, annotations, 3, 5)[0], beam_search_one(model, annotations[0], 3, 5)
    assert [one.ids for one in found] == [one.ids for one in spec]


def test_all_paths() -> None:
    assert all_paths(2, 2).tolist() == [[[0, 0], [0, 1], [1, 0], [1, 1]]]
    assert all_paths(3, 4).shape == (1, 81, 4)


def terms_in_loops(model: HardCaptioner, annotations: Tensor, captions: Tensor, share: float) -> Terms:
    """log p(y | s, a), log p(s | a) and H[s] from the paper's equations, word after word; one place drawn for each."""
    n, several, t = captions.shape
    is_expected = torch.rand(n, several).flatten() < share
    a, y = annotations.repeat_interleave(several, dim=0), captions.flatten(0, 1)  # (n * several, L, D) and (…, t)
    h, c = model.start_h(a.mean(dim=1)).tanh(), model.start_c(a.mean(dim=1)).tanh()
    log_p = log_path = entropy = torch.zeros(len(y)).double()
    for k in range(t - 1):
        alpha = model.scores(h, model.project(a)).softmax(dim=-1)
        place = torch.multinomial(alpha.detach(), 1)[:, 0]
        s = torch.eye(a.shape[1]).double()[place].where(~is_expected[:, None], alpha)
        context = model.gate(h).sigmoid() * sum(s[:, i : i + 1] * a[:, i] for i in range(a.shape[1]))
        x = torch.cat([model.embed(y[:, k]), context], dim=-1)
        h, c = lstm_cell(x, h, c, model.weight_x, model.weight_h, model.bias)
        logits = model.deep_output(model.embed(y[:, k]), h, context)
        is_word, row = (y[:, k + 1] != PAD).double(), range(len(y))
        log_p = log_p + is_word * logits.log_softmax(dim=-1)[row, y[:, k + 1]]
        log_path = log_path + is_word * (s.detach() * alpha.log()).sum(dim=-1)
        entropy = entropy - is_word * (alpha * alpha.log()).sum(dim=-1)
    return Terms(*(x.view(n, several) for x in (log_p, log_path, entropy)))


DEFAULTS = {"expected_share": 0.5, "reinforce_weight": 1.0, "entropy_weight": 0.002}
TRICKS = [{}, {"expected_share": 0.0, "reinforce_weight": 0.7, "entropy_weight": 0.3}, {"expected_share": 1.0}]
IDS = torch.tensor([[[1, 4, 5, 2], [1, 6, 2, 0]], [[1, 5, 2, 0], [1, 6, 4, 2]]])  # two images, two captions of each


def check_the_loop(candidate: Callable, steps: range, given: dict[str, float]) -> None:
    """Each step by hand with the same draws: the estimator with the baseline of the step before, over all words; the
    rate of the n-th step is 0.1/(n + 1)."""
    (model, *_), (hand, *_) = case(3, 3, 10), case(3, 3, 10)
    images, asked, logged, expected = random_annotations(2, 3, 2, 10), [], [], []
    for one in (model, hand):
        one.baseline.fill_(-5.0)  # of an earlier step
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 1 / (n + 1))

    def batch_at(step: int) -> tuple[Tensor, Tensor]:
        asked.append(step)
        return images + step, IDS.roll(step, dims=1)

    def log(step: int, loss: float, baseline: float) -> None:
        logged.append((step, loss, baseline))

    torch.manual_seed(3)
    candidate(model, optimizer, scheduler, batch_at, steps, log, **given)
    assert asked == [step for step, *_ in logged] == list(steps)
    torch.manual_seed(3)
    share, weight, entropy_weight = (DEFAULTS | given).values()
    for n, step in enumerate(steps):
        terms = terms_in_loops(hand, *batch_at(step), share)
        advantage = terms.log_p.detach() - hand.baseline
        total = (terms.log_p + weight * advantage * terms.log_path + entropy_weight * terms.entropy).sum()
        slopes = torch.autograd.grad(-total / 10, list(hand.parameters()))  # ten words
        with torch.no_grad():
            for parameter, slope in zip(hand.parameters(), slopes, strict=True):
                parameter -= 0.1 / (n + 1) * slope
            hand.baseline.copy_(0.9 * hand.baseline + 0.1 * terms.log_p.mean())
        expected.append((-terms.log_p.sum().item() / 10, hand.baseline.item()))
    for what, column in (("loss", 0), ("baseline", 1)):
        got, right = [row[1 + column] for row in logged], [row[column] for row in expected]
        check_close(f"the {what} of each step", torch.tensor(got).double(), torch.tensor(right).double())
    check_close("the baseline at the end", model.baseline, hand.baseline)
    for (name, got), right in zip(model.named_parameters(), hand.parameters(), strict=True):
        check_close(f"{name} after the last step", got, right)


@pytest.mark.parametrize("given", TRICKS, ids=["defaults", "others", "soft"])
@pytest.mark.parametrize("steps", [range(4), range(3, 6)], ids=str)
def test_the_loop_by_hand(steps: range, given: dict[str, float]) -> None:
    check_the_loop(train_hard, steps, given)


def marked_places() -> tuple[Tensor, Tensor]:
    """All images of four places with +1 or −1 each, one place marked. The word is the number of the marked place."""
    numbers = torch.tensor([*product([1.0, -1.0], repeat=4)]).repeat(4, 1)  # (64, 4)
    images = torch.stack([torch.eye(4).repeat_interleave(16, dim=0), numbers], dim=-1)  # (64, 4, 2)
    word = 4 + (images.prod(dim=-1).sum(dim=1) > 0).long()
    return images, torch.stack([torch.full_like(word, 1), word, torch.full_like(word, 2)], dim=1)


def train_on_marked_places(**options: float) -> tuple[HardCaptioner, list[float]]:
    torch.manual_seed(0)
    model, losses, batch = HardCaptioner(6, 2, embedding=8, hidden=8, attention=8), [], marked_places()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0)
    train_hard(model, optimizer, scheduler, lambda step: batch, range(60),
               lambda step, loss, baseline: losses.append(loss), **options)  # fmt: skip
    return model, losses


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_training_finds_the_place(share: float) -> None:
    """Attention must find the marked place. With a share of 0, REINFORCE alone can show the way."""
    model, losses = train_on_marked_places(expected_share=share)
    assert losses[0] > math.log(6) / 2, "nothing was left to learn"
    assert losses[-1] < 0.02, losses[-1]
    images, captions = marked_places()
    logits, _ = model(images, captions)
    assert (logits[:, 0].argmax(dim=-1) == captions[:, 1]).all(), "with the most probable place"
    assert "baseline" in model.state_dict()


def test_without_reinforce_no_place_is_found() -> None:
    """What the test above is better than: α stays at 1/4. The mean says how many numbers are +1, so a place without
    the mark leaves the word open if its three others differ: ¾ of all images, of entropy H(⅓). The best loss per word,
    with <end>, is then ¾ · ¾ · H(⅓) / 2 = 0.179."""
    _, losses = train_on_marked_places(expected_share=0.0, reinforce_weight=0.0)
    best = (3 / 4) ** 2 * (math.log(3) - 2 / 3 * math.log(2)) / 2
    assert losses[-1] > best, f"{losses[-1]:.3f}, and {best:.3f} is the best"


def check_all(estimator: Callable) -> None:
    check_expectation(estimator, 3, 2, 0, 0.0)
    check_expectation(estimator, 3, 2, 1, -4.0)


@pytest.mark.parametrize("wrong", misconceptions.ESTIMATORS, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_all(wrong)


@pytest.mark.parametrize("wrong", misconceptions.ENTROPIES, ids=lambda function: function.__name__)
def test_wrong_entropy_is_caught(wrong: Callable) -> None:
    check_all(wrong)
    with pytest.raises(AssertionError, match="lambda_e"):
        check_entropy(wrong)
