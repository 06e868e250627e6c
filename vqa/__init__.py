"""VQA: Visual Question Answering (Antol et al. 2015, arXiv 1505.00468), rebuilt from its paper.

The names below are loaded when they are first used: ``python -m vqa`` sets up threads before torch is imported.
"""

from lab.library import exports

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "answer_text": ["vqa_accuracy"],
        "encoders": ["GridEncoder", "SmallCNN"],
        "model": ["VQA", "QuestionEncoder", "fuse"],
        "train": ["CONFIGS", "Config", "build", "build_optimizer"],
    },
)
