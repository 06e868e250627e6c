"""Defaults from the papers, from the published models, and of what the README's numbers need."""

import math

import pytest

from clip_mini.evaluate import ACCURACY, UNSEEN
from tests.defaults import check_defaults, check_measured

DEFAULTS = {
    "clip_mini.model": {"FIRST_SCALE": math.log(1 / 0.07), "LARGEST_SCALE": math.log(100)},  # section 2.5
    "clip_mini.extensions.objectives.Recipe": {"margin": 0.1, "matched": 0.2, "weight": 0.02},  # Salvador et al.
    "clip_mini.data": {"ALONE": 0.5, "RELATED": 0.3},
    "clip_mini.datasets.sources": {"TOY_TEST": 256, "TOY_VALIDATION": 256, "ZERO_SHOT": 500},
    "clip_mini.evaluate": {
        "KS": (1, 5, 10), "WORDINGS": 12,
        "PROMISES": {
            ("toy", "test", "image→text R@1"): 0.95, ("toy", "test", "text→image R@1"): 0.95,
            ("toy", "compositional", "image→text R@1"): 0.8, ("toy", "compositional", "text→image R@1"): 0.8,
            ("toy", UNSEEN, ACCURACY): 0.85,
        },
    },
    "clip_mini.extensions.search.FaissIndex": {"probes": 32, "candidates": 10},
    "clip_mini.extensions.search": {"FEWEST": 10_000, "PER_LIST": 64},
    "clip_mini.extensions.pretrained.TextConfig": {  # transformers.CLIPTextConfig
        "vocab_size": 49_408, "hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 12,
        "num_attention_heads": 8, "max_position_embeddings": 77, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5,
        "eos_token_id": 49_407,
    },
    "clip_mini.extensions.pretrained.VisionConfig": {  # transformers.CLIPVisionConfig
        "hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12,
        "image_size": 224, "patch_size": 32, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5,
    },
    "clip_mini.extensions.pretrained.CommonConfig": {"projection_dim": 512},
    "clip_mini.train.CONFIGS[shards]": {
        "steps": 850, "pairs": 192, "image_size": 64, "background": 0.45, "channels": (32, 64, 128, 256),
        "learning_rate": 1e-3,
    },
    "clip_mini.commands.Search": {"top": 5, "scenes": None, "split": None, "index": "exact", "run": "toy"},
}  # fmt: skip


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name: str) -> None:
    check_defaults(name, DEFAULTS[name])


@pytest.mark.parametrize("name", ["toy", "toy-vit", "emoji", "folder"])
def test_the_readme_measured_this_configuration(name: str) -> None:
    check_measured("clip_mini", name, f"clip_mini.train.CONFIGS[{name}]")
