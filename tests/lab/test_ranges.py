"""Every field of every configuration: its least (and largest) value passes, and the next one is refused in one line.

The table is the promise. It is not read from the types, so a range that is loosened by mistake turns a test red.
"""

import importlib
import math
import re
from dataclasses import fields
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lab.config import checked
from lab.papers import PAPERS

ROOT = Path(__file__).parents[2]


class Edges(NamedTuple):
    """Values that are just allowed, and values that are just not."""

    allowed: tuple
    refused: tuple


def next_to(value: float | int, direction: float) -> float | int:
    return value + int(math.copysign(1, direction)) if isinstance(value, int) else math.nextafter(value, direction)


def at_least(low: float | int, high: float | int | None = None) -> Edges:
    """Without a highest value, infinity is still refused."""
    too_much = math.inf if high is None else next_to(high, math.inf)
    return Edges((low, *(() if high is None else (high,))), (next_to(low, -math.inf), too_much))


def above(low: float, *others: None) -> Edges:
    return Edges((next_to(low, math.inf), *others), (low, math.inf, math.nan))


def from_to_below(low: float, high: float) -> Edges:
    return Edges((low, next_to(high, -math.inf)), (next_to(low, -math.inf), high))


def one_of(*words: str | int) -> Edges:
    """Words; any other one is refused."""
    return Edges(words, (f"{words[0]}!",))


def widths(least: int, most: int | None = None) -> Edges:
    """Of a tuple of sizes, each at least 1."""
    too_many = () if most is None else ((1,) * (most + 1),)
    return Edges(((1,) * least,), ((1,) * (least - 1), (*(1,) * (least - 1), 0), *too_many))


COUNT, SEED, RATE, WEIGHT, SHARE = at_least(1), at_least(0), above(0.0), at_least(0.0), from_to_below(0.0, 1.0)
BRIGHTNESS = at_least(0.0, 1.0)
SKIP_GRAM = {
    **dict.fromkeys(("steps", "sentences", "dim", "window", "negatives"), COUNT),
    **{"sample": WEIGHT, "power": at_least(0.0, 10.0), "learning_rate": RATE, "seed": SEED},
}
CLIP = {
    **dict.fromkeys(("steps", "patch", "width", "layers", "heads", "text_width", "text_layers", "text_heads"), COUNT),
    **{"common": COUNT, "warmup": COUNT, "pairs": at_least(2), "image_size": at_least(16), "context": at_least(3)},
    **{"language": one_of("english", "korean", "both"), "image_encoder": one_of("cnn", "vit", "features")},
    **{"background": BRIGHTNESS, "channels": widths(1), "learning_rate": RATE, "weight_decay": WEIGHT},
    **{"clip": above(0.0, None), "seed": SEED},
}
CAPTIONER = {
    **dict.fromkeys(("steps", "images", "captions", "embedding", "hidden", "attention_hidden", "warmup"), COUNT),
    **{"encoder": one_of("grid", "cnn"), "attention": one_of("soft", "none"), "channels": widths(1)},
    **{"image_size": at_least(16), "background": BRIGHTNESS, "dropout": SHARE, "penalty_weight": WEIGHT},
    **{"learning_rate": RATE, "weight_decay": WEIGHT, "seed": SEED},
}
GAN = {
    **dict.fromkeys(("steps", "noise", "hidden"), COUNT),
    **{"batch": at_least(2), "channels": at_least(2), "network": one_of("mlp", "conv"), "beta1": SHARE, "seed": SEED},
    **{"generator_loss": one_of("non-saturating", "minimax"), "generator_rate": RATE, "discriminator_rate": RATE},
}
TEXT_GAN = {
    **dict.fromkeys(("steps", "noise", "compressed", "joint", "penalty_every"), COUNT),
    **{"batch": at_least(2), "generator": one_of("whole"), "discriminator_channels": widths(3, 3)},
    **{"generator_channels": Edges(((1, 1, 1),), ((1, 1, 0),))},  # how many belong to a generator: test_anywhere.py
    "discriminator": one_of("projection", "paper", "encoder", "untrained"),
    "game": one_of("matching-aware", "plain"),
    **dict.fromkeys(("interpolation", "penalty", "mode_seeking"), WEIGHT),
    **{"generator_rate": RATE, "discriminator_rate": RATE, "beta1": SHARE, "seed": SEED},
}
ACTIVATION = one_of("quick_gelu", "gelu")
PUBLISHED = {
    **dict.fromkeys(("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"), COUNT),
    **{"hidden_act": ACTIVATION, "layer_norm_eps": RATE},
}
RANGES: dict[str, dict[str, Edges]] = {
    "word2vec.train.Config": SKIP_GRAM,
    "word2vec.extensions.objectives.ObjectiveConfig": {
        **SKIP_GRAM, "objective": one_of("negative-sampling", "softmax", "hierarchical", "cbow"),
    },
    "word2vec.extensions.text.TextConfig": {
        **{name: edges for name, edges in SKIP_GRAM.items() if name not in ("steps", "sentences")},
        "window": at_least(1, 50), "min_count": COUNT, "epochs": COUNT, "last_learning_rate": RATE,
    },
    "clip_mini.train.Config": CLIP,
    "clip_mini.extensions.objectives.ObjectiveConfig": {**CLIP, "objective": one_of("contrastive", "devise")},
    "clip_mini.extensions.pretrained.TextConfig": {
        **PUBLISHED, "vocab_size": COUNT, "max_position_embeddings": COUNT, "eos_token_id": SEED,
    },
    "clip_mini.extensions.pretrained.VisionConfig": {
        **PUBLISHED, "num_channels": one_of(3), "image_size": COUNT, "patch_size": COUNT,
    },
    "clip_mini.extensions.pretrained.CommonConfig": {"projection_dim": COUNT},
    "show_attend_tell.train.Config": CAPTIONER,
    "show_attend_tell.extensions.hard_attention.HardConfig": {
        **CAPTIONER, "attention": one_of("hard"),
        "expected_share": at_least(0.0, 1.0), "reinforce_weight": WEIGHT, "entropy_weight": WEIGHT,
    },
    "show_attend_tell.extensions.photographs.PhotoConfig": {
        **CAPTIONER,
        **dict.fromkeys(("annotation", "least", "views", "self_critical_images", "beam"), COUNT),
        **dict.fromkeys(("annotation_dropout", "embedding_dropout", "smoothing"), SHARE),
        "self_critical_steps": SEED, "self_critical_rate": RATE, "drawn_captions": at_least(2),
        "precision_weight": WEIGHT, "length_penalty": WEIGHT,
    },
    "cgan.train.Config": GAN,
    "cgan.extensions.gradient_penalty.PenaltyConfig": {**GAN, "penalty": WEIGHT},
    "cgan.extensions.projection.TextConfig": TEXT_GAN,
    "cgan.extensions.judge.JudgeConfig": {
        "steps": COUNT, "batch": at_least(2), "channels": COUNT, "learning_rate": RATE, "seed": SEED,
    },
    "cgan.extensions.pretraining.EncoderConfig": {
        "steps": COUNT, "batch": at_least(2), "size": COUNT, "channels": COUNT, "learning_rate": RATE, "seed": SEED,
        "picture": one_of("flat", "pooled", "regions"), "false_sentences": WEIGHT,
    },
    "vqa.train.Config": {
        **dict.fromkeys(("steps", "images", "questions", "embedding", "hidden", "common", "answers", "warmup"), COUNT),
        "encoder": one_of("grid", "cnn"), "image_size": at_least(16), "background": BRIGHTNESS, "channels": widths(1),
        "dropout": SHARE, "fusion": one_of("product", "sum", "concat"),
        "inputs": one_of("both", "question", "image"), "learning_rate": RATE, "weight_decay": WEIGHT, "seed": SEED,
    },
    "detector.train.Config": {
        "steps": COUNT, "images": COUNT, "image_size": Edges((8, 12), (4, 9)), "learning_rate": RATE,
        "warmup": COUNT, "seed": SEED,
    },
}  # fmt: skip
FREE = {"clip_mini.extensions.objectives.ObjectiveConfig": {"objective"}}  # any word; a dict of losses refuses others
NO_RANGES = {"clip_mini.extensions.pretrained.ModelConfig", "cgan.commands.AnyConfig"}  # made of those above


def kind_of(name: str) -> type:
    module, _, kind = name.rpartition(".")
    return getattr(importlib.import_module(module), kind)


def refusal(kind: type, field: str, value: Any) -> str:
    try:
        checked(kind, {field: value})
    except ValueError as error:
        return str(error)
    raise AssertionError(f"{kind.__module__}.{kind.__name__}: {field} = {value!r} must be refused, and passes")


@pytest.mark.parametrize("name", RANGES)
def test_the_last_allowed_value_passes_and_the_next_is_refused(name: str) -> None:
    kind, table = kind_of(name), RANGES[name]
    assert {field.name for field in fields(kind)} == table.keys(), "each field has its range in the table"
    for field, edges in table.items():
        for value in edges.allowed:
            assert getattr(checked(kind, {field: value}), field) == value
        for value in () if field in FREE.get(name, ()) else edges.refused:
            message = refusal(kind, field, value)
            assert re.match(rf"{field}(\[\d+\])? must .*got ", message), message
            assert "\n" not in message


def test_no_configuration_is_left_out() -> None:
    found = set()
    for package in (*PAPERS, "detector", "toyworld", "lab", "tour", "bench"):
        for path in (ROOT / package).rglob("*.py"):
            module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            names = re.findall(r"^class (\w*Config)\b", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            found |= {f"{module}.{name}" for name in names}
    assert found == RANGES.keys() | NO_RANGES
