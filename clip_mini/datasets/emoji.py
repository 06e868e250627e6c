"""Emoji in two drawing styles, with names in English and Korean: trained on one style, tested on the other.

The concepts and their drawings are in ``emoji_drawings.py``, the random changes of the training images in
``emoji_changes.py``. Training shows all names, and the drawings of one style only. So the test asks whether a model
finds what the two drawings of a concept have in common.

The model reads features of a frozen network, or with ``--image-encoder cnn`` the pixels. For the features, each drawing
has ``CHANGED`` random versions and one unchanged version with outlines, and no more: a frozen network is slow. The
image side is locked; only the text encoder learns.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.nn.functional import interpolate, normalize
from tqdm import tqdm

from clip_mini.data import LANGUAGES, Batch, encode
from clip_mini.datasets.emoji_changes import augmented, generator_of, plain_images
from clip_mini.datasets.emoji_drawings import CACHE, DRAWN, RECIPE, Concept, Style, read_concepts, read_drawings
from clip_mini.datasets.features import EfficientNetLite0, FrozenEncoder, LockedFeatures, features_of
from clip_mini.evaluate import Examples, chance_recall, recall_at_k
from clip_mini.train import Config
from lab.checkpoint import CheckpointError, load, save
from toyworld.rng import Rng
from toyworld.tokenizer import Tokenizer

CHANGED = 8  # random changes of each training drawing, where the model reads features
CLEAN = {"openmoji": 0, "twemoji": 0, "outlined": 1}  # unchanged drawings: which version they are
SEEN = (*map(str, range(CHANGED)), "outlined")  # training images of each concept, where the model reads features


class EmojiSource:
    """Training on Twemoji; ``splits`` are the unseen style, then the training style as a check.

    With ``language`` "both", a training text is in English or in Korean, and each language has its own splits.

    Args:
        cache: the folder in which drawings and features are kept, or made.
        concepts: all of them, unless a part is given.
        encoder: the frozen network; EfficientNet-Lite0 by default.

    Raises:
        ValueError: if a package is missing.
    """

    def __init__(
        self,
        config: Config,
        cache: Path = CACHE,
        concepts: Sequence[Concept] | None = None,
        encoder: FrozenEncoder | None = None,
    ) -> None:
        self.config, self.cache, self.encoder = config, cache, encoder or EfficientNetLite0()
        self.frozen = config.image_encoder == "features"
        self.concepts = tuple(read_concepts() if concepts is None else concepts)
        self.languages = LANGUAGES[config.language]
        endings = [f"-{name}" for name in self.languages] if len(self.languages) > 1 else [""]
        self.parts = {  # by split: the style and the language
            f"{style}{ending}": (style, name)
            for style in ("openmoji", "twemoji")
            for ending, name in zip(endings, self.languages, strict=True)
        }
        self.splits = tuple(self.parts)
        self.tokenizer = Tokenizer.of(
            name for concept in self.concepts for language in self.languages for name in concept.names[language]
        )

    def check(self) -> None:
        """Draws what is not in the cache; a batch must not be larger than the number of concepts."""
        if self.config.pairs > len(self.concepts):
            raise ValueError(
                f"--pairs must be at most {len(self.concepts)}, the number of emoji, got {self.config.pairs}"
            )
        for style in ("twemoji", "openmoji"):
            self.drawings(style)
        if self.frozen:
            for name in (*SEEN, "validation", "openmoji", "twemoji"):
                self.features(name)

    def image_encoder(self) -> nn.Module | None:
        """Principal components of the features; None, the configuration's own encoder, on pixels."""
        if not self.frozen:
            return None
        return LockedFeatures.of(self.training_features.flatten(0, 1), self.config.common)

    @cached_property
    def training_features(self) -> Float[Tensor, "versions n regions channels"]:
        return torch.stack([self.features(name) for name in SEEN])

    def features(self, name: str) -> Float[Tensor, "n regions channels"]:
        """Of all concepts: of a style, or of training or validation images, which have their own random numbers."""
        key = name if name in CLEAN else f"{name}-{self.config.seed}"
        path = self.cache / f"{self.encoder.name}-{key}.pt"
        made_from = {"recipe": RECIPE, "size": self.encoder.size, "concepts": [one.emoji for one in self.concepts]}
        try:
            kept = load(path)
            if kept.get("made_from") == made_from:
                return kept["features"].float()
        except CheckpointError:  # not there yet, or damaged
            pass
        drawings = self.drawings("openmoji" if name == "openmoji" else "twemoji")
        rows = []
        for k in tqdm(range(len(drawings)), f"features, {name}", unit="image", dynamic_ncols=True, disable=None):
            if name in CLEAN:
                image = plain_images(drawings[k : k + 1, CLEAN[name]], self.encoder.size)
            else:
                generator = generator_of(f"emoji/features/{key}/{k}")
                image = augmented(drawings[k : k + 1], self.encoder.size, generator)
            rows.append(features_of(image, self.encoder)[0])
        features = torch.stack(rows)
        save(path, {"made_from": made_from, "features": features.half()})
        return features

    @cached_property
    def training_drawings(self) -> UInt8[Tensor, "n v 4 s s"]:
        return read_drawings(self.concepts, "twemoji", self.cache)

    @cached_property
    def unseen_drawings(self) -> UInt8[Tensor, "n 1 4 s s"]:
        return read_drawings(self.concepts, "openmoji", self.cache)

    def drawings(self, style: Style) -> UInt8[Tensor, "n v 4 s s"]:
        return self.training_drawings if style == "twemoji" else self.unseen_drawings

    def concepts_of(self, step: int) -> Int[Tensor, " pairs"]:
        """The concepts of a batch, all different. A random order of all is cut into batches; then comes a new order."""
        n, pairs = len(self.concepts), self.config.pairs
        epoch, place = divmod(step, n // pairs)
        order = torch.randperm(n, generator=generator_of(f"emoji/order/{self.config.seed}/{epoch}"))
        return order[place * pairs : (place + 1) * pairs]

    def batch_at(self, step: int) -> Batch:
        """Half of the texts are standard names, the others any of a concept's names."""
        chosen, name, texts = self.concepts_of(step), f"emoji/train/{self.config.seed}/{step}", []
        rng = Rng(name)
        for k in chosen.tolist():
            names = self.concepts[k].names[rng.choice(self.languages)]
            texts.append(names[0] if rng.coin() else rng.choice(names))
        if self.frozen:
            version = torch.randint(len(SEEN), (len(chosen),), generator=generator_of(name))
            images = self.training_features[version, chosen]
        else:
            images = augmented(self.training_drawings[chosen], self.config.image_size, generator_of(name))
        return Batch(images, encode(self.tokenizer, texts, self.config.context))

    def validation(self) -> Examples:
        """Every concept in the training style, changed by random numbers that no training step has.

        It chooses among weights. The unseen style has no part in that.
        """
        if self.frozen:
            return self.examples(self.features("validation"), self.languages)
        name = f"emoji/validation/{self.config.seed}"
        images = augmented(self.training_drawings, self.config.image_size, generator_of(name))
        return self.examples(images, self.languages)

    def test(self, split: str) -> Examples:
        """Every concept in one style with its standard name in one language.

        Raises:
            ValueError: if there is no such split.
        """
        if split not in self.parts:
            raise ValueError(f"split must be one of {', '.join(self.splits)}, got {split}")
        style, language = self.parts[split]
        if self.frozen:
            return self.examples(self.features(style), (language,))
        return self.examples(plain_images(self.drawings(style)[:, 0], self.config.image_size), (language,))

    def examples(self, images: Float[Tensor, "n ..."], languages: Sequence[str]) -> Examples:
        captions = [concept.names[language][0] for language in languages for concept in self.concepts]
        return Examples(
            images,
            encode(self.tokenizer, captions, self.config.context),
            torch.arange(len(self.concepts)).repeat(len(languages)),
            tuple(captions),
            tuple(concept.emoji for concept in self.concepts),
        )

    def pixels(self, examples: Examples, k: int) -> Float[Tensor, "3 h w"]:
        """The drawing in the unseen style of concept k, with values from 0 to 1."""
        return plain_images(self.unseen_drawings[k : k + 1, 0], DRAWN)[0]

    def baselines(self, split: str) -> dict[str, dict[str, float]]:
        """Recall without training.

        - ``chance``: k of n.
        - ``mean colour``: the nearest Twemoji drawing by the mean colour of the image; its name is the answer.
        - ``blurred pixels``: the nearest by cosine similarity of all pixels, 8 by 8, after their mean is subtracted.
        - ``features``: the nearest by the frozen network's features, standardised; where the model reads them.

        All but chance are those of the unseen style: in the training style every drawing is nearest to itself.
        """
        n, (style, _) = len(self.concepts), self.parts[split]
        rows = {"chance": chance_recall(torch.arange(n))}
        if style == "twemoji":
            return rows
        unseen, seen = (plain_images(self.drawings(one)[:, 0], DRAWN) for one in ("openmoji", "twemoji"))
        similarities = {
            "mean colour": -torch.cdist(unseen.mean(dim=(2, 3)), seen.mean(dim=(2, 3))),
            "blurred pixels": blurred(unseen) @ blurred(seen).T,
        }
        if self.frozen:
            unseen, seen = (self.features(one).flatten(1) for one in ("openmoji", "twemoji"))
            similarities["features"] = standardised(unseen) @ standardised(seen).T
        return rows | {name: recall_at_k(similarity, torch.arange(n)) for name, similarity in similarities.items()}


def standardised(features: Float[Tensor, "n d"]) -> Float[Tensor, "n d"]:
    """Unit vectors; before, each channel has mean 0 and deviation 1 over all images."""
    return normalize((features - features.mean(dim=0)) / (features.std(dim=0, correction=0) + 1e-3), dim=1)


def blurred(images: Float[Tensor, "n 3 h w"], size: int = 8) -> Float[Tensor, "n d"]:
    """Unit vectors of small images, less the mean over all images."""
    small = interpolate(images, size=(size, size), mode="bilinear", align_corners=False, antialias=True).flatten(1)
    return normalize(small - small.mean(dim=0), dim=1)
