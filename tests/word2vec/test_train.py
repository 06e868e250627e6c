"""The training loop, its learning rate and its batches; words that never met complete analogies after training."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from annotated_types import Ge, Gt

from lab.config import check
from tests.teach import check_close, check_equal
from toyworld import language
from toyworld.language import sentence_at
from word2vec import data
from word2vec.data import ToyText, generator_at, toy_vocabulary
from word2vec.evaluate import ALL, HELD_OUT, baselines, judge_analogies, toy_analogies
from word2vec.loss import negative_sampling_loss
from word2vec.model import SkipGram
from word2vec.pairs import draw_text, skip_gram_pairs
from word2vec.train import CONFIGS, Config, build_optimizer, train
from word2vec.vocabulary import draw_noise, keep_probability, noise_distribution

SMALL = Config(steps=200, sentences=100, learning_rate=3e-2)
VOCABULARY = data.Vocabulary(("a", "b"), (1, 1))


@pytest.fixture(scope="module")
def vocabulary():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "COUNTED", 4000)  # sentences, enough for every word
        return toy_vocabulary(0)


def text_of(config: Config, vocabulary, split: str = "train") -> ToyText:
    return ToyText(
        vocabulary, config.seed, config.sentences, config.window, config.negatives, config.sample, config.power, split
    )


def trained(config: Config, vocabulary) -> tuple[SkipGram, list[float]]:
    text, losses = text_of(config, vocabulary), []
    torch.manual_seed(config.seed)
    model = SkipGram(len(text.vocabulary), config.dim)
    optimizer, scheduler = build_optimizer(model, config)
    train(model, optimizer, scheduler, text.batch_at, range(config.steps), lambda step, loss: losses.append(loss))
    return model, losses


def check_the_loop_by_hand(candidate: Callable) -> None:
    """Two steps of plain gradient descent, whose rate doubles, taken outside of the loop."""
    batch = (torch.tensor([0, 1, 2]), torch.tensor([1, 1, 0]), torch.tensor([[2, 0], [1, 3], [3, 3]]))
    torch.manual_seed(0)
    model, by_hand = SkipGram(4, 3).double(), SkipGram(4, 3).double()
    by_hand.load_state_dict(model.state_dict())
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 2**step)
    asked, logged = [], []
    candidate(
        model, optimizer, scheduler, lambda step: (asked.append(step), batch)[1], range(5, 7),
        lambda step, loss: logged.append((step, loss)),
    )  # fmt: skip
    assert asked == [5, 6], f"the batches of steps 5 and 6 are trained on, got {asked}"
    assert [step for step, _ in logged] == [5, 6], f"steps 5 and 6 are logged, got {logged}"
    centres, contexts, noise = batch
    for (step, loss), rate in zip(logged, (0.5, 1.0), strict=True):
        expected = negative_sampling_loss(by_hand.scores(centres, contexts), by_hand.scores(centres, noise))
        check_close(f"the loss that is logged for step {step}", loss, expected)
        slopes = torch.autograd.grad(expected, list(by_hand.parameters()))
        with torch.no_grad():
            for table, slope in zip(by_hand.parameters(), slopes, strict=True):
                table -= rate * slope
    for name, ours, theirs in zip(("W", "W'"), model.parameters(), by_hand.parameters(), strict=True):
        check_close(f"{name} after two steps of gradient descent, rates 0.5 and 1", ours, theirs)


def test_the_loop_by_hand() -> None:
    check_the_loop_by_hand(train)


@pytest.mark.parametrize("steps", [1, 7, 500])
def test_the_learning_rate_falls_on_a_line_to_zero(steps: int) -> None:
    """2013a, section 4.2. Exactly first · (1 - step / steps), to the last bit."""
    optimizer, scheduler = build_optimizer(SkipGram(2, 1), Config(steps=steps, learning_rate=0.3))
    for step in range(steps + 1):
        (rate,) = scheduler.get_last_lr()
        assert rate == optimizer.param_groups[0]["lr"] == 0.3 * (1 - step / steps), f"step {step} of {steps}: {rate}"
        if step < steps:
            optimizer.step()
            scheduler.step()
    assert rate == 0


def test_words_that_never_met_complete_analogies(vocabulary) -> None:
    """Far above the baselines: neither a word of the right form nor the nearest word is the answer."""
    model, losses = trained(SMALL, vocabulary)
    vectors, questions = model.centre.detach(), toy_analogies(HELD_OUT)
    reached = judge_analogies(vectors, vocabulary.words, questions)[ALL].accuracy
    others = baselines(vectors, vocabulary.words, questions)
    assert losses[0] == pytest.approx(6 * math.log(2), rel=1e-5), "step 0 costs (k + 1) ln 2"
    assert losses[-1] < 0.5 * losses[0]
    assert reached > 0.6
    assert reached > 3 * max(row[ALL] for row in others.values())


def test_the_same_seed_gives_the_same_bits(vocabulary) -> None:
    config = replace(SMALL, steps=5, sentences=20)
    first, again, other = (
        trained(one, vocabulary)[0].centre.detach() for one in (config, config, replace(config, seed=1))
    )
    check_equal("W of the same seed", first, again)
    assert not torch.equal(first, other)


def test_a_batch_is_a_function_of_split_seed_and_step(vocabulary) -> None:
    small = replace(SMALL, sentences=20)
    first = text_of(small, vocabulary).batch_at(3)
    for k, pair in enumerate(zip(first, text_of(small, vocabulary).batch_at(3), strict=True)):
        check_equal(f"part {k} of the batch of step 3", *pair)
    others = {
        "step": text_of(small, vocabulary).batch_at(4),
        "seed": text_of(replace(small, seed=1), vocabulary).batch_at(3),
        "split": text_of(small, vocabulary, "test").batch_at(3),
    }
    for name, batch in others.items():
        assert [one.tolist() for one in first] != [one.tolist() for one in batch], f"another {name}, the same batch"
    centres, contexts, noise = first
    assert centres.shape == contexts.shape
    assert noise.shape == (len(centres), small.negatives)


def check_batch_step_by_step(candidate: Callable, vocabulary) -> None:
    """Sentences → ids → subsampling and windows → pairs → noise, all with one generator: a second one with the same
    seed would draw the noise from the numbers that decided which words are dropped."""
    seed, sentences, window, negatives, sample, power, step = 2, 30, 3, 4, 1e-2, 0.5, 6
    ids, sentence = [], []
    for index in range(180, 210):  # sentences of step 6
        words = vocabulary.ids(sentence_at("train", seed, index))
        ids, sentence = ids + words, sentence + [index] * len(words)
    generator = generator_at(seed, step)
    keep = keep_probability(vocabulary.counts, sample)
    text = draw_text(torch.tensor(ids), torch.tensor(sentence), keep, window, generator)
    centres, contexts = skip_gram_pairs(text)
    noise = draw_noise(noise_distribution(vocabulary.counts, power), (len(centres), negatives), generator)
    got = candidate(vocabulary, seed, sentences, window, negatives, sample, power).batch_at(step)
    for name, one, expected in zip(
        ("centres", "context words", "noise words"), got, (centres, contexts, noise), strict=True
    ):
        check_equal(f"{name} of step 6", one, expected)


def test_a_batch_step_by_step(vocabulary) -> None:
    check_batch_step_by_step(ToyText, vocabulary)


def test_words_are_counted_in_the_training_split(monkeypatch) -> None:
    monkeypatch.setattr(data, "COUNTED", 40)
    vocabulary = toy_vocabulary(3)
    expected = Counter(word for index in range(40) for word in sentence_at("train", 3, index))
    assert dict(zip(vocabulary.words, vocabulary.counts, strict=True)) == expected


def test_every_seed_has_its_own_random_numbers() -> None:
    """Torch's generator takes 32 bits of its seed: seeds that differ only in higher bits draw the same numbers."""
    high = torch.Generator().manual_seed(2**32)
    check_equal(
        "the numbers of two seeds that differ by 2³²",
        torch.rand(4, generator=high),
        torch.rand(4, generator=torch.Generator().manual_seed(0)),
    )
    draws = [tuple(torch.rand(4, generator=generator_at(*one)).tolist()) for one in ((0, 0), (0, 1), (1, 0), (9, 7))]
    assert len(set(draws)) == 4
    assert draws[0] == tuple(torch.rand(4, generator=generator_at(0, 0)).tolist())


def test_seeds_are_far_apart_and_end_at_32_bits() -> None:
    for seed, step, number in ((0, 7, 7), (2, 5, 2_000_011), (4295, 3, 4295 * 1_000_003 + 3 - 2**32)):
        assert generator_at(seed, step).initial_seed() == number


def test_each_sentence_is_in_one_batch(monkeypatch) -> None:
    seen = []
    monkeypatch.setattr(data, "sentence_at", lambda split, seed, index: seen.append((split, seed, index)) or ["a", "b"])
    text = ToyText(VOCABULARY, 4, 3, 2, 1, 0, 0.75)
    for step in range(3):
        text.batch_at(step)
    assert seen == [("train", 4, index) for index in range(9)]


@pytest.mark.parametrize("field", Config.__dataclass_fields__)
def test_every_field_has_its_range_in_its_type(field: str) -> None:
    """``lab.config.check`` names the field whose value is out of range."""
    limits = Config.__annotations__[field].__metadata__
    (low,) = [limit for limit in limits if isinstance(limit, Ge | Gt)]
    value = type(getattr(Config(), field))(low.ge - 1 if isinstance(low, Ge) else low.gt)
    with pytest.raises(ValueError, match=rf"^{field} must be .*, got {value}$"):
        check(replace(Config(), **{field: value}))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_learning_rate_that_is_not_finite_is_named(value: float) -> None:
    with pytest.raises(ValueError, match=r"^learning_rate must be "):
        check(replace(Config(), learning_rate=value))


def test_what_may_be_zero_and_every_configuration_pass() -> None:
    for config in (*CONFIGS.values(), Config(sample=0.0, power=0.0, seed=0)):
        check(config)


def test_the_first_word_of_a_caption_can_be_a_centre(vocabulary) -> None:
    """The toy language includes captions of the toy world: their words are in the vocabulary."""
    words = language.caption_words("train", 0, 0)
    assert set(words) <= set(vocabulary.words)
