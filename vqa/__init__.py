"""VQA: Visual Question Answering (Antol et al. 2015, arXiv 1505.00468), rebuilt from its paper."""

from vqa.extensions.answer_text import vqa_accuracy
from vqa.model import VQA
from vqa.train import CONFIGS, Config, build

__all__ = ["CONFIGS", "VQA", "Config", "build", "vqa_accuracy"]
