"""Wrong players, each with the reason why it is tempting."""

import torch
from torch import nn

from cgan.model import ConvDiscriminator, ConvGenerator, MLPDiscriminator, MLPGenerator


class BlindDiscriminator(MLPDiscriminator):
    """Tempting because the discriminator only has to tell real from fake. Then the generator may ignore the label."""

    def forward(self, samples, labels):
        return super().forward(samples, torch.zeros_like(labels))


class BlindGenerator(MLPGenerator):
    """Tempting because the code runs: the label reaches the discriminator alone."""

    def forward(self, noise, labels):
        return super().forward(noise, torch.zeros_like(labels))


class Deaf(MLPGenerator):
    """Tempting because the pictures get sharp at once: without noise there is one sample for each label."""

    def forward(self, noise, labels):
        return super().forward(torch.zeros_like(noise), labels)


class LabelAsANumber(MLPGenerator):
    """Tempting because a label is a number already. Then label 6 must look like twice label 3."""

    def forward(self, noise, labels):
        row = self.from_label.weight[0]
        h = torch.cat([self.from_noise(noise).relu(), (labels[:, None] * row).relu()], dim=1)
        return self.output(self.joint(h).relu())


class Probability(MLPDiscriminator):
    """Tempting because D(x) is a probability in the paper. Here the loss reads logits, so this is a sigmoid of a
    sigmoid: D stays between ½ and 0.73."""

    def forward(self, samples, labels):
        return super().forward(samples, labels).sigmoid()


class Squeezed(MLPDiscriminator):
    """Tempting because ``.squeeze()`` takes the last axis away; with a batch of one it takes the batch away, too."""

    def forward(self, samples, labels):
        return super().forward(samples, labels)[:, None].squeeze()


PLAYERS = (BlindGenerator, Deaf, LabelAsANumber)
DISCRIMINATORS = (BlindDiscriminator, Probability, Squeezed)


class Unbounded(ConvGenerator):
    """Tempting because the discriminator will teach the range; real pictures end at ±1 and these do not."""

    def from_embedding(self, noise, embedded):
        tanh = super().from_embedding(noise, embedded)
        return torch.atanh(tanh.clamp(-0.999999, 0.999999))


class Transposed(ConvGenerator):
    """Tempting because pictures of shape (n, 1, 28, 28) come out all the same, lying on their side."""

    def from_embedding(self, noise, embedded):
        return super().from_embedding(noise, embedded).transpose(2, 3)


CONV_GENERATORS = (Unbounded, Transposed)


class BatchNormOfAll(ConvDiscriminator):
    """Tempting because batch normalisation helps most networks; each logit then depends on the whole batch."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.norm = nn.BatchNorm2d(self.down_end.out_channels)
        self.down_end = nn.Sequential(self.down_end, self.norm)


CONV_DISCRIMINATORS = (BatchNormOfAll,)
