"""Wrong CBOW that people really write. Each must fail the tests of ``word2vec.extensions.cbow``."""

import torch

from word2vec.extensions.cbow import bags, mean_vectors
from word2vec.pairs import Text


def gradient_not_divided(model, bag, inside):
    """Tempting because the authors' code and gensim do it; each neighbour moves as if it were the only one."""
    total = (model.centre[bag] * inside.unsqueeze(2).to(model.centre)).sum(dim=1)
    return mean_vectors(model, bag, inside).detach() + total - total.detach()


def sum_of_the_neighbours(model, bag, inside):
    """Tempting because gensim has cbow_mean=0; the score then grows with the window."""
    return (model.centre[bag] * inside.unsqueeze(2).to(model.centre)).sum(dim=1)


def empty_places_counted(model, bag, inside):
    """Tempting because .mean(dim=1) is at hand; at the ends of a sentence it divides by places that hold nothing."""
    return (model.centre[bag] * inside.unsqueeze(2).to(model.centre)).mean(dim=1)


def filling_averaged(model, bag, inside):
    """Tempting because the bag is full of numbers; some are only there to fill it up."""
    return model.centre[bag].mean(dim=1)


def tables_exchanged(model, bag, inside):
    """Tempting because neighbours are contexts; it is W that is averaged, and W' that scores."""
    share = inside / inside.sum(dim=1, keepdim=True)
    return (model.context[bag] * share.unsqueeze(2).to(model.context)).sum(dim=1)


def word_in_its_own_bag(text):
    """Tempting because a window is a slice; the word that is to be predicted then helps to predict itself."""
    centres, bag, inside = bags(text)
    return centres, torch.cat([bag, centres[:, None]], dim=1), torch.cat([inside, inside.any(1, keepdim=True)], dim=1)


def bags_across_sentences(text):
    """Tempting because a corpus is one stream of words; a sentence's last word has nothing on its right."""
    return bags(Text(text.numbers, torch.zeros_like(text.sentence), text.windows))


def sets_of_neighbours(text):
    """Tempting because of the word bag; a word that stands there twice counts twice."""
    centres, bag, inside = bags(text)
    for row, there in zip(bag.tolist(), inside, strict=True):
        seen = set()
        for place, word in enumerate(row):
            if there[place] and word in seen:
                there[place] = False
            seen |= {word} if there[place] else set()
    return centres, bag, inside


MEANS = (gradient_not_divided, sum_of_the_neighbours, empty_places_counted, filling_averaged, tables_exchanged)
BAGS = (word_in_its_own_bag, bags_across_sentences, sets_of_neighbours)
