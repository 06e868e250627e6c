"""easy-VQA (Victor Zhou, 2019): questions about image files, one coloured shape in each, as a Python package.

5,000 images of 64 by 64 pixels, 48,248 questions, 13 answers; four of five images are for training, as its author split
them. The questions are made from templates and have one answer each. The accuracy is therefore plain equality.

Its author reports 93.8% on this split. His 99.5% belong to a larger model, trained on twice as much data, and to that
data's own test split.
"""

from pathlib import Path
from typing import Literal

from vqa.extensions.vocabulary import Record


def read_easy_vqa(split: Literal["train", "test"]) -> list[Record]:
    """All questions of a split, in the author's order: 38,575 for training, 9,673 for testing.

    Raises:
        ValueError: if the split is unknown, or the package is not installed.
    """
    if split not in ("train", "test"):
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    try:
        import easy_vqa
    except ImportError:
        raise ValueError('easy-VQA is not installed: pip install "multimodal-from-scratch[real]"') from None
    if split == "train":
        questions, paths = easy_vqa.get_train_questions(), easy_vqa.get_train_image_paths()
    else:
        questions, paths = easy_vqa.get_test_questions(), easy_vqa.get_test_image_paths()
    images = {i: Path(path) for i, path in paths.items()}
    return [
        Record(images[i], question, (answer,), kind_of_question(question))
        for question, answer, i in zip(*questions, strict=True)
    ]


def kind_of_question(question: str) -> str:
    """What a question asks, by its words alone.

    - ``"color"``: what color is the triangle? what is the color of the shape?
    - ``"shape"``: what is the blue shape? what shape is present?
    - ``"presence"``: is there a blue shape? is a circle present? (the answer to four of five is "no")
    - ``"absence"``: is there not a blue shape? is no circle present? (the answer to four of five is "yes")
    """
    words = question.rstrip("?").split()
    if words[0] == "what":
        return "color" if "color" in words else "shape"
    return "absence" if "no" in words or "not" in words else "presence"
