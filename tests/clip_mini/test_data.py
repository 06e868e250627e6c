"""What is promised → function → test

a caption is true of its scene            toy_pair       test_a_reader_agrees_with_every_caption
one scene of four has one object          toy_pair       test_shares
half of the captions name the size        caption        test_shares
3 of 10 captions of two say how they lie  caption        test_shares
training never names a held-out pair      toy_pair       test_held_out_pairs_are_neither_shown_nor_named
a batch is a function of its step         toy_batches    test_a_batch_is_a_function_of_its_step
text k belongs to image k                 toy_batches    test_images_and_texts_are_those_of_the_scenes
start, words, end; cut before the end     encode         test_encode_by_hand
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from clip_mini.data import ALONE, LANGUAGES, RELATED, encode, toy_batches, toy_pair, toy_tokenizer
from tests.clip_mini.misconceptions import data as misconceptions
from tests.clip_mini.test_model import each
from tests.teach import check_equal
from tests.toyworld.counting import types_unchecked
from toyworld.captions import WORDS
from toyworld.drawing import draw
from toyworld.facts import Count, Description, Fact, Relation, descriptions, holds
from toyworld.parser import read
from toyworld.scenes import HELD_OUT, SPLITS, Scene
from toyworld.tokenizer import END, PAD, START, Tokenizer, split_words

COUNT = 600  # pairs, for shares
SIZE = 16  # pixels
languages = pytest.mark.parametrize("language", LANGUAGES)


def language_of(caption: str) -> str:
    return "english" if caption.isascii() else "korean"


def pairs_with_facts(split: str, language: str, count: int) -> Iterator[tuple[Scene, tuple[Fact, ...]]]:
    """The scenes, and what the toy world's parser reads in their captions."""
    for index in range(count):
        with types_unchecked():
            scene, caption = toy_pair(split, 0, index, language)
            facts = read(caption, language_of(caption))
        yield scene, facts


@languages
@pytest.mark.parametrize("split", SPLITS)
def test_a_reader_agrees_with_every_caption(split: str, language: str) -> None:
    """All facts hold. A list says every object; a relation says two of them. Colour and shape are always named."""
    for scene, facts in pairs_with_facts(split, language, 150):
        assert 1 <= len(scene.objects) <= 2
        assert all(holds(fact, scene) for fact in facts), f"{facts} of {scene.objects}"
        named = [description for fact in facts for description in descriptions(fact) if description != Description()]
        assert all(description.colour and description.shape for description in named), f"{facts} is too vague"
        for o in scene.objects:
            assert any(description.matches(o) for description in named), f"{facts} says nothing about {o}"


def check_share(what: str, got: int, of: int, expected: float) -> None:
    """Within 4 standard errors of a coin with this probability."""
    within = 4 * math.sqrt(expected * (1 - expected) / of)
    assert abs(got / of - expected) < within, f"{what}: {got} of {of}, expected {expected} ± {within:.3f}"


@pytest.mark.parametrize("language", LANGUAGES["both"])
def test_shares(language: str) -> None:
    sizes = twos = related = lists = counted = different = 0
    for scene, facts in pairs_with_facts("train", language, COUNT):
        named = [description for fact in facts for description in descriptions(fact) if description != Description()]
        assert len({description.size is None for description in named}) == 1, f"some sizes are named, some not: {facts}"
        sizes += named[0].size is not None
        twos += len(scene.objects) == 2
        relation = isinstance(facts[-1], Relation)
        related += relation
        lists += not relation
        counted += isinstance(facts[0], Count) and facts[0].description == Description()
        pairs = {(o.colour, o.shape) for o in scene.objects}
        different += len(pairs) == 2
    check_share("captions that name sizes", sizes, COUNT, 1 / 2)
    check_share("scenes of one object", COUNT - twos, COUNT, ALONE)
    check_share("relations among captions of two different objects", related, different, RELATED)
    check_share("lists that begin with the number of objects", counted, lists, 1 / 2)


@languages
def test_held_out_pairs_are_neither_shown_nor_named(language: str) -> None:
    for split, allowed in (("train", False), ("test", False), ("compositional", True)):
        for scene, facts in pairs_with_facts(split, language, 200):
            shown = {(o.colour, o.shape) for o in scene.objects}
            named = {(described.colour, described.shape) for fact in facts for described in descriptions(fact)}
            for what, pairs in (("shows", shown), ("names", named)):
                assert bool(pairs & set(HELD_OUT)) == allowed, f"{split} {what} {pairs}"


def test_both_languages_come_equally_often() -> None:
    with types_unchecked():
        captions = [toy_pair("train", 0, index, "both")[1] for index in range(COUNT)]
    check_share("English captions", sum(map(str.isascii, captions)), COUNT, 1 / 2)


@languages
def test_the_tokenizer_knows_all_words(language: str) -> None:
    tokenizer = toy_tokenizer(language)
    expected = {word for name in LANGUAGES[language] for text in WORDS[name] for word in split_words(text)}
    assert set(tokenizer.words) == expected
    for index in range(200):
        _, caption = toy_pair("train", 1, index, language)
        assert not tokenizer.unknown(caption), caption


# ---- batches


def check_batches(candidate: Callable, language: str, seed: int, pairs: int) -> None:
    """Pair k of step s is pair s · pairs + k of the training split; text k belongs to image k."""
    tokenizer = toy_tokenizer(language)
    batch_at = candidate(tokenizer, language, seed, pairs, SIZE, 32)
    for step in (3, 0, 3):  # in any order, and again
        batch = batch_at(step)
        scenes, captions = zip(
            *(toy_pair("train", seed, step * pairs + k, language) for k in range(pairs)), strict=True
        )  # fmt: skip
        words = [" ".join(split_words(caption)) for caption in captions]
        got = [tokenizer.decode(row.tolist()) for row in batch.texts]
        assert got == words, f"seed {seed}, step {step}: got {got[0]!r} …, expected {words[0]!r} …"
        check_equal(f"the images of seed {seed}, step {step}", batch.images, draw(scenes, SIZE))


@languages
def test_images_and_texts_are_those_of_the_scenes(language: str) -> None:
    check_batches(toy_batches, language, seed=1, pairs=5)


def test_a_batch_is_a_function_of_its_step() -> None:
    """The same in every order; other steps and other seeds have other pairs."""
    batch_at, again, other = (toy_batches(toy_tokenizer("english"), "english", s, 4, SIZE, 32) for s in (0, 0, 1))
    batches = [batch_at(step) for step in range(3)]
    for step in (2, 0, 1):
        images, texts = again(step)
        check_equal(f"the images of step {step}", images, batches[step].images)
        check_equal(f"the texts of step {step}", texts, batches[step].texts)
        assert not torch.equal(images, other(step).images), "another seed gives the same images"
    assert len(torch.cat([batch.images for batch in batches]).unique(dim=0)) == 12, "an image comes twice"


# ---- token ids

TOKENIZER = Tokenizer(["a", "b", "c", "d"])  # ids 4 to 7


def check_encode_by_hand(candidate: Callable) -> None:
    """Of context 5, three words fit between start and end."""
    got = candidate(TOKENIZER, ["a b", "c", "", "a b c", "a b c d"], 5)
    expected = [
        [START, 4, 5, END, PAD],
        [START, 6, END, PAD, PAD],
        [START, END, PAD, PAD, PAD],
        [START, 4, 5, 6, END],
        [START, 4, 5, 6, END],  # d is cut off, and the end stays
    ]
    for text, (row, right) in enumerate(zip(got.tolist(), expected, strict=True)):
        assert row == right, f"text {text}: got {row}, expected {right}"


def test_encode_by_hand() -> None:
    check_encode_by_hand(encode)


@given(
    texts=st.lists(st.lists(st.sampled_from("abcd"), max_size=9), min_size=1, max_size=4), context=st.integers(3, 12)
)
@settings(max_examples=25)
def test_every_text_has_one_end(texts: list[list[str]], context: int) -> None:
    rows = encode(TOKENIZER, [" ".join(words) for words in texts], context)
    assert rows.shape[1] == min(context, max(map(len, texts)) + 2), "as long as the longest text of the batch"
    assert (rows == END).sum(dim=1).tolist() == [1] * len(texts)
    assert [TOKENIZER.decode(row.tolist()).split() for row in rows] == [words[: context - 2] for words in texts]


@each(misconceptions.ENCODINGS)
def test_wrong_encoding_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_encode_by_hand(wrong)


@each(misconceptions.BATCHES)
def test_wrong_batches_are_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError):
        check_batches(wrong, "english", seed=1, pairs=3)


def test_share_of_equal_captions_in_a_batch() -> None:
    """The README says 17%: captions of a batch of 192 that state the same facts as another one (false negatives)."""
    equal, batches, pairs = 0, 5, 192
    for batch in range(batches):
        with types_unchecked():
            texts = [toy_pair("train", 0, index, "english")[1] for index in range(batch * pairs, (batch + 1) * pairs)]
            facts = Counter(frozenset(read(text, "english")) for text in texts)
        equal += sum(times for times in facts.values() if times > 1)
    assert equal / (batches * pairs) == pytest.approx(0.17, abs=0.03)
