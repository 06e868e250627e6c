"""Runs that several files share: a model of the toy language and one of a text, trained once, for questions only."""

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest

from toyworld.language import sentence_at
from word2vec.__main__ import main
from word2vec.commands import tasks
from word2vec.data import toy_vocabulary

TINY = ["--device", "cpu", "--sentences", "4", "--dim", "4"]
TEXT = ["text", "--dim", "4", "--min-count", "1", "--epochs", "2", "--sample", "0", "--path"]
KOREAN = "고양이 와 강아지 는 동물 이다\n사과 와 포도 는 과일 이다\n고양이 는 사과 를 먹지 않는다\n"


words_of = cache(toy_vocabulary)  # to count them takes longer than a small training


class Work(NamedTuple):
    """A folder with the runs ``toy`` and ``text-words``, and the output of their trainings."""

    folder: Path
    toy: str
    text: str


@contextmanager
def few_sentences() -> Iterator[pytest.MonkeyPatch]:
    """Counts fewer sentences, once. They have every word of the toy language."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("word2vec.data.COUNTED", 4000)
        patch.setattr(tasks, "toy_vocabulary", words_of)
        yield patch


@pytest.fixture(scope="module", autouse=True)
def few_sentences_counted() -> Iterator[None]:
    with few_sentences():
        yield


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Work:
    folder = tmp_path_factory.mktemp("work")
    sentences = "".join(" ".join(sentence_at("train", 0, index)) + "\n" for index in range(60))
    (folder / "words.txt").write_text(KOREAN + sentences, encoding="utf-8")
    with few_sentences() as patch, redirect_stdout(StringIO()) as printed:
        patch.chdir(folder)
        main([*TINY, "--steps", "5", "--seed", "1"])
        toy = printed.getvalue()
        main([*TEXT, "words.txt"])
    return Work(folder, toy, printed.getvalue().removeprefix(toy))


@pytest.fixture
def work(trained, monkeypatch) -> Path:
    """The folder of the shared runs, as the current one. Tests leave the runs as they are."""
    monkeypatch.chdir(trained.folder)
    return trained.folder
