"""A CLIP as small as can be, in float64, to be trained on one process or many.

Options attack the last process, in the middle of a step: ``--interrupt`` is Ctrl-C, ``--kill`` is SIGKILL.
"""

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import torch

from clip_mini.data import Batch
from clip_mini.extensions.parallel import train_in_parallel
from clip_mini.train import CONFIGS, Config, build, build_optimizer, train
from lab import cli, training
from lab.distributed import processes, share_size
from tests.lab import tiny

STEPS, PAIRS, WORDS, END = 8, 6, 7, 2
SMALL = replace(
    CONFIGS["toy-vit"], steps=STEPS, pairs=PAIRS, image_size=16, width=8, layers=1, heads=2, text_width=8,
    text_layers=1, text_heads=2, common=5, warmup=2,
)  # fmt: skip


def batch_at(step: int, pairs: int = PAIRS) -> Batch:
    generator = torch.Generator().manual_seed(step)
    texts = torch.randint(3, WORDS, (pairs, 4), generator=generator)
    texts[:, 3] = END
    return Batch(torch.rand(pairs, 3, 16, 16, generator=generator).double(), texts)


class TinyClipTask(training.Task):
    paper, name, parallel = "tiny_clip", "toy", True

    def __init__(self, config: Config, attacks: Sequence[tuple[int, int]] = ()) -> None:
        self.config, self.steps, self.data, self.attacks = config, config.steps, {"data": "toy"}, attacks

    def check(self) -> None:
        share_size(self.config.pairs)

    def build(self) -> torch.nn.Module:
        return build(self.config, WORDS, END).double()

    def optimizers(self, model):
        return dict(zip(("optimizer", "scheduler"), build_optimizer(model, self.config), strict=True))

    def train(self, model, optimizers, device, steps, log) -> None:
        def batches(step: int) -> Batch:
            return batch_at(step, self.config.pairs)

        for step, number in self.attacks:
            batches = tiny.attack(batches, step, number)
        loop = train_in_parallel if processes().count > 1 else train
        loop(model, *optimizers.values(), batches, steps, log)

    def validate(self, model) -> dict[str, float]:
        image, text = model(*batch_at(STEPS))
        return {"score": -(image - text).norm().item()}

    def judge(self, model) -> dict[str, int]:
        assert processes().rank == 0
        return {"judged": 1}

    def draw(self, folder: Path, model, results) -> list[Path]:
        assert processes().rank == 0
        (folder / "figure.txt").touch(exist_ok=False)
        return [folder / "figure.txt"]

    def files(self) -> dict[str, str]:
        return {"words.txt": "red\n"}


@dataclass(frozen=True, kw_only=True)
class Train(cli.TrainingOptions):
    """Train."""

    pairs: int = PAIRS  # in a batch
    interrupt: int = -1  # the step
    kill: int = -1  # the step

    def execute(self, command: str) -> None:
        config = replace(SMALL, pairs=self.pairs)
        training.check_start("tiny_clip", self.run or "toy", config, self, command)
        attacks = [(self.interrupt, signal.SIGINT), (self.kill, signal.SIGKILL)]
        last = processes().rank == processes().count - 1
        trained = training.train(TinyClipTask(config, attacks if last else []), self, command)
        print(f"judged: {trained.results['judged']}, {trained.figures[0].name}")


def main(arguments: Sequence[str] | None = None) -> None:
    torch.set_num_threads(1)
    sys.modules["tiny_clip.commands"] = SimpleNamespace(VERBS=(Train,), DEFAULT=Train)
    cli.main("tiny_clip", arguments)


if __name__ == "__main__":
    main()
