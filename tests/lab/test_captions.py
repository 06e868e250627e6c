"""Captions in a CSV file: what is read, and what each wrong file is told."""

from pathlib import Path

import pytest

from lab.captions import caption_lines


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "captions.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_lines_with_commas_quotes_and_a_mark_at_the_beginning(tmp_path) -> None:
    path = written(tmp_path, '\ufeffimage,caption\na.jpg,"Two dogs, one ""wet""."\nb.jpg,Hier\n')
    assert list(caption_lines(path, str.split)) == [
        (f"{path}:2", "a.jpg", 'Two dogs, one "wet".'),
        (f"{path}:3", "b.jpg", "Hier"),
    ]


WRONG = {
    "another header": ("name,text\na,b\n", r"captions\.csv:1: the first line must be 'image,caption', got 'name,text'"),
    "nothing": ("", r"captions\.csv:1: the first line must be"),
    "three columns": ("image,caption\na,b\na,b,c\n", r"captions\.csv:3: must have 2 columns, image and caption, got 3"),
    "no word": ("image,caption\na, \n", r"captions\.csv:2: the caption of 'a' has no word, got ' '"),
    "another encoding": ("image,caption\na,é\n".encode("latin-1"), r"captions\.csv: cannot be read \("),
    "an open quote": ('image,caption\na,"b\n', r"captions\.csv: cannot be read \("),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_files(tmp_path, case: str) -> None:
    text, message = WRONG[case]
    with pytest.raises(ValueError, match=message):
        list(caption_lines(written(tmp_path, text), str.split))


def test_no_file(tmp_path) -> None:
    with pytest.raises(ValueError, match="there is no such file"):
        list(caption_lines(tmp_path / "captions.csv", str.split))
