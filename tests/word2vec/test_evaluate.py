"""Judging by hand, and beside gensim with the same vectors."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from gensim.models import KeyedVectors

from tests.teach import check_equal
from toyworld.language import RELATIONS
from word2vec.datasets.word_sets import read_analogies, read_similarity
from word2vec.evaluate import (
    ALL,
    HELD_OUT,
    KNOWN,
    AnalogyScore,
    baselines,
    judge_analogies,
    judge_similarity,
    lower_case_index,
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


def test_two_pairs_of_all_words_have_a_correlation() -> None:
    """The least: two words with themselves and with each other."""
    found = judge_similarity(torch.eye(2), ["a", "b"], [("a", "b", 1.0), ("a", "a", 2.0)])
    assert found.correlation == pytest.approx(1)
    assert (found.pairs, found.unknown) == (2, 0)


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
