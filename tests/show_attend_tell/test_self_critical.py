"""What the papers say → function → test

(5), (7) the gradient of the expected reward    self_critical_loss    test_the_expectation_is_the_gradient
a baseline of the other captions                advantages            test_advantages_by_hand, the same expectation
words are drawn with their probabilities        draw_captions         test_captions_are_drawn_with_their_probability
the reward is CIDEr-D, with <end> as a word     Reward                test_the_reward_is_cider_d
the loop                                        train_self_critically test_the_loop_by_hand
it writes what is rewarded                      train_self_critically test_training_finds_the_word
"""

import math
from collections import Counter
from collections.abc import Callable
from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from show_attend_tell.decode import END, NEVER, START
from show_attend_tell.extensions.metrics.bleu import bleu
from show_attend_tell.extensions.metrics.cider import cider_d
from show_attend_tell.extensions.self_critical import (
    END_WORD,
    Reward,
    advantages,
    build_self_critical_optimizer,
    draw_captions,
    self_critical_loss,
    train_self_critically,
)
from show_attend_tell.loss import PAD
from show_attend_tell.model import Captioner
from tests.show_attend_tell.misconceptions import self_critical as misconceptions
from tests.show_attend_tell.tiny import Scripted, random_annotations, random_captioner
from tests.teach import check_close

WORDS = 6  # token ids: the four special ones, 4 and 5
LONGEST = 2
FULL = LONGEST + 1  # with <start>
WRONG_BASELINES = ("own_reward_in_the_baseline", "mean_of_the_batch", "divided_by_the_deviation")


def all_captions() -> Tensor:
    """Every caption of at most two words that can be drawn: those that end, and those that are cut."""
    captions = set()
    for words in product((END, 4, 5), repeat=LONGEST):
        ended = words.index(END) + 1 if END in words else LONGEST
        captions.add((START, *words[:ended], *[PAD] * (LONGEST - ended)))
    return torch.tensor(sorted(captions))


def log_p_of(logits: Tensor, captions: Tensor) -> Tensor:
    """log p of each caption, in loops: each word's share among the words that may be written."""
    sums = []
    for rows, caption in zip(logits, captions.tolist(), strict=True):
        allowed = [word for word in range(WORDS) if word not in NEVER]
        words = [(row, word) for row, word in zip(rows, caption[1:], strict=True) if word != PAD]
        sums.append(sum(row[word] - row[allowed].logsumexp(dim=0) for row, word in words))
    return torch.stack(sums)


def flat(gradients) -> Tensor:
    return torch.cat([g.flatten() for g in gradients])


def check_expectation(loss: Callable, advantage: Callable, seed: int, together: int = 2) -> None:
    """Over all pairs or triples of captions of one image: the expected gradient of the loss is minus the gradient of
    the expected reward."""
    model, annotations, captions = random_captioner(WORDS, 2, seed), random_annotations(1, 3, 2, seed), all_captions()
    parameters = list(model.parameters())
    logits = model(annotations.expand(len(captions), -1, -1), captions)[0]
    log_p = log_p_of(logits, captions)
    check_close("the sum of p(w) over all captions", log_p.exp().sum(), 1.0)
    rewards = torch.rand(len(captions), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    exact = torch.autograd.grad(-(log_p.exp() * rewards).sum(), parameters, retain_graph=True, allow_unused=True)
    total = torch.zeros(()).double()
    for drawn in product(range(len(captions)), repeat=together):
        p = log_p[list(drawn)].detach().sum().exp()
        total = total + p * loss(logits[list(drawn)], captions[list(drawn), 1:], advantage(rewards[None, drawn])[0])
    got = torch.autograd.grad(total, parameters, allow_unused=True)
    pairs = [(a, b) for a, b in zip(got, exact, strict=True) if b is not None]
    got, exact = (flat(side) for side in zip(*pairs, strict=True))
    check_close(f"equation 5, the expectation over all captions, {together} at a time", got, exact, absolute=1e-12)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=8)
def test_the_expectation_is_the_gradient(seed: int) -> None:
    check_expectation(self_critical_loss, advantages, seed)


def test_the_expectation_with_three_captions() -> None:
    check_expectation(self_critical_loss, advantages, 3, together=3)


@pytest.mark.parametrize("wrong", WRONG_BASELINES)
def test_wrong_baselines_are_caught(wrong: str) -> None:
    with pytest.raises(AssertionError, match="equation 5"):
        check_expectation(self_critical_loss, getattr(misconceptions, wrong), 3)


@pytest.mark.parametrize(
    "wrong",
    ["wrong_sign", "mean_over_words", "all_words_of_the_softmax", "probability_in_place_of_its_logarithm"],
)
def test_wrong_losses_are_caught(wrong: str) -> None:
    with pytest.raises(AssertionError, match="equation 5"):
        check_expectation(getattr(misconceptions, wrong), advantages, 3)


def check_advantages(advantage: Callable, n: int, k: int, seed: int) -> None:
    """Each reward minus the mean of the others of its image."""
    rewards = torch.randn(n, k, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    expected = [
        [row[i] - sum(row[j] for j in range(k) if j != i) / (k - 1) for i in range(k)] for row in rewards.tolist()
    ]
    check_close("r - b", advantage(rewards), torch.tensor(expected, dtype=torch.float64))


@given(n=st.integers(1, 4), k=st.integers(2, 5), seed=st.integers(0, 10_000))
def test_advantages_by_hand(n: int, k: int, seed: int) -> None:
    check_advantages(advantages, n, k, seed)


@pytest.mark.parametrize("wrong", [*WRONG_BASELINES, "others_of_the_batch"])
def test_wrong_advantages_are_caught(wrong: str) -> None:
    with pytest.raises(AssertionError, match="r - b"):
        check_advantages(getattr(misconceptions, wrong), 3, 4, 0)


def test_captions_are_drawn_with_their_probability() -> None:
    """Two images, 6,000 captions of each: every frequency is within five standard deviations of p(w)."""
    several, captions = 6000, all_captions()
    model, annotations = random_captioner(WORDS, 2, 5, scale=0.7), 3 * random_annotations(2, 3, 2, 5)
    torch.manual_seed(0)
    found = draw_captions(model, annotations, several, LONGEST)
    assert found.shape == (2, several, FULL)
    for i, image in enumerate(annotations):
        logits = model(image.expand(len(captions), -1, -1), captions)[0]
        p = log_p_of(logits, captions).exp()
        counts = Counter(map(tuple, found[i].tolist()))
        assert set(counts) <= set(map(tuple, captions.tolist())), "a caption that cannot be drawn"
        got = torch.tensor([counts[tuple(caption)] / several for caption in captions.tolist()])
        off = (got - p).abs() / (p * (1 - p) / several).sqrt()
        assert off.max() < 5, f"image {i}: caption {captions[off.argmax()].tolist()} comes too often or too rarely"


def test_drawing_stops_when_all_captions_have_ended() -> None:
    model = Scripted({START: {4: 1.0}, 4: {END: 1.0}})
    found = draw_captions(model, torch.zeros(2, 3, 1).double(), 3, 9)
    assert found.tolist() == [[[START, 4, END]] * 3] * 2


REFERENCES = {
    "a": [["a", "red", "dog", "runs"], ["the", "dog", "runs", "fast"]],
    "b": [["two", "men"], ["a", "man", "and", "a", "man", "sit"]],
    "c": [["a", "boat"]],
}


def test_the_reward_is_cider_d() -> None:
    """Of all three images together, with <end> behind every reference and behind a caption that has ended."""
    captions = {"a": ["a", "dog", "runs", END_WORD], "b": ["a", "man", "and", "a"], "c": [END_WORD]}
    reward = Reward(REFERENCES)
    ended = [[[*words, END_WORD] for words in REFERENCES[name]] for name in captions]
    _, expected = cider_d(list(captions.values()), ended)
    got = [reward(name, words) for name, words in captions.items()]
    check_close("the rewards", torch.tensor(got, dtype=torch.float64), torch.tensor(expected, dtype=torch.float64))
    assert reward("b", [*captions["b"], END_WORD]) != reward("b", captions["b"]), "<end> is a word"


@pytest.mark.parametrize("weight", [0.5, 2.0])
def test_the_precision_in_the_reward(weight: float) -> None:
    """BLEU-1 of the caption alone, without brevity penalty and without <end>, is added."""
    for words in (["a", "a", "cat", "runs"], ["the", "dog", END_WORD], [END_WORD]):
        expected = bleu([[word for word in words if word != END_WORD]], [REFERENCES["a"]], 1, brevity=False)[0]
        added = Reward(REFERENCES, weight)("a", words) - Reward(REFERENCES)("a", words)
        check_close(f"the precision of {words}", added, weight * expected)


def test_with_end_as_a_word_a_fragment_gets_less() -> None:
    """Supplement D: "a man sits in a" gets 81% of the whole caption's CIDEr-D without <end>, and 65% with it."""
    references = {
        "a": [["a", "man", "sits", "in", "a", "chair"], ["a", "man", "is", "in", "a", "red", "chair"]],
        "b": [["a", "dog", "in", "a", "field"], ["a", "dog", "runs", "in", "the", "field"]],
        "c": [["two", "men", "in", "a", "boat"], ["a", "boat", "with", "two", "men"]],
    }
    whole, fragment = references["a"][0], references["a"][0][:5]
    without = [cider_d([words, ["a"], ["a"]], list(references.values()))[1][0] for words in (fragment, whole)]
    with_end = [Reward(references)("a", [*words, END_WORD]) for words in (fragment, whole)]
    assert without[0] / without[1] > 0.8
    assert with_end[0] / with_end[1] < 0.7


class NeverEnds(Scripted):
    """It writes the word 4 without an end, and notes the shapes of the captions that are trained."""

    def __init__(self) -> None:
        super().__init__({START: {4: 1.0}, 4: {4: 1.0}})
        self.bias = torch.nn.Parameter(torch.zeros(()).double())
        self.shapes: list[tuple[int, ...]] = []

    def forward(self, annotations: Tensor, captions: Tensor) -> tuple[Tensor, None]:
        self.shapes.append(tuple(captions.shape))
        return self.logits[captions[..., :-1]] + self.bias, None


def test_drawn_captions_have_at_most_sixteen_words() -> None:
    model, images = NeverEnds(), (["a"], torch.zeros(1, 3, 1).double())
    optimizer = build_self_critical_optimizer(model, 1, 0.1)
    train_self_critically(
        model, *optimizer, lambda _: images, words_of, share_of_four, range(1), lambda *a, **b: None, 2
    )
    assert model.shapes == [(1, 2, 1 + 16)]


def words_of(ids: list[int]) -> list[str]:
    """Each id as a word, without <start> and padding."""
    return [str(word) for word in ids if word not in (PAD, START)]


def share_of_four(name: str, words: list[str]) -> float:
    """A reward for captions of the word 4; image "poor" has half of it."""
    return words.count("4") / len(words) * (0.5 if name == "poor" else 1)


def test_the_loop_by_hand() -> None:
    """Two steps with the captions that were drawn in each, and the rate of the n-th step 0.1/(n + 1)."""
    model, hand, logged, asked = random_captioner(WORDS, 2, 1), random_captioner(WORDS, 2, 1), [], []
    model.train()  # the loop turns dropout off

    def batch_at(step: int) -> tuple[list[str], Tensor]:
        asked.append(step)
        return ["rich", "poor"], random_annotations(2, 3, 2, step)

    def rates(model: Captioner):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda n: 1 / (n + 1))

    torch.manual_seed(0)
    log = lambda step, loss, reward: logged.append((step, loss, reward))  # noqa: E731
    train_self_critically(model, *rates(model), batch_at, words_of, share_of_four, range(7, 9), log, 3, LONGEST)
    assert not model.training
    assert asked == [7, 8]
    torch.manual_seed(0)
    expected = []
    for n, step in enumerate((7, 8)):
        names, annotations = batch_at(step)
        captions = draw_captions(hand, annotations, 3, LONGEST)
        r = [
            [share_of_four(name, words_of(ids)) for ids in of]
            for name, of in zip(names, captions.tolist(), strict=True)
        ]
        loss = torch.zeros(()).double()
        for i in range(2):
            logits = hand(annotations[i].expand(3, -1, -1), captions[i])[0]
            for k, log_p in enumerate(log_p_of(logits, captions[i])):
                loss = loss - (r[i][k] - (sum(r[i]) - r[i][k]) / 2) * log_p / 6
        expected.append((step, loss.item(), sum(map(sum, r)) / 6))
        slopes = torch.autograd.grad(loss, list(hand.parameters()), allow_unused=True, materialize_grads=True)
        with torch.no_grad():
            for parameter, slope in zip(hand.parameters(), slopes, strict=True):
                parameter -= 0.1 / (n + 1) * slope
    check_close(
        "steps, losses, rewards", torch.tensor(logged, dtype=torch.float64), torch.tensor(expected, dtype=torch.float64)
    )
    for (name, got), right in zip(model.named_parameters(), hand.parameters(), strict=True):
        check_close(f"{name} after the last step", got, right)


@pytest.mark.parametrize("attention", [4, None])
def test_training_finds_the_word(attention: int | None) -> None:
    """Captions with the word 4 get the reward: from about a third of the words to nearly all."""
    model, rewards = random_captioner(WORDS, 2, 2, attention, scale=0.3), []
    optimizer = build_self_critical_optimizer(model, 60, 3e-2)
    torch.manual_seed(0)
    batch_at = lambda step: (["a", "b"], random_annotations(2, 3, 2, step))  # noqa: E731
    log = lambda step, loss, reward: rewards.append(reward)  # noqa: E731
    train_self_critically(model, *optimizer, batch_at, words_of, share_of_four, range(60), log, 8, LONGEST)
    assert sum(rewards[:5]) / 5 < 0.6
    assert sum(rewards[-5:]) / 5 > 0.95


def test_the_learning_rate_rises_and_falls() -> None:
    model = random_captioner(WORDS, 2, 0)
    optimizer, scheduler = build_self_critical_optimizer(model, 100, 0.3)
    assert optimizer.param_groups[0]["betas"] == (0.9, 0.98)
    rates = []
    for _ in range(100):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    for step in (0, 5, 19, 50, 99):
        expected = 0.3 * min(1, (step + 1) / 20) * (1 + math.cos(math.pi * step / 100)) / 2
        check_close(f"the rate of step {step}", rates[step], expected)
