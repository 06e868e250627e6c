"""The Korean grammar. The ending of a noun gives its role in the sentence, and its form follows the final consonant.

In the rules, ``noun-이/가`` is a noun with this ending; ``list-이/가`` is a list whose last noun or counter has it.
"""

from toyworld.cursor import Cursor
from toyworld.facts import Count, Description, Exists, Fact, Relation
from toyworld.korean import (
    COLOURS,
    COUNTER,
    ENDINGS,
    GOING_ON,
    NOUNS,
    NUMERALS,
    ONE,
    PLACES,
    PLAIN,
    POLITE,
    SIZES,
    with_ending,
)  # fmt: skip
from toyworld.sentences import Item, is_total

IS, IS_AND = ("이다/다", "입니다"), "이고/고"
SIZE = {word: size for size, word in SIZES.items()}
COLOUR = {word: colour for colour, word in COLOURS.items()}
VALUES = {word: n for n, word in NUMERALS.items()}
SIDES = {word: relation for relation, word in PLACES.items()}
FORMS = {with_ending(word, e): (shape, e) for shape, word in NOUNS.items() for e in ("", *ENDINGS)}
FIRST_WORDS = {noun.split()[0] for noun in NOUNS.values() if " " in noun}  # 십자, of 십자 모양
LAST_WORDS = {form.split()[-1] for form in FORMS}
COLOUR_FORMS = {with_ending(word, e): (colour, e) for colour, word in COLOURS.items() for e in (*IS, IS_AND)}
SIZE_FORMS = {verbs[size]: (size, verbs["copula"]) for verbs in (PLAIN, POLITE, GOING_ON) for size in SIZES}
COUNTER_FORMS = {with_ending(COUNTER, e): e for e in ("", *ENDINGS)}
PART_NUMBERS = {with_ending(ONE, "은/는"): 1, **{word: n for word, n in VALUES.items() if n > 1}}

BE, APPEAR = (tuple(verbs[name] for verbs in (PLAIN, POLITE)) for name in ("be", "appear"))
VERBS = {"그림에는": BE, "그림에서": APPEAR, None: BE + APPEAR}  # the verbs after each opening
LINKED = {"그림에는": (GOING_ON["be"],), "그림에서": (GOING_ON["appear"],), None: (GOING_ON["be"], GOING_ON["appear"])}
OF_LISTS = ("", "와/과", "이/가")  # the endings of items in a list
OF_RELATIONS = ("은/는", "의")  # never after a number


def korean_sentence(c: Cursor) -> list[Fact]:
    """``place first | subject first | [그림에는 | 그림에서] list-이/가 existing | item : list | list``."""
    opening = c.accept("그림에는", "그림에서")
    first, ending = item(c, OF_LISTS if opening else (*OF_LISTS, *OF_RELATIONS))
    alone = isinstance(first, Exists) and after_noun(c) and not opening
    if alone and (ending == "의" or (ending == "" and c.word in SIDES)):
        return [place_first(c, first.description)]
    if alone and (ending == "은/는" or (ending == "이/가" and c.word not in (*VERBS[None], *LINKED[None], *VALUES))):
        return [subject_first(c, first.description)]
    items, ending = series(c, OF_LISTS, first, ending)
    if ending == "이/가":
        return existing(c, opening, items)
    if opening:
        c.fail("이/가")
    if is_whole(items) and c.accept(":"):
        items += series(c, ("", "와/과"), *item(c, ("", "와/과")))[0]
    return items


def place_first(c: Cursor, b: Description) -> Relation:
    """``noun[-의] place (noun-이/가 있다 | noun-이/가 보인다 | 있는 noun)``."""
    relation = SIDES[c.expect(*SIDES)]
    if c.accept("있는"):
        return Relation(noun(c, ("",))[0], relation, b)
    a, _ = noun(c, ("이/가",))
    c.expect(*BE, *APPEAR)
    return Relation(a, relation, b)


def subject_first(c: Cursor, a: Description) -> Relation:
    """``(noun-이/가 | noun-은/는) noun[-의] place 있다``."""
    b, _ = noun(c, ("", "의"))
    relation = SIDES[c.expect(*SIDES)]
    c.expect(*BE)
    return Relation(a, relation, b)


def existing(c: Cursor, opening: str | None, items: list[Item]) -> list[Fact]:
    """``[numeral 개] (있다 | 보인다)``; after a total also ``있는데 , 그중 parts`` and ``있는데 , list-이다``."""
    if len(items) == 1 and isinstance(items[0], Exists) and after_noun(c) and c.word in VALUES:
        items = [Count(items[0].description, VALUES[c.expect(*VALUES)])]
        c.expect(COUNTER)
    if c.expect(*VERBS[opening], *(LINKED[opening] if is_whole(items) else ())) in VERBS[opening]:
        return items
    c.expect(",")
    if c.accept("그중"):
        return [*items, *parts(c)]
    details, ending = series(c, ("", "와/과", *IS), *item(c, ("", "와/과", *IS)))
    return [*items, *details] if ending in IS else c.fail(",", *IS)


def parts(c: Cursor) -> list[Count]:
    """``{part} part``; a part is ``(하나는 | numeral 개는) predicate``. All but the last end in 이고, 작고 or 크고."""
    out, ending = [], IS_AND
    while ending == IS_AND:
        n = PART_NUMBERS[c.expect(*PART_NUMBERS)]
        if n > 1:
            c.expect(with_ending(COUNTER, "은/는"))
        description, ending = predicate(c)
        out.append(Count(description, n))
    return out


def predicate(c: Cursor) -> tuple[Description, str]:
    """``작다 | colour-이다 | noun-이다``; returns the ending too."""
    if c.word in SIZE_FORMS:
        size, ending = SIZE_FORMS[c.expect(c.word)]
        return Description(size=size), ending
    if c.word in COLOUR_FORMS:
        colour, ending = COLOUR_FORMS[c.expect(c.word)]
        return Description(colour=colour), ending
    return noun(c, (IS_AND, *IS))


def series(c: Cursor, endings: tuple[str, ...], first: Item, ending: str) -> tuple[list[Item], str]:
    """``item {, item} [item-와/과 item]``, after the first item is read; returns the last ending too."""
    out = [first]
    while ending == "" and c.accept(","):
        more, ending = item(c, endings)
        out.append(more)
    if ending == "와/과":
        more, ending = item(c, tuple(e for e in endings if e != "와/과"))
        out.append(more)
    return out, ending


def item(c: Cursor, endings: tuple[str, ...]) -> tuple[Item, str]:
    """``noun | noun 하나 | noun numeral 개``; returns the ending too."""
    numbered = tuple(e for e in endings if e not in OF_RELATIONS)
    description, ending = noun(c, (*endings, ""))
    if ending == "" and c.word in VALUES:
        n = VALUES[c.expect(*VALUES)]
        if COUNTER_FORMS.get(c.word) not in numbered:
            c.fail(*(with_ending(COUNTER, e) for e in numbered))
        return Count(description, n), COUNTER_FORMS[c.expect(c.word)]
    ones = {with_ending(ONE, e): e for e in numbered}
    if ending == "" and c.word in ones:
        return Exists(description), ones[c.expect(c.word)]
    return Exists(description), ending


def noun(c: Cursor, endings: tuple[str, ...]) -> tuple[Description, str]:
    """``[size] [colour] shape``; returns the ending too."""
    size, colour, first = c.accept(*SIZE), c.accept(*COLOUR), c.accept(*FIRST_WORDS)
    word = f"{first} {c.word}" if first else c.word
    shape, ending = FORMS.get(word, (None, None))
    if ending not in endings:
        begun = [noun for noun in NOUNS.values() if word.startswith(noun) or noun.split()[0] == first]
        c.fail(*(with_ending(noun, e).split()[-1 if first else 0] for noun in begun or NOUNS.values() for e in endings))
    c.expect(c.word)
    return Description(SIZE.get(size), COLOUR.get(colour), shape), ending


def after_noun(c: Cursor) -> bool:
    """Whether the last word was a noun, not 하나 or a counter."""
    return c.ahead(-1) in LAST_WORDS


def is_whole(items: list[Item]) -> bool:
    return len(items) == 1 and is_total(items[0])
