"""What can be heard in the toy world: the colour, shape, size and place of a lone object, read off its spectrum.

Nothing is learned. How an object sounds is known (``toyworld.sounds``): which harmonics, how strongly, how loud, and
how much of it on the left and on the right. So each pair of colour and shape predicts a spectrum, and the one that
points most nearly in the direction of what was heard is named. Chance guesses each name with the same probability.
"""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from stft.transform import amplitude, stft
from stft.windows import hann
from toyworld import COLOURS, SAMPLE_RATE, SHAPES, SIZES, Object, hear, scene_at
from toyworld.sounds import ATTACK, CREST, DECAY, LOUDNESS, MOST, PITCH, harmonics

Patterns = Mapping[tuple[str, str], Float[Tensor, " multiples"]]

STEP = 50  # Hz: every harmonic of every pitch is a multiple of it
FRAME = 4 * SAMPLE_RATE // STEP  # samples, 80 ms: neighbouring multiples are four bins apart, Hann's lobe is two wide
SOUNDS = 500  # a split
NEAR = 0.01  # picture widths: a place counts as heard if it is that near
INSIDE = 0.78  # picture widths: small objects' centres lie from 0.11 to 0.89
CHANCE = {"colour": 1 / len(COLOURS), "shape": 1 / len(SHAPES), "size": 1 / len(SIZES), "place": 2 * NEAR / INSIDE}
PROMISES = {  # (data, split, what is named): the part of the objects for which it is right
    ("toy", split, attribute): 0.99 for split in ("test", "compositional") for attribute in CHANCE
}


def name_by_ear(clip: Float[Tensor, "2 samples"], known: Patterns) -> tuple[str, str, str, float]:
    """Colour, shape, size and x of the one object that is heard, by the patterns that are known."""
    heard = comb(clip)  # (2, multiples)
    left, right = heard.norm(dim=1).tolist()
    both = heard.norm(dim=0)  # constant power: left and right together are the note, wherever it is
    likeness = {pair: float(both @ pattern) for pair, pattern in known.items()}
    colour, shape = max(likeness, key=likeness.get)
    loudest = 10 ** (LOUDNESS["large"] / 20) / (MOST * CREST) * math.exp(-(ATTACK + FRAME / SAMPLE_RATE / 2) / DECAY)
    level = 20 * math.log10(float(both.norm()) / loudest)
    size = min(LOUDNESS, key=lambda size: abs(LOUDNESS[size] - level))
    return colour, shape, size, math.atan2(right, left) / (math.pi / 2)


def comb(clip: Float[Tensor, "2 samples"]) -> Float[Tensor, "2 multiples"]:
    """Amplitudes at 50, 100, … Hz in the loudest frame."""
    window = hann(FRAME)
    spectrum = stft(clip, FRAME, FRAME // 8, window=window)
    loudest = int(spectrum.abs().square().sum((0, 1)).argmax())
    amplitudes = amplitude(spectrum[..., loudest : loudest + 1], window, FRAME)[..., 0]  # (2, bins)
    bins_a_step = STEP * FRAME // SAMPLE_RATE
    return amplitudes[:, bins_a_step::bins_a_step]


def patterns() -> Patterns:
    """By (colour, shape): the amplitude at each multiple of 50 Hz, as a vector of length 1."""
    found = {}
    for colour, pitch in PITCH.items():
        for shape in SHAPES:
            frequencies, amplitudes = harmonics(shape, pitch)
            pattern = torch.zeros(SAMPLE_RATE // 2 // STEP)
            pattern[(frequencies / STEP).round().long() - 1] = amplitudes.abs().to(pattern)
            found[colour, shape] = pattern
    return found


def right(named: tuple[str, str, str, float], thing: Object) -> dict[str, bool]:
    colour, shape, size, x = named
    return {
        "colour": colour == thing.colour,
        "shape": shape == thing.shape,
        "size": size == thing.size,
        "place": abs(x - thing.x) <= NEAR,
    }


def hearing(split: str, seed: int = 0, count: int = SOUNDS) -> dict[str, float]:
    """By attribute, the part of ``count`` lone objects of a split that are named rightly by ear."""
    judged, known = [], patterns()
    for index in range(count):
        scene = scene_at(split, seed, index, count=1)
        judged.append(right(name_by_ear(hear(scene), known), scene.objects[0]))
    return {attribute: sum(one[attribute] for one in judged) / count for attribute in CHANCE}
