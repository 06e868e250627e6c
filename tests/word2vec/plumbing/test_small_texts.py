"""What a small text gives, measured on a smaller one: the shares and the correlations that the tables show."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from toyworld.language import sentence_at
from word2vec.extensions.text import TextConfig
from word2vec.report import small_texts, tables
from word2vec.report.small_texts import PARSED, SPACES, measure_morphemes, measure_rare, shared

SMALL = replace(TextConfig(), dim=8, epochs=1, sample=0.05, min_count=2)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(small_texts, "TextConfig", lambda: SMALL)
    lines = [" ".join(sentence_at("train", 0, index)) for index in range(300)]
    (tmp_path / "english.txt").write_text("\n".join(lines))
    (tmp_path / "korean.txt").write_text("\n".join(lines))
    (tmp_path / "wordsim353-korean.csv").write_text("the,a,9\nis,of,1\nhis,her,5\nstood,took,7\nis,zzz,3\n")
    return tmp_path


def test_the_share_of_neighbours_by_hand(monkeypatch) -> None:
    """Word 0 is near 1 and 2 in one table, and near 2 and 3 in the other: one of two is the same; word 3 has both."""
    monkeypatch.setattr(small_texts, "NEAREST", 2)
    degrees = torch.tensor([[0.0, 10, 20, 180], [0.0, 60, 20, 30]]) * torch.pi / 180
    first, second = torch.stack([degrees.cos(), degrees.sin()], 2)
    assert shared(first, second, [0]) == 0.5
    assert shared(first, first, [0, 1, 3]) == 1
    assert shared(first, second, []) is None


def test_rows_are_words_of_as_many_occurrences(folder, monkeypatch) -> None:
    """Each word is in one row; another seed is another training; the table shows all rows."""
    asked, original = [], small_texts.shared
    monkeypatch.setattr(small_texts, "shared", lambda *given: asked.append(given[2]) or original(*given))
    monkeypatch.setattr(small_texts, "ASKED", 7)
    printed = measure_rare(folder, folder / "out/results.json")
    content = json.loads((folder / "out/results.json").read_text())
    words = (folder / "english.txt").read_text().split()
    counts = {word: words.count(word) for word in words}
    for row, ids in zip(content["rows"], asked, strict=True):
        here = [count for count in counts.values() if row["from"] <= count < (row["to"] or 10**9)]
        assert row["words"] == len(here)
        assert len(ids) == min(7, len(here))
        assert row["same"] is None or 0 <= row["same"] < 1
    assert content["words"] == len(words)
    told = tables.rare({"rare": content | {"machine": "m"}})
    for shown in (printed, told):
        assert "1,000 or more" in shown
        assert "5 to 9" in shown


def test_both_ways_are_judged_on_the_same_pairs(folder, monkeypatch) -> None:
    """The parser is another one here: nobody stood."""

    def parse(source: Path, target: Path, threads: int) -> None:
        assert threads == torch.get_num_threads()
        target.write_text(source.read_text().replace("stood", "s tood"))

    monkeypatch.setattr(small_texts, "write_morphemes", parse)
    monkeypatch.setattr(small_texts, "REVIEWS", 250)
    printed = measure_morphemes(2, folder, folder / "out/results.json")
    content = json.loads((folder / "out/results.json").read_text())
    lines = (folder / "korean.txt").read_text().splitlines()[:250]
    assert content["ways"][SPACES]["words"] == sum(len(line.split()) for line in lines)
    assert (content["pairs"], content["common"], content["repetitions"]) == (5, 3, 2)
    assert [content["ways"][name]["unknown"] for name in (SPACES, PARSED)] == [1, 2]
    for way in content["ways"].values():
        for kind in ("all", "common"):
            assert -1 <= way[kind]["low"] <= way[kind]["mean"] <= way[kind]["high"] <= 1
    assert content["ways"][PARSED]["all"] == content["ways"][PARSED]["common"], "all that it knows, both know"
    told = tables.morphemes({"morphemes": content | {"machine": "m"}})
    for shown in (printed, told):
        assert "20.0%" in shown
        assert "40.0%" in shown
        assert "the 3 pairs that both know" in shown
