"""The one list of papers. The tour, the bench, the tables and the tests of the READMEs find a paper's parts by name."""

import importlib
import importlib.util
from types import ModuleType

PAPERS = ("word2vec", "clip_mini", "show_attend_tell", "cgan", "stft", "vqa")  # in the order in which to read them


def part(paper: str, name: str) -> ModuleType | None:
    """The module ``PAPER.NAME``, for example ``vqa.report.chapter``; None where the paper has no such part."""
    if importlib.util.find_spec(f"{paper}.{name}") is None:
        return None
    return importlib.import_module(f"{paper}.{name}")
