"""Equation → function → test (Mikolov et al. 2013b)

(count(ab) - δ) / (count(a) count(b)) · N   phrase_scores   test_scores_by_hand, test_equals_gensim
which pairs are phrases                     find_phrases    test_a_phrase_is_frequent_and_scores_above
joining                                     join_phrases    test_joins_by_hand, test_joins_as_gensim_does
"""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from gensim.models.phrases import Phrases
from hypothesis import given
from hypothesis import strategies as st

from tests.word2vec.misconceptions import phrases as misconceptions
from word2vec.extensions.phrases import (
    count_words_and_bigrams,
    find_phrases,
    join_phrases,
    phrase_scores,
    write_phrases,
)

WORDS = st.sampled_from(["a", "b", "c", "ab"])
SENTENCE = st.lists(WORDS, max_size=8)
SENTENCES = st.lists(SENTENCE, max_size=12)
PHRASES = st.frozensets(st.tuples(WORDS, WORDS), max_size=6)
CITIES = [["new", "york", "is", "new"], [], ["york"], ["new", "york"]]


def word2phrase_scorer(worda_count, wordb_count, bigram_count, len_vocab, min_count, corpus_word_count):
    """The score of the authors' code, in the form that gensim asks for; its ``min_count`` is the discount."""
    return (bigram_count - min_count) * corpus_word_count / (worda_count * wordb_count)


def gensims(sentences, discount: float, threshold: float, scoring=word2phrase_scorer) -> Phrases:
    return Phrases(sentences, min_count=discount, threshold=threshold, scoring=scoring, connector_words=frozenset())


def check_counts(candidate: Callable) -> None:
    words, bigrams = candidate(iter(CITIES))  # a stream, which can be read once
    assert words == {"new": 3, "york": 3, "is": 1}
    assert bigrams == {("new", "york"): 2, ("york", "is"): 1, ("is", "new"): 1}
    _, bigrams = candidate(iter([["a", "a", "a"]]))
    assert bigrams == {("a", "a"): 2}
    words, bigrams = candidate(iter([["a_b", "c"], ["a", "b_c"], ["a_b_c", "a", "b"]]))
    assert words == {"a_b": 1, "c": 1, "a": 2, "b_c": 1, "a_b_c": 1, "b": 1}
    assert bigrams == {("a_b", "c"): 1, ("a", "b_c"): 1, ("a_b_c", "a"): 1, ("a", "b"): 1}


def check_scores(candidate: Callable) -> None:
    words, bigrams = Counter(new=4, york=3, is_=3), Counter({("new", "york"): 3, ("is_", "new"): 1})
    assert candidate(words, bigrams, 1) == {("new", "york"): pytest.approx(2 / 12 * 10), ("is_", "new"): 0}
    assert candidate(words, bigrams, 0.5)["new", "york"] == pytest.approx(2.5 / 12 * 10)


def check_joins(candidate: Callable) -> None:
    for sentence, phrases, expected in [
        ("a b", {("a", "b")}, "a_b"),
        ("b a", {("a", "b")}, "b a"),
        ("a b c", {("a", "b"), ("b", "c")}, "a_b c"),  # the first wins, and c has nobody left
        ("a b c d", {("a", "b"), ("b", "c"), ("c", "d")}, "a_b c_d"),
        ("x a b c", {("a", "b"), ("b", "c")}, "x a_b c"),
        ("a a a", {("a", "a")}, "a_a a"),
        ("a b c", {("a_b", "c"), ("a", "b")}, "a_b c"),  # that is the next pass's
        ("a_b c", {("a_b", "c"), ("a", "b")}, "a_b_c"),
        ("ba bc", {("a", "b")}, "ba bc"),
        ("a", {("a", "b")}, "a"),
        ("", {("a", "b")}, ""),
    ]:
        got = candidate(sentence.split(), phrases)
        assert got == expected.split(), f"{sentence!r} with {phrases}: {got}"


def test_counts_by_hand() -> None:
    check_counts(count_words_and_bigrams)


@given(sentences=SENTENCES)
def test_every_word_but_a_sentences_last_begins_a_pair(sentences) -> None:
    words, bigrams = count_words_and_bigrams(sentences)
    assert words.total() == sum(map(len, sentences))
    assert bigrams.total() == sum(len(sentence) - 1 for sentence in sentences if sentence)


def test_scores_by_hand() -> None:
    check_scores(phrase_scores)


@given(sentences=SENTENCES, times=st.integers(1, 5))
def test_a_larger_corpus_of_the_same_kind_scores_the_same(sentences, times: int) -> None:
    """Without a discount: equation 6 itself would fall as 1/N."""
    once, often = (phrase_scores(*count_words_and_bigrams(sentences * k), 0) for k in (1, times))
    assert once == pytest.approx(often)


def test_independent_words_score_1() -> None:
    """All pairs equally often, as in a text without order; then count(ab)/N = count(a)/N · count(b)/N."""
    words, bigrams = Counter(a=30, b=70), Counter({("a", "b"): 21, ("b", "a"): 21, ("a", "a"): 9, ("b", "b"): 49})
    assert phrase_scores(words, bigrams, 0) == pytest.approx(dict.fromkeys(bigrams, 1.0))


@given(sentences=SENTENCES, discount=st.integers(1, 3), threshold=st.sampled_from([0.5, 1.0, 1.5, 3.0]))
def test_equals_gensim(sentences, discount: int, threshold: float) -> None:
    """The reference is gensim.models.phrases.Phrases, with the score of word2phrase.c."""
    words, bigrams = count_words_and_bigrams(sentences)
    ours = find_phrases(words, bigrams, discount, threshold, min_count=1)
    gensim = gensims(sentences, discount, threshold)
    assert {"_".join(pair): score for pair, score in ours.items()} == pytest.approx(gensim.export_phrases())
    for sentence in sentences:
        assert join_phrases(sentence, ours) == [token for token, _ in gensim.analyze_sentence(sentence)]


@given(sentences=SENTENCES)
def test_gensims_default_has_another_factor(sentences) -> None:
    """Its ``original_scorer`` multiplies by the length of a vocabulary in which words and pairs are counted."""
    words, bigrams = count_words_and_bigrams(sentences)
    gensim = gensims(sentences, 1, 1e-9, "default")
    ours = find_phrases(words, bigrams, 1, 1e-9, min_count=1)
    factor = (len(words) + len(bigrams)) / max(1, words.total())
    assert {"_".join(pair): score * factor for pair, score in ours.items()} == pytest.approx(gensim.export_phrases())


def test_gensim_counts_pairs_as_strings_and_we_do_not() -> None:
    sentences = [["a_b", "c"], ["a", "b_c"], ["x"]] * 2
    words, bigrams = count_words_and_bigrams(sentences)
    assert phrase_scores(words, bigrams, 1) == {("a_b", "c"): 10 / 4, ("a", "b_c"): 10 / 4}
    assert gensims(sentences, 1, 1e-9)[["a_b", "c"]] == ["a_b_c"]
    _, score = gensims(sentences, 1, 1e-9).score_candidate("a_b", "c", [])
    assert score == (4 - 1) / 4 * 10


def test_a_phrase_is_frequent_and_scores_above() -> None:
    words = Counter(a=10, b=10, c=10, d=10, rest=60)  # N = 100, and the score is the count less the discount
    bigrams = Counter({("a", "b"): 5, ("c", "d"): 7, ("b", "c"): 4})
    assert list(find_phrases(words, bigrams, 0, 1, 1).items()) == [(("c", "d"), 7), (("a", "b"), 5), (("b", "c"), 4)]
    assert set(find_phrases(words, bigrams, 0, 4, 1)) == {("a", "b"), ("c", "d")}  # above, not at the threshold
    assert set(find_phrases(words, bigrams, 0, 1, 5)) == {("a", "b"), ("c", "d")}  # at min_count is enough
    assert set(find_phrases(words, bigrams, 2, 3, 1)) == {("c", "d")}
    assert find_phrases(words, bigrams, 7, 0, 1) == {}


def test_rare_words_that_met_once_are_no_phrase() -> None:
    """What the discount is for: without it the pair of two words that occur once has the highest score of all."""
    words, bigrams = Counter(san=50, diego=40, foo=1, bar=1), Counter({("san", "diego"): 40, ("foo", "bar"): 1})
    assert next(iter(find_phrases(words, bigrams, 0, 0, 1))) == ("foo", "bar")
    assert set(find_phrases(words, bigrams, 5, 0, 1)) == {("san", "diego")}


def test_joins_by_hand() -> None:
    check_joins(join_phrases)


@given(sentence=SENTENCE, phrases=PHRASES)
def test_joins_as_gensim_does(sentence, phrases) -> None:
    """The reference is the joining of gensim's FrozenPhrases, with its phrases replaced by ours."""
    frozen = gensims([], 1, 1.0).freeze()
    frozen.phrasegrams = {"_".join(pair): 2.0 for pair in phrases}
    assert join_phrases(sentence, phrases) == frozen[sentence]


@given(sentence=SENTENCE, phrases=PHRASES, joiner=st.sampled_from(["_", "·", "--"]))
def test_a_joined_sentence_can_be_taken_apart(sentence, phrases, joiner: str) -> None:
    joined = join_phrases(sentence, phrases, joiner)
    assert [word for token in joined for word in token.split(joiner)] == sentence
    assert all(token.count(joiner) <= 1 for token in joined)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_passes_make_longer_phrases(tmp_path: Path) -> None:
    text = "new york times \n\nthe york\r\nnew york times\nthe new york times\nthe  time"
    source, target = write(tmp_path / "text", text), tmp_path / "folder" / "joined"
    passes = write_phrases(source, target, thresholds=(0.5, 0.5), discount=0, min_count=3)
    assert passes[0] == {("new", "york"): 3, ("york", "times"): 3}
    assert passes[1] == {("new_york", "times"): 3}
    assert target.read_bytes() == b"new_york_times\n\nthe york\nnew_york_times\nthe new_york_times\nthe time\n"
    assert [path.name for path in target.parent.iterdir()] == ["joined"]
    assert len(write_phrases(source, source, thresholds=(0.5,), discount=0, min_count=3)) == 1  # onto itself
    assert source.read_text().startswith("new_york times\n\n")


def test_each_pass_has_its_own_threshold(tmp_path: Path) -> None:
    source = write(tmp_path / "text", "a b\na b\nc d\nc x\nx d\n")  # a b: 2/4 · 10 = 5, others 1/4 · 10
    for thresholds, expected in [
        ((4,), [1]),
        ((2,), [4]),
        ((4, 1.5), [1, 3]),
        ((6, 4), [0, 1]),
        ((6, 6, 6), [0, 0, 0]),
    ]:
        passes = write_phrases(source, tmp_path / "joined", thresholds, discount=0, min_count=1)
        assert [len(phrases) for phrases in passes] == expected, thresholds


@given(sentences=SENTENCES.filter(any))
def test_the_file_is_what_the_functions_say(tmp_path_factory, sentences) -> None:
    folder = tmp_path_factory.mktemp("phrases")
    source = write(folder / "text", "".join(" ".join(sentence) + "\n" for sentence in sentences))
    write_phrases(source, folder / "joined", (1, 0.5), 1, 1)
    for threshold in (1, 0.5):
        phrases = find_phrases(*count_words_and_bigrams(sentences), 1, threshold, 1)
        sentences = [join_phrases(sentence, phrases) for sentence in sentences]
    assert [line.split() for line in (folder / "joined").read_text().splitlines()] == sentences


@pytest.mark.parametrize(("length", "found"), [(120, False), (140, True)])
def test_defaults_are_word2phrases(tmp_path: Path, length: int, found: bool) -> None:
    """In 20 lines of ``length`` words "new york" scores (20 - 5) / 400 · 20 length: 90 or 105, where 100 is asked."""
    sentences = [["new", "york"] + ["the"] * (length - 2)] * 20
    source = write(tmp_path / "text", "".join(" ".join(sentence) + "\n" for sentence in sentences))
    expected = {("new", "york"): 20} if found else {}
    assert write_phrases(source, tmp_path / "joined") == [expected]
    assert set(find_phrases(*count_words_and_bigrams(sentences))) == set(expected)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "text holds no words; it must hold text, one sentence a line"),
        (b"\n \n", "text holds no words"),
        (b"gut\nsch\xf6n\n", "text, line 2: must be UTF-8, got byte 0xf6"),
    ],
)
def test_a_text_that_is_none_is_named(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "text").write_bytes(data)
    (tmp_path / "joined").write_text("old")
    with pytest.raises(ValueError, match=message) as caught:
        write_phrases(tmp_path / "text", tmp_path / "joined")
    assert "\n" not in str(caught.value)
    assert (tmp_path / "joined").read_text() == "old"


def test_a_byte_order_mark_is_no_part_of_the_first_word(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"\xef\xbb\xbf" + b"new york is new\n" * 3)
    write_phrases(tmp_path / "text", tmp_path / "out", (0.1,), 0, 1)
    assert (tmp_path / "out").read_text().startswith("new_york")


def test_no_thresholds_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="thresholds must be a finite number for each pass, got none"):
        write_phrases(write(tmp_path / "text", "a b"), tmp_path / "joined", thresholds=())


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    source, target = write(tmp_path / "text", "a b"), write(tmp_path / "joined", "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=f"cannot write {target}: No space left on device"):
        write_phrases(source, target)
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["joined", "text"]


CAUGHT = (
    *((check_counts, wrong) for wrong in misconceptions.COUNTS),
    *((check_scores, wrong) for wrong in misconceptions.SCORES),
    *((check_joins, wrong) for wrong in misconceptions.JOINS),
)


@pytest.mark.parametrize(("check", "wrong"), CAUGHT, ids=lambda function: function.__name__)
def test_misconception_is_caught(check, wrong) -> None:
    with pytest.raises(AssertionError):
        check(wrong)
