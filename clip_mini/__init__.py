"""CLIP: contrastive learning of images and texts (Radford et al. 2021, arXiv 2103.00020), rebuilt from its paper.

The names below are loaded when they are first used: ``python -m clip_mini`` sets up threads before torch is imported.
"""

from lab.library import exports

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "loss": ["contrastive_loss", "pairwise_similarity"],
        "model": ["CLIP"],
        "train": ["CONFIGS", "Config", "build", "build_optimizer"],
    },
)
