"""Wrong poolings and Vision Transformers that people really write. The tests of ``clip_mini.image_encoders`` catch
each."""

import torch
from torch.nn.functional import scaled_dot_product_attention


def _pool(pool, grid, query=None, with_mean=True, positions=True, split=None):
    """Attention pooling as in the core, with one step replaced."""
    n, width = grid.shape[:2]
    places = grid.flatten(2).mT
    mean = places.mean(dim=1, keepdim=True)
    x = torch.cat([mean, places], dim=1)
    x = x + pool.positions if positions else x
    first = x[:, :1] if query is None else query(places) + pool.positions[:1]
    keys = x if with_mean else x[:, 1:]

    def heads(part):
        return part.view(n, -1, pool.heads, width // pool.heads).transpose(1, 2)

    q, k, v = (split or heads)(pool.query(first)), heads(pool.key(keys)), heads(pool.value(keys))
    return scaled_dot_product_attention(q, k, v).flatten(1)


def average_pooling(pool, grid):
    """Tempting because ResNets end so; every place then counts the same, an empty one too."""
    return pool.value(grid.flatten(2).mean(dim=2))


def query_is_the_maximum(pool, grid):
    """Tempting because max-pooling is the other usual choice; the paper's query is the average."""
    return _pool(pool, grid, query=lambda places: places.amax(dim=1, keepdim=True))


def mean_is_no_key(pool, grid):
    """Tempting because a query asks about the others; the authors' code has the mean among the keys."""
    return _pool(pool, grid, with_mean=False)


def pool_without_positions(pool, grid):
    """Tempting because a convolution knows its place; attention then cannot tell left from right."""
    return _pool(pool, grid, positions=False)


def rows_and_columns_exchanged(pool, grid):
    """Tempting because flattening has no visible order; position vectors then belong to other places."""
    return pool(grid.mT)


def heads_of_the_pool_interleaved(pool, grid):
    """Tempting because it is the same numbers in another order; queries and keys of a head then do not fit."""
    n, width = grid.shape[:2]
    return _pool(
        pool, grid, split=lambda part: part.view(n, -1, width // pool.heads, pool.heads).permute(0, 3, 1, 2)
    )  # fmt: skip


def _vit(encoder, images, patches=None, causal=False, last=False, bare_class_token=False, read=None):
    n = len(images)
    patches = encoder.patches(images).flatten(2).mT if patches is None else patches
    token = encoder.class_token.expand(n, 1, -1)
    if bare_class_token:
        x = torch.cat([token, patches + encoder.positions[1:]], dim=1)
    else:
        x = torch.cat([patches, token] if last else [token, patches], dim=1) + encoder.positions
    x = encoder.transformer(encoder.norm_before(x), causal=causal)
    return encoder.norm_after(x[:, 0] if read is None else read(x))


def patches_by_reshape(encoder, images):
    """Tempting because ``view(n, places, -1)`` has the right shape; a "patch" then is a run of rows of one channel."""
    n = len(images)
    places = len(encoder.positions) - 1
    return _vit(encoder, images, images.reshape(n, places, -1) @ encoder.patches.weight.flatten(1).mT)


def patches_column_by_column(encoder, images):
    """Tempting because x comes before y; position vectors then belong to other patches."""
    return _vit(encoder, images, encoder.patches(images).mT.flatten(2).mT)


def mean_of_the_patches(encoder, images):
    """Tempting because later models do it; CLIP reads the class token."""
    return _vit(encoder, images, read=lambda x: x[:, 1:].mean(dim=1))


def class_token_last(encoder, images):
    """Tempting because a text ends with its token; here it is the first, and has the first position vector."""
    return _vit(encoder, images, last=True, read=lambda x: x[:, -1])


def class_token_without_position(encoder, images):
    """Tempting because it has no place in the image; equation 1 adds a position vector to it as well."""
    return _vit(encoder, images, bare_class_token=True)


def causal_patches(encoder, images):
    """Tempting because both encoders share the Transformer; a class token at the front would see itself only."""
    return _vit(encoder, images, causal=True)


POOLS = (
    average_pooling, query_is_the_maximum, mean_is_no_key, pool_without_positions, rows_and_columns_exchanged,
    heads_of_the_pool_interleaved,
)  # fmt: skip
TRANSFORMERS = (
    patches_by_reshape, patches_column_by_column, mean_of_the_patches, class_token_last, class_token_without_position,
    causal_patches,
)  # fmt: skip
