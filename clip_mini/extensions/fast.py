r"""The same embeddings and gradients as ``CLIP``, with less to compute.

Nearly all the time of a training step is in products of matrices, so fewer products make it faster:

- The last layer's result is read at one position: the class token, or the end of the text. So its query, its output and
  its MLP are computed for this position only. The CNN's attention pooling has one query from the beginning.
- One query q needs no keys and no values. Its scores are :math:`q \cdot W_k x = (W_k^\top q) \cdot x`, and the mean of
  the values is the value of the mean: :math:`\sum_j a_j W_v x_j = W_v \sum_j a_j x_j`.
- With causal attention, nothing behind the end of a text is ever read. So linear layers work on the positions up to the
  end, of all texts in one row. Attention alone gets the padded form.
- ReLU after max-pooling gives what max-pooling after ReLU gives, with a quarter of the numbers.

``CLIP`` itself is the form to read, and tests compare both.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import linear, normalize, scaled_dot_product_attention

from clip_mini.image_encoders import AttentionPool, ResidualCNN, VisionTransformer
from clip_mini.model import CLIP, Block, TextEncoder


class FastCLIP(CLIP):
    """A ``CLIP`` with the same parameters, which computes the embeddings faster."""

    def encode_image(self, images: Float[Tensor, "n ..."]) -> Float[Tensor, "n common"]:
        encoder = self.image_encoder
        if isinstance(encoder, VisionTransformer):
            features = image_features(encoder, images)
        elif isinstance(encoder, ResidualCNN):
            features = pooled(encoder.pool, grid(encoder, images))
        else:
            features = encoder(images)
        return normalize(self.image_projection(features), dim=-1)

    def encode_text(self, texts: Int[Tensor, "n t"]) -> Float[Tensor, "n common"]:
        return normalize(self.text_projection(text_features(self.text_encoder, texts)), dim=-1)


def faster(model: CLIP) -> FastCLIP:
    """The fast form of a model. Both share all parameters: what one learns, the other knows."""
    fast = FastCLIP(model.image_encoder, model.text_encoder, model.image_projection.out_features)
    fast.image_projection, fast.text_projection = model.image_projection, model.text_projection
    fast.log_scale = model.log_scale
    return fast


def grid(encoder: ResidualCNN, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n width rows columns"]:
    """``encoder``, before its attention pooling."""
    convolution, relu, *stages = encoder.layers
    x = convolution(2 * (images - encoder.background))
    if not stages:
        return relu(x)
    pool, *rest = stages
    x = relu(pool(x))
    for layer in rest:
        x = layer(x)
    return x


def image_features(encoder: VisionTransformer, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n width"]:
    """``encoder(images)``."""
    n = len(images)
    patches = encoder.patches(images).flatten(2).mT  # (n, places, width)
    x = torch.cat([encoder.class_token.expand(n, 1, -1), patches], dim=1) + encoder.positions  # (n, t, width)
    x = encoder.norm_before(x)
    *blocks, last = encoder.transformer.blocks
    for block in blocks:
        x = block(x, causal=False)
    return encoder.norm_after(at_one_position(last, x[:, 0], last.norm1(x), None))


def text_features(encoder: TextEncoder, texts: Int[Tensor, "n t"]) -> Float[Tensor, "n width"]:
    """``encoder(texts)``. p positions are read: those of all texts, each up to its end."""
    place = encoder.place_of_end(texts)  # (n,)
    t = int(place.max()) + 1  # nothing behind the last end is needed
    used = torch.arange(t, device=texts.device) <= place[:, None]  # (n, t)
    rows = used.flatten().nonzero().flatten()  # (p,): their places in (n·t,)
    ends = used.sum(dim=1).cumsum(dim=0) - 1  # (n,): the ends, among the p
    x = (encoder.embed(texts[:, :t]) + encoder.positions[:t]).flatten(0, 1)[rows]  # (p, width)
    *blocks, last = encoder.transformer.blocks
    for block in blocks:
        x = packed_block(block, x, used, rows)
    return encoder.norm(at_one_position(last, x[ends], padded(last.norm1(x), used, rows), used))


def padded(x: Float[Tensor, "p c"], used: Bool[Tensor, "n t"], rows: Int[Tensor, " p"]) -> Float[Tensor, "n t c"]:
    """The packed positions at their places, and zeros everywhere else."""
    n, t = used.shape
    return x.new_zeros(n * t, x.shape[1]).index_copy(0, rows, x).view(n, t, -1)


def packed_block(
    block: Block, x: Float[Tensor, "p width"], used: Bool[Tensor, "n t"], rows: Int[Tensor, " p"]
) -> Float[Tensor, "p width"]:
    """``block`` with causal attention, for the positions in use."""
    n, t = used.shape
    attention = block.attention
    projected = padded(attention.project_in(block.norm1(x)), used, rows)  # (n, t, 3 width)
    q, k, v = projected.view(n, t, 3, attention.heads, -1).permute(2, 0, 3, 1, 4)  # each (n, heads, t, d)
    mixed = scaled_dot_product_attention(q, k, v, is_causal=True)  # (n, heads, t, d)
    x = x + attention.project_out(mixed.transpose(1, 2).reshape(n * t, -1)[rows])
    return x + block.mlp(block.norm2(x))


def at_one_position(
    block: Block, x: Float[Tensor, "n width"], places: Float[Tensor, "n t width"], allowed: Bool[Tensor, "n t"] | None
) -> Float[Tensor, "n width"]:
    """The block's result at one position of each sequence.

    Args:
        x: the vector at this position.
        places: the vectors of all positions behind the first layer norm.
        allowed: which of them this position looks at; None for all.
    """
    project = block.attention.project_in
    weights = zip(project.weight.chunk(3), project.bias.chunk(3), strict=True)  # rows: q, then k, then v
    mixed = attention_of_one(block.norm1(x), places, *weights, heads=block.attention.heads, allowed=allowed)
    x = x + block.attention.project_out(mixed)
    return x + block.mlp(block.norm2(x))


def pooled(pool: AttentionPool, grid: Float[Tensor, "n width rows columns"]) -> Float[Tensor, "n width"]:
    """``pool(grid)``."""
    places = grid.flatten(2).mT  # (n, places, width)
    x = torch.cat([places.mean(dim=1, keepdim=True), places], dim=1) + pool.positions  # (n, 1 + places, width)
    weights = ((layer.weight, layer.bias) for layer in (pool.query, pool.key, pool.value))
    return attention_of_one(x[:, 0], x, *weights, heads=pool.heads)


Linear = tuple[Float[Tensor, "width width"], Float[Tensor, " width"]]  # weight and bias


def attention_of_one(
    x: Float[Tensor, "n width"],
    places: Float[Tensor, "n t width"],
    query: Linear,
    key: Linear,
    value: Linear,
    heads: int,
    allowed: Bool[Tensor, "n t"] | None = None,
) -> Float[Tensor, "n width"]:
    """Multi-head attention of one position, x, to all ``places``, without their keys and values."""
    n, width = x.shape
    d = width // heads
    q = linear(x, *query).view(n, heads, d)
    by_head = [(weight.view(heads, d, width), bias.view(heads, d)) for weight, bias in (key, value)]
    (key_weight, key_bias), (value_weight, value_bias) = by_head
    scores = torch.einsum("nhd,hdw->nhw", q, key_weight) @ places.mT  # (n, heads, t): (W_k^T q) . x
    scores = (scores + (q * key_bias).sum(dim=-1, keepdim=True)) / d**0.5
    if allowed is not None:
        scores = scores.masked_fill(~allowed[:, None], -torch.inf)
    mean = scores.softmax(dim=-1) @ places  # (n, heads, width): the mean of the places, for each head
    return (torch.einsum("nhw,hdw->nhd", mean, value_weight) + value_bias).flatten(1)
