"""What was written in VQA v2's format is what is read, and each damaged file is named in one line."""

import tempfile
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.images import load_image
from tests.vqa.plumbing.vqa_v2_files import (
    draw,
    edit_json,
    image_path,
    question_and_annotation,
    write_json_files,
    write_vqa_v2,
)
from vqa.datasets.vqa_v2 import ANSWER_TYPES, read_vqa_v2
from vqa.extensions.vocabulary import Record

QUESTIONS, ANNOTATIONS = "v2_OpenEnded_mscoco_train2014_questions.json", "v2_mscoco_train2014_annotations.json"
TEXT = st.text(max_size=12)


@pytest.mark.parametrize("split", ["train", "val"])
def test_reads_what_was_written(tmp_path, split: str) -> None:
    written = write_vqa_v2(tmp_path, split, images=5)
    read = read_vqa_v2(tmp_path, split)
    assert read == written
    assert Counter(record.kind for record in read) == {"yes/no": 5, "number": 5, "other": 5}
    assert all(len(record.answers) == 10 for record in read)
    assert any(len(set(record.answers)) > 1 for record in read)
    assert all(load_image(record.image, 16).shape == (3, 16, 16) for record in read)


def test_splits_lie_side_by_side(tmp_path) -> None:
    train, val = write_vqa_v2(tmp_path, "train", 3), write_vqa_v2(tmp_path, "val", 2)
    assert (read_vqa_v2(tmp_path, "train"), read_vqa_v2(tmp_path, "val")) == (train, val)
    assert not {record.image for record in train} & {record.image for record in val}


def test_names_are_those_of_the_official_files(tmp_path) -> None:
    (record, *_) = write_vqa_v2(tmp_path, images=1)
    assert record.image == tmp_path / "train2014" / "COCO_train2014_000000000009.jpg"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["train2014", QUESTIONS, ANNOTATIONS]


@st.composite
def asked(draw_from, image_ids: list[int]):
    """image_id, question, answers, answer type."""
    answers = st.lists(TEXT, min_size=1, max_size=10).map(tuple)
    return draw_from(st.tuples(st.sampled_from(image_ids), TEXT, answers, st.sampled_from(ANSWER_TYPES)))


@given(entries=st.lists(asked([0, 9, 581929]), min_size=1, max_size=6), data=st.data())
@settings(max_examples=25)
def test_reads_any_text_in_any_order(entries, data) -> None:
    ids = data.draw(st.lists(st.integers(0, 10**9), min_size=len(entries), max_size=len(entries), unique=True))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        pairs = [question_and_annotation(i, *entry) for i, entry in zip(ids, entries, strict=True)]
        questions, annotations = map(list, zip(*pairs, strict=True))
        write_json_files(root, "val", questions, data.draw(st.permutations(annotations)))
        for image_id in {entry[0] for entry in entries}:
            image = image_path(root, "val", image_id)
            image.parent.mkdir(exist_ok=True)
            image.touch()  # read_vqa_v2 looks for images, and does not open them
        expected = [Record(image_path(root, "val", image_id), *rest) for image_id, *rest in entries]
        assert read_vqa_v2(root, "val") == expected


def remove_folder(root: Path) -> None:
    for path in (root / "train2014").iterdir():
        path.unlink()
    (root / "train2014").rmdir()


DAMAGE = {  # what happened to the data, and the line that says so
    "no folder": (remove_folder, r"train2014: there is no such folder$"),
    "no questions' file": (lambda root: (root / QUESTIONS).unlink(), f"{QUESTIONS}: there is no such file$"),
    "no annotations' file": (lambda root: (root / ANNOTATIONS).unlink(), f"{ANNOTATIONS}: there is no such file$"),
    "a folder in a file's place": (
        lambda root: ((root / ANNOTATIONS).unlink(), (root / ANNOTATIONS).mkdir()),
        rf"{ANNOTATIONS}: cannot be read \(Is a directory\)",
    ),
    "cut off": (
        lambda root: (root / QUESTIONS).write_text((root / QUESTIONS).read_text()[:200]),
        rf"{QUESTIONS}: not JSON \(",
    ),
    "no text": (lambda root: (root / ANNOTATIONS).write_bytes(b"\xff\xfe{}"), rf"{ANNOTATIONS}: not JSON \("),
    "a list": (
        lambda root: (root / QUESTIONS).write_text("[]"),
        rf"{QUESTIONS}: the whole: must be an object, got \[\]",
    ),
    "no list of questions": (
        lambda root: edit_json(root / QUESTIONS, lambda content: content.pop("questions")),
        f"{QUESTIONS}: the whole: the key 'questions' is missing",
    ),
    "no questions": (
        lambda root: edit_json(root / QUESTIONS, lambda content: content["questions"].clear()),
        f"{QUESTIONS}: 'questions' is empty",
    ),
    "an entry is a string": (
        lambda root: edit_json(root / QUESTIONS, lambda content: content["questions"].insert(2, "why?")),
        rf'{QUESTIONS}: questions\[2\]: must be an object, got "why\?"',
    ),
    "no image_id": (
        lambda root: edit_json(root / QUESTIONS, lambda content: content["questions"][1].pop("image_id")),
        rf"{QUESTIONS}: questions\[1\]: the key 'image_id' is missing",
    ),
    "image_id in quotes": (
        lambda root: edit_json(root / QUESTIONS, lambda content: content["questions"][1].update(image_id="9")),
        rf"{QUESTIONS}: questions\[1\]: 'image_id' must be of type int, got \"9\"",
    ),
    "no answers": (
        lambda root: edit_json(root / ANNOTATIONS, lambda content: content["annotations"][3].pop("answers")),
        rf"{ANNOTATIONS}: annotations\[3\]: the key 'answers' is missing",
    ),
    "an empty list of answers": (
        lambda root: edit_json(root / ANNOTATIONS, lambda content: content["annotations"][3].update(answers=[])),
        rf"{ANNOTATIONS}: annotations\[3\]: 'answers' is empty",
    ),
    "an answer without answer": (
        lambda root: edit_json(
            root / ANNOTATIONS, lambda content: content["annotations"][3]["answers"][7].pop("answer")
        ),
        rf"{ANNOTATIONS}: annotations\[3\]: answers\[7\]: the key 'answer' is missing",
    ),
    "an unknown answer type": (
        lambda root: edit_json(
            root / ANNOTATIONS, lambda content: content["annotations"][0].update(answer_type="long")
        ),
        rf"{ANNOTATIONS}: annotations\[0\]: 'answer_type' must be one of .*, got 'long'",
    ),
    "a question without annotation": (
        lambda root: edit_json(root / QUESTIONS, lambda content: content["questions"][4].update(question_id=77)),
        rf"{QUESTIONS}: questions\[4\]: question_id 77 has no annotation in {ANNOTATIONS}",
    ),
    "no image": (
        lambda root: image_path(root, "train", 25).unlink(),
        rf"COCO_train2014_000000000025\.jpg: there is no such file, but questions\[3\] of {QUESTIONS} is about it",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named(tmp_path, damage: str) -> None:
    harm, message = DAMAGE[damage]
    write_vqa_v2(tmp_path, images=2)
    harm(tmp_path)
    with pytest.raises(ValueError, match=message) as caught:
        read_vqa_v2(tmp_path, "train")
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_missing_root_is_named(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"nowhere: there is no such folder$"):
        read_vqa_v2(tmp_path / "nowhere", "train")


def test_unknown_split(tmp_path) -> None:
    function = getattr(read_vqa_v2, "__wrapped__", read_vqa_v2)  # without the check of its annotations
    with pytest.raises(ValueError, match="split must be 'train' or 'val', got 'test'"):
        function(tmp_path, "test")


def test_annotations_without_question_are_left_aside(tmp_path) -> None:
    written = write_vqa_v2(tmp_path, images=2)
    edit_json(tmp_path / QUESTIONS, lambda content: content["questions"].pop())
    assert read_vqa_v2(tmp_path, "train") == written[:-1]


def test_the_drawn_images_show_their_answers(tmp_path) -> None:
    """A model can learn from these files: the centres of the two discs are red, the place of a third is grey."""
    draw(tmp_path / "a.jpg", "red", 2)
    image = load_image(tmp_path / "a.jpg", 40)  # squeezed from 48 to 40 wide
    first, second, third = (image[:, 19, round((8 + 15 * i) * 40 / 48)].tolist() for i in range(3))
    assert min(first[0], second[0]) > 200
    assert max(first[1:] + second[1:]) < 70
    assert third == pytest.approx([128] * 3, abs=6)
