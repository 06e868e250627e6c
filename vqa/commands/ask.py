"""What ``python -m vqa ask`` does: a trained model answers a question about a picture file."""

import json
from dataclasses import dataclass
from pathlib import Path

from lab import CheckpointError, finished, load_best, read_summary
from vqa.data import Examples, Vocabulary
from vqa.datasets.images import load_image
from vqa.evaluate import probabilities
from vqa.model import VQA
from vqa.train import Config, build


@dataclass(frozen=True)
class Answer:
    """What ``ask`` gives: the words that it ignored, and answers with their probabilities, the most likely first."""

    unknown: list[str]
    likely: list[tuple[str, float]]


def ask(folder: Path, data: str, image: Path, question: str, count: int = 5) -> Answer:
    """Lets the trained model in ``folder`` answer a question about a picture file.

    Raises:
        ValueError: if there is no trained model, the file is no picture, or the question is empty or too long.
    """
    if not question.strip():
        raise ValueError("--question must not be empty")
    config, vocabulary, model = load_trained(folder, data)
    images = load_image(image, config.image_size)[None].float() / 255
    row = probabilities(model, vocabulary, Examples(images, (0,), (question,), ((),), ("",)))[0]
    top, order = row.topk(min(count, len(row)))
    likely = [(vocabulary.answers[k], p) for k, p in zip(order.tolist(), top.tolist(), strict=True)]
    return Answer(vocabulary.unknown(question), likely)


def load_trained(folder: Path, data: str) -> tuple[Config, Vocabulary, VQA]:
    """What ``train_and_judge`` left in its folder.

    Raises:
        ValueError: if there is no finished run, or a file in it is damaged.
    """
    place = finished(folder, f"python -m vqa --data {data}")
    try:
        fields = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in read_summary(place)["config"].items()
        }
        fields.pop("data")
        config = Config(**fields)
        words = json.loads((place / "vocabulary.json").read_text(encoding="utf-8"))
        vocabulary = Vocabulary(tuple(words["words"]), tuple(words["answers"]))
    except CheckpointError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:  # deleted, edited, or written by another version
        raise CheckpointError(f"{place} is damaged or of another version: train anew") from error
    model = build(config, len(vocabulary.words) + 1, len(vocabulary.answers))
    load_best(place, {"model": model})
    return config, vocabulary, model.eval()
