"""Defaults from the papers, and of what the README's numbers need."""

import pytest

from tests.defaults import check_defaults, check_measured

DEFAULTS = {
    "show_attend_tell.train.train": {"penalty_weight": 0.0},
    "show_attend_tell.encoders": {"SCALE": 8.0},
    "show_attend_tell.extensions.hard_attention": {"DECAY": 0.9},  # section 4.1
    "show_attend_tell.extensions.hard_attention.HardConfig": {
        "attention": "hard", "expected_share": 0.5, "reinforce_weight": 1.0, "entropy_weight": 0.002,
    },
    "show_attend_tell.extensions.hard_attention.train_hard": {
        "expected_share": 0.5, "reinforce_weight": 1.0, "entropy_weight": 0.002,
    },
    "show_attend_tell.extensions.photographs.train_on_photographs": {"penalty_weight": 0.0, "smoothing": 0.1},
    "show_attend_tell.extensions.self_critical": {"LONGEST": 16, "WARMUP": 20},
    "show_attend_tell.extensions.self_critical.Reward": {"precision_weight": 0.0},  # Rennie et al.: CIDEr-D alone
    "show_attend_tell.extensions.photographs.PHOTO_CONFIGS[flickr8k]": {
        "steps": 235 * 6, "images": 128, "annotation": 512, "embedding": 512, "hidden": 512, "attention_hidden": 256,
        "dropout": 0.3, "annotation_dropout": 0.3, "embedding_dropout": 0.3, "smoothing": 0.1, "learning_rate": 1e-3,
        "warmup": 200, "least": 5, "views": 4, "self_critical_steps": 600, "self_critical_images": 32,
        "self_critical_rate": 7e-5, "drawn_captions": 5, "precision_weight": 0.4, "beam": 5, "length_penalty": 0.85,
    },
    "show_attend_tell.extensions.photographs.PHOTO_CONFIGS[coco]": {
        "steps": 60_000, "views": 1, "self_critical_steps": 0,
    },
    "show_attend_tell.data": {"MOST": 2},
    "show_attend_tell.decode.beam_search_one": {"length_penalty": 0.0},
    "show_attend_tell.evaluate": {"LONGEST": 24},
    "show_attend_tell.evaluate.most_frequent_caption": {"count": 2000},
    "show_attend_tell.datasets.scores": {"LONGEST": 25},
    "show_attend_tell.datasets.sources": {"VALIDATED": 400},
    "show_attend_tell.commands.task": {"VALIDATION": 300, "TEST": 2000, "FORCED": 100},
    "show_attend_tell.commands.Caption": {"beam": 5, "length_penalty": None, "run": "toy"},
    "show_attend_tell.commands.Evaluate": {"beam": 5, "length_penalty": None, "run": "flickr8k"},
}  # fmt: skip


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name: str) -> None:
    check_defaults(name, DEFAULTS[name])


def test_the_readme_measured_this_configuration() -> None:
    check_measured("show_attend_tell", "toy", "show_attend_tell.train.CONFIGS[toy]")
