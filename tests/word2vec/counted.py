"""A table of counted pairs, and the scores at which negative sampling is optimal on it (Levy & Goldberg 2014)."""

import math

import torch

COUNTED = torch.tensor([[40.0, 5, 36], [11, 3, 2], [30, 8, 218]], dtype=torch.float64)  # #(w, c); #(c) = 81, 16, 256
ROOTS = torch.tensor([27, 8, 64])  # 81^¾, 16^¾, 256^¾


def repeated_pairs() -> tuple[torch.Tensor, torch.Tensor]:
    """Every pair (w, c) as often as it was counted: centre ids and context ids."""
    words = torch.arange(3)
    return torch.cartesian_prod(words, words).repeat_interleave(COUNTED.flatten().long(), dim=0).unbind(1)


def noise_of(power: float) -> torch.Tensor:
    """Noise ids in which each word occurs in proportion to #(c)^power: a mean over them is an expectation over P_n."""
    contexts = COUNTED.sum(0).long()
    return torch.arange(3).repeat_interleave({1.0: contexts, 0.75: ROOTS, 0.0: torch.ones(3).long()}[power])


def optimum(k: int, power: float) -> torch.Tensor:
    """The scores ln #(w, c) / (#(w) P_n(c)) - ln k. With power 1 they are PMI(w, c) - ln k."""
    noise = COUNTED.sum(0) ** power
    return (COUNTED / (COUNTED.sum(1, keepdim=True) * noise / noise.sum())).log() - math.log(k)
