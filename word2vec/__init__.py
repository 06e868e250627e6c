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

The names below are loaded when they are first used: ``python -m word2vec`` sets up threads before torch is imported.
"""

from lab.library import exports

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "loss": ["negative_sampling_loss", "softmax_loss"],
        "model": ["SkipGram"],
        "pairs": ["Text", "draw_text", "draw_windows", "skip_gram_pairs", "subsample"],
        "similarity": ["complete", "cosines", "nearest", "three_cos_add"],
        "train": ["CONFIGS", "Config", "build_optimizer"],
        "vocabulary": [
            "Vocabulary",
            "build_vocabulary",
            "draw_noise",
            "keep_probability",
            "keep_probability_paper",
            "noise_distribution",
        ],
    },
)
