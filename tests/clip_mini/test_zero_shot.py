"""Equation → function → test (Radford et al. 2021, section 3.1)

prompts: each name in each template      prompts_of         test_prompts_by_hand
w_c = v̄_c / |v̄_c|                        class_embeddings   test_class_embedding_by_hand
w_c · u is the largest for u = w_c       class_embeddings   test_class_embedding_is_the_nearest_unit_vector
p(c | u) = softmax_c(e^t û · w_c)        classify           test_classify_by_hand
"""

import math
from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cosine_similarity, normalize

from clip_mini.zero_shot import class_embeddings, classify, prompts_of
from tests.clip_mini.misconceptions import zero_shot as misconceptions
from tests.clip_mini.test_model import each, float64
from tests.strategies import unequal_sizes, whole_tensors
from tests.teach import check_close


def test_prompts_by_hand() -> None:
    got = prompts_of(["a star", "a cat"], ["{}", "there is {}", "{}!"])
    assert got == [["a star", "there is a star", "a star!"], ["a cat", "there is a cat", "a cat!"]]


WORDS = {"east": [1, 0, 0], "north": [0, 1, 0], "up": [0, 0, 1], "west": [-1, 0, 0]}  # texts and their embeddings


def ids(texts: Sequence[str]) -> torch.Tensor:
    return torch.tensor([[list(WORDS).index(text)] for text in texts])


def embed(texts: torch.Tensor) -> torch.Tensor:
    return float64(list(WORDS.values()))[texts[:, 0]]


def check_class_embedding_by_hand(candidate: Callable) -> None:
    """(1, 0) and (0, 1) have the mean (1/2, 1/2) and the direction (1, 1)/√2. A prompt that comes twice counts twice:
    (2, 1)/√5. The classes have different numbers of prompts."""
    got = candidate(embed, ids, [["east", "north"], ["east", "east", "north"], ["up"]])
    expected = float64([[1, 1, 0], [2, 1, 0], [0, 0, 1]]) / float64([[math.sqrt(2)], [math.sqrt(5)], [1]])
    check_close("w_c = v̄_c / |v̄_c|", got, expected)


def test_class_embedding_by_hand() -> None:
    check_class_embedding_by_hand(class_embeddings)


@given(sizes=unequal_sizes(2), data=st.data())
def test_class_embedding_is_the_nearest_unit_vector(sizes, data) -> None:
    """Of all unit vectors w, v̄/|v̄| has the largest mean similarity with the prompts: |v̄| (Cauchy–Schwarz). So the mean
    of logits, û · v̄, is smaller than û · w_c by the factor |v̄|, and |v̄| depends on how much the prompts differ."""
    k, d = sizes
    prompts = normalize(data.draw(whole_tensors(k, d)) + 0.5, dim=-1)
    other = normalize(data.draw(whole_tensors(d)) + 0.5, dim=-1)
    (w,) = class_embeddings(lambda ids: prompts[ids[:, 0]], lambda texts: torch.arange(k)[:, None], [["x"] * k])
    length = prompts.mean(dim=0).norm()
    assert (prompts @ other).mean() <= length + 1e-12, "no unit vector is nearer than |v̄|"
    if length > 1e-9:  # opposite prompts have no direction
        check_close("|w_c| = 1", w.norm(), 1.0)
        check_close("the mean similarity of w_c and the prompts is |v̄|", (prompts @ w).mean(), length)


def check_classify_by_hand(candidate: Callable) -> None:
    """The scale is ln 3, so cosines 1 and 0 have the logits ln 3 and 0: probabilities 3/4 and 1/4."""
    classes, log_scale = float64([[1, 0], [0, 1]]), float64(math.log(math.log(3)))
    image = float64([[1, 0], [0, 1], [math.sqrt(0.5), math.sqrt(0.5)]])
    expected = float64([[3 / 4, 1 / 4], [1 / 4, 3 / 4], [1 / 2, 1 / 2]])
    check_close("p(c | u) = softmax_c(e^t û · w_c)", candidate(image, classes, log_scale), expected)


def test_classify_by_hand() -> None:
    check_classify_by_hand(classify)


@given(sizes=unequal_sizes(3), data=st.data(), t=st.floats(-3, 4))
def test_the_scale_changes_probabilities_and_not_the_choice(sizes, data, t: float) -> None:
    n, c, d = sizes
    image, classes = (normalize(data.draw(whole_tensors(rows, d)) + 0.5, dim=-1) for rows in (n, c))
    got = classify(image, classes, float64(t))
    check_close("Σ_c p(c | u) = 1", got.sum(dim=1), torch.ones(n))
    cosines = cosine_similarity(image[:, None], classes[None], dim=-1)
    chosen = cosines.gather(1, got.argmax(dim=1, keepdim=True))[:, 0]
    check_close("the most probable class is the nearest, whatever t is", chosen, cosines.amax(dim=1))


@each(misconceptions.CLASSES)
def test_wrong_class_embedding_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_class_embedding_by_hand(wrong)


@each(misconceptions.CLASSIFIERS)
def test_wrong_classifier_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_classify_by_hand(wrong)
