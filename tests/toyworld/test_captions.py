"""Captions: true, unambiguous, grammatical, with the same facts in each language, and with the whole vocabulary."""

import re
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toyworld.counting import types_unchecked
from tests.toyworld.misconceptions import captions as misconceptions
from tests.toyworld.test_facts import FACTS, OBJECTS, SCENE, scene_with, thing
from toyworld.captions import LANGUAGES, WORDS, captions_at, plan, plan_parts, say, tell
from toyworld.cursor import split as split_words
from toyworld.facts import Count, Description, Exists, Fact, Relation, descriptions, holds, says_all, total
from toyworld.korean import COLOURS as KOREAN_COLOURS
from toyworld.korean import NOUNS as KOREAN_NOUNS
from toyworld.parser import read
from toyworld.rng import Rng
from toyworld.scenes import HELD_OUT, MOST, SPLITS, Object, Scene, scene_at

NAMES = st.integers(0, 10**6).map(str)


def check_plan(candidate, scene: Scene, name: str, complete: bool) -> None:
    facts = candidate(scene, Rng(name), complete)
    for fact in facts:
        assert holds(fact, scene), f"{fact} is false or ambiguous in {scene}"
    assert len(set(facts)) == len(facts), f"a fact is stated twice: {facts}"
    items = [fact for fact in facts if not isinstance(fact, Relation) and fact != total(len(scene.objects))]
    places = [o for fact in items for o in fact.description.matching(scene)[: fact.n if isinstance(fact, Count) else 1]]
    if len(items) > 1:
        assert len(set(places)) == len(places), f"two items are about the same object in {facts}"
    for fact in items:
        assert len(scene.objects) > 1 or isinstance(fact, Exists), f'"one object, one of them …": {facts}'
    assert says_all(facts, scene) or not complete, f"{facts} do not say everything about {scene}"
    held_out = {(o.colour, o.shape) for o in scene.objects} & set(HELD_OUT)
    named = {(d.colour, d.shape) for fact in facts for d in descriptions(fact)}
    assert not held_out or held_out & named, f"{facts} name none of the held-out pairs {held_out}"


def test_a_complete_caption_by_hand() -> None:
    """The scene: a large red circle, a small blue circle, two small yellow stars. Only the order is random."""
    whole, *items = plan(SCENE, Rng("any"), complete=True)
    assert whole == total(4)
    assert set(items) == {
        Exists(Description("large", "red", "circle")),
        Exists(Description("small", "blue", "circle")),
        Count(Description("small", "yellow", "star"), 2),
    }


def test_how_many_parts_a_caption_states() -> None:
    """One or two of the scene by hand, equally often; none is the whole. Four standard deviations of 400 are 0.1."""
    few = [plan_parts(SCENE, None, Rng(f"parts/{k}"))[1:] for k in range(400)]
    assert set(map(len, few)) == {1, 2}
    assert sum(len(parts) == 2 for parts in few) / 400 == pytest.approx(0.5, abs=0.1)
    assert {part.n for parts in few for part in parts} == {1, 2, 3}, "red; circles or yellow; small"
    stars = scene_with(thing("large", "red", "star", 20, 20), thing("small", "red", "star", 80, 80))
    alike = [plan_parts(stars, None, Rng(f"parts/{k}"))[1:] for k in range(50)]
    assert {part.n for parts in alike for part in parts} == {1}, "both are red stars, so only their sizes are parts"
    assert plan_parts(scene_with(*stars.objects[:1]), None, Rng("parts")) == (), "one object has no part"


@given(objects=OBJECTS, name=NAMES, complete=st.booleans())
def test_planned_facts_are_true_and_unambiguous(objects: list[Object], name: str, complete: bool) -> None:
    check_plan(plan, scene_with(*objects), name, complete)


@given(objects=OBJECTS, name=NAMES, complete=st.booleans())
def test_planned_facts_are_read_back_in_both_languages(objects: list[Object], name: str, complete: bool) -> None:
    facts = plan(scene_with(*objects), Rng(name), complete)
    for language in LANGUAGES:
        text = say(facts, language, Rng(f"{name}/{language}"))
        assert read(text, language) == facts, text


def check_lists(candidate, facts: Sequence[Fact], name: str) -> None:
    """All items have a number or none has one (별과 원 두 개 could mean two in total), after its noun."""
    text = candidate(facts, "korean", Rng(name))
    for sentence in text.split("."):
        items = re.split(r", |(?<=[와과]) ", re.sub("^.*(?:는데, |: )", "", sentence))
        if "쪽에" in sentence or "그중" in sentence:
            continue
        numbered = [bool(re.search(" [한두세네] 개| 하나", item)) for item in items]
        assert all(numbered) or not any(numbered), f"some items have a number and some have none: {text}"
        assert "개의" not in text, f"some numbers are before their noun: {text}"


@given(objects=OBJECTS, name=NAMES, complete=st.booleans())
def test_in_a_korean_list_all_items_have_a_number_or_none(objects: list[Object], name: str, complete: bool) -> None:
    check_lists(say, plan(scene_with(*objects), Rng(name), complete), name)


@given(facts=st.lists(FACTS, min_size=1, max_size=6), name=NAMES)
def test_the_same_for_any_facts(facts: list[Fact], name: str) -> None:
    check_lists(say, facts, name)


@given(objects=OBJECTS, language=st.sampled_from(LANGUAGES), name=NAMES)
def test_a_complete_caption_says_all(objects: list[Object], language: str, name: str) -> None:
    scene = scene_with(*objects)
    assert says_all(read(tell(scene, language, Rng(name), complete=True), language), scene)


def test_shares_of_the_kinds_of_captions() -> None:
    """Scenes with four objects allow every kind: 0.4 of the captions are complete, each other kind has 0.15.

    The limit, 0.04, is four standard deviations of a share of 0.4 among 2500 captions.
    """
    n, shares = 2500, Counter()
    with types_unchecked():
        scenes = [scene_at("train", 3, index, MOST) for index in range(50)]
        for k in range(n):
            scene = scenes[k % 50]
            facts = plan(scene, Rng(f"shares/{k}"))
            shares["complete"] += facts[0] == total(MOST) and says_all(facts, scene)
            shares["relation"] += isinstance(facts[-1], Relation)
            shares["one"] += len(facts) == 1 and isinstance(facts[0], Exists)
    for kind, share in {"complete": 0.4, "relation": 0.15, "one": 0.15}.items():
        assert abs(shares[kind] / n - share) < 0.04, f"{kind}: {shares[kind] / n:.3f}, expected {share}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_captions_use_the_whole_vocabulary_and_no_other_word(language: str) -> None:
    used = set()
    with types_unchecked():
        for index in range(20_000):
            for text in captions_at("train", 0, index, language, count=4):
                assert text == text.lower().strip(), text
                assert text.endswith("."), text
                used.update(split_words(text))
            if len(used) >= len(WORDS[language]):
                break
    assert used == set(WORDS[language]), "vocabulary and captions differ: " + " ".join(used ^ set(WORDS[language]))


PAIR_WORDS = {
    "english": [f"{colour} {shape}" for colour, shape in HELD_OUT],
    "korean": [f"{KOREAN_COLOURS[colour]} {KOREAN_NOUNS[shape]}" for colour, shape in HELD_OUT],
}


def check_held_out(candidate, split: str, language: str) -> None:
    """Searches the text for the words of held-out pairs, without the parser."""
    different = 0
    for index in range(30):
        scene, texts = scene_at(split, 5, index), candidate(split, 5, index, language, 4)
        assert texts == candidate(split, 5, index, language, 4)
        assert texts[:2] == candidate(split, 5, index, language, 2)
        different += len(set(texts)) > 2
        for k, text in enumerate(texts):
            named = {pair for pair, words in zip(HELD_OUT, PAIR_WORDS[language], strict=True) if words in text}
            if split == "compositional":
                assert named == {(o.colour, o.shape) for o in scene.objects} & set(HELD_OUT), (index, k, text)
            else:
                assert not named, f"a caption of {split} names a held-out pair: {text}"
            assert all(holds(fact, scene) for fact in read(text, language)), (index, k, text)
    assert different > 25, f"{30 - different} of 30 scenes have only one or two different captions among four"


def check_translations(candidate) -> None:
    for index in range(50):
        texts = [candidate("test", 5, index, language, 3) for language in LANGUAGES]
        for english, korean in zip(*texts, strict=True):
            assert read(english, "english") == read(korean, "korean"), (english, korean)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("split", SPLITS)
def test_held_out_pairs_are_named_only_in_compositional(split: str, language: str) -> None:
    check_held_out(captions_at, split, language)


def test_caption_k_says_the_same_in_both_languages() -> None:
    check_translations(captions_at)


def test_complete_captions_of_a_split_say_all() -> None:
    for index in range(50):
        for text in captions_at("compositional", 5, index, "english", 3, complete=True):
            assert says_all(read(text, "english"), scene_at("compositional", 5, index)), text


def test_wrong_arguments_are_refused() -> None:
    scene = scene_at("train", 0, 0)
    message = "language must be one of english, korean, got 'klingon'"
    with pytest.raises(ValueError, match=message):
        tell(scene, "klingon", Rng("x"))
    with pytest.raises(ValueError, match=message):
        captions_at("train", 0, 0, "klingon", count=0)
    with pytest.raises(ValueError, match="split must be one of train, test, compositional, got 'valid'"):
        captions_at("valid", 0, 0, "english")
    with pytest.raises(ValueError, match="facts must be at least one, got none"):
        say([], "english", Rng("x"))


@pytest.mark.parametrize("wrong", misconceptions.PLANS, ids=lambda function: function.__name__)
def test_misconception_about_plans_is_caught(wrong) -> None:
    def folder_tests() -> None:
        with types_unchecked():
            for split in SPLITS:
                for index in range(200):
                    for complete in (False, True):
                        check_plan(wrong, scene_at(split, 0, index), f"{split}/{index}", complete)

    with pytest.raises(AssertionError):
        folder_tests()


@pytest.mark.parametrize("wrong", misconceptions.LISTS, ids=lambda function: function.__name__)
def test_misconception_about_lists_is_caught(wrong) -> None:
    def folder_tests() -> None:
        for index in range(200):
            check_lists(wrong, plan(scene_at("train", 0, index), Rng(f"{index}")), f"{index}")

    with pytest.raises(AssertionError, match=r"some items|some numbers"):
        folder_tests()


@pytest.mark.parametrize("wrong", misconceptions.SPLITS_AND_LANGUAGES, ids=lambda function: function.__name__)
def test_misconception_about_splits_and_languages_is_caught(wrong) -> None:
    def folder_tests() -> None:
        check_translations(wrong)
        for split in SPLITS:
            for language in LANGUAGES:
                check_held_out(wrong, split, language)

    with pytest.raises(AssertionError):
        folder_tests()
