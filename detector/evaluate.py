"""How often the detector is right, on scenes of the splits that it was not trained on.

A detection is a hit if its colour, shape and size are those of an object of the scene, and its centre is at most one
cell away from that object's, in x and in y. No two objects are that near to each other, so a detection never fits two
of them. If two detections fit one object, only one of them is a hit.
"""

from collections.abc import Iterable
from types import MappingProxyType

from detector.data import ATTRIBUTES
from detector.decode import Detection, detect
from detector.model import CELL, Detector
from toyworld.drawing import draw
from toyworld.scenes import Object, Scene, scene_at

SPLITS = ("test", "compositional")
SCENES = 2000  # of each split
PROMISES = MappingProxyType({("test", "all_right"): 0.99, ("compositional", "all_right"): 0.97})
CHUNK = 200  # scenes that are drawn at once


def fits(detection: Detection, o: Object, tolerance: float) -> bool:
    """Whether all attributes are right and the centres are at most ``tolerance`` image widths apart, in x and in y."""
    same = all(getattr(detection, name) == getattr(o, name) for name in ATTRIBUTES)
    return same and max(abs(detection.x - o.x), abs(detection.y - o.y)) <= tolerance


def score(found: Iterable[list[Detection]], scenes: Iterable[Scene], tolerance: float) -> dict[str, float]:
    """Precision and recall over all scenes, and ``all_right``: the share of scenes without any error."""
    hits = detections = objects = right = count = 0
    for detected, scene in zip(found, scenes, strict=True):
        here = sum(any(fits(detection, o, tolerance) for detection in detected) for o in scene.objects)
        hits, detections, objects = hits + here, detections + len(detected), objects + len(scene.objects)
        right += here == len(detected) == len(scene.objects)
        count += 1
    return {"precision": hits / max(1, detections), "recall": hits / objects, "all_right": right / count}


def evaluate(model: Detector, split: str, seed: int, image_size: int, count: int = SCENES) -> dict[str, float]:
    """``score`` of ``count`` scenes of a split."""
    scenes = [scene_at(split, seed, k) for k in range(count)]
    found = []
    for start in range(0, count, CHUNK):
        found += detect(model, draw(scenes[start : start + CHUNK], image_size))
    return score(found, scenes, CELL / image_size)
