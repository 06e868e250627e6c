"""Words ↔ ids, worked by hand; then what Unicode writes in two ways is one word, and two letters stay two words."""

import unicodedata

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from toyworld.tokenizer import END, PAD, SPECIAL, START, UNKNOWN, Tokenizer, padded, split_words

TEXTS = ("Is the star red?", "The star's colour")


def test_ids_by_hand() -> None:
    """The special ids come first; then the words in alphabetical order: colour is star star's the."""
    assert SPECIAL == ("<pad>", "<start>", "<end>", "<unknown>")
    assert (PAD, START, END, UNKNOWN) == (0, 1, 2, 3)
    tokenizer = Tokenizer.of(TEXTS)
    assert tokenizer.words == ("colour", "is", "red", "star", "star's", "the")
    assert len(tokenizer) == 10
    assert tokenizer.ids("Is the STAR red?") == [5, 9, 7, 6]
    assert tokenizer.ids("is the comet red") == [5, 9, UNKNOWN, 6]
    assert tokenizer.unknown("is the comet red, comet?") == ["comet", "comet"]


def test_rows_are_padded_at_the_end() -> None:
    rows = Tokenizer.of(TEXTS).encode(["red", "the red star", ""])
    assert rows.dtype == torch.int64
    assert rows.tolist() == [[6, PAD, PAD], [9, 6, 7], [PAD, PAD, PAD]]


@pytest.mark.parametrize(("rows", "shape"), [([], (0, 0)), ([[]], (1, 0)), ([[], []], (2, 0)), ([[], [7]], (2, 1))])
def test_rows_without_words_keep_their_number(rows, shape) -> None:
    assert padded(rows).shape == shape


def test_decode_stops_at_the_end_and_shows_unknown_words() -> None:
    tokenizer = Tokenizer.of(TEXTS)
    assert tokenizer.decode([START, 9, UNKNOWN, 7, END, 6, PAD]) == "the <unknown> star"
    assert tokenizer.decode([START, 6, PAD, PAD]) == "red"
    assert tokenizer.decode([]) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("빨간 원", ["빨간", "원"]),
        (unicodedata.normalize("NFD", "빨간 원"), ["빨간", "원"]),  # as macOS writes it
        (unicodedata.normalize("NFD", "Café"), ["café"]),
        ("star’s star‘s starʼs star＇s star's", ["star's"] * 5),
        ("‘quoted’ 'words' rock 'n' roll ''", ["quoted", "words", "rock", "n", "roll"]),
        ("हिन्दी ไทย", ["हिन्दी", "ไทย"]),  # their vowels are marks
        ("x̂ y", ["x̂", "y"]),  # a mark that has no composed form
        ("Straße strasse", ["straße", "strasse"]),  # casefold would merge them
        ("kız kiz", ["kız", "kiz"]),  # upper case would
        ("snake_case 3.5 a-b <pad>", ["snake_case", "3", "5", "a", "b", "pad"]),
        ("  ?! — ", []),
    ],
)
def test_words_by_hand(text, words) -> None:
    assert split_words(text) == words


@given(text=st.text())
def test_all_forms_of_a_text_give_the_same_words_and_words_stay_themselves(text) -> None:
    words = split_words(text)
    assert split_words(unicodedata.normalize("NFD", text)) == words, "Unicode's decomposed form is another text"
    assert split_words(" ".join(words)) == words, "a word that is split again is another word"


@given(words=st.lists(st.text("abcde가나", min_size=1, max_size=4), min_size=1, max_size=6))
def test_a_text_of_known_words_comes_back(words) -> None:
    text = " ".join(words)
    tokenizer = Tokenizer.of([text])
    assert tokenizer.decode([START, *tokenizer.ids(text), END]) == text
    assert [tokenizer.decode(row) for row in tokenizer.encode([text, words[0]]).tolist()] == [text, words[0]]


@pytest.mark.parametrize("words", [["red", "red"], ["<pad>"]])
def test_a_word_that_comes_twice_is_refused(words) -> None:
    with pytest.raises(ValueError, match="words must differ from each other and from <pad>, <start>, <end>, <unknown>"):
        Tokenizer(words)
