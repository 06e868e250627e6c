"""What is promised of the toy language → test

a held-out pair is in no sentence    test_no_sentence_holds_a_held_out_pair
a known pair is in some              test_every_known_pair_has_sentences_of_both
each draw is uniform                 test_sentences_are_as_frequent_as_it_says
some sentences are captions          test_every_eighth_sentence_is_a_caption_if_it_fits
a sentence is a pure function        test_a_sentence_is_a_pure_function
"""

from collections import Counter
from functools import cache

import pytest
from scipy.stats import chisquare

from toyworld import captions_at, read
from toyworld.language import CAPTION_EVERY, RELATIONS, fits, relation_sentence, sentence_at, table
from toyworld.rng import Rng
from toyworld.scenes import COLOURS, SHAPES, SIZES
from word2vec import data
from word2vec.data import toy_vocabulary

READ = 12_000  # sentences


@cache
def every_sentence() -> dict[tuple[str, ...], float]:
    """Every sentence of a relation, with its probability: all outcomes of every draw, one after the other."""
    found = Counter()
    ways = [[]]
    while ways:
        way = ways.pop()
        taken, sizes = list(way), []

        class Script(Rng):
            """Answers as ``taken`` says, and the first option after that."""

            def __init__(self) -> None:
                pass

            def choice(self, options, taken=taken, sizes=sizes):
                sizes.append(len(options))
                if len(sizes) > len(taken):
                    taken.append(0)
                return options[taken[len(sizes) - 1]]

        sentence = tuple(relation_sentence(Script()))
        probability = 1.0
        for size in sizes:
            probability /= size
        found[sentence] += probability
        ways += [[*taken[:place], other] for place in range(len(way), len(sizes)) for other in range(1, sizes[place])]
    return dict(found)


@cache
def some_sentences(count: int = READ) -> list[list[str]]:
    return [relation_sentence(Rng(f"train/0/{index}/sentence")) for index in range(count)]


def some_captions(count: int) -> list[list[str]]:
    """Sentences that are captions."""
    sentences = {index: sentence_at("train", 0, index) for index in range(0, CAPTION_EVERY * count, CAPTION_EVERY)}
    return [sentence for sentence in sentences.values() if tuple(sentence) not in every_sentence()]


def pairs(kind: str):
    return [pair for relation in RELATIONS.values() for pair in getattr(relation, kind)]


def test_all_sentences_are_all() -> None:
    assert sum(every_sentence().values()) == pytest.approx(1, rel=1e-10)
    assert {tuple(sentence) for sentence in some_sentences()} <= every_sentence().keys()


def test_no_sentence_holds_a_held_out_pair() -> None:
    for sentence in [*every_sentence(), *some_captions(500)]:
        for pair in pairs("held_out"):
            assert not set(pair) <= set(sentence), f"{' '.join(sentence)!r} holds {pair}"


def test_what_fits_by_hand() -> None:
    assert fits(["the", "red", "square", "is", "above", "the", "blue", "circle"])
    assert not fits(["a", "square", "and", "two", "squares"]), "square and squares are a held-out pair"
    assert fits(["a", "circle", "and", "two", "circles"]), "circle and circles are a known pair"
    assert not fits(["a", "small", "red", "circle"]), "captions have small beside colours, but never smaller"


def test_every_eighth_sentence_is_a_caption_if_it_fits() -> None:
    """Its words are those of the scene's caption, which the toy world's parser reads."""
    found = 0
    for index in range(0, 50 * CAPTION_EVERY, CAPTION_EVERY):
        (caption,) = captions_at("train", 0, index, "english")
        assert read(caption, "english"), caption
        words = caption.replace(".", "").replace(",", "").replace(":", "").split()
        sentence = sentence_at("train", 0, index)
        assert (sentence == words) == fits(words)
        found += fits(words)
        assert tuple(sentence_at("train", 0, index + 1)) in every_sentence()
    assert 10 < found < 50


def test_captions_name_colours_and_shapes_and_no_sizes() -> None:
    words = Counter(word for sentence in some_captions(300) for word in sentence)
    assert set(COLOURS) <= words.keys()
    assert set(SHAPES) <= words.keys()
    assert not words.keys() & set(SIZES)


def test_every_known_pair_has_sentences_of_both() -> None:
    """A third of a known pair's sentences."""
    for relation in RELATIONS.values():
        for pair in relation.known:
            both = sum(p for sentence, p in every_sentence().items() if set(pair) <= set(sentence))
            assert both == pytest.approx(1 / len(RELATIONS) / len(relation.pairs) / 3), pair


def test_every_sentence_is_about_one_pair() -> None:
    """It holds no word of another pair."""
    place = {word: pair for pair in pairs("pairs") for word in pair}
    for sentence in every_sentence():
        assert len({place[word] for word in sentence if word in place}) == 1, sentence


def test_words_of_pairs_are_distinct() -> None:
    """From each other, from all topics and from all that the sentences are made of."""
    words = [word for pair in pairs("pairs") for word in pair]
    others = {topic for relation in RELATIONS.values() for topics in relation.topics for topic in topics}
    for relation in RELATIONS.values():
        others |= {
            word for kind in (relation.first, relation.second, relation.both) for s in kind for word in s.split()
        }
    assert [word for word, count in Counter(words).items() if count > 1] == []
    assert set(words) & others == set()


@pytest.mark.parametrize("name", RELATIONS)
def test_a_relation_is_complete(name: str) -> None:
    relation = RELATIONS[name]
    assert len(relation.topics) == len(relation.pairs)
    assert all(len(pair) == 2 for pair in relation.pairs)
    assert all(len(set(topics)) == len(topics) >= 2 for topics in relation.topics)
    assert len(relation.known) == len(relation.held_out) == len(relation.pairs) / 2
    assert sorted([*relation.known, *relation.held_out]) == sorted(relation.pairs)
    for kind, held in (("first", {"A"}), ("second", {"B"}), ("both", {"A", "B"})):
        for sentence in getattr(relation, kind):
            letters = [word for word in sentence.split() if word in {"A", "B", "T"}]
            assert held | {"T"} == set(letters), f"{sentence!r} must hold {held} and T"
            assert len(letters) == len(set(letters)), sentence


def test_colours_and_shapes_are_the_toy_worlds() -> None:
    assert tuple(first for first, _ in RELATIONS["colour"].pairs) == COLOURS
    assert tuple(first for first, _ in RELATIONS["shape"].pairs) == SHAPES


def test_a_table_by_hand() -> None:
    assert table("\n  a b: c d\n  e f: g\n") == {"pairs": [("a", "b"), ("e", "f")], "topics": [["c", "d"], ["g"]]}


def test_no_letter_remains_and_every_word_is_known(monkeypatch) -> None:
    monkeypatch.setattr(data, "COUNTED", 4000)
    vocabulary = toy_vocabulary(0)
    words = {word for sentence in [*every_sentence(), *some_captions(500)] for word in sentence}
    assert not words & {"A", "B", "T"}
    assert all(word == word.lower() for word in words)
    assert words == set(vocabulary.words)


def test_sentences_are_as_frequent_as_it_says() -> None:
    """Relations and pairs each uniformly, and all sentences, each with its own probability."""
    place = {word: (name, pair) for name, relation in RELATIONS.items() for pair in relation.pairs for word in pair}
    about = [next(place[word] for word in sentence if word in place) for sentence in some_sentences()]
    relations = Counter(name for name, _ in about)
    assert chisquare([relations[name] for name in RELATIONS]).pvalue > 1e-3, relations
    for name, relation in RELATIONS.items():
        counted = Counter(pair for other, pair in about if other == name)
        assert chisquare([counted[pair] for pair in relation.pairs]).pvalue > 1e-3, counted
    counted = Counter(tuple(sentence) for sentence in some_sentences())
    expected = every_sentence()
    assert min(expected.values()) * READ > 5  # what a chi-square test asks for
    assert chisquare([counted[s] for s in expected], [p * READ for p in expected.values()]).pvalue > 1e-3


def test_a_sentence_is_a_pure_function() -> None:
    """Of split, seed and index: the same in any order, and others with another split, seed or index."""
    some = [sentence_at("train", 0, index) for index in range(50)]
    assert [sentence_at("train", 0, index) for index in reversed(range(50))] == some[::-1]
    for split, seed, first in (("test", 0, 0), ("train", 1, 0), ("train", 0, 1)):
        other = [sentence_at(split, seed, first + index) for index in range(50)]
        same = sum(one == two for one, two in zip(some, other, strict=True))
        assert same < 5, f"{same} of 50 sentences of {split}, {seed}, from {first} on are the same"


def test_both_words_of_a_pair_share_their_topics() -> None:
    """What there is to learn: both words of a held-out pair occur beside the same topics."""
    for relation in RELATIONS.values():
        for (first, second), topics in zip(relation.pairs, relation.topics, strict=True):
            for word in (first, second):
                beside = {other for sentence in every_sentence() if word in sentence for other in sentence}
                assert set(topics) <= beside, f"{word} must occur beside {topics}"
