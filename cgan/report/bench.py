"""The time of a training step beside the plainest loop, with the same networks: the ring's, and that of the digits.

The plainest loop is algorithm 1 as a reader would write it: the generator runs twice, the generator's step computes
the gradient of the discriminator's weights, too, which nobody uses, and Adam is PyTorch's default. Both loops get the
same noise, so that they end with the same weights; this is checked before the clock starts.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cgan.data import Batch, random_at
from cgan.extensions.gradient_penalty import PICTURE_CONFIGS, slope_penalty, train_with_penalty
from cgan.loss import non_saturating_loss, value
from cgan.model import GAN
from cgan.train import CONFIGS, Config, Pair, build, build_optimizers, train
from lab import cli
from lab.checkpoint import write_text
from lab.timing import Spread, alternately, ratios, shown, spread, table

RESULTS = Path("runs/bench/cgan")
LABELS = 8
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


def fixed_batch(config: Config) -> Callable[[int], Batch]:
    """The same batch in every step: the clock is for the networks, not for the data."""
    random = random_at("train", 0, 0)
    shape = (config.batch, 2) if config.network == "mlp" else (config.batch, 1, 28, 28)
    samples: Tensor = torch.rand(shape, generator=random) * 2 - 1
    labels = torch.randint(LABELS, (config.batch,), generator=random)
    batch = Batch(samples, labels, torch.randn(config.batch, config.noise, generator=random))
    return lambda step: batch._replace(samples=batch.samples.clone())


def candidates(config: Config) -> dict[str, tuple[GAN, Callable[[], None]]]:
    """Both loops: the players, and ``STEPS`` steps of their training."""
    penalty, batch_at, found = getattr(config, "penalty", 0.0), fixed_batch(config), {}
    for name in (OURS, PLAIN):
        torch.manual_seed(0)
        gan = build(config, LABELS)
        optimizers, schedulers = build_optimizers(gan, config)
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["fused"] = name == OURS
        arguments = gan, optimizers, schedulers, batch_at, range(STEPS)

        def ours(arguments: tuple = arguments) -> None:
            def log(step: int, **numbers: float) -> None: ...

            if penalty > 0:
                train_with_penalty(*arguments, log, penalty=penalty)
            else:
                train(*arguments, log)

        def plain(arguments: tuple = arguments) -> None:
            plain_loop(*arguments, penalty)

        found[name] = gan, ours if name == OURS else plain
    return found


def check_same(found: dict[str, tuple[GAN, Callable[[], None]]]) -> None:
    """Raises RuntimeError if the weights differ after the first steps: then the loops do not do the same work."""
    for _, loop in found.values():
        loop()
    ours, plain = (torch.cat([weight.flatten() for weight in found[name][0].parameters()]) for name in (OURS, PLAIN))
    apart = ((ours - plain).norm() / plain.norm()).item()
    if not apart < 1e-3:
        raise RuntimeError(f"both loops must end with the same weights, they differ by {apart:.2g} of their length")


def measure(repetitions: int) -> tuple[str, dict]:
    """The table, and its numbers: milliseconds of a step, and the part of the plainest loop's time that ours takes."""
    rows, lines = {}, [("training step", "part of its time", "ours (ms)", f"{PLAIN} (ms)", "must", "moonshot")]
    for data, config in (("ring", CONFIGS["ring"]), ("digits", PICTURE_CONFIGS["digits"])):
        found = candidates(config)
        check_same(found)
        seconds = alternately({name: loop for name, (_, loop) in found.items()}, repetitions)
        times = {name: spread([1000 * s / STEPS for s in values])._asdict() for name, values in seconds.items()}
        part = ratios(seconds[OURS], seconds[PLAIN])._asdict()
        rows[data] = {"milliseconds": times, "part": part}
        cells = (f"{times[name]['median']:.1f}" for name in (OURS, PLAIN))
        lines.append((data, shown(Spread(**part)), *cells, f"≤ {MUST}", f"≤ {MOONSHOT}"))
    return f"{table(lines)}\n\n{torch.get_num_threads()} threads.", rows


@dataclass(frozen=True, kw_only=True)
class Cgan(cli.Threads):
    """A training step beside the plainest loop, on the ring and on digits."""

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
