"""``toyworld.korean``: particles depend on the final consonant of the syllable before them."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toyworld.misconceptions import captions as misconceptions
from toyworld.facts import Description, Exists
from toyworld.korean import PARTICLES, PLAIN, POLITE, has_final_consonant, say, with_particle
from toyworld.rng import Rng
from toyworld.sentences import sentences

LEVELS = {"plain": PLAIN, "polite": POLITE, "drawn": None}

FORMS = [  # word, with 이/가, 을/를, 은/는, 와/과, 이다/다, 이고/고
    ("원", "원이", "원을", "원은", "원과", "원이다", "원이고"),
    ("정사각형", "정사각형이", "정사각형을", "정사각형은", "정사각형과", "정사각형이다", "정사각형이고"),
    ("삼각형", "삼각형이", "삼각형을", "삼각형은", "삼각형과", "삼각형이다", "삼각형이고"),
    ("마름모", "마름모가", "마름모를", "마름모는", "마름모와", "마름모다", "마름모고"),
    ("십자 모양", "십자 모양이", "십자 모양을", "십자 모양은", "십자 모양과", "십자 모양이다", "십자 모양이고"),
    ("별", "별이", "별을", "별은", "별과", "별이다", "별이고"),
    ("물체", "물체가", "물체를", "물체는", "물체와", "물체다", "물체고"),
    ("원 두 개", "원 두 개가", "원 두 개를", "원 두 개는", "원 두 개와", "원 두 개다", "원 두 개고"),
]


def check_particles(candidate) -> None:
    for word, *expected in FORMS:
        got = [candidate(word, particle) for particle in PARTICLES]
        assert got == expected, f"{word} with {', '.join(PARTICLES)}: {got}, expected {expected}"


def test_particles_by_hand() -> None:
    check_particles(with_particle)


def test_final_consonants_as_unicode_decomposes() -> None:
    """Unicode normal form D splits a syllable into two jamo, or into three if it has a final consonant."""
    for code in range(0xAC00, 0xD7A4):
        assert has_final_consonant(chr(code)) == (len(unicodedata.normalize("NFD", chr(code))) == 3), chr(code)


@given(word=st.text("가각힣마말", min_size=1), particle=st.sampled_from(sorted(PARTICLES)))
def test_the_last_syllable_decides(word: str, particle: str) -> None:
    assert with_particle(word, particle) == word[:-1] + with_particle(word[-1], particle)


@pytest.mark.parametrize("word", ["", "circle", "원 ", "2", "원2", "ㄱ", "ㅏ", "円", "꯿", "힤"])
def test_a_word_without_a_last_hangul_syllable_is_refused(word: str) -> None:
    for function in (has_final_consonant, lambda word: with_particle(word, "이/가")):
        with pytest.raises(ValueError, match=f"must end in a Hangul syllable, got {re.escape(repr(word))}"):
            function(word)


def test_an_unknown_particle_is_refused() -> None:
    with pytest.raises(
        ValueError, match="particle must be one of 이/가, 을/를, 은/는, 와/과, 이다/다, 이고/고, got '가/이'"
    ):
        with_particle("원", "가/이")


def test_one_level_of_politeness_where_it_is_asked_for() -> None:
    """The rest of the wording is the same, and without a level both come."""
    facts = sentences([Exists(Description(shape="star"))])
    told = {level: [say(facts, Rng(str(k)), verbs) for k in range(60)] for level, verbs in LEVELS.items()}
    assert [text.replace("보입니다", "보인다").replace("습니다", "다") for text in told["polite"]] == told["plain"]
    assert all(text in (told["plain"][k], told["polite"][k]) for k, text in enumerate(told["drawn"]))
    assert told["drawn"] not in (told["plain"], told["polite"])


@pytest.mark.parametrize("wrong", misconceptions.PARTICLES_CHOSEN, ids=lambda function: function.__name__)
def test_misconception_is_caught(wrong) -> None:
    with pytest.raises(AssertionError):
        check_particles(wrong)
