"""VQA v2 (Goyal et al. 2017, arXiv 1612.00837) in its authors' files, with the images of COCO 2014.

    ROOT/v2_OpenEnded_mscoco_train2014_questions.json     {"questions": [{"question_id", "image_id", "question"}, …]}
    ROOT/v2_mscoco_train2014_annotations.json             {"annotations": [{"question_id", "answer_type",
                                                              "answers": [{"answer"}, …]}, …]}
    ROOT/train2014/COCO_train2014_000000000009.jpg        the image whose image_id is 9

The files of val2014 have the same form. The files have other keys too, which are not read.
"""

import json
from pathlib import Path
from typing import Any, Literal

from vqa.extensions.vocabulary import Record

ANSWER_TYPES = ("yes/no", "number", "other")


def read_vqa_v2(root: Path, split: Literal["train", "val"]) -> list[Record]:
    """All questions of a split, in the order of the questions' file, each with its (ten) answers in their order.

    The kind of a question is its annotation's ``answer_type``: "yes/no", "number" or "other". One listing of the folder
    shows whether every image is there. ``lab.images.check_image`` looks into the files.

    Raises:
        ValueError: if the split is unknown, or a file is missing or wrong. One line names the file and what is wrong.
    """
    if split not in ("train", "val"):
        raise ValueError(f"split must be 'train' or 'val', got {split!r}")
    folder = root / f"{split}2014"
    for needed in (root, folder):
        if not needed.is_dir():
            raise ValueError(f"{needed}: there is no such folder")
    questions_file = root / f"v2_OpenEnded_mscoco_{split}2014_questions.json"
    annotations_file = root / f"v2_mscoco_{split}2014_annotations.json"
    questions = _read_entries(questions_file, "questions", {"question_id": int, "image_id": int, "question": str})
    annotations = _read_entries(
        annotations_file, "annotations", {"question_id": int, "answer_type": str, "answers": list}
    )
    if not questions:
        raise ValueError(f"{questions_file}: 'questions' is empty")
    labels = {}  # by question_id: the answers and their type
    for i, annotation in enumerate(annotations):
        where = f"{annotations_file}: annotations[{i}]"
        labels[annotation["question_id"]] = _answers(annotation, where), _answer_type(annotation, where)
    images = {path.name for path in folder.iterdir()}
    records = []
    for i, question in enumerate(questions):
        where, question_id = f"{questions_file}: questions[{i}]", question["question_id"]
        image = folder / f"COCO_{split}2014_{question['image_id']:012d}.jpg"
        if question_id not in labels:
            raise ValueError(f"{where}: question_id {question_id} has no annotation in {annotations_file.name}")
        if image.name not in images:
            raise ValueError(f"{image}: there is no such file, but questions[{i}] of {questions_file.name} is about it")
        answers, kind = labels[question_id]
        records.append(Record(image, question["question"], answers, kind))
    return records


def _read_entries(path: Path, name: str, keys: dict[str, type]) -> list[dict[str, Any]]:
    """The list under ``name`` in a JSON file. Each entry must be an object with these keys and types."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:  # wrong JSON, or bytes that are not UTF-8
        raise ValueError(f"{path}: not JSON ({error})") from error
    _require(content, {name: list}, f"{path}: the whole")
    for i, entry in enumerate(content[name]):
        _require(entry, keys, f"{path}: {name}[{i}]")
    return content[name]


def _require(entry: Any, keys: dict[str, type], where: str) -> None:
    """Raises ValueError unless ``entry`` is an object with these keys, and values of these types."""
    if not isinstance(entry, dict):
        raise ValueError(f"{where}: must be an object, got {_shown(entry)}")
    for key, kind in keys.items():
        if key not in entry:
            raise ValueError(f"{where}: the key '{key}' is missing")
        if type(entry[key]) is not kind:  # a bool is no int
            raise ValueError(f"{where}: '{key}' must be of type {kind.__name__}, got {_shown(entry[key])}")


def _answers(annotation: dict[str, Any], where: str) -> tuple[str, ...]:
    if not annotation["answers"]:
        raise ValueError(f"{where}: 'answers' is empty")
    for j, answer in enumerate(annotation["answers"]):
        _require(answer, {"answer": str}, f"{where}: answers[{j}]")
    return tuple(answer["answer"] for answer in annotation["answers"])


def _answer_type(annotation: dict[str, Any], where: str) -> str:
    if annotation["answer_type"] not in ANSWER_TYPES:
        raise ValueError(f"{where}: 'answer_type' must be one of {ANSWER_TYPES}, got {annotation['answer_type']!r}")
    return annotation["answer_type"]


def _shown(value: Any) -> str:
    """A value in one short line."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
