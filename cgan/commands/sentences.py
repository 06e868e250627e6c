"""The task behind ``--data toy``: both players on pictures with sentences."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cgan.commands.frozen import (
    POOL,
    TEST,
    EncoderTask,
    ToyJudgeTask,
    encoder_config,
    load_frozen,
    pictures_with_sentences,
)
from cgan.commands.task import PLACES, WAYS, GANTask
from cgan.data import random_at, text_batches
from cgan.datasets.toy import ATTRIBUTES, Captioned, attributes, named_attributes
from cgan.evaluate import nearest
from cgan.extensions.judge import read_pictures
from cgan.extensions.obedience import measure_sentences, obedience, prefers_the_true_sentence, text_samples
from cgan.extensions.pretraining import Encoders, sentence_vectors
from cgan.extensions.projection import TextConfig, build_text_gan, train_text_with_penalty
from cgan.figures import draw_pictures
from cgan.model import GAN
from cgan.text_encoder import SentenceEncoder
from cgan.theory import GENERATOR_AT_ITS_OPTIMUM, MATCHING_AWARE_AT_OPTIMUM
from lab import cli, training
from toyworld.captions import say
from toyworld.facts import Description, Exists
from toyworld.rng import Rng
from toyworld.scenes import HELD_OUT, SHOWN, SIZES
from toyworld.tokenizer import Tokenizer

Language = Literal["english", "korean"]
LABEL = 28  # letters in a line of a figure's label
EACH = 20  # fakes of each sentence that names everything
VALIDATED = 4  # fakes of each such sentence, in a validation


SHOWN_FIRST = {
    "english": (
        "a large blue star", "a small red square", "a green circle", "a large yellow cross", "a purple triangle",
        "a small black diamond",
    ),
    "korean": (
        "큰 파란색 별", "작은 빨간색 정사각형", "초록색 원", "큰 노란색 십자 모양", "보라색 삼각형",
        "작은 검은색 마름모",
    ),
}  # fmt: skip
WAY = {"english": ("a small red square", "a large blue star"), "korean": ("작은 빨간색 정사각형", "큰 파란색 별")}


class TextGAN(GAN):
    """Both players with the frozen encoder of their sentences, so that they are saved together."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module, encoder: SentenceEncoder) -> None:
        super().__init__(generator, discriminator)
        self.encoder = encoder.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "TextGAN":
        """The encoder stays in evaluation mode."""
        super().train(mode)
        self.encoder.eval()
        return self


def build_game(kind: str, config: TextConfig, words: int, encoders: Encoders | None = None) -> TextGAN:
    """Both players on a kind of scenes, and the sentence encoder. ``encoders`` are trained ones."""
    encoders = encoders or Encoders(words, encoder_config(kind))
    players = build_text_gan(config, encoders.sentence.output.out_features, encoders.picture)
    return TextGAN(players.generator, players.discriminator, encoders.sentence)


class TextTask(GANTask):
    """Both players on pictures with sentences.

    Args:
        kind: close or anywhere; ``commands/two.py`` has two.
        language: of the sentences.
        command: the command that is running; it goes on with the training of judge and encoder after Ctrl-C.
        machine: device and threads, for judge and encoder.
    """

    config: TextConfig
    shown_first: Mapping[str, Sequence[str]] = SHOWN_FIRST  # of the figure
    way: Mapping[str, tuple[str, str]] = WAY  # of the interpolation

    def __init__(
        self, kind: str, language: str, config: TextConfig, command: str, machine: cli.Machine, name: str
    ) -> None:
        self.config, self.steps, self.name, self.kind, self.language = config, config.steps, name, kind, language
        self.data: dict[str, Any] = {"data": f"toy-{kind}", "language": language}
        self.examples = self.captioned("train", 0, POOL)
        self.tokenizer = Tokenizer.of(self.examples.sentences)
        self.judge_task = self.make_judge_task()
        self.network = load_frozen(self.judge_task, command, machine)
        self.encoders = load_frozen(self.make_encoder_task(command, machine), command, machine)
        vectors = self.vectors(self.encoders.sentence, self.examples.sentences)
        rows = self.examples.right, self.examples.wrong
        self.batch_at = text_batches(self.examples.images, vectors, *rows, config.seed, config.batch, config.noise)
        self.prepare()
        if config.game == "matching-aware":
            self.levels = {"ln 3/2 + ½ ln 3": MATCHING_AWARE_AT_OPTIMUM, "ln 3/2": GENERATOR_AT_ITS_OPTIMUM}

    def make_judge_task(self) -> training.Task:
        return ToyJudgeTask(self.kind)

    def make_encoder_task(self, command: str, machine: cli.Machine) -> EncoderTask:
        return EncoderTask(self.kind, self.language, self.tokenizer)

    def prepare(self) -> None:
        """The sentences that name everything, of which several pictures are drawn."""
        self.full, self.full_named = full_sentences(self.language, SHOWN)

    def captioned(self, split: str, seed: int, count: int) -> Captioned:
        return pictures_with_sentences(self.kind, self.language, split, seed, count)

    def files(self) -> dict[str, str]:
        return {"words.txt": "".join(f"{word}\n" for word in self.tokenizer.words)}

    def build(self) -> TextGAN:
        return build_game(self.kind, self.config, len(self.tokenizer), self.encoders)

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        players, rates, batch_at, noting = self.prepared(model, optimizers, device, log)
        config, aware = self.config, self.config.game == "matching-aware"
        train_text_with_penalty(
            model, players, rates, batch_at, steps, noting,
            config.interpolation, config.penalty, config.penalty_every, aware, config.mode_seeking,
        )  # fmt: skip

    def vectors(self, encoder: SentenceEncoder, sentences: Sequence[str]) -> Float[Tensor, "s d"]:
        return sentence_vectors(encoder, self.tokenizer.encode(sentences))

    def fakes(self, model: TextGAN, sentences: Sequence[str], split: str, seed: int = 0) -> Float[Tensor, "n 3 h w"]:
        """A fake for each sentence. The noise is a function of (split, seed)."""
        noise = torch.randn(len(sentences), self.config.noise, generator=random_at(split, seed, 0))
        return text_samples(model.generator, noise, self.vectors(model.encoder, sentences))

    def read(self, images: Tensor) -> tuple[Tensor, Tensor]:
        return read_pictures(self.network, images)

    def each(self, count: int) -> Int[Tensor, " k"]:
        """Rows of ``full``, each ``count`` times."""
        return torch.arange(len(self.full)).repeat_interleave(count)

    def kinds(self, scenes: Sequence) -> Int[Tensor, " m"]:
        """For each scene the row of the sentence in ``full`` that names everything in it."""
        return (attributes(scenes)[:, None] == self.full_named[None]).all(dim=2).int().argmax(dim=1)

    def validate(self, model: nn.Module) -> dict[str, float]:
        """The monitor looks at pixels; the numbers are those of the judge, and choose nothing."""
        rows = self.each(VALIDATED)
        fakes = self.fakes(model, [self.full[k] for k in rows.tolist()], "validation")
        real, kinds = self.examples.images[:TEST], self.kinds(self.examples.scenes[:TEST])
        least = self.watch(fakes, rows, real, kinds, self.full)
        shares = obedience(self.read(fakes)[0], self.full_named[rows])
        return {"score": float(self.done), "obedience": shares["colour and shape"], "least diversity": least}

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """The fakes of the test sentences, and real pictures in their place; pairs that the training never showed."""
        test = self.captioned("test", 0, TEST)
        wanted = named_attributes(test.facts)
        right = [test.sentences[k] for k in test.right[:, 0].tolist()]
        rows = self.each(EACH)
        each = self.fakes(model, [self.full[k] for k in rows.tolist()], "test", 1)
        other = self.captioned("test", 1, TEST)  # real pictures, for their own column
        real = test.images, self.kinds(test.scenes)
        fakes = self.fakes(model, right, "test")
        columns: dict[str, dict[str, float]] = {
            "chance": {what: 1 / len(names) for what, names in ATTRIBUTES.items()},
            "real": measure_sentences(
                self.read, other.images, named_attributes(other.facts)[other.right[:, 0]],
                other.images, self.kinds(other.scenes), *real,
            ),
            "reached": measure_sentences(self.read, fakes, wanted[test.right[:, 0]], each, rows, *real),
        }  # fmt: skip
        columns["chance"]["colour and shape"] = columns["chance"]["colour"] * columns["chance"]["shape"]
        self.compare(model, test, fakes, columns)
        unseen, unseen_named = full_sentences(self.language, HELD_OUT)
        again = list(range(len(unseen))) * EACH
        read, _ = self.read(self.fakes(model, [unseen[k] for k in again], "test", 2))
        columns["reached"]["unseen pairs"] = obedience(read, unseen_named[again])["colour and shape"]
        return {"splits": {"test": columns}, "judge": self.judge_task.judge(self.network)["accuracy"]}

    def compare(self, model: TextGAN, test: Captioned, fakes: Tensor, columns: dict[str, dict[str, float]]) -> None:
        """Into the columns: how far the training pictures are, and which sentence the discriminator prefers."""
        for name, some in (("real", test.images), ("reached", fakes)):
            distances, _ = nearest(some[:: max(1, len(some) // 200)], self.examples.images)
            columns[name] |= {"nearest": distances.mean().item(), "nearest of all": distances.min().item()}
        vectors = self.vectors(model.encoder, test.sentences)
        pairs = test.images, vectors[test.right[:, 0]], vectors[test.wrong[:, 0]]
        columns["chance"]["true preferred"] = 0.5
        columns["reached"]["true preferred"] = prefers_the_true_sentence(model.discriminator, *pairs)

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        shown, between, copies = (folder / f"{name}.png" for name in ("sentences", "interpolation", "nearest"))
        rows = {
            textwrap.fill(sentence, LABEL): self.fakes(model, [sentence] * 10, "test", 3 + k)
            for k, sentence in enumerate(self.shown_first[self.language])
        }
        draw_pictures(shown, rows)
        first, last = self.way[self.language]
        draw_pictures(between, text_interpolated(model, self.tokenizer, self.config.noise, first, last, 0))
        fakes = torch.cat([pictures[:2] for pictures in rows.values()])[:10]
        draw_pictures(copies, {"fake": fakes, "nearest": self.examples.images[nearest(fakes, self.examples.images)[1]]})
        return [shown, between, copies, self.draw_losses(folder)]


def full_sentences(language: str, pairs: Sequence[tuple[str, str]]) -> tuple[list[str], Int[Tensor, "s 3"]]:
    """A sentence for each size and each pair of colour and shape, and what it names."""
    facts = [(Exists(Description(size, colour, shape)),) for size in SIZES for colour, shape in pairs]
    return [say(one, language, Rng(f"cgan/{k}")) for k, one in enumerate(facts)], named_attributes(facts)


def text_interpolated(
    gan: TextGAN, tokenizer: Tokenizer, noise: int, start: str, end: str, seed: int
) -> dict[str, Tensor]:
    """Rows of pictures on the way from one sentence to another; each row has its own noise."""
    z = torch.randn(WAYS, noise, generator=random_at("test", seed, 2))
    first, last = sentence_vectors(gan.encoder, tokenizer.encode([start, end]))
    shares = torch.linspace(0, 1, PLACES)[:, None]
    between = (1 - shares) * first + shares * last  # (places, d)
    rows = [text_samples(gan.generator, row.expand(PLACES, -1), between) for row in z]
    labels = [textwrap.fill(words, LABEL) for words in (f"from {start}", f"to {end}")]  # of the first two rows
    return {labels[k] if k < len(labels) else " " * k: row for k, row in enumerate(rows)}
