"""Show, Attend and Tell (Xu et al. 2015, arXiv 1502.03044), rebuilt from its paper.

The names below are loaded when they are first used: ``python -m show_attend_tell`` sets up threads before torch is
imported.
"""

from lab.library import exports

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "loss": ["caption_loss", "doubly_stochastic"],
        "model": ["Annotations", "Captioner", "State"],
        "train": ["CONFIGS", "Config", "build", "build_optimizer"],
    },
)
