r"""Phrases: words that together have a meaning of their own (Mikolov et al. 2013b, arXiv 1310.4546, section 4).

The meaning of "Air Canada" is not the sum of "air" and "Canada". Two neighbouring words that occur together far more
often than their counts suggest are joined into one word, ``Air_Canada``, with a vector of its own. Several passes make
longer phrases; the paper runs two to four, with falling thresholds.

What differs:

- Equation 6 has no factor, so its threshold has to fall as the corpus grows. The authors' ``word2phrase.c`` multiplies
  by the number of words in the corpus, and so do we: the score is then about how many times more often the pair occurs
  than two independent words would, whatever the size of the corpus. A threshold of the paper is ours divided by that
  number. gensim's ``original_scorer`` multiplies by the length of its vocabulary instead, in which words and pairs
  are counted together.
- ``word2phrase.c`` and gensim use one number as discount and as least count; here they are two.
- Both store a pair as one string. So the pairs "a_b" "c" and "a" "b_c" share a count, and so do the pair "a" "b" and
  the word "a_b". Here a pair is a tuple.
- ``word2phrase.c`` is meant to skip pairs across line ends. Because of a bug (``start`` is reset before it is checked)
  it counts them. We do not, and gensim does not.
- It drops rare pairs when its table is full. Here all counts are kept: the memory grows with the distinct pairs.
"""

import math
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from lab.checkpoint import replacing

Pair = tuple[str, str]


def count_words_and_bigrams(sentences: Iterable[Sequence[str]]) -> tuple[Counter[str], Counter[Pair]]:
    """The counts of words, and of pairs of neighbours within a sentence."""
    words, bigrams = Counter(), Counter()
    for sentence in sentences:
        words.update(sentence)
        bigrams.update(pairwise(sentence))
    return words, bigrams


def phrase_scores(words: Counter[str], bigrams: Counter[Pair], discount: int | float = 5) -> dict[Pair, float]:
    r"""2013b, equation 6, times the number of words in the corpus, N:

    .. math:: \mathrm{score}(w_i, w_j) = \frac{\mathrm{count}(w_i w_j) - \delta}
        {\mathrm{count}(w_i) \times \mathrm{count}(w_j)} \times N

    Args:
            words: how often each word occurs, of the whole corpus: N is their sum.
        bigrams: the pairs to be scored.
        discount: δ, subtracted from each count, so that two rare words do not become a phrase by chance.
    """
    n = words.total()
    return {(a, b): (count - discount) * n / (words[a] * words[b]) for (a, b), count in bigrams.items()}


def find_phrases(
    words: Counter[str],
    bigrams: Counter[Pair],
    discount: int | float = 5,
    threshold: int | float = 100,
    min_count: int = 5,
) -> dict[Pair, float]:
    """The pairs that occur at least ``min_count`` times and score above ``threshold``, the highest score first.

    The defaults are those of ``word2phrase.c``. See ``phrase_scores`` for the score.
    """
    frequent = Counter({pair: count for pair, count in bigrams.items() if count >= min_count})
    scores = phrase_scores(words, frequent, discount)
    found = [(pair, score) for pair, score in scores.items() if score > threshold]
    return dict(sorted(found, key=lambda item: -item[1]))


def join_phrases(sentence: Sequence[str], phrases: Container[Pair], joiner: str = "_") -> list[str]:
    """The sentence with its phrases joined, from left to right; a joined word is not joined again."""
    joined, open_word = [], None  # the last word, unless it is joined already
    for word in sentence:
        if open_word is not None and (open_word, word) in phrases:
            joined[-1], open_word = open_word + joiner + word, None
        else:
            joined.append(word)
            open_word = word
    return joined


def write_phrases(
    source: Path,
    target: Path,
    thresholds: Sequence[int | float] = (100,),
    discount: int | float = 5,
    min_count: int = 5,
) -> list[Counter[Pair]]:
    """Writes a text with its phrases joined, in one pass for each threshold. After an error the old file is unchanged.

    Args:
        source: UTF-8, one sentence a line. It is read once for each pass and once more for writing, line by line.
        target: words with one space between them; it may be the source, which is replaced only at the end.
        thresholds: one for each pass, usually falling; a pass reads the text as the passes before have joined it.

    Returns:
        For each pass, the phrases with their counts.

    Raises:
        ValueError: if ``thresholds`` is empty, or the source holds no words or is not UTF-8.
        OSError: if a file cannot be read or written.
    """
    if not thresholds or not all(map(math.isfinite, thresholds)):
        raise ValueError(
            f"thresholds must be a finite number for each pass, got {' '.join(map(str, thresholds)) or 'none'}"
        )
    passes = []
    for threshold in thresholds:
        words, bigrams = count_words_and_bigrams(read_joined(source, passes))
        if not words:
            raise ValueError(f"{source} holds no words; it must hold text, one sentence a line")
        phrases = find_phrases(words, bigrams, discount, threshold, min_count)
        passes.append(Counter({pair: bigrams[pair] for pair in phrases}))
    with replacing(target) as file:
        file.writelines(f"{' '.join(sentence)}\n".encode() for sentence in read_joined(source, passes))
    return passes


def read_joined(source: Path, passes: Sequence[Container[Pair]]) -> Iterator[list[str]]:
    """The sentences of a file, one a line, with the phrases of each pass joined. Not UTF-8: ValueError."""
    try:
        file = source.open("rb")
    except OSError as error:
        raise OSError(f"cannot read {source}: {error.strerror}") from error
    with file:
        for number, line in enumerate(file, start=1):
            try:
                sentence = line.decode("utf-8-sig" if number == 1 else "utf-8").split()
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{source}, line {number}: must be UTF-8, got byte {line[error.start]:#04x}"
                ) from error
            for phrases in passes:
                sentence = join_phrases(sentence, phrases)
            yield sentence
