"""Show, Attend and Tell (Xu et al. 2015, arXiv 1502.03044), rebuilt from its paper.

The names below are loaded when they are first used: ``python -m show_attend_tell`` sets up threads before torch is
imported.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "loss": ["caption_loss", "doubly_stochastic"],
        "model": ["Annotations", "Captioner", "State"],
        "train": ["CONFIGS", "Config", "build", "build_optimizer"],
    },
)
