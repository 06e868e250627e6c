"""Sentences of the toy language (``word2vec.grammar``) and batches out of it; a batch is a pure function of its step.

A stretch of sentences is read, its frequent words are thinned out, windows are drawn, and then come the pairs, as in
``word2vec.pairs``. Each sentence is drawn anew; the language has about a thousand that differ.
"""

from collections import Counter

import torch
from jaxtyping import Int
from torch import Tensor

from toyworld.rng import Rng
from word2vec.grammar import RELATIONS
from word2vec.pairs import Text, draw_text, skip_gram_pairs
from word2vec.vocabulary import Vocabulary, build_vocabulary, draw_noise, keep_probability, noise_distribution

COUNTED = 20_000  # sentences that are read once to count the words


def sentence_at(split: str, seed: int, index: int) -> list[str]:
    """Sentence ``index`` of the toy language: the relation, the pair, one of three kinds of sentence, its wording and
    its topic are each drawn uniformly, but that a held-out pair has no sentence of both."""
    rng = Rng(f"{split}/{seed}/{index}/sentence")
    relation = RELATIONS[rng.choice(tuple(RELATIONS))]
    pair = rng.choice(relation.pairs)
    kinds = [relation.first, relation.second] + ([relation.both] if pair in relation.known else [])
    words = {"A": pair[0], "B": pair[1], "T": rng.choice(relation.topics[relation.pairs.index(pair)])}
    return [words.get(word, word) for word in rng.choice(rng.choice(kinds)).split()]


def toy_vocabulary(seed: int) -> Vocabulary:
    """Every word of the toy language, with its count in the first sentences of training."""
    return build_vocabulary(Counter(word for index in range(COUNTED) for word in sentence_at("train", seed, index)))


def generator_at(seed: int, step: int) -> torch.Generator:
    """A stream of random numbers that belongs to this seed and step. Torch's generator on the CPU uses the low 32 bits
    of its seed alone; seeds are 1,000,003 apart, so that two of them share no stream within a million steps."""
    return torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**32)


class ToyText:
    """The toy language as training reads it.

    Args:
        vocabulary: of the toy language.
        seed: of sentences, subsampling, windows and noise.
        sentences: in a batch.
        window: the largest window, in words on each side.
        sample: the threshold of subsampling, 0 for none.
        power: of the noise distribution.
        split: of the sentences; ``test`` is another draw than ``train``.
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        seed: int,
        sentences: int,
        window: int,
        sample: float | int,
        power: float | int,
        split: str = "train",
    ) -> None:
        self.vocabulary, self.seed, self.sentences, self.window, self.split = vocabulary, seed, sentences, window, split
        self.keep = keep_probability(vocabulary.counts, sample)
        self.noise = noise_distribution(vocabulary.counts, power)

    def generator(self, step: int) -> torch.Generator:
        """The random numbers of this step."""
        return generator_at(self.seed, step)

    def text_at(self, step: int, generator: torch.Generator) -> Text:
        """The step's sentences, subsampled, each word with its window."""
        first = step * self.sentences
        numbers, sentence = [], []
        for index in range(first, first + self.sentences):
            words = self.vocabulary.numbers(sentence_at(self.split, self.seed, index))
            numbers += words
            sentence += [index] * len(words)
        return draw_text(torch.tensor(numbers), torch.tensor(sentence), self.keep, self.window, generator)

    def pairs_at(self, step: int) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"]]:
        """Centres and contexts, for objectives that need no noise."""
        return skip_gram_pairs(self.text_at(step, self.generator(step)))

    def noisy_pairs_at(
        self, step: int, negatives: int
    ) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"], Int[Tensor, "n k"]]:
        """Centres, contexts, and as many words drawn from the noise for each pair as are asked for."""
        generator = self.generator(step)
        centres, contexts = skip_gram_pairs(self.text_at(step, generator))
        return centres, contexts, draw_noise(self.noise, (len(centres), negatives), generator)
