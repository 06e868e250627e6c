"""How many CPU threads, and how they wait: each setting in its own process, because libgomp reads it at import."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detector.model import Detector
from lab import cli
from lab.timing import table
from vqa.datasets.sources import open_source
from vqa.train import CONFIGS, build, build_optimizer, train
from word2vec.datasets.corpus import read_corpus
from word2vec.extensions.text import TextConfig, TextTraining, vocabulary_of

SETTINGS = {
    "default": {},
    "GOMP_SPINCOUNT=1000": {"GOMP_SPINCOUNT": "1000"},
    "OMP_WAIT_POLICY=PASSIVE": {"OMP_WAIT_POLICY": "PASSIVE"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}


def measure(words: int = 2_000_000, steps: int = 200) -> str:
    """The table: words/s of word2vec's text engine, and the seconds of ``steps`` steps of vqa's toy training."""
    measured = {name: [] for name in SETTINGS}
    with tempfile.TemporaryDirectory() as folder:
        text = write_text(Path(folder) / "text.txt", words)
        for processes in (0, 1):
            with busy(processes):
                for name, setting in SETTINGS.items():
                    speed, seconds = in_a_process(setting, text, steps)
                    measured[name] += [f"{speed:,.0f}", f"{seconds:.1f}"]
    head = ("", "idle: words/s", f"{steps} steps, s", "beside a busy process: words/s", f"{steps} steps, s")
    return f"{table([head, *((name, *cells) for name, cells in measured.items())])}\n\n{os.cpu_count()} cores."


def write_text(path: Path, words: int) -> Path:
    """Sentences of 20 words, whose frequencies fall as 1/rank."""
    ranks = np.exp(np.random.default_rng(0).uniform(0, np.log(20_000), words)).astype(int)
    path.write_text("\n".join(" ".join(f"w{rank}" for rank in ranks[k : k + 20]) for k in range(0, words, 20)) + "\n")
    return path


@contextmanager
def busy(processes: int) -> Iterator[list[subprocess.Popen]]:
    """Other programs that never rest, each on one core, until the block ends."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield others
    finally:
        for other in others:
            other.kill()
            other.wait()


def in_a_process(setting: dict[str, str], text: Path, steps: int) -> tuple[float, float]:
    """Words/s of the text engine and seconds of vqa's steps, where torch is imported with this setting."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    command = [sys.executable, "-m", "bench.threads", str(text), str(steps)]
    done = subprocess.run(command, env=others | setting, stdout=subprocess.PIPE, text=True, check=True)
    return tuple(map(float, done.stdout.split()))


def main(text: Path, steps: int) -> None:
    """Prints words/s over one epoch, and the seconds of vqa's training on the grid of an untrained detector."""
    corpus = read_corpus(text, text.with_suffix(".corpus"))
    training = TextTraining(corpus, vocabulary_of(corpus, 1), TextConfig(min_count=1, epochs=1))
    config, detector = CONFIGS["toy"], Detector().requires_grad_(False)
    source = open_source("toy", config, lambda: detector.grid, None)
    model = build(config, len(source.vocabulary.tokenizer), len(source.vocabulary.answers))
    training.step(0)  # the warm-up
    begun = time.perf_counter()
    for step in range(training.steps):
        training.step(step)
    between = time.perf_counter()
    train(model, *build_optimizer(model, config), source.batch_at, range(steps), lambda step, loss: None)
    print(corpus.ends[-1] / (between - begun), time.perf_counter() - between)


@dataclass(frozen=True, kw_only=True)
class Threads(cli.Threads):
    """How many CPU threads, and how they wait for work: word2vec and vqa, on an idle and on a busy machine."""

    def execute(self, command: str) -> None:
        print(measure())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
