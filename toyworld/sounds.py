r"""Sounds of scenes: every object plays one note.

====================  ================================================================================
object                sound
====================  ================================================================================
shape                 timbre: the amplitudes of the harmonics (``HARMONICS``)
colour                pitch: 400, 450, …, 750 Hz (``PITCH``)
size                  loudness: small is 10 dB below large, which sounds about half as loud
x                     onset: a note begins at ``x`` × 1 s, so that a clip goes from left to right
x                     constant-power panning: left :math:`\cos(\pi x/2)`, right :math:`\sin(\pi x/2)`, squares sum to 1
y, radius, rgb        nothing
====================  ================================================================================

The pitches are the harmonics 8 to 15 of 50 Hz. They lie within one octave, so no harmonic of a note is the fundamental
of another one. Every frequency in a clip is a multiple of 50 Hz. So a window of 20 ms, 40 ms, … holds a whole number of
periods of each.

A note is a sum of sines below half the sample rate, so nothing aliases. A clip is not normalised by its own peak: a
single small object would then be as loud as a large one. Instead all notes have one scale. It leaves room for the
loudest scene: four large objects whose peaks meet in one channel.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from toyworld.scenes import COLOURS, MOST, Object, Scene

SAMPLE_RATE = 16_000  # Hz
CLIP = 2.0  # seconds; the last note begins before 1 s and lasts 1 s
SWEEP = 1.0  # seconds from the image's left edge to its right edge
LENGTH = 1.0  # seconds of a note
ATTACK = 0.02  # seconds of the rise at its beginning
DECAY = 0.3  # seconds in which its amplitude falls to 1/e
RELEASE = 0.05  # seconds of the fade at its end
PITCH = {colour: 50.0 * (8 + k) for k, colour in enumerate(COLOURS)}  # Hz
LOUDNESS = {"small": -10.0, "large": 0.0}  # dB
CREST = (
    1.5  # above the peak of every tone of unit power; the highest is √2, of the cross, whose two sines peak together
)

HARMONICS = {  # amplitude of the k-th harmonic
    "circle": lambda k: 1.0 if k == 1 else 0.0,  # a sine
    "square": lambda k: k % 2 / k,  # a square wave
    "triangle": lambda k: k % 2 * (-1) ** (k // 2) / k**2,  # a triangle wave
    "star": lambda k: 1 / k,  # a sawtooth
    "diamond": lambda k: 1 / k if k & (k - 1) == 0 else 0.0,  # the octaves
    "cross": lambda k: 1.0 if k in (1, 5) else 0.0,  # two sines of the same amplitude
}


def hear(scene: Scene) -> Float[Tensor, "2 samples"]:
    """The sound of a scene: the sum of its notes, in stereo (left, right) at 16 kHz, float32 within ±1."""
    clip = torch.zeros(2, round(CLIP * SAMPLE_RATE))
    for o in scene.objects:
        clip += panning(o)[:, None] * note(o)  # (2, samples)
    return clip


def note(o: Object) -> Float[Tensor, " samples"]:
    """What one object plays, over the whole clip, before it is panned; float32, its phases computed in float64."""
    seconds = torch.arange(round(CLIP * SAMPLE_RATE), dtype=torch.float64) / SAMPLE_RATE - onset(o)
    scale = 10 ** (LOUDNESS[o.size] / 20) / (MOST * CREST)
    return (scale * envelope(seconds) * tone(o.shape, PITCH[o.colour], seconds)).float()


def onset(o: Object) -> float:
    """When the object's note begins, in seconds."""
    return o.x * SWEEP


def panning(o: Object) -> Float[Tensor, " 2"]:
    """Gains of the left and the right channel. Their squares sum to 1, so the power does not depend on the place."""
    return torch.tensor([math.cos(math.pi / 2 * o.x), math.sin(math.pi / 2 * o.x)])


def envelope(seconds: Float[Tensor, " samples"]) -> Float[Tensor, " samples"]:
    """Envelope of a note from 0 s to 1 s: a raised cosine up, an exponential decay, a raised cosine down; else 0."""
    edges = torch.minimum(seconds / ATTACK, (LENGTH - seconds) / RELEASE).clamp(0, 1)
    return (1 - torch.cos(math.pi * edges)) / 2 * torch.exp(-seconds / DECAY)


def tone(shape: str, pitch: float, seconds: Float[Tensor, " samples"]) -> Float[Tensor, " samples"]:
    r""":math:`\sum_k a_k \sin(2\pi k f t)`: all sines have phase 0 at 0 s."""
    frequencies, amplitudes = harmonics(shape, pitch)
    return torch.sin(2 * math.pi * seconds[:, None] * frequencies) @ amplitudes  # (samples, harmonics) @ (harmonics)


def harmonics(shape: str, pitch: float) -> tuple[Float[Tensor, " harmonics"], Float[Tensor, " harmonics"]]:
    """Frequencies (Hz) and signed amplitudes of the sines in a tone, in float64.

    Only harmonics below half the sample rate. The squares of the amplitudes sum to 1, so all shapes have equal power.

    Raises:
        ValueError: if the pitch is not above 0 and below half the sample rate.
    """
    if not 0 < pitch < SAMPLE_RATE / 2:
        raise ValueError(f"pitch must be above 0 and below {SAMPLE_RATE // 2} Hz, got {pitch}")
    numbers = [k for k in range(1, math.ceil(SAMPLE_RATE / 2 / pitch)) if HARMONICS[shape](k)]
    frequencies = torch.tensor([k * pitch for k in numbers], dtype=torch.float64)
    amplitudes = torch.tensor([HARMONICS[shape](k) for k in numbers], dtype=torch.float64)
    return frequencies, amplitudes / amplitudes.norm()
