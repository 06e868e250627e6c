"""The speed of the block engine on real text, and the quality of its vectors, beside gensim's compiled code.

Both get the same text with its words counted, and only the training is timed. gensim has two fast modes: sentences in
memory and ``corpus_file``. Each trains one epoch, and the faster one is the peer. Its learning rate is its default,
0.025; a third candidate is gensim with our learning rate. Each seed is a repetition: the candidates run in turn, in
every second repetition in reverse order. After a training the same functions judge the vectors of all candidates, by
people's scores for pairs of words and by analogies.
"""

import json
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from lab import cli
from lab.checkpoint import write_text
from lab.seeding import seed_everything
from lab.timing import Spread, ratios, shown, spread, table
from word2vec.datasets.corpus import Corpus, read_corpus
from word2vec.datasets.word_sets import read_analogies, read_similarity
from word2vec.evaluate import ALL, judge_analogies, judge_similarity
from word2vec.extensions.engine import BOUND
from word2vec.extensions.text import TextConfig, TextTraining, vocabulary_of
from word2vec.report import memory, small_texts

RESULTS = Path("runs/bench/word2vec/results.json")
BOUND_RESULTS = Path("runs/bench/bound/results.json")
WORKERS = 2
MUST, MOONSHOT = 1.5, 3.0  # times gensim's words per second
SETS = {  # by text: the files that judge its vectors
    "english": {"WordSim-353": "wordsim353.tsv", "SimLex-999": "simlex999.txt", "analogies": "questions-words.txt"},
    "korean": {"WordSim-353 in Korean": "wordsim353-korean.csv"},
}
OURS, PEER, PEER_AT_OUR_RATE = "ours", "gensim", "gensim, our learning rate"


class Outcome(NamedTuple):
    """The time of one training, and the scores of its vectors."""

    seconds: float
    scores: Mapping[str, float]


class Text:
    """A text and everything that the candidates need, made before the clock starts."""

    def __init__(self, folder: Path, name: str, config: TextConfig, cache: Path) -> None:
        self.path, self.config = folder / f"{name}.txt", config
        self.corpus: Corpus = read_corpus(self.path, cache / f"{name}.corpus")
        self.sentences = [line.split() for line in self.path.read_text(encoding="utf-8").splitlines()]
        self.vocabulary = vocabulary_of(self.corpus, config.min_count)
        self.judges: dict[str, Callable[[Float[Tensor, "v d"], Sequence[str]], float]] = {}
        for kind, file in SETS[name].items():
            if kind == "analogies":
                questions = read_analogies(folder / file)
                self.judges[kind] = lambda vectors, words, q=questions: judge_analogies(vectors, words, q)[ALL].accuracy
            else:
                pairs = read_similarity(folder / file)
                self.judges[kind] = lambda vectors, words, p=pairs: judge_similarity(vectors, words, p).correlation

    def judged(self, seconds: float, vectors: Float[Tensor, "v d"], words: Sequence[str]) -> Outcome:
        finite = bool(vectors.isfinite().all())
        return Outcome(
            seconds, {kind: judge(vectors, words) if finite else math.nan for kind, judge in self.judges.items()}
        )

    def ours(self, seed: int, bound: float | int = BOUND) -> Outcome:
        seed_everything(seed)
        training = TextTraining(self.corpus, self.vocabulary, replace(self.config, seed=seed))
        training.engine.bound = bound
        begun = time.perf_counter()
        for step in range(training.steps):
            training.step(step)
        seconds = time.perf_counter() - begun
        return self.judged(seconds, training.model.centre.detach(), self.vocabulary.words)

    def gensim(self, seed: int, in_memory: bool, rate: float, epochs: int | None = None) -> Outcome:
        from gensim.models import Word2Vec

        config = self.config if epochs is None else replace(self.config, epochs=epochs)
        model = Word2Vec(
            vector_size=config.dim, window=config.window, negative=config.negatives, sg=1, sample=config.sample,
            min_count=config.min_count, workers=WORKERS, epochs=config.epochs, alpha=rate, seed=seed + 1,
        )  # fmt: skip
        where = {"corpus_iterable": self.sentences} if in_memory else {"corpus_file": str(self.path)}
        model.build_vocab(**where)
        sizes = {"total_examples": model.corpus_count, "total_words": model.corpus_total_words}
        begun = time.perf_counter()
        model.train(**where, **sizes, epochs=config.epochs)
        seconds = time.perf_counter() - begun
        return self.judged(seconds, torch.from_numpy(model.wv.vectors), model.wv.index_to_key)


def measure(repetitions: int, folder: Path, results: Path = RESULTS) -> str:
    """The table; its numbers are written to ``results``, where ``docs/tables.py --take`` finds them.

    Args:
        folder: with english.txt, korean.txt, and the files of words to judge on.

    Raises:
        ValueError: if ``repetitions`` is below 1.
    """
    if repetitions < 1:
        raise ValueError(f"repetitions must be at least 1, got {repetitions}")
    threads = torch.get_num_threads()
    torch.set_num_threads(WORKERS)
    try:
        measured = {name: compare(Text(folder, name, TextConfig(), results.parent), repetitions) for name in SETS}
    finally:
        torch.set_num_threads(threads)
    content = {
        "paper": "word2vec",
        "what": "bench",
        "command": "python -m bench word2vec --folder FOLDER",
        "repetitions": repetitions,
        "threads": WORKERS,
        "texts": measured,
    }
    write_text(results, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    parts = [f"{name}.txt\n{text_table(text)}" for name, text in measured.items()]
    return "\n\n".join([*parts, str(results)])


def measure_bound(folder: Path, results: Path = BOUND_RESULTS) -> str:
    """The quality with different bounds on a word's step, on the English text with one seed."""
    text = Text(folder, "english", TextConfig(), results.parent)
    training = TextTraining(text.corpus, text.vocabulary, text.config)
    rates = [share * text.config.learning_rate for share in (1, 0.5, 0.1)]
    scaled = {f"{rate:g}": training.scaled(0, rate) for rate in rates}
    rows = []
    for bound in (BOUND / 3, BOUND, 3 * BOUND, math.inf):
        outcome = text.ours(0, bound)
        scores = {kind: score if math.isfinite(score) else None for kind, score in outcome.scores.items()}
        rows.append({"bound": bound if bound < math.inf else "none", "scores": scores})
    content = {
        "paper": "word2vec",
        "what": "bound",
        "command": "python -m bench bound --folder FOLDER",
        "rows": rows,
        "scaled": scaled,
    }
    write_text(results, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    kinds = list(rows[0]["scores"])
    lines = [("bound", *kinds)]
    for row in rows:
        cells = ("not finite" if row["scores"][kind] is None else f"{row['scores'][kind]:.4f}" for kind in kinds)
        lines.append((str(row["bound"]), *cells))
    shares = ", ".join(f"{share:.0%} at the rate {rate}" for rate, share in scaled.items())
    return f"{table(lines)}\n\nof a block's words the bound scales in W {shares}\n{results}"


def compare(text: Text, repetitions: int) -> dict:
    """Trains all candidates with the seeds 0, 1, …, and compares them."""
    config = text.config
    first = {mode: text.gensim(0, mode, 0.025, 1) for mode in (True, False)}
    in_memory = first[True].seconds <= first[False].seconds
    candidates = {
        OURS: text.ours,
        PEER: lambda seed: text.gensim(seed, in_memory, 0.025),
        PEER_AT_OUR_RATE: lambda seed: text.gensim(seed, in_memory, config.learning_rate),
    }
    outcomes: dict[str, list[Outcome]] = {name: [] for name in candidates}
    for seed in range(repetitions):
        for name in list(candidates)[:: 1 if seed % 2 == 0 else -1]:
            outcomes[name].append(candidates[name](seed))
    words = config.epochs * text.corpus.tokens
    seconds = {name: [outcome.seconds for outcome in found] for name, found in outcomes.items()}
    return {
        "words": words,
        "vocabulary": len(text.vocabulary),
        "mode": "sentences in memory" if in_memory else "corpus_file",
        "speed": {name: spread([words / time for time in times])._asdict() for name, times in seconds.items()},
        "ratio": ratios(seconds[PEER], seconds[OURS])._asdict(),
        "quality": {
            kind: {name: mean_and_error([o.scores[kind] for o in found]) for name, found in outcomes.items()}
            for kind in text.judges
        },
    }


def mean_and_error(values: Sequence[float]) -> dict[str, float]:
    """The mean and its standard error; with one value the error is NaN."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return {"mean": statistics.fmean(values), "error": error}


def text_table(text: Mapping) -> str:
    names = list(text["speed"])
    rows = [("what", *names)]
    rows.append(("words/s", *(f"{text['speed'][name]['median']:,.0f}" for name in names)))
    for kind, row in text["quality"].items():
        rows.append((kind, *(f"{row[name]['mean']:.4f} ± {row[name]['error']:.4f}" for name in names)))
    ratio = shown(Spread(**text["ratio"]))
    return (
        f"{table(rows)}\n"
        f"{ratio} times gensim's words per second (must {MUST}, moonshot {MOONSHOT}; gensim: {text['mode']})"
    )


@dataclass(frozen=True, kw_only=True)
class Word2vec(cli.Threads):
    """Words per second and quality of the block engine beside gensim."""

    folder: Path  # a folder with english.txt, korean.txt, and the files of words to judge on
    repetitions: int = 5  # the number of seeds; all candidates train with each of them

    def execute(self, command: str) -> None:
        print(measure(self.repetitions, self.folder))


@dataclass(frozen=True, kw_only=True)
class Bound(cli.Threads):
    """The quality of the vectors with different bounds on a word's step."""

    folder: Path  # a folder with english.txt and the files of words to judge on

    def execute(self, command: str) -> None:
        print(measure_bound(self.folder))


@dataclass(frozen=True, kw_only=True)
class Memory(cli.Threads):
    """The memory that a text of 1 GB needs."""

    def execute(self, command: str) -> None:
        print(memory.measure())


VERBS = (Word2vec, Bound, Memory, *small_texts.VERBS)
