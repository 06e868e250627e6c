"""``toyworld.captions.say``: all wordings of each kind of sentence, written by hand."""

import re

import pytest

from toyworld.captions import say
from toyworld.facts import Count, Description, Exists, Fact, Relation, total
from toyworld.rng import Rng

RED, STAR, RED_CIRCLE = Description(colour="red"), Description(shape="star"), Description(colour="red", shape="circle")
LITTLE_DIAMOND = Description("small", None, "diamond")


def sayings(facts: list[Fact], language: str) -> set[str]:
    return {say(facts, language, Rng(str(k))) for k in range(700)}


def many(*patterns: str) -> set[str]:
    """All texts of the patterns, where ``[a|b]`` is a or b."""
    out = set()
    for pattern in patterns:
        before, bracket, rest = pattern.partition("[")
        options, _, after = rest.partition("]")
        out |= (
            {before + choice + tail for choice in options.split("|") for tail in many(after)} if bracket else {pattern}
        )
    return out


@pytest.mark.parametrize(
    ("facts", "english", "korean"),
    [
        (
            [Relation(RED_CIRCLE, "left of", STAR)],
            many(
                "the red circle is to the left of the star.",
                "to the left of the star is the red circle.",
                "[|there is |the picture shows |you can see ]a red circle to the left of a star.",
            ),
            many(
                "빨간색 원[이|은] 별[|의] 왼쪽에 [있다|있습니다].",
                "별[|의] 왼쪽에 빨간색 원이 [있다|있습니다|보인다|보입니다].",
                "별[|의] 왼쪽에 있는 빨간색 원.",
            ),
        ),
        (
            [Exists(Description("small", "orange", "cross"))],
            many("[|there is |the picture shows |you can see ]a small orange cross."),
            many(
                "작은 주황색 십자 모양.",
                "[|그림에는 ]작은 주황색 십자 모양이 [있다|있습니다].",
                "[|그림에서 ]작은 주황색 십자 모양이 [보인다|보입니다].",
            ),
        ),
        (
            [Count(Description("large", None, "cross"), 2), Exists(Description(colour="orange"))],
            many("[|there are |the picture shows |you can see ]two large crosses and an orange object."),
            many(
                "큰 십자 모양 두 개와 주황색 물체 하나.",
                "[|그림에는 ]큰 십자 모양 두 개와 주황색 물체 하나가 [있다|있습니다].",
                "[|그림에서 ]큰 십자 모양 두 개와 주황색 물체 하나가 [보인다|보입니다].",
            ),
        ),
        (
            [total(4), Count(RED, 1), Count(STAR, 3)],
            many("[|there are |the picture shows |you can see ]four objects: one red object and three stars."),
            many(
                "물체 네 개: 빨간색 물체 한 개와 별 세 개.",
                "[|그림에는 ][물체 네 개가|물체가 네 개] 있는데, 빨간색 물체 한 개와 별 세 개[이다|입니다].",
                "[|그림에서 ][물체 네 개가|물체가 네 개] 보이는데, 빨간색 물체 한 개와 별 세 개[이다|입니다].",
            ),
        ),
        (
            [total(1), Exists(RED_CIRCLE)],
            many("[|there is |the picture shows |you can see ]one object: a red circle."),
            many(
                "물체 한 개: 빨간색 원.",
                "[|그림에는 ][물체 한 개가|물체가 한 개] 있는데, 빨간색 원[이다|입니다].",
                "[|그림에서 ][물체 한 개가|물체가 한 개] 보이는데, 빨간색 원[이다|입니다].",
            ),
        ),
        (
            [total(1), Exists(Description("small"))],
            many("[|there is |the picture shows |you can see ]one object: a small object."),
            many(
                "물체 한 개: 작은 물체.",
                "[|그림에는 ][물체 한 개가|물체가 한 개] 있는데, 작은 물체[다|입니다].",
                "[|그림에서 ][물체 한 개가|물체가 한 개] 보이는데, 작은 물체[다|입니다].",
            ),
        ),
        (
            [total(4), Count(RED, 2), Count(STAR, 1)],
            many(
                "[|there are |the picture shows |you can see ]four objects, two of them red and one of them a star.",
                "[|there are |the picture shows |you can see ]four objects, of which two are red and one is a star.",
            ),
            many(
                "[|그림에는 ][물체 네 개가|물체가 네 개] 있는데, 그중 두 개는 빨간색이고 하나는 별[이다|입니다].",
                "[|그림에서 ][물체 네 개가|물체가 네 개] 보이는데, 그중 두 개는 빨간색이고 하나는 별[이다|입니다].",
            ),
        ),
        (
            [total(4), Count(Description("large"), 3), Count(Description(shape="cross"), 1), Count(LITTLE_DIAMOND, 1)],
            many(
                "[|there are |the picture shows |you can see ]four objects, three of them large, one of them a cross "
                "and one of them a small diamond.",
                "[|there are |the picture shows |you can see ]four objects, of which three are large, one is a cross "
                "and one is a small diamond.",
            ),
            many(
                "[|그림에는 ][물체 네 개가|물체가 네 개] 있는데, "
                "그중 세 개는 크고 하나는 십자 모양이고 하나는 작은 마름모[다|입니다].",
                "[|그림에서 ][물체 네 개가|물체가 네 개] 보이는데, "
                "그중 세 개는 크고 하나는 십자 모양이고 하나는 작은 마름모[다|입니다].",
            ),
        ),
        (
            [total(4), Count(Description(shape="diamond"), 2), Count(Description("small"), 1)],
            many(
                "[|there are |the picture shows |you can see ]four objects, two of them diamonds "
                "and one of them small.",
                "[|there are |the picture shows |you can see ]four objects, of which two are diamonds "
                "and one is small.",
            ),
            many(
                "[|그림에는 ][물체 네 개가|물체가 네 개] 있는데, 그중 두 개는 마름모고 하나는 [작다|작습니다].",
                "[|그림에서 ][물체 네 개가|물체가 네 개] 보이는데, 그중 두 개는 마름모고 하나는 [작다|작습니다].",
            ),
        ),
        (
            [Exists(RED), Exists(STAR), Exists(RED_CIRCLE)],
            many("[|there is |the picture shows |you can see ]a red object, a star and a red circle."),
            many(
                "빨간색 물체, 별[, |과 ]빨간색 원.",
                "[|그림에는 ]빨간색 물체, 별[, |과 ]빨간색 원이 [있다|있습니다].",
                "[|그림에서 ]빨간색 물체, 별[, |과 ]빨간색 원이 [보인다|보입니다].",
            ),
        ),
        (
            [total(4), Exists(RED), Count(STAR, 2)],  # not four objects, and not only counts
            many(
                "[|there are |the picture shows |you can see ]four objects. "
                "[|there is |the picture shows |you can see ]a red object and two stars."
            ),
            None,
        ),
    ],
)  # fmt: skip
def test_all_wordings_by_hand(facts: list[Fact], english: set[str], korean: set[str] | None) -> None:
    assert sayings(facts, "english") == english
    assert korean is None or sayings(facts, "korean") == korean


def test_one_level_of_politeness_in_a_caption() -> None:
    for facts in ([total(2), Relation(RED, "above", STAR), Exists(STAR)], [total(3), Count(RED, 1), Exists(STAR)],
                  [total(4), Count(Description("small"), 1), Relation(RED, "above", STAR)]):  # fmt: skip
        for text in sayings(facts, "korean"):
            verbs = {end.endswith("니다") for end in re.findall(r"(\S+다)\.", text)}
            assert len(verbs) < 2, f"plain and polite endings in one caption: {text}"
