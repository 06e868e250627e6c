"""Wrong neighbours that people really write. Each must fail the tests of ``word2vec.pairs``."""

import torch

from word2vec.pairs import Text, draw_windows, skip_gram_pairs, subsample


def across_sentences(text):
    """Tempting because a corpus is one stream of words; the last word of a sentence has no neighbour on its right."""
    return skip_gram_pairs(Text(text.ids, torch.zeros_like(text.sentence), text.windows))


def window_as_the_whole_span(text):
    """Tempting because a "window of 5" may mean five words in all; here it means five on each side."""
    return skip_gram_pairs(Text(text.ids, text.sentence, text.windows // 2))


def range_without_its_end(text):
    """Tempting because range(-c, c) looks symmetric; it leaves out the farthest word on the right."""
    pairs = []
    for t, c in enumerate(text.windows.tolist()):
        for j in range(-c, c):
            if j != 0 and 0 <= t + j < len(text.ids) and text.sentence[t] == text.sentence[t + j]:
                pairs.append((int(text.ids[t]), int(text.ids[t + j])))
    return as_tensors(pairs)


def repeated_words_skipped(text):
    """Tempting because j ≠ 0 is written as "context differs from centre"; a word can be its own neighbour."""
    centres, contexts = skip_gram_pairs(text)
    return centres[centres != contexts], contexts[centres != contexts]


def with_itself(text):
    """Tempting because the slice t-c … t+c holds the centre too; its own place is no neighbour."""
    centres, contexts = skip_gram_pairs(text)
    return torch.cat([centres, text.ids]), torch.cat([contexts, text.ids])


def only_forwards(text):
    """Tempting because the other half seems to follow by symmetry; windows differ, so it does not."""
    pairs = []
    for t, c in enumerate(text.windows.tolist()):
        for j in range(1, c + 1):
            if t + j < len(text.ids) and text.sentence[t] == text.sentence[t + j]:
                pairs += [
                    (int(text.ids[t]), int(text.ids[t + j])),
                    (int(text.ids[t + j]), int(text.ids[t])),
                ]
    return as_tensors(pairs)


def window_of_the_context(text):
    """Tempting because neighbours are mutual; the window of the centre counts, so the pairs are the wrong way round."""
    return skip_gram_pairs(text)[::-1]


def negative_places(text):
    """Tempting because Python forgives it; the place before the first word is then the last word of the text."""
    pairs = []
    for t, c in enumerate(text.windows.tolist()):
        for j in range(-c, c + 1):
            if j != 0 and t + j < len(text.ids) and t + j >= -len(text.ids):
                pairs.append((int(text.ids[t]), int(text.ids[t + j])))
    return as_tensors(pairs)


def as_tensors(pairs):
    centres, contexts = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).T
    return centres, contexts


def windows_all_the_same(n, window, generator):
    """Tempting because equation 1 says -c ≤ j ≤ c; near words then count no more than far ones."""
    return torch.full((n,), window)


def windows_from_zero(n, window, generator):
    """Tempting because the authors' code draws b = random % window; it then goes window - b far."""
    return torch.randint(0, window, (n,), generator=generator)


def windows_without_the_last(n, window, generator):
    """Tempting because randint(1, c) reads like 1 … c; its end is left out, and c = 1 fails only then."""
    return torch.randint(1, max(window, 2), (n,), generator=generator)


def one_window_for_all(n, window, generator):
    """Tempting because one draw a sentence is fast; each word has its own."""
    return draw_windows(1, window, generator).expand(n)


def window_before_subsampling(ids, sentence, keep, window, generator):
    """Tempting because pairs can be thinned out later; a window then does not reach over the words that were
    dropped."""
    kept = subsample(ids, keep, generator)
    marked = torch.arange(len(ids))  # in the place of the ids, so that it is known which were dropped
    centres, contexts = skip_gram_pairs(Text(marked, sentence, draw_windows(len(ids), window, generator)))
    both = kept[centres] & kept[contexts]
    return ids[centres[both]], ids[contexts[both]]


def only_centres_dropped(ids, sentence, keep, window, generator):
    """Tempting because it is centres that are visited; a dropped word is no neighbour either."""
    kept = subsample(ids, keep, generator)
    marked = torch.arange(len(ids))
    centres, contexts = skip_gram_pairs(Text(marked, sentence, draw_windows(len(ids), window, generator)))
    return ids[centres[kept[centres]]], ids[contexts[kept[centres]]]


PAIRS = (
    across_sentences,
    window_as_the_whole_span,
    range_without_its_end,
    repeated_words_skipped,
    with_itself,
    only_forwards,
    window_of_the_context,
    negative_places,
)
WINDOWS = (windows_all_the_same, windows_from_zero, windows_without_the_last, one_window_for_all)
DRAWS = (window_before_subsampling, only_centres_dropped)
