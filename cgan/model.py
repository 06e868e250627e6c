r"""Two pairs of players that see a label (Mirza & Osindero 2014, arXiv 1411.1784, sections 3.2 and 4.1).

A generator turns noise z and a label y into a sample, G(z | y). A discriminator turns a sample and a label into a logit
a; D(x | y) = σ(a) is the probability that x is real and belongs to y. The label enters both players through an
embedding. The paper multiplies a one-hot vector by a matrix. That takes one row of the matrix, as an embedding does.

The first pair is the paper's: perceptrons with one layer for each input and one joint layer. The second pair is for
pictures: the convolutions of DCGAN (Radford et al. 2015, arXiv 1511.06434), with the label in both players.

What differs from the papers, and why:

- The discriminator's units are leaky ReLU, as in DCGAN. Mirza's are maxout.
- The noise is normal. Mirza's is uniform.
- Pictures lie in [−1, 1] and end with tanh, as in DCGAN. Mirza's end with a sigmoid.
- Mirza drops half of the units of both players. Here nothing is dropped.
- DCGAN's discriminator has batch normalisation. Ours has none.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

SIDE = 28  # pixels of a digit, height and width


def leaky(x: Tensor) -> Tensor:
    """DCGAN's discriminator: a ReLU that keeps a fifth of what is negative, so that no unit is without a gradient."""
    return leaky_relu(x, 0.2)


class MLPGenerator(nn.Module):
    r"""Section 4.1: :math:`G(z \mid y) = W\, \mathrm{relu}(W_j\, [\mathrm{relu}(W_z z),\, \mathrm{relu}(W_y e_y)])`.

    Args:
        labels: how many there are.
        noise: dimensions of z, 100 in the paper.
        size: numbers in a sample.
        hidden: units of each layer. In the paper 200 for z, 1000 for y, 1200 together.
    """

    def __init__(self, labels: int, noise: int, size: int, hidden: int) -> None:
        super().__init__()
        self.from_noise = nn.Linear(noise, hidden)  # W_z
        self.from_label = nn.Embedding(labels, hidden)  # W_y: row y is W_y e_y
        self.joint = nn.Linear(2 * hidden, hidden)  # W_j
        self.output = nn.Linear(hidden, size)  # W

    def forward(self, noise: Float[Tensor, "n z"], labels: Int[Tensor, " n"]) -> Float[Tensor, "n size"]:
        h = torch.cat([self.from_noise(noise).relu(), self.from_label(labels).relu()], dim=1)  # (n, 2 * hidden)
        return self.output(self.joint(h).relu())


class MLPDiscriminator(nn.Module):
    r"""Section 4.1: the logit of :math:`D(x \mid y)`, from a layer for x, one for y, and a joint one.

    Args:
        labels, size: as in the generator.
        hidden: units of each layer. In the paper 240 for x, 50 for y, 240 together.
    """

    def __init__(self, labels: int, size: int, hidden: int) -> None:
        super().__init__()
        self.from_sample = nn.Linear(size, hidden)
        self.from_label = nn.Embedding(labels, hidden)
        self.joint = nn.Linear(2 * hidden, hidden)
        self.output = nn.Linear(hidden, 1)

    def forward(self, samples: Float[Tensor, "n size"], labels: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        h = torch.cat([leaky(self.from_sample(samples)), leaky(self.from_label(labels))], dim=1)  # (n, 2 * hidden)
        return self.output(leaky(self.joint(h)))[:, 0]


class ConvGenerator(nn.Module):
    """A picture of noise and a label: from 7×7 places to 14×14 to 28×28, as in DCGAN.

    Args:
        labels: how many there are.
        noise: dimensions of z.
        channels: at 7×7 places; half as many at 14×14.
    """

    def __init__(self, labels: int, noise: int, channels: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(labels, noise)
        self.start = nn.Linear(2 * noise, channels * (SIDE // 4) ** 2)
        self.norm_start, self.norm_middle = nn.BatchNorm2d(channels), nn.BatchNorm2d(channels // 2)
        self.up_middle = nn.ConvTranspose2d(channels, channels // 2, 4, stride=2, padding=1)
        self.up_end = nn.ConvTranspose2d(channels // 2, 1, 4, stride=2, padding=1)

    def forward(self, noise: Float[Tensor, "n z"], labels: Int[Tensor, " n"]) -> Float[Tensor, "n 1 28 28"]:
        return self.from_embedding(noise, self.embed(labels))

    def from_embedding(self, noise: Float[Tensor, "n z"], embedded: Float[Tensor, "n z"]) -> Float[Tensor, "n 1 28 28"]:
        """The same for any point of the embedding's space, such as one between two labels."""
        h = self.start(torch.cat([noise, embedded], dim=1))
        h = self.norm_start(h.unflatten(1, (-1, SIDE // 4, SIDE // 4))).relu()  # (n, channels, 7, 7)
        h = self.norm_middle(self.up_middle(h)).relu()  # (n, channels / 2, 14, 14)
        return self.up_end(h).tanh()


class ConvDiscriminator(nn.Module):
    """The logit of a picture and a label: 28×28 to 14×14 to 7×7 places, then one joint layer with the label.

    Args:
        labels: how many there are.
        channels: at 7×7 places; half as many at 14×14.
        hidden: units of the joint layer.
    """

    def __init__(self, labels: int, channels: int, hidden: int) -> None:
        super().__init__()
        self.down_middle = nn.Conv2d(1, channels // 2, 4, stride=2, padding=1)
        self.down_end = nn.Conv2d(channels // 2, channels, 4, stride=2, padding=1)
        self.from_sample = nn.Linear(channels * (SIDE // 4) ** 2, hidden)
        self.from_label = nn.Embedding(labels, hidden)
        self.joint = nn.Linear(2 * hidden, hidden)
        self.output = nn.Linear(hidden, 1)

    def forward(self, samples: Float[Tensor, "n 1 28 28"], labels: Int[Tensor, " n"]) -> Float[Tensor, " n"]:
        h = leaky(self.down_middle(samples))  # (n, channels / 2, 14, 14)
        h = leaky(self.down_end(h)).flatten(1)  # (n, channels * 49)
        h = torch.cat([leaky(self.from_sample(h)), leaky(self.from_label(labels))], dim=1)
        return self.output(leaky(self.joint(h)))[:, 0]


class GAN(nn.Module):
    """Both players, so that they are saved, moved and opened together."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module) -> None:
        super().__init__()
        self.generator, self.discriminator = generator, discriminator
