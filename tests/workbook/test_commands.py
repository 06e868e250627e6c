"""The verbs, as a reader uses them, on the metric of VQA: it is judged within seconds."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import watchfiles

from workbook import mutants, source
from workbook.__main__ import main
from workbook.exercises import ROOT
from workbook.mutants import Mutant, Mutants

AGREEMENT, MEAN, CELL = "vqa.metric.agreement", "vqa.metric.mean_agreement", "vqa.model.lstm_cell"
METRIC = Path("my_work/vqa/metric.py")
REAL = (ROOT / "vqa/metric.py").read_text(encoding="utf-8")
RIGHT = "    return min(n / ENOUGH, 1.0)"


@pytest.fixture(autouse=True)
def begun(tmp_path, monkeypatch, capsys) -> None:
    """A reader who has begun with VQA."""
    monkeypatch.chdir(tmp_path)
    main(["start", "vqa"])
    capsys.readouterr()


def said(capsys, *words: str, status: int = 0) -> str:
    if status:
        with pytest.raises(SystemExit) as stop:
            main(list(words))
        assert stop.value.code == status
    else:
        main(list(words))
    return capsys.readouterr().out


def write(name: str, body: str) -> None:
    METRIC.write_text(source.with_body(METRIC.read_text(encoding="utf-8"), name, body), encoding="utf-8")


def state(name: str) -> str:
    return json.loads(Path("my_work/progress.json").read_text())["exercises"].get(name, {}).get("state", "")


def test_start_never_overwrites(capsys) -> None:
    write("agreement", RIGHT)
    METRIC.with_name("model.py").unlink()
    before = METRIC.read_text()
    assert "vqa is ready: 1 new files" in said(capsys, "start", "vqa")
    assert METRIC.read_text() == before
    assert METRIC.with_name("model.py").is_file()


def test_a_session(capsys) -> None:
    """Blank, wrong, right; the other exercise waits; then a mistake that is known, in Korean."""
    assert f"next: {AGREEMENT}" in said(capsys, "check", "vqa", status=1)
    out = said(capsys, "check", AGREEMENT, status=1)
    assert f"· {AGREEMENT} is still blank" in out
    write("agreement", "    return n / ENOUGH")
    out = said(capsys, "check", AGREEMENT, status=1)
    assert f"✗ {AGREEMENT} is not right yet" in out
    assert "n = 4\n" in out
    assert state(AGREEMENT) == "tried"
    write("agreement", RIGHT)
    assert f"next: {MEAN}" in said(capsys, "check", AGREEMENT)
    assert state(AGREEMENT) == "solved"
    write("mean_agreement", "    return min(answers.count(prediction) / 3, 1.0)")
    out = said(capsys, "check", MEAN, "--language", "ko", status=1)
    assert "흔한 실수" in out
    assert "nobody_left_out. 논문의 식" in out
    assert len(out.splitlines()) <= 15
    out = said(capsys, "list")
    assert f"✓ {AGREEMENT}" in out
    assert f"◐ {MEAN}" in out
    assert "vqa  1/8" in out


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("    while True:\n        n += 1", "did not end"),
        ("    import sys\n    sys.exit(0)", "ended Python (sys.exit)"),
        ("    import os\n    os._exit(0)", "ended or blocked Python"),
        ("    return 1 / 0", "ZeroDivisionError"),
        ("    return [", "is no valid Python"),
        ("    return mean_agreement_spec('a', ['a'])", "is hidden"),
        ("    return str(n)", "its type is float"),
    ],
)
def test_what_goes_wrong_is_told_in_plain_words(capsys, body: str, message: str) -> None:
    write("agreement", body)
    out = said(capsys, "check", AGREEMENT, status=1)
    assert message in " ".join(out.split())
    assert "metric.py" in out or "os._exit" in body or "is hidden" in message or "float" in message
    assert len(out.splitlines()) <= 15


def test_an_unchanged_mistake_is_not_judged(capsys) -> None:
    """It is the next task; a comment does not change it."""
    model = METRIC.with_name("model.py")
    text = model.read_text(encoding="utf-8")
    model.write_text(text.replace("    i, f, o, g =", "    # hm\n    i, f, o, g ="), encoding="utf-8")
    out = said(capsys, "check", CELL, status=1)
    assert f"· {CELL} still has its mistake: nothing was changed\nnext: {CELL}" in out
    assert "# hm" in model.read_text(encoding="utf-8")


def test_a_function_that_sleeps_is_ended(capsys, monkeypatch) -> None:
    """It uses no processor time, so only the clock can tell."""
    monkeypatch.setattr("workbook.judge.START_SECONDS", 2)
    monkeypatch.setattr("workbook.judge.JOB_SECONDS", 1)
    write("agreement", "    import time\n    time.sleep(1000)")
    assert "ended or blocked Python" in said(capsys, "check", AGREEMENT, status=1)


def test_a_broken_file_does_not_stop_the_others(capsys) -> None:
    write("agreement", RIGHT)
    METRIC.write_text("import sys\nsys.exit(1)\n" + METRIC.read_text())
    model = METRIC.with_name("model.py")
    shutil.copy(ROOT / "vqa/model.py", model)
    out = said(capsys, "check", "vqa", status=1)
    assert f"✗ {AGREEMENT} cannot be imported" in out
    assert "✓ vqa.model.norm_i" in out


def test_a_line_that_is_no_python_is_told_and_changes_no_mark(capsys) -> None:
    """Also if other functions of the file are blank, and if the exercise that comes next is in this file."""
    write("agreement", RIGHT)
    said(capsys, "check", AGREEMENT)
    write("agreement", RIGHT + ")")
    out = said(capsys, "check", "vqa", status=1)
    assert f"✗ {AGREEMENT} cannot be read" in out
    assert "metric.py, line" in out
    assert state(AGREEMENT) == "solved"
    assert "next: vqa.model.lstm_states\n  my_work/vqa/model.py:" in said(
        capsys, "check", "vqa.model.lstm_states", status=1
    )


@pytest.mark.parametrize(
    ("name", "message"), [(MEAN, "is still blank"), ("vqa.model.lstm_cell", "nothing was changed")]
)
def test_an_exercise_that_was_not_touched_says_so(capsys, name: str, message: str) -> None:
    """What comes next is this exercise, not the first of the paper; a comment does not count."""
    model = METRIC.with_name("model.py")
    model.write_text(model.read_text(encoding="utf-8").replace("    i, f, o, g =", "    # hm\n    i, f, o, g ="))
    out = said(capsys, "check", name, status=1)
    assert f"· {name}" in out
    assert message in out
    assert f"next: {name}" in out
    assert state(name) == ""


def test_any_folder_will_do() -> None:
    """Python does not look for this project where the reader is."""
    write("agreement", RIGHT)
    command = [sys.executable, "-m", "workbook", "check", AGREEMENT]
    out = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert f"next: {MEAN}" in out.stdout, out.stderr


def test_hints_come_one_by_one_and_the_language_is_kept(capsys) -> None:
    assert said(capsys, "hint", AGREEMENT).startswith("hint 1 of 2: Three annotators")
    assert said(capsys, "hint", AGREEMENT, "--language", "ko").startswith("힌트 2/2:")
    assert said(capsys, "hint", AGREEMENT).count("힌트") == 2


def test_compare_shows_both(capsys) -> None:
    write("agreement", "    return n / 3")
    out = said(capsys, "compare", AGREEMENT)
    assert "return n / 3" in out
    assert "return min(n / ENOUGH, 1.0)" in out


@pytest.mark.parametrize("answer", ["y", "n", ""])
def test_reset_asks_and_keeps_the_old_file(capsys, monkeypatch, answer: str) -> None:
    write("agreement", RIGHT)
    before = METRIC.read_text()
    monkeypatch.setattr("sys.stdin.readline", lambda: answer, raising=False)
    said(capsys, "reset", AGREEMENT)
    kept = list(Path("my_work/kept").glob("*.py")) if answer == "y" else [METRIC]
    assert [path.read_text() for path in kept] == [before]
    assert source.is_blank(METRIC.read_text(), "agreement") == (answer == "y")


def test_watch_judges_what_has_changed(capsys, monkeypatch) -> None:
    def saves(*_, **__):
        write("agreement", RIGHT)
        yield set()

    monkeypatch.setattr(watchfiles, "watch", saves)
    out = said(capsys, "watch", "vqa")
    assert f"✓ {AGREEMENT}" in out
    assert MEAN not in out.partition("next:")[0]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "nothing"], "the paper must be one of"),
        (["check", "stft"], "is not there: python -m workbook start stft"),
        (["hint", "vqa.metric.nothing"], "the exercise must be one of"),
        (["reset", "stft.mel.decibels"], "is not there: python -m workbook start stft"),
    ],
)
def test_wrong_words_are_one_line(words: list[str], message: str, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_verdicts_on_mutants(tmp_path, monkeypatch, capsys) -> None:
    """What is too long is not killed; a second start judges nothing again, and a listed mutant not at all."""
    monkeypatch.setattr(mutants, "KEPT", tmp_path / "mutants")
    same, late = (RIGHT.strip(), f"import signal; signal.raise_signal(signal.SIGXCPU); {RIGHT.strip()}")
    slow = f"from workbook.failures import TooLong; raise TooLong; {RIGHT.strip()}"
    texts = [
        REAL.replace("ENOUGH = 3", "ENOUGH = 2"),
        *(REAL.replace(RIGHT.strip(), new) for new in (same, late, slow)),
    ]
    functions = ("", "agreement", "agreement", "agreement")
    found = [Mutant(1, str(k), text, function) for k, (text, function) in enumerate(zip(texts, functions, strict=True))]
    monkeypatch.setattr(mutants, "mutants_of", lambda text: found)
    monkeypatch.setattr(mutants, "equivalents", dict)
    for _ in range(2):
        Mutants(("vqa/metric.py",)).execute()
        assert "vqa/metric.py: 1 of 4 killed, 25.0%, 0 equivalent" in (out := capsys.readouterr().out)
        assert [line.split(": ")[1] for line in out.splitlines() if "(too long)" in line] == ["2", "3"]
        monkeypatch.setattr(mutants, "in_a_process", None)
    monkeypatch.setattr(mutants, "equivalents", lambda: {"vqa/metric.py": {"1": "the same text"}})
    Mutants(("vqa/metric.py",)).execute()
    assert "1 of 3 killed, 33.3%, 1 equivalent" in capsys.readouterr().out
