"""``toyworld.parser``: sentences by hand, sentences to reject, and everything that ``say`` writes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toyworld.misconceptions import captions as misconceptions
from tests.toyworld.test_facts import FACTS, SCENE
from toyworld.captions import LANGUAGES, say
from toyworld.cursor import join, split
from toyworld.facts import Count, Description, Exists, Fact, Relation, holds, total
from toyworld.parser import read, read_sentences
from toyworld.rng import Rng


def d(words: str) -> Description:
    """``d("red circle")`` is a description with this colour and this shape; "object" names nothing."""
    known = {"small": "size", "large": "size", "red": "colour", "blue": "colour", "yellow": "colour"}
    known |= {"orange": "colour", "circle": "shape", "square": "shape", "star": "shape", "cross": "shape"}
    return Description(**{known[word]: word for word in words.split() if word != "object"})


BLUE_CIRCLE = d("blue circle")
ENGLISH = [  # a sentence, its facts, and whether all of them hold in SCENE
    ("a red circle.", [Exists(d("red circle"))], True),
    ("a red circle", [Exists(d("red circle"))], True),
    ("there is an orange star.", [Exists(d("orange star"))], False),
    ("there is a small orange star.", [Exists(d("small orange star"))], False),
    ("an object.", [Exists(d("object"))], True),
    ("there are two stars.", [Count(d("star"), 2)], True),
    ("three stars.", [Count(d("star"), 3)], False),
    ("one large object.", [Count(d("large object"), 1)], True),
    ("you can see two crosses.", [Count(d("cross"), 2)], False),
    ("the picture shows a red circle and two stars.", [Exists(d("red circle")), Count(d("star"), 2)], True),
    (
        "there are two stars, one red object and a small circle.",
        [Count(d("star"), 2), Count(d("red"), 1), Exists(d("small circle"))],
        True,
    ),
    ("there is one object: a large red star.", [total(1), Exists(d("large red star"))], False),
    (
        "four objects: a circle, a circle and two stars.",
        [total(4), Exists(d("circle")), Exists(d("circle")), Count(d("star"), 2)],
        True,
    ),
    ("four objects, one of them large.", [total(4), Count(d("large"), 1)], True),
    (
        "there are four objects, two of them yellow, two of them circles and one of them a large red circle.",
        [total(4), Count(d("yellow"), 2), Count(d("circle"), 2), Count(d("large red circle"), 1)],
        True,
    ),
    (
        "you can see four objects, of which one is red and three are small objects.",
        [total(4), Count(d("red"), 1), Count(d("small"), 3)],
        True,
    ),
    ("three objects, two stars and a circle.", [total(3), Count(d("star"), 2), Exists(d("circle"))], False),
    ("the red circle is to the left of the blue circle.", [Relation(d("red circle"), "left of", BLUE_CIRCLE)], True),
    ("the red circle is to the right of the blue circle.", [Relation(d("red circle"), "right of", BLUE_CIRCLE)], False),
    ("above the blue object is the large object.", [Relation(d("large"), "above", d("blue"))], False),
    ("to the right of the large object is the blue object.", [Relation(d("blue"), "right of", d("large"))], True),
    ("the star is below the red object.", [Relation(d("star"), "below", d("red"))], False),  # there are two
    ("there is a blue object to the right of a red circle.", [Relation(d("blue"), "right of", d("red circle"))], True),
    ("the picture shows a star above a cross.", [Relation(d("star"), "above", d("cross"))], False),
    ("there are three objects. a star.", [total(3), Exists(d("star"))], False),
    (
        "two stars. the blue circle is to the right of the red object. an object",
        [Count(d("star"), 2), Relation(d("blue circle"), "right of", d("red")), Exists(d("object"))],
        True,
    ),
]  # fmt: skip
KOREAN = [
    ("빨간색 원.", [Exists(d("red circle"))], True),
    ("빨간색 원이 있다", [Exists(d("red circle"))], True),
    ("그림에는 주황색 별이 있습니다.", [Exists(d("orange star"))], False),
    ("그림에서 작은 별이 보인다.", [Exists(d("small star"))], True),
    ("물체가 보인다.", [Exists(d("object"))], True),
    ("별 두 개가 있다.", [Count(d("star"), 2)], True),
    ("별 두 개가 보입니다.", [Count(d("star"), 2)], True),
    ("별이 세 개 있다.", [Count(d("star"), 3)], False),
    ("그림에서 노란색 별 두 개가 보입니다.", [Count(d("yellow star"), 2)], True),
    ("십자 모양이 한 개 보인다.", [Count(d("cross"), 1)], False),
    ("빨간색 원과 별 두 개.", [Exists(d("red circle")), Count(d("star"), 2)], True),
    ("별 두 개와 빨간색 원이 있다.", [Count(d("star"), 2), Exists(d("red circle"))], True),
    ("빨간색 원 하나와 별 두 개.", [Exists(d("red circle")), Count(d("star"), 2)], True),
    ("그림에는 별 두 개와 작은 원 하나가 있다.", [Count(d("star"), 2), Exists(d("small circle"))], True),
    ("그림에서 원 하나가 보인다.", [Exists(d("circle"))], True),
    (
        "물체 네 개가 있는데, 별 한 개, 원 두 개와 큰 물체 하나입니다.",
        [total(4), Count(d("star"), 1), Count(d("circle"), 2), Exists(d("large"))],
        False,
    ),
    ("원, 별, 십자 모양이 있다.", [Exists(d("circle")), Exists(d("star")), Exists(d("cross"))], False),
    ("원, 별 두 개와 큰 물체가 있다.", [Exists(d("circle")), Count(d("star"), 2), Exists(d("large"))], True),
    ("물체 한 개: 큰 빨간색 별.", [total(1), Exists(d("large red star"))], False),
    ("물체가 네 개 있는데, 원 두 개와 별 두 개이다.", [total(4), Count(d("circle"), 2), Count(d("star"), 2)], True),
    ("그림에서 물체 네 개가 보이는데, 원과 별입니다.", [total(4), Exists(d("circle")), Exists(d("star"))], True),
    ("물체 네 개가 있는데, 그중 하나는 빨간색이다.", [total(4), Count(d("red"), 1)], True),
    (
        "물체 네 개가 보이는데, 그중 두 개는 노란색이고 세 개는 작고 하나는 큰 별입니다.",
        [total(4), Count(d("yellow"), 2), Count(d("small"), 3), Count(d("large star"), 1)],
        False,
    ),
    (
        "물체 네 개가 있는데, 그중 두 개는 빨간색 물체고 하나는 크다.",
        [total(4), Count(d("red"), 2), Count(d("large"), 1)],
        False,
    ),
    ("물체 네 개가 보이는데, 그중 하나는 큽니다.", [total(4), Count(d("large"), 1)], True),
    ("물체가 한 개 있는데, 큰 물체다.", [total(1), Exists(d("large"))], False),
    ("물체가 두 개 있는데, 별과 십자 모양이다.", [total(2), Exists(d("star")), Exists(d("cross"))], False),
    ("물체가 세 개 있는데, 별 두 개와 원 하나이다.", [total(3), Count(d("star"), 2), Exists(d("circle"))], False),
    ("빨간색 원이 파란색 원의 왼쪽에 있다.", [Relation(d("red circle"), "left of", d("blue circle"))], True),
    ("빨간색 원은 파란색 물체 오른쪽에 있습니다.", [Relation(d("red circle"), "right of", d("blue"))], False),
    ("큰 물체의 오른쪽에 파란색 원이 있다.", [Relation(d("blue circle"), "right of", d("large"))], True),
    ("큰 물체 위쪽에 파란색 원이 보인다.", [Relation(d("blue circle"), "above", d("large"))], False),
    ("큰 원 오른쪽에 작은 원이 보입니다.", [Relation(d("small circle"), "right of", d("large circle"))], True),
    ("빨간색 원 아래쪽에 있는 별.", [Relation(d("star"), "below", d("red circle"))], False),  # there are two
    ("물체 세 개. 별이 있다.", [total(3), Exists(d("star"))], False),
]
BY_HAND = [("english", *row) for row in ENGLISH] + [("korean", *row) for row in KOREAN]


@pytest.mark.parametrize(("language", "text", "facts", "true"), BY_HAND, ids=[row[1] for row in BY_HAND])
def test_by_hand(language: str, text: str, facts: list[Fact], true: bool) -> None:
    assert read(text, language) == tuple(facts)
    assert all(holds(fact, SCENE) for fact in facts) == true


REJECTED = [  # a text, and the first word that cannot be read, with its place
    ("english", "", "the end after word 0"),
    ("english", ".", "'.', word 1"),
    ("english", "red circle.", "'red', word 1"),
    ("english", "two red circle.", "'circle', word 3"),
    ("english", "a red circles.", "'circles', word 3"),
    ("english", "one stars.", "'stars', word 2"),
    ("english", "two crosss.", "'crosss', word 2"),
    ("english", "a orange star.", "'orange', word 2"),
    ("english", "an red star.", "'red', word 2"),
    ("english", "a red large star.", "'large', word 3"),
    ("english", "a pink star.", "'pink', word 2"),
    ("english", "A star.", "'A', word 1"),
    ("english", "there is two stars.", "'two', word 3"),
    ("english", "there are a star and a cross.", "'a', word 3"),
    ("english", "the star.", "'.', word 3"),
    ("english", "the picture shows the star.", "'the', word 4"),
    ("english", "the stars are above the cross.", "'stars', word 2"),
    ("english", "the star is above a cross.", "'a', word 5"),
    ("english", "the star is left of the cross.", "'left', word 4"),
    ("english", "the star is to the left the cross.", "'the', word 7"),
    ("english", "two stars above a cross.", "'above', word 3"),
    ("english", "a star above two crosses.", "'two', word 4"),
    ("english", "a star above a cross and a circle.", "'and', word 6"),
    ("english", "a star, a cross.", "'.', word 6"),
    ("english", "a star, a cross a circle.", "'a', word 6"),
    ("english", "a star, a cross, and a circle.", "'and', word 7"),
    ("english", "a star and a cross and a circle.", "'and', word 6"),
    ("english", "two stars: a star and a star.", "':', word 3"),  # a colon follows a total only
    ("english", "two stars, one of them red.", "'of', word 5"),  # "of them" follows a total only
    ("english", "one of them is red.", "'of', word 2"),
    ("english", "two objects, one of them star.", "'star', word 7"),
    ("english", "two objects, two of them star.", "'star', word 7"),
    ("english", "two objects, two of them a star.", "'a', word 7"),
    ("english", "two objects, of which one are red.", "'are', word 7"),
    ("english", "two objects, of which two is red.", "'is', word 7"),
    ("english", "two objects, of which one is small red.", "'small', word 8"),
    ("english", "a star a cross.", "'a', word 3"),
    ("english", "a star..", "'.', word 4"),
    ("korean", "", "the end after word 0"),
    ("korean", "원가 있다.", "'원가', word 1"),
    ("korean", "빨간색 십자 모양가 있다.", "'모양가', word 3"),
    ("korean", "빨간색 십자가 있다.", "'십자가', word 2"),
    ("korean", "십자 별이 있다.", "'별이', word 2"),
    ("korean", "빨간색 모양이 있다.", "'모양이', word 2"),
    ("korean", "원을 볼 수 있다.", "'원을', word 1"),
    ("korean", "마름모은 별 위쪽에 있다.", "'마름모은', word 1"),
    ("korean", "원와 별이 있다.", "'원와', word 1"),
    ("korean", "별과 물체이 있다.", "'물체이', word 2"),
    ("korean", "별 두 개이 있다.", "'개이', word 3"),
    ("korean", "별 2 개가 있다.", "'2', word 2"),
    ("korean", "별 둘 개가 있다.", "'둘', word 2"),
    ("korean", "분홍색 별이 있다.", "'분홍색', word 1"),
    ("korean", "빨간색 큰 별이 있다.", "'큰', word 2"),
    ("korean", "별을 있다.", "'별을', word 1"),
    ("korean", "그림에는 별이 보인다.", "'보인다', word 3"),
    ("korean", "그림에서 별이 있다.", "'있다', word 3"),
    ("korean", "그림에는 별.", "'.', word 3"),
    ("korean", "그림에는 별의 왼쪽에 원이 있다.", "'별의', word 2"),
    ("korean", "별은 있다.", "'있다', word 2"),
    ("korean", "별 두 개는 원의 위쪽에 있다.", "'개는', word 3"),
    ("korean", "두 개의 별이 있다.", "'두', word 1"),
    ("korean", "별이 원 두 개의 위쪽에 있다.", "'두', word 3"),
    ("korean", "별 두 개가 원 위쪽에 있다.", "'원', word 4"),
    ("korean", "별 두 개 위쪽에 원이 있다.", "'위쪽에', word 4"),
    ("korean", "별이 원과 위쪽에 있다.", "'원과', word 2"),
    ("korean", "원 위쪽에 별 두 개가 있다.", "'별', word 3"),
    ("korean", "별 두 개: 별과 별.", "':', word 4"),
    ("korean", "원과 별과 십자 모양이 있다.", "'별과', word 2"),
    ("korean", "원과 별, 십자 모양이 있다.", "',', word 3"),
    ("korean", "별 두 개가 있는데, 그중 하나는 빨간색이다.", "'있는데', word 4"),  # 그중 follows a total only
    ("korean", "물체 두 개가 있는데, 그중 하나가 빨간색이다.", "'하나가', word 7"),
    ("korean", "물체 두 개가 있는데, 그중 한 개는 빨간색이다.", "'한', word 7"),
    ("korean", "물체 두 개가 있는데, 그중 두 개가 빨간색이다.", "'개가', word 8"),
    ("korean", "물체 두 개가 있는데, 그중 하나는 빨간색.", "'.', word 9"),
    ("korean", "물체 두 개가 있는데, 그중 하나는 작은 빨간색이다.", "'빨간색이다', word 9"),
    ("korean", "물체 두 개가 있는데, 그중 하나는 별이고.", "'.', word 9"),
    ("korean", "물체 두 개가 있는데, 그중 하나는 작고.", "'.', word 9"),
    ("korean", "물체 두 개가 있는데, 그중 두 개는 작은.", "'.', word 10"),
    ("korean", "물체가 한 개 있는데, 큰 물체이다.", "'물체이다', word 7"),
    ("korean", "물체가 한 개 있는데, 별다.", "'별다', word 6"),
    ("korean", "물체가 두 개 있는데, 별 두 개다.", "'개다', word 8"),
    ("korean", "물체 두 개가 있는데, 원과 별.", "'.', word 8"),
    ("korean", "별 하나이 있다.", "'하나이', word 2"),
    ("korean", "별 하나 개가 있다.", "'개가', word 3"),
    ("korean", "별 하나가 두 개 있다.", "'두', word 3"),
    ("korean", "하나의 별이 있다.", "'하나의', word 1"),
    ("korean", "그림에는 별 하나는 있다.", "'하나는', word 3"),
    ("korean", "별 하나가 원 위쪽에 있다.", "'원', word 3"),  # a relation needs a noun without a number
    ("korean", "별 하나 위쪽에 원이 있다.", "'위쪽에', word 3"),
    ("korean", "별이 원 위에 있다.", "'위에', word 3"),  # on the circle, not above it
    ("korean", "별 있다.", "'있다', word 2"),
    ("korean", "a star.", "'a', word 1"),
]


@pytest.mark.parametrize(("language", "text", "where"), REJECTED, ids=[f"{row[0]}: {row[1]}" for row in REJECTED])
def test_rejected(language: str, text: str, where: str) -> None:
    with pytest.raises(ValueError, match=f"^cannot read {re.escape(f'{where} of {text!r}')}: expected "):
        read(text, language)


def test_an_error_lists_the_allowed_words() -> None:
    message = "cannot read '원가', word 1 of '원가 있다': expected 원 | 원과 | 원이 | 원은 | 원의"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read("원가 있다", "korean")
    message = "cannot read '모양', word 4 of '별 위쪽에 십자 모양 있다': expected 모양이"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        read("별 위쪽에 십자 모양 있다", "korean")


def check_reads_by_hand(candidate) -> None:
    for language, text, facts, _ in BY_HAND:
        try:
            got = candidate(text, language)
        except ValueError as error:
            raise AssertionError(f"{text!r} states {facts}, but: {error}") from error
        assert got == tuple(facts), f"{text!r} states {facts}, got {got}"
    for language, text, where in REJECTED:
        try:
            got = candidate(text, language)
        except ValueError:
            continue
        raise AssertionError(f"{text!r} must be rejected at {where}, but it was read as {got}")


def test_check_by_hand_accepts_the_parser() -> None:
    check_reads_by_hand(read)


@given(
    facts=st.lists(FACTS, min_size=1, max_size=6),
    language=st.sampled_from(LANGUAGES),
    name=st.integers(0, 10**6).map(str),
)
def test_everything_that_say_writes_is_read_back(facts: list[Fact], language: str, name: str) -> None:
    text = say(facts, language, Rng(name))
    assert read(text, language) == tuple(facts), text
    assert join(split(text)) == text


def test_broken_sentences_are_counted() -> None:
    text = "a red circle. two red circle. one star above. the red circle is above the star. a"
    facts = (Exists(d("red circle")), Relation(d("red circle"), "above", d("star")))
    assert read_sentences(text, "english") == (facts, 3)
    assert read_sentences("원가 있다. 별이 있다.", "korean") == ((Exists(d("star")),), 1)
    assert read_sentences(" . .", "english") == ((), 0)
    assert read_sentences("", "korean") == ((), 0)


PIECES = ("a", "an", "red", "star", "stars", "two", "objects", "of", "them", ",", ".", ".", ":", "별이")


@given(words=st.lists(st.sampled_from(PIECES)))
def test_a_text_is_read_if_none_of_its_sentences_is_broken(words: list[str]) -> None:
    """``read`` accepts a text if and only if no sentence is broken or empty; both functions then agree."""
    text = join(words)
    facts, broken = read_sentences(text, "english")
    empty = any(not sentence.strip() for sentence in text.removesuffix(".").split("."))
    if broken or empty:
        with pytest.raises(ValueError, match="cannot read"):
            read(text, "english")
    else:
        assert read(text, "english") == facts


@pytest.mark.parametrize("function", [read, read_sentences])
def test_an_unknown_language_is_refused(function) -> None:
    with pytest.raises(ValueError, match="language must be one of english, korean, got 'german'"):
        function("ein roter kreis.", "german")


@pytest.mark.parametrize("wrong", misconceptions.READERS, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_reads_by_hand(wrong)
