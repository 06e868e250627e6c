"""Wrong metrics that people really write. Each must fail the tests of ``show_attend_tell.extensions.metrics``."""

import math
from collections import Counter

from show_attend_tell.extensions.metrics.bleu import bleu, closest_length
from show_attend_tell.extensions.metrics.cider import FACTOR, ORDER, SIGMA, Vector, documents, tf_idf
from show_attend_tell.extensions.metrics.rouge import BETA, f_measure, longest_common_subsequence
from show_attend_tell.extensions.metrics.words import ngrams

# BLEU: (candidates, references) → BLEU-1 to BLEU-4


def _bleu(candidates, references, matches=None, length=closest_length, combine=None):
    pairs = list(zip(candidates, references, strict=True))
    penalty = min(1.0, math.exp(1 - sum(length(*pair) for pair in pairs) / sum(map(len, candidates))))
    precisions = []
    for n in range(1, 5):
        total = sum(ngrams(words, n).total() for words in candidates)
        precisions.append(sum((matches or _clipped)(*pair, n) for pair in pairs) / total if total else 0.0)
    combine = combine or (lambda values: math.prod(values) ** (1 / len(values)))
    return [penalty * combine(precisions[:n]) for n in range(1, 5)]


def _clipped(candidate, references, n):
    most = Counter()
    for reference in references:
        most |= ngrams(reference, n)
    return (ngrams(candidate, n) & most).total()


def not_clipped(candidates, references):
    """Tempting because precision is "how many are right"; "the the the" is then perfect."""

    def matches(candidate, group, n):
        known = {piece for reference in group for piece in ngrams(reference, n)}
        return sum(count for piece, count in ngrams(candidate, n).items() if piece in known)

    return _bleu(candidates, references, matches)


def references_added_up(candidates, references):
    """Tempting because ``Counter`` has a +; five references with one "dog" each then allow five dogs."""

    def matches(candidate, group, n):
        return (ngrams(candidate, n) & sum((ngrams(reference, n) for reference in group), Counter())).total()

    return _bleu(candidates, references, matches)


def mean_over_captions(candidates, references):
    """Tempting because every other metric is a mean; BLEU adds up counts first, and a short caption often has 0."""
    each = [bleu([words], [group]) for words, group in zip(candidates, references, strict=True)]
    return [sum(column) / len(each) for column in zip(*each, strict=True)]


def arithmetic_mean(candidates, references):
    """Tempting because it is a mean; precisions fall so fast with n that only the geometric mean weighs them alike."""
    return _bleu(candidates, references, combine=lambda values: sum(values) / len(values))


def only_the_longest_ngrams(candidates, references):
    """Tempting because of the name BLEU-4; it is the mean over 1 to 4 words."""
    return _bleu(candidates, references, combine=lambda values: values[-1])


def shortest_reference(candidates, references):
    """Tempting because it is one ``min`` (the first NIST script did so); short captions are then hardly punished."""
    return _bleu(candidates, references, length=lambda candidate, group: min(map(len, group)))


def mean_length_of_references(candidates, references):
    """Tempting because all references are equally good; the closest one is meant."""
    return _bleu(candidates, references, length=lambda candidate, group: sum(map(len, group)) / len(group))


def longer_of_two_equally_near(candidates, references):
    """Tempting because ``min`` with a key takes whichever comes first; libraries take the shorter."""
    return _bleu(
        candidates,
        references,
        length=lambda words, group: min(map(len, group), key=lambda r: (abs(r - len(words)), -r)),
    )


# ROUGE-L: (candidate, references) → the value of one caption


def _rouge(candidate, references, common=longest_common_subsequence, f=f_measure):
    lengths = [common(candidate, reference) for reference in references]
    precision = max(length / max(len(candidate), 1) for length in lengths)
    recall = max(length / max(len(reference), 1) for length, reference in zip(lengths, references, strict=True))
    return f(precision, recall)


def longest_common_substring(candidate, references):
    """Tempting because of the name; a subsequence may have other words between."""

    def common(a, b):
        return max((n for n in range(len(a) + 1) if ngrams(a, n).keys() & ngrams(b, n).keys()), default=0)

    return _rouge(candidate, references, common)


def words_in_any_order(candidate, references):
    """Tempting because it is one intersection (it is ROUGE-1); the order is then free."""
    return _rouge(candidate, references, lambda a, b: (Counter(a) & Counter(b)).total())


def best_reference(candidate, references):
    """Tempting because Lin's paper takes the best F over references; the code of COCO takes the largest precision and
    the largest recall."""
    return max(_rouge(candidate, [reference]) for reference in references)


def beta_not_squared(candidate, references):
    """Tempting because β is close to 1, so the numbers look right."""
    return _rouge(
        candidate, references, f=lambda p, r: (1 + BETA) * p * r / (r + BETA * p) if p and r else 0.0
    )  # fmt: skip


def beta_on_the_other_side(candidate, references):
    """Tempting because the formula is nearly symmetric; precision then counts more than recall."""
    return _rouge(candidate, references, f=lambda p, r: f_measure(r, p))


# CIDEr-D: (candidates, references) → one number for each image


def _cider(
    candidates, references, *, images_with=None, clip=True, sigma=SIGMA, joint=False, factor=FACTOR, change=None
):
    images_with = documents(references) if images_with is None else images_with

    def vector(words):
        found = tf_idf(words, images_with, len(references))
        found = found if change is None else change(found)
        if joint:
            merged = {piece: value for numbers in found.values for piece, value in numbers.items()}
            found = Vector([merged], [math.sqrt(sum(value**2 for value in merged.values()))], found.length)
        return found

    scores = []
    for words, group in zip(candidates, references, strict=True):
        c, total = vector(words), 0.0
        for s in map(vector, group):
            penalty = math.exp(-((c.length - s.length) ** 2) / (2 * sigma**2)) if sigma else 1.0
            for of_c, of_s, norm_c, norm_s in zip(c.values, s.values, c.norms, s.norms, strict=True):
                if norm_c and norm_s:
                    least = min if clip else (lambda value, _: value)
                    dot = sum(least(value, of_s[piece]) * of_s[piece] for piece, value in of_c.items() if piece in of_s)
                    total += penalty * dot / (norm_c * norm_s) / (1 if joint else ORDER)
        scores.append(factor * total / len(group))
    return scores


def idf_over_captions(candidates, references):
    """Tempting because a caption looks like a document; the paper's document is an image with all its captions."""
    found = Counter()
    for group in references:
        for words in group:
            found.update({piece for n in range(1, ORDER + 1) for piece in ngrams(words, n)})
    return _cider(candidates, references, images_with=found)


def idf_of_the_candidates(candidates, references):
    """Tempting because it is the candidates that are judged; they would then set their own weights."""
    return _cider(candidates, references, images_with=documents([[words] for words in candidates]))


def cider_without_clipping(candidates, references):
    """Tempting because it is the cosine, as CIDEr has it; CIDEr-D clips, so that repeating a word does not help."""
    return _cider(candidates, references, clip=False)


def no_penalty_on_the_length(candidates, references):
    """Tempting because the cosine takes care of length; of long repeated captions it does not."""
    return _cider(candidates, references, sigma=0)


def one_cosine_for_all_ngrams(candidates, references):
    """Tempting because one long vector is simpler; each n has its own cosine, and the mean is taken."""
    return _cider(candidates, references, joint=True)


def tf_divided_by_the_words(candidates, references):
    """Tempting because equation 1 has it; with clipping it makes a difference, and the code of COCO has the count."""

    def change(vector):
        values = [
            {piece: value / (max(1, vector.length + 1 - n)) for piece, value in numbers.items()}
            for n, numbers in enumerate(vector.values)
        ]
        return Vector(values, [math.sqrt(sum(v**2 for v in numbers.values())) for numbers in values], vector.length)

    return _cider(candidates, references, change=change)


def without_the_factor(candidates, references):
    """Tempting because a mean of cosines is at most 1; published CIDEr-D is ten times as large (and then × 100)."""
    return _cider(candidates, references, factor=1.0)


BLEU = (
    not_clipped,
    references_added_up,
    mean_over_captions,
    arithmetic_mean,
    only_the_longest_ngrams,
    shortest_reference,
    mean_length_of_references,
    longer_of_two_equally_near,
)
ROUGE = (longest_common_substring, words_in_any_order, best_reference, beta_not_squared, beta_on_the_other_side)
CIDER = (
    idf_over_captions,
    idf_of_the_candidates,
    cider_without_clipping,
    no_penalty_on_the_length,
    one_cosine_for_all_ngrams,
    tf_divided_by_the_words,
    without_the_factor,
)
