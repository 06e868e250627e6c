"""Training on the toy language: what ``python -m word2vec`` and ``… compare`` do.

A run's folder holds, beside what ``lab.Run`` writes, the vocabulary, ``results.json`` and the figures.
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import nn

from lab import CheckpointError, How, Run, choose_device, load_best, seed_everything, under_way, write_text
from word2vec.commands.trained import write_vocabulary
from word2vec.data import ToyText, toy_vocabulary
from word2vec.evaluate import ALL, HELD_OUT, KNOWN, baselines, judge_analogies, toy_analogies
from word2vec.extensions.objectives import OBJECTIVES, objective_of
from word2vec.figures import draw_comparison, draw_relations, draw_training
from word2vec.train import Config, build_optimizer, learning_rate, train
from word2vec.vocabulary import Vocabulary

VALIDATIONS = 10  # in a run
Table = dict[str, dict[str, float]]  # measure -> relation -> accuracy


@dataclass(frozen=True)
class Result:
    """Trained and judged vectors: ``pairs[KNOWN or HELD_OUT]["reached"][relation]`` is an accuracy."""

    folder: Path
    config: Config
    seconds: float  # of training
    history: list[dict[str, float | int]]  # the validations
    pairs: dict[str, Table]
    vocabulary: Vocabulary
    model: nn.Module


def train_and_judge(config: Config, folder: Path, how: How) -> Result:
    """Trains in ``folder`` and judges the best weights on the toy language's analogies.

    Raises:
        ValueError, OSError: as ``lab.Run`` does, and for numbers that are out of range.
    """
    device, objective = choose_device(how.device), objective_of(config.objective)
    config.check()
    seed_everything(config.seed)
    vocabulary = toy_vocabulary(config.seed)
    model = objective.build(vocabulary, config.dim).to(device)
    optimizer = build_optimizer(model, config)
    shape = (vocabulary, config.seed, config.sentences, config.window, config.sample, config.power)
    text, another_draw = ToyText(*shape), ToyText(*shape, split="test")
    validation = tuple(tensor.to(device) for tensor in objective.batch_at(another_draw, config, 0))
    if len(validation[0]) == 0:
        raise ValueError(
            f"sample and sentences must leave words beside each other, got {config.sample} and {config.sentences}"
        )

    def validate() -> dict[str, float]:
        """The loss on another draw of sentences chooses the weights; analogies choose nothing."""
        loss = objective.loss(model, *validation).item()
        reached = judge(model, vocabulary)
        return {"score": -loss, **{f"{pairs} {ALL}": reached[pairs][ALL] for pairs in reached}}

    run = Run(
        folder,
        {"data": "toy", **asdict(config)},
        {"model": model},
        {"optimizer": optimizer},
        command=how.command,
        title=how.title,
        validate=validate,
        validate_every=max(1, config.steps // VALIDATIONS),
        resume=how.resume,
        restart=how.restart,
    )
    write_vocabulary(run.unfinished, vocabulary)
    with run:
        train(
            model,
            optimizer,
            lambda step: tuple(tensor.to(device) for tensor in objective.batch_at(text, config, step)),
            run.steps(config.steps),
            run.log,
            lambda step: learning_rate(config.learning_rate, config.steps, step),
            objective.loss,
        )
    load_best(folder, {"model": model})
    reached = judge(model, vocabulary)
    vectors = model.centre.detach().cpu()
    pairs = {
        name: {**baselines(vectors, vocabulary.words, toy_analogies(name)), "reached": reached[name]}
        for name in (KNOWN, HELD_OUT)
    }
    result = Result(folder, config, run.seconds, run.history, pairs, vocabulary, model)
    write_text(folder / "results.json", as_json(result, how.command) + "\n")
    return result


def judge(model: nn.Module, vocabulary: Vocabulary) -> Table:
    """By pairs (known, held out) and relation, which part of the analogies is answered rightly."""
    vectors = model.centre.detach().cpu()
    return {
        pairs: {
            relation: judged.accuracy
            for relation, judged in judge_analogies(vectors, vocabulary.words, toy_analogies(pairs)).items()
        }
        for pairs in (KNOWN, HELD_OUT)
    }


def as_json(result: Result, command: str) -> str:
    content = {
        "paper": "word2vec",
        "what": "toy",
        "command": command,
        "config": asdict(result.config),
        "steps": result.config.steps,
        "seconds": round(result.seconds, 1),
        "threads": torch.get_num_threads(),
        "pairs": result.pairs,
        "validation": result.history,
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def draw_result(result: Result) -> list[Path]:
    """``relations.png`` and ``training.png`` in the run's folder."""
    paths = [result.folder / "relations.png", result.folder / "training.png"]
    draw_relations(paths[0], result.model.centre.detach().cpu(), result.vocabulary)
    draw_training(paths[1], result.history, {name: table["nearest"][ALL] for name, table in result.pairs.items()})
    return paths


def compare(config: Config, folder: Path, how: How) -> tuple[dict[str, dict[str, float]], Path]:
    """Trains with every objective in a folder of its own; by objective, what is reached and the seconds it took.

    With ``resume`` an objective that has ended is not trained again, and one that was stopped goes on.
    """
    found = {}
    for name in OBJECTIVES:
        place, varied = folder / name, replace(config, objective=name)
        content = result_of(place, varied) if how.resume and not under_way(place) else None
        if content is None:
            here = replace(how, title=name, resume=how.resume and under_way(place))
            result = train_and_judge(varied, place, here)
            content = {"pairs": result.pairs, "seconds": round(result.seconds, 1)}
        reached = {pairs: content["pairs"][pairs]["reached"][ALL] for pairs in (KNOWN, HELD_OUT)}
        found[name] = {**reached, "seconds": content["seconds"]}
    path = folder / "comparison.png"
    draw_comparison(path, {name: {pairs: row[pairs] for pairs in (KNOWN, HELD_OUT)} for name, row in found.items()})
    content = {
        "paper": "word2vec",
        "what": "comparison",
        "command": how.command,
        "steps": config.steps,
        "seed": config.seed,
        "objectives": found,
    }
    write_text(folder / "results.json", json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return found, path


def result_of(folder: Path, config: Config) -> dict | None:
    """What the run of just this configuration has left in ``folder``, if it has."""
    try:
        content = json.loads((folder / "results.json").read_text(encoding="utf-8"))
        return content if content["config"] == asdict(config) else None
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{folder / 'results.json'} is damaged: train anew without --resume") from error
