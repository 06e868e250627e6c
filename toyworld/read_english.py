"""The English grammar. Articles, plurals and verbs must agree with their nouns."""

from collections.abc import Callable
from typing import TypeVar

from toyworld.cursor import Cursor
from toyworld.english import NOUNS, NUMBERS, PLACES
from toyworld.facts import Count, Description, Exists, Fact, Relation
from toyworld.scenes import COLOURS, SIZES
from toyworld.sentences import Item, is_total

T = TypeVar("T")
VALUES = {word: n for n, word in NUMBERS.items()}
SHAPES = tuple({forms[plural]: shape for shape, forms in NOUNS.items()} for plural in (False, True))
STARTS = {words[0]: relation for relation, words in PLACES.items() if len(words) == 1}
ONE = ("a", "an", "one")
MORE = tuple(word for word in VALUES if word != "one")


def english_sentence(c: Cursor) -> list[Fact]:
    """``definite | inverted | [opening] (item place item | item : list | item , parts | list)``."""
    if c.word == "the" and c.ahead(1) != "picture":
        return [definite(c)]
    if c.word in ("to", *STARTS):
        return [inverted(c)]
    first = item(c, opening(c))
    if isinstance(first, Exists) and c.word in ("to", *STARTS):
        relation = place(c)
        if c.word not in ("a", "an"):
            c.fail("a", "an")
        return [Relation(first.description, relation, item(c).description)]
    if is_total(first) and c.accept(":"):
        return [first, *series(c, item)]
    if is_total(first) and c.word == "," and (c.ahead(1) == "of" or c.ahead(2) == "of"):
        c.expect(",")
        if not c.accept("of"):
            return [first, *series(c, part_of_them)]
        c.expect("which")
        return [first, *series(c, part_of_which)]
    return series(c, item, first)


def opening(c: Cursor) -> tuple[str, ...]:
    """``[there is | there are | the picture shows | you can see]``; returns the words that may begin the item."""
    if c.accept("there"):
        return ONE if c.expect("is", "are") == "is" else MORE
    if c.word == "the":
        c.phrase(("the", "picture", "shows"))
    elif c.word == "you":
        c.phrase(("you", "can", "see"))
    return ONE + MORE


def definite(c: Cursor) -> Relation:
    """``the noun is place the noun``."""
    a = the(c)
    c.expect("is")
    return Relation(a, place(c), the(c))


def inverted(c: Cursor) -> Relation:
    """``place the noun is the noun``."""
    relation, b = place(c), the(c)
    c.expect("is")
    return Relation(the(c), relation, b)


def the(c: Cursor) -> Description:
    c.expect("the")
    return noun(c)


def place(c: Cursor) -> str:
    """``to the left of | to the right of | above | below``."""
    word = c.expect(*STARTS, "to")
    if word in STARTS:
        return STARTS[word]
    c.expect("the")
    side = c.expect("left", "right")
    c.expect("of")
    return f"{side} of"


def item(c: Cursor, begins: tuple[str, ...] = ONE + MORE) -> Item:
    """``a noun | an noun | number noun``."""
    word = c.expect(*begins)
    if word in VALUES:
        return Count(noun(c, plural=word != "one"), VALUES[word])
    if c.word and (word == "an") != (c.word[0] in "aeiou"):
        c.fail(f"a word that goes with {word!r}")
    return Exists(noun(c))


def noun(c: Cursor, plural: bool = False) -> Description:
    """``[size] [colour] shape``."""
    size, colour = c.accept(*SIZES), c.accept(*COLOURS)
    return Description(size, colour, SHAPES[plural][c.expect(*SHAPES[plural])])


def series(c: Cursor, element: Callable[[Cursor], T], first: T | None = None) -> list[T]:
    """``element | element {, element} and element``; pass ``first`` if it is read already."""
    out = [first or element(c)]
    while c.accept(","):
        out.append(element(c))
    if len(out) > 1:
        c.expect("and")
        out.append(element(c))
    elif c.accept("and"):
        out.append(element(c))
    return out


def part_of_them(c: Cursor) -> Count:
    """``number of them predicate``."""
    n = VALUES[c.expect(*VALUES)]
    c.phrase(("of", "them"))
    return Count(predicate(c, n), n)


def part_of_which(c: Cursor) -> Count:
    """``one is predicate | number are predicate``."""
    n = VALUES[c.expect(*VALUES)]
    c.expect("is" if n == 1 else "are")
    return Count(predicate(c, n), n)


def predicate(c: Cursor, n: int) -> Description:
    """``size | colour | a noun | plural noun``."""
    if n == 1 and c.word in ("a", "an"):
        return item(c).description
    if c.ahead(1) not in (*COLOURS, *SHAPES[True]):
        if size := c.accept(*SIZES):
            return Description(size=size)
        if colour := c.accept(*COLOURS):
            return Description(colour=colour)
    if n == 1:
        c.fail("a", "an", *SIZES, *COLOURS)
    return noun(c, plural=True)
