"""``python -m bench``: the table has every row; wrong input is one line."""

import re

import pytest

from bench import commands
from bench.__main__ import main
from lab.papers import PAPERS, part
from tests.refusals import check_refused


def test_the_toy_worlds_table(capsys) -> None:
    main(["toyworld", "--repetitions", "1"])
    out = capsys.readouterr().out
    head, rule, *rows = out.split("\n\n")[0].split("\n")
    assert head.split() == ["what", "a", "second", "middle", "half", "target"]
    assert set(rule) == {"-", " "}
    ends = {re.search(r"[\d,]+ to [\d,]+", row).end() for row in rows}
    assert len(ends) == 1, "not aligned"
    for what in ("scenes drawn", "one at a time", "questions", "captions in English", "captions in Korean", "clips"):
        assert any(what in row for row in rows), what
    assert "≥ 3,000" in out
    assert "threads" in out


def test_every_bench_of_a_paper_is_a_verb() -> None:
    """A verb with the paper's name, and one name for each: two papers cannot have the same verb."""
    names = [verb.__name__.lower() for verb in commands.VERBS]
    assert len(names) == len(set(names))
    assert {paper for paper in PAPERS if part(paper, "report.bench")} <= set(names)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["toywrld"], "did you mean toyworld?"),
        (["toyworld", "--repetitons", "1"], "did you mean --repetitions?"),
        ([], "toyworld"),
        (["toyworld", "--repetitions", "0"], "repetitions must be at least 1, got 0"),
        (["toyworld", "--repetitions", "two"], "--repetitions cannot be read from 'two'"),
        (["word2vec"], "--folder"),
        (["word2vec", "--repetitions", "0", "--folder", "."], "repetitions must be at least 1, got 0"),
        (["word2vec", "--folder", "nowhere"], "nowhere/english.txt"),
        (["stft", "--folder", "."], "--folder"),
        (["bound"], "--folder"),
        (["memory", "--repetitions", "2"], "--repetitions"),
    ],
)
def test_wrong_input_is_one_line(tmp_path, monkeypatch, capsys, arguments: list[str], message: str) -> None:
    monkeypatch.chdir(tmp_path)
    check_refused(main, arguments, message, capsys)
