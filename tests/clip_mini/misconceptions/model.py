"""Wrong attention, blocks and text encoders that people really write. The tests of ``clip_mini.model`` catch each."""

import math

import torch
from torch.nn.functional import scaled_dot_product_attention

from clip_mini.model import attention_spec


def _attention(q, k, v, allowed, divisor, fill=-math.inf, dim=-1):
    scores = q @ k.mT / divisor
    if allowed is not None:
        scores = scores.masked_fill(~allowed, fill)
    return scores.softmax(dim=dim) @ v


def divided_by_d(q, k, v, allowed=None):
    """Tempting because a mean divides by d; with d = 64, attention starts eight times too flat."""
    return _attention(q, k, v, allowed, q.shape[-1])


def not_divided(q, k, v, allowed=None):
    """Tempting because the learned weights could do it; the softmax then starts near one-hot, with little gradient."""
    return _attention(q, k, v, allowed, 1)


def masked_with_zero(q, k, v, allowed=None):
    """Tempting because 0 sounds like nothing; but e⁰ = 1, so the future is still looked at."""
    return _attention(q, k, v, allowed, math.sqrt(q.shape[-1]), fill=0.0)


def softmax_over_the_queries(q, k, v, allowed=None):
    """Tempting because ``dim=-2`` is an axis of positions, too; the weights of a query then do not sum to 1."""
    return _attention(q, k, v, allowed, math.sqrt(q.shape[-1]), dim=-2)


def mask_turned_round(q, k, v, allowed=None):
    """Tempting because ``masked_fill`` and torch's boolean masks have opposite conventions."""
    return _attention(q, k, v, None if allowed is None else ~allowed, math.sqrt(q.shape[-1]))


def weights_after_the_mask(q, k, v, allowed=None):
    """Tempting because a weight of 0 looks at nothing; but what is left does not sum to 1."""
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(dim=-1)
    return (weights if allowed is None else weights * allowed) @ v


def _self_attention(attention, x, allowed, split=None, scale=None):
    """Attention as in the core, with one step replaced."""
    n, t, width = x.shape
    projected = attention.project_in(x)
    if split is None:
        q, k, v = projected.view(n, t, 3, attention.heads, -1).permute(2, 0, 3, 1, 4)
    else:
        q, k, v = split(projected, attention.heads)
    mixed = scaled_dot_product_attention(q, k, v, attn_mask=allowed, scale=scale)
    return attention.project_out(mixed.transpose(1, 2).reshape(n, t, width))


def _triangle(t, causal, diagonal=0):
    return torch.ones(t, t, dtype=torch.bool).tril(diagonal) if causal else None


def heads_without_transpose(attention, x, causal):
    """Tempting because ``view(n, heads, t, d)`` has the right shape; a head then holds parts of several positions."""
    n, t, _ = x.shape

    def split(projected, heads):
        return [part.reshape(n, heads, t, -1) for part in projected.chunk(3, dim=-1)]

    return _self_attention(attention, x, _triangle(t, causal), split)


def heads_before_query_key_value(attention, x, causal):
    """Tempting because it learns as well; published weights hold q of all heads first, then k, then v."""
    n, t, _ = x.shape

    def split(projected, heads):
        return projected.view(n, t, heads, 3, -1).permute(3, 0, 2, 1, 4)

    return _self_attention(attention, x, _triangle(t, causal), split)


def every_other_number_a_head(attention, x, causal):
    """Tempting because d and the heads are two axes of one view; head h must own d neighbouring numbers."""
    n, t, _ = x.shape

    def split(projected, heads):
        return projected.view(n, t, 3, -1, heads).permute(2, 0, 4, 1, 3)

    return _self_attention(attention, x, _triangle(t, causal), split)


def divided_by_the_root_of_the_width(attention, x, causal):
    """Tempting because equation 1 has d_k, and the model's width is at hand; a head has width / heads dimensions."""
    return _self_attention(attention, x, _triangle(x.shape[1], causal), scale=x.shape[-1] ** -0.5)


def mask_one_too_wide(attention, x, causal):
    """Tempting because ``tril(1)`` or ``<=`` counts from 1; each position then sees the next word."""
    return _self_attention(attention, x, _triangle(x.shape[1], causal, diagonal=1))


def mask_forgotten(attention, x, causal):
    """Tempting because it is right where ``causal`` is false; a text's position then sees the words after it."""
    return _self_attention(attention, x, None)


def mask_to_the_wrong_side(attention, x, causal):
    """Tempting because ``triu`` and ``tril`` look alike; each position then sees the future only."""
    allowed = _triangle(x.shape[1], causal)
    return _self_attention(attention, x, allowed if allowed is None else allowed.mT)


def heads_merged_without_transpose(attention, x, causal):
    """Tempting because ``reshape`` never complains; positions and heads are then mixed up."""
    n, t, width = x.shape
    q, k, v = attention.project_in(x).view(n, t, 3, attention.heads, -1).permute(2, 0, 3, 1, 4)
    mixed = attention_spec(q, k, v, _triangle(t, causal))
    return attention.project_out(mixed.reshape(n, t, width))


def norm_after_the_sum(block, x, causal):
    """Tempting because the first Transformer was so; GPT-2 and CLIP have the norm before each part."""
    x = block.norm1(x + block.attention(x, causal))
    return block.norm2(x + block.mlp(x))


def normed_residual(block, x, causal):
    """Tempting because ``x = norm(x)`` is shorter; the sum must get the vector that was not normed."""
    x = block.norm1(x)
    x = x + block.attention(x, causal)
    x = block.norm2(x)
    return x + block.mlp(x)


def both_parts_at_once(block, x, causal):
    """Tempting because it is faster, and some later models do it; here the MLP reads what attention added."""
    return x + block.attention(block.norm1(x), causal) + block.mlp(block.norm2(x))


def _read(encoder, texts, first=0, causal=True):
    t = texts.shape[1]
    x = encoder.embed(texts) + encoder.positions[first : first + t]
    return encoder.norm(encoder.transformer(x, causal=causal))


def read_at_the_last_position(encoder, texts):
    """Tempting because it is ``x[:, -1]``; in a padded batch that is padding."""
    return _read(encoder, texts)[:, -1]


def read_at_the_last_end(encoder, texts):
    """Tempting because searching from the back finds the end as well; the text is over at the first one."""
    places = (texts == encoder.end) * torch.arange(texts.shape[1])
    return _read(encoder, texts)[torch.arange(len(texts)), places.argmax(dim=1)]


def read_before_the_end(encoder, texts):
    """Tempting because the last word is what was said; the end token is the one that is trained to sum it up."""
    return _read(encoder, texts)[torch.arange(len(texts)), encoder.place_of_end(texts) - 1]


def read_at_the_start(encoder, texts):
    """Tempting because BERT does; with causal attention, the start has seen nothing but itself."""
    return _read(encoder, texts)[:, 0]


def read_at_the_largest_id(encoder, texts):
    """Tempting because the authors' code does it; it is right only where the end token has the largest id."""
    return _read(encoder, texts)[torch.arange(len(texts)), texts.argmax(dim=1)]


def mean_over_the_padding(encoder, texts):
    """Tempting because ``mean(dim=1)`` needs no places; a text's vector then depends on the longest of its batch."""
    return _read(encoder, texts).mean(dim=1)


def attention_to_all(encoder, texts):
    """Tempting because a text is known as a whole; then the padding must be masked, and it is not."""
    x = _read(encoder, texts, causal=False)
    return x[torch.arange(len(texts)), encoder.place_of_end(texts)]


def positions_from_one(encoder, texts):
    """Tempting because RoBERTa counts so; the first position's vector is then never used."""
    x = _read(encoder, texts[:, : len(encoder.positions) - 1], first=1)
    return x[torch.arange(len(texts)), encoder.place_of_end(texts)]


ATTENTIONS = (
    divided_by_d, not_divided, masked_with_zero, softmax_over_the_queries, mask_turned_round, weights_after_the_mask
)  # fmt: skip
HEADS = (
    heads_without_transpose, heads_before_query_key_value, every_other_number_a_head, divided_by_the_root_of_the_width,
    mask_one_too_wide, mask_forgotten, mask_to_the_wrong_side, heads_merged_without_transpose,
)  # fmt: skip
BLOCKS = (norm_after_the_sum, normed_residual, both_parts_at_once)
TEXTS = (
    read_at_the_last_position, read_at_the_last_end, read_before_the_end, read_at_the_start, read_at_the_largest_id,
    mean_over_the_padding, attention_to_all, positions_from_one,
)  # fmt: skip
