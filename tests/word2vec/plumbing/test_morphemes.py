"""Korean in morphemes: words with other particles share a word, by hand; and what is said without the parser."""

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests import refusals
from word2vec.__main__ import main
from word2vec.extensions.morphemes import Counts, write_morphemes

CATS = "고양이가 물을 마신다\n고양이를 보았다\n\n강아지는 고양이와 놀았다\n"


@pytest.fixture
def work(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cats.txt").write_text(CATS, encoding="utf-8")
    return tmp_path


def test_particles_are_words_of_their_own(work, capsys) -> None:
    main(["morphemes", "--path", "cats.txt", "--out", "new/parsed.txt", "--threads", "1"])
    lines = (work / "new/parsed.txt").read_text(encoding="utf-8").splitlines()
    assert lines == ["고양이 가 물 을 마시 ㄴ다", "고양이 를 보 었 다", "", "강아지 는 고양이 와 놀 었 다"]
    words = [word for line in lines for word in line.split()]
    assert capsys.readouterr().out.splitlines() == [
        "8 words between spaces, 8 different", f"{len(words)} morphemes, {len(set(words))} different", "new/parsed.txt"
    ]  # fmt: skip


def test_a_text_may_replace_itself(work) -> None:
    assert write_morphemes(Path("cats.txt"), Path("cats.txt"), 1) == Counts(8, 8, 18, 14)
    assert (work / "cats.txt").read_text(encoding="utf-8").startswith("고양이 가 물 을")


def test_without_the_parser(work, monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "kiwipiepy", None)
    message = "morphemes need the package kiwipiepy, which is missing: pip install kiwipiepy"
    refusals.check_refused(main, ["morphemes", "--path", "cats.txt", "--out", "x"], message, capsys)


@pytest.mark.parametrize(("options", "workers"), [([], -1), (["--threads", "1"], 1)])
def test_threads_are_handed_on(work, monkeypatch, options: list[str], workers: int) -> None:
    """Kiwi's −1 is one for each core. A form with a blank is two words; a sentence without any is an empty line."""
    seen = []

    def kiwi(num_workers: int) -> SimpleNamespace:
        seen.append(num_workers)
        return SimpleNamespace(tokenize=lambda lines, compatible_jamo: ([SimpleNamespace(form="a b")] for _ in lines))

    monkeypatch.setitem(sys.modules, "kiwipiepy", SimpleNamespace(Kiwi=kiwi))
    main(["morphemes", "--path", "cats.txt", "--out", "parsed.txt", *options])
    assert seen == [workers]
    assert (work / "parsed.txt").read_text() == 4 * "a b\n"
