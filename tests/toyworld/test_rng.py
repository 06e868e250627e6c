"""``toyworld.rng``: uniform, the same on every platform, and each name has a sequence of its own."""

import hashlib
from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toyworld.counting import check_uniform
from toyworld.rng import Rng

DRAWS = 6000


def test_a_sample_has_no_duplicates_and_does_not_change_the_options() -> None:
    options = [3, 1, 4, 5]
    assert sorted(Rng("s").sample(options, 4)) == [1, 3, 4, 5]
    assert options == [3, 1, 4, 5]
    assert Rng("s").sample(options, 0) == []


@pytest.mark.parametrize(
    ("draw", "outcomes"),
    [
        (lambda rng: rng.choice("abcde"), list("abcde")),
        (lambda rng: rng.integer(-2, 4), list(range(-2, 5))),
        (lambda rng: rng.integer(3, 3), [3]),
        (lambda rng: int(10 * (rng.between(-3.0, -2.0) + 3)), list(range(10))),
        (lambda rng: tuple(rng.sample("abcd", 2)), list(permutations("abcd", 2))),
        (lambda rng: tuple(rng.shuffle("abcd")), list(permutations("abcd"))),
    ],
    ids=["choice", "integer", "integer of one", "between", "sample", "shuffle"],
)
def test_every_outcome_is_equally_likely(draw, outcomes: list) -> None:
    one = Rng("uniform")
    check_uniform(Counter(draw(one) for _ in range(DRAWS)), outcomes, "one generator, many draws")
    check_uniform(Counter(draw(Rng(f"{i}")) for i in range(DRAWS)), outcomes, "many generators, one draw each")


NAMES = st.text("ab/0é한", max_size=5)


@given(name=NAMES, other=NAMES, turns=st.lists(st.booleans(), max_size=9))
def test_generators_share_no_state(name: str, other: str, turns: list[bool]) -> None:
    alone, beside, neighbour = Rng(name), Rng(name), Rng(other)
    for neighbour_draws in turns:
        if neighbour_draws:
            neighbour.random()
        assert beside.random() == alone.random()


def test_similar_names_have_different_numbers() -> None:
    firsts = [Rng(f"{split}/{seed}/{i}").random() for split in "ab" for seed in range(3) for i in range(300)]
    assert len(set(firsts)) == len(firsts)


def test_the_first_number_is_the_published_algorithm() -> None:
    """Python seeds the Mersenne Twister with the bytes of the text and of its SHA-512 hash, as one big-endian number
    (seed version 2, since Python 3.2). ``random()`` joins 27 and 26 bits of two outputs.
    """
    name = "train/0/17/scene"
    key = int.from_bytes(name.encode() + hashlib.sha512(name.encode()).digest(), "big")
    first, second = mersenne_twister(key, 2)
    expected = ((first >> 5) * 2**26 + (second >> 6)) / 2**53
    assert Rng(name).random() == expected


def mersenne_twister(key: int, count: int) -> list[int]:
    """The first outputs of MT19937 after ``init_by_array`` with the 32-bit words of ``key``, the lowest first
    (Matsumoto & Nishimura 2002, mt19937ar.c)."""
    words = [key >> 32 * k & 0xFFFFFFFF for k in range((key.bit_length() + 31) // 32)]
    state = [19650218]
    for i in range(1, 624):
        state.append(1812433253 * (state[-1] ^ state[-1] >> 30) + i & 0xFFFFFFFF)
    i = 1
    for step in range(max(624, len(words)) + 623):
        mixed = state[i - 1] ^ state[i - 1] >> 30
        if step < max(624, len(words)):
            j = step % len(words)
            state[i] = (state[i] ^ mixed * 1664525) + words[j] + j & 0xFFFFFFFF
        else:
            state[i] = (state[i] ^ mixed * 1566083941) - i & 0xFFFFFFFF
        i += 1
        if i == 624:
            state[0], i = state[623], 1
    state[0] = 0x80000000
    out = []
    for k in range(count):
        y = state[k] & 0x80000000 | state[k + 1] & 0x7FFFFFFF
        y = state[k + 397] ^ y >> 1 ^ (0x9908B0DF if y & 1 else 0)
        y ^= y >> 11
        y ^= y << 7 & 0x9D2C5680
        y ^= y << 15 & 0xEFC60000
        out.append(y ^ y >> 18)
    return out
