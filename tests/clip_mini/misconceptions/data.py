"""Wrong ways to make a batch that people really write. The tests of ``clip_mini.data`` catch each."""

import torch

from clip_mini.data import Batch, toy_batches
from toyworld.tokenizer import END, START, padded


def end_is_cut_off(tokenizer, texts, context):
    """Tempting because cutting comes last; a long text then has no end token, and nobody knows where to read it."""
    return padded([[START, *tokenizer.ids(text), END][:context] for text in texts])


def cut_one_too_early(tokenizer, texts, context):
    """Tempting because lengths are counted from 0; a text that fits exactly loses its last word."""
    return padded([[START, *tokenizer.ids(text)[: context - 3], END] for text in texts])


def no_start(tokenizer, texts, context):
    """Tempting because nothing is predicted from it; the first word then has the place of the start."""
    return padded([[*tokenizer.ids(text)[: context - 1], END] for text in texts])


def counts_its_own_calls(tokenizer, language, seed, pairs, image_size, context):
    """Tempting because a loader is an iterator; a run that is resumed then begins with the first batch again."""
    batch_at, calls = toy_batches(tokenizer, language, seed, pairs, image_size, context), iter(range(1000))
    return lambda step: batch_at(next(calls))


def steps_overlap(tokenizer, language, seed, pairs, image_size, context):
    """Tempting because step + k is simple; neighbouring batches then share all pairs but one."""
    one = toy_batches(tokenizer, language, seed, 1, image_size, context)

    def batch_at(step):
        parts = [one(step + k) for k in range(pairs)]
        rows = [part.texts[0].tolist() for part in parts]
        return Batch(torch.cat([part.images for part in parts]), padded(rows))

    return batch_at


def one_seed_for_all(tokenizer, language, seed, pairs, image_size, context):
    """Tempting because the data is random anyway; runs with other seeds would then not be other runs."""
    return toy_batches(tokenizer, language, 0, pairs, image_size, context)


ENCODINGS = (end_is_cut_off, cut_one_too_early, no_start)
BATCHES = (counts_its_own_calls, steps_overlap, one_seed_for_all)
