"""Colour, shape, size and place of a single object of the toy world, from the spectrum of its sound.

Nothing is learned. ``toyworld.sounds`` defines the harmonics, the loudness and the panning of an object. So each pair
of colour and shape predicts a spectrum. The pair with the largest dot product with the measured spectrum is the answer.
The baseline chance guesses each answer with the same probability.
"""

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from stft.transform import stft
from stft.units import amplitude
from stft.windows import hann
from toyworld import COLOURS, SAMPLE_RATE, SHAPES, SIZES, Object, hear, scene_at
from toyworld.sounds import ATTACK, CREST, DECAY, LOUDNESS, MOST, PITCH, harmonics

Patterns = Mapping[tuple[str, str], Float[Tensor, " multiples"]]

STEP = 50  # Hz: every harmonic of every pitch is a multiple of it
FRAME = 4 * SAMPLE_RATE // STEP  # samples (80 ms): multiples are 4 bins apart, and Hann's main lobe is 4 bins wide
SOUNDS = 500  # sounds per split
NEAR = 0.01  # image widths; a place is correct within this distance
INSIDE = 0.78  # image widths; the centres of small objects are between 0.11 and 0.89
CHANCE = {"colour": 1 / len(COLOURS), "shape": 1 / len(SHAPES), "size": 1 / len(SIZES), "place": 2 * NEAR / INSIDE}
PROMISES = {  # (data, split, attribute): the lowest accuracy that is allowed
    ("toy", split, attribute): 0.99 for split in ("test", "compositional") for attribute in CHANCE
}


def name_by_ear(clip: Float[Tensor, "2 samples"], known: Patterns) -> tuple[str, str, str, float]:
    """Colour, shape, size and x of the single object in a clip, by its similarity to the known patterns."""
    measured = harmonic_amplitudes(clip)  # (2, multiples)
    left, right = measured.norm(dim=1).tolist()
    both = measured.norm(dim=0)  # (multiples)  panning keeps the power, so this is the note at any place
    similarity = {pair: float(both @ pattern) for pair, pattern in known.items()}
    colour, shape = max(similarity, key=similarity.get)
    loudest = 10 ** (LOUDNESS["large"] / 20) / (MOST * CREST) * math.exp(-(ATTACK + FRAME / SAMPLE_RATE / 2) / DECAY)
    level = 20 * math.log10(float(both.norm()) / loudest)
    size = min(LOUDNESS, key=lambda size: abs(LOUDNESS[size] - level))
    return colour, shape, size, math.atan2(right, left) / (math.pi / 2)


def harmonic_amplitudes(clip: Float[Tensor, "2 samples"]) -> Float[Tensor, "2 multiples"]:
    """Amplitudes at 50, 100, … Hz in the loudest frame."""
    window = hann(FRAME, dtype=clip.dtype)
    spectrum = stft(clip, window, FRAME // 2)  # (2, bins, frames)
    loudest = int(spectrum.abs().square().sum((0, 1)).argmax())
    amplitudes = amplitude(spectrum[..., loudest : loudest + 1], window, FRAME)[..., 0]  # (2, bins)
    step = STEP * FRAME // SAMPLE_RATE  # bins from one multiple of 50 Hz to the next
    return amplitudes[:, step::step]  # (2, multiples)


def patterns() -> Patterns:
    """For each (colour, shape): the amplitudes at the multiples of 50 Hz, scaled to a vector of length 1."""
    found = {}
    for colour, pitch in PITCH.items():
        for shape in SHAPES:
            frequencies, amplitudes = harmonics(shape, pitch)
            pattern = torch.zeros(SAMPLE_RATE // 2 // STEP)
            pattern[(frequencies / STEP).round().long() - 1] = amplitudes.abs().to(pattern)
            found[colour, shape] = pattern
    return found


def correct(answer: tuple[str, str, str, float], target: Object) -> dict[str, bool]:
    """For each attribute, whether the answer is the object's."""
    colour, shape, size, x = answer
    return {
        "colour": colour == target.colour,
        "shape": shape == target.shape,
        "size": size == target.size,
        "place": abs(x - target.x) <= NEAR,
    }


def hearing(split: str, seed: int = 0, count: int = SOUNDS) -> dict[str, float]:
    """The accuracy of ``name_by_ear`` per attribute, on ``count`` single objects of a split."""
    results, known = [], patterns()
    for index in range(count):
        scene = scene_at(split, seed, index, count=1)
        results.append(correct(name_by_ear(hear(scene), known), scene.objects[0]))
    return {attribute: sum(result[attribute] for result in results) / count for attribute in CHANCE}
