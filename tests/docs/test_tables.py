"""``docs/tables.py`` fills the tables of all papers' texts, and takes over what runs left."""

import json
from pathlib import Path

import pytest
import tables

from lab.tables import lines_of_code
from tests.vqa.plumbing.test_report import run_folder
from vqa.report import tables as vqa_tables


def test_a_block_is_filled_or_left_open() -> None:
    text = "a\n<!-- results:toy -->\nold\n<!-- end -->\nb\n"
    expected = "a\n<!-- results:toy -->\n\nnot measured yet\n\n<!-- end -->\nb\n"
    assert tables.filled(text, vqa_tables, {}) == expected
    with pytest.raises(ValueError, match=r"results: must be one of toy, .*, got 'tory'"):
        tables.filled(text.replace("toy", "tory"), vqa_tables, {})


def test_lines_are_counted_by_hand() -> None:
    source = [
        '"""Head',  # a docstring of two lines
        'of the file."""',
        "",
        "x = 1  # one",  # 1
        "# none",
        "def f(a,",  # 2
        "      b):",  # 3
        '    """Docstring."""',
        '    return """two',  # 4
        'lines"""',  # 5
    ]
    assert lines_of_code("\n".join(source)) == 5


@pytest.fixture
def elsewhere(tmp_path) -> Path:
    """A root with papers whose READMEs have one table each. The detector has no results yet."""
    for paper, block in (
        ("detector", "toy"),
        ("vqa", "toy"),
        ("stft", "inversion"),
        ("word2vec", "memory"),
        ("clip_mini", "search"),
        ("show_attend_tell", "decode"),
        ("cgan", "step"),
        ("workbook", "mutants"),
    ):
        (tmp_path / paper / "report" / "pictures").mkdir(parents=True)
        (tmp_path / paper / "README.md").write_text(f"<!-- results:{block} -->\n<!-- end -->\n")
        if paper != "detector":
            (tmp_path / paper / "report" / "results.json").write_text("{}")
    return tmp_path


def test_take_writes_results_pictures_and_tables(elsewhere) -> None:
    run, readme = run_folder(elsewhere / "run", 0, 0.5), elsewhere / "vqa" / "README.md"
    for picture in ("answers.png", "training.png"):
        (run / picture).write_bytes(picture.encode())
    assert tables.main(["--check"], elsewhere) == 1
    assert readme.read_text() == "<!-- results:toy -->\n<!-- end -->\n"
    assert tables.main(["--take", str(run), "--machine", "a laptop"], elsewhere) == 0
    assert json.loads((elsewhere / "vqa" / "report" / "results.json").read_text())["toy"]["machine"] == "a laptop"
    assert "| all | 25.00 | 100.00 | 50.00 |" in readme.read_text()
    assert tables.main(["--check"], elsewhere) == 0
    other = run_folder(elsewhere / "other", 1, 0.75)
    for picture in ("answers.png", "training.png"):
        (other / picture).write_bytes(b"of another seed")
    assert tables.main(["--take", str(run), str(other)], elsewhere) == 0
    assert "50.00 (50.00 to 75.00)" in readme.read_text(), "numbers and pictures are the first run's"
    pictures = elsewhere / "vqa" / "report" / "pictures"
    assert {path.name: path.read_bytes() for path in pictures.iterdir()} == {
        "answers.png": b"answers.png", "training.png": b"training.png",
    }  # fmt: skip


def test_runs_of_several_papers_are_taken_to_their_own_tables(elsewhere) -> None:
    folder = elsewhere / "measure"
    folder.mkdir()
    decibels = {"random phases": [-5.04, -4, -3], "with momentum": [-40, -30, -20]}
    content = {"paper": "stft", "what": "inversion", "command": "c", "files": 7, "decibels": decibels}
    (folder / "results.json").write_text(json.dumps(content))
    run = run_folder(elsewhere / "run", 0, 0.5)
    for picture in ("answers.png", "training.png"):
        (run / picture).write_bytes(b"")
    assert tables.main(["--take", str(folder), str(run), "--machine", "a laptop"], elsewhere) == 0
    told = (elsewhere / "stft" / "README.md").read_text()
    assert "| random phases | −5.0 | −4.0 | −3.0 |" in told
    assert "`c`: 7 files (a laptop)." in told
    assert "50.00" in (elsewhere / "vqa" / "README.md").read_text()
    assert json.loads((elsewhere / "stft" / "report" / "results.json").read_text()).keys() == {"inversion"}


def test_what_cannot_be_taken_is_named(elsewhere, capsys) -> None:
    with pytest.raises(ValueError, match=r"nowhere/results.json: there is no such file"):
        tables.paper_of(elsewhere / "nowhere")
    (elsewhere / "results.json").write_text('{"paper": "clip"}')
    with pytest.raises(ValueError, match=r"results.json: 'paper' must be one of .*stft.*, got 'clip'"):
        tables.paper_of(elsewhere)
    with pytest.raises(SystemExit) as stopped:
        tables.main(["--tak", "x"], elsewhere)
    assert stopped.value.code == 2
    assert "did you mean --take?" in capsys.readouterr().err
