"""Facts are grouped into sentences. This step is the same for every language."""

from collections.abc import Sequence
from dataclasses import dataclass

from toyworld.facts import Count, Description, Exists, Fact, Relation

Item = Exists | Count


@dataclass(frozen=True, slots=True)
class Listing:
    """ "a red circle and two stars"; with a total, "three objects: a red circle and two stars"."""

    total: Count | None
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Parts:
    """ "three objects, two of them red and one of them a star"."""

    total: Count
    parts: tuple[Count, ...]


Sentence = Relation | Listing | Parts


def sentences(facts: Sequence[Fact]) -> list[Sentence]:
    """The facts in their order. A relation is a sentence of its own, and a total begins a sentence.

    The facts after a total are its list if their numbers add up to it, its parts if all of them are counts, and
    otherwise a sentence of their own.
    """
    out, at = [], 0
    while at < len(facts):
        if isinstance(facts[at], Relation):
            out.append(facts[at])
            at += 1
            continue
        end = at + 1
        while end < len(facts) and not isinstance(facts[end], Relation) and not is_total(facts[end]):
            end += 1
        first, rest = facts[at], tuple(facts[at + 1 : end])
        if not is_total(first):
            out.append(Listing(None, (first, *rest)))
        elif sum(item.n if isinstance(item, Count) else 1 for item in rest) == first.n:
            out.append(Listing(first, rest))
        elif rest and all(isinstance(item, Count) for item in rest):
            out.append(Parts(first, rest))
        else:
            out.append(Listing(None, (first,)))
            out += [Listing(None, rest)] if rest else []
        at = end
    return out


def is_total(fact: Fact) -> bool:
    return isinstance(fact, Count) and fact.description == Description()
