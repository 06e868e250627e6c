"""What the papers say → function → test (Sennrich et al. 2016; Radford et al. 2019)

Algorithm 1, the most frequent pair        learn_merges, learn_merges_spec   test_learned_by_hand
the same merges encode a new word          apply_merges                      test_applied_by_hand
bytes: every text can be encoded           split_words, BytePairs            test_lossless
a text that is cut keeps its end           encode_batch                      test_batch_by_hand

The reference for learning and encoding is the ``tokenizers`` library.
"""

import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from clip_mini.extensions.byte_pair import (
    WORD,
    BytePairs,
    apply_merges,
    byte_characters,
    learn_merges,
    learn_merges_spec,
    split_words,
    to_symbols,
    to_text,
    train_byte_pairs,
)
from tests.clip_mini.misconceptions import tokenizers as misconceptions

# Words are written with their symbols as letters; "Ġ" is the space before a word. In "low lower newest widest", each
# round has the pair that is merged, and how often it occurs. Two examples of ties, by the rule that the smaller id
# comes first: round 1, (e, s) and (s, t) both occur 9 times, and e is before s. Round 4, (Ġ, lo) and (lo, w) both occur
# 7 times, and the byte Ġ is older than the new symbol lo.
LEARNED = {  # the rule: words with their counts, and each round
    "low lower newest widest": (
        {"Ġlow": 5, "Ġlower": 2, "Ġnewest": 6, "Ġwidest": 3},
        [
            *("e s 9", "es t 9", "l o 7", "Ġ lo 7", "Ġlo w 7", "e w 6", "n ew 6", "Ġ new 6", "Ġnew est 6", "d est 3"),
            *("i dest 3", "w idest 3", "Ġ widest 3", "e r 2", "Ġlow er 2"),
        ],
    ),
    "the end of a word is a symbol like others": ({"ab_": 2, "cb_": 1}, ["b _ 3", "a b_ 2", "c b_ 1"]),
    "words count as often as they occur": (
        {"ab": 1, "ac": 1, "xac": 1, "zb": 4},
        ["z b 4", "a c 2", "a b 1", "x ac 1"],
    ),
    "a pair counts at each place of a word": ({"abxab": 2, "cd": 3}, ["a b 4", "c d 3", "x ab 2", "ab xab 2"]),
    "a pair that overlaps itself counts at each place": ({"aaa": 2, "bc": 3}, ["a a 4", "b c 3", "aa a 2"]),
    "and is merged from the left": ({"aaaaa": 1}, ["a a 4", "aa a 1", "aa aaa 1"]),
    "pairs do not cross words": ({"ab": 2, "ba": 1}, ["a b 2", "b a 1"]),
    "ties: the smaller left id": ({"cd": 1, "ab": 1}, ["a b 1", "c d 1"]),
    "ties: then the smaller right id": ({"ac": 1, "ab": 1}, ["a b 1", "a c 1"]),
    "ties: a new symbol is the youngest": ({"abc": 2, "de": 2}, ["a b 2", "d e 2", "ab c 2"]),
    "no pair is left": ({"a": 3}, []),
    "no words": ({}, []),
}  # fmt: skip

APPLIED = {  # the rule: merges in the order in which they were learned, a word, its symbols
    "no merge fits": (["a b"], "ba", "b a"),
    "all places of a pair": (["a b"], "abcab", "ab c ab"),
    "a new symbol merges again": (["e s", "es t"], "newest", "n e w est"),
    "the first rank, not the first place": (["b c", "a b"], "abc", "a bc"),
    "ranks decide, not lengths": (["b c", "a b", "ab c"], "abc", "a bc"),
    "overlapping places, from the left": (["a a"], "aaa", "aa a"),
    "one symbol": (["a b"], "a", "a"),
    "lowest, which was never seen": (["e s", "es t", "l o", "lo w", "e w"], "lowest", "low est"),
}

ODD = (  # Hangul composed and decomposed, emoji with skin tone and joiner, marks alone, spaces of all kinds
    *("한국어", "\u1112\u1161\u11ab", "👩🏽‍🚀 👩‍👩‍👧!", "e\u0301", "\u0301", "\U0010ffff", "\0", "\ufeffa", "a\u200bb"),
    *("  a  b ", "\t\ta\r\n b\n", "a\u3000b\u00a0 c", "\x1c\x85\u2028", "it's 3.14_x", "<start><end>", "Ġ", "", " "),
    *("नमस्ते", "½²"),
)  # fmt: skip
TEXTS = st.one_of(st.sampled_from(ODD), st.text(), st.text(st.sampled_from("ab 가é😀\n"), max_size=20))
WORDS = st.dictionaries(st.text("abc", min_size=1, max_size=7).map(tuple), st.integers(1, 4), max_size=7)
KOREAN = train_byte_pairs(["a small red circle", "작은 빨간 원", "작은 파란 별", "작은 별"], merges=12)


def check_learned(learn: Callable, case: str) -> None:
    words, rounds = LEARNED[case]
    got = [" ".join(pair) for pair in learn({tuple(word): count for word, count in words.items()}, 100)]
    for number, right in enumerate(rounds):
        pair, count = right.rsplit(" ", 1)
        came = got[number] if number < len(got) else "nothing"
        assert came == pair, (
            f"Algorithm 1, {case}: round {number + 1} merges {pair!r}, which occurs {count} times, got {came!r}"
        )
    assert len(got) == len(rounds), f"Algorithm 1, {case}: no pair is left after round {len(rounds)}, got {got[-1]!r}"


def check_applied(apply: Callable, case: str) -> None:
    merges, word, expected = APPLIED[case]
    got = " ".join(apply(tuple(word), {tuple(merge.split()): rank for rank, merge in enumerate(merges)}))
    assert got == expected, f"{case}: {word!r} by the merges {merges}, in this order, is {expected!r}, got {got!r}"


def check_split(split: Callable, text: str) -> None:
    got = "".join(split(text))
    place = next((k for k, (a, b) in enumerate(zip(got, text, strict=False)) if a != b), min(len(got), len(text)))
    assert got == text, f"the words of {text!r}, joined, differ from it at character {place}: got {got!r}"


DECODED = {  # the rule: ids, text
    "letters": (KOREAN.encode("a circle"), "a circle"),
    "a syllable in two tokens": (KOREAN.encode("빨간 원"), "빨간 원"),
    "a syllable that was cut": (KOREAN.encode("가")[:2], "\ufffd"),
    "up to the first end": ([KOREAN.start, *KOREAN.encode("원"), KOREAN.end, 0, 0], "원"),
    "nothing": ([], ""),
}


def check_decoded(decode: Callable, case: str) -> None:
    ids, expected = DECODED[case]
    got = decode(KOREAN, ids)
    assert got == expected, f"{case}: the bytes of all tokens are joined, then decoded: {expected!r}, got {got!r}"


def check_batch(encode_batch: Callable, context: int) -> None:
    """Texts of 1, 3 and 5 bytes without merges; with start and end 3, 5 and 7 ids."""
    tokenizer = BytePairs([])
    texts, (start, end), a = ["a", "aaa", "aaaaa"], (256, 257), 64  # GPT-2's id of "a" is 64
    got, cut = encode_batch(tokenizer, texts, context)
    kept = [min(len(text), context - 2) for text in texts]
    expected = [[start, *[a] * k, end, *[0] * (max(kept) - k)] for k in kept]
    assert got.tolist() == expected, f"context {context}: start, at most {context - 2} ids, end; got {got.tolist()}"
    assert cut == sum(len(text) + 2 > context for text in texts), f"context {context}: got {cut} texts that were cut"


@pytest.mark.parametrize("case", LEARNED)
@pytest.mark.parametrize("learn", [learn_merges, learn_merges_spec])
def test_learned_by_hand(learn: Callable, case: str) -> None:
    check_learned(learn, case)


@given(WORDS, st.integers(0, 12))
@example({tuple("aaaa"): 1, tuple("baaa"): 2}, 9)
def test_fast_equals_spec(words: dict, merges: int) -> None:
    assert learn_merges(words, merges) == learn_merges_spec(words, merges)


@given(WORDS, st.integers(0, 6), st.randoms(use_true_random=False))
def test_order_of_words_and_number_of_merges(words: dict, merges: int, random) -> None:
    """The order of the words does not matter. Fewer merges are the first ones."""
    shuffled = list(words.items())
    random.shuffle(shuffled)
    assert learn_merges(dict(shuffled), merges) == learn_merges(words, 100)[:merges]


@given(WORDS)
def test_each_merge_shortens_the_words(words: dict) -> None:
    """A merge of two different symbols shortens the words by as many symbols as its pair has places. All merges
    together leave one symbol of each word, and no two of them make the same symbol."""
    merges = learn_merges(words, 1000)
    ranks = {}
    for pair in merges:
        before = {word: apply_merges(word, ranks) for word in words}
        places = sum(words[word] * Counter(pairwise(before[word]))[pair] for word in words)
        ranks[pair] = len(ranks)
        shorter = sum(words[word] * (len(before[word]) - len(apply_merges(word, ranks))) for word in words)
        assert shorter == places if pair[0] != pair[1] else 0 < shorter <= places
    assert all(apply_merges(word, ranks) == ("".join(word),) for word in words)
    assert len({"".join(pair) for pair in merges}) == len(merges)


@pytest.mark.parametrize("case", APPLIED)
def test_applied_by_hand(case: str) -> None:
    check_applied(apply_merges, case)


@given(WORDS, st.text("abc", max_size=9))
def test_ranks_replay_training(words: dict, word: str) -> None:
    """To merge the smallest rank first is to do all rounds of training, one after the other, on the new word."""
    merges, replayed = learn_merges_spec(words, 8), tuple(word)
    for a, b in merges:
        rest, replayed = replayed, ()
        while rest:
            width = 2 if rest[:2] == (a, b) else 1
            replayed, rest = (*replayed, "".join(rest[:width])), rest[width:]
    assert apply_merges(tuple(word), {pair: rank for rank, pair in enumerate(merges)}) == replayed


def test_bytes_of_gpt2() -> None:
    characters = byte_characters()
    assert "".join(map(characters.get, "a~ \n한".encode())) == "a~ĠĊíķľ"
    assert set(characters) == set(range(256))
    assert set(characters.values()) == set(pre_tokenizers.ByteLevel.alphabet())
    assert BytePairs([]).encode("!a ~\n\0") == [0, 64, 220, 93, 198, 188]  # ids of GPT-2's published vocabulary


@pytest.mark.parametrize(
    ("text", "words"),
    {
        "a small  star.\n": ["a", " small", " ", " star", ".", "\n"],
        "별 3개, it's\t!": ["별", " 3개", ",", " it", "'", "s", "\t", "!"],
        "👩‍🚀  ": ["👩‍🚀", "  "],
    }.items(),
)
def test_words_by_hand(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@given(TEXTS)
def test_words_are_the_text(text: str) -> None:
    check_split(split_words, text)


@given(st.lists(TEXTS, max_size=4), TEXTS, st.integers(0, 20))
@example(list(ODD), "\n".join(ODD), 200)
def test_lossless(texts: list[str], text: str, merges: int) -> None:
    tokenizer = train_byte_pairs(texts, merges)
    ids = tokenizer.encode(text)
    assert all(0 <= index < tokenizer.start for index in ids)
    assert tokenizer.decode(ids) == text
    assert to_text(to_symbols(text)) == text


@pytest.mark.parametrize("case", DECODED)
def test_decoded_by_hand(case: str) -> None:
    check_decoded(BytePairs.decode, case)


@pytest.mark.parametrize("context", range(2, 9))
def test_batch_by_hand(context: int) -> None:
    check_batch(BytePairs.encode_batch, context)


def test_ids() -> None:
    """256 bytes, the merges, start, end."""
    tokenizer = train_byte_pairs(["aab", "aab"], 1)
    assert tokenizer.merges == (("a", "a"),)  # a tie with (a, b)
    assert (tokenizer.encode("aab"), tokenizer.start, tokenizer.end, tokenizer.words) == ([256, 65], 257, 258, 259)


SIMPLE = st.text(st.sampled_from("abc  가각나😀.!"), max_size=30)  # on which \w means the same in Python and in Rust


@given(st.lists(SIMPLE, max_size=5), SIMPLE, st.integers(0, 30))
def test_equals_tokenizers(texts: list[str], text: str, merges: int) -> None:
    """The library's trainer has the same merges in the same order, ties included, and the same ids."""
    reference = Tokenizer(models.BPE())
    reference.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORD), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    reference.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=256 + merges, initial_alphabet=alphabet, show_progress=False)
    reference.train_from_iterator(texts, trainer)
    tokenizer = train_byte_pairs(texts, merges)
    assert [list(pair) for pair in tokenizer.merges] == json.loads(reference.to_str())["model"]["merges"]
    assert tokenizer.encode(text) == reference.encode(text).ids
    assert tokenizer.decode(tokenizer.encode(text)) == reference.decode(reference.encode(text).ids)


WRONG = {
    "half of a pair": (lambda: KOREAN.encode("a \ud83d"), r"character 1 of ' .ud83d' is a lone surrogate, U.D83D"),
    "both halves": (lambda: KOREAN.encode("\ud83d\ude00"), "lone surrogate, U.D83D; allowed is every Unicode char"),
    "training": (lambda: train_byte_pairs(["\udc00"], 3), "lone surrogate, U.DC00"),
    "merges": (lambda: train_byte_pairs(["a"], -1), "merges must be at least 0, got -1"),
    "context": (lambda: KOREAN.encode_batch(["a"], 1), "context must be at least 2, .* got 1"),
    "id": (lambda: KOREAN.decode([999]), "got the token id 999, allowed are 0 to 269"),
    "unknown symbol": (lambda: BytePairs([("a", "b"), ("ab", "cd")]), "merge 2: got 'ab cd', allowed are two sym"),
    "made twice": (lambda: BytePairs([("a", "b"), ("a", "b")]), "merge 2: got 'a b'"),
}  # fmt: skip


@pytest.mark.parametrize(("call", "message"), WRONG.values(), ids=WRONG)
def test_wrong_input(call: Callable, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("wrong", misconceptions.LEARNERS, ids=lambda function: function.__name__)
def test_wrong_learning_is_caught(wrong: Callable) -> None:
    check_learned(wrong, "no words")  # it is wrong in one point, not broken
    with pytest.raises(AssertionError, match=misconceptions.LEARNERS[wrong]):
        check_learned(wrong, misconceptions.LEARNERS[wrong])


@pytest.mark.parametrize("wrong", misconceptions.APPLIERS, ids=lambda function: function.__name__)
def test_wrong_encoding_is_caught(wrong: Callable) -> None:
    check_applied(wrong, "a new symbol merges again")
    with pytest.raises(AssertionError, match=misconceptions.APPLIERS[wrong]):
        check_applied(wrong, misconceptions.APPLIERS[wrong])


@pytest.mark.parametrize("wrong", misconceptions.SPLITTERS, ids=lambda function: function.__name__)
def test_wrong_words_are_caught(wrong: Callable) -> None:
    check_split(wrong, "star")
    with pytest.raises(AssertionError, match="joined, differ from it at character"):
        check_split(wrong, "a star, 별 👩‍🚀")


@pytest.mark.parametrize("wrong", misconceptions.DECODERS, ids=lambda function: function.__name__)
def test_wrong_decoding_is_caught(wrong: Callable) -> None:
    check_decoded(wrong, "letters")
    with pytest.raises(AssertionError, match=misconceptions.DECODERS[wrong]):
        check_decoded(wrong, misconceptions.DECODERS[wrong])


@pytest.mark.parametrize("wrong", misconceptions.BATCHERS, ids=lambda function: function.__name__)
def test_wrong_batch_is_caught(wrong: Callable) -> None:
    check_batch(wrong, 8)
    with pytest.raises(AssertionError, match="context 5"):
        check_batch(wrong, 5)
