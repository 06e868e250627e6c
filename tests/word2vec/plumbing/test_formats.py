"""The reference is gensim, both ways, in both formats, bit for bit; and every way in which a file can be wrong."""

import errno
import os
import re
import tempfile
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.strategies import unequal_sizes
from tests.word2vec.misconceptions import formats as misconceptions
from word2vec.extensions.formats import WordVectors, read_vectors, write_vectors

ODD = (  # blanks that are letters here, line ends of other systems, marks that combine, and what looks like a number
    *("한국어", "각", "\u1100\u1161\u11a8", "👩‍👩‍👧", "\U0010ffff", "é", "e\u0301", "\u0301", "\ufeff", "\u200b", "\0"),
    *("새\u3000해", "쉬\u00a0다", "a\u2028b", "a\u2029", "\u0085", "\r", "a\rb", "\t", "\x0b\x0c", "\x1c"),
    *("0", "1.5", "-0", "nan", "</s>", "_", "2_3", "new_york"),
)  # fmt: skip
ODD_NUMBERS = [  # the smallest, the largest, −0, and one that goes astray when its fewest digits are read as float64
    np.uint32(bits).view(np.float32)
    for bits in (0x00000001, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0xFF7FFFFF, 0x80000000, 0x15AE43FD, 0x3DCCCCCD)
]
LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters=" \n")
WORDS = st.one_of(st.sampled_from(ODD), st.text(LETTERS, min_size=1, max_size=6))
NUMBERS = st.one_of(
    st.sampled_from(ODD_NUMBERS), st.floats(width=32, allow_nan=False, allow_infinity=False), st.integers(-4, 4)
)


@st.composite
def words_and_numbers(draw) -> tuple[tuple[str, ...], torch.Tensor]:
    v, d = draw(unequal_sizes(2, low=1))
    words = draw(st.lists(WORDS, min_size=v, max_size=v, unique=True))
    return tuple(words), torch.from_numpy(draw(arrays(np.float32, (v, d), elements=NUMBERS.map(np.float32))))


ALL_ODD = ODD, torch.from_numpy(np.resize(np.array(ODD_NUMBERS), (len(ODD), 3)))
NORMAL = WordVectors(("the", "한국", "c"), torch.randn(3, 5, generator=torch.Generator().manual_seed(0)))


def check_same(got: WordVectors, expected: WordVectors) -> None:
    assert got.words == expected.words
    assert got.vectors.dtype == torch.float32
    assert got.vectors.shape == expected.vectors.shape
    bits, expected_bits = (x.vectors.contiguous().view(torch.int32) for x in (got, expected))  # −0 is not 0
    for i, j in (bits != expected_bits).nonzero().tolist():
        raise AssertionError(
            f"word {i}, number {j}: got {got.vectors[i, j]:.9g}, expected {expected.vectors[i, j]:.9g}"
        )


def of_gensim(path: Path) -> WordVectors:
    read = KeyedVectors.load_word2vec_format(str(path), binary=path.suffix == ".bin")
    return WordVectors(tuple(read.index_to_key), torch.from_numpy(read.vectors))


def save_by_gensim(path: Path, vectors: WordVectors) -> None:
    written = KeyedVectors(vectors.vectors.shape[1])
    written.add_vectors(list(vectors.words), vectors.vectors.numpy())
    written.save_word2vec_format(str(path), binary=path.suffix == ".bin")


def check_gensim_reads(write, kind: str, vectors: WordVectors) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{kind}"
        write(path, vectors)
        check_same(of_gensim(path), vectors)


def check_reads_gensim(read, kind: str, vectors: WordVectors) -> None:
    """As gensim reads it: in text, one float32 of 4 billion comes back to it as its neighbour."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{kind}"
        save_by_gensim(path, vectors)
        check_same(read(path), of_gensim(path))


def check_both_ways(write, read, kind: str, vectors: WordVectors) -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder) / f"a.{kind}", vectors)
        check_same(read(Path(folder) / f"a.{kind}"), vectors)


def check_refuses_spaces(write, kind: str) -> None:
    """gensim writes them; then it reads another word, or fails."""
    with tempfile.TemporaryDirectory() as folder, pytest.raises(ValueError, match="must not be empty or hold a space"):
        write(Path(folder) / f"a.{kind}", WordVectors(("a", "new york"), torch.ones(2, 3)))


@pytest.mark.parametrize("kind", ["txt", "vec", "bin"])
@given(drawn=words_and_numbers())
@example(drawn=ALL_ODD)
def test_gensim_reads_what_is_written(kind: str, drawn) -> None:
    check_gensim_reads(write_vectors, kind, WordVectors(*drawn))


@pytest.mark.parametrize("kind", ["txt", "vec", "bin"])
@given(drawn=words_and_numbers())
@example(drawn=ALL_ODD)
def test_reads_what_gensim_writes(kind: str, drawn) -> None:
    check_reads_gensim(read_vectors, kind, WordVectors(*drawn))


@pytest.mark.parametrize("kind", ["txt", "vec", "bin", "BIN"])
@given(drawn=words_and_numbers())
@example(drawn=ALL_ODD)
def test_both_ways(kind: str, drawn) -> None:
    check_both_ways(write_vectors, read_vectors, kind, WordVectors(*drawn))


@given(drawn=words_and_numbers())
def test_binary_is_gensims_byte_for_byte(drawn) -> None:
    vectors = WordVectors(*drawn)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "a.bin", Path(folder) / "b.bin"
        write_vectors(ours, vectors)
        save_by_gensim(theirs, vectors)
        assert ours.read_bytes() == theirs.read_bytes()


def test_gensims_own_text_is_not_exact(tmp_path) -> None:
    """The fewest digits of this number, read by way of float64, are its neighbour's. Nine digits are not."""
    astray = WordVectors(("a",), torch.from_numpy(np.array([[0x15AE43FD]], dtype=np.uint32).view(np.float32)))
    save_by_gensim(tmp_path / "a.txt", astray)
    assert (tmp_path / "a.txt").read_text() == "1 1\na 7.038531e-26\n"
    assert of_gensim(tmp_path / "a.txt").vectors.view(torch.int32).item() == 0x15AE43FE
    check_gensim_reads(write_vectors, "txt", astray)


def test_by_hand(tmp_path) -> None:
    vectors = WordVectors(("a", "빛"), torch.tensor([[1.0, -0.5, 0.1], [0.0, -0.0, 2.0**-149]]))
    write_vectors(tmp_path / "new" / "a.txt", vectors)
    assert (tmp_path / "new" / "a.txt").read_text() == "2 3\na 1 -0.5 0.100000001\n빛 0 -0 1.40129846e-45\n"
    write_vectors(tmp_path / "a.bin", WordVectors(("a", "빛"), torch.tensor([[1.0], [-2.0]])))
    assert (tmp_path / "a.bin").read_bytes() == b"2 1\na \0\0\x80\x3f\xeb\xb9\x9b \0\0\0\xc0"


def test_what_the_authors_code_writes(tmp_path) -> None:
    """A space and a line break behind each vector; the same with the line ends of Windows, or none at the end."""
    expected = WordVectors(("</s>", "빛"), torch.tensor([[0.25, -1.0], [0.0, 2.0]]))
    lines = "2 2\n</s> 0.250000 -1.000000 \n빛 0.000000 2.000000 \n"
    for text in (lines, lines.replace("\n", "\r\n"), lines[:-2], lines + "\n"):
        (tmp_path / "a.txt").write_bytes(text.encode())
        check_same(read_vectors(tmp_path / "a.txt"), expected)
        check_same(of_gensim(tmp_path / "a.txt"), expected)
    vectors = [row.numpy().tobytes() for row in expected.vectors]
    (tmp_path / "a.bin").write_bytes(b"2 2\n</s> " + vectors[0] + b"\n" + "빛 ".encode() + vectors[1] + b"\n")
    check_same(read_vectors(tmp_path / "a.bin"), expected)
    check_same(of_gensim(tmp_path / "a.bin"), expected)


@given(drawn=words_and_numbers(), limit=st.integers(1, 8), kind=st.sampled_from(["txt", "bin"]))
def test_limit(drawn, limit: int, kind: str) -> None:
    words, vectors = drawn
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a.{kind}"
        write_vectors(path, WordVectors(words, vectors))
        check_same(read_vectors(path, limit), WordVectors(words[:limit], vectors[:limit]))


def test_behind_the_limit_nothing_is_looked_at(tmp_path) -> None:
    (tmp_path / "a.txt").write_bytes(b"3 1\na 1\nb 2\nb x y z\n")
    assert read_vectors(tmp_path / "a.txt", 2).words == ("a", "b")
    (tmp_path / "a.txt").write_bytes(b"2 1\na 1\nb 2\nc 3\n")
    assert read_vectors(tmp_path / "a.txt", 1).words == ("a",)
    with pytest.raises(ValueError, match=r"but more follows: b'c 3'$"):
        read_vectors(tmp_path / "a.txt", 2)
    with pytest.raises(ValueError, match=r"^limit must be at least 1, got 0$"):
        read_vectors(tmp_path / "a.txt", 0)


FLOATS = np.arange(1, 7, dtype="<f4").tobytes()  # 24 bytes


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"", "a.txt is empty"),
        ("a.bin", b"", "a.bin is empty"),
        ("a.gz", b"1 1\na 1\n", "a.gz: the name must end in .txt or .vec (text) or .bin (binary)"),
        *(
            (name, line + b"\na 1 2 3\n", f"two whole positive numbers (words, numbers each){more}, got {line!r}")
            for name, more in (("a.txt", " or a word and its numbers"), ("a.bin", ""))
            for line in (b"", b"2", b"2 0", b"0 3", b"-2 3", b"2 3.0", b"2_0 3", b"\xb2 3", b"\xef\xbb\xbf2 3",
                         b"9" * 64, b"the cat sat", b"the 0,1 0,2", b"the nan nan")
        ),
        ("a.txt", b"1 3", "cut short, or a wrong header: 1 words of 3 numbers need 7 bytes or more, got 0"),
        ("a.bin", b"1 3\n", "cut short, or a wrong header: 1 words of 3 numbers need 14 bytes or more, got 0"),
        ("a.txt", b"3 1\na 0.25\nb 0.25\n", "a.txt: cut short: the header says 3 words, got 2"),
        ("a.txt", b"2 1\na 1\nb 2\nc 3\n", "a.txt: the header says 2 words of 1 numbers, but more follows: b'c 3'"),
        ("a.txt", b"2 2\na 1 2\nb 1.5\n", "a.txt: line 3 must have 2 numbers behind a word, got 1"),
        ("a.txt", b"2 2\na 1 2 3\nb 1 2\n", "a.txt: line 2 must have 2 numbers behind a word, got 3"),
        ("a.txt", b"2 2\nnew york 1 2\nb 1 2\n", "a.txt: line 2 must have 2 numbers behind a word, got 3"),
        ("a.txt", b"2 2\na\t1\t2\nb\t1\t2\n", "a.txt: line 2 must have 2 numbers behind a word, got 0"),
        ("a.txt", b"2 2\n\na 1 2\nb 1 2\n", "a.txt: line 2 must have 2 numbers behind a word, got 0"),
        ("a.txt", b"1 2\na 1 0,5\n", "a.txt: line 2: could not convert string to float: b'0,5'"),
        ("a.txt", b"1 2\na  0.5\n", "a.txt: line 2: could not convert string to float: b''"),
        ("a.txt", b"1 2\na 1 \xff\xfe\n", "a.txt: line 2: could not convert string to float: b'\\xff\\xfe'"),
        ("a.txt", b"2 1\na 1\n\xed\x95 2\n", "a.txt: word 2 must be UTF-8, got b'\\xed\\x95'"),
        ("a.txt", b"2 1\na 1\nb nan\n", "a.txt: numbers must be finite in float32, but those of 'b' are not"),
        ("a.txt", b"2 1\na 1\nb 1e39\n", "a.txt: numbers must be finite in float32, but those of 'b' are not"),
        ("a.txt", b"2 1\na 1\na 2\n", "a.txt: each word must come once, but 'a' comes 2 times"),
        ("a.txt", b"2 1\na 1\n 22\n", "a.txt: word 2 must not be empty or hold a space or a line break, got ''"),
        ("a.bin", b"the 0.1 0.2\n", "two whole positive numbers (words, numbers each), got b'the 0.1 0.2'"),
        ("a.txt", b"the 0.1 0.2\na 1 2 3\n", "a.txt: line 2 must have 2 numbers behind a word, got 3"),
        ("a.txt", b"2 3 4\na 1 2 3\n", "a.txt: line 2 must have 2 numbers behind a word, got 3"),
        ("a.txt", b"the 0.1 0.2\na 1 x 2\n", "a.txt: line 2 must have 2 numbers behind a word, got 3"),
        ("a.txt", b"the 1 2\na 1", "a.txt: cut short: line 2 must have 2 numbers behind a word, got 1"),
        ("a.txt", b"the 1 2\n\na 1 2\n", "a.txt: line 2 must have 2 numbers behind a word, got 0"),
        ("a.txt", b"the 1 2\na 1 1e39\n", "a.txt: numbers must be finite in float32, but those of 'a' are not"),
        ("a.txt", b"the 1 2\n\xed 1 2\n", "a.txt: word 2 must be UTF-8, got b'\\xed'"),
        ("a.bin", b"2 3\nabcd " + FLOATS[:12] + b"abcd ", "2 words of 3 numbers need 28 bytes or more, got 22"),
        ("a.bin", b"2 3\nabcd " + FLOATS[:12] + b"abcd " + FLOATS[:8], "a.bin: cut short: the header says 2 words of 3 "
         "numbers, got 1"),
        ("a.bin", b"2 3\nabcd " + FLOATS + b"abcd", "a.bin: cut short: the header says 2 words of 3 numbers, got 1"),
        ("a.bin", b"1 3\na " + FLOATS, f"header says 1 words of 3 numbers, but more follows: {FLOATS[12:]!r}"),
        ("a.bin", b"2 3\na " + FLOATS[:12] + b"a " + FLOATS[:12], "each word must come once, but 'a' comes 2 times"),
        ("a.bin", b"2 3\n\xff " + FLOATS[:12] + b"a " + FLOATS[:12], "a.bin: word 1 must be UTF-8, got b'\\xff'"),
        ("a.bin", b"1 3\na\nb " + FLOATS[:12], "word 1 must not be empty or hold a space or a line break, got 'a\\nb'"),
        ("a.bin", b"1 3\n\n " + FLOATS[:12], "a.bin: word 1 must not be empty or hold a space or a line break, got ''"),
        ("a.bin", b"1 1\na \0\0\x80\x7f", "a.bin: numbers must be finite in float32, but those of 'a' are not"),
        ("a.bin", b"1 5\na 0.25 0.5 0.75 0.5 0.25\n", "the name ends in .bin (binary), but the numbers are "
         "text: b'0.25 0.5 0.75 0.5 0.'"),
    ],
)  # fmt: skip
def test_wrong_files_are_named(tmp_path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(message) + "$") as caught:
        read_vectors(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)


GLOVE = {  # as the authors' files have them: their words, and what else is said
    "glove.6B": ("the 0.418 0.24968\n, 0.013441 0.23682\n1914 -.5 2e-3\n", ("the", ",", "1914"), ""),
    "glove.840B, a word with blanks": (
        "the 1 2\n. . . -3 4\nat name@domain.com 5 6\n",
        ("the", ". . .", "at name@domain.com"),
        "",
    ),
    "a word with blanks first": (". . 1 2\nthe 3 4\n", (". .", "the"), ""),
    "other blanks in a word": ("a\u00a0b 1 2\n새\u3000해 3 4\n\u0085 5 6\n", ("a\u00a0b", "새\u3000해", "\u0085"), ""),
    "line ends of Windows, the last one open": ("the 1 2\r\nof 3 4", ("the", "of"), ""),
    "a blank line at the end": ("the 1 2\nof 3 4\n\n", ("the", "of"), ""),
    "a word twice": (
        "the 1 2\nof 3 4\nthe 5 6\n",
        ("the", "of"),
        "; 1 more are of words that came before, and left out",
    ),
}


@pytest.mark.parametrize("case", GLOVE)
def test_gloves_text_is_read_and_said(tmp_path, capsys, case: str) -> None:
    text, words, more = GLOVE[case]
    (tmp_path / "a.txt").write_bytes(text.encode())
    found = read_vectors(tmp_path / "a.txt")
    assert found.words == words
    lines = {" ".join(line.split(" ")[:-2]): line.split(" ")[-2:] for line in reversed(text.strip().split("\n"))}
    assert found.vectors.tolist() == [pytest.approx([float(x) for x in lines[word]]) for word in words]
    note = f"note: {tmp_path}/a.txt has no header: read as GloVe's text, {len(words)} words of 2 numbers{more}\n"
    assert capsys.readouterr().err == note
    assert read_vectors(tmp_path / "a.txt", 1).words == words[:1]
    assert "read as GloVe's text, 1 words of 2 numbers\n" in capsys.readouterr().err


def test_gloves_text_equals_gensims(tmp_path) -> None:
    save_by_gensim(tmp_path / "a.txt", NORMAL)
    lines = (tmp_path / "a.txt").read_text().split("\n", 1)[1]
    (tmp_path / "glove.txt").write_text(lines)
    theirs = KeyedVectors.load_word2vec_format(str(tmp_path / "glove.txt"), binary=False, no_header=True)
    check_same(
        read_vectors(tmp_path / "glove.txt"), WordVectors(tuple(theirs.index_to_key), torch.from_numpy(theirs.vectors))
    )


@pytest.mark.parametrize("kind", ["txt", "bin"])
def test_what_cannot_be_opened(tmp_path, kind: str) -> None:
    with pytest.raises(ValueError, match=rf"^cannot read .*a\.{kind}: No such file or directory$"):
        read_vectors(tmp_path / f"a.{kind}")
    (tmp_path / f"a.{kind}").mkdir()
    with pytest.raises(ValueError, match=rf"^cannot read .*a\.{kind}: Is a directory$"):
        read_vectors(tmp_path / f"a.{kind}")


@pytest.mark.parametrize(("kind", "open_end"), [("bin", 0), ("txt", len("7\n"))])
def test_every_cut_is_seen(tmp_path, kind: str, open_end: int) -> None:
    """But for one within the last number of a text, which nobody can see."""
    path = tmp_path / f"a.{kind}"
    write_vectors(path, WordVectors(("a", "빛"), torch.tensor([[1.0, -0.5], [0.25, 7.0]])))
    data = path.read_bytes()
    for length in range(len(data) - open_end):
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=r"cut short|is empty|first line must be|must have 2 numbers|to float"):
            read_vectors(path)
    path.write_bytes(data)
    assert read_vectors(path).words == ("a", "빛")


@pytest.mark.parametrize("kind", ["txt", "bin"])
@pytest.mark.parametrize(("v", "d"), [(10**18, 300), (3, 10**18), (10**7, 300), (9**40, 1)])
@pytest.mark.parametrize("limit", [None, 2])
def test_a_wrong_header_takes_no_memory(tmp_path, kind: str, v: int, d: int, limit: int | None) -> None:
    (tmp_path / f"a.{kind}").write_bytes(f"{v} {d}\n".encode() + b"a 0.5\n" * 1000)
    tracemalloc.start()
    try:
        with pytest.raises(
            ValueError, match=rf"a\.{kind}: cut short, or a wrong header: {v} words of {d} numbers need"
        ):
            read_vectors(tmp_path / f"a.{kind}", limit)
        assert tracemalloc.get_traced_memory()[1] < 2**20  # bytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["txt", "bin"])
@pytest.mark.parametrize(
    ("words", "vectors", "message"),
    [
        ((), torch.ones(0, 3), r"there must be as many words as vectors, and some, got 0 and \(0, 3\)"),
        (("a",), torch.ones(1, 0), r"there must be as many words as vectors, and some, got 1 and \(1, 0\)"),
        (("a",), torch.ones(2, 3), r"there must be as many words as vectors, and some, got 1 and \(2, 3\)"),
        (("a", ""), torch.ones(2, 3), "word 2 must not be empty or hold a space or a line break, got ''"),
        (("a", "b c"), torch.ones(2, 3), "word 2 must not be empty or hold a space or a line break, got 'b c'"),
        (("a", "b\n"), torch.ones(2, 3), r"word 2 must not be empty or hold a space or a line break, got 'b\\n'"),
        (("a", "\ud55c\ud800"), torch.ones(2, 3), r"word 2 cannot be written in UTF-8, got '한\\ud800'"),
        (("a", "a"), torch.ones(2, 3), "each word must come once, but 'a' comes 2 times"),
        (("a", "b"), torch.tensor([[1.0], [float("nan")]]), "numbers must be finite in float32, but those of 'b' are"),
        (("a", "b"), torch.tensor([[1e39], [1.0]], dtype=torch.float64), "finite in float32, but those of 'a' are"),
    ],
)
def test_what_is_not_written(tmp_path, kind: str, words, vectors, message: str) -> None:
    """And the old file stays."""
    path = tmp_path / f"a.{kind}"
    write_vectors(path, NORMAL)
    old = path.read_bytes()
    with pytest.raises(ValueError, match=message) as caught:
        write_vectors(path, WordVectors(words, vectors))
    assert str(path) in str(caught.value)
    assert path.read_bytes() == old


def test_other_names_are_refused(tmp_path) -> None:
    with pytest.raises(ValueError, match=r"a\.csv: the name must end in \.txt or \.vec \(text\) or \.bin \(binary\)$"):
        write_vectors(tmp_path / "a.csv", NORMAL)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["txt", "bin"])
def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    write_vectors(path, NORMAL)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=rf"^cannot write .*a\.{kind}: No space left on device$"):
        write_vectors(path, WordVectors(("other",), torch.ones(1, 2)))
    assert list(tmp_path.iterdir()) == [path]
    check_same(read_vectors(path), NORMAL)


def test_parameters_of_a_model_are_written(tmp_path) -> None:
    """With gradients, not contiguous, and in another precision."""
    weights = torch.nn.Parameter(torch.arange(6.0, dtype=torch.float64).reshape(2, 3) / 10)
    for kind in ("txt", "bin"):
        write_vectors(tmp_path / f"a.{kind}", WordVectors(("a", "b", "c"), weights.T))
        check_same(read_vectors(tmp_path / f"a.{kind}"), WordVectors(("a", "b", "c"), weights.detach().T.float()))


@pytest.mark.parametrize("wrong", misconceptions.READERS, ids=lambda function: function.__name__)
def test_misconception_of_a_reader_is_caught(wrong) -> None:
    with pytest.raises((AssertionError, ValueError)):
        check_reads_gensim(wrong, misconceptions.READERS[wrong], WordVectors(*ALL_ODD))


@pytest.mark.parametrize("wrong", misconceptions.WRITERS, ids=lambda function: function.__name__)
def test_misconception_of_a_writer_is_caught(wrong) -> None:
    def folder_tests() -> None:
        check_gensim_reads(wrong, misconceptions.WRITERS[wrong], WordVectors(*ALL_ODD))
        check_refuses_spaces(wrong, misconceptions.WRITERS[wrong])

    with pytest.raises((AssertionError, pytest.fail.Exception)):
        folder_tests()


@pytest.mark.parametrize("kind", ["txt", "bin"])
def test_spaces_are_refused(kind: str) -> None:
    check_refuses_spaces(write_vectors, kind)
