"""In every test run each call is checked: shapes where there are arrays, all other types everywhere."""

from collections.abc import Callable

import pytest
import torch
from beartype.roar import BeartypeCallHintViolation
from jaxtyping import TypeCheckError

from clip_mini.loss import pairwise_similarity
from lab.seeding import seed_everything
from toyworld.drawing import draw
from toyworld.scenes import scene_at
from vqa.metric import agreement

ZERO = torch.tensor(0.0)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda: pairwise_similarity(torch.ones(2, 3), torch.ones(2, 4), ZERO), TypeCheckError),
        (lambda: pairwise_similarity(torch.ones(2, 3).long(), torch.ones(2, 3), ZERO), TypeCheckError),
        (lambda: scene_at("train", 0, 1.5), BeartypeCallHintViolation),
        (lambda: agreement("2"), TypeCheckError),
        (lambda: seed_everything("0"), TypeCheckError),
        (lambda: draw([], "64"), TypeCheckError),
    ],
)
def test_a_wrong_shape_or_type_is_caught(call: Callable, error: type) -> None:
    with pytest.raises(error):
        call()
