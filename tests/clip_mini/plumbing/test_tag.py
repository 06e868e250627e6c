"""The prompts of ``tag`` are captions of one object, as training has them; in Korean the counter follows its noun."""

import pytest

from clip_mini.commands.tag import BEGINNINGS
from toyworld.facts import Count, Description, Exists
from toyworld.parser import read

RED_STAR = {"english": "large red star", "korean": "큰 빨간색 별"}
FACTS = (Count(Description(), 1), Exists(Description("large", "red", "star")))


@pytest.mark.parametrize("language", BEGINNINGS)
def test_prompts_are_captions(language: str) -> None:
    short, long = (read(beginning + RED_STAR[language], language) for beginning in BEGINNINGS[language])
    assert short == FACTS[1:]
    assert long == FACTS
    assert "개의" not in "".join(BEGINNINGS[language])
