"""Common mistakes in captions, parsers and judgements.

Each must fail the tests of ``toyworld.facts``, ``.captions``, ``.korean`` or ``.parser``.
"""

import re

from toyworld import captions, parser
from toyworld.facts import Count, Description, Exists, Relation, holds, total
from toyworld.korean import PARTICLES, with_particle
from toyworld.scenes import COLOURS, HELD_OUT, RELATIONS, SHAPES, SIZES, related


def some_two_objects(fact, scene):
    """Tempting because some circle may be above some star. But a guess is then often right."""
    if not isinstance(fact, Relation):
        return holds(fact, scene)
    return any(related(fact.relation, a, b) for a in fact.a.matching(scene) for b in fact.b.matching(scene))


def first_that_fits(fact, scene):
    """Tempting because a description finds its object. But it may match two stars."""
    if not isinstance(fact, Relation):
        return holds(fact, scene)
    a, b = fact.a.matching(scene), fact.b.matching(scene)
    return bool(a and b) and related(fact.relation, a[0], b[0]) is True


def undecided_is_true(fact, scene):
    """Tempting because what is not false seems true. But within the margin both "left of" and "right of" would hold."""
    if not isinstance(fact, Relation):
        return holds(fact, scene)
    a, b = fact.a.matching(scene), fact.b.matching(scene)
    return len(a) == len(b) == 1 and related(fact.relation, a[0], b[0]) is not False


def at_least_n(fact, scene):
    """Tempting because three stars include two stars. But "two stars" is wrong for a scene with three."""
    return len(fact.description.matching(scene)) >= fact.n if isinstance(fact, Count) else holds(fact, scene)


def exactly_one(fact, scene):
    """Tempting because "a" sounds like one. But "a circle" is true where there are two."""
    return len(fact.description.matching(scene)) == 1 if isinstance(fact, Exists) else holds(fact, scene)


def each_word_fits_something(fact, scene):
    """Tempting because many metrics compare words. But a red circle and a star are not a red star."""
    if not isinstance(fact, Exists):
        return holds(fact, scene)
    d = fact.description
    words = [Description(size=d.size), Description(colour=d.colour), Description(shape=d.shape)]
    return all(word.matching(scene) for word in words)


HOLDS = (
    some_two_objects,
    first_that_fits,
    undecided_is_true,
    at_least_n,
    exactly_one,
    each_word_fits_something,
)


def always_after_a_consonant(word, particle):
    """Tempting because it works for the first words that one tries, 원 and 별."""
    return word + PARTICLES[particle][0]


def order_of_the_name(word, particle):
    """Tempting because 이/가, 을/를 and 은/는 begin with the form after a consonant. But 와/과 does not."""
    forms = particle.split("/")
    return word + forms[0 if with_particle(word, "이/가").endswith("이") else 1]


def counted_from_the_first_jamo(word, particle):
    """Tempting because Hangul begins at 0x1100 in Unicode. But the syllables begin at 0xAC00."""
    return word + PARTICLES[particle][0 if (ord(word[-1]) - 0x1100) % 28 else 1]


def remainder_by_21(word, particle):
    """Tempting because the formula has 21 and 28. But 21 is the number of vowels."""
    return word + PARTICLES[particle][0 if (ord(word[-1]) - 0xAC00) % 21 else 1]


def first_syllable(word, particle):
    """Tempting because most words have one syllable. But a particle follows the last syllable."""
    return word + PARTICLES[particle][0 if (ord(word[0]) - 0xAC00) % 28 else 1]


def by_the_spelling_of_the_numeral(word, particle):
    """Tempting because the numeral carries the number: 두 ends in a vowel. But the particle follows the last word."""
    numeral = next((part for part in word.split() if part in ("한", "두", "세", "네")), "한")
    return word + with_particle(numeral, particle)[len(numeral) :]


PARTICLES_CHOSEN = (
    always_after_a_consonant,
    order_of_the_name,
    counted_from_the_first_jamo,
    remainder_by_21,
    first_syllable,
    by_the_spelling_of_the_numeral,
)


def ambiguous_reference(scene, rng, complete=False):
    """Tempting because one word for each object is shortest. But "the star" among two stars is ambiguous."""
    facts = captions.plan(scene, rng, complete)
    if complete or len(scene.objects) < 2:
        return facts
    a, b = rng.sample(scene.objects, 2)
    relation = next(r for r in RELATIONS if related(r, a, b)) if any(related(r, a, b) for r in RELATIONS) else "above"
    return (*facts, Relation(Description(shape=a.shape), relation, Description(shape=b.shape)))


def kinds_counted_once(scene, rng, complete=False):
    """Tempting because a set has no duplicates. But of two equal objects, one is lost."""
    return tuple(Exists(f.description) if isinstance(f, Count) and f.description.full else f
                 for f in captions.plan(scene, rng, complete))  # fmt: skip


def numbered_in_the_list(scene, rng, complete=False):
    """Tempting because the count of each kind is known. But a shorter description matches more objects."""
    if complete:
        return captions.plan(scene, rng, complete)
    kinds = [Description(o.size, o.colour, o.shape) for o in scene.objects]
    return tuple(Count(Description(None, d.colour, d.shape), kinds.count(d)) for d in dict.fromkeys(kinds))


def list_without_a_number(scene, rng, complete=False):
    """Tempting because a full list names everything. But it does not say that there is nothing else."""
    facts = captions.plan(scene, rng, complete)
    return facts[1:] if complete else facts


def held_out_by_halves(scene, rng, complete=False):
    """Tempting because the image shows the pair. But "a circle" does not test the new pair."""
    if complete or len(scene.objects) > 1:
        return captions.plan(scene, rng, complete)
    return (total(1), Exists(Description(scene.objects[0].size, None, scene.objects[0].shape)))


def one_object_twice(scene, rng, complete=False):
    """Tempting because both are true. But "one of them is red and one of them is a star" means two objects."""
    o = scene.objects[0]
    parts = (Description(None, o.colour, o.shape), Description(o.size, o.colour, o.shape))
    if complete or any(len(d.matching(scene)) != 1 for d in parts):
        return captions.plan(scene, rng, complete)
    return (total(len(scene.objects)), *(Count(d, 1) for d in parts))


def relation_turned_around(scene, rng, complete=False):
    """Tempting because y grows upwards in mathematics. But in images it grows downwards."""
    turned = {"above": "below", "below": "above"}
    return tuple(
        Relation(f.a, turned.get(f.relation, f.relation), f.b) if isinstance(f, Relation) else f
        for f in captions.plan(scene, rng, complete)
    )


PLANS = (
    ambiguous_reference,
    kinds_counted_once,
    numbered_in_the_list,
    list_without_a_number,
    held_out_by_halves,
    one_object_twice,
    relation_turned_around,
)


def one_without_a_number(facts, language, rng):
    """Tempting because English says "a star and two circles". But 별과 원 두 개 may mean two in total."""
    endings = {"가": "이/가", "와": "와/과"}
    text = captions.say(facts, language, rng)
    return re.sub("([^ ]+) 하나([가와]?)", lambda m: with_particle(m[1], endings[m[2]]) if m[2] else m[1], text)


def number_before_its_noun(facts, language, rng):
    """Tempting because English says "two stars". But 두 개의 별 reads like a translation: Korean says 별 두 개."""
    item = "((?:작은 |큰 )?(?:[^ ]+색 )?[^ ]+) ([^ ]+) 개와"
    text = captions.say(facts, language, rng)
    return re.sub(item, lambda m: f"{m[2]} 개의 {with_particle(m[1], '와/과')}", text)


LISTS = (one_without_a_number, number_before_its_noun)


def bag_of_words(text, language):
    """Tempting because most captions are lists. But a red star and a circle then give a red circle."""
    words = text.replace(".", "").split()
    named = (next((w for w in words if w in names), None) for names in (SIZES, COLOURS, SHAPES))
    return (Exists(Description(*named)),)


def regular_expression(text, language):
    """Tempting because it finds what it looks for. But it ignores the words around it, as in "two red circle"."""
    if language == "korean":
        return parser.read(text, language)
    pattern = rf"\b(?:a|an) ({'|'.join(SIZES)})? ?({'|'.join(COLOURS)})? ?({'|'.join(SHAPES)})"
    found = [Exists(Description(*(word or None for word in match))) for match in re.findall(pattern, text)]
    return tuple(found) or parser.read(text, language)


def relations_in_order_of_naming(text, language):
    """Tempting because the subject comes first. But not in "above the star is the circle", nor often in Korean."""
    facts = parser.read(text, language)
    if text.startswith(("above", "below", "to")) or re.search(r"쪽에 (?!있다|있습니다)", text):
        return tuple(Relation(f.b, f.relation, f.a) if isinstance(f, Relation) else f for f in facts)
    return facts


def particles_ignored(text, language):
    """Tempting because the stem carries the meaning. But 원가 is then as good as 원이."""
    return parser.read(re.sub(r"(원|정사각형|삼각형|별)가", r"\1이", text), language)


def number_without_agreement(text, language):
    """Tempting because "two circle" can be understood. But a model that writes it has not learned the grammar."""
    words = re.sub(
        rf"\b(two|three|four)((?: (?:{'|'.join(SIZES + COLOURS)}))*) (circle|star|square)\b", r"\1\2 \3s", text
    )
    return parser.read(words, language)


def stops_at_the_first_error(text, language):
    """Tempting because the beginning was understood. But the rest of a sentence can change its meaning."""
    for end in range(len(text), 0, -1):
        try:
            return parser.read(text[:end], language)
        except ValueError:
            continue
    return ()


READERS = (
    bag_of_words,
    regular_expression,
    relations_in_order_of_naming,
    particles_ignored,
    number_without_agreement,
    stops_at_the_first_error,
)


def held_out_in_training(split, seed, index, language, count=1, complete=False):
    """Tempting because the words of a held-out pair are not new. But the pair is then no longer held out."""
    texts = captions.captions_at(split, seed, index, language, count, complete)
    if split == "compositional":
        return texts
    colour, shape = HELD_OUT[index % len(HELD_OUT)]
    return [*texts[:-1], captions.say((Exists(Description(None, colour, shape)),), language, captions.Rng("new"))]


def one_caption_for_all(split, seed, index, language, count=1, complete=False):
    """Tempting because one generator for each scene seems enough. But five captions of it are then equal."""
    return captions.captions_at(split, seed, index, language, 1, complete) * count


def languages_apart(split, seed, index, language, count=1, complete=False):
    """Tempting because each language can draw its own facts. But caption k is then not the translation of caption k."""
    scene = captions.scene_at(split, seed, index)
    names = (f"{split}/{seed}/{index}/caption/{language}/{k}" for k in range(count))
    return [captions.tell(scene, language, captions.Rng(name), complete) for name in names]


SPLITS_AND_LANGUAGES = (held_out_in_training, one_caption_for_all, languages_apart)
