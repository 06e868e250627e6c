"""What ``python -m vqa`` does: train and judge a model, and compare the fusions and the streams.

Beside what ``lab.Run`` writes, a run's folder holds the vocabulary, ``results.json`` and the figures, so that a trained
model can be asked without the data that it was trained on.
"""

import json
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import torch

from lab import How, Run, choose_device, load_best, seed_everything, under_way, write_text
from vqa.data import Examples
from vqa.datasets.sources import Source
from vqa.evaluate import ALL, accuracies, baselines
from vqa.extensions.lessons import ATTRIBUTES, lesson_loss, toy_lessons
from vqa.figures import draw_answers, draw_comparison, draw_training, one_of_each_kind
from vqa.model import VQA
from vqa.train import Config, build, build_optimizer, learning_rate, train

VALIDATIONS = 10  # in a run
VARIANTS = {  # the rows of the comparison, by what differs from the configuration
    "product": {"fusion": "product", "streams": "both"},
    "sum": {"fusion": "sum", "streams": "both"},
    "concat": {"fusion": "concat", "streams": "both"},
    "question only": {"fusion": "product", "streams": "question"},
    "image only": {"fusion": "product", "streams": "image"},
}
Table = dict[str, dict[str, float]]  # measure -> kind of question -> accuracy


@dataclass(frozen=True)
class Result:
    """A trained and judged model: ``splits[split]["reached"][kind]`` is an accuracy; its baselines stand beside it."""

    data: str
    folder: Path
    steps: int
    seconds: float  # of training
    history: list[dict[str, float | int]]  # the validations
    splits: dict[str, Table]
    model: VQA


def train_and_judge(data: str, config: Config, source: Source, folder: Path, how: How) -> Result:
    """Trains in ``folder``, keeps the weights that were best in validation, and judges them on the test splits.

    Raises:
        ValueError, OSError: as ``lab.Run`` does, and ``vqa.model.VQA`` for an unknown fusion or stream.
    """
    device = choose_device(how.device)
    config.check()
    if config.lessons:
        check_lessons(data, config)
    seed_everything(config.seed)
    vocabulary = source.vocabulary
    model = build(config, len(vocabulary.words) + 1, len(vocabulary.answers)).to(device)
    optimizer = build_optimizer(model, config)

    in_lessons = how.resume and under_way(lessons_of(folder))

    def validate() -> dict[str, float]:
        reached = accuracies(model, vocabulary, source.validation())
        return {"score": reached.pop(ALL), **reached}

    run = Run(
        folder,
        {"data": data, **asdict(config)},
        {"model": model},
        {"optimizer": optimizer},
        command=how.command,
        title=how.title,
        validate=validate,
        validate_every=max(1, config.steps // VALIDATIONS),
        resume=how.resume and not in_lessons,
        restart=how.restart,
    )
    write_text(run.unfinished / "vocabulary.json", json.dumps(asdict(vocabulary), ensure_ascii=False) + "\n")
    if config.lessons and config.streams != "question":
        if in_lessons or not how.resume:
            run.seconds += give_lessons(model, config, device, lessons_of(folder), how)
        model.image_stream.freeze()
    with run:
        train(
            model,
            optimizer,
            lambda step: tuple(tensor.to(device) for tensor in source.batch_at(step)),
            run.steps(config.steps),
            run.log,
            lambda step: learning_rate(config.learning_rate, config.warmup, config.steps, step),
        )
    load_best(folder, {"model": model})
    splits = {split: judge(model, source, split) for split in source.splits}
    result = Result(data, folder, config.steps, run.seconds, run.history, splits, model)
    write_text(folder / "results.json", as_json(result, config) + "\n")
    return result


def check_lessons(data: str, config: Config) -> None:
    """Raises ValueError where the lessons do not fit: they show the toy world, with its own names."""
    if data != "toy":
        raise ValueError(f"--lessons must be 0 for {data}: only the toy world knows where its things stand")
    if config.attributes != ATTRIBUTES:
        raise ValueError(f"--attributes must be {ATTRIBUTES} where there are lessons, got {config.attributes}")


def give_lessons(model: VQA, config: Config, device: torch.device, folder: Path, how: How) -> float:
    """Pretrains the image stream: it learns to see, as the paper's VGGNet did. A run of its own, in ``folder``;
    returns the seconds it took."""
    stream, lesson_at = model.image_stream, toy_lessons(config.seed, config.lesson_pictures, config.image_size)
    optimizer = build_optimizer(stream, replace(config, weight_decay=0.0))
    run = Run(
        folder,
        asdict(config),
        {"image_stream": stream},
        {"optimizer": optimizer},
        command=how.command,
        title=f"{how.title}, lessons",
        resume=how.resume,
        restart=how.restart,
    )
    with run:
        train(
            stream,
            optimizer,
            lambda step: tuple(tensor.to(device) for tensor in lesson_at(step)),
            run.steps(config.lessons),
            run.log,
            lambda step: learning_rate(config.lesson_learning_rate, config.warmup, config.lessons, step),
            lesson_loss,
        )
    return run.seconds


def lessons_of(folder: Path) -> Path:
    """Where the lessons' own run stands, beside the run that they come before."""
    return folder.with_name(f"{folder.name}-lessons")


def stopped(folder: Path) -> bool:
    """Whether the run in this folder, or its lessons, can be resumed."""
    return under_way(folder) or under_way(lessons_of(folder))


def judge(model: VQA, source: Source, split: str) -> Table:
    """The baselines of a split, and under ``"reached"`` what the model does."""
    without_looking = baselines(source.asked("train"), source.asked(split), source.vocabulary.answers, source.possible)
    return without_looking | {"reached": accuracies(model, source.vocabulary, source.test(split))}


def as_json(result: Result, config: Config) -> str:
    content = {
        "data": result.data,
        "config": asdict(config),
        "steps": result.steps,
        "seconds": round(result.seconds, 1),
        "threads": torch.get_num_threads(),
        "splits": result.splits,
        "validation": result.history,
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def draw_result(result: Result, source: Source) -> list[Path]:
    """``answers.png`` and ``training.png`` in the run's folder."""
    answers, training = result.folder / "answers.png", result.folder / "training.png"
    split = source.splits[0]
    draw_answers(answers, result.model, source.vocabulary, one_of_each_kind(first(source, split)))
    draw_training(training, result.history, result.splits[split]["chance"])
    return [answers, training]


def first(source: Source, split: str) -> Examples:
    """The first stretch of a split."""
    return next(islice(source.test(split), 1))


def compare(data: str, config: Config, source: Source, folder: Path, how: How) -> tuple[dict[str, Table], Path]:
    """Trains every variant in a folder of its own; gives each one's first test split, and the path of the figure.

    With ``resume`` a variant that has ended is not trained again, and one that was stopped goes on.
    """
    judged = {}
    split = source.splits[0]
    for name, changes in VARIANTS.items():
        place, varied = folder / name.replace(" ", "-"), replace(config, **changes)
        go_on = how.resume and stopped(place)
        if how.resume and not go_on and is_result_of(place, varied):
            judged[name] = json.loads((place / "results.json").read_text(encoding="utf-8"))["splits"][split]
            continue
        here = replace(how, title=name, resume=go_on)
        judged[name] = train_and_judge(data, varied, source, place, here).splits[split]
    path = folder / "comparison.png"
    draw_comparison(path, {name: measures["reached"] for name, measures in judged.items()}, judged["product"]["chance"])
    write_text(folder / "results.json", json.dumps({"data": data, "split": split, "variants": judged}, indent=2) + "\n")
    return judged, path


def is_result_of(folder: Path, config: Config) -> bool:
    """Whether ``folder`` holds the judged run of just this configuration."""
    try:
        content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return False
    return content["config"] == json.loads(json.dumps(asdict(config)))
