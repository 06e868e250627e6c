"""word2vec's bench on a small text: both sides read the same text, and the same functions judge them."""

import json
import math
import statistics
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from toyworld.language import RELATIONS, sentence_at
from word2vec.extensions.text import TextConfig
from word2vec.report import bench, memory

SMALL = TextConfig(dim=20, epochs=2, sample=0.05, min_count=2)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Two texts of the toy language, and what to judge them on."""
    lines = [" ".join(sentence_at("train", 0, index)) for index in range(500)]
    for name in bench.SETS:
        (tmp_path / f"{name}.txt").write_text("\n".join(lines))
    pairs = RELATIONS["gender"].pairs
    similar = "".join(f"{a}\t{b}\t{k % 7}\n" for k, (a, b) in enumerate(pairs))
    for name in ("wordsim353.tsv", "simlex999.txt"):
        (tmp_path / name).write_text("# a comment\n" + similar)
    (tmp_path / "wordsim353-korean.csv").write_text("word 1,word 2,score\n" + similar.replace("\t", ","))
    questions = "".join(f"{' '.join(a)} {' '.join(b)}\n" for a in pairs for b in pairs if a != b)
    (tmp_path / "questions-words.txt").write_text(f": gender\n{questions}")
    return tmp_path


def test_the_table_and_the_results(folder, monkeypatch) -> None:
    monkeypatch.setattr(bench, "TextConfig", lambda: SMALL)
    path = folder / "out" / "results.json"
    threads = torch.get_num_threads()
    printed = bench.measure(2, folder, path)
    assert torch.get_num_threads() == threads
    content = json.loads(path.read_text())
    assert (content["paper"], content["what"], content["repetitions"]) == ("word2vec", "bench", 2)
    assert list(content["texts"]) == ["english", "korean"]
    for name, text in content["texts"].items():
        assert list(text["quality"]) == list(bench.SETS[name])
        assert text["words"] == 2 * sum(len(sentence_at("train", 0, index)) for index in range(500))
        for kind, row in text["quality"].items():
            assert list(row) == [bench.OURS, bench.PEER, bench.PEER_AT_OUR_RATE]
            assert all(-1 <= cell["mean"] <= 1 for cell in row.values()), kind
            assert kind in printed
        assert f"{text['ratio']['median']:.2f}" in printed


def test_a_ratio_above_one_is_faster_than_gensim(folder, monkeypatch) -> None:
    text = bench.Text(folder, "korean", SMALL, folder)
    monkeypatch.setattr(text, "ours", lambda seed: bench.Outcome(2.0, {"s": 0.1 * seed}))
    monkeypatch.setattr(
        text, "gensim", lambda seed, in_memory, rate, epochs=None: bench.Outcome(6.0 + (not in_memory), {"s": rate})
    )
    text.judges = {"s": lambda vectors, words: 0.0}
    found = bench.compare(text, 3)
    assert found["ratio"] == {"low": 3.0, "median": 3.0, "high": 3.0}
    assert found["mode"] == "sentences in memory"
    assert found["speed"]["ours"]["median"] == found["words"] / 2
    assert found["quality"]["s"]["ours"] == {"mean": pytest.approx(0.1), "error": pytest.approx(0.1 / math.sqrt(3))}
    assert [found["quality"]["s"][name]["mean"] for name in (bench.PEER, bench.PEER_AT_OUR_RATE)] == [
        pytest.approx(0.025), pytest.approx(SMALL.learning_rate),
    ]  # fmt: skip


def test_both_sides_have_the_same_words_and_settings(folder) -> None:
    text = bench.Text(folder, "english", SMALL, folder)
    seen = {}
    text.judges = {"words": lambda vectors, words: float(seen.setdefault(tuple(vectors.shape), set(words)) is None)}
    text.ours(0)
    ours = seen.pop((len(text.vocabulary), SMALL.dim))
    text.gensim(0, True, 0.025)
    assert seen.pop((len(text.vocabulary), SMALL.dim)) == ours == set(text.vocabulary.words)


def test_ours_depends_on_the_seed_alone(folder) -> None:
    text = bench.Text(folder, "korean", replace(SMALL, epochs=1), folder)
    scores = [text.ours(seed).scores for seed in (0, 0, 1)]
    assert scores[0] == scores[1] != scores[2]


def test_mean_and_error() -> None:
    values = [0.1, 0.4, 0.3, 0.2]
    found = bench.mean_and_error(values)
    assert found == {"mean": pytest.approx(0.25), "error": pytest.approx(statistics.pstdev(values) / math.sqrt(3))}
    assert math.isnan(bench.mean_and_error([1.0])["error"])


def test_bounds_are_compared(folder, monkeypatch) -> None:
    """Without its bound the engine may give numbers that are not finite: their score is None."""
    monkeypatch.setattr(bench, "TextConfig", lambda: SMALL)
    seen = []

    def outcome(self: bench.Text, seed: int, bound: float | int) -> bench.Outcome:
        seen.append(bound)
        return bench.Outcome(1.0, {"WordSim-353": bound / 10 if bound < math.inf else math.nan})

    monkeypatch.setattr(bench.Text, "ours", outcome)
    printed = bench.measure_bound(folder, folder / "bound.json")
    assert seen == [bench.BOUND / 3, bench.BOUND, 3 * bench.BOUND, math.inf]
    rows = json.loads((folder / "bound.json").read_text())["rows"]
    assert [row["scores"]["WordSim-353"] for row in rows] == [*(bound / 10 for bound in seen[:3]), None]
    assert rows[3]["bound"] == "none"
    assert "not finite" in printed
    scaled = json.loads((folder / "bound.json").read_text())["scaled"]
    assert list(scaled) == ["0.05", "0.025", "0.005"]
    assert 1 >= scaled["0.05"] > scaled["0.025"] > scaled["0.005"] >= 0


def test_the_bound_reaches_the_engine(folder) -> None:
    text = bench.Text(folder, "korean", replace(SMALL, epochs=1), folder)
    assert text.ours(0, 0.01).scores != text.ours(0).scores == text.ours(0, bench.BOUND).scores


def test_memory_in_small(tmp_path, monkeypatch) -> None:
    printed = memory.measure(0.002, tmp_path / "results.json")
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["bytes"] >= 2_000_000
    assert content["beside"] == content["peak"] - content["tables"]
    assert content["tables"] > 2 * 4 * 100 * content["vocabulary"]
    assert 100e6 < content["peak"] < 2e9
    for what in ("peak", "tables", "beside"):
        assert f"{content[what] / 1e6:,.0f}" in printed


def test_the_made_text_follows_zipfs_law(tmp_path) -> None:
    path = tmp_path / "names.txt"
    memory.write_names(path, 3_000_000)
    words = path.read_text().split()
    share = [words.count(f"name{rank:x}") / len(words) for rank in (0, 9)]
    assert share[0] / share[1] == pytest.approx(12.7 / 3.7, rel=0.1)
    assert all(len(line.split()) == memory.WORDS_A_LINE for line in path.read_text().splitlines())
