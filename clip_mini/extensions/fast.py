r"""The same embeddings and gradients as ``CLIP``, with less to compute.

Nearly all the time of a training step is in products of matrices, so only fewer products make it faster:

- The last layer's result is read at one position: the class token, or the end of the text. So its query, its output and
  its MLP are computed for this position only. Keys and values are still needed everywhere. With 12 width² products for
  a position in each layer, 10 of 12 are saved in the last one.
- With causal attention, nothing behind the end of a text is ever read. So linear layers work on the positions up to the
  end, of all texts in one row. Attention alone gets the padded form.

``CLIP`` itself is the form to read, and tests compare both.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import linear, normalize, scaled_dot_product_attention

from clip_mini.image_encoders import VisionTransformer
from clip_mini.model import CLIP, Block, TextEncoder


class FastCLIP(CLIP):
    """A ``CLIP`` with the same parameters, which computes the embeddings faster where its encoders are Transformers."""

    def encode_image(self, images: Float[Tensor, "n ..."]) -> Float[Tensor, "n common"]:
        encoder = self.image_encoder
        features = image_features(encoder, images) if isinstance(encoder, VisionTransformer) else encoder(images)
        return normalize(self.image_projection(features), dim=-1)

    def encode_text(self, texts: Int[Tensor, "n t"]) -> Float[Tensor, "n common"]:
        return normalize(self.text_projection(text_features(self.text_encoder, texts)), dim=-1)


def faster(model: CLIP) -> FastCLIP:
    """The fast form of a model. Both share all parameters: what one learns, the other knows."""
    fast = FastCLIP(model.image_encoder, model.text_encoder, model.image_projection.out_features)
    fast.image_projection, fast.text_projection = model.image_projection, model.text_projection
    fast.log_scale = model.log_scale
    return fast


def image_features(encoder: VisionTransformer, images: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n width"]:
    """``encoder(images)``."""
    n = len(images)
    patches = encoder.patches(images).flatten(2).mT  # (n, places, width)
    x = torch.cat([encoder.class_token.expand(n, 1, -1), patches], dim=1) + encoder.positions  # (n, t, width)
    x = encoder.norm_before(x)
    *blocks, last = encoder.transformer.blocks
    for block in blocks:
        x = block(x, causal=False)
    keys_and_values = last_keys_and_values(last, last.norm1(x))  # (n, t, 2 width)
    return encoder.norm_after(at_one_position(last, x[:, 0], keys_and_values, None))


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
    keys_and_values = padded(last_keys_and_values(last, last.norm1(x)), used, rows)  # (n, t, 2 width)
    return encoder.norm(at_one_position(last, x[ends], keys_and_values, used))


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


def last_keys_and_values(block: Block, x: Float[Tensor, "*places width"]) -> Float[Tensor, "*places 2*width"]:
    width, project = x.shape[-1], block.attention.project_in
    return linear(x, project.weight[width:], project.bias[width:])  # rows: q, then k, then v


def at_one_position(
    block: Block,
    x: Float[Tensor, "n width"],
    keys_and_values: Float[Tensor, "n t 2*width"],
    allowed: Bool[Tensor, "n t"] | None,
) -> Float[Tensor, "n width"]:
    """The block's result at one position of each sequence, whose vector is x; it looks at the allowed positions."""
    n, width = x.shape
    attention, project = block.attention, block.attention.project_in
    k, v = keys_and_values.view(n, -1, 2, attention.heads, width // attention.heads).permute(2, 0, 3, 1, 4)
    q = linear(block.norm1(x), project.weight[:width], project.bias[:width]).view(n, attention.heads, 1, -1)
    mask = None if allowed is None else allowed[:, None, None]  # (n, 1, 1, t)
    mixed = scaled_dot_product_attention(q, k, v, attn_mask=mask)  # (n, heads, 1, d)
    x = x + attention.project_out(mixed.reshape(n, width))
    return x + block.mlp(block.norm2(x))
