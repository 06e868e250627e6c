"""Batches of the toy language (``toyworld.language``). A batch is a pure function of split, seed and step.

Step by step: sentences → word ids → frequent words are dropped → windows are drawn → pairs (``word2vec.pairs``) → noise
words for each pair (``word2vec.vocabulary``). Every step reads the next sentences.
"""

from collections import Counter

import torch
from jaxtyping import Int
from torch import Tensor

from toyworld.language import sentence_at
from word2vec.pairs import Text, draw_text, skip_gram_pairs
from word2vec.vocabulary import Vocabulary, build_vocabulary, draw_noise, keep_probability, noise_distribution

COUNTED = 20_000  # sentences that are read once to count the words


def toy_vocabulary(seed: int) -> Vocabulary:
    """Every word of the toy language, with its count in the first sentences of the training split."""
    return build_vocabulary(Counter(word for index in range(COUNTED) for word in sentence_at("train", seed, index)))


def generator_at(seed: int, step: int) -> torch.Generator:
    """The generator of random numbers of this seed and step. On the CPU torch uses the low 32 bits of a seed only;
    seeds are 1,000,003 apart, so two seeds share no generator within a million steps."""
    return torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**32)


class ToyText:
    """The toy language in batches.

    Args:
        vocabulary: of the toy language.
        seed: of sentences, subsampling, windows and noise.
        sentences: in a batch.
        window: the largest window, in words on each side.
        negatives: noise words of each pair, k of equation 4.
        sample: the threshold of subsampling; 0 keeps every word.
        power: of the noise distribution.
        split: of the sentences, ``train`` or ``test``.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        seed: int,
        sentences: int,
        window: int,
        negatives: int,
        sample: float | int,
        power: float | int,
        split: str = "train",
    ) -> None:
        self.vocabulary, self.seed, self.split = vocabulary, seed, split
        self.sentences, self.window, self.negatives = sentences, window, negatives
        self.keep = keep_probability(vocabulary.counts, sample)
        self.noise_distribution = noise_distribution(vocabulary.counts, power)

    def text_at(self, step: int, generator: torch.Generator) -> Text:
        """The sentences of this step, subsampled, with the windows of their words."""
        first = step * self.sentences
        ids, sentence = [], []
        for index in range(first, first + self.sentences):
            words = self.vocabulary.ids(sentence_at(self.split, self.seed, index))
            ids += words
            sentence += [index] * len(words)
        return draw_text(torch.tensor(ids), torch.tensor(sentence), self.keep, self.window, generator)

    def noise_for(self, centres: Int[Tensor, " n"], generator: torch.Generator) -> Int[Tensor, "n k"]:
        """The ids of k noise words for each pair."""
        return draw_noise(self.noise_distribution, (len(centres), self.negatives), generator)

    def batch_at(self, step: int) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"], Int[Tensor, "n k"]]:
        """The ids of centres, of context words and of noise words, for negative sampling."""
        generator = generator_at(self.seed, step)
        centres, contexts = skip_gram_pairs(self.text_at(step, generator))
        return centres, contexts, self.noise_for(centres, generator)
