"""What the authors' code says → function → test (Radford et al. 2021, section 2.4)

the last byte of a word carries </w>     to_word                test_word_by_hand
repair, HTML entities, spaces, case      clean                  test_cleaned
words: endings, letters, digits, signs   split_words            test_split_by_hand
merges → ids                             ClipTokenizer.encode   test_toy_merges_by_hand, test_known_ids

The reference is ``transformers.CLIPTokenizer``, built from the same merges: test_equals_transformers. It cleans texts
in another way: CLEAN_UP and AFTER_CLEAN_UP list the differences, and test_conventions shows both sides.
"""

import gzip
import json
import sys
import unicodedata
from collections.abc import Callable
from itertools import chain

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from clip_mini.extensions.clip_tokenizer import END, START, ClipTokenizer, alphabet, clean, split_words, to_word
from clip_mini.extensions.tokenizer_files import installed_merges, read_clip_tokenizer
from lab.peers import import_torchaudio
from tests.clip_mini.misconceptions import tokenizers as misconceptions

CLEANED = {  # the rule: a text, and what is encoded
    "lower case": ("A RED Star", "a red star"),
    "the final sigma": ("ΣΑΣ", "σας"),
    "spaces of all kinds are one": (" a\u3000 b\t\r\n\u2028c ", "a b c"),
    "an entity": ("salt &amp; pepper", "salt & pepper"),
    "an entity, escaped twice": ("<b>&amp;lt;3</b>", "<b><3</b>"),
    "a number as an entity": ("&#xD55C;&#44397;", "한국"),
    "typographic quotes": ("“it’s”", '"it\'s"'),
    "UTF-8 that was read as Windows-1252": ("itâ€™s a cafÃ©", "it's a café"),
    "ligatures and wide letters": ("ﬁne ＡＢＣ１２", "fine abc12"),
    "accents are composed": ("cafe\u0301", "café"),
    "Hangul is composed": ("\u1112\u1161\u11ab\u1100\u116e\u11a8", "한국"),
    "control characters and colours of a terminal go": ("a\0b\x1c \x1b[31mred\x1b[0m", "ab red"),
    "the byte order mark goes": ("\ufeffa", "a"),
    "a lone surrogate is no character": ("a \ud83d b", "a \ufffd b"),
    "both halves of a surrogate pair are one character": ("\ud83d\ude00", "😀"),
    "emoji stay": ("👩🏽‍🚀 👩‍👩‍👧 ❤\ufe0f", "👩🏽‍🚀 👩‍👩‍👧 ❤\ufe0f"),
    "nothing": ("", ""),
}

SPLIT = {  # the rule: a clean text, its words
    "letters": ("a red star", ["a", "red", "star"]),
    "English endings": ("it's we'll don't i'd've", ["it", "'s", "we", "'ll", "don", "'t", "i", "'d", "'ve"]),
    "an ending is only its letters": ("'sun", ["'s", "un"]),
    "each digit": ("in 2021", ["in", "2", "0", "2", "1"]),
    "signs together": ("wow!!! (a+b)", ["wow", "!!!", "(", "a", "+", "b", ")"]),
    "letters of all scripts": ("빨간 별star 猫", ["빨간", "별star", "猫"]),
    "a joined emoji is one word": ("a👩🏽‍🚀b", ["a", "👩🏽‍🚀", "b"]),
    "a mark alone is a sign": ("क्या", ["क", "\u094d", "य", "\u093e"]),
    "special tokens": ("a<|endoftext|>b", ["a", "<|endoftext|>", "b"]),
    "nothing": ("", []),
}

# The ids of the authors' own tokenizer for these captions are known from many examples of its use.
KNOWN = {
    "a photo of a cat": [320, 1125, 539, 320, 2368],
    "a photo of a dog": [320, 1125, 539, 320, 1929],
    "hello world!": [3306, 1002, 256],
    "a diagram": [320, 22697],
}

# The rule: a text, our symbols (which are the authors' too), and those that transformers 5 gives for it.
CLEAN_UP = {
    "entities are resolved": ("&lt;", "<</w>", "&</w> lt</w> ;</w>"),
    "typographic quotes are straight": ("’s", "'s</w>", "âĢ Ļ</w> s</w>"),
    "wide letters are Latin letters": ("Ａ", "a</w>", "ï ½ ģ</w>"),
    "ligatures are letters": ("ﬁ", "fi</w>", "ï ¬ ģ</w>"),
    "broken encodings are repaired": ("cafÃ©", "cafÃ©</w>", "caf Ã £</w> Â©</w>"),
    "control characters go": ("a\x1cb", "ab</w>", "a</w> Ĝ</w> b</w>"),
    "the byte order mark goes": ("\ufeffa", "a</w>", "ï » ¿</w> a</w>"),
    "a last sigma is final": ("ΑΣ", "Î ± Ï Ĥ</w>", "Î ± Ï ĥ</w>"),
    "a special token may have capitals": ("<|EndOfText|>", END, "< |</w> endof text</w> | ></w>"),
    "in both, Hangul is composed": ("\u1112\u1161\u11ab", "íķ ľ</w>", "íķ ľ</w>"),
    "in both, accents are composed": ("e\u0301", "Ã©</w>", "Ã©</w>"),
    "in both, a special token in a text is one": (f"a {END}", f"a</w> {END}", f"a</w> {END}"),
}
# The same if transformers gets the clean text. On all other texts, the ids are then equal.
AFTER_CLEAN_UP = {
    "what an entity brings is not composed": ("<e&#769;", "<</w> e</w> Ì ģ</w>", "<</w> Ã©</w>"),
    "a long s may be in an ending": ("'ſ", "' Å ¿</w>", "'</w> Å ¿</w>"),
    "a special token after a sign is none": (f":{END}", ": < |</w> endof text</w> | ></w>", f":</w> {END}"),
}


def listed(text: str) -> bool:
    """Whether AFTER_CLEAN_UP is about this text."""
    special = sum(text.count(token) - split_words(text).count(token) for token in (START, END))
    return special > 0 or "'ſ" in text or text != unicodedata.normalize("NFC", text)


HAND_MADE = [
    *(text for text, _ in (*CLEANED.values(), *SPLIT.values())),
    *(
        "Crème brûlée, naïve façade",
        "Der Fluß, ĲSSELMEER",
        "İstanbul",
        "ǅungla",
        "日本語のテキスト、漢字",
        "한국어로 쓴 글.",
    ),
    *("🏴\u200d☠️🇰🇷 👍🏿!!", "AT&amp;T &quot;x&quot; &nbsp; &bogus;", "they're I'M we'VE o'clock", "1,234.56 % ½ ² ١٢"),
    *("a\nb\r\n\tc", "\u200b\u200d\u2060", "a\u0301\u0323", "x" * 200, "!" * 100, "</w> <w/>", "Ġ Ċ", "\u0378"),
]
PIECES = (*"aAzé한ß'’&;<>|#1２ \n\0Σ🏽👩\u200d", "&amp;", "'s", "'LL", END)
TEXTS = st.one_of(
    st.text(max_size=30),
    st.text(st.characters(codec="latin-1"), max_size=30),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
)


@pytest.fixture(scope="module")
def ours() -> ClipTokenizer:
    return read_clip_tokenizer()


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    """``transformers.CLIPTokenizer`` from a folder with vocab.json and merges.txt."""
    import_torchaudio()
    from transformers import CLIPTokenizer

    folder = tmp_path_factory.mktemp("clip")
    lines = gzip.decompress(installed_merges().read_bytes()).decode().split("\n")[1:48895]
    visible = [chr(k) for k in chain(range(33, 127), range(161, 173), range(174, 256), range(256, 256 + 68))]
    symbols = [*visible, *(c + "</w>" for c in visible), *(line.replace(" ", "") for line in lines), START, END]
    (folder / "vocab.json").write_text(json.dumps({symbol: k for k, symbol in enumerate(symbols)}))
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines, ""]))
    return CLIPTokenizer.from_pretrained(folder)


def symbols(tokenizer: ClipTokenizer, ids: list[int]) -> str:
    return " ".join(tokenizer.symbols[index] for index in ids)


def check_word(candidate: Callable) -> None:
    for word, expected in {
        "low": ["l", "o", "w</w>"],
        "a": ["a</w>"],
        "é": ["Ã", "©</w>"],
        "a ": ["a", "Ġ</w>"],
    }.items():
        got = list(candidate(word))
        assert got == expected, f"the last byte of {word!r} carries </w>: expected {expected}, got {got}"


def check_cleaned(candidate: Callable, case: str) -> None:
    text, expected = CLEANED[case]
    got = candidate(text)
    assert got == expected, f"{case}: {text!r} is cleaned to {expected!r}, got {got!r}"


def test_word_by_hand() -> None:
    check_word(to_word)


@pytest.mark.parametrize("case", CLEANED)
def test_cleaned(case: str) -> None:
    check_cleaned(clean, case)


@pytest.mark.parametrize("case", SPLIT)
def test_split_by_hand(case: str) -> None:
    text, words = SPLIT[case]
    assert split_words(text) == words


def test_toy_merges_by_hand() -> None:
    """The merges l o, lo w</w>, lo w, e r</w>: "low" ends a word or does not. Ids: 512 bytes, 4 merges, start, end."""
    merges = [("l", "o"), ("lo", "w</w>"), ("lo", "w"), ("e", "r</w>")]
    ids = {symbol: k for k, symbol in enumerate((*alphabet(), *map("".join, merges), START, END))}
    tokenizer = ClipTokenizer(merges, ids)
    assert tokenizer.encode("Low LOWER  slow,") == [513, 514, 515, ids["s"], 513, ids[",</w>"]]
    assert (tokenizer.start, tokenizer.end, tokenizer.words) == (516, 517, 518)
    assert tokenizer.decode([516, 513, 514, 515, 517, 0]) == "low lower"
    rows, cut = tokenizer.encode_batch(["low", "low lower low"], context=4)
    assert rows.tolist() == [[516, 513, 517, 0], [516, 513, 514, 517]]
    assert cut == 1


@pytest.mark.parametrize("text", KNOWN)
def test_known_ids(ours, text: str) -> None:
    assert ours.encode(text) == KNOWN[text]
    assert (ours.start, ours.end, ours.words) == (49406, 49407, 49408)


def check_equal(ours, theirs, text: str) -> None:
    """The reference gets the clean text. The ids are equal, between start and end, and cut at 77."""
    expected = theirs(clean(text), truncation=True, max_length=77)["input_ids"]
    rows, cut = ours.encode_batch([text])
    got = rows[0].tolist()
    assert got == expected, f"{text!r}: got {symbols(ours, got)!r}, expected {symbols(ours, expected)!r}"
    assert cut == (len(theirs(clean(text))["input_ids"]) > 77), f"{text!r}: got {cut} texts that were cut"


@pytest.mark.parametrize("text", HAND_MADE)
def test_equals_transformers_by_hand(ours, theirs, text: str) -> None:
    check_equal(ours, theirs, text)


@given(TEXTS)
@example("a star " * 40)
def test_equals_transformers(ours, theirs, text: str) -> None:
    """Not drawn: characters that Python's Unicode does not know, which may be letters for a library."""
    assume(all(unicodedata.category(character) != "Cn" for character in text) and not listed(clean(text)))
    check_equal(ours, theirs, text)


@pytest.mark.parametrize("case", [*CLEAN_UP, *AFTER_CLEAN_UP])
def test_conventions(ours, theirs, case: str) -> None:
    text, here, there = (CLEAN_UP | AFTER_CLEAN_UP)[case]
    assert symbols(ours, ours.encode(text)) == here
    text = text if case in CLEAN_UP else clean(text)
    assert symbols(ours, theirs(text)["input_ids"][1:-1]) == there
    assert case in CLEAN_UP or listed(text)


@given(TEXTS)
def test_decode_gives_the_words(ours, text: str) -> None:
    words = split_words(clean(text))
    assume(not {START, END} & {*words})
    assert ours.decode(ours.encode(text)) == " ".join(words)


def test_context(ours) -> None:
    """77 ids fit with start and end; a longer text is cut before its end, and counted."""
    rows, cut = ours.encode_batch(["a " * 75, "a " * 76, "b"])
    assert (tuple(rows.shape), cut) == ((3, 77), 1)
    assert rows[:, -1].tolist() == [ours.end, ours.end, 0]
    assert rows[2, :3].tolist() == [ours.start, ours.encode("b")[0], ours.end]


def test_the_package_is_not_imported(ours) -> None:
    assert "clip" not in sys.modules


@pytest.mark.parametrize("wrong", misconceptions.WORD_ENDS, ids=lambda function: function.__name__)
def test_wrong_end_of_word_is_caught(wrong: Callable) -> None:
    with pytest.raises(AssertionError, match="the last byte of 'low' carries </w>"):
        check_word(wrong)


@pytest.mark.parametrize("wrong", misconceptions.CLEANERS, ids=lambda function: function.__name__)
def test_wrong_cleaning_is_caught(wrong: Callable) -> None:
    check_cleaned(wrong, "an entity")  # it is wrong in one point, not broken
    with pytest.raises(AssertionError, match=misconceptions.CLEANERS[wrong]):
        check_cleaned(wrong, misconceptions.CLEANERS[wrong])
