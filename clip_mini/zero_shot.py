r"""Stand-in for the lead's file: zero-shot classification (Radford et al. 2021, section 3.1.4)."""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize


def class_embeddings(model, encode: Callable, names: Sequence[str], templates: Sequence[str]) -> Float[Tensor, "c d"]:
    rows = [
        model.encode_text(encode([template.format(name) for template in templates])).mean(dim=0) for name in names
    ]
    return normalize(torch.stack(rows), dim=-1)


def classify(
    image: Float[Tensor, "n d"], classes: Float[Tensor, "c d"], log_scale: Float[Tensor, ""]
) -> Float[Tensor, "n c"]:
    return (log_scale.exp() * image @ classes.T).softmax(dim=-1)
