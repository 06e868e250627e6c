"""Captions of photographs in a CSV file: the first line is ``image,caption``, then a line for each caption."""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path


def caption_lines(path: Path, words_of: Callable[[str], Sequence[str]]) -> Iterator[tuple[str, str, str]]:
    """(where, image, caption) of each line; ``where`` is the file and the line, for messages.

    Args:
        words_of: splits a caption into words; a caption must have one.

    Raises:
        ValueError: if the file cannot be read, or a line has other columns or a caption without a word.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, strict=True)
            if (header := next(lines, [])) != ["image", "caption"]:
                raise ValueError(f"{path}:1: the first line must be 'image,caption', got {','.join(header)!r}")
            for row in lines:
                where = f"{path}:{lines.line_num}"
                if len(row) != 2:
                    raise ValueError(f"{where}: must have 2 columns, image and caption, got {len(row)}")
                name, caption = row
                if not words_of(caption):
                    raise ValueError(f"{where}: the caption of {name!r} has no word, got {caption!r}")
                yield where, name, caption
    except FileNotFoundError:
        raise ValueError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path}: cannot be read ({error})") from None
