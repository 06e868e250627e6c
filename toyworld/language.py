"""A toy language: word pairs that differ in one respect (king and queen, cat and cats), and captions of the toy world.

A relation is a list of word pairs. The two words of a pair share topics: "throne" is near "king" and near "queen". The
first words of a relation have sentences of their own, and so have the second words ("he is a king with his throne",
"she is a queen with her throne"). For every second pair, some sentences also contain both words. The other pairs are
*held out*: no sentence contains both of their words, so a model can only relate them through the words around them.

Some sentences are English captions of scenes, in lower case and without punctuation: every eighth sentence is one, if
the caption fits (see ``fits``). About one caption in four does. The colours, shapes and sizes of the toy world are
words of the relations, too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from toyworld.captions import captions_at
from toyworld.rng import Rng
from toyworld.scenes import SIZES

CAPTION_EVERY = 8  # sentences


@dataclass(frozen=True)
class Relation:
    """Pairs of words with their topics, and sentences for first words, for second words, and for both words of a pair.

    In a sentence ``A`` is the place of a pair's first word, ``B`` of its second word, ``T`` of one of its topics.
    """

    pairs: Sequence[tuple[str, str]]
    topics: Sequence[Sequence[str]]  # of each pair
    first: Sequence[str]
    second: Sequence[str]
    both: Sequence[str]

    @property
    def known(self) -> Sequence[tuple[str, str]]:
        """The pairs with sentences that contain both words."""
        return self.pairs[::2]

    @property
    def held_out(self) -> Sequence[tuple[str, str]]:
        """The pairs without a sentence that contains both words."""
        return self.pairs[1::2]


def table(rows: str) -> dict[str, Sequence]:
    """Lines such as "king queen: throne crown" as the pairs and their topics."""
    halves = [row.split(": ") for row in rows.strip().splitlines()]
    return {"pairs": [tuple(pair.split()) for pair, _ in halves], "topics": [topics.split() for _, topics in halves]}


ONE = ("a A stood by the T", "this A has one T", "one A is near a T")
MANY = ("many B stood by the T", "these B have two T", "two B are near all T")
RELATIONS = {
    "gender": Relation(
        **table("""
            king queen: throne crown law
            prince princess: castle crown ball
            duke duchess: castle carriage land
            actor actress: stage applause mask
            waiter waitress: tray menu tip
            host hostess: party menu ball
            father mother: cradle song home
            son daughter: school song home
            uncle aunt: visit gift tip
            brother sister: school game gift
            hero heroine: sword dragon mask
            wizard witch: dragon broom law
        """),
        first=("he is a A with his T", "the A took his T and he left", "his T made the A proud of him"),
        second=("she is a B with her T", "the B took her T and she left", "her T made the B proud of herself"),
        both=("the A and the B share a T", "a B came with the A to see the T"),
    ),
    "plural": Relation(
        **table("""
            cat cats: whiskers milk sofa
            dog dogs: leash bone sofa
            horse horses: saddle stable hay
            cow cows: meadow milk hay
            bird birds: nest feather song
            duck ducks: pond feather bread
            frog frogs: pond lily leaf
            bee bees: hive honey lily
            bear bears: forest honey cave
            bat bats: night cave wing
            rabbit rabbits: carrot meadow hole
            mouse mice: hole bread whiskers
        """),
        first=ONE, second=MANY, both=("one A joined the B at the T", "of all B this A has the T"),
    ),
    "capital": Relation(
        **table("""
            france paris: wine cheese fashion
            italy rome: pasta wine marble
            spain madrid: guitar olive sun
            greece athens: olive marble islands
            egypt cairo: pyramid desert sun
            kenya nairobi: safari desert tea
            norway oslo: fjord snow salmon
            japan tokyo: sushi salmon robot
            korea seoul: kimchi film robot
            china beijing: silk tea wall
            cuba havana: islands sugar guitar
            austria vienna: waltz snow film
        """),
        first=("the nation of A exports T", "the border of A is known for T", "across A farmers love T"),
        second=("the mayor of B likes T", "downtown B has streets full of T", "the metro in B sells T"),
        both=("B is the capital of A and of T", "from A we went to B for T"),
    ),
    "comparative": Relation(
        **table("""
            small smaller: ant pebble seed
            large larger: whale tower hall
            tall taller: tower giraffe tree
            cold colder: winter ice cellar
            hot hotter: summer oven pepper
            fast faster: race arrow train
            slow slower: snail clock train
            loud louder: thunder drum hall
            old older: museum clock tree
            dark darker: cellar cloud shadow
            heavy heavier: stone whale drum
            sharp sharper: pepper arrow thorn
        """),
        first=("the T is very A today", "such a A T is quite rare", "so A was the T"),
        second=("the T grew B than before", "no T is even B than that", "much B than any T"),
        both=("the A T is B now", "what is A may get B like the T"),
    ),
    "colour": Relation(
        **table("""
            red reddish: cherry lips
            orange orangish: pumpkin lava
            yellow yellowish: lemon sand
            green greenish: grass lime
            cyan cyanish: lagoon lime
            blue bluish: lagoon sky
            purple purplish: plum lips
            black blackish: coal sky
        """),
        first=("paint the T in pure A", "bright A like a T", "the T has a deep A tone"),
        second=("a slightly B T faded", "the T looks somewhat B", "pale and B is the T"),
        both=("A turned B on the T", "from A to B goes the T"),
    ),
    "shape": Relation(
        **table("""
            circle circles: wheel coin button
            square squares: tile window button
            triangle triangles: roof tent sail
            diamond diamonds: kite window sail
            cross crosses: crossing kite roof
            star stars: night coin tent
        """),
        first=ONE, second=MANY, both=("one A joined the B at the T", "of all B this A has the T"),
    ),
}  # fmt: skip


def sentence_at(split: str, seed: int, index: int) -> list[str]:
    """Sentence ``index`` of a split, in words. Every eighth sentence is a caption of scene ``index``, if it fits."""
    if index % CAPTION_EVERY == 0:
        words = caption_words(split, seed, index)
        if fits(words):
            return words
    return relation_sentence(Rng(f"{split}/{seed}/{index}/sentence"))


def relation_sentence(rng: Rng) -> list[str]:
    """A sentence about a pair of words. Relation, pair, topic, kind of sentence (for the first word, the second, or
    both) and wording are drawn uniformly, one after the other. A held-out pair has no sentences for both words."""
    relation = RELATIONS[rng.choice(tuple(RELATIONS))]
    pair = rng.choice(relation.pairs)
    kinds = [relation.first, relation.second] + ([relation.both] if pair in relation.known else [])
    words = {"A": pair[0], "B": pair[1], "T": rng.choice(relation.topics[relation.pairs.index(pair)])}
    return [words.get(word, word) for word in rng.choice(rng.choice(kinds)).split()]


def caption_words(split: str, seed: int, index: int) -> list[str]:
    """The words of an English caption of scene ``index``."""
    (caption,) = captions_at(split, seed, index, "english")
    return re.findall(r"\w+", caption.lower())


def fits(words: Sequence[str]) -> bool:
    """Whether a caption may be a sentence of the language. A caption with a size may not: it has "small" beside colours
    and shapes, but "smaller" is never beside them. A caption with both words of a held-out pair may not, either, for
    example "a square and two squares"."""
    present = set(words)
    held_out = (pair for relation in RELATIONS.values() for pair in relation.held_out)
    return present.isdisjoint(SIZES) and not any(present.issuperset(pair) for pair in held_out)
