"""The verb ``caption``: captions of image files, and where the model looks at each word."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from detector.commands import warn_of_unlike
from lab import cli
from lab.device import choose_device
from lab.images import load_image
from show_attend_tell.commands.opened import open_run
from show_attend_tell.commands.photographs import is_square
from show_attend_tell.data import decode
from show_attend_tell.datasets.views import on_image
from show_attend_tell.extensions.beam_search import beam_search
from show_attend_tell.figures import draw_attention

Width = Annotated[int, tyro.conf.arg(metavar="N")]
Penalty = Annotated[float | None, tyro.conf.arg(metavar="ALPHA", help_behavior_hint="(default: that of the run, or 0)")]


@dataclass(frozen=True, kw_only=True)
class Caption(cli.Machine):
    """Print captions of image files with their log p, and draw the attention at each word."""

    files: tyro.conf.Positional[tuple[Path, ...]]  # the image files
    run: str = "toy"  # the name of the run
    beam: Width = 5  # width of the beam search; 1 is greedy decoding
    length_penalty: Penalty = None  # log p is divided by the number of words to this power

    def execute(self, command: str) -> None:
        if not self.files:
            raise ValueError("caption needs at least one image file, got none")
        check_search(self.beam, self.length_penalty)
        opened = open_run(self.run, self.device)
        for file in self.files:
            load_image(file, 1)  # all of them, before the detector may have to be trained
        size, annotations_of = opened.reader(command, self)
        if opened.is_toy:
            warn_of_unlike(self.files, command, self)
        penalty = getattr(opened.config, "length_penalty", 0.0) if self.length_penalty is None else self.length_penalty
        pictures: list[Path] = []
        for file in self.files:
            image = load_image(file, size)
            annotations = annotations_of(image).to(choose_device(self.device))
            best = beam_search(opened.model, annotations, self.beam, opened.longest, penalty)[0][0]
            print(f"{file}: {decode(opened.tokenizer, best.ids)}  (log p {best.log_probability:.3f})")
            weights = best.weights.cpu() if opened.is_toy else on_image(best.weights.cpu())
            if is_square(weights.shape[1]):
                pictures.append(free(opened.folder / f"attention-{file.stem}.png", pictures))
                words = opened.tokenizer.decode(best.ids).split()
                draw_attention(pictures[-1], image.float() / 255, words, weights)
                print(pictures[-1])


def check_search(beam: int, length_penalty: float | None) -> None:
    """Raises ValueError if one of them is too small."""
    if beam < 1:
        raise ValueError(f"--beam must be at least 1, got {beam}")
    if length_penalty is not None and not 0 <= length_penalty < float("inf"):
        raise ValueError(f"--length-penalty must be at least 0, got {length_penalty}")


def free(path: Path, taken: list[Path]) -> Path:
    """``path``, with a number behind its name if another file of this command has it: files of two folders may share
    their name."""
    numbered = (path.with_stem(f"{path.stem}-{k}") for k in range(2, len(taken) + 2))
    return path if path not in taken else next(one for one in numbered if one not in taken)
