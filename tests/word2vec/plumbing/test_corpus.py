"""A corpus equals a naive reading, whatever the pieces; a file that is no text is refused."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import tracemalloc
from collections import Counter
from collections.abc import Sequence
from itertools import chain, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from word2vec.datasets import corpus as module
from word2vec.datasets.corpus import END, Corpus, read_corpus, sentences
from word2vec.vocabulary import Vocabulary, build_vocabulary

ROOT = Path(__file__).parents[3]
BLANKS = (" ", "  ", "\t", "\r", "\n", "\n\n\n", "\r\n", "\u00a0", "\u3000", "\u2028", "\x0b", "\x1c", "\u0085")
LETTERS = ("a", "b", "é", "한", "국", "👩", "\ufeff", "\u0301", "\u200b")
TEXTS = st.lists(st.sampled_from(LETTERS + BLANKS), max_size=40).map("".join)
SIZES = st.tuples(st.integers(1, 5), st.integers(1, 9), st.sampled_from([1, 5, 11, 12, 13, 2**20]))


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "made" / "text.corpus"


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def naive(text: str, longest: int) -> list[list[str]]:
    """Only a line feed ends a line, whose words are those of ``str.split``; the first mark is none of the text."""
    lines = [line.split() for line in text.removeprefix("\ufeff").split("\n")]
    return [line[k : k + longest] for line in lines for k in range(0, len(line), longest)]


def words_of_chunks(corpus: Corpus, vocabulary_ids: np.ndarray | None = None) -> list[list[list[str]]]:
    """The sentences of each chunk, in words."""
    vocabulary_ids = np.arange(len(corpus.words) + 1) - 1 if vocabulary_ids is None else vocabulary_ids
    found = []
    for k in range(len(corpus.ends)):
        numbers, sentence = (tensor.tolist() for tensor in corpus.chunk(k, vocabulary_ids))
        assert sentence == sorted(sentence)
        chunk = {number: [] for number in sentence}
        for number, place in zip(numbers, sentence, strict=True):
            chunk[place].append(corpus.words[number])
        found.append(list(chunk.values()))
    return found


@given(TEXTS, SIZES)
@example("", (1, 1, 12))
@example("a \ufeffa b\n", (2, 3, 1))  # a mark is one at the beginning of the text alone
@example("\ufeff\ufeffa", (2, 3, 12))
@example("a b c\u00a0d\u00a0e", (3, 3, 7))  # the words of the last piece do not all go into one sentence
def test_sentences_are_those_of_a_naive_reading(text: str, sizes: tuple[int, int, int]) -> None:
    """Pieces cut lines and letters in two; lines of more than ``LONGEST`` words are cut, and chunks at sentences."""
    longest, chunk, piece = sizes
    expected = naive(text, longest)
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        source = write(Path(place) / "text", text)
        longest_word = max(len(word.encode()) for word in re.split("[ \t\r\n]", text))
        for name, size in (("LONGEST", longest), ("CHUNK", chunk), ("PIECE", max(piece, longest_word))):
            patch.setattr(module, name, size)
        assert [words for words, _ in sentences(source)] == expected
        if not expected:
            with pytest.raises(ValueError, match=f"^{source} must hold at least one word, and has none$"):
                read_corpus(source, Path(place) / "corpus")
            return
        check_corpus(read_corpus(source, Path(place) / "corpus"), expected, chunk)
        check_corpus(read_corpus(source, Path(place) / "corpus"), expected, chunk)  # from its files


def check_corpus(corpus: Corpus, expected: Sequence[Sequence[str]], chunk: int) -> None:
    counts = Counter(chain(*expected))
    assert list(corpus.words) == list(counts), "in the order in which they are met"
    assert list(corpus.counts) == list(counts.values())
    assert corpus.tokens == counts.total()
    found = words_of_chunks(corpus)
    assert list(chain(*found)) == list(expected), "chunks together are the whole text"
    sizes = [sum(len(words) + 1 for words in sentences) for sentences in found]
    assert [corpus.size(k) for k in range(len(found))] == sizes
    assert [after - before for before, after in pairwise([0, *corpus.ends])] == sizes
    for size, sentences_of in zip(sizes[:-1], found[:-1], strict=True):
        assert size >= chunk
        assert size - len(sentences_of[-1]) - 1 < chunk, "and no sentence more than that"
    on_disk = np.fromfile(corpus.path, np.int32)
    numbers = {word: number for number, word in enumerate(corpus.words, 1)}
    assert on_disk.tolist() == [n for words in expected for n in (*(numbers[word] for word in words), END)]


@given(st.lists(st.sampled_from(["a", "한국어", "\u00e9", "b\u00a0c", "👩"]), min_size=1, max_size=30), st.data())
def test_pieces_cut_words_and_letters_anywhere(words: list[str], data) -> None:
    """Of any size from the longest word on; blanks that are no ASCII are no place to cut at, but part words."""
    text = "".join(word + data.draw(st.sampled_from([" ", "\t", "\r", "\r\n", "\n", "  "])) for word in words)
    text = text[: data.draw(st.sampled_from([-1, len(text)]))] or text
    piece, longest = data.draw(st.integers(9, 14)), data.draw(st.integers(1, 4))
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PIECE", piece)
        patch.setattr(module, "LONGEST", longest)
        for mark in ("", "\ufeff"):
            source = write(Path(place) / "text", mark + text)
            assert [words for words, _ in sentences(source)] == naive(text, longest)


def test_a_line_is_read_in_pieces_and_a_sentence_in_the_order_of_the_text(tmp_path, monkeypatch) -> None:
    """One file, one line, longer than everything that is held at once."""
    monkeypatch.setattr(module, "PIECE", 1000)
    words = [f"낱말{k}" for k in range(25_000)]
    found = list(sentences(write(tmp_path / "text", " ".join(words))))
    assert [len(words) for words, _ in found] == [10_000, 10_000, 5_000]
    assert list(chain(*(words for words, _ in found))) == words
    positions = [position for _, position in found]
    assert positions == sorted(positions)
    assert positions[-1] == (tmp_path / "text").stat().st_size


def test_lines_end_at_line_feeds_alone(tmp_path) -> None:
    source = write(tmp_path / "text", b"\xef\xbb\xbfa b\r\n\r\n\n \t\nc\xc2\xa0d\re\n\nf\xe2\x80\xa8g")
    assert [words for words, _ in sentences(source)] == [["a", "b"], ["c", "d", "e"], ["f", "g"]]


def test_rare_words_leave_no_gap(tmp_path, folder, monkeypatch) -> None:
    """Neither in a sentence nor among sentences; where all words of a chunk are rare, it is empty."""
    monkeypatch.setattr(module, "CHUNK", 6)
    corpus = read_corpus(write(tmp_path / "text", "a b x a\ny\nb a\nz z2 z3 z4 z5\na\n"), folder)
    vocabulary = build_vocabulary(Counter(dict(zip(corpus.words, corpus.counts, strict=True))), 2)
    assert vocabulary == Vocabulary(("a", "b"), (4, 2))
    vocabulary_ids = corpus.vocabulary_ids(vocabulary)
    assert vocabulary_ids.tolist() == [-1, 0, 1, -1, -1, -1, -1, -1, -1, -1]
    found = [[tensor.tolist() for tensor in corpus.chunk(k, vocabulary_ids)] for k in range(len(corpus.ends))]
    assert found == [[[0, 1, 0], [0, 0, 0]], [[1, 0], [0, 0]], [[0], [0]]]
    monkeypatch.setattr(module, "CHUNK", 2)
    (tmp_path / "text").write_text("a b\nz z2\n")
    corpus = read_corpus(tmp_path / "text", folder)
    assert [tensor.tolist() for tensor in corpus.chunk(1, corpus.vocabulary_ids(vocabulary))] == [[], []]


def made(monkeypatch) -> list[Path]:
    """The texts that are read from now on."""
    calls, original = [], module.make_corpus
    monkeypatch.setattr(module, "make_corpus", lambda source, *rest: (calls.append(source), original(source, *rest))[1])
    return calls


def test_a_corpus_is_made_once_for_a_text(tmp_path, folder, monkeypatch) -> None:
    calls, source = made(monkeypatch), write(tmp_path / "text", "a b a\n")
    first = read_corpus(source, folder)
    assert read_corpus(source, folder) == first
    monkeypatch.chdir(tmp_path)
    assert read_corpus(Path("text"), folder) == first, "the same text under another name of its path"
    assert calls == [source]
    write(source, "a b c\n")
    os.utime(source, ns=(1, 1))  # as long as before, another time
    assert list(read_corpus(source, folder).words) == ["a", "b", "c"]
    os.utime(source, ns=(1, 1))
    write(source, "a b c d\n")
    os.utime(source, ns=(1, 1))  # the same time, longer
    assert list(read_corpus(source, folder).words) == ["a", "b", "c", "d"]
    other = write(tmp_path / "other", "a b e d\n")
    os.utime(other, ns=(1, 1))
    assert list(read_corpus(other, folder).words) == ["a", "b", "e", "d"]
    assert len(calls) == 4


def change(**values: object):
    def changed(folder: Path) -> None:
        content = json.loads((folder / "corpus.json").read_text()) | values
        write(folder / "corpus.json", json.dumps({name: value for name, value in content.items() if value != "gone"}))

    return changed


DAMAGES = {
    "no numbers": lambda folder: (folder / "corpus.ids").unlink(),
    "numbers cut": lambda folder: os.truncate(folder / "corpus.ids", 8),
    "more numbers": lambda folder: write(folder / "corpus.ids", bytes(4) + (folder / "corpus.ids").read_bytes()),
    "no words": lambda folder: (folder / "corpus.json").unlink(),
    "words cut": lambda folder: os.truncate(folder / "corpus.json", 30),
    "empty": lambda folder: write(folder / "corpus.json", ""),
    "no UTF-8": lambda folder: write(folder / "corpus.json", b'{"source": "\xff"}'),
    "a list": lambda folder: write(folder / "corpus.json", "[]"),
    "a number": lambda folder: write(folder / "corpus.json", "3"),
    "without words": change(words="gone"),
    "without counts": change(counts="gone"),
    "without ends": change(ends="gone"),
    "without source": change(source="gone"),
    "no ends": change(ends=[]),
    "ends are no list": change(ends=5),
    "fewer words": change(words=["a"]),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_corpus_is_made_anew(tmp_path, folder, monkeypatch, damage: str) -> None:
    source = write(tmp_path / "text", "a 한국 a\nc\n")
    whole = read_corpus(source, folder)
    DAMAGES[damage](folder)
    calls = made(monkeypatch)
    assert read_corpus(source, folder) == whole
    assert calls == [source]
    assert words_of_chunks(whole) == [[["a", "한국", "a"], ["c"]]]


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_reading_that_is_killed_leaves_no_corpus(tmp_path, folder, at: int) -> None:
    """In the first reading (nothing is there) and in one of a changed text (the old text's corpus is)."""
    source, text = tmp_path / "text", "a b\nc d\ne f\n"
    program = f"""if True:
        import os, signal, sys
        from pathlib import Path
        from word2vec.datasets import corpus
        corpus.CHUNK, original, after = 1, corpus.chunks, int(sys.argv[1])
        def killed(*arguments):
            for k, chunk in enumerate(original(*arguments)):
                if k == after:
                    os.kill(os.getpid(), signal.SIGKILL)
                yield chunk
        corpus.chunks = killed
        corpus.read_corpus(Path({str(source)!r}), Path({str(folder)!r}))
    """
    write(source, "z z z z z\n")
    if at:
        read_corpus(source, folder)
    write(source, text)
    done = subprocess.run([sys.executable, "-c", program, str(at)], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert not (folder / "corpus.json").exists()
    assert words_of_chunks(read_corpus(source, folder)) == [[["a", "b"], ["c", "d"], ["e", "f"]]]
    assert {path.name for path in folder.iterdir()} == {"corpus.ids", "corpus.json"}


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_corpus_that_cannot_be_written_is_no_corpus(tmp_path, folder, monkeypatch, call: str) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    source = write(tmp_path / "text", "a b\n")
    with monkeypatch.context() as patch:
        patch.setattr(*((Path, "replace") if call == "replace" else (os, "fsync")), full)
        with pytest.raises(OSError, match=f"^cannot write {folder / 'corpus.ids'}: No space left on device$"):
            read_corpus(source, folder)
    assert list(folder.iterdir()) == []
    assert words_of_chunks(read_corpus(source, folder)) == [[["a", "b"]]]


WRONG = {
    "empty": (b"", "must hold at least one word, and has none"),
    "blanks": (b" \n\t\r\n\n \xc2\xa0\n", "must hold at least one word, and has none"),
    "only a mark": (b"\xef\xbb\xbf", "must hold at least one word, and has none"),
    "line 1": (b"a \xe9t\xe9\n", "must be text in UTF-8, got the byte 0xe9 in line 1"),
    "line 3": (b"a b\n\n\xed\x95\x9c \xff\nb\n", "must be text in UTF-8, got the byte 0xff in line 3"),
    "end": (b"a b\nc \xed\x95", "must be text in UTF-8, got the byte 0xed in line 2"),
    "long line": (b"a\n" + b"a b c d e " * 30 + b"\xfe " + b"a b c d e " * 30, "got the byte 0xfe in line 2"),
    "utf-16": ("a b\nc d".encode("utf-16"), "must be text in UTF-8, got the byte 0xff in line 1"),
    "long word": (
        b"a b\nc " + 2 * 64 * b"x" + b"\n",
        "must have words of at most 64 bytes, got a longer one in line 2",
    ),
    "long word, no end": (2 * 64 * b"x", "must have words of at most 64 bytes, got a longer one in line 1"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_file_that_is_no_text_is_refused_and_leaves_nothing(tmp_path, folder, monkeypatch, case: str) -> None:
    monkeypatch.setattr(module, "PIECE", 64)
    content, message = WRONG[case]
    source = write(tmp_path / "text", content)
    with pytest.raises(ValueError, match=f"^{re.escape(str(source))}.*{re.escape(message)}$"):
        read_corpus(source, folder)
    assert list(folder.iterdir()) == []


def test_files_that_cannot_be_read_are_named(tmp_path, folder) -> None:
    with pytest.raises(OSError, match=f"^cannot read {tmp_path / 'gone'}: No such file or directory$"):
        read_corpus(tmp_path / "gone", folder)
    with pytest.raises(OSError, match=f"^cannot read {tmp_path}: Is a directory$"):
        read_corpus(tmp_path, folder)
    source = write(tmp_path / "text", "a b\n")
    with pytest.raises(OSError, match=f"^cannot write {source / 'corpus.ids'}: Not a directory$"):
        read_corpus(source, source)
    with pytest.raises(OSError, match=f"^cannot write {source / 'x' / 'corpus.ids'}: (Not a directory|File exists)$"):
        read_corpus(source, source / "x")


def test_words_of_the_longest_size_are_words(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(module, "PIECE", 64)
    words = ["a", 64 * "b", 60 * "c" + "한", 64 * "d"]
    for blank in (" ", "\t", "\n", "\r"):
        found = sentences(write(tmp_path / "text", blank.join(words)))
        assert list(chain(*(words for words, _ in found))) == words


def test_memory_does_not_grow_with_the_text(tmp_path, folder, monkeypatch) -> None:
    """4 MB, all in one line, and every other word a new sentence's; read, and then looked at chunk by chunk."""
    for name, size in (("PIECE", 4096), ("CHUNK", 4096), ("LONGEST", 1000)):
        monkeypatch.setattr(module, name, size)
    for name, blank in (("lines", "\n"), ("line", " ")):
        source = write(tmp_path / name, (100 * "word other " + blank) * 3600)
        tracemalloc.start()
        try:
            corpus = read_corpus(source, folder)
            vocabulary_ids = np.array([-1, 0, 1])
            read = sum(len(corpus.chunk(k, vocabulary_ids)[0]) for k in range(len(corpus.ends)))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert read == 720_000
        assert peak < source.stat().st_size / 8, f"{peak:,} of {source.stat().st_size:,} bytes"
