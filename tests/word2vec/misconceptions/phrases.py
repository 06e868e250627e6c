"""Wrong searches for phrases that people really write. Each must fail the tests of ``word2vec.extensions.phrases``."""

from collections import Counter
from itertools import chain, pairwise

from word2vec.extensions.phrases import count_words_and_bigrams, join_phrases, phrase_scores


def pairs_across_sentences(sentences):
    """Tempting because a corpus is one stream of words; the last word of a sentence has no neighbour on its right."""
    stream = list(chain.from_iterable(sentences))
    return Counter(stream), Counter(pairwise(stream))


def pairs_without_overlap(sentences):
    """Tempting because joins do not overlap; counts do, "a b c" holds both a b and b c."""
    sentences = list(sentences)
    pairs = Counter(pair for sentence in sentences for pair in zip(sentence[::2], sentence[1::2], strict=False))
    return count_words_and_bigrams(sentences)[0], pairs


def pairs_as_one_string(sentences):
    """Tempting because the joined word is wanted anyway; "a_b" "c" and "a" "b_c" are then counted as one."""
    words, bigrams = count_words_and_bigrams(sentences)
    joined = Counter()
    for (a, b), count in bigrams.items():
        joined[f"{a}_{b}"] += count
    return words, Counter({(a, b): joined[f"{a}_{b}"] for a, b in bigrams})


def no_discount(words, bigrams, discount=5):
    """Tempting because it is a quotient of frequencies; two words that occur once, together, then score highest."""
    return phrase_scores(words, bigrams, 0)


def times_the_vocabulary(words, bigrams, discount=5):
    """Tempting because gensim does it; the score of the same pair then changes when the same text is read twice."""
    return {pair: s / words.total() * len(words) for pair, s in phrase_scores(words, bigrams, discount).items()}


def divided_by_the_sum(words, bigrams, discount=5):
    """Tempting because it looks like a share of both words; independence is a product."""
    n = words.total()
    return {(a, b): (count - discount) * n / (words[a] + words[b]) for (a, b), count in bigrams.items()}


def overlapping_joins(sentence, phrases, joiner="_"):
    """Tempting because every phrase is looked up; a word is then written twice."""
    inside = {i for i, pair in enumerate(pairwise(sentence)) if pair in phrases}
    ends = {i + 1 for i in inside}
    return [
        joiner.join(sentence[i : i + 2]) if i in inside else word
        for i, word in enumerate(sentence)
        if i in inside or i not in ends
    ]


def chained_joins(sentence, phrases, joiner="_"):
    """Tempting because it is one line less; "a b c" becomes one word though nobody has scored it."""
    joined, last = [], None
    for word in sentence:
        if (last, word) in phrases:
            joined[-1] += joiner + word
        else:
            joined.append(word)
        last = word
    return joined


def joins_from_the_right(sentence, phrases, joiner="_"):
    """Tempting because popping from the end is cheap; of two overlapping phrases the wrong one wins."""
    turned = join_phrases(sentence[::-1], {(b, a) for a, b in phrases}, "\0")
    return [joiner.join(word.split("\0")[::-1]) for word in turned[::-1]]


def text_replaced(sentence, phrases, joiner="_"):
    """Tempting because ``str.replace`` is at hand; it also finds phrases inside of words."""
    text = " ".join(sentence)
    for a, b in phrases:
        text = text.replace(f"{a} {b}", f"{a}{joiner}{b}")
    return text.split()


COUNTS = (pairs_across_sentences, pairs_without_overlap, pairs_as_one_string)
SCORES = (no_discount, times_the_vocabulary, divided_by_the_sum)
JOINS = (overlapping_joins, chained_joins, joins_from_the_right, text_replaced)
