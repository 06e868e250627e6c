"""What a second process computes: it hashes texts differently and has another number of threads.

``python -m tests.toyworld.elsewhere FILE`` writes the examples to FILE. ``conftest.py`` runs it once.
"""

import hashlib
import sys
from collections.abc import Callable

import torch

from tests.toyworld.misconceptions.scenes import name_by_hash
from toyworld.captions import LANGUAGES, captions_at
from toyworld.drawing import draw
from toyworld.questions import question_at
from toyworld.scenes import SPLITS, scene_at


def captions_of(split: str, seed: int, index: int) -> list[str]:
    return [text for language in LANGUAGES for text in captions_at(split, seed, index, language, 2)]


def digest(candidate: Callable) -> str:
    """A hash of 200 examples, with floats to their last bit."""
    examples = [candidate(SPLITS[index % 3], 2, index) for index in range(200)]
    return hashlib.sha256(repr(examples).encode()).hexdigest()


def images() -> torch.Tensor:
    return draw([scene_at("test", 0, index) for index in range(40)])


if __name__ == "__main__":
    torch.set_num_threads(3)
    digests = {function.__name__: digest(function) for function in (scene_at, question_at, captions_of, name_by_hash)}
    torch.save({"digests": digests, "images": images()}, sys.argv[1])
