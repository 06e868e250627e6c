"""Files of judged words: every layout in which they are published, and what is said to files that are none."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from word2vec.datasets.word_sets import read_analogies, read_similarity

PAIRS = [("love", "sex", 6.77), ("tiger", "cat", 7.35), ("stock", "jaguar", 0.92), ("호랑이", "고양이", 7.0)]
KINDS = "\n".join(f"{'st'[k % 2]}\t{a}\t{b}\t{score}" for k, (a, b, score) in enumerate(3 * PAIRS))


def lines(separator: str, row: str = "{a}{s}{b}{s}{score}", head: str = "") -> str:
    return head + "".join(row.format(a=a, b=b, score=score, s=separator) + "\n" for a, b, score in PAIRS)


LAYOUTS = {  # what a file holds, and the columns that the note names
    "blanks": (lines(" "), ""),
    "several blanks": (lines("   "), ""),
    "blanks and tabs": (lines(" \t "), ""),
    "tabs": (lines("\t", head="# a comment\n\n"), ""),
    "commas with headings": (lines(",", head="Word 1,Word 2,Human (mean)\n"), ""),
    "commas and blanks": (lines(", "), ""),
    "quotes": (lines(",", '"{a}"{s}"{b}"{s}"{score}"', '"word1","word2","score"\n'), ""),
    "semicolons": (lines(";"), ""),
    "blanks with headings": (lines(" ", head="word1 word2 score\n"), ""),
    "line ends of Windows": (lines(";").replace("\n", "\r\n"), ""),
    "a byte order mark": ("\ufeff" + lines(",", head="word 1,word 2,kor_score\n"), ""),
    "a comment further down": (lines("\t") + "  # the end\n", ""),
    "decimal commas": (lines(";").replace(".", ","), ""),
    "decimal commas and people": (lines(";", "{a};{b};{score};9.5;6.5").replace(".", ","), ""),
    "decimal commas and blanks": (lines(" ").replace(".", ","), ""),
    "people behind the mean": (lines(",", "{a},{b},{score},9,6,8", "Word 1,Word 2,Human (mean),1,2,3\n"), ""),
    "an empty column": (lines(",", "{a},{b},{score},"), ""),
    "SimLex-999": (
        lines("\t", "{a}\t{b}\tN\t{score}\t2.7\t3", "word1\tword2\tPOS\tSimLex999\tconc(w1)\tconc(w2)\n"),
        "words are in columns 1 and 2, scores in 4",
    ),
    "SimVerb-3500, without headings": (
        lines("\t", "{a}\t{b}\tV\t{score}\tSYNONYMS"),
        "words are in columns 1 and 2, scores in 4",
    ),
    "kinds of WordSim-353": (KINDS, "words are in columns 2 and 3, scores in 4"),
    "numbered": (lines(",", "7,{a},{b},{score}"), "words are in columns 2 and 3, scores in 4"),
    "kinds with headings": (
        "kind;word1;word2;score\na;love;sex;6.77\nb;tiger;cat;7.35\nc;stock;jaguar;0.92\nd;호랑이;고양이;7\n",
        "words are in columns 2 and 3, scores in 4",
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_has_the_same_pairs(tmp_path: Path, capsys, layout: str) -> None:
    """One line on stderr says which columns were taken, unless they are the first three."""
    text, note = LAYOUTS[layout]
    path = tmp_path / "pairs"
    path.write_bytes(text.encode())
    assert read_similarity(path)[:4] == PAIRS
    assert capsys.readouterr().err == (f"note: {path}: {note}\n" if note else "")


def test_words_that_look_like_numbers(tmp_path: Path) -> None:
    """Bread and grandmothers are no missing values; a year is a word among words."""
    path = tmp_path / "pairs"
    path.write_text('nan infinity 3\n1914 war 5\nnaan bread 7.5\ninf one 1e-1\n" quote 2\n')
    expected = [
        ("nan", "infinity", 3.0),
        ("1914", "war", 5.0),
        ("naan", "bread", 7.5),
        ("inf", "one", 0.1),
        ('"', "quote", 2.0),
    ]
    assert read_similarity(path) == expected


@given(st.lists(st.tuples(*[st.text("ab한é", min_size=1, max_size=4)] * 2, st.integers(-9, 9)), min_size=1, max_size=9))
def test_pairs_are_read_between_tabs_or_commas(rows: list[tuple[str, str, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path, lines = Path(folder) / "pairs", [(a, b, float(score)) for a, b, score in rows]
        for separator, head in (("\t", "# Word 1\tWord 2\tHuman\n\n"), (",", "word 1,word 2,score\n"), ("\t", "")):
            text = head + "".join(f"{a}{separator}{b}{separator}{score}\n" for a, b, score in rows)
            path.write_bytes(b"\xef\xbb\xbf" + text.encode())
            assert read_similarity(path) == lines


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "must have lines of two words and a number, and has none"),
        (b"# only\n\n", "must have lines of two words and a number, and has none"),
        (b"a\tb\t1\na\tb\n", r"must have two words and a number, got 'a\\tb' in line 2"),
        (b"a\tb\tc\td\n", r"must have two words and a number, got 'a\\tb\\tc\\td' in line 1"),
        (b"a\tb\t1\n\nc\td\te\n", r"must have two words and a number, got 'c\\td\\te' in line 3"),
        (b"a,b,x\nc,d,y\ne,f,1\n", "must have two words and a number, got 'c,d,y' in line 2"),
        (b"a\tb\t1\na\tb\tnan\n", r"must have two words and a number, got 'a\\tb\\tnan' in line 2"),
        (b"a\tb\t\xff\n", "must be text in UTF-8, and is not"),
        (b"a b 1\nc d\n", "must have two words and a number, got 'c d' in line 2"),
        (b"a;b;1\nc;d;2\n;f;3\n", "must have two words and a number, got ';f;3' in line 3"),
        (b"a b 1\nc d inf\n", "must have two words and a number, got 'c d inf' in line 2"),
        (b"word1,word2,score\n", "must have two words and a number, got 'word1,word2,score' in line 1"),
        (b"x;love;sex;6\ny;cat;dog;7\n", "must have two columns of words, or headings such as word1 and word2, got 3 "
         "in 'x;love;sex;6' in line 1"),
        (b'""' + b"a" * 200_000 + b"\n", f"must have two words and a number, got '\"\"{78 * 'a'}' in line 1"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_pairs_is_told(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "pairs"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=f"^{path} {message}$"):
        read_similarity(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "must have lines of four words, and has none"),
        (b": s\n\n: t\n", "must have lines of four words, and has none"),
        (b": s\na b c d\na b c\n", "must have four words, got 'a b c' in line 3"),
        (b": s\na b c d e\n", "must have four words, got 'a b c d e' in line 2"),
        (b"\na b c d\n", "must have ': NAME' before the first question, got 'a b c d' in line 2"),
        (b": s\n\xff b c d\n", "must be text in UTF-8, and is not"),
    ],
)
def test_what_is_no_file_of_analogies_is_told(tmp_path: Path, text: bytes, message: str) -> None:
    path = tmp_path / "questions"
    path.write_bytes(text)
    with pytest.raises(ValueError, match=f"^{path} {message}$"):
        read_analogies(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    for read in (read_similarity, read_analogies):
        with pytest.raises(OSError, match=f"^cannot read {tmp_path / 'gone'}: No such file or directory$"):
            read(tmp_path / "gone")
