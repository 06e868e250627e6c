"""The two trainings: vectors of the toy language with any objective, and vectors of a text by the block engine."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lab import config as configs
from lab import folders, training
from word2vec.data import ToyText, toy_vocabulary
from word2vec.datasets.corpus import read_corpus
from word2vec.evaluate import ALL, HELD_OUT, KNOWN, baselines, judge_analogies, toy_analogies
from word2vec.extensions.objectives import ObjectiveConfig, objective_of
from word2vec.extensions.text import TextConfig, TextTraining, check_config, vocabulary_of
from word2vec.figures import draw_relations, draw_training
from word2vec.model import SkipGram
from word2vec.train import build_optimizer
from word2vec.vocabulary import Vocabulary


def in_json(vocabulary: Vocabulary) -> str:
    return json.dumps(asdict(vocabulary), ensure_ascii=False) + "\n"


class ToyTask(training.Task):
    """Vectors of the toy language. The loss on other sentences chooses the weights; the analogies choose nothing."""

    paper = "word2vec"
    data: Mapping[str, Any] = {"data": "toy"}

    def __init__(self, config: ObjectiveConfig, name: str = "toy") -> None:
        configs.check(config)
        self.config, self.steps, self.name = config, config.steps, name
        self.objective, self.vocabulary = objective_of(config.objective), toy_vocabulary(config.seed)

    def text(self, split: str) -> ToyText:
        c = self.config
        return ToyText(self.vocabulary, c.seed, c.sentences, c.window, c.negatives, c.sample, c.power, split)

    def check(self) -> None:
        for split in ("test", "train"):
            self.check_batch(0, self.objective.batch_at(self.text(split), 0))

    def check_batch(self, step: int, batch: tuple[torch.Tensor, ...]) -> None:
        """Raises ValueError if subsampling has left no pair."""
        if len(batch[0]) == 0:
            values = f"{self.config.sample} and {self.config.sentences}, which leave none in step {step}"
            raise ValueError(f"sample and sentences must leave words beside each other, got {values}")

    def files(self) -> dict[str, str]:
        return {"vocabulary.json": in_json(self.vocabulary)}

    def build(self) -> nn.Module:
        return self.objective.build(self.vocabulary, self.config.dim)

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        return dict(zip(("optimizer", "scheduler"), build_optimizer(model, self.config), strict=True))

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        text = self.text("train")

        def batch_at(step: int) -> tuple[torch.Tensor, ...]:
            batch = self.objective.batch_at(text, step)
            self.check_batch(step, batch)
            return tuple(tensor.to(device) for tensor in batch)

        self.objective.train(model, *optimizers.values(), batch_at, steps, log)

    def validate(self, model: nn.Module) -> dict[str, float]:
        batch = [tensor.to(model.centre.device) for tensor in self.objective.batch_at(self.text("test"), 0)]
        loss = self.objective.loss(model, *batch).item()
        return {"score": -loss, **{f"{pairs} {ALL}": row[ALL] for pairs, row in self.reached(model).items()}}

    def reached(self, model: nn.Module) -> dict[str, dict[str, float]]:
        """For known and held-out pairs, the accuracy of the analogies of each relation."""
        vectors = model.centre.detach().cpu()
        scores = {
            pairs: judge_analogies(vectors, self.vocabulary.words, toy_analogies(pairs)) for pairs in (KNOWN, HELD_OUT)
        }
        return {pairs: {name: score.accuracy for name, score in row.items()} for pairs, row in scores.items()}

    def judge(self, model: nn.Module) -> dict[str, Any]:
        vectors, words = model.centre.detach().cpu(), self.vocabulary.words
        pairs = {
            name: {**baselines(vectors, words, toy_analogies(name)), "reached": reached}
            for name, reached in self.reached(model).items()
        }
        return {"pairs": pairs}

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        paths = [folder / "relations.png", folder / "training.png"]
        draw_relations(paths[0], model.centre.detach().cpu(), self.vocabulary)
        nearest = {name: table["nearest"][ALL] for name, table in results["pairs"].items()}
        draw_training(paths[1], results["validation"], nearest)
        return paths


class TextTask(training.Task):
    """Vectors of a text. Its ids are kept beside the run, in ``NAME.corpus``, until the text changes.

    Raises:
        ValueError, OSError: for values out of range, and as ``read_corpus`` and ``build_vocabulary``.
    """

    paper, unit = "word2vec", "word"

    def __init__(self, config: TextConfig, path: Path, name: str | None = None) -> None:
        check_config(config)
        self.config, self.name = config, name or f"text-{path.stem}"
        folder = training.folder_of(self.paper, self.name)
        self.lock = folders.lock(folder)  # before the corpus is made: another process may read the old one
        self.corpus = read_corpus(path, folder.with_name(f"{folder.name}.corpus"))
        self.data = {"data": "text", "text": list(self.corpus.source)}
        self.vocabulary = vocabulary_of(self.corpus, config.min_count)
        self.steps = config.epochs * len(self.corpus.ends)

    def size(self, step: int) -> int:
        return self.corpus.size(step % len(self.corpus.ends))

    def files(self) -> dict[str, str]:
        return {"vocabulary.json": in_json(self.vocabulary)}

    def build(self) -> SkipGram:
        self.training = TextTraining(self.corpus, self.vocabulary, self.config)
        return self.training.model

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        for step in steps:
            loss = self.training.step(step)
            known = {} if loss is None else {"loss": loss}  # a chunk without pairs has no loss
            log(step, **known, rate=self.training.rate_at(step))

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """Only sizes: ``python -m word2vec judge --run NAME`` judges by files of words."""
        return {"words": self.config.epochs * self.corpus.tokens, "vocabulary": len(self.vocabulary)}
