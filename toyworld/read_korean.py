"""The Korean grammar. The ending of a noun gives its role in the sentence, and its form follows the final consonant.

In the rules, ``noun-이/가`` is a noun with this ending; ``list-이/가`` is a list whose last noun or counter has it.
"""

from toyworld.cursor import Cursor
from toyworld.facts import Count, Description, Exists, Fact, Relation
from toyworld.korean import COLOURS, COUNTER, ENDINGS, NOUNS, NUMERALS, ONE, PLACES, SIZES, with_ending
from toyworld.sentences import Item, is_total

SIZE = {word: size for size, word in SIZES.items()}
COLOUR = {word: colour for colour, word in COLOURS.items()}
VALUES = {word: n for n, word in NUMERALS.items()}
SIDES = {word: relation for relation, word in PLACES.items()}
FORMS = {with_ending(word, e): (shape, e) for shape, word in NOUNS.items() for e in ("", *ENDINGS)}
COLOUR_FORMS = {with_ending(word, e): (colour, e) for colour, word in COLOURS.items() for e in ENDINGS}
COUNTER_FORMS = {with_ending(COUNTER, e): e for e in ("", *ENDINGS)}

BE, APPEAR = ("있다", "있습니다"), ("보인다", "보입니다")
VERBS = {"그림에는": BE, "그림에서": APPEAR, None: BE + APPEAR}  # the verbs after each opening
GOING_ON = {"그림에는": ("있는데",), "그림에서": ("보이는데",), None: ("있는데", "보이는데")}
IS = ("이다", "입니다")
OF_LISTS = {  # the endings of items in a list, after each opening
    "그림에는": ("", "와/과", "이/가"),
    "그림에서": ("", "와/과", "이/가", "을/를"),
    None: ("", "와/과", "이/가", "을/를"),
}
OF_RELATIONS = ("은/는", "의")  # never after a number


def korean_sentence(c: Cursor) -> list[Fact]:
    """``place first | subject first | [그림에는 | 그림에서] list-이/가 existing | [그림에서] list-을/를 볼 수 있다
    | item : list | list``."""
    opening = c.accept("그림에는", "그림에서")
    endings = OF_LISTS[opening]
    first, ending = item(c, endings if opening else (*endings, *OF_RELATIONS))
    alone = isinstance(first, Exists) and after_noun(c) and not opening
    if alone and (ending == "의" or (ending == "" and c.word in SIDES)):
        return [place_first(c, first.description)]
    if alone and (ending == "은/는" or (ending == "이/가" and c.word not in (*VERBS[None], *GOING_ON[None], *VALUES))):
        return [subject_first(c, first.description)]
    items, ending = series(c, endings, first, ending)
    if ending == "이/가":
        return existing(c, opening, items)
    if ending == "을/를":
        seeing(c)
    elif opening:
        c.fail(*endings[2:])
    elif is_whole(items) and c.accept(":"):
        items += series(c, ("", "와/과"), *item(c, ("", "와/과")))[0]
    return items


def place_first(c: Cursor, b: Description) -> Relation:
    """``noun[-의] place (noun-이/가 있다 | noun-이/가 보인다 | 있는 noun-을/를 볼 수 있다 | 있는 noun)``."""
    relation = SIDES[c.expect(*SIDES)]
    if c.accept("있는"):
        a, ending = noun(c, ("", "을/를"))
        if ending:
            seeing(c)
    else:
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
    if c.expect(*VERBS[opening], *(GOING_ON[opening] if is_whole(items) else ())) in VERBS[opening]:
        return items
    c.expect(",")
    if c.accept("그중"):
        return [*items, *parts(c)]
    details, ending = series(c, ("", "와/과", *IS), *item(c, ("", "와/과", *IS)))
    return [*items, *details] if ending in IS else c.fail(",", *IS)


def parts(c: Cursor) -> list[Count]:
    """``{numeral 개는 predicate-이고} numeral 개는 predicate-이다``."""
    out, ending = [], "이고"
    while ending == "이고":
        n = VALUES[c.expect(*VALUES)]
        c.expect(with_ending(COUNTER, "은/는"))
        if COLOUR_FORMS.get(c.word, ("", ""))[1] in ("이고", *IS):
            colour, ending = COLOUR_FORMS[c.expect(c.word)]
            out.append(Count(Description(colour=colour), n))
        else:
            description, ending = noun(c, ("이고", *IS))
            out.append(Count(description, n))
    return out


def seeing(c: Cursor) -> None:
    """``볼 수 있다``."""
    c.phrase(("볼", "수"))
    c.expect(*BE)


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
    """``noun | noun 하나 | noun numeral 개 | numeral 개의 noun``; returns the ending too."""
    numbered = tuple(e for e in endings if e not in OF_RELATIONS)
    if c.word in VALUES:
        n = VALUES[c.expect(*VALUES)]
        c.expect(with_ending(COUNTER, "의"))
        description, ending = noun(c, numbered)
        return Count(description, n), ending
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
    size, colour = c.accept(*SIZE), c.accept(*COLOUR)
    shape, ending = FORMS.get(c.word, (None, None))
    if ending not in endings:
        begun = [word for word in NOUNS.values() if c.word.startswith(word)]
        c.fail(*(with_ending(word, e) for word in begun or NOUNS.values() for e in endings))
    c.expect(c.word)
    return Description(SIZE.get(size), COLOUR.get(colour), shape), ending


def after_noun(c: Cursor) -> bool:
    """Whether the last word was a noun, not 하나 or a counter."""
    return c.ahead(-1) in FORMS


def is_whole(items: list[Item]) -> bool:
    return len(items) == 1 and is_total(items[0])
