r"""How a scene is heard: every object plays one note.

====================  ================================================================================
of the object         in the sound
====================  ================================================================================
shape                 timbre: which harmonics sound, and how strongly (``HARMONICS``)
colour                pitch: 400, 450, …, 750 Hz (``PITCH``)
size                  loudness: small is 10 dB below large, which is heard as about half as loud
x, as onset           from left to right in one second: a note begins at ``x`` × 1 s
x, as panning         constant power: left :math:`\cos(\pi x/2)`, right :math:`\sin(\pi x/2)`, squares sum to 1
y, radius, rgb        nothing
====================  ================================================================================

The pitches are the overtones 8 to 15 of 50 Hz. They lie within one octave, so that no note's harmonic is mistaken for
another's fundamental, and every frequency in a clip is a multiple of 50 Hz: a window of a whole number of 20 ms holds
a whole number of periods of each.

Notes are sums of sines, and only of those below half the sample rate: nothing aliases. No clip is normalised by its own
peak, because a lone small object would then be as loud as a large one; instead all notes share one scale, small enough
for the worst that a scene can do: four large objects whose peaks meet in one channel.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from toyworld.scenes import COLOURS, MOST, Object, Scene

SAMPLE_RATE = 16_000  # Hz
CLIP = 2.0  # seconds; the last note begins before 1 s and has ended by then
SWEEP = 1.0  # seconds from the picture's left edge to its right one
LENGTH = 1.0  # seconds of a note, with
ATTACK = 0.02  # seconds in which it swells at the beginning,
DECAY = 0.3  # seconds in which it falls to 1/e, and
RELEASE = 0.05  # seconds in which it fades out at the end
PITCH = {colour: 50.0 * (8 + k) for k, colour in enumerate(COLOURS)}  # Hz
LOUDNESS = {"small": -10.0, "large": 0.0}  # dB
# No tone whose squared amplitudes sum to 1 exceeds it; the cross comes nearest, its two sines peak together at √2.
CREST = 1.5

HARMONICS = {  # amplitude of the k-th harmonic
    "circle": lambda k: 1.0 if k == 1 else 0.0,  # a sine
    "square": lambda k: k % 2 / k,  # a square wave
    "triangle": lambda k: k % 2 * (-1) ** (k // 2) / k**2,  # a triangle wave
    "star": lambda k: 1 / k,  # a sawtooth
    "diamond": lambda k: 1 / k if k & (k - 1) == 0 else 0.0,  # octaves alone
    "cross": lambda k: 1.0 if k in (1, 5) else 0.0,  # two sines, as strong as each other
}


def hear(scene: Scene) -> Float[Tensor, "2 samples"]:
    """The scene's sound at 16 kHz, the left channel first, in float32 within ±1: the sum of its objects' notes."""
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
    """When the object's note begins, in seconds after the clip's beginning."""
    return o.x * SWEEP


def panning(o: Object) -> Float[Tensor, " 2"]:
    """Gain of the left and of the right channel; their squares sum to 1, for the same loudness everywhere."""
    return torch.tensor([math.cos(math.pi / 2 * o.x), math.sin(math.pi / 2 * o.x)])


def envelope(seconds: Float[Tensor, " samples"]) -> Float[Tensor, " samples"]:
    """Of a note that begins at 0 s: a raised cosine up, an exponential decay, a raised cosine down; else 0."""
    edges = torch.minimum(seconds / ATTACK, (LENGTH - seconds) / RELEASE).clamp(0, 1)
    return (1 - torch.cos(math.pi * edges)) / 2 * torch.exp(-seconds / DECAY)


def tone(shape: str, pitch: float, seconds: Float[Tensor, " samples"]) -> Float[Tensor, " samples"]:
    r""":math:`\sum_k a_k \sin(2\pi k f t)`: it begins at 0 s with all sines at phase 0, and has no end."""
    frequencies, amplitudes = harmonics(shape, pitch)
    return torch.sin(2 * math.pi * seconds[:, None] * frequencies) @ amplitudes  # (samples, harmonics) @ (harmonics)


def harmonics(shape: str, pitch: float) -> tuple[Float[Tensor, " harmonics"], Float[Tensor, " harmonics"]]:
    """Frequencies (Hz) and signed amplitudes of the sines in a tone, in float64.

    Only frequencies below half the sample rate. The squares of the amplitudes sum to 1: all shapes have the same power.

    Raises:
        ValueError: if the pitch is not above 0 and below half the sample rate.
    """
    if not 0 < pitch < SAMPLE_RATE / 2:
        raise ValueError(f"pitch must be above 0 and below {SAMPLE_RATE // 2} Hz, got {pitch}")
    numbers = [k for k in range(1, math.ceil(SAMPLE_RATE / 2 / pitch)) if HARMONICS[shape](k)]
    frequencies = torch.tensor([k * pitch for k in numbers], dtype=torch.float64)
    amplitudes = torch.tensor([HARMONICS[shape](k) for k in numbers], dtype=torch.float64)
    return frequencies, amplitudes / amplitudes.norm()
