r"""How well pictures obey their sentences: what ``evaluate.py`` has for labels, for sentences.

A judge, a network that was trained on real pictures only, reads colour, shape and size from a fake. They are compared
with those that the sentence names. Diversity is that of fakes with one sentence, beside real pictures of which the
same sentence is true. The discriminator is asked, too: does it prefer a sentence that is true of a real picture to one
that is false?
"""

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from cgan.datasets.toy import ATTRIBUTES
from cgan.evaluate import frechet_distance, relative_diversity

READ = tuple(ATTRIBUTES)  # what the columns of a reading are


def obeyed(read: Int[Tensor, "n a"], named: Int[Tensor, "n a"]) -> Bool[Tensor, "n a"]:
    """Whether each attribute is as the sentence says. −1: the sentence does not name it, so that anything obeys."""
    return (read == named) | (named < 0)


def obedience(read: Int[Tensor, "n 3"], named: Int[Tensor, "n 3"]) -> dict[str, float]:
    """The share of pictures with each attribute right, with colour and shape right, and with all three right.

    Size counts only where the sentence names it.
    """
    right = obeyed(read, named)
    shares = {}
    for k, what in enumerate(READ):
        said = named[:, k] >= 0
        shares[what] = right[said, k].double().mean().item()
    shares["colour and shape"] = right[:, :2].all(dim=1).double().mean().item()
    shares["all named"] = right.all(dim=1).double().mean().item()
    return shares


def measure_sentences(
    read: Callable[[Tensor], tuple[Tensor, Tensor]],
    pictures: Float[Tensor, "n c h w"],
    named: Int[Tensor, "n 3"],
    each: Float[Tensor, "k c h w"],
    each_sentence: Int[Tensor, " k"],
    real: Float[Tensor, "m c h w"],
    real_sentence: Int[Tensor, " m"],
) -> dict[str, float]:
    """All measures of pictures beside real ones.

    Args:
        read: the judge; gives attributes and features.
        pictures, named: one picture for each sentence of many, and what the sentence names.
        each, each_sentence: several pictures for each of some sentences that name everything, for the diversity.
        real, real_sentence: real pictures, and which of these sentences is true of each.
    """
    attributes, features = read(pictures)
    real_features = read(real)[1]
    spread = relative_diversity(read(each)[1], each_sentence, real_features, real_sentence)
    return {
        **obedience(attributes, named),
        "diversity": sum(spread.values()) / len(spread),
        "least diversity": min(spread.values()),
        "FID": frechet_distance(features, real_features),
    }


def prefers_the_true_sentence(
    discriminator: nn.Module,
    images: Float[Tensor, "n c h w"],
    right: Float[Tensor, "n d"],
    wrong: Float[Tensor, "n d"],
    chunk: int = 500,
) -> float:
    """The share of real pictures with D(picture, true sentence) > D(picture, false sentence). Chance is a half; a tie
    counts against the discriminator."""
    device, better = next(discriminator.parameters()).device, []
    with torch.no_grad():
        for x, h, other in zip(images.split(chunk), right.split(chunk), wrong.split(chunk), strict=True):
            seen = x.to(device)
            better.append((discriminator(seen, h.to(device)) > discriminator(seen, other.to(device))).cpu())
    return torch.cat(better).double().mean().item()


def text_samples(
    generator: nn.Module, noise: Float[Tensor, "n z"], vectors: Float[Tensor, "n d"], chunk: int = 500
) -> Float[Tensor, "n 3 h w"]:
    """The generator's pictures for vectors of sentences, in evaluation mode, without gradients, on the CPU."""
    device, was_training = next(generator.parameters()).device, generator.training
    generator.eval()
    try:
        with torch.no_grad():
            parts = zip(noise.split(chunk), vectors.split(chunk), strict=True)
            return torch.cat([generator(z.to(device), h.to(device)).cpu() for z, h in parts])
    finally:
        generator.train(was_training)
