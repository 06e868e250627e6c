"""Images of test scenes with the objects that the detector found in them."""

from pathlib import Path

import torch

from detector.decode import detect
from detector.model import Detector
from lab.figure import PALETTE, drawing
from toyworld.drawing import draw
from toyworld.scenes import scene_at

SCENES = 6  # three of each split
RADIUS = {"small": 0.1, "large": 0.16}  # of the ring around an object, in image widths
LEGIBLE = 256  # pixels, the side of a drawn image


def draw_detections(path: Path, model: Detector, image_size: int) -> None:
    """Three scenes of each split; a ring and a name for each object that was found."""
    scenes = [scene_at(split, 0, k) for split in ("test", "compositional") for k in range(SCENES // 2)]
    found = detect(model, draw(scenes, image_size))
    images = draw(scenes, LEGIBLE).permute(0, 2, 3, 1)
    with drawing(path, 1000, 760) as figure:
        panels = figure.subplots(2, SCENES // 2)
        for k, (axes, image, objects) in enumerate(zip(panels.flat, images, found, strict=True)):
            axes.imshow(torch.as_tensor(image).numpy(), extent=(0, 1, 1, 0))
            for o in objects:
                angle = torch.linspace(0, 2 * torch.pi, 60)
                axes.plot(o.x + RADIUS[o.size] * angle.cos(), o.y + RADIUS[o.size] * angle.sin(), color=PALETTE.blue)
                above = o.y > 0.5
                axes.annotate(
                    f"{o.size} {o.colour} {o.shape} {o.confidence:.0%}",
                    (min(0.72, max(0.28, o.x)), o.y + (-1 if above else 1) * RADIUS[o.size]),
                    ha="center", va="bottom" if above else "top", fontsize=10,
                    bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 1},
                )  # fmt: skip
            axes.set_axis_off()
            axes.set_title("test" if k < SCENES // 2 else "compositional", fontsize=13)
