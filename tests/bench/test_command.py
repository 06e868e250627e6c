"""``python -m bench``: what is printed has every row, and a wrong name is told in one line."""

import pytest

from bench.__main__ import main


def test_the_toy_worlds_table(capsys) -> None:
    main(["toyworld", "--repetitions", "1"])
    out = capsys.readouterr().out
    head, rule, *rows = out.split("\n\n")[0].split("\n")
    assert head.split() == ["what", "a", "second", "middle", "half", "target"]
    assert set(rule) == {"-", " "}
    assert len({row.rindex(" to ") + len(row.split(" to ")[1].split()[0]) for row in rows}) == 1, "not aligned"
    assert rows[0].startswith("scenes drawn at 64×64, 256 at once")
    assert rows[0].endswith("≥ 3,000")
    for what in ("one at a time", "questions", "captions in English", "captions in Korean", "clips"):
        assert any(what in row for row in rows), what
    assert "1 repetitions" in out
    assert "threads" in out


def test_a_wrong_name_is_one_line(capsys) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["toywrld"])
    assert raised.value.code == 2
    assert capsys.readouterr() == (
        "",
        "error: name must be one of stft, toyworld, word2vec, bound, memory, got 'toywrld'\n",
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["toyworld", "--repetitions", "0"], "repetitions must be at least 1, got 0"),
        (["word2vec"], "--folder must name the folder with english.txt, korean.txt and the files of words to judge on"),
        (["word2vec", "--repetitions", "0", "--folder", "."], "repetitions must be at least 1, got 0"),
        (["word2vec", "--folder", "nowhere"], "cannot read nowhere/english.txt: No such file or directory"),
        (["stft", "--folder", "."], "--folder is for word2vec and bound alone, got it with stft"),
        (["bound"], "--folder must name the folder with english.txt, korean.txt and the files of words to judge on"),
        (["memory", "--repetitions", "2"], "--repetitions is not for memory, which is measured once, got 2"),
    ],
)
def test_wrong_options_are_one_line(tmp_path, monkeypatch, capsys, arguments: list[str], message: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as raised:
        main(arguments)
    assert raised.value.code == 2
    assert capsys.readouterr() == ("", f"error: {message}\n")
