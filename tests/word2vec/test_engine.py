"""Equation → function → test (Mikolov et al. 2013b, equation 4)

ln σ(s_O) + k E[ln σ(-s_w)]    mean_noise_loss          test_the_mean_over_noise_by_hand, test_any_number_of_draws
w · c = PMI(w, c) - ln k       mean_noise_loss          test_the_optimum_for_any_k
the step of a block            Engine.blocks, .step     test_a_block_is_a_step_of_the_core
the bound                      Engine.limit             test_the_bound_scales_a_words_whole_step
"""

import math
from collections import Counter
from collections.abc import Callable
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare
from torch import Tensor
from torch.nn.functional import logsigmoid

from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close, check_equal
from tests.word2vec.counted import noise_of, optimum, repeated_pairs
from tests.word2vec.misconceptions import engine as wrong
from word2vec.extensions import engine as module
from word2vec.extensions.engine import Engine, mean_noise_loss, mean_noise_loss_spec, patterns
from word2vec.loss import negative_sampling_loss
from word2vec.model import SkipGram
from word2vec.pairs import Text, draw_text
from word2vec.vocabulary import keep_probability, noise_distribution

WORDS, DIM, RATE = 11, 6, 0.3
MISTAKES = [
    mistake
    for mistake in vars(wrong).values()
    if isinstance(mistake, type) and issubclass(mistake, Engine) and mistake.__module__ == wrong.__name__
]


@pytest.fixture
def small(monkeypatch) -> None:
    """Rows of 4 words with 3 of noise, blocks of 2 rows: several blocks in a short text."""
    for name, value in (("ROW", 4), ("NOISE", 3), ("ROWS", 2)):
        monkeypatch.setattr(module, name, value)


def some_text(seed: int, lengths: tuple[int, ...] = (9, 1, 2, 14, 5), window: int = 3, words: int = WORDS) -> Text:
    """Sentences of these lengths."""
    generator = torch.Generator().manual_seed(seed)
    n = sum(lengths)
    sentence = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths, dtype=torch.int64))
    ids = torch.randint(words, (n,), generator=generator)
    return Text(ids, sentence, torch.randint(1, window + 1, (n,), generator=generator))


def some_model(seed: int = 0, words: int = WORDS) -> SkipGram:
    """In float64, with both tables far from zero."""
    torch.manual_seed(seed)
    model = SkipGram(words, DIM).double()
    with torch.no_grad():
        for table in model.parameters():
            table.normal_()
    return model


def places_of_pairs(text: Text) -> list[tuple[int, int]]:
    """Every pair (place of the centre, place of its neighbour), straight from equation 1."""
    n, sentence, windows = len(text.ids), text.sentence.tolist(), text.windows.tolist()
    return [(t, o) for t in range(n) for o in range(n) if 0 < abs(t - o) <= windows[t] and sentence[t] == sentence[o]]


def core_losses(model: SkipGram, text: Text, noise: Tensor, pairs: list[tuple[int, int]], negatives: int) -> Tensor:
    """The sum of the losses of these pairs as the core has it; ``noise[row]`` is that of the words in the row."""
    t, o = torch.tensor(pairs).T
    centres = text.ids[t]
    noise_scores = model.scores(centres, noise[t // module.ROW])
    return len(pairs) * mean_noise_loss(model.scores(centres, text.ids[o]), noise_scores, negatives)


def check_equals_the_core(make: Callable[..., Engine], seed: int, window: int = 3, negatives: int = 5) -> None:
    """Block after block, the engine's tables are those of plain gradient descent on the sum of the pairs' losses."""
    text, model, spec = some_text(seed, window=window), some_model(), some_model()
    engine = make(model, noise_distribution([3] * WORDS), window, negatives, bound=math.inf)
    blocks = list(engine.blocks(text, torch.Generator().manual_seed(seed)))
    noise = torch.cat([others[:, -module.NOISE :] for _, others, _ in blocks])
    pairs, size = places_of_pairs(text), module.ROW * module.ROWS
    for number, block in enumerate(blocks):
        here = [pair for pair in pairs if pair[0] // size == number]
        if here:
            loss = core_losses(spec, text, noise, here, negatives)
            assert engine.loss(*block) == pytest.approx(loss.item() / len(here), rel=1e-10), f"block {number}"
            slopes = torch.autograd.grad(loss, list(spec.parameters()))
            with torch.no_grad():
                for table, slope in zip(spec.parameters(), slopes, strict=True):
                    table -= RATE * slope
        engine.step(*block, RATE * engine.neighbours, RATE * engine.weights)
        check_close(f"W after block {number}", model.centre, spec.centre)
        check_close(f"W' after block {number}", model.context, spec.context)


def float64(values) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def check_mean_noise_by_hand(candidate: Callable) -> None:
    """Noise scores 0 and ln 3 have σ(-s) = 1/2 and 1/4; the mean of their logarithms is -ln 8 / 2. With k = 5 and a
    positive score ln 3: -ln 3/4 + 5/2 ln 8."""
    got = candidate(float64([math.log(3)]), float64([[0, math.log(3)]]), 5)
    check_close("equation 4 as an expectation, 2 draws, k = 5", got, 2.5 * math.log(8) - math.log(3 / 4))


def check_mean_noise_equals_spec(candidate: Callable, positive: Tensor, noise: Tensor, k: int) -> None:
    expected = mean_noise_loss_spec(positive.tolist(), noise.tolist(), k)
    what = f"equation 4 as an expectation, in loops, {noise.shape[1]} draws, k = {k}"
    check_close(what, candidate(positive, noise, k), expected)


def check_the_optimum_for_any_k(candidate: Callable, k: int, power: float) -> None:
    centres, contexts = repeated_pairs()
    scores = optimum(k, power).requires_grad_()
    loss = candidate(scores[centres, contexts], scores[centres][:, noise_of(power)], k)
    (gradient,) = torch.autograd.grad(loss, scores)
    what = f"the gradient at ln #(w, c)/(#(w) P_n(c)) - ln k, k = {k}, power {power}"
    check_close(what, gradient, torch.zeros_like(gradient))


def test_the_mean_over_noise_by_hand() -> None:
    check_mean_noise_by_hand(mean_noise_loss)


@st.composite
def positive_and_noise_scores(draw):
    n, draws, k = draw(unequal_sizes(3, low=1))
    return draw(whole_tensors(n)), draw(whole_tensors(n, draws)), k


@given(drawn=positive_and_noise_scores())
def test_the_mean_over_noise_equals_spec(drawn) -> None:
    check_mean_noise_equals_spec(mean_noise_loss, *drawn)


@given(drawn=positive_and_noise_scores())
def test_with_k_draws_it_is_the_loss_of_the_core(drawn) -> None:
    positive, noise, _ = drawn
    got = mean_noise_loss(positive, noise, noise.shape[1])
    check_close("equation 4, k draws", got, negative_sampling_loss(positive, noise))


@pytest.mark.parametrize("draws", [1, 2, 3])
def test_any_number_of_draws(draws: int) -> None:
    """Over all tuples of words that can be drawn, each with its probability, the mean of the loss and of its gradient
    is equation 4 with the expectation written out: here k = 2, whatever the number of draws."""
    distribution, k = float64([0.5, 0.3, 0.2]), 2
    scores = float64([1.5, -0.5, 2.0]).requires_grad_()  # of the centre with each word
    mean = 0
    for drawn in product(range(3), repeat=draws):
        probability = distribution[list(drawn)].prod()
        mean = mean + probability * mean_noise_loss(scores[1:2], scores[list(drawn)][None], k)
    expected = -logsigmoid(scores[1]) - k * (distribution * logsigmoid(-scores)).sum()
    check_close(f"the mean over all {draws} draws", mean, expected)
    slopes = (torch.autograd.grad(loss, scores)[0] for loss in (mean, expected))
    check_close(f"the gradient, over all {draws} draws", *slopes)


@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize("power", [1.0, 0.75, 0.0])
def test_the_optimum_for_any_k(k: int, power: float) -> None:
    """Levy & Goldberg 2014, equation 7."""
    check_the_optimum_for_any_k(mean_noise_loss, k, power)


@pytest.mark.parametrize("mistake", wrong.LOSSES, ids=lambda function: function.__name__)
@pytest.mark.parametrize("check", ["by hand", "spec", "optimum"])
def test_misconceptions_of_the_mean_over_noise_are_caught(mistake, check: str) -> None:
    """By each of these checks alone."""
    checks = {
        "by hand": lambda: check_mean_noise_by_hand(mistake),
        "spec": lambda: check_mean_noise_equals_spec(mistake, float64([2, -1]), float64([[3, -1, 0.5], [0, 2, -2]]), 2),
        "optimum": lambda: check_the_optimum_for_any_k(mistake, 5, 0.75),
    }
    with pytest.raises(AssertionError):
        checks[check]()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("window", "negatives"), [(1, 1), (3, 5), (6, 2)])
def test_a_block_is_a_step_of_the_core(seed: int, window: int, negatives: int) -> None:
    check_equals_the_core(Engine, seed, window, negatives)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("mistake", MISTAKES)
def test_misconceptions_are_caught(mistake: type) -> None:
    with pytest.raises(AssertionError):
        check_equals_the_core(mistake, 0)


@given(st.lists(st.integers(1, 70), min_size=1, max_size=6), st.integers(1, 7), st.integers(0, 1000))
def test_each_pair_of_the_paper_and_no_other(lengths: list[int], window: int, seed: int) -> None:
    """With the sizes of the real thing: what the patterns call neighbours are equation 1's pairs, each once."""
    text = some_text(seed, tuple(lengths), window)
    engine = Engine(some_model(), noise_distribution([1] * WORDS), window, 5)
    found: Counter[tuple[int, int]] = Counter()
    row = 0
    for centres, others, lines in engine.blocks(text, torch.Generator().manual_seed(0)):
        for k in range(len(centres)):
            for place, line in enumerate(lines[k].tolist()):
                for column in engine.neighbours[line].nonzero()[:, 0].tolist():
                    pair = (row * module.ROW + place, row * module.ROW + column - window)
                    assert (centres[k, place], others[k, column]) == tuple(text.ids[torch.tensor(pair)])
                    found[pair] += 1
            row += 1
    assert found == Counter(places_of_pairs(text))


@pytest.mark.parametrize("negatives", [1, 5, 20])
def test_the_weights_of_noise_sum_up_to_k_for_each_pair(negatives: int) -> None:
    neighbours, weights = patterns(4, negatives)
    noise = (weights - neighbours)[:, -module.NOISE :]
    check_close("the weights of the noise, k for each neighbour", noise.sum(1), negatives * neighbours.sum(1), 1e-12, 0)
    assert (neighbours[:, -module.NOISE :] == 0).all()


def test_noise_is_drawn_anew_for_each_row_from_the_distribution() -> None:
    counts = [50, 30, 12, 5, 3]
    noise = noise_distribution(counts)
    text = some_text(0, (20,) * 300, words=5)
    engine = Engine(some_model(words=5), noise, 3, 5)
    drawn = torch.cat(
        [others[:, -module.NOISE :] for _, others, _ in engine.blocks(text, torch.Generator().manual_seed(1))]
    )
    found = torch.bincount(drawn.flatten(), minlength=5)
    assert chisquare(found.numpy(), (noise * drawn.numel()).numpy()).pvalue > 1e-4
    assert len(drawn.unique(dim=0)) == len(drawn)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("bound", [0.5, 2.0, 7.0])
def test_the_bound_scales_a_words_whole_step(bound: float) -> None:
    """A word moves as it would without the bound, times bound/(sum of its rates) where that is below 1."""
    text, noise = some_text(3), noise_distribution([3] * WORDS)
    bounded, free, before = some_model(), some_model(), some_model()
    engines = [Engine(bounded, noise, 3, 5, bound), Engine(free, noise, 3, 5, math.inf)]
    block = next(engines[0].blocks(text, torch.Generator().manual_seed(0)))
    for engine in engines:
        engine.step(*block, RATE * engine.neighbours, RATE * engine.weights)
    centres, others, lines = block
    rates = RATE * engines[0].weights[lines]  # (n, l, b + k)
    scaled = 0
    for table, words, sums in (("centre", centres, rates.sum(2)), ("context", others, rates.sum(1))):
        for word in range(WORDS):
            total = sums[words == word].sum().item()
            share = min(1.0, bound / total) if total else 1.0
            scaled += share < 1
            moved, freely = (getattr(model, table)[word] - getattr(before, table)[word] for model in (bounded, free))
            check_close(f"the step of word {word} in the {table} table", moved, share * freely, 1e-10, 1e-12)
    assert scaled > 0


def test_a_word_whose_rates_stay_below_the_bound_does_not_notice_it() -> None:
    """At the first rate, and words of which none comes twice: two neighbours each have 2 (1 + k) · 0.05 = 0.6."""
    text = Text(torch.arange(32), torch.arange(32) // 8, torch.ones(32, dtype=torch.int64))
    tables = []
    for bound in (module.BOUND, math.inf):
        model = some_model(words=3000)
        noise = torch.cat([torch.zeros(32), torch.ones(2968)]).double()
        Engine(model, noise, 3, 5, bound).learn(text, 0.05, torch.Generator().manual_seed(0))
        tables.append(model.centre.detach())
    check_equal("W with and without the bound", *tables)


def test_a_centre_with_ten_neighbours_is_held_to_half_at_the_first_rate() -> None:
    """Its rates sum up to 10 (1 + k) · 0.05 = 3."""
    text = Text(torch.arange(32), torch.zeros(32, dtype=torch.int64), torch.full((32,), 5))
    moved = []
    for bound in (module.BOUND, math.inf):
        model, before = some_model(words=40), some_model(words=40)
        Engine(model, noise_distribution([1] * 40), 5, 5, bound).learn(text, 0.05, torch.Generator().manual_seed(0))
        moved.append((model.centre - before.centre)[5:27])
    check_close("ten neighbours: the step is cut to BOUND / 3", moved[0], module.BOUND / 3 * moved[1], 1e-9, 1e-12)


def test_learning_is_a_function_of_text_rate_and_generator() -> None:
    tables = []
    for seed in (0, 0, 1):
        model = some_model()
        Engine(model, noise_distribution([3] * WORDS), 3, 5).learn(
            some_text(0), RATE, torch.Generator().manual_seed(seed)
        )
        tables.append(torch.cat([model.centre, model.context]).detach())
    check_equal("tables of the same generator", tables[0], tables[1])
    assert not torch.equal(tables[0], tables[2])


def test_the_first_loss() -> None:
    model = SkipGram(WORDS, DIM)
    loss = Engine(model, noise_distribution([3] * WORDS), 3, 5).learn(
        some_text(0), RATE, torch.Generator().manual_seed(0)
    )
    assert loss == pytest.approx(6 * math.log(2), rel=1e-6)


def test_a_text_without_pairs_changes_nothing() -> None:
    for lengths in ((), (1, 1, 1)):
        model, before = some_model(), some_model()
        engine = Engine(model, noise_distribution([3] * WORDS), 3, 5)
        assert math.isnan(engine.learn(some_text(0, lengths), RATE, torch.Generator().manual_seed(0)))
        check_equal("W without pairs", model.centre, before.centre)
        check_equal("W' without pairs", model.context, before.context)


def frequent_word(n: int, generator: torch.Generator) -> Tensor:
    """Zipf's law over 5,000 words, but that one word in five is the first."""
    shares = 1 / torch.arange(1, 5001).double()
    shares = 0.8 * shares / shares.sum()
    shares[0] += 0.2
    return torch.multinomial(shares, n, replacement=True, generator=generator)


def two_words(n: int, generator: torch.Generator) -> Tensor:
    """The same two by turns."""
    return torch.arange(n) % 2


def two_pairs(n: int, generator: torch.Generator) -> Tensor:
    """Two words by turns, then two others."""
    places = torch.arange(n)
    return places % 2 + 2 * (places // (n // 2))


def bursts(n: int, generator: torch.Generator) -> Tensor:
    """A rare word two thousand times on end, in an ordinary text."""
    words = frequent_word(n, generator)
    words[n // 2 : n // 2 + 2000] = 4999
    return words


HARD = {
    "frequent word": (frequent_word, 1e-3),
    "frequent word, all kept": (frequent_word, 0),
    "two words": (two_words, 0),
    "two pairs of words": (two_pairs, 0),
    "bursts": (bursts, 0),
}


def learned(words: Tensor, sample: float | int, bound: float | int, epochs: int = 4) -> tuple[float, float]:
    """The longest vector and the last loss after training on a text, with the default settings and this bound."""
    size = int(words.max()) + 1
    counts = (torch.bincount(words, minlength=size) + 1).tolist()
    torch.manual_seed(0)
    model = SkipGram(size, 100)
    engine = Engine(model, noise_distribution(counts), 5, 5, bound)
    sentence = torch.arange(len(words)) // 20
    for epoch in range(epochs):
        generator = torch.Generator().manual_seed(epoch)
        text = draw_text(words, sentence, keep_probability(counts, sample), 5, generator)
        engine.learn(text, 0.05, generator)
    tables = torch.cat([model.centre, model.context])
    longest = tables.norm(dim=1).max().item() if tables.isfinite().all() else math.nan
    return longest, engine.loss(*next(engine.blocks(text, torch.Generator().manual_seed(9))))


@pytest.mark.parametrize("name", HARD)
def test_the_engine_does_not_diverge(name: str) -> None:
    """Vectors stay as short as in any training, and the loss below the (k + 1) ln 2 of knowing nothing."""
    make, sample = HARD[name]
    longest, loss = learned(make(20_000, torch.Generator().manual_seed(0)), sample, module.BOUND)
    assert longest < 6
    assert loss < 6 * math.log(2)


@pytest.mark.parametrize("name", HARD)
def test_without_its_bound_the_engine_diverges(name: str) -> None:
    """So that the test above can fail: the same texts with the bound at infinity."""
    make, sample = HARD[name]
    longest, _ = learned(make(20_000, torch.Generator().manual_seed(0)), sample, math.inf)
    assert not longest < 1e6


def test_how_many_words_the_bound_scales() -> None:
    """Most centres at the first rate, fewer and fewer as it falls; and it is those that it scales that are counted."""
    shares = 1 / torch.arange(2, 20_002).double()  # Zipf's law
    ids = torch.multinomial(shares, 20_000, replacement=True, generator=torch.Generator().manual_seed(0))
    counts = (torch.bincount(ids, minlength=20_000) + 1).tolist()
    generator = torch.Generator().manual_seed(0)
    text = draw_text(ids, torch.arange(20_000) // 20, keep_probability(counts, 1e-3), 5, generator)
    bounded, free = some_model(words=20_000), some_model(words=20_000)
    engines = [
        Engine(model, noise_distribution(counts), 5, 5, b) for model, b in ((bounded, module.BOUND), (free, math.inf))
    ]
    block = next(engines[0].blocks(text, generator))
    share = {rate: engines[0].scaled(*block, rate) for rate in (0.05, 0.025, 0.005)}
    assert 0.5 < share[0.05] < 1
    assert share[0.005] < share[0.025] < share[0.05]
    assert share[0.005] < 0.25
    for engine in engines:
        engine.step(*block, 0.05 * engine.neighbours, 0.05 * engine.weights)
    differ = ((bounded.centre - free.centre).abs().amax(1) > 1e-9)[block[0]]
    assert differ.double().mean().item() == share[0.05]
