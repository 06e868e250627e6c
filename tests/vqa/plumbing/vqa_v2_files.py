"""A small data set in VQA v2's files, for tests: drawn images, questions with ten answers that are not all equal."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from vqa.extensions.vocabulary import Record

COLORS = {"red": (220, 40, 40), "green": (40, 170, 60), "blue": (50, 80, 220), "yellow": (235, 210, 50)}
PEOPLE = 10


def image_path(root: Path, split: str, image_id: int) -> Path:
    return root / f"{split}2014" / f"COCO_{split}2014_{image_id:012d}.jpg"


def question_and_annotation(
    question_id: int, image_id: int, question: str, answers: tuple[str, ...], answer_type: str
) -> tuple[dict, dict]:
    """One question in the two files' form, also with keys that our reader does not need."""
    people = [{"answer": answer, "answer_confidence": "yes", "answer_id": i} for i, answer in enumerate(answers, 1)]
    asked = {"question_id": question_id, "image_id": image_id, "question": question}
    label = {
        "question_id": question_id,
        "image_id": image_id,
        "question_type": " ".join(question.lower().split()[:2]),
        "answer_type": answer_type,
        "multiple_choice_answer": max(sorted(set(answers)), key=answers.count),
        "answers": people,
    }
    return asked, label


def write_json_files(root: Path, split: str, questions: list[dict], annotations: list[dict]) -> tuple[Path, Path]:
    root.mkdir(parents=True, exist_ok=True)
    head = {"info": {"version": "2.0"}, "data_type": "mscoco", "data_subtype": f"{split}2014", "license": {}}
    questions_file = root / f"v2_OpenEnded_mscoco_{split}2014_questions.json"
    annotations_file = root / f"v2_mscoco_{split}2014_annotations.json"
    for file, content in (
        (questions_file, {"task_type": "Open-Ended", "questions": questions}),
        (annotations_file, {"annotations": annotations}),
    ):
        file.write_text(json.dumps(head | content, ensure_ascii=False), encoding="utf-8")
    return questions_file, annotations_file


def edit_json(path: Path, change: Callable[[Any], object]) -> None:
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def draw(path: Path, color: str, count: int, width: int = 48, height: int = 40) -> None:
    """One to three discs of one colour side by side on grey, as a JPEG file."""
    image = Image.new("RGB", (width, height), (128, 128, 128))
    pen = ImageDraw.Draw(image)
    for i in range(count):
        pen.ellipse((2 + 15 * i, 13, 14 + 15 * i, 25), fill=COLORS[color])
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, quality=95)


def write_vqa_v2(root: Path, split: str = "train", images: int = 24, seed: int = 0) -> list[Record]:
    """Writes ``images`` images with three questions each, one of each answer type; returns what a reader must read.

    Seven to ten of the ten people give the right answer. Question ids are not in order, and the annotations have
    another order than the questions, because the format does not promise one.
    """
    rng = random.Random(f"{split} {seed}")
    records, questions, annotations = [], [], []
    for number in range(images):
        image_id = 9 + 16 * number
        color, count, asked_color = rng.choice(list(COLORS)), rng.randint(1, 3), rng.choice(list(COLORS))
        path = image_path(root, split, image_id)
        draw(path, color, count)
        entries = (
            (f"Is there a {asked_color} disc?", "yes" if color == asked_color else "no", ("yes", "no"), "yes/no"),
            ("How many discs are there?", str(count), ("1", "2", "3", "4"), "number"),
            ("What color are the discs?", color, (*COLORS, "light " + color), "other"),
        )
        for i, (question, truth, others, kind) in enumerate(entries):
            wrong = rng.randint(0, 3)
            answers = [truth] * (PEOPLE - wrong) + rng.choices([other for other in others if other != truth], k=wrong)
            rng.shuffle(answers)
            asked, label = question_and_annotation(image_id * 1000 + 2 - i, image_id, question, tuple(answers), kind)
            questions.append(asked)
            annotations.append(label)
            records.append(Record(path, question, tuple(answers), kind))
    rng.shuffle(annotations)
    write_json_files(root, split, questions, annotations)
    return records
