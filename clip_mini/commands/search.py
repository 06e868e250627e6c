"""The verb ``search``: images for a text, and texts or images for an image.

It works on test scenes of the toy world, where the toy world's own parser and facts judge what was found, or on
the reader's own folder of images.
"""

import hashlib
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import tyro
from torch import Tensor
from tqdm import tqdm

from clip_mini.commands.opened import Opened, opened
from clip_mini.data import LANGUAGES, caption
from clip_mini.extensions.folder_features import FolderFeatures, fingerprint_of, folder_features, thumbnail
from clip_mini.extensions.search import ExactIndex, FaissIndex, Index, import_faiss
from clip_mini.extensions.search_figures import draw_captions, draw_grid
from detector.commands import warn_of_unlike
from lab import cli, training
from toyworld.drawing import draw
from toyworld.facts import Fact, descriptions, holds
from toyworld.korean import politeness
from toyworld.parser import read
from toyworld.rng import Rng
from toyworld.scenes import HELD_OUT, Scene, scene_at

SCENES = 1000
CHUNK = 250  # scenes that are drawn and encoded together
SHOWN_SIZE = 192  # pixels of an image in the grid
MOST_SHOWN = 50  # images in the grid; the table has all results

Scenes = Annotated[int | None, tyro.conf.arg(metavar="N", help_behavior_hint=f"(default: {SCENES})")]
Split = Annotated[
    Literal["test", "compositional"] | None,
    tyro.conf.arg(
        metavar="{test,compositional}",
        help_behavior_hint="(default: test; compositional if the text names a pair that only that split shows)",
    ),
]
File = Annotated[Path | None, tyro.conf.arg(metavar="FILE", help_behavior_hint="")]
Folder = Annotated[
    Path | None, tyro.conf.arg(metavar="DIR", help_behavior_hint="(default: the toy world's test scenes)")
]


@dataclass(frozen=True, kw_only=True)
class Search(cli.Machine):
    """Search images with a text or an image, and captions with an image."""

    text: tyro.conf.Positional[Annotated[str | None, tyro.conf.arg(metavar="TEXT", help_behavior_hint="")]] = (
        None  # what to search for, in quotation marks
    )
    image: File = None  # search with this image instead: for captions, or with --folder for images
    folder: Folder = None  # search your own images in this folder, subfolders included
    top: int = 5  # how many results
    scenes: Scenes = None  # how many test scenes of the toy world to search
    split: Split = None  # the split of the toy world to search
    index: Literal["exact", "faiss"] = "exact"  # faiss: approximate, for folders of very many images
    run: str = "toy"  # the name of the run

    def execute(self, command: str) -> None:
        self.check()
        model = opened(self.run, self.device)
        if self.folder is None:
            model.check_toy("--folder DIR")
        query = model.embed_file(self.image) if self.text is None else model.query(self.text)
        if self.image is not None and model.is_toy:
            warn_of_unlike([self.image], command, self)
        path = model.folder / "search.png"
        if self.folder is not None:
            found = self.search_folder(model, query, path)
            if model.is_toy:
                warn_of_unlike(found, command, self)
        elif self.text is not None:
            self.search_scenes(model, query, path)
        else:
            self.search_captions(model, query, path)
        print(path)

    def check(self) -> None:
        if (self.text is None) == (self.image is None):
            got = "neither" if self.text is None else "both"
            raise ValueError(f"search with a TEXT or with --image FILE, one of the two; got {got}")
        if self.text is not None and not self.text.strip():
            raise ValueError("the text must not be empty")
        if self.top < 1:
            raise ValueError(f"--top must be at least 1, got {self.top}")
        if self.scenes is not None and self.scenes < 1:
            raise ValueError(f"--scenes must be at least 1, got {self.scenes}")
        if self.folder is not None and (self.scenes is not None or self.split is not None):
            raise ValueError("--scenes and --split choose scenes of the toy world: they do not go with --folder")
        if self.index == "faiss":
            if self.folder is None:
                raise ValueError("--index faiss needs --folder DIR: the toy world's scenes are searched exactly")
            import_faiss()

    def search_scenes(self, model: Opened, query: Tensor, path: Path) -> None:
        facts = read_facts(self.text)
        count, split = self.scenes or SCENES, self.split or split_for(facts)
        scenes = [scene_to_search(split, k) for k in range(count)]
        index = ExactIndex()
        for at in tqdm(range(0, count, CHUNK), desc="encoding scenes", unit_scale=CHUNK, disable=None):
            images = draw(scenes[at : at + CHUNK], model.config.image_size)
            index.add(model.embed_pixels(images))
        cosines, found = (row[0].tolist() for row in index.search(query, self.top))
        right = [judged(facts, scenes[k]) for k in found]
        names = [f"scene {k}" for k in found]
        images = list(draw([scenes[k] for k in found[:MOST_SHOWN]], SHOWN_SIZE).permute(0, 2, 3, 1).numpy())
        draw_grid(path, self.text, images, cosines, right, names)
        rows = zip(names, map(contents, (scenes[k] for k in found)), strict=True)
        print(result_table(cosines, [f"{name}: {content}" for name, content in rows], right))
        if facts:
            true = sum(all(holds(fact, scene) for fact in facts) for scene in scenes)
            print(f"{true} of the {count:,} scenes ({split} split) {'shows' if true == 1 else 'show'} this")
        else:
            print(f"searched {count:,} scenes ({split} split); not judged: the toy world's parser cannot read the text")

    def search_captions(self, model: Opened, query: Tensor, path: Path) -> None:
        count, split = self.scenes or SCENES, self.split or "test"
        scenes = (scene_to_search(split, k) for k in range(count))
        all_texts = (
            caption(scene, model.language, Rng(f"clip_mini/search/{split}/{k}")) for k, scene in enumerate(scenes)
        )
        texts = [text for text in dict.fromkeys(all_texts) if politeness(text) != "plain"]  # Korean: polite, or no verb
        index = ExactIndex()
        for at in range(0, len(texts), CHUNK):
            index.add(model.embed_texts(texts[at : at + CHUNK]))
        cosines, found = (row[0].tolist() for row in index.search(query, self.top))
        captions = [texts[k] for k in found]
        shown = np.asarray(thumbnail(self.image, 2 * SHOWN_SIZE))
        draw_captions(path, shown, captions[:MOST_SHOWN], cosines[:MOST_SHOWN])
        print(result_table(cosines, captions))
        print(f"searched {len(texts):,} different captions of {count:,} scenes ({split} split)")

    def search_folder(self, model: Opened, query: Tensor, path: Path) -> list[Path]:
        """The images that were found."""
        place = hashlib.sha256(os.fsencode(self.folder.resolve())).hexdigest()[:16]
        cache = training.RUNS / "features" / "clip_mini" / self.run / f"{place}.pt"
        fingerprint = fingerprint_of(model.folder / "best.safetensors")
        features = folder_features(self.folder, model.embed_pixels, model.image_size, fingerprint, cache)
        index = index_of(features, self.index, cache.with_suffix(".faiss"))
        cosines, found = (row[0].tolist() for row in index.search(query, self.top))
        names = [features.names[k] for k in found]
        images = [np.asarray(thumbnail(self.folder / name, SHOWN_SIZE)) for name in names[:MOST_SHOWN]]
        shown = [os.fsencode(name).decode(errors="replace") for name in names]
        draw_grid(path, self.text or f"nearest to {self.image.name}", images, cosines, [None] * len(found), shown)
        print(result_table(cosines, shown))
        print(f"searched {len(features.names):,} images in {self.folder}")
        return [self.folder / name for name in names]


def read_facts(text: str) -> tuple[Fact, ...]:
    """The facts that a text states, in any language of the toy world; none if its parser cannot read the text.

    A search is written in fewer words than a caption: "red star left of a square" is read as "a red star to the left
    of a square".
    """
    words = " ".join(text.lower().split())
    fuller = re.sub(r"(?<!to the )\b(left|right) of\b", r"to the \1 of", words)
    shorter = re.sub(
        r" is (?=to the|above|below)", " ", fuller
    )  # "a star is above a circle" is "a star above a circle"
    for candidate in [article + form for article in ("", "a ", "an ") for form in (words, fuller, shorter)]:
        for language in LANGUAGES:
            try:
                return read(candidate, language)
            except ValueError:
                continue
    return ()


def split_for(facts: Sequence[Fact]) -> str:
    """Where to search: pairs of colour and shape that training never names are in the compositional split only."""
    pairs = {(d.colour, d.shape) for fact in facts for d in descriptions(fact)}
    return "compositional" if pairs & set(HELD_OUT) else "test"


def scene_to_search(split: str, k: int) -> Scene:
    """Scenes of one and of two objects, in turn."""
    return scene_at(split, 0, k, 1 + k % 2)


def judged(facts: Sequence[Fact], scene: Scene) -> bool | None:
    """Whether all facts hold; None without facts."""
    return all(holds(fact, scene) for fact in facts) if facts else None


def contents(scene: Scene) -> str:
    return ", ".join(f"{o.size} {o.colour} {o.shape}" for o in scene.objects)


def index_of(features: FolderFeatures, kind: str, folder: Path) -> Index:
    """An index of a folder's features; that of faiss is kept on the disk, and built anew when they change."""
    n, dimension = features.vectors.shape
    if kind == "exact":
        index = ExactIndex()
        index.add(features.vectors)
        return index
    index = FaissIndex(folder, dimension, features.key)
    if len(index) != n:
        index.add(features.vectors)
        index.save()
    return index


def result_table(cosines: Sequence[float], names: Sequence[str], right: Sequence[bool | None] = ()) -> str:
    """Rank, cosine, whether it is right (if anybody knows), and what was found."""
    known = bool(right) and right[0] is not None
    head = f"rank  cosine  {'right  ' if known else ''}what"
    lines = [
        f"{k + 1:>4}  {cosine:>6.3f}  " + (f"{'yes' if right[k] else 'no':<5}  " if known else "") + name
        for k, (cosine, name) in enumerate(zip(cosines, names, strict=True))
    ]
    return "\n".join([head, *lines])
