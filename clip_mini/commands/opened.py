"""A finished run, opened to embed the reader's texts and images: what ``search`` and ``tag`` share."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from clip_mini.commands.task import command_for_run, open_model
from clip_mini.data import LANGUAGES, encode
from clip_mini.datasets.features import EfficientNetLite0, FrozenEncoder, features_of
from clip_mini.model import CLIP
from clip_mini.train import Config
from lab.device import choose_device
from lab.images import load_image
from toyworld.tokenizer import UNKNOWN, Tokenizer, split_words


@dataclass(frozen=True)
class Opened:
    """A finished run, and what a search asks of it. ``frozen`` is the network whose features the model reads."""

    folder: Path
    data: dict[str, Any]
    config: Config
    tokenizer: Tokenizer
    model: CLIP
    device: torch.device
    frozen: FrozenEncoder | None

    @property
    def image_size(self) -> int:
        return self.frozen.size if self.frozen else self.config.image_size

    @property
    def language(self) -> str:
        return LANGUAGES[self.config.language][0]

    @property
    def is_toy(self) -> bool:
        return self.data["data"] == "toy"

    def check_toy(self, instead: str) -> None:
        if not self.is_toy:
            raise ValueError(f"{self.folder} was trained on {self.data['data']}, not on the toy world: give {instead}")

    @torch.no_grad()
    def embed_pixels(self, images: Tensor) -> Tensor:
        """Unit vectors of images with values from 0 to 1."""
        read = features_of(images, self.frozen) if self.frozen else images
        return self.model.encode_image(read.to(self.device)).cpu()

    def embed_file(self, path: Path) -> Tensor:
        return self.embed_pixels(load_image(path, self.image_size)[None].float() / 255)

    @torch.no_grad()
    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        return self.model.encode_text(self.encode(texts)).cpu()

    def encode(self, texts: Sequence[str]) -> Tensor:
        return encode(self.tokenizer, texts, self.config.context).to(self.device)

    def query(self, text: str) -> Tensor:
        """The vector of the reader's text; says what the model does not read of it."""
        return self.embed_texts([readable(text, self.tokenizer, self.config.context)])


def opened(run: str, device: str | None) -> Opened:
    folder, data, config, tokenizer, model = open_model(run, command_for_run(run))
    chosen = choose_device(device)
    frozen = EfficientNetLite0() if config.image_encoder == "features" else None
    return Opened(folder, data, config, tokenizer, model.to(chosen), chosen, frozen)


def readable(text: str, tokenizer: Tokenizer, context: int) -> str:
    """The text without its unknown words: training has never shown the model an unknown one.

    Raises:
        ValueError: if no word is known.
    """
    ids = [index for index in tokenizer.ids(text) if index != UNKNOWN]
    if not ids:
        raise ValueError(f"the text must have at least one word that the model knows, got {text.strip()!r}")
    if unknown := tokenizer.unknown(text):
        print("ignored, because unknown:", ", ".join(dict.fromkeys(unknown)))
        text = " ".join(word for word in split_words(text) if word not in unknown)
    if len(ids) > context - 2:  # with start and end
        print(f"cut, because too long: the model reads the first {context - 2} of {len(ids)} token ids")
    return text
