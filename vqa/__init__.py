"""VQA: Visual Question Answering (Antol et al. 2015), rebuilt from its paper."""

from vqa.metric import normalize_answer, vqa_accuracy
from vqa.model import VQA
from vqa.train import CONFIGS, Config, build, build_optimizer, train

__all__ = ["CONFIGS", "VQA", "Config", "build", "build_optimizer", "normalize_answer", "train", "vqa_accuracy"]
