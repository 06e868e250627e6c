"""The detector: "Objects as Points" (Zhou et al. 2019) on the toy world. Pretrained once, then frozen.

``Detector.grid`` gives features of an image; ``detect`` reads an image back into objects.
"""

from detector.decode import Detection, detect
from detector.model import Detector
from detector.train import CONFIGS, Config, build_optimizer, train

__all__ = ["CONFIGS", "Config", "Detection", "Detector", "build_optimizer", "detect", "train"]
