"""Facts in English: articles, plurals, agreement, and two to four wordings of each sentence."""

from collections.abc import Sequence

from toyworld.facts import Count, Description, Relation
from toyworld.rng import Rng
from toyworld.scenes import COLOURS, SHAPES, SIZES
from toyworld.sentences import Item, Listing, Parts, Sentence

NUMBERS = {1: "one", 2: "two", 3: "three", 4: "four"}
NOUNS = {shape: (shape, "crosses" if shape == "cross" else shape + "s") for shape in SHAPES}
NOUNS[None] = ("object", "objects")  # of any shape
PLACES = {
    "left of": ("to", "the", "left", "of"),
    "right of": ("to", "the", "right", "of"),
    "above": ("above",),
    "below": ("below",),
}
WORDS = (
    *("a", "an", "the", "there", "is", "are", "picture", "shows", "you", "can", "see", "and", "of", "them", "which"),
    *("to", "left", "right", "above", "below", ".", ",", ":"),
    *NUMBERS.values(),
    *SIZES,
    *COLOURS,
    *(noun for forms in NOUNS.values() for noun in forms),
)


def say(sentences: Sequence[Sentence], rng: Rng) -> str:
    """Each sentence in a random wording, in lower case and with a period."""
    return " ".join(f"{SAY[type(sentence)](sentence, rng)}." for sentence in sentences)


def say_relation(relation: Relation, rng: Rng) -> str:
    a, b, place = phrase(relation.a), phrase(relation.b), " ".join(PLACES[relation.relation])
    wording = rng.integer(0, 2)
    if wording == 0:
        return f"the {a} is {place} the {b}"
    if wording == 1:
        return f"{place} the {b} is the {a}"
    return f"{opening(rng, 1)}{with_article(a)} {place} {with_article(b)}"


def say_listing(listing: Listing, rng: Rng) -> str:
    items = joined([item_phrase(item) for item in listing.items])
    if listing.total is None:
        return opening(rng, number_of(listing.items[0])) + items
    return f"{opening(rng, listing.total.n)}{item_phrase(listing.total)}: {items}"


def say_parts(sentence: Parts, rng: Rng) -> str:
    head = opening(rng, sentence.total.n) + item_phrase(sentence.total)
    if rng.random() < 0.5:
        return f"{head}, {joined([f'{NUMBERS[part.n]} of them {predicate(part)}' for part in sentence.parts])}"
    parts = [f"{NUMBERS[part.n]} {'is' if part.n == 1 else 'are'} {predicate(part)}" for part in sentence.parts]
    return f"{head}, of which {joined(parts)}"


SAY = {Relation: say_relation, Listing: say_listing, Parts: say_parts}


def opening(rng: Rng, n: int) -> str:
    """The beginning of a sentence; ``n`` is the number of the first noun, with which the verb agrees."""
    return rng.choice(("", "there is " if n == 1 else "there are ", "the picture shows ", "you can see "))


def number_of(item: Item) -> int:
    return item.n if isinstance(item, Count) else 1


def item_phrase(item: Item) -> str:
    """``a red circle`` for ``Exists``, ``two red circles`` for ``Count``."""
    if isinstance(item, Count):
        return f"{NUMBERS[item.n]} {phrase(item.description, item.n > 1)}"
    return with_article(phrase(item.description))


def predicate(part: Count) -> str:
    """The words after "two of them" or "two are": ``red``, ``small``, ``a star``, ``large blue objects``."""
    d = part.description
    if d.shape is None and (d.size is None) != (d.colour is None):
        return d.size or d.colour
    return phrase(d, plural=True) if part.n > 1 else with_article(phrase(d))


def phrase(d: Description, plural: bool = False) -> str:
    return " ".join(word for word in (d.size, d.colour, NOUNS[d.shape][plural]) if word)


def with_article(words: str) -> str:
    """``an`` before a vowel letter. That is enough here: the vocabulary has no word like "hour" or "unit"."""
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def joined(phrases: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(phrases[:-1]), phrases[-1]] if phrases[1:] else phrases)
