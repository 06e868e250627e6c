"""Defaults from the paper, and of what the README's numbers need."""

import pytest

from tests.defaults import check_defaults

OPTIMISER = {"weight_decay": 0.1, "warmup": 50, "seed": 0}
DEFAULTS = {
    "vqa.model.VQA": {"common": 1024, "dropout": 0.5, "fusion": "product", "inputs": "both"},  # section 5.2
    "vqa.model": {"LENGTH": 10.0},
    "vqa.encoders": {"CONSTANT": 10.0, "EDGE": 2.0},
    "vqa.metric": {"ENOUGH": 3},  # section 3
    "vqa.train.CONFIGS[toy]": {
        **OPTIMISER, "steps": 4800, "images": 64, "questions": 8, "encoder": "grid", "image_size": 64,
        "background": 0.93, "channels": (256,), "embedding": 64, "hidden": 64, "common": 1024, "dropout": 0.0,
        "fusion": "product", "inputs": "both", "answers": 1000, "learning_rate": 8e-3,
    },
    "vqa.train.CONFIGS[easy-vqa]": {
        **OPTIMISER, "steps": 1200, "images": 64, "questions": 8, "encoder": "cnn", "channels": (8, 16, 32),
        "learning_rate": 5e-3, "background": 0.93,
    },
    "vqa.train.CONFIGS[vqa-v2]": {
        "steps": 20_000, "questions": 3, "image_size": 128, "channels": (32, 64, 128, 256), "answers": 1000,
        "background": 0.45, "dropout": 0.5, "learning_rate": 4e-4, "weight_decay": 0.03,
    },
    "vqa.train.CONFIGS[paper]": {  # Antol et al. 2015, section 5.2, and the authors' code
        "steps": 150_000, "images": 500, "questions": 1, "image_size": 224, "embedding": 200, "hidden": 512,
        "common": 1024, "answers": 1000, "dropout": 0.5, "learning_rate": 4e-4, "channels": (64, 128, 256, 512),
    },
    "vqa.datasets.sources": {"TOY_TEST": 6000, "TOY_VALIDATION": 1200},
    "vqa.commands.ask": {"LIKELY": 5},
    "vqa.commands.Ask": {"run": "toy"},
}  # fmt: skip


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name: str) -> None:
    check_defaults(name, DEFAULTS[name])
