"""``toyworld.captions.say``: all wordings of each kind of sentence, written by hand."""

import pytest

from toyworld.captions import say
from toyworld.facts import Count, Description, Exists, Fact, Relation, total
from toyworld.rng import Rng

RED, STAR, RED_CIRCLE = Description(colour="red"), Description(shape="star"), Description(colour="red", shape="circle")


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
                "별[|의] 왼쪽에 있는 빨간색 원[|을 볼 수 있다|을 볼 수 있습니다].",
            ),
        ),
        (
            [Exists(Description("small", "orange", "cross"))],
            many("[|there is |the picture shows |you can see ]a small orange cross."),
            many(
                "작은 주황색 십자가.",
                "[|그림에는 ]작은 주황색 십자가가 [있다|있습니다].",
                "[|그림에서 ]작은 주황색 십자가[가 보인다|가 보입니다|를 볼 수 있다|를 볼 수 있습니다].",
            ),
        ),
        (
            [Count(Description("large", None, "cross"), 2), Exists(Description(colour="orange"))],
            many("[|there are |the picture shows |you can see ]two large crosses and an orange object."),
            many(
                "큰 십자가 두 개와 주황색 물체 하나.",
                "[|그림에는 ]큰 십자가 두 개와 주황색 물체 하나가 [있다|있습니다].",
                "[|그림에서 ]큰 십자가 두 개와 주황색 물체 하나[가 보인다|가 보입니다].",
                "[|그림에서 ]큰 십자가 두 개와 주황색 물체 하나를 볼 수 [있다|있습니다].",
            ),
        ),
        (
            [total(4), Count(RED, 1), Count(STAR, 3)],
            many("[|there are |the picture shows |you can see ]four objects: one red object and three stars."),
            many(
                "[물체 네 개|네 개의 물체]: [빨간색 물체 한 개와 별 세 개|한 개의 빨간색 물체와 세 개의 별].",
                "[|그림에는 ][물체 네 개가|네 개의 물체가|물체가 네 개] 있는데, "
                "[빨간색 물체 한 개와 별 세 개|한 개의 빨간색 물체와 세 개의 별][이다|입니다].",
                "[|그림에서 ][물체 네 개가|네 개의 물체가|물체가 네 개] 보이는데, "
                "[빨간색 물체 한 개와 별 세 개|한 개의 빨간색 물체와 세 개의 별][이다|입니다].",
            ),
        ),
        (
            [total(1), Exists(RED_CIRCLE)],
            many("[|there is |the picture shows |you can see ]one object: a red circle."),
            many(
                "[물체 한 개|한 개의 물체]: 빨간색 원.",
                "[|그림에는 ][물체 한 개가|한 개의 물체가|물체가 한 개] 있는데, 빨간색 원[이다|입니다].",
                "[|그림에서 ][물체 한 개가|한 개의 물체가|물체가 한 개] 보이는데, 빨간색 원[이다|입니다].",
            ),
        ),
        (
            [total(4), Count(RED, 2), Count(STAR, 1)],
            many(
                "[|there are |the picture shows |you can see ]four objects, two of them red and one of them a star.",
                "[|there are |the picture shows |you can see ]four objects, of which two are red and one is a star.",
            ),
            many(
                "[|그림에는 ][물체 네 개가|네 개의 물체가|물체가 네 개] 있는데, "
                "그중 두 개는 빨간색이고 한 개는 별[이다|입니다].",
                "[|그림에서 ][물체 네 개가|네 개의 물체가|물체가 네 개] 보이는데, "
                "그중 두 개는 빨간색이고 한 개는 별[이다|입니다].",
            ),
        ),
        (
            [Exists(RED), Exists(STAR), Exists(RED_CIRCLE)],
            many("[|there is |the picture shows |you can see ]a red object, a star and a red circle."),
            many(
                "빨간색 물체, 별[, |과 ]빨간색 원.",
                "[|그림에는 ]빨간색 물체, 별[, |과 ]빨간색 원이 [있다|있습니다].",
                "[|그림에서 ]빨간색 물체, 별[, |과 ]빨간색 원[이 보인다|이 보입니다|을 볼 수 있다|을 볼 수 있습니다].",
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
    for text in sayings([total(2), Relation(RED, "above", STAR), Exists(STAR)], "korean"):
        assert not ("습니다" in text or "입니다" in text) or not any(
            plain in text for plain in ("있다.", "보인다.", "이다.")
        ), text
