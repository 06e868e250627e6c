"""word2vec: word vectors that predict the words around a word (Mikolov et al. 2013, arXiv 1301.3781 and 1310.4546).

The parts of skip-gram with negative sampling, in the order in which a training needs them:

    vocabulary = build_vocabulary(Counter(words))                  # words: a list of strings
    ids = torch.tensor(vocabulary.ids(words))
    text = draw_text(ids, sentence, keep, window, generator)       # subsampling and windows
    centres, contexts = skip_gram_pairs(text)                      # equation 1
    distribution = noise_distribution(vocabulary.counts)
    noise = draw_noise(distribution, (len(centres), 5), generator)
    model = SkipGram(len(vocabulary), dim=16)
    loss = negative_sampling_loss(model.scores(centres, contexts), model.scores(centres, noise))  # equation 4

The README has an example that runs. ``word2vec.train.train`` is the training loop; ``nearest`` and ``complete`` use the
trained vectors.
"""

from word2vec.loss import negative_sampling_loss, softmax_loss
from word2vec.model import SkipGram
from word2vec.pairs import Text, draw_text, draw_windows, skip_gram_pairs, subsample
from word2vec.similarity import complete, cosines, nearest, spearman, three_cos_add, three_cos_mul
from word2vec.train import CONFIGS, Config, build_optimizer
from word2vec.vocabulary import (
    Vocabulary,
    build_vocabulary,
    draw_noise,
    keep_probability,
    keep_probability_paper,
    noise_distribution,
)

__all__ = [
    "CONFIGS",
    "Config",
    "SkipGram",
    "Text",
    "Vocabulary",
    "build_optimizer",
    "build_vocabulary",
    "complete",
    "cosines",
    "draw_noise",
    "draw_text",
    "draw_windows",
    "keep_probability",
    "keep_probability_paper",
    "nearest",
    "negative_sampling_loss",
    "noise_distribution",
    "skip_gram_pairs",
    "softmax_loss",
    "spearman",
    "subsample",
    "three_cos_add",
    "three_cos_mul",
]
