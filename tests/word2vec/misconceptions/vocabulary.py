"""Wrong probabilities of words that people really write. Each must fail the tests of ``word2vec.vocabulary``."""

import torch

from word2vec.vocabulary import frequencies, keep_probability, noise_distribution


def discard_taken_for_keep(counts, sample):
    """Tempting because the paper's equation 5 says with which probability a word is thrown away."""
    return 1 - keep_probability(counts, sample)


def threshold_in_words(counts, sample):
    """Tempting because counts are at hand; t is a part of the corpus, so a count must be divided by its size."""
    ratio = sample / torch.tensor(counts, dtype=torch.float64)
    return (ratio.sqrt() + ratio).clamp(max=1)


def without_the_root(counts, sample):
    """Tempting because t / f makes every frequent word equally rare; the root keeps their order."""
    return (sample / frequencies(counts)).clamp(max=1)


def fraction_upside_down(counts, sample):
    """Tempting because (√(f/t) + 1) · t/f is in the authors' code; without the last factor, all words are kept."""
    return ((frequencies(counts) / sample).sqrt() + 1).clamp(max=1)


def noise_from_plain_frequencies(counts, power=0.75):
    """Tempting because it is how words really occur; "the" is then nearly all the noise there is."""
    return frequencies(counts)


def power_without_new_sum(counts, power=0.75):
    """Tempting because the frequencies summed to 1; their powers sum to more."""
    return frequencies(counts) ** power


def power_upside_down(counts, power=0.75):
    """Tempting because 3/4 is meant to flatten; 4/3 makes frequent words more frequent still."""
    return noise_distribution(counts, 1 / power if power else 1)


KEEPS = (discard_taken_for_keep, threshold_in_words, without_the_root, fraction_upside_down)
NOISES = (noise_from_plain_frequencies, power_without_new_sum, power_upside_down)
