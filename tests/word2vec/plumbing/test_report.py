"""word2vec's promises and numbers in its texts are those of its results; its tables by hand."""

import json
import math
from pathlib import Path

import pytest

import word2vec
from word2vec.commands.vectors import CHANGES, RARE
from word2vec.data import toy_vocabulary
from word2vec.evaluate import PROMISES
from word2vec.extensions.engine import BOUND, NOISE, ROW
from word2vec.extensions.text import TextConfig
from word2vec.report import tables
from word2vec.report.small_texts import PARSED, SPACES
from word2vec.train import Config

ROOM = Path(word2vec.__file__).parent
README = " ".join((ROOM / "README.md").read_text(encoding="utf-8").split())
RESULTS = json.loads((ROOM / "report" / "results.json").read_text(encoding="utf-8"))


def test_the_analogies_and_the_musts_are_met_in_the_results() -> None:
    for (data, pairs, relation), promised in PROMISES.items():
        assert RESULTS[data]["pairs"][pairs]["reached"][relation] >= promised, (pairs, relation)
    for name, text in RESULTS["bench"]["texts"].items():
        assert text["ratio"]["median"] >= 1.5, name
        for kind, row in text["quality"].items():
            ours, peer = row["ours"], row["gensim"]
            error = (ours["error"] ** 2 + peer["error"] ** 2) ** 0.5
            assert ours["mean"] >= peer["mean"] - 2 * error, (name, kind)
    assert RESULTS["memory"]["beside"] < 1e6 * RESULTS["memory"]["must"]


def test_the_first_losses_in_numbers() -> None:
    words, negatives = len(toy_vocabulary(0)), Config().negatives
    assert f"V = {words} words: ln {words} ≈ {math.log(words):.2f}" in README
    assert f"(k + 1) ln 2 ≈ {(negatives + 1) * math.log(2):.2f}" in README


def test_what_a_small_text_gives() -> None:
    """The numbers that commands and the README quote are those of the benches."""
    ways = RESULTS["morphemes"]["ways"]
    unknown = [100 * way["unknown"] / RESULTS["morphemes"]["pairs"] for way in ways.values()]
    assert list(ways) == [SPACES, PARSED]
    assert "{:.1f}% of WordSim-353's pairs are unknown; with it {:.1f}%.".format(*unknown) in README
    for row in RESULTS["rare"]["rows"]:
        rare = row["to"] is not None and row["to"] <= RARE
        assert (row["same"] < 0.37) == rare, "about a third below RARE occurrences, more above"
    assert "about a third" in CHANGES
    english = RESULTS["bench"]["texts"]["english"]
    assert english["words"] // TextConfig().epochs == pytest.approx(3.8e6, rel=0.01)
    assert round(100 * english["quality"]["analogies"]["ours"]["mean"]) == 13


def test_the_engine_is_as_large_as_the_readme_says() -> None:
    band = ROW + 2 * TextConfig().window
    assert f"compares {ROW} consecutive words with the {band} words of their band and {NOISE}" in README
    assert f"{band + NOISE} vectors are loaded once and used {ROW} times" in README
    centre = 2 * TextConfig().window * (1 + TextConfig().negatives)  # rates of a word with all its neighbours
    assert BOUND / centre == pytest.approx(0.025), "what such a word is held to"


def test_tables_by_hand() -> None:
    cells = {name: {"mean": 0.25, "error": 0.0125} for name in ("ours", "gensim")}
    text = {
        "words": 12_000, "vocabulary": 345, "mode": "corpus_file", "ratio": {"low": 2.0, "median": 2.5, "high": 3.0},
        "speed": {"ours": {"median": 1_000_000.4}, "gensim": {"median": 400_000.0}}, "quality": {"SimLex-999": cells},
    }  # fmt: skip
    entry = {"command": "c", "repetitions": 5, "machine": "m", "texts": {"english": text}}
    told = tables.bench({"bench": entry})
    assert "| words per second, training only | 1,000,000 | 400,000 |" in told
    assert "| SimLex-999 | 0.2500 ± 0.0125 | 0.2500 ± 0.0125 |" in told
    assert "Ours reads 2.50 (2.00 to 3.00) times as many words per second as gensim (corpus_file)." in told
    rows = [{"bound": 1.5, "scores": {"a": 0.5}}, {"bound": "none", "scores": {"a": None}}]
    told = tables.bound({"bound": {"command": "c", "machine": "m", "rows": rows, "scaled": {"0.05": 0.8}}})
    assert "the bound scales in W 80% at the rate 0.05." in told
    assert "| 1.5 | 0.5000 |\n| none | not finite |" in told
    sizes = {"bytes": 1e9, "peak": 1.4e9, "tables": 8e8, "beside": 6e8}
    told = tables.memory(
        {"memory": {"command": "c", "machine": "m", "words": 9000, "vocabulary": 80, "must": 1000, **sizes}}
    )
    assert "| the process, at most | 1,400 |" in told
    assert "must stay below 1,000 MB" in told
