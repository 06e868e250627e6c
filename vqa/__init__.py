"""VQA: Visual Question Answering (Antol et al. 2015, arXiv 1505.00468), rebuilt from its paper.

The names below are loaded when they are first used: ``python -m vqa`` sets up threads before torch is imported.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "answer_text": ["vqa_accuracy"],
        "model": ["VQA"],
        "train": ["CONFIGS", "Config", "build", "build_optimizer"],
    },
)
