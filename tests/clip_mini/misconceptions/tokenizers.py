"""Wrong tokenizers that people really write. Each must fail the tests of ``byte_pair`` or of ``clip_tokenizer``."""

import html
from collections import Counter
from itertools import pairwise

import ftfy

from clip_mini.extensions.byte_pair import learn_merges_spec, merge_pair, split_words, to_symbols, to_text

# Learning: (words with their counts, how many merges) → the merges.


def _learn(words, merges, count=None, rank=None):
    ids = {symbol: k for k, symbol in enumerate(sorted({symbol for word in words for symbol in word}))}
    words, learned = list(words.items()), []
    for _ in range(merges):
        counts = Counter()
        for word, times in words:
            for pair, places in (count or (lambda word: Counter(pairwise(word))))(word).items():
                counts[pair] += places * times
        if not counts:
            break
        best = min(counts, key=rank(counts) if rank else lambda pair: (-counts[pair], ids[pair[0]], ids[pair[1]]))  # noqa: B023
        words = [(merge_pair(word, best), times) for word, times in words]
        ids["".join(best)] = len(ids)
        learned.append(best)
    return learned


def overlapping_pairs_once(words, merges):
    """Tempting because of "aaa" only one pair can be merged; Algorithm 1 counts places, and here there are two."""

    def count(word):
        counts, end_of_last = Counter(), {}
        for place, pair in enumerate(pairwise(word)):
            if end_of_last.get(pair, -1) < place:
                counts[pair] += 1
                end_of_last[pair] = place + 1
        return counts

    return _learn(words, merges, count)


def a_pair_once_in_each_word(words, merges):
    """Tempting because document frequencies are counted so; a pair that comes twice in a word then counts once."""
    return _learn(words, merges, lambda word: Counter(set(pairwise(word))))


def across_the_border_of_words(words, merges):
    """Tempting because it is one loop less; the most frequent pair of English is then "e" and a space."""
    return learn_merges_spec({tuple(symbol for word, count in words.items() for symbol in count * word): 1}, merges)


def each_word_once(words, merges):
    """Tempting because a set of words is a vocabulary; rare words then count as much as frequent ones."""
    return learn_merges_spec(dict.fromkeys(words, 1), merges)


def counted_only_at_the_start(words, merges):
    """Tempting because ``most_common(merges)`` is one line; no merge can then use the result of another."""
    counts = Counter()
    for word, times in words.items():
        for pair in pairwise(word):
            counts[pair] += times
    return sorted(counts, key=lambda pair: (-counts[pair], pair))[:merges]


def first_pair_that_was_counted(words, merges):
    """Tempting because ``max(counts, key=counts.get)`` stands in the paper; the order of the texts then decides."""
    return _learn(words, merges, rank=lambda counts: lambda pair: -counts[pair])


def ties_by_the_alphabet(words, merges):
    """Tempting because tuples compare so; a merged symbol is then as old as its first letter."""
    return _learn(words, merges, rank=lambda counts: lambda pair: (-counts[pair], pair))


# Encoding one word: (symbols, ranks of the merges) → symbols.


def from_left_to_right(symbols, ranks):
    """Tempting because one reads so; the merge that was learned first goes first, wherever it is."""
    while pairs := [pair for pair in pairwise(symbols) if pair in ranks]:
        symbols = merge_pair(symbols, pairs[0])
    return symbols


def longest_symbol_first(symbols, ranks):
    """Tempting because WordPiece (BERT) does so; the symbols exist, but training never saw them in this word."""
    known, found = {"".join(pair) for pair in ranks}, []
    while symbols:
        width = next(w for w in range(len(symbols), 0, -1) if w == 1 or "".join(symbols[:w]) in known)
        found.append("".join(symbols[:width]))
        symbols = symbols[width:]
    return tuple(found)


def one_place_for_each_rank(symbols, ranks):
    """Tempting because a rank looks like a step; a merge applies to all places of the word."""
    for pair in sorted(ranks, key=ranks.get):
        for place, found in enumerate(pairwise(symbols)):
            if found == pair:
                symbols = (*symbols[:place], "".join(pair), *symbols[place + 2 :])
                break
    return symbols


# Text → words. Joined, the words must be the text.


def words_without_spaces(text):
    """Tempting because ``split`` is what tokenizers of words do; nobody can then tell where spaces were."""
    return text.split()


def words_of_letters_only(text):
    """Tempting because ``\\w+`` finds words; punctuation, emoji and marks are then lost without an error."""
    return [word for word in split_words(text) if word.strip(" ").isalnum() or word.isspace()]


# Ids → text.


def each_token_by_itself(tokenizer, ids):
    """Tempting because a token looks like a piece of text; a Hangul syllable is three bytes, and they can be in two
    tokens."""
    return "".join(to_text([symbol]) for symbol in tokenizer.symbols_of(ids))


def bytes_that_are_no_text_left_out(tokenizer, ids):
    """Tempting because no ugly character comes; a text that was cut then looks whole."""
    symbols = tokenizer.symbols_of(ids)
    return to_text(symbols).replace("\ufffd", "")


# Texts → a batch.


def cut_with_the_end_token(tokenizer, texts, context):
    """Tempting because it is one slice; the encoder reads at the end token, and finds none."""
    ids, _ = tokenizer.encode_batch(texts, 1_000)
    return ids[:, :context], int((ids[:, context:] != 0).any(dim=1).sum())


def one_token_too_many(tokenizer, texts, context):
    """Tempting because only the end token comes back in mind; the start token needs a place, too."""
    return tokenizer.encode_batch(texts, context + 1)


# CLIP: a word → symbols, and a text → a clean text.


def end_of_word_forgotten(word):
    """Tempting because GPT-2 has none; "star" at the end of a word then gets the id of "star" in "starfish"."""
    return to_symbols(word)


def end_of_word_as_a_symbol(word):
    """Tempting because Sennrich et al. write it so; in CLIP's file it belongs to the last byte."""
    return (*to_symbols(word), "</w>")


def resolved_once(text):
    """Tempting because once is enough for HTML; captions from the web are often escaped twice."""
    return " ".join(html.unescape(ftfy.fix_text(text)).lower().split())


def encoding_not_repaired(text):
    """Tempting because ``lower`` and ``split`` look like all of it; ftfy also changes quotes, widths and ligatures."""
    return " ".join(html.unescape(html.unescape(text)).lower().split())


LEARNERS = {  # the case that catches it
    overlapping_pairs_once: "a pair that overlaps itself counts at each place",
    a_pair_once_in_each_word: "a pair counts at each place of a word",
    across_the_border_of_words: "pairs do not cross words",
    each_word_once: "words count as often as they occur",
    counted_only_at_the_start: "low lower newest widest",
    first_pair_that_was_counted: "ties: the smaller left id",
    ties_by_the_alphabet: "ties: a new symbol is the youngest",
}
APPLIERS = {
    from_left_to_right: "the first rank, not the first place",
    longest_symbol_first: "ranks decide, not lengths",
    one_place_for_each_rank: "all places of a pair",
}
SPLITTERS = (words_without_spaces, words_of_letters_only)
DECODERS = {
    each_token_by_itself: "a syllable in two tokens",
    bytes_that_are_no_text_left_out: "a syllable that was cut",
}
BATCHERS = (cut_with_the_end_token, one_token_too_many)
WORD_ENDS = (end_of_word_forgotten, end_of_word_as_a_symbol)
CLEANERS = {resolved_once: "an entity, escaped twice", encoding_not_repaired: "typographic quotes"}
