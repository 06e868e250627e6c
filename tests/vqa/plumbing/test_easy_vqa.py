"""The author's split of easy-VQA, counted; and the message if the package is missing."""

import sys
from collections import Counter

import pytest
import torch

from lab.images import load_image
from vqa.answer_text import vqa_accuracy
from vqa.datasets.easy_vqa import kind_of_question, read_easy_vqa

COLORS = {"red", "green", "gray", "teal", "black", "yellow", "brown", "blue"}
SHAPES = {"circle", "rectangle", "triangle"}


@pytest.fixture(scope="module")
def splits():
    return {split: read_easy_vqa(split) for split in ("train", "test")}


def test_counts_of_the_official_split(splits) -> None:
    train, test = splits["train"], splits["test"]
    assert (len(train), len(test)) == (38_575, 9_673)
    assert len(train) + len(test) == 48_248
    images = {split: {record.image for record in records} for split, records in splits.items()}
    assert {split: len(paths) for split, paths in images.items()} == {"train": 4_000, "test": 1_000}
    assert not images["train"] & images["test"]
    for records in splits.values():
        assert {record.answers[0] for record in records} == COLORS | SHAPES | {"yes", "no"}  # 13 answers
        assert all(len(record.answers) == 1 for record in records)


def test_always_yes_is_right_in_three_of_eight(splits) -> None:
    test = splits["test"]
    accuracy = sum(vqa_accuracy("yes", record.answers) for record in test) / len(test)
    assert accuracy == pytest.approx(0.373, abs=0.0005)


def test_a_kind_fits_its_answers(splits) -> None:
    for records in splits.values():
        answers = {kind: Counter() for kind in ("color", "shape", "presence", "absence")}
        for record in records:
            answers[record.kind][record.answers[0]] += 1
        assert set(answers["color"]) == COLORS
        assert set(answers["shape"]) == SHAPES
        assert set(answers["presence"]) == set(answers["absence"]) == {"yes", "no"}
        for kind, frequent in (("presence", "no"), ("absence", "yes")):
            assert answers[kind][frequent] / answers[kind].total() == pytest.approx(0.82, abs=0.02)


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("what color is the triangle?", "color"),
        ("what is the color of the shape?", "color"),
        ("what is the blue shape?", "shape"),
        ("what shape does the image contain?", "shape"),
        ("does the image contain a circle?", "presence"),
        ("is a brown shape present?", "presence"),
        ("does the image not contain a circle?", "absence"),
        ("is no brown shape present?", "absence"),
    ],
)
def test_kind_of_question(question: str, kind: str) -> None:
    assert kind_of_question(question) == kind


def test_a_question_is_about_its_image(splits) -> None:
    """If the answer to "what color is the shape?" is red, blue or black, the image has pixels of that colour."""
    named = {"red": (255, 0, 0), "blue": (0, 0, 255), "black": (0, 0, 0)}
    asked = [r for r in splits["test"] if r.question == "what color is the shape?" and r.answers[0] in named][:30]
    for record in asked:
        color = torch.tensor(named[record.answers[0]]).view(3, 1, 1)
        near = (load_image(record.image, 64).int() - color).abs().amax(0) < 90
        assert near.sum() > 30, f"{record.image.name} shows no {record.answers[0]} shape"


def test_missing_package_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "easy_vqa", None)  # what makes an import fail
    with pytest.raises(ValueError, match=r'pip install "multimodal-from-scratch\[real\]"'):
        read_easy_vqa("train")


def test_unknown_split() -> None:
    function = getattr(read_easy_vqa, "__wrapped__", read_easy_vqa)  # without the check of its annotations
    with pytest.raises(ValueError, match="split must be 'train' or 'test', got 'val'"):
        function("val")
