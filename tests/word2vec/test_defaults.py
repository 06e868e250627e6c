"""Defaults from the papers, from ``word2vec.c``, ``word2phrase.c`` and gensim, and those of the README."""

import pytest

from tests.defaults import check_defaults, check_measured

DEFAULTS = {
    "word2vec.train.CONFIGS[paper]": {"dim": 300, "negatives": 15, "window": 5, "power": 0.75},  # 2013b, table 1
    "word2vec.vocabulary.noise_distribution": {"power": 0.75},  # 2013b, section 2.2
    "word2vec.vocabulary.build_vocabulary": {"min_count": 1},
    "word2vec.extensions.phrases.find_phrases": {"discount": 5, "threshold": 100, "min_count": 5},  # word2phrase.c
    "word2vec.extensions.phrases.phrase_scores": {"discount": 5},
    "word2vec.extensions.phrases.write_phrases": {"thresholds": (100,), "discount": 5, "min_count": 5},
    "word2vec.extensions.phrases.join_phrases": {"joiner": "_"},
    "word2vec.extensions.text.TextConfig": {
        "dim": 100, "window": 5, "negatives": 5, "sample": 1e-3, "min_count": 5, "power": 0.75, "epochs": 5,
        "learning_rate": 0.05, "last_learning_rate": 1e-4, "seed": 0,
    },
    "word2vec.extensions.engine": {"ROW": 32, "NOISE": 48, "ROWS": 32, "BOUND": 1.5},
    "word2vec.extensions.engine.Engine": {"bound": 1.5},
    "word2vec.evaluate": {"PROMISES": {("toy", "held out", "all"): 0.95}},
    "word2vec.evaluate.judge_analogies": {"limit": 300_000},  # gensim's restrict_vocab
    "word2vec.evaluate.judge_similarity": {"limit": 300_000},
    "word2vec.evaluate.table_of": {"name": "centre"},
    "word2vec.evaluate.toy_analogies": {"pairs": "held out"},
    "word2vec.similarity.complete": {"count": 1},
    "word2vec.data.ToyText": {"split": "train"},
    "word2vec.data": {"COUNTED": 20_000},
    "word2vec.commands.Nearest": {"count": 10, "run": "toy", "table": "centre", "limit": None},
    "word2vec.commands.Analogy": {"count": 5, "method": "add"},
    "word2vec.commands.Judge": {"method": "add"},
    "word2vec.commands.Phrases": {"thresholds": (100.0,), "discount": 5.0, "min_count": 5},
}  # fmt: skip


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name: str) -> None:
    check_defaults(name, DEFAULTS[name])


def test_the_readme_measured_this_configuration() -> None:
    check_measured("word2vec", "toy", "word2vec.extensions.objectives.CONFIGS[toy]")
