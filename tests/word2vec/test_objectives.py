"""Every objective starts at a loss that is known, and its training lowers it."""

import math

import pytest
import torch

from tests.teach import check_close, check_equal
from word2vec import data
from word2vec.data import ToyText, toy_vocabulary
from word2vec.extensions.huffman import huffman_tree
from word2vec.extensions.objectives import (
    OBJECTIVES,
    ObjectiveConfig,
    full_loss,
    objective_of,
    pairs_at,
    sampled_loss,
)
from word2vec.loss import negative_sampling_loss, softmax_loss
from word2vec.model import SkipGram
from word2vec.train import build_optimizer, train


@pytest.fixture(scope="module")
def vocabulary():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(data, "COUNTED", 4000)  # sentences, enough for every word
        return toy_vocabulary(0)


def test_losses_of_a_batch_are_those_of_its_scores() -> None:
    torch.manual_seed(0)
    model = SkipGram(7, 3).double()
    torch.nn.init.normal_(model.context)
    centres, contexts = torch.tensor([0, 6, 3]), torch.tensor([5, 6, 1])
    noise = torch.tensor([[1, 2, 5, 5], [6, 0, 1, 3], [2, 2, 2, 2]])
    scores = model.centre @ model.context.T
    expected = negative_sampling_loss(scores[centres, contexts], scores[centres[:, None], noise])
    check_close("equation 4 of a batch", sampled_loss(model, centres, contexts, noise), expected)
    check_close("equation 2 of a batch", full_loss(model, centres, contexts), softmax_loss(scores[centres], contexts))


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_goes_down_from_its_known_first_loss(name: str, vocabulary) -> None:
    """Forty steps of training lower it by 15%."""
    config = ObjectiveConfig(objective=name, steps=40, sentences=40, dim=16, learning_rate=0.1)
    objective, losses = objective_of(name), []
    torch.manual_seed(0)
    model = objective.build(vocabulary, config.dim)
    text = ToyText(vocabulary, 0, config.sentences, config.window, config.negatives, config.sample, config.power)
    optimizer, scheduler = build_optimizer(model, config)
    objective.train(
        model, optimizer, scheduler, lambda step: objective.batch_at(text, step), range(config.steps),
        lambda step, loss: losses.append(loss),
    )  # fmt: skip
    known = {"softmax": math.log(len(vocabulary)), "negative-sampling": 6 * math.log(2), "cbow": 6 * math.log(2)}
    if name == "hierarchical":
        _, contexts = objective.batch_at(text, 0)
        known[name] = math.log(2) * huffman_tree(vocabulary.counts).lengths[contexts].double().mean().item()
    check_close(f"step 0 of {name}", losses[0], known[name], relative=1e-6)
    assert losses[-1] < 0.85 * losses[0], f"{name}: {losses[0]:.3f} at step 0, {losses[-1]:.3f} after {len(losses)}"


def test_the_loop_with_a_loss_is_the_loop_of_the_core(vocabulary) -> None:
    config = ObjectiveConfig(steps=4, sentences=20, dim=8)
    text, tables = ToyText(vocabulary, 0, 20, 5, 5, 3e-3, 0.75), []
    objective = OBJECTIVES["softmax"].train
    for loop in (train, lambda *rest: objective.func(sampled_loss, *rest)):
        torch.manual_seed(0)
        model = SkipGram(len(vocabulary), config.dim)
        loop(model, *build_optimizer(model, config), text.batch_at, range(4), lambda step, loss: None)
        tables.append(model.centre.detach())
    check_equal("W after 4 steps of both loops", *tables)


def test_pairs_are_those_of_the_batch_with_noise(vocabulary) -> None:
    text = ToyText(vocabulary, 0, 20, 5, 5, 3e-3, 0.75)
    for what, *pair in zip(("centres", "contexts"), pairs_at(text, 3), text.batch_at(3)[:2], strict=True):
        check_equal(f"the {what} of step 3", *pair)


def test_an_unknown_objective_is_named() -> None:
    with pytest.raises(ValueError, match=r"^objective must be one of negative-sampling, softmax, .*, got 'glove'$"):
        objective_of("glove")
