"""Photographs with captions, as both readers give them: what is left out is named and counted."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NAMED = 10  # images left out for one reason: the first ten are named, and all are counted


@dataclass(frozen=True)
class CaptionedImages:
    """The images of a data set, by name. Every image of a split has a file and at least one caption."""

    paths: Mapping[str, Path]
    captions: Mapping[str, Sequence[str]]
    splits: Mapping[str, Sequence[str]]  # names for "train", "dev", …

    def without(self, names: Iterable[str]) -> "CaptionedImages":
        """Without these images.

        Raises:
            ValueError: if no image of a split is left.
        """
        removed = set(names)
        splits = {split: [name for name in listed if name not in removed] for split, listed in self.splits.items()}
        for split, listed in splits.items():
            if not listed:
                raise ValueError(f"no image of {split} is left, of {len(self.splits[split])}")
        return CaptionedImages(self.paths, self.captions, splits)


def name_left_out(lines: Sequence[str], what: str) -> None:
    """Says on stderr what is left out: the first ``NAMED`` lines, and then how many there are."""
    for line in lines[:NAMED]:
        print(f"left out: {line}", file=sys.stderr)
    if lines:
        print(f"left out in all: {len(lines)} {what}", file=sys.stderr)


def checked(
    paths: Mapping[str, Path], captions: Mapping[str, Sequence[str]], splits: Mapping[str, Sequence[str]], where: Path
) -> CaptionedImages:
    """The data set without captions whose image is not there, and without images that have no caption.

    Raises:
        ValueError: if an image is in two splits, or no image of a split is left.
    """
    split_of: dict[str, str] = {}
    for split, names in splits.items():
        for name in names:
            if (other := split_of.setdefault(name, split)) != split:
                raise ValueError(f"{where}: {name} is in two splits, {other} and {split}")
    there = {folder: {path.name for path in folder.iterdir()} for folder in folders_of(paths.values())}
    lost = [name for name in split_of if name in captions and paths[name].name not in there.get(paths[name].parent, ())]
    name_left_out(
        [f"{paths[name]}: there is no such file for its {len(captions[name])} captions" for name in lost],
        f"of {len(split_of)} images have no file",
    )
    silent = [name for name in split_of if not captions.get(name)]
    name_left_out(
        [f"{name} has no caption in {where}" for name in silent], f"of {len(split_of)} images have no caption"
    )
    return CaptionedImages(paths, captions, splits).without([*lost, *silent])


def folders_of(paths: Iterable[Path]) -> set[Path]:
    """The folders of these files that exist."""
    return {folder for folder in {path.parent for path in paths} if folder.is_dir()}
