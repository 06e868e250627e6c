r"""Batches of questions about images (Antol et al. 2015, sections 3 and 5).

A batch is a pure function of its step. On the toy world a batch's images are a frozen detector's grids, as the authors
computed VGGNet's features before training. ``features_of`` computes them from pixels; ``encode`` turns texts
into token ids, padded with 0 at the end.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from toyworld.drawing import draw
from toyworld.question_text import ANSWERS_IN
from toyworld.questions import more_questions, question_at

FeaturesOf = Callable[[Tensor], Tensor]  # (m, 3, h, w) to (m, c, rows, columns), such as ``Detector.grid``
Encode = Callable[[Sequence[str]], Tensor]  # n texts to (n, t), such as a tokenizer's ``encode``


class Batch(NamedTuple):
    """n questions about m images; question k is about image ``image_of[k]``."""

    images: Float[Tensor, "m c h w"]  # pixels, or a detector's grid
    questions: Int[Tensor, "n t"]  # token ids
    image_of: Int[Tensor, " n"]
    answers: Int[Tensor, " n"]  # ids of the answers


def toy_batches(
    features_of: FeaturesOf,
    encode: Encode,
    seed: int,
    images: int,
    questions: int,
    image_size: int,
    language: str = "english",
) -> Callable[[int], Batch]:
    """``batch_at`` for the toy world: ``images`` scenes a batch, ``questions`` questions about each, answers by their
    place in ``ANSWERS_IN[language]``."""

    def batch_at(step: int) -> Batch:
        scenes, asked = [], []
        for k in range(step * images, (step + 1) * images):
            scene, first = question_at("train", seed, k, language)
            scenes.append(scene)
            asked += [first, *more_questions("train", seed, k, scene, questions - 1, language)]
        return Batch(
            features_of(draw(scenes, image_size)),
            encode([question.text for question in asked]),
            torch.arange(images).repeat_interleave(questions),
            torch.tensor([ANSWERS_IN[language].index(question.answer) for question in asked]),
        )

    return batch_at
