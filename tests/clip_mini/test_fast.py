"""The fast form equals ``CLIP``: embeddings and gradients

encoder(images): the class token        image_features    test_images
encoder(texts): the end of each text    text_features     test_texts, test_what_comes_behind_the_end
attention pooling                       pooled            test_pool
both, and the loss                      faster            test_training_step
"""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from clip_mini.extensions.fast import faster, image_features, pooled, text_features
from clip_mini.extensions.pretrained import LegacyTextEncoder
from clip_mini.image_encoders import AttentionPool, ResidualCNN, VisionTransformer
from clip_mini.loss import contrastive_loss, pairwise_similarity
from clip_mini.model import CLIP, TextEncoder
from tests.clip_mini.misconceptions import fast as misconceptions
from tests.teach import check_close, check_equal

WORDS, CONTEXT, END = 12, 8, 7
SEEDS = st.integers(0, 10_000)


def random_weights(model: nn.Module, seed: int) -> nn.Module:
    """All weights matter: no gain is 1, and no bias is 0."""
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.double().parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return model


def some_text_encoder(layers: int, seed: int, kind: type = TextEncoder) -> TextEncoder:
    return random_weights(kind(WORDS, CONTEXT, END, 12, layers, 3, 10, "gelu"), seed)


def some_image_encoder(layers: int, seed: int) -> VisionTransformer:
    return random_weights(VisionTransformer(12, 4, 10, layers, 2, 14, "quick_gelu"), seed)


def check_equals(got: torch.Tensor, expected: torch.Tensor, weights: list[torch.Tensor], name: str) -> None:
    """Equal, and so are the gradients to all weights, for a random cotangent."""
    cotangent = torch.randn(expected.shape, generator=torch.Generator().manual_seed(0)).double()
    check_close(name, got, expected)
    ours, theirs = (torch.autograd.grad(out, weights, cotangent) for out in (got, expected))
    for k, pair in enumerate(zip(ours, theirs, strict=True)):
        check_close(f"the gradient of {name}, by weight {k}", *pair)


def check_texts(candidate, texts: torch.Tensor, layers: int, seed: int, kind: type = TextEncoder) -> None:
    encoder = some_text_encoder(layers, seed, kind)
    check_equals(candidate(encoder, texts), encoder(texts), [*encoder.parameters()], f"the ends of {texts.tolist()}")


@pytest.mark.parametrize("kind", [TextEncoder, LegacyTextEncoder])
@given(data=st.data(), layers=st.integers(1, 3), seed=SEEDS)
@settings(max_examples=10)
def test_texts(kind: type, data, layers: int, seed: int) -> None:
    """Any ids; a text may end at its first position, or have no end: then both forms read position 0."""
    length = data.draw(st.integers(1, CONTEXT))
    row = st.lists(st.integers(0, WORDS - 1), min_size=length, max_size=length)
    texts = torch.tensor(data.draw(st.lists(row, min_size=1, max_size=4)))
    check_texts(text_features, texts, layers, seed, kind)


def test_what_comes_behind_the_end() -> None:
    encoder = some_text_encoder(2, seed=1)
    one, other = torch.tensor([[1, 2, END, 3, 4], [5, END, 0, 0, 0]]), torch.tensor([[1, 2, END, 9], [5, END, 1, END]])
    check_equal(
        "the text features, with other words behind the end", text_features(encoder, one), text_features(encoder, other)
    )


def check_images(candidate, n: int, layers: int, seed: int) -> None:
    encoder, images = some_image_encoder(layers, seed), torch.rand(n, 3, 12, 12).double().requires_grad_()
    weights = [images, *encoder.parameters()]
    check_equals(candidate(encoder, images), encoder(images), weights, f"the class tokens of {n} images")


@given(n=st.integers(1, 4), layers=st.integers(1, 3), seed=SEEDS)
@settings(max_examples=8)
def test_images(n: int, layers: int, seed: int) -> None:
    check_images(image_features, n, layers, seed)


def check_pool(candidate, n: int, rows: int, seed: int) -> None:
    pool = random_weights(AttentionPool(rows * 3, 8, 2), seed)
    grid = torch.randn(n, 8, rows, 3).double().requires_grad_()
    check_equals(candidate(pool, grid), pool(grid), [grid, *pool.parameters()], f"attention pooling of {n} grids")


@given(n=st.integers(1, 4), rows=st.integers(1, 4), seed=SEEDS)
@settings(max_examples=8)
def test_pool(n: int, rows: int, seed: int) -> None:
    check_pool(pooled, n, rows, seed)


ENCODERS = {  # the encoder, and the height and width of its images in pixels
    "vit": lambda: (some_image_encoder(2, 3), 12),
    "cnn": lambda: (ResidualCNN(16, (4, 6, 8), 2, 0.9).double(), 16),
    "cnn of one stage": lambda: (ResidualCNN(16, (4,), 2, 0.9).double(), 16),
}


@pytest.mark.parametrize("image_encoder", ENCODERS)
def test_training_step(image_encoder: str) -> None:
    encoder, size = ENCODERS[image_encoder]()
    model = CLIP(encoder, some_text_encoder(2, 4), 9).double()
    images, texts = torch.rand(5, 3, size, size).double(), torch.tensor([[k, k + 1, END, 0] for k in range(5)])
    fast = faster(model)
    assert fast.state_dict().keys() == model.state_dict().keys()
    got, expected = (
        contrastive_loss(pairwise_similarity(*side(images, texts), side.log_scale))[None] for side in (fast, model)
    )
    check_equals(got, expected, [*model.parameters()], "L, the symmetric cross-entropy")


@pytest.mark.parametrize("wrong", misconceptions.TEXTS, ids=lambda function: function.__name__)
def test_wrong_texts_are_caught(wrong) -> None:
    with pytest.raises((AssertionError, RuntimeError)):
        check_texts(wrong, torch.tensor([[1, 2, END, 3, 4], [5, 6, 8, 9, END], [END, 1, 1, 1, 1]]), 2, seed=0)


@pytest.mark.parametrize("wrong", misconceptions.IMAGES, ids=lambda function: function.__name__)
def test_wrong_images_are_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_images(wrong, 3, 2, seed=0)


@pytest.mark.parametrize("wrong", misconceptions.POOLS, ids=lambda function: function.__name__)
def test_wrong_pools_are_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_pool(wrong, 3, 2, seed=0)
