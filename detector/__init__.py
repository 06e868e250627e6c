"""The detector: "Objects as Points" (Zhou et al. 2019) on the toy world. Pretrained once, then frozen.

``Detector.grid`` gives features of an image; ``detect`` reads an image back into objects. The names below are loaded
when they are first used.
"""

from lab.library import exports

__getattr__, __dir__, __all__ = exports(
    __name__,
    {
        "decode": ["Detection", "detect"],
        "model": ["Detector"],
        "train": ["CONFIGS", "Config", "build_optimizer"],
    },
)
