r"""Recall at k in both directions (Radford et al. 2021, section 3.1 and appendix; Karpathy & Fei-Fei 2015)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Examples:
    """n images and m captions to judge a model with; caption k is about image ``image_of[k]``."""

    images: Float[Tensor, "n ..."]  # what the image encoder reads
    texts: Int[Tensor, "m t"]  # token ids
    image_of: Int[Tensor, " m"]
    captions: tuple[str, ...]
    names: tuple[str, ...]  # of the images


def recall_at_k(
    similarity: Float[Tensor, "n m"], image_of: Int[Tensor, " m"], ks: Sequence[int] = (1, 5, 10)
) -> dict[str, float]:
    """``"image→text R@1"`` and so on: how often one of the right ones is among the k nearest.

    An image with several captions needs one of them; a caption has one image. Ties count against the model: a wrong
    one that is as near as the right one is placed before it.
    """
    n, m = similarity.shape
    right = image_of == torch.arange(n, device=image_of.device)[:, None]  # (n, m)
    best = similarity.masked_fill(~right, -torch.inf).amax(dim=1)  # (n,): the image's nearest own caption
    rank_of_text = ((similarity >= best[:, None]) & ~right).sum(dim=1)  # wrong captions before it
    own = similarity[image_of, torch.arange(m, device=image_of.device)]  # (m,)
    rank_of_image = ((similarity >= own) & ~right).sum(dim=0)  # wrong images before the right one
    return {
        f"{name} R@{k}": (rank < k).double().mean().item()
        for name, rank in (("image→text", rank_of_text), ("text→image", rank_of_image))
        for k in ks
    }
