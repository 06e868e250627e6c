"""What a baseline leaves out, and what an unknown word is worth."""

import math

import pytest
import torch

from word2vec.evaluate import baselines, judge_analogies, judge_similarity

WORDS = ("king", "queen", "prince", "princess", "throne")


def at_angles(*degrees: float) -> torch.Tensor:
    radians = torch.tensor(degrees, dtype=torch.float64) * (math.pi / 180)
    return torch.stack([radians.cos(), radians.sin()], dim=1)


@pytest.mark.parametrize(
    ("angles", "hit"),
    [
        ((5, 9, 0, 20, 90), 1),  # prince is at 0°; king and queen are nearer than princess, and may not be answers
        ((5, 9, 0, 90, 20), 0),  # the throne is nearer
    ],
)
def test_nearest_leaves_out_all_three_words_of_the_question(angles: tuple, hit: int) -> None:
    """ "king is to queen as prince is to …": without queen − king, the word nearest to prince is left."""
    question = {"gender": [("king", "queen", "prince", "princess")]}
    found = baselines(at_angles(*angles), WORDS, question)
    assert found["nearest"] == {"gender": hit, "all": hit}
    assert found["chance"] == {"gender": 1 / 2, "all": 1 / 2}, "five words, and three of them are in the question"
    assert found["word-form"]["gender"] == 1 / 11, "twelve words for women, and queen is in the question"


def test_all_weighs_each_question_alike() -> None:
    """One question of the first relation, right, and three of the second, wrong: 1/4, and not the mean 1/2."""
    words = (*WORDS, "cat", "cats", "dog", "dogs")
    vectors = at_angles(5, 9, 0, 20, 90, 140, 150, 160, 300)
    found = baselines(vectors, words, {
        "gender": [("king", "queen", "prince", "princess")], "plural": 3 * [("cat", "cats", "dog", "dogs")],
    })  # fmt: skip
    assert found["nearest"] == {"gender": 1, "plural": 0, "all": 1 / 4}


def test_an_unknown_word_is_neither_right_nor_asked() -> None:
    vectors = at_angles(0, 30, 60, 90, 200)  # queen − king + prince is princess, at 90°
    questions = {"gender": [("king", "queen", "prince", "princess"), ("king", "queen", "duke", "duchess")]}
    row = judge_analogies(vectors, WORDS, questions)["all"]
    assert (row.right, row.asked, row.unknown, row.accuracy) == (1, 1, 1, 1.0)
    pairs = [("king", "queen", 9.0), ("king", "prince", 5.0), ("king", "duke", 9.0), ("king", "throne", 1.0)]
    row = judge_similarity(vectors, WORDS, pairs)
    assert (row.correlation, row.pairs, row.unknown) == (pytest.approx(1.0), 3, 1)
