import torch
from jaxtyping import Float
from torch import Tensor, nn

LENGTH = 10.0


def pool(grid: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 3*c"]:
    h, w = grid.shape[2:]
    across, down = (torch.linspace(-1, 1, side, dtype=grid.dtype, device=grid.device) for side in (w, h))
    columns, rows = grid.sum(dim=2), grid.sum(dim=3)  # (n, c, w) and (n, c, h)
    return torch.cat([rows.sum(dim=2), columns @ across, rows @ down], dim=1)


class GridEncoder(nn.Module):
    def __init__(self, inputs: int, channels: int, attributes=(8, 6, 2), half=True) -> None:
        super().__init__()
        self.combine = nn.Conv2d(inputs, channels, 1, bias=False)
        self.features = 3 * channels + 1
        nn.init.kaiming_normal_(self.combine.weight, nonlinearity="relu")
        if half:
            with torch.no_grad():
                begins = (torch.rand(channels, len(attributes)) < 0.5).repeat_interleave(torch.tensor(attributes), dim=1)
                self.combine.weight[:, 0] = 0
                self.combine.weight[:, 1:] *= begins[:, :, None, None]

    def forward(self, grid):
        pooled = pool(self.combine(grid).relu())
        return torch.cat([pooled, pooled.new_full((len(pooled), 1), LENGTH)], dim=1)


class SmallCNN(nn.Module):
    def __init__(self, widths, background=0.93, pool="max") -> None:
        super().__init__()
        layers = []
        for inputs, outputs in zip((3, *widths), widths, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        self.layers = nn.Sequential(*layers).to(memory_format=torch.channels_last)
        self.features, self.background, self.pool = widths[-1], background, pool
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def forward(self, images):
        z = self.layers(2 * (images - self.background))
        return z.amax(dim=(2, 3)) if self.pool == "max" else z.mean(dim=(2, 3))
