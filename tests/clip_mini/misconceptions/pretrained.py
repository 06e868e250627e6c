"""Wrong ways to load published weights. Each must fail the tests of ``clip_mini.extensions.pretrained``."""

from pathlib import Path

import torch
from torch import nn

from clip_mini.extensions.pretrained import load_pretrained
from clip_mini.model import CLIP, QuickGELU


def _blocks(model: CLIP) -> list[nn.Module]:
    return [*model.image_encoder.transformer.blocks, *model.text_encoder.transformer.blocks]


def gelu_for_quick_gelu(folder: Path) -> CLIP:
    """Tempting because the paper says GELU; the authors' weights were trained with its approximation."""
    model = load_pretrained(folder)
    for block in _blocks(model):
        block.mlp[1] = nn.GELU()
    return model


def quick_gelu_for_gelu(folder: Path) -> CLIP:
    """Tempting because the authors' models use it; many later folders say ``gelu`` in their config.json."""
    model = load_pretrained(folder)
    for block in _blocks(model):
        block.mlp[1] = QuickGELU()
    return model


def gelu_by_tanh(folder: Path) -> CLIP:
    """Tempting because GPT-2's GELU is the approximation by tanh; it differs in the fourth digit."""
    model = load_pretrained(folder)
    for block in _blocks(model):
        if isinstance(block.mlp[1], nn.GELU):
            block.mlp[1] = nn.GELU(approximate="tanh")
    return model


def _read_at(place, folder: Path) -> CLIP:
    model = load_pretrained(folder)
    model.text_encoder.place_of_end = place
    return model


def last_token(folder: Path) -> CLIP:
    """Tempting because a causal model's last position has seen all; in a batch the last position is padding."""
    return _read_at(lambda texts: torch.full((len(texts),), texts.shape[1] - 1), folder)


def last_end_token(folder: Path) -> CLIP:
    """Tempting because a text has one end; CLIP's tokenizer pads with the end token, so there are many."""

    def place(texts):
        at_end = texts == model.text_encoder.end
        return at_end.shape[1] - 1 - at_end.flip(1).int().argmax(dim=1)

    model = load_pretrained(folder)
    model.text_encoder.place_of_end = place
    return model


def largest_token_id(folder: Path) -> CLIP:
    """Tempting because the authors' code does so; it fails where tokens were added behind the end token."""
    return _read_at(lambda texts: texts.argmax(dim=1), folder)


def end_token_in_old_folders(folder: Path) -> CLIP:
    """Tempting because config.json says which token ends a text; where it says 2, it is wrong."""
    return _read_at(lambda texts: (texts == 2).int().argmax(dim=1), folder)


def without_norm_before(folder: Path) -> CLIP:
    """Tempting because other Vision Transformers have no layer norm before the first layer."""
    model = load_pretrained(folder)
    model.image_encoder.norm_before = nn.Identity()
    return model


def without_norm_after(folder: Path) -> CLIP:
    """Tempting because the name ``post_layernorm`` looks like a part of a layer."""
    model = load_pretrained(folder)
    model.image_encoder.norm_after = nn.Identity()
    return model


def transposed_projections(folder: Path) -> CLIP:
    """Tempting because the authors' code computes ``x @ text_projection``; ``nn.Linear`` stores the transpose."""
    model = load_pretrained(folder)
    for projection in (model.image_projection, model.text_projection):
        if projection.in_features == projection.out_features:
            projection.weight = nn.Parameter(projection.weight.T.contiguous())
    return model


def keys_values_queries(folder: Path) -> CLIP:
    """Tempting because the reference lists k, v, q; all three have one shape, so nothing fails."""
    model = load_pretrained(folder)
    for block in _blocks(model):
        for parameter in block.attention.project_in.parameters():
            q, k, v = parameter.data.chunk(3)
            parameter.data = torch.cat([k, v, q])
    return model


def heads_of_the_text_for_the_images(folder: Path) -> CLIP:
    """Tempting because the number of heads is in no tensor's shape; any divisor of the width runs."""
    model = load_pretrained(folder)
    for block in model.image_encoder.transformer.blocks:
        block.attention.heads = 1
    return model


def default_eps(folder: Path) -> CLIP:
    """Tempting because all known folders have 1e-5; the field is there because it can differ."""
    model = load_pretrained(folder)
    for module in model.modules():
        if isinstance(module, nn.LayerNorm):
            module.eps = 1e-5
    return model


def scale_without_exponential(folder: Path) -> CLIP:
    """Tempting because the tensor is called ``logit_scale``; it holds the logarithm."""
    model = load_pretrained(folder)
    model.log_scale.data.log_()
    return model


def class_token_last(folder: Path) -> CLIP:
    """Tempting because order does not matter to attention; but each row of the positions belongs to one place."""
    model = load_pretrained(folder)
    positions = model.image_encoder.positions
    positions.data = positions.data.roll(1, dims=0)
    return model


def mean_over_the_patches(folder: Path) -> CLIP:
    """Tempting because newer models average; CLIP reads the class token."""

    def mean_first(x, causal):
        x = forward(x, causal)
        return torch.cat([x[:, 1:].mean(dim=1, keepdim=True), x[:, 1:]], dim=1)

    model = load_pretrained(folder)
    forward = model.image_encoder.transformer.forward
    model.image_encoder.transformer.forward = mean_first
    return model


def text_sees_the_future(folder: Path) -> CLIP:
    """Tempting because a text encoder such as BERT looks both ways; CLIP's is causal, so padding is never seen."""
    model = load_pretrained(folder)
    transformer = model.text_encoder.transformer
    forward = transformer.forward
    transformer.forward = lambda x, causal: forward(x, causal=False)
    return model


WRONG = {  # and the case of tests/clip_mini/published.py that shows it
    gelu_for_quick_gelu: "quick_gelu",
    quick_gelu_for_gelu: "gelu",
    gelu_by_tanh: "gelu",
    last_token: "quick_gelu",
    last_end_token: "quick_gelu",
    largest_token_id: "quick_gelu",
    end_token_in_old_folders: "legacy end",
    without_norm_before: "quick_gelu",
    without_norm_after: "quick_gelu",
    transposed_projections: "square projections",
    keys_values_queries: "quick_gelu",
    heads_of_the_text_for_the_images: "quick_gelu",
    default_eps: "large eps",
    scale_without_exponential: "quick_gelu",
    class_token_last: "quick_gelu",
    mean_over_the_patches: "quick_gelu",
    text_sees_the_future: "quick_gelu",
}
