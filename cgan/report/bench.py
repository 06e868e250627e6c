"""The time of a training step beside the plainest loop, with the same networks: the ring, digits, and sentences.

The plainest loop is algorithm 1 as a reader would write it: the generator runs twice, the generator's step computes
the gradient of the discriminator's weights, too, which nobody uses, and Adam is PyTorch's default. With sentences, the
discriminator also looks at each real picture once for the right sentence and once for the wrong one. Both loops get the
same noise, so that they end with the same weights; this is checked before the clock starts.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cgan.data import Batch, TextBatch, random_at
from cgan.extensions.gradient_penalty import PICTURE_CONFIGS, slope_penalty, train_with_penalty
from cgan.extensions.projection import (
    TEXT_CONFIGS,
    TextConfig,
    build_text_gan,
    mode_seeking_loss,
    train_text_with_penalty,
)
from cgan.loss import matching_aware_value, non_saturating_loss, value
from cgan.model import GAN
from cgan.train import CONFIGS, Config, Pair, build, build_optimizers, train
from lab import cli
from lab.checkpoint import write_text
from lab.timing import Spread, alternately, ratios, shown, spread, table

RESULTS = Path("runs/bench/cgan")
LABELS, SENTENCE = 8, 64  # labels; numbers in φ(t)
MUST, MOONSHOT = 0.9, 0.6  # of the plainest loop's time
OURS, PLAIN = "ours", "plainest loop"
STEPS = 10  # that are timed together


def plain_loop(
    gan: GAN, optimizers: Pair, schedulers: Pair, batch_at: Callable, steps: range, penalty: float = 0.0
) -> None:
    """Algorithm 1, and R1 if ``penalty`` is not 0."""
    for step in steps:
        samples, labels, noise = batch_at(step)
        samples = samples.clone().requires_grad_(penalty > 0)
        real_logits = gan.discriminator(samples, labels)
        fake_logits = gan.discriminator(gan.generator(noise, labels).detach(), labels)
        loss = -value(real_logits, fake_logits)
        if penalty > 0:
            loss = loss + penalty * slope_penalty(real_logits, samples)
        optimizers.discriminator.zero_grad()
        loss.backward()
        optimizers.discriminator.step()
        loss = non_saturating_loss(gan.discriminator(gan.generator(noise, labels), labels))
        optimizers.generator.zero_grad()
        loss.backward()
        optimizers.generator.step()
        for scheduler in schedulers:
            scheduler.step()


def plain_text_loop(
    gan: GAN, optimizers: Pair, schedulers: Pair, batch_at: Callable, steps: range, config: TextConfig
) -> None:
    """Algorithm 1 of Reed et al., with what ``extensions/projection.py`` adds."""
    for step in steps:
        images, right, wrong, noise = batch_at(step)
        asked = right[: len(right) // 2].repeat(2, 1)  # two pictures of a sentence, for mode seeking
        images = images.requires_grad_(step % config.penalty_every == 0)
        real_logits, wrong_logits = gan.discriminator(images, right), gan.discriminator(images, wrong)
        fake_logits = gan.discriminator(gan.generator(noise, asked).detach(), asked)
        loss = -matching_aware_value(real_logits, wrong_logits, fake_logits)
        if images.requires_grad:
            loss = loss + config.penalty_every * config.penalty * slope_penalty(real_logits, images)
        optimizers.discriminator.zero_grad()
        loss.backward()
        optimizers.discriminator.step()
        fakes = gan.generator(noise, asked)
        loss = non_saturating_loss(gan.discriminator(fakes, asked))
        loss = loss + config.mode_seeking * mode_seeking_loss(*fakes.chunk(2), *noise.chunk(2))
        optimizers.generator.zero_grad()
        loss.backward()
        optimizers.generator.step()
        for scheduler in schedulers:
            scheduler.step()


def fixed_batch(config: Config | TextConfig) -> Callable[[int], Batch | TextBatch]:
    """The same batch in every step: the clock is for the networks, not for the data."""
    random = random_at("train", 0, 0)
    noise = torch.randn(config.batch, config.noise, generator=random)
    if isinstance(config, TextConfig):
        images = torch.rand(config.batch, 3, 32, 32, generator=random) * 2 - 1
        right, wrong = torch.randn(2, config.batch, SENTENCE, generator=random)
        return lambda step: TextBatch(images.clone(), right, wrong, noise)
    shape = (config.batch, 2) if config.network == "mlp" else (config.batch, 1, 28, 28)
    samples: Tensor = torch.rand(shape, generator=random) * 2 - 1
    labels = torch.randint(LABELS, (config.batch,), generator=random)
    return lambda step: Batch(samples.clone(), labels, noise)


def candidates(config: Config | TextConfig) -> dict[str, tuple[GAN, Callable[[], None]]]:
    """Both loops: the players, and ``STEPS`` steps of their training."""
    batch_at, found = fixed_batch(config), {}
    for name in (OURS, PLAIN):
        torch.manual_seed(0)
        gan = build_text_gan(config, SENTENCE) if isinstance(config, TextConfig) else build(config, LABELS)
        optimizers, schedulers = build_optimizers(gan, config)
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["fused"] = name == OURS
        loop = our_loop if name == OURS else plainest_loop
        found[name] = gan, partial(loop, config, gan, optimizers, schedulers, batch_at, range(STEPS))
    return found


def our_loop(config: Config | TextConfig, *arguments: Any) -> None:
    def log(step: int, **numbers: float) -> None: ...

    if isinstance(config, TextConfig):
        penalty = config.penalty, config.penalty_every
        train_text_with_penalty(*arguments, log, config.interpolation, *penalty, True, config.mode_seeking)
    elif penalty := getattr(config, "penalty", 0.0):
        train_with_penalty(*arguments, log, penalty=penalty)
    else:
        train(*arguments, log)


def plainest_loop(config: Config | TextConfig, *arguments: Any) -> None:
    if isinstance(config, TextConfig):
        plain_text_loop(*arguments, config)
    else:
        plain_loop(*arguments, getattr(config, "penalty", 0.0))


def check_same(config: Config | TextConfig) -> None:
    """Raises RuntimeError if the weights differ after the first steps: then the loops do not do the same work.

    In float64: Adam's first steps are as large for a gradient of 1e-9 as for one of 1, and in float32 such a gradient
    is rounding alone.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        found = candidates(config)
        for _, loop in found.values():
            loop()
    finally:
        torch.set_default_dtype(before)
    ours, plain = (torch.cat([weight.flatten() for weight in found[name][0].parameters()]) for name in (OURS, PLAIN))
    apart = ((ours - plain).norm() / plain.norm()).item()
    if not apart < 1e-6:
        raise RuntimeError(f"both loops must end with the same weights, they differ by {apart:.2g} of their length")


def measure(repetitions: int) -> tuple[str, dict]:
    """The table, and its numbers: milliseconds of a step, and the part of the plainest loop's time that ours takes."""
    rows, lines = {}, [("training step", "part of its time", "ours (ms)", f"{PLAIN} (ms)", "must", "moonshot")]
    configs = {"ring": CONFIGS["ring"], "digits": PICTURE_CONFIGS["digits"], "toy": TEXT_CONFIGS["close"]}
    for data, config in configs.items():
        check_same(config)
        found = candidates(config)
        seconds = alternately({name: loop for name, (_, loop) in found.items()}, repetitions)
        times = {name: spread([1000 * s / STEPS for s in values])._asdict() for name, values in seconds.items()}
        part = ratios(seconds[OURS], seconds[PLAIN])._asdict()
        rows[data] = {"milliseconds": times, "part": part}
        cells = (f"{times[name]['median']:.1f}" for name in (OURS, PLAIN))
        lines.append((data, shown(Spread(**part)), *cells, f"≤ {MUST}", f"≤ {MOONSHOT}"))
    return f"{table(lines)}\n\n{torch.get_num_threads()} threads.", rows


@dataclass(frozen=True, kw_only=True)
class Cgan(cli.Threads):
    """A training step beside the plainest loop, on the ring, on digits and on pictures with sentences."""

    repetitions: int = 15  # how often each candidate runs, in turn

    def execute(self, command: str) -> None:
        if self.repetitions < 1:
            raise ValueError(f"--repetitions must be at least 1, got {self.repetitions}")
        text, rows = measure(self.repetitions)
        content = {"paper": "cgan", "what": "step", "command": command, "repetitions": self.repetitions, "rows": rows}
        path = RESULTS / "step" / "results.json"
        write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        print(f"{text}\n{path}")


VERBS = (Cgan,)
