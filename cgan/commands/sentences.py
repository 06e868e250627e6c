"""The tasks behind ``--data toy``: the judge of the pictures, the encoder of the sentences, and both players."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from cgan.commands.task import PLACES, WAYS, GANTask, load_frozen
from cgan.data import random_at, text_batches
from cgan.datasets.toy import ATTRIBUTES, attributes, captioned, named_attributes
from cgan.evaluate import nearest
from cgan.extensions.judge import JudgeConfig, build_judge_optimizer
from cgan.extensions.obedience import measure_sentences, obedience, prefers_the_true_sentence, text_samples
from cgan.extensions.pretraining import (
    EncoderConfig,
    Encoders,
    build_encoder_optimizer,
    encoder_batches,
    sentence_vectors,
    train_encoders,
)
from cgan.extensions.projection import TextConfig, build_text_gan, train_text_with_penalty
from cgan.extensions.toy_judge import (
    SCENES,
    SEED,
    ToyJudge,
    judge_scenes,
    read_pictures,
    toy_judge_batches,
    train_toy_judge,
)
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
POOL = 16_000  # scenes that the players learn from; they are drawn once
TEST = 2_000  # real pictures to compare with; the judge and the encoder are tested on them, too
EACH = 20  # fakes of each sentence that names everything
VALIDATED = 4  # fakes of each such sentence, in a validation


class ToyJudgeTask(training.Task):
    """The judge of one object's colour, shape and size."""

    paper, role = "cgan", "judge"

    def __init__(self, kind: str, config: JudgeConfig | None = None) -> None:
        self.config = config or JudgeConfig(steps={"close": 800, "anywhere": 2000}[kind])
        self.steps, self.kind, self.name = self.config.steps, kind, f"judge-toy-{kind}"
        self.data = {"data": self.name}

    def build(self) -> ToyJudge:
        return ToyJudge(self.config.channels)

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        return dict(zip(("optimizer", "scheduler"), build_judge_optimizer(model, self.config), strict=True))

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        plain_at = toy_judge_batches(*judge_scenes(self.kind, SEED, SCENES), self.config.seed, self.config.batch)

        def batch_at(step: int) -> list[Tensor]:
            return [tensor.to(device) for tensor in plain_at(step)]

        train_toy_judge(model, *optimizers.values(), batch_at, steps, log)

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """How many real test pictures get all three attributes right; a quarter of them have pairs held out."""
        images, wanted = judge_scenes(self.kind, SEED + 1, TEST)
        return {"accuracy": (read_pictures(model, images)[0] == wanted).all(dim=1).double().mean().item()}


class EncoderTask(training.Task):
    """The sentence encoder, trained beside a picture encoder, on pictures close up for every scene.

    On objects of the toy world's own sizes the picture encoder confuses shapes, and the sentences' vectors then do not
    tell shapes apart.
    """

    paper, role = "cgan", "sentence encoder"

    def __init__(self, language: str, tokenizer: Tokenizer, config: EncoderConfig | None = None) -> None:
        self.config = config or EncoderConfig()
        self.steps, self.name = self.config.steps, f"encoder-toy-close{suffix(language)}"
        self.data = {"data": self.name, "language": language}
        self.language, self.tokenizer = language, tokenizer

    def build(self) -> Encoders:
        return Encoders(len(self.tokenizer), self.config)

    def optimizers(self, model: nn.Module) -> dict[str, Any]:
        return dict(zip(("optimizer", "scheduler"), build_encoder_optimizer(model, self.config), strict=True))

    def train(self, model: nn.Module, optimizers: Mapping[str, Any], device: torch.device, steps, log) -> None:
        examples = captioned("close", self.language, "train", 0, POOL)
        ids = self.tokenizer.encode(examples.sentences)
        plain_at = encoder_batches(examples, ids, self.config.seed, self.config.batch)

        def batch_at(step: int) -> list[Tensor]:
            return [tensor.to(device) for tensor in plain_at(step)]

        train_encoders(model, *optimizers.values(), batch_at, steps, log)

    def judge(self, model: nn.Module) -> dict[str, Any]:
        """The share of real test pictures that are nearer to their right sentence than to their wrong one."""
        examples = captioned("close", self.language, "test", 0, TEST)
        vectors = sentence_vectors(model.sentence, self.tokenizer.encode(examples.sentences))
        device = next(model.parameters()).device
        with torch.no_grad():
            seen = torch.cat([model.picture(part.to(device)).cpu() for part in examples.images.split(500)])
        right, wrong = ((seen * vectors[rows[:, 0]]).sum(dim=1) for rows in (examples.right, examples.wrong))
        return {"accuracy": (right > wrong).double().mean().item()}


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


def suffix(language: str) -> str:
    """What a run's name has more in a language."""
    return "" if language == "english" else f"-{language}"


def build_game(config: TextConfig, words: int, encoder: SentenceEncoder | None = None) -> TextGAN:
    """Both players, and an encoder."""
    encoder = encoder or SentenceEncoder(words, EncoderConfig().size)
    players = build_text_gan(config, encoder.output.out_features)
    return TextGAN(players.generator, players.discriminator, encoder)


class TextTask(GANTask):
    """Both players on pictures with sentences.

    Args:
        kind: close or anywhere.
        language: of the sentences.
        command: the command that is running; it goes on with the training of judge and encoder after Ctrl-C.
        machine: device and threads, for judge and encoder.
    """

    config: TextConfig

    def __init__(
        self, kind: str, language: str, config: TextConfig, command: str, machine: cli.Machine, name: str
    ) -> None:
        self.config, self.steps, self.name, self.kind, self.language = config, config.steps, name, kind, language
        self.data: dict[str, Any] = {"data": f"toy-{kind}", "language": language}
        self.examples = captioned(kind, language, "train", 0, POOL)
        self.tokenizer = Tokenizer.of(self.examples.sentences)
        self.network = load_frozen(ToyJudgeTask(kind), command, machine)
        self.encoders = load_frozen(EncoderTask(language, self.tokenizer), command, machine)
        vectors = self.vectors(self.encoders.sentence, self.examples.sentences)
        rows = self.examples.right, self.examples.wrong
        self.batch_at = text_batches(self.examples.images, vectors, *rows, config.seed, config.batch, config.noise)
        self.full, self.full_named = full_sentences(language, SHOWN)
        if config.game == "matching-aware":
            self.levels = {"ln 3/2 + ½ ln 3": MATCHING_AWARE_AT_OPTIMUM, "ln 3/2": GENERATOR_AT_ITS_OPTIMUM}

    def files(self) -> dict[str, str]:
        return {"words.txt": "".join(f"{word}\n" for word in self.tokenizer.words)}

    def build(self) -> TextGAN:
        return build_game(self.config, len(self.tokenizer), self.encoders.sentence)

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
        test = captioned(self.kind, self.language, "test", 0, TEST)
        wanted = named_attributes(test.facts)
        right = [test.sentences[k] for k in test.right[:, 0].tolist()]
        rows = self.each(EACH)
        each = self.fakes(model, [self.full[k] for k in rows.tolist()], "test", 1)
        other = captioned(self.kind, self.language, "test", 1, TEST)  # real pictures, for their own column
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
        for name, some in (("real", test.images), ("reached", fakes)):
            distances, _ = nearest(some[:: max(1, len(some) // 200)], self.examples.images)
            columns[name] |= {"nearest": distances.mean().item(), "nearest of all": distances.min().item()}
        vectors = self.vectors(model.encoder, test.sentences)
        pairs = test.images, vectors[test.right[:, 0]], vectors[test.wrong[:, 0]]
        columns["chance"]["true preferred"] = 0.5
        columns["reached"]["true preferred"] = prefers_the_true_sentence(model.discriminator, *pairs)
        unseen, unseen_named = full_sentences(self.language, HELD_OUT)
        again = list(range(len(unseen))) * EACH
        read, _ = self.read(self.fakes(model, [unseen[k] for k in again], "test", 2))
        columns["reached"]["unseen pairs"] = obedience(read, unseen_named[again])["colour and shape"]
        return {"splits": {"test": columns}, "judge": self.judge_accuracy()}

    def judge_accuracy(self) -> float:
        images, wanted = judge_scenes(self.kind, SEED + 1, TEST)
        return (self.read(images)[0] == wanted).all(dim=1).double().mean().item()

    def draw(self, folder: Path, model: nn.Module, results: Mapping[str, Any]) -> list[Path]:
        shown, between, copies = (folder / f"{name}.png" for name in ("sentences", "interpolation", "nearest"))
        rows = {
            sentence: self.fakes(model, [sentence] * 10, "test", 3 + k)
            for k, sentence in enumerate(SHOWN_FIRST[self.language])
        }
        draw_pictures(shown, rows)
        first, last = WAY[self.language]
        draw_pictures(between, text_interpolated(model, self.tokenizer, self.config.noise, first, last, 0))
        fakes = torch.cat([pictures[:2] for pictures in rows.values()])[:10]
        draw_pictures(copies, {"fake": fakes, "nearest": self.examples.images[nearest(fakes, self.examples.images)[1]]})
        return [shown, between, copies, self.draw_losses(folder)]


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
    return {f"from {start}\nto {end}" if k == 0 else " " * k: row for k, row in enumerate(rows)}
