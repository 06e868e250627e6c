"""Defaults from the papers, and of what the README's numbers need."""

import pytest

from tests.defaults import check_defaults, check_measured

DEFAULTS = {
    "cgan.data": {"MODES": 8, "RADIUS": 5.0, "SIGMA": 0.5},
    "cgan.loss.interpolated": {"beta": 0.5},  # Reed et al., equation 5
    "cgan.train_text_to_image.train_text_to_image": {"interpolation": 1.0},
    "cgan.extensions.gradient_penalty.train_with_penalty": {"penalty": 1.0},
    "cgan.extensions.projection.train_text_with_penalty": {
        "interpolation": 1.0, "penalty": 1.0, "penalty_every": 4, "matching_aware": True, "mode_seeking": 0.0,
    },
    "cgan.extensions.judge.JudgeConfig": {
        "steps": 800, "batch": 64, "channels": 16, "learning_rate": 3e-3, "seed": 0,
    },
    "cgan.extensions.judge": {"DEGREES": 12, "SHEAR": 0.25, "RESIZE": 0.12, "MOVE": 0.1},
    "cgan.extensions.pretraining.EncoderConfig": {
        "steps": 800, "batch": 64, "size": 64, "channels": 16, "learning_rate": 3e-3, "seed": 0,
        "picture": "flat", "false_sentences": 0.0,
    },
    "cgan.extensions.pretraining.train_encoders": {"false_sentences": 0.0},
    "cgan.datasets.two": {"FROM_ANOTHER": 0.25},
    "cgan.extensions.relations": {"FEATURE_PLACES": 4},
    "cgan.commands.frozen": {"POOL": 16_000, "TEST": 2_000, "SCENES": 12_000, "SEED": 1000},
    "cgan.commands.sentences": {"EACH": 20, "VALIDATED": 4},
    "cgan.commands.two": {"FULL": 24},
    "cgan.evaluate.within": {"sigmas": 3.0},
    "cgan.evaluate.check_diversity": {"least": 0.1},
    "cgan.evaluate": {
        "EACH": 1000,
        "PROMISES": {
            ("ring", "test", "within 3σ"): 0.95, ("ring", "test", "worst mode"): 1 / 1.2,
            ("digits", "test", "obedience"): 0.96, ("digits", "test", "diversity"): 0.8,
        },
    },
    "cgan.commands.Draw": {"count": 16, "seed": 0, "run": None},
    "cgan.commands.Interpolate": {"seed": 0, "run": None},
}  # fmt: skip


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults(name: str) -> None:
    check_defaults(name, DEFAULTS[name])


@pytest.mark.parametrize(
    ("result", "name"),
    [
        ("ring", "cgan.train.CONFIGS[ring]"),
        ("digits", "cgan.extensions.gradient_penalty.PICTURE_CONFIGS[digits]"),
        ("toy-close", "cgan.extensions.projection.TEXT_CONFIGS[close]"),
        ("toy-anywhere", "cgan.extensions.projection.TEXT_CONFIGS[anywhere]"),
    ],
)
def test_the_readme_measured_this_configuration(result: str, name: str) -> None:
    check_measured("cgan", result, name)
