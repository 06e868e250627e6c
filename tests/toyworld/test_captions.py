"""Captions: true, unambiguous, in good grammar, with all of their words in use, and the same facts in each language."""

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toyworld.misconceptions import captions as misconceptions
from tests.toyworld.test_facts import FACTS, OBJECTS, scene_with
from toyworld.captions import LANGUAGES, WORDS, captions_at, plan, say, tell
from toyworld.cursor import split as split_words
from toyworld.facts import Count, Exists, Fact, Relation, descriptions, holds, says_all, total
from toyworld.korean import COLOURS as KOREAN_COLOURS
from toyworld.korean import NOUNS as KOREAN_NOUNS
from toyworld.parser import read
from toyworld.rng import Rng
from toyworld.scenes import HELD_OUT, MOST, SPLITS, Object, Scene, scene_at

NAMES = st.integers(0, 10**6).map(str)


def check_plan(candidate, scene: Scene, name: str, complete: bool) -> None:
    facts = candidate(scene, Rng(name), complete)
    for fact in facts:
        assert holds(fact, scene), f"{fact} is not so, or ambiguous, in {scene}"
    assert len(set(facts)) == len(facts), f"something is said twice: {facts}"
    told = [fact for fact in facts if not isinstance(fact, Relation) and fact != total(len(scene.objects))]
    places = [o for fact in told for o in fact.description.those(scene)[: fact.n if isinstance(fact, Count) else 1]]
    if len(told) > 1:
        assert len(set(places)) == len(places), f"an object has two names in {facts}"
    for fact in told:  # "one object, one of them red"
        assert len(scene.objects) > 1 or isinstance(fact, Exists), facts
    assert says_all(facts, scene) or not complete, f"{facts} do not say all of {scene}"
    new = {(o.colour, o.shape) for o in scene.objects} & set(HELD_OUT)
    named = {(d.colour, d.shape) for fact in facts for d in descriptions(fact)}
    assert not new or new & named, f"{facts} name none of {new}"


@given(objects=OBJECTS, name=NAMES, complete=st.booleans())
def test_what_is_planned_is_so_and_unambiguous(objects: list[Object], name: str, complete: bool) -> None:
    check_plan(plan, scene_with(*objects), name, complete)


@given(objects=OBJECTS, name=NAMES, complete=st.booleans())
def test_what_is_planned_is_what_is_read_in_both_languages(objects: list[Object], name: str, complete: bool) -> None:
    facts = plan(scene_with(*objects), Rng(name), complete)
    for language in LANGUAGES:
        text = say(facts, language, Rng(f"{name}/{language}"))
        assert read(text, language) == facts, text


def check_lists(candidate, facts: Sequence[Fact], name: str) -> None:
    """No item without a number beside one with a number: 별과 원 두 개 could be two in all. And one form a list."""
    text = candidate(facts, "korean", Rng(name))
    for sentence in text.split("."):
        items = re.split(r", |(?<=[와과]) ", re.sub("^.*(?:는데, |: )", "", sentence))  # of all objects: their list
        if "쪽에" in sentence or "그중" in sentence:
            continue
        forms = [[word for word in item.split() if re.match("[한두세네]$|개의$|하나", word)] for item in items]
        assert all(forms) or not any(forms), f"not every item has its number in {text}"
        assert len({"개의" in form for form in forms}) == 1, f"numbers stand before and after nouns in {text}"


@given(objects=OBJECTS, name=NAMES, complete=st.booleans())
def test_in_a_korean_list_all_or_none_are_counted(objects: list[Object], name: str, complete: bool) -> None:
    check_lists(say, plan(scene_with(*objects), Rng(name), complete), name)


@given(facts=st.lists(FACTS, min_size=1, max_size=6), name=NAMES)
def test_so_are_they_whatever_is_listed(facts: list[Fact], name: str) -> None:
    check_lists(say, facts, name)


@given(objects=OBJECTS, language=st.sampled_from(LANGUAGES), name=NAMES)
def test_telling_all_says_all(objects: list[Object], language: str, name: str) -> None:
    scene = scene_with(*objects)
    assert says_all(read(tell(scene, language, Rng(name), complete=True), language), scene)


def test_how_often_what_is_said() -> None:
    """Of scenes with four objects, where everything is possible: 0.4 say all, each other kind has 0.15.

    The limit, 0.04, is four standard deviations of a share of 0.4, of 2500 captions.
    """
    n, shares = 2500, Counter()
    scenes = [scene_at("train", 3, index, MOST) for index in range(50)]
    for k in range(n):
        scene = scenes[k % 50]
        facts = plan(scene, Rng(f"shares/{k}"))
        counted = facts[0] == total(MOST)
        shares["all"] += counted and says_all(facts, scene)
        shares["relation"] += isinstance(facts[-1], Relation)
        shares["one"] += len(facts) == 1 and isinstance(facts[0], Exists)
    for kind, share in {"all": 0.4, "relation": 0.15, "one": 0.15}.items():
        assert abs(shares[kind] / n - share) < 0.04, (kind, shares[kind] / n)


ENGLISH = """. , : a an the there is are picture shows you can see and of them which to left right above below
    one two three four small large red orange yellow green cyan blue purple black object objects circle circles
    square squares triangle triangles diamond diamonds cross crosses star stars"""
KOREAN = """. , : 그림에는 그림에서 있는 볼 수 그중 있다 있습니다 있는데 보인다 보입니다 보이는데
    왼쪽에 오른쪽에 위쪽에 아래쪽에 한 두 세 네 작은 큰 개 개의 개가 개를 개는 개와 개이다 개입니다
    하나 하나가 하나를 하나와 하나이다 하나입니다
    원 원이 원을 원은 원과 원의 원이다 원입니다 원이고
    정사각형 정사각형이 정사각형을 정사각형은 정사각형과 정사각형의 정사각형이다 정사각형입니다 정사각형이고
    삼각형 삼각형이 삼각형을 삼각형은 삼각형과 삼각형의 삼각형이다 삼각형입니다 삼각형이고
    마름모 마름모가 마름모를 마름모는 마름모와 마름모의 마름모이다 마름모입니다 마름모이고
    십자가 십자가가 십자가를 십자가는 십자가와 십자가의 십자가이다 십자가입니다 십자가이고
    별 별이 별을 별은 별과 별의 별이다 별입니다 별이고
    물체 물체가 물체를 물체는 물체와 물체의 물체이다 물체입니다 물체이고
    빨간색 빨간색이다 빨간색입니다 빨간색이고 주황색 주황색이다 주황색입니다 주황색이고
    노란색 노란색이다 노란색입니다 노란색이고 초록색 초록색이다 초록색입니다 초록색이고
    하늘색 하늘색이다 하늘색입니다 하늘색이고 파란색 파란색이다 파란색입니다 파란색이고
    보라색 보라색이다 보라색입니다 보라색이고 검은색 검은색이다 검은색입니다 검은색이고"""


@pytest.mark.parametrize(("language", "expected"), [("english", ENGLISH), ("korean", KOREAN)])
def test_every_word_is_known_and_every_known_word_is_used(language: str, expected: str) -> None:
    assert sorted(WORDS[language]) == sorted(expected.split())
    used, index = set(), 0
    while used != set(WORDS[language]):
        assert index < 20_000, f"not used: {set(WORDS[language]) - used}"
        for k, text in enumerate(captions_at("train", 0, index, language, count=4)):
            assert set(split_words(text)) <= set(WORDS[language]), (index, k, text)
            assert text.endswith("."), text
            assert text == text.lower().strip(), text
            used.update(split_words(text))
        index += 1


PAIR_WORDS = {
    "english": [f"{colour} {shape}" for colour, shape in HELD_OUT],
    "korean": [f"{KOREAN_COLOURS[colour]} {KOREAN_NOUNS[shape]}" for colour, shape in HELD_OUT],
}


def check_stream(candidate, split: str, language: str) -> None:
    """The words of a held-out pair are searched as text, not read."""
    different = 0
    for index in range(60):
        scene, texts = scene_at(split, 5, index), candidate(split, 5, index, language, 4)
        assert texts == candidate(split, 5, index, language, 4)
        assert texts[:2] == candidate(split, 5, index, language, 2)
        different += len(set(texts)) > 2
        for k, text in enumerate(texts):
            named = {pair for pair, words in zip(HELD_OUT, PAIR_WORDS[language], strict=True) if words in text}
            if split == "compositional":
                assert named == {(o.colour, o.shape) for o in scene.objects} & set(HELD_OUT), (index, k, text)
            else:
                assert not named, f"{split} names what is held out: {text}"
            assert all(holds(fact, scene) for fact in read(text, language)), (index, k, text)
    assert different > 50, f"of 60 scenes, {60 - different} are told four times in one or two ways"


def check_translations(candidate) -> None:
    for index in range(50):
        texts = [candidate("test", 5, index, language, 3) for language in LANGUAGES]
        for english, korean in zip(*texts, strict=True):
            assert read(english, "english") == read(korean, "korean"), (english, korean)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("split", SPLITS)
def test_streams_keep_what_is_held_out(split: str, language: str) -> None:
    check_stream(captions_at, split, language)


def test_caption_k_says_the_same_in_both_languages() -> None:
    check_translations(captions_at)


def test_complete_captions_of_a_split_say_all() -> None:
    for index in range(50):
        for text in captions_at("compositional", 5, index, "english", 3, complete=True):
            assert says_all(read(text, "english"), scene_at("compositional", 5, index)), text


def test_another_process_says_the_same() -> None:
    here = [text for language in LANGUAGES for text in captions_at("train", 9, 4, language, 5)]
    code = (
        "from toyworld.captions import *;"
        "print([text for language in LANGUAGES for text in captions_at('train', 9, 4, language, 5)])"
    )
    environment = os.environ | {"PYTHONHASHSEED": "1", "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=environment)
    assert done.stdout.decode().strip() == str(here)


def test_what_cannot_be_told_is_named() -> None:
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

    with pytest.raises(AssertionError, match=r"not every item|numbers stand"):
        folder_tests()


@pytest.mark.parametrize("wrong", misconceptions.STREAMS, ids=lambda function: function.__name__)
def test_misconception_about_streams_is_caught(wrong) -> None:
    def folder_tests() -> None:
        check_translations(wrong)
        for split in SPLITS:
            for language in LANGUAGES:
                check_stream(wrong, split, language)

    with pytest.raises(AssertionError):
        folder_tests()
