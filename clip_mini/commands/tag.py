"""The verb ``tag``: the colours, shapes and sizes that an image shows, by zero-shot classification."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro
from torch import Tensor

from clip_mini.commands.opened import Opened, opened
from clip_mini.zero_shot import class_embeddings, classify, prompts_of
from detector.commands import warn_of_unlike
from lab import cli
from toyworld import english, korean
from toyworld.scenes import COLOURS, SHAPES, SIZES

WORDS = {  # the toy world's words for sizes, colours and shapes
    "english": ({s: s for s in SIZES}, {c: c for c in COLOURS}, {s: english.NOUNS[s][0] for s in SHAPES}),
    "korean": (korean.SIZES, korean.COLOURS, {s: korean.NOUNS[s] for s in SHAPES}),
}
BEGINNINGS = {"english": ("a ", "one object: a "), "korean": ("", "물체 한 개: ")}  # of captions of one object


@dataclass(frozen=True, kw_only=True)
class Tag(cli.Machine):
    """Name the colours, shapes and sizes that an image shows, by zero-shot classification."""

    image: tyro.conf.Positional[Path]  # the image file
    run: str = "toy"  # the name of the run

    def execute(self, command: str) -> None:
        model = opened(self.run, self.device)
        model.check_toy("--run with one that was")
        image = model.embed_file(self.image)
        warn_of_unlike([self.image], command, self)
        for kind, probabilities in tags(model, image).items():
            likely = sorted(probabilities.items(), key=lambda entry: -entry[1])
            print(f"{kind:<7} " + "  ".join(f"{name} {100 * p:.1f}%" for name, p in likely))


@torch.no_grad()
def tags(model: Opened, image: Tensor) -> dict[str, dict[str, float]]:
    """By kind of attribute, the probability of each word; an image with two colours shares it between them."""
    sizes, colours, shapes = (tuple(words.values()) for words in WORDS[model.language])
    named: dict[str, tuple[Sequence[str], list[str]]] = {
        "colour": (colours, [f"{size} {{}} {shape}" for size in sizes for shape in shapes]),
        "shape": (shapes, [f"{size} {colour} {{}}" for size in sizes for colour in colours]),
        "size": (sizes, [f"{{}} {colour} {shape}" for colour in colours for shape in shapes]),
    }
    probabilities = {}
    for kind, (names, middles) in named.items():
        templates = [beginning + middle for beginning in BEGINNINGS[model.language] for middle in middles]
        classes = class_embeddings(model.model.encode_text, model.encode, prompts_of(names, templates)).cpu()
        rows = classify(image, classes, model.model.log_scale.detach().cpu())
        probabilities[kind] = dict(zip(names, rows[0].tolist(), strict=True))
    return probabilities
