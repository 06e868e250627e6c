"""Wrong shortcuts. Each must fail the tests of ``clip_mini.extensions.fast``."""

import torch

from clip_mini.extensions.fast import at_one_position, attention_of_one


def _class_token_only(encoder, images, blocks_before: int, normed: bool):
    n = len(images)
    patches = encoder.patches(images).flatten(2).mT
    x = torch.cat([encoder.class_token.expand(n, 1, -1), patches], dim=1) + encoder.positions
    x = encoder.norm_before(x)
    for block in encoder.transformer.blocks[:blocks_before]:
        x = block(x, causal=False)
    first = x[:, 0]
    for block in encoder.transformer.blocks[blocks_before:]:
        first = at_one_position(block, first, block.norm1(x) if normed else x, None)
    return encoder.norm_after(first)


def class_token_in_all_layers(encoder, images):
    """Tempting because only the class token is read; but each layer's patches read the layer before."""
    return _class_token_only(encoder, images, 0, normed=True)


def keys_without_the_norm(encoder, images):
    """Tempting because the norm seems to be the query's; keys and values are made of the same vectors."""
    return _class_token_only(encoder, images, len(encoder.transformer.blocks) - 1, normed=False)


def _text(encoder, texts, place, allowed):
    n, t = texts.shape
    x = encoder.embed(texts) + encoder.positions[:t]
    *blocks, last = encoder.transformer.blocks
    for block in blocks:
        x = block(x, causal=True)
    return encoder.norm(at_one_position(last, x[torch.arange(n), place], last.norm1(x), allowed))


def padding_is_looked_at(encoder, texts):
    """Tempting because one query needs no triangle; but it must not look behind its own place."""
    return _text(encoder, texts, encoder.place_of_end(texts), None)


def end_does_not_see_itself(encoder, texts):
    """Tempting because "before the end" is written with ``<``; a position looks at itself, too."""
    place = encoder.place_of_end(texts)
    return _text(encoder, texts, place, torch.arange(texts.shape[1]) < place.clamp(min=1)[:, None])


def cut_at_the_shortest(encoder, texts):
    """Tempting because a batch has one length; the longest text decides it."""
    place = encoder.place_of_end(texts)
    return encoder(texts[:, : int(place.median()) + 1])


def pool_without_the_mean(pool, grid):
    """Tempting because the mean is the query; it is one of the places that are looked at, too."""
    places = grid.flatten(2).mT
    mean = places.mean(dim=1) + pool.positions[0]
    weights = ((layer.weight, layer.bias) for layer in (pool.query, pool.key, pool.value))
    return attention_of_one(mean, places + pool.positions[1:], *weights, heads=pool.heads)


TEXTS = (padding_is_looked_at, end_does_not_see_itself, cut_at_the_shortest)
IMAGES = (class_token_in_all_layers, keys_without_the_norm)
POOLS = (pool_without_the_mean,)
