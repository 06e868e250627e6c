r"""Batches of questions about pictures (Antol et al. 2015, sections 3 and 4.2)."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """One question about one picture file, with what people answered: ten of them in VQA v2, one in a made world."""

    image: Path
    question: str
    answers: tuple[str, ...]
    kind: str
