"""How many scenes, images, questions, captions and clips the toy world makes in a second.

The target is what a training needs: at least 3,000 scenes a second drawn at 64×64 on two cores, so that a batch of 128
images costs less than 50 ms.
"""

from dataclasses import dataclass

import torch

from lab import cli
from lab.timing import alternately, ratios, shown, spread, table
from toyworld import captions_at, draw, hear, question_at, scene_at

BATCH = 256  # scenes a call
CLIPS = 32  # of them are heard
SIZE = 64  # pixels
TARGET = 3000  # scenes drawn a second


def measure(repetitions: int = 25) -> str:
    """The table, and under it how much is gained by drawing a batch in one computation."""
    scenes = [scene_at("train", 0, index) for index in range(BATCH)]
    drawn = f"scenes drawn at {SIZE}×{SIZE}, {BATCH} at once"
    one_by_one, made_and_drawn = "the same, one at a time", "the same, the scenes made as well"
    candidates = {
        drawn: lambda: draw(scenes, SIZE),
        one_by_one: lambda: [draw([scene], SIZE) for scene in scenes],
        made_and_drawn: lambda: draw([scene_at("train", 0, index) for index in range(BATCH)], SIZE),
        "scenes": lambda: [scene_at("train", 0, index) for index in range(BATCH)],
        "questions, with their scenes": lambda: [question_at("train", 0, index) for index in range(BATCH)],
        "captions in English, with their scenes": lambda: [
            captions_at("train", 0, index, "english") for index in range(BATCH)
        ],
        "captions in Korean, with their scenes": lambda: [
            captions_at("train", 0, index, "korean") for index in range(BATCH)
        ],
        "clips of 2 s": lambda: [hear(scene) for scene in scenes[:CLIPS]],
    }
    seconds = alternately(candidates, repetitions)
    rows = [("what", "a second", "middle half", "target")]
    for name, times in seconds.items():
        made = CLIPS if name.startswith("clips") else BATCH
        rate = spread([made / time for time in times])
        target = f"≥ {TARGET:,}" if name in (drawn, made_and_drawn) else ""
        rows.append((name, f"{rate.median:,.0f}", f"{rate.low:,.0f} to {rate.high:,.0f}", target))
    gain = shown(ratios(seconds[one_by_one], seconds[drawn]), digits=1)
    return (
        f"{table(rows)}\n\n"
        f"Drawing {BATCH} scenes at once is {gain} times as fast as one at a time.\n"
        f"Medians of {repetitions} repetitions in turn, with quartiles; {torch.get_num_threads()} threads."
    )


@dataclass(frozen=True, kw_only=True)
class Toyworld(cli.Threads):
    """Scenes, images, questions, captions and clips that the toy world makes in a second."""

    repetitions: int = 25  # how often each candidate runs, in turn

    def execute(self, command: str) -> None:
        print(measure(self.repetitions))
