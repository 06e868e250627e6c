"""Wrong CBOW that people really write. Each must fail the tests of ``word2vec.extensions.cbow``."""

import torch

from word2vec.extensions.cbow import bags, mean_vectors
from word2vec.pairs import Text


def gradient_not_divided(model, neighbours, mask):
    """Tempting because the authors' code and gensim do it; each neighbour moves as if it were the only one."""
    total = (model.centre[neighbours] * mask.unsqueeze(2).to(model.centre)).sum(dim=1)
    return mean_vectors(model, neighbours, mask).detach() + total - total.detach()


def sum_of_the_neighbours(model, neighbours, mask):
    """Tempting because gensim has cbow_mean=0; the score then grows with the window."""
    return (model.centre[neighbours] * mask.unsqueeze(2).to(model.centre)).sum(dim=1)


def padding_counted(model, neighbours, mask):
    """Tempting because .mean(dim=1) is at hand; at the ends of a sentence it divides by the padding, too."""
    return (model.centre[neighbours] * mask.unsqueeze(2).to(model.centre)).mean(dim=1)


def padding_averaged(model, neighbours, mask):
    """Tempting because every position of the bag has an id; some are padding."""
    return model.centre[neighbours].mean(dim=1)


def tables_exchanged(model, neighbours, mask):
    """Tempting because neighbours are contexts; it is W that is averaged, and W' that scores."""
    share = mask / mask.sum(dim=1, keepdim=True)
    return (model.context[neighbours] * share.unsqueeze(2).to(model.context)).sum(dim=1)


def word_in_its_own_bag(text):
    """Tempting because a window is a slice; the word that is to be predicted then helps to predict itself."""
    centres, neighbours, mask = bags(text)
    return (
        centres,
        torch.cat([neighbours, centres[:, None]], dim=1),
        torch.cat([mask, mask.any(1, keepdim=True)], dim=1),
    )


def bags_across_sentences(text):
    """Tempting because a corpus is one stream of words; a sentence's last word has nothing on its right."""
    return bags(Text(text.ids, torch.zeros_like(text.sentence), text.windows))


def sets_of_neighbours(text):
    """Tempting because of the word bag; a word that occurs twice counts twice."""
    centres, neighbours, mask = bags(text)
    for row, there in zip(neighbours.tolist(), mask, strict=True):
        seen = set()
        for place, word in enumerate(row):
            if there[place] and word in seen:
                there[place] = False
            seen |= {word} if there[place] else set()
    return centres, neighbours, mask


MEANS = (gradient_not_divided, sum_of_the_neighbours, padding_counted, padding_averaged, tables_exchanged)
BAGS = (word_in_its_own_bag, bags_across_sentences, sets_of_neighbours)
