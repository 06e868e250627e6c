"""Facts in Korean: particles by final consonant, native numerals with a counter, plain and polite verb endings.

A Hangul syllable is one code point: 0xAC00 + (initial * 21 + vowel) * 28 + final, where final 0 is "no final
consonant" (The Unicode Standard, section 3.12). So a remainder modulo 28 decides between 이 and 가.
"""

from collections.abc import Sequence

from toyworld.facts import Count, Description, Relation
from toyworld.rng import Rng
from toyworld.sentences import Item, Listing, Parts, Sentence

PARTICLES = {  # after a final consonant, after a vowel
    "이/가": ("이", "가"),  # subject
    "을/를": ("을", "를"),  # object
    "은/는": ("은", "는"),  # topic
    "와/과": ("과", "와"),  # "and"; only this name begins with the form after a vowel
    "이다/다": ("이다", "다"),  # "is"; Korean grammars call it a particle too
    "이고/고": ("이고", "고"),  # "is … and"
}
ENDINGS = (
    "이/가",
    "은/는",
    "와/과",
    "이다/다",
    "이고/고",
    "의",
    "입니다",
)  # of nouns in captions; 의: "of"; 입니다: "is"
NOUNS = {
    "circle": "원",
    "square": "정사각형",
    "triangle": "삼각형",
    "diamond": "마름모",
    "cross": "십자 모양",
    "star": "별",
    None: "물체",  # of any shape
}
COLOURS = {
    "red": "빨간색",
    "orange": "주황색",
    "yellow": "노란색",
    "green": "초록색",
    "cyan": "하늘색",
    "blue": "파란색",
    "purple": "보라색",
    "black": "검은색",
}
SIZES = {"small": "작은", "large": "큰"}
PLACES = {"left of": "왼쪽에", "right of": "오른쪽에", "above": "위쪽에", "below": "아래쪽에"}
NUMERALS = {1: "한", 2: "두", 3: "세", 4: "네"}  # native numerals, in the form before a counter
COUNTER = "개"
ONE = "하나"  # "a" in a list where other items are counted; unlike 한 개 it does not mean "exactly one"
PLAIN = {"be": "있다", "appear": "보인다", "small": "작다", "large": "크다", "copula": "이다/다"}
POLITE = {"be": "있습니다", "appear": "보입니다", "small": "작습니다", "large": "큽니다", "copula": "입니다"}
GOING_ON = {"be": "있는데", "appear": "보이는데", "small": "작고", "large": "크고", "copula": "이고/고"}  # "…, and"


def has_final_consonant(word: str) -> bool:
    """Whether the last syllable of a word ends in a consonant.

    Raises:
        ValueError: if the word does not end in a Hangul syllable. Digits are refused too: their reading depends on the
            counter (2 is 두 in 2개 and 이 in 2월).
    """
    if not word or not "가" <= word[-1] <= "힣":
        raise ValueError(f"word must end in a Hangul syllable, got {word!r}")
    return (ord(word[-1]) - ord("가")) % 28 > 0


def with_particle(word: str, particle: str) -> str:
    """The word with the right form of the particle: ``with_particle("원", "이/가")`` is 원이.

    Raises:
        ValueError: if the word does not end in a Hangul syllable, or the particle is not one of ``PARTICLES``.
    """
    if particle not in PARTICLES:
        raise ValueError(f"particle must be one of {', '.join(PARTICLES)}, got {particle!r}")
    after_consonant, after_vowel = PARTICLES[particle]
    return word + (after_consonant if has_final_consonant(word) else after_vowel)


def with_ending(word: str, ending: str) -> str:
    """The word with a particle, or with an ending that has one form: 물체다, 원이다, 물체입니다.

    After a number the full form is usual, 두 개이다, although both are correct: 개다 is also the verb "to fold".
    """
    if ending == "이다/다" and word.endswith((COUNTER, ONE)):
        return word + "이다"
    return with_particle(word, ending) if ending in PARTICLES else word + ending


PHRASES = (
    *("그림에는", "그림에서", "있는", "그중", ".", ",", ":"),
    *(verbs[name] for verbs in (PLAIN, POLITE, GOING_ON) for name in ("be", "appear", *SIZES)),
    *SIZES.values(),
    *NUMERALS.values(),
    *PLACES.values(),
    *(with_ending(noun, e) for shape, noun in NOUNS.items() for e in ("", *ENDINGS) if shape or e != "이고/고"),
    *(with_ending(colour, ending) for colour in COLOURS.values() for ending in ("", "이다/다", "입니다", "이고/고")),
    *(with_ending(n, e) for n in (COUNTER, ONE) for e in ("", "이/가", "은/는", "와/과", "이다/다", "입니다")),
)
WORDS = tuple(dict.fromkeys(" ".join(PHRASES).split()))  # 십자 모양 is two words


def say(sentences: Sequence[Sentence], rng: Rng, level: dict[str, str] | None = None) -> str:
    """Each sentence in a random wording, with a period; all plain or all polite.

    ``level`` is ``PLAIN`` or ``POLITE``; by default it is drawn. The rest of the wording does not depend on it.
    """
    verbs = rng.choice((PLAIN, POLITE))
    verbs = level or verbs
    return " ".join(f"{SAY[type(sentence)](sentence, verbs, rng)}." for sentence in sentences)


def say_relation(relation: Relation, verbs: dict[str, str], rng: Rng) -> str:
    a, place = phrase(relation.a), f"{phrase(relation.b)}{rng.choice(('', '의'))} {PLACES[relation.relation]}"
    wording = rng.integer(0, 3)
    if wording == 0:
        return f"{with_particle(a, '이/가')} {place} {verbs['be']}"
    if wording == 1:
        return f"{with_particle(a, '은/는')} {place} {verbs['be']}"
    if wording == 2:
        return f"{place} {with_particle(a, '이/가')} {verbs[rng.choice(('be', 'appear'))]}"
    return f"{place} 있는 {a}"


def say_listing(listing: Listing, verbs: dict[str, str], rng: Rng) -> str:
    short = rng.random() < 0.25  # without a verb
    if listing.total is None:
        return list_phrase(listing.items, rng) if short else subject(listing.items, verbs, rng)
    items = list_phrase(listing.items, rng)
    if short:
        return f"{list_phrase((listing.total,), rng)}: {items}"
    return f"{subject((listing.total,), GOING_ON, rng)}, {with_ending(items, verbs['copula'])}"


def say_parts(sentence: Parts, verbs: dict[str, str], rng: Rng) -> str:
    """``물체 세 개가 있는데, 그중 두 개는 빨간색이고 하나는 작다``."""
    *before, last = sentence.parts
    predicates = [predicate(part, GOING_ON) for part in before] + [predicate(last, verbs)]
    return f"{subject((sentence.total,), GOING_ON, rng)}, 그중 {' '.join(predicates)}"


SAY = {Relation: say_relation, Listing: say_listing, Parts: say_parts}


def subject(items: Sequence[Item], verbs: dict[str, str], rng: Rng) -> str:
    """Items as the subject of a verb: ``그림에는 별 두 개가 있다``, ``별이 두 개 보인다``."""
    verb = rng.choice(("be", "appear"))
    opening = rng.choice(("", "그림에는 " if verb == "be" else "그림에서 "))
    first = items[0]
    if len(items) == 1 and isinstance(first, Count) and rng.random() < 0.5:
        return f"{opening}{with_particle(phrase(first.description), '이/가')} {counted(first.n)} {verbs[verb]}"
    return f"{opening}{with_particle(list_phrase(items, rng), '이/가')} {verbs[verb]}"


def counted(n: int) -> str:
    return f"{NUMERALS[n]} {COUNTER}"


def list_phrase(items: Sequence[Item], rng: Rng) -> str:
    """``별과 원`` without numbers, ``별 두 개와 원 세 개`` with numbers, each after its noun.

    If one item has a number, all have one: ``별과 원 두 개`` could mean two objects in total. An ``Exists`` item then
    gets 하나: ``별 하나와 원 두 개``.
    """
    words = [phrase(item.description) for item in items]
    if any(isinstance(item, Count) for item in items):
        counts = [counted(item.n) if isinstance(item, Count) else ONE for item in items]
        words = [f"{word} {count}" for word, count in zip(words, counts, strict=True)]
    return joined(words, rng)


def predicate(part: Count, verbs: dict[str, str]) -> str:
    """``두 개는 빨간색이다``, ``하나는 작다``, ``두 개는 작은 별이다``."""
    d, topic = part.description, with_particle(ONE if part.n == 1 else counted(part.n), "은/는")
    if d.size and d.colour is d.shape is None:
        return f"{topic} {verbs[d.size]}"
    named = COLOURS[d.colour] if d.colour and d.size is d.shape is None else phrase(d)
    return f"{topic} {with_ending(named, verbs['copula'])}"


def phrase(d: Description) -> str:
    return " ".join(word for word in (SIZES.get(d.size), COLOURS.get(d.colour), NOUNS[d.shape]) if word)


def joined(phrases: Sequence[str], rng: Rng) -> str:
    """``가, 나와 다``; three or more items also as ``가, 나, 다``."""
    if len(phrases) == 1 or (len(phrases) > 2 and rng.random() < 0.5):
        return ", ".join(phrases)
    return f"{', '.join((*phrases[:-2], with_particle(phrases[-2], '와/과')))} {phrases[-1]}"
