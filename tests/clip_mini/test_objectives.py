"""Every objective starts at a loss that is known, and the loop for all is the loop of the core."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from clip_mini.data import encode, toy_batches, toy_tokenizer
from clip_mini.extensions.objectives import (
    OBJECTIVES,
    Contrastive,
    Recipe,
    ShapeClasses,
    labelled_batches,
    train_relative,
)
from clip_mini.extensions.relatives import cosine_loss, semantic_loss
from clip_mini.model import LARGEST_SCALE
from clip_mini.train import Config, build, build_optimizer, train
from tests.teach import check_close, check_equal
from toyworld.captions import captions_at
from toyworld.tokenizer import END

TINY = Config(
    steps=12, pairs=6, image_size=16, channels=(4, 8), heads=2, text_width=8, text_layers=1, text_heads=2, common=8,
    warmup=2, learning_rate=5e-3,
)  # fmt: skip


def built(config: Config) -> tuple[torch.nn.Module, ShapeClasses, Callable]:
    tokenizer = toy_tokenizer("english")
    torch.manual_seed(config.seed)
    batch_at = toy_batches(tokenizer, "english", config.seed, config.pairs, config.image_size, config.context)
    return build(config, len(tokenizer), END), ShapeClasses(tokenizer), batch_at


@pytest.mark.parametrize(
    ("name", "formula", "expected"),
    [
        ("contrastive", "ln n", math.log(5)),
        ("sigmoid", "10 + n ln(1 + e^-10)", 10 + 5 * math.log1p(math.exp(-10))),
        ("devise", "0.1 (n - 1)", 0.4),
        ("ranking", "2 · 0.2 (n - 1)", 1.6),
        ("recipe", "0.5 (1 - 0) + 0.02 ln 64, with a classifier of zeros", 0.5 + 0.02 * math.log(64)),
    ],
)
def test_loss_of_images_that_are_orthogonal_to_all_texts(name: str, formula: str, expected: float) -> None:
    """The published margins, scales and weights are in these numbers; n = 5."""
    objective = OBJECTIVES[name](3).double()
    if name == "recipe":
        for parameter in objective.parameters():
            torch.nn.init.zeros_(parameter)
    image, text = (torch.eye(3, dtype=torch.float64)[[k] * 5] for k in (0, 1))
    check_close(f"{name}, all cosines 0: {formula}", objective(image, text, torch.arange(1, 6)), expected)


@pytest.mark.parametrize("matched", [0.2, 0.5])
def test_push_and_pull_of_a_recipe_cancel_at_equal_shares(matched: float) -> None:
    """All cosines c are equal and above the margin. The slope of L_cos by c is the push of the mismatched pairs minus
    the pull of the matched ones: 0.8 - 0.2 as published, so that all cosines fall. With equal shares it is 0."""
    c = torch.tensor(0.6, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(cosine_loss(c.expand(5, 5), 0.1, matched), c)
    check_close("∂L_cos/∂c = (1 - matched) - matched", slope, 1 - 2 * matched)


def test_one_classifier_reads_both_sides_of_a_recipe() -> None:
    generator = torch.Generator().manual_seed(0)
    image, text = (torch.randn(4, 3, generator=generator) for _ in range(2))
    classes, objective = torch.tensor([1, 0, 4, 2]), Recipe(3, 5, margin=0.3, matched=0.5, weight=0.7)
    weight, bias = objective.classify.weight, objective.classify.bias
    reg = semantic_loss(image @ weight.T + bias, text @ weight.T + bias, classes)
    expected = cosine_loss(image @ text.T, 0.3, 0.5) + 0.7 * reg
    check_close("L_cos + λ L_reg", objective(image, text, classes), expected, relative=1e-5)


def test_scale_is_clipped_after_an_update() -> None:
    objective = Contrastive()
    objective.log_scale.data.fill_(9.0)
    objective.constrain()
    check_close("section 2.5, the largest scale, ln 100", objective.log_scale, LARGEST_SCALE, relative=1e-6)


def test_with_the_contrastive_objective_the_loop_is_that_of_the_core() -> None:
    weights, losses, config = [], [], replace(TINY, clip=None)  # the sum of all squares would have another order
    for relative in (False, True):
        model, classes, batch_at = built(config)
        objective = Contrastive()
        optimized = torch.nn.ModuleList([model, objective]) if relative else model
        rest = (*build_optimizer(optimized, config), batch_at, range(4), lambda step, loss, **more: losses.append(loss))
        if relative:
            train_relative(model, objective, *rest[:2], labelled_batches(batch_at, classes), *rest[3:])
        else:
            train(model, *rest)
        scale = objective.log_scale if relative else model.log_scale
        weights.append([scale] + [p for name, p in model.named_parameters() if name != "log_scale"])
    assert losses[:4] == losses[4:]
    for k, pair in enumerate(zip(*weights, strict=True)):
        check_equal(f"weight {k} after 4 steps of both loops", *pair)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_objective_goes_down(name: str) -> None:
    """On one batch, again and again, each lowers its loss."""
    model, classes, batch_at = built(TINY)
    objective, losses, batch = OBJECTIVES[name](TINY.common), [], labelled_batches(batch_at, classes)(0)
    optimizer, scheduler = build_optimizer(torch.nn.ModuleList([model, objective]), TINY)
    train_relative(
        model, objective, optimizer, scheduler, lambda step: batch, range(TINY.steps),
        lambda step, loss: losses.append(loss),
    )  # fmt: skip
    assert losses[-1] < 0.97 * losses[0], f"{name}: {losses[0]:.4f} at step 0, {losses[-1]:.4f} after {len(losses)}"


def test_class_is_the_set_of_shapes() -> None:
    """Bits of circle, square, triangle, diamond, cross, star: 1, 2, 4, 8, 16, 32. Repetition, colour and order are no
    matter."""
    tokenizer = toy_tokenizer("english")
    texts = {
        "the small red circle is above the large blue star": 33,
        "a yellow star and two red circles": 33,
        "three crosses": 16,
        "there are two objects": 0,
    }
    found = ShapeClasses(tokenizer)(encode(tokenizer, list(texts), 32))
    assert found.tolist() == list(texts.values())


def test_classes_are_the_same_in_both_languages() -> None:
    classes = []
    for language in ("english", "korean"):
        tokenizer = toy_tokenizer(language)
        texts = [captions_at("test", 0, k, language)[0] for k in range(60)]
        classes.append(ShapeClasses(tokenizer)(encode(tokenizer, texts, 64)))
    check_equal("the classes of English and Korean captions", *classes)
    assert len(set(classes[0].tolist())) > 20, "the scenes have many sets of shapes"


def test_labelled_batches_are_the_batches_of_the_core() -> None:
    _, classes, batch_at = built(TINY)
    images, texts, labels = labelled_batches(batch_at, classes)(3)
    check_equal("the images of step 3", images, batch_at(3).images)
    check_equal("the texts of step 3", texts, batch_at(3).texts)
    check_equal("the classes of a batch", labels, classes(texts))
