"""Images of test scenes with the objects that the detector found, and a scene in which it is wrong."""

from pathlib import Path

import torch

from detector.decode import Detection, detect
from detector.evaluate import SPLITS, score
from detector.model import CELL, Detector
from lab.figure import PALETTE, drawing
from toyworld.drawing import draw
from toyworld.scenes import Object, Scene, scene_at

SEARCHED = 500  # scenes of each split, in which an error is looked for
LEGIBLE = 256  # pixels, the side of a drawn image


def draw_detections(path: Path, model: Detector, image_size: int) -> None:
    """Six scenes of both splits, the last one with an error if there is one; each object found has a number."""
    scenes = [scene_at(split, 0, k) for split in SPLITS for k in range(SEARCHED)]
    found = detect(model, draw(scenes, image_size))
    right = [all_right(objects, scene, image_size) for objects, scene in zip(found, scenes, strict=True)]
    shown = [1, 2, 4, SEARCHED + 1, SEARCHED + 2, right.index(False) if False in right else SEARCHED + 3]
    with drawing(path, 1000, 900) as figure:
        panels = figure.subplots(2, 3)
        for axes, k in zip(panels.flat, shown, strict=True):
            axes.imshow(draw([scenes[k]], LEGIBLE)[0].permute(1, 2, 0).numpy(), extent=(0, 1, 1, 0))
            lines = []
            for number, o in enumerate(found[k], 1):
                angle = torch.linspace(0, 2 * torch.pi, 60)
                radius = 0.16 if o.size == "large" else 0.1  # image widths
                axes.plot(o.x + radius * angle.cos(), o.y + radius * angle.sin(), color=PALETTE.blue)
                axes.annotate(
                    str(number), (o.x - 0.7 * radius, o.y - 0.7 * radius), ha="center", va="center", fontsize=12,
                    color="white", bbox={"facecolor": PALETTE.blue, "boxstyle": "circle,pad=0.15", "linewidth": 0},
                )  # fmt: skip
                lines.append(f"{number} {name_of(o)} {o.confidence:.0%}")
            if not right[k]:
                lines.append("in the scene: " + ", ".join(map(name_of, scenes[k].objects)))
            axes.set_axis_off()
            sign, colour = ("✓", PALETTE.green) if right[k] else ("✗", PALETTE.vermillion)
            axes.set_title(f"{sign} {SPLITS[k // SEARCHED]}", fontsize=13, color=colour, loc="left", fontweight="bold")
            axes.text(0, 1.03, "\n".join(lines), fontsize=11, va="top", wrap=True)


def all_right(found: list[Detection], scene: Scene, image_size: int) -> bool:
    return score([found], [scene], CELL / image_size)["all_right"] == 1


def name_of(o: Detection | Object) -> str:
    return f"{o.size} {o.colour} {o.shape}"
