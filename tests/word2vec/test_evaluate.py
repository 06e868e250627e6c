"""Judging by hand, beside gensim with the same vectors, and what is said to files that are none."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors
from hypothesis import given
from hypothesis import strategies as st

from tests.teach import check_equal
from toyworld.language import RELATIONS
from word2vec.evaluate import (
    ALL,
    HELD_OUT,
    KNOWN,
    AnalogyScore,
    baselines,
    judge_analogies,
    judge_similarity,
    lower_case_index,
    read_analogies,
    read_similarity,
    table_of,
    toy_analogies,
)
from word2vec.extensions.three_cos_mul import three_cos_mul
from word2vec.similarity import three_cos_add

WORDS = [*"abcdefghij", "Paris", "london", "ROME", "서울", "도쿄", *(f"w{k}" for k in range(25))]


def some_vectors(seed: int, words: int = len(WORDS)) -> torch.Tensor:
    return torch.randn(words, 6, generator=torch.Generator().manual_seed(seed))


def gensims(vectors: torch.Tensor) -> KeyedVectors:
    keyed = KeyedVectors(vectors.shape[1])
    keyed.add_vectors(WORDS, vectors.numpy())
    return keyed


def random_lines(seed: int, words: int, count: int = 300) -> list[list[str]]:
    """Lines of words that differ, in any case; one in fifty is unknown."""
    random = np.random.default_rng(seed)
    pool = [*WORDS, "unknown"]
    lines = [[pool[k] for k in random.choice(len(pool), words, replace=False)] for _ in range(count)]
    forms = (str.upper, str.lower, str)
    return [[forms[random.integers(3)](word) for word in line] for line in lines]


@pytest.mark.parametrize("seed", range(3))
def test_analogies_equal_gensims(seed: int, tmp_path: Path) -> None:
    """No two of these words differ in case only: there gensim has other rules."""
    vectors, path = some_vectors(seed), tmp_path / "questions"
    vectors[10:20] = vectors[:10] + 0.7  # parallelograms, so that some answers are right
    lines = [line for line in random_lines(seed, 4) if len({word.lower() for word in line}) == 4]
    lines += [[WORDS[k], WORDS[k + 10], WORDS[j], WORDS[j + 10]] for k in range(10) for j in range(10) if j != k]
    lines = [line for line in lines if len({word.lower() for word in line}) == 4]
    half = len(lines) // 2
    path.write_text("\n".join([": one", *map(" ".join, lines[:half]), ": two", *map(" ".join, lines[half:])]))
    _, sections = gensims(vectors).evaluate_word_analogies(str(path))
    judged = judge_analogies(vectors, WORDS, read_analogies(path))
    assert judged[ALL].right > 20
    assert list(judged) == ["one", "two", ALL]
    for section, ours in zip(sections, judged.values(), strict=True):
        assert (ours.right, ours.asked) == (
            len(section["correct"]),
            len(section["correct"]) + len(section["incorrect"]),
        )
    assert judged[ALL].asked + judged[ALL].unknown == len(lines)
    assert judged[ALL].unknown > 0


@pytest.mark.parametrize("seed", range(3))
def test_similarity_equals_gensims(seed: int, tmp_path: Path) -> None:
    vectors, path = some_vectors(seed), tmp_path / "pairs"
    random = np.random.default_rng(seed)
    lines = [[a, b, str(random.integers(0, 20) / 2)] for a, b in random_lines(seed, 2)]
    path.write_text("\n".join(["# a comment", *map("\t".join, lines)]))
    _, expected, unknown = gensims(vectors).evaluate_word_pairs(str(path))
    found = judge_similarity(vectors, WORDS, read_similarity(path))
    assert found.correlation == pytest.approx(expected[0], abs=1e-5)  # float32, and ties of cosines
    assert 100 * found.unknown / len(lines) == pytest.approx(unknown)
    assert found.pairs + found.unknown == len(lines)


def test_the_first_of_words_that_differ_in_case_is_meant() -> None:
    vectors = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0.9, 1, 0], [1, 0, 1], [0, 1, 1]])
    words = ["a", "b", "B", "c", "D"]
    judged = judge_analogies(vectors, words, {"s": [("A", "b", "C", "d")]})
    assert judged[ALL] == AnalogyScore(1, 1, 0)
    assert lower_case_index(["a", "Paris", "paris", "PARIS", "A"]) == {"a": 0, "paris": 1}


def test_only_the_most_frequent_words_are_asked_and_answer() -> None:
    vectors = torch.eye(6)
    words = list("abcdef")
    assert judge_similarity(vectors, words, [("a", "b", 1.0), ("a", "c", 2.0), ("a", "f", 3.0)], limit=3).unknown == 1
    judged = judge_analogies(vectors, words, {"s": [("a", "b", "c", "f"), ("a", "b", "c", "d")]}, limit=4)
    assert judged["s"] == AnalogyScore(1, 1, 1)


def test_nothing_known_is_not_a_number() -> None:
    judged = judge_analogies(torch.eye(4), list("abcd"), {"s": [("x", "y", "z", "a")]})
    assert judged[ALL] == AnalogyScore(0, 0, 1)
    assert math.isnan(judged[ALL].accuracy)
    found = judge_similarity(torch.eye(4), list("abcd"), [("a", "b", 1.0), ("x", "a", 2.0)])
    assert math.isnan(found.correlation)
    assert (found.pairs, found.unknown) == (1, 1)


def test_the_forms_may_answer_differently() -> None:
    questions = {"s": [tuple(line) for line in random_lines(0, 4, 100)]}
    vectors = some_vectors(5)
    vectors[10:20] = vectors[:10] + 0.7
    questions["p"] = [
        (WORDS[k], WORDS[k + 10], WORDS[j], WORDS[j + 10]) for k in range(10) for j in range(10) if j != k
    ]
    added, multiplied = (
        judge_analogies(vectors, WORDS, questions, score)[ALL].right for score in (three_cos_add, three_cos_mul)
    )
    assert added != multiplied


def test_tables() -> None:
    centre, context = some_vectors(0), some_vectors(1)
    check_equal("the table of centre words", table_of(centre, context), centre)
    check_equal("the table of context words", table_of(centre, context, "context"), context)
    check_equal("the sum of both tables", table_of(centre, context, "sum"), centre + context)
    with pytest.raises(ValueError, match=r"^table must be one of centre, context, sum, got 'w'$"):
        table_of(centre, context, "w")


@pytest.mark.parametrize("kind", [KNOWN, HELD_OUT])
def test_questions_about_the_toy_language(kind: str) -> None:
    """Each is a known pair, then a pair of the kind that is asked about, both the same way round, and no pair twice."""
    for name, questions in toy_analogies(kind).items():
        relation = RELATIONS[name]
        known, asked = len(relation.known), len(relation.known if kind == KNOWN else relation.held_out)
        assert len(set(questions)) == len(questions) == 2 * known * (asked - (kind == KNOWN))
        for a, b, c, d in questions:
            one, other = ((a, b), (c, d)) if (a, b) in relation.pairs else ((b, a), (d, c))
            assert one in relation.known
            assert other in (relation.known if kind == KNOWN else relation.held_out)
            assert one != other


def test_baselines_by_hand() -> None:
    """Of words in the plane: d is the word nearest to c for the colour red, and is not for blue."""
    questions = {"colour": [("red", "reddish", "blue", "bluish"), ("red", "reddish", "green", "greenish")]}
    words = ["red", "reddish", "blue", "bluish", "green", "greenish", "x"]
    degrees = torch.tensor([0.0, 180, 100, 110, 250, 300, 255]) * math.pi / 180
    found = baselines(torch.stack([degrees.cos(), degrees.sin()], 1), words, questions)
    assert found["chance"] == {"colour": 1 / 4, ALL: 1 / 4}
    assert found["word-form"]["colour"] == 1 / (len(RELATIONS["colour"].pairs) - 1)
    assert found["nearest"] == {"colour": 0.5, ALL: 0.5}


@given(st.lists(st.tuples(*[st.text("ab한é", min_size=1, max_size=4)] * 2, st.integers(-9, 9)), min_size=1, max_size=9))
def test_pairs_are_read_between_tabs_or_commas(rows: list[tuple[str, str, int]]) -> None:
    import tempfile

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
    ],
)
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
