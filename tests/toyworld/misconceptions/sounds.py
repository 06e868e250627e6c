"""Wrong sounds of a scene that people really make. Each must fail the tests of ``toyworld.sounds.hear``."""

import math

import torch

from toyworld.sounds import (
    CLIP,
    CREST,
    LOUDNESS,
    MOST,
    PITCH,
    SAMPLE_RATE,
    envelope,
    harmonics,
    hear,
    note,
    onset,
    panning,
    tone,
)


def from_tone(tone_of, level=20):
    """``hear`` with another tone, or another reading of the decibels."""

    def wrong(scene):
        clip = torch.zeros(2, round(CLIP * SAMPLE_RATE))
        for o in scene.objects:
            seconds = torch.arange(clip.shape[1], dtype=torch.float64) / SAMPLE_RATE - onset(o)
            scale = 10 ** (LOUDNESS[o.size] / level) / (MOST * CREST)
            sound = scale * envelope(seconds) * tone_of(o.shape, PITCH[o.colour], seconds)
            clip += panning(o)[:, None] * sound.float()
        return clip

    return wrong


def sign_of_a_sine(scene):
    """Tempting because it is a square wave; its harmonics have no end, and those above half the rate fold back."""

    def sampled(shape, pitch, seconds):
        if shape != "square":
            return tone(shape, pitch, seconds)
        return torch.sign(torch.sin(2 * math.pi * pitch * seconds)) / math.sqrt(2)

    return from_tone(sampled)(scene)


def harmonics_without_signs(scene):
    """Tempting because a spectrum's plot shows magnitudes; all-positive 1/k² harmonics are no triangle wave."""

    def unsigned(shape, pitch, seconds):
        frequencies, amplitudes = harmonics(shape, pitch)
        return torch.sin(2 * math.pi * seconds[:, None] * frequencies) @ amplitudes.abs()

    return from_tone(unsigned)(scene)


def phases_in_float32(scene):
    """Tempting because the sound is float32 anyway; 2π·7600·1 s is then off by 0.002, a hiss above -80 dB."""

    def coarse(shape, pitch, seconds):
        frequencies, amplitudes = harmonics(shape, pitch)
        return torch.sin(2 * math.pi * seconds.float()[:, None] * frequencies.float()).double() @ amplitudes

    return from_tone(coarse)(scene)


def decibels_of_power(scene):
    """Tempting because a decibel is ten times a logarithm: of the power. For the amplitude it is twenty times."""
    return from_tone(tone, level=10)(scene)


def linear_panning(scene):
    """Tempting because the gains sum to 1; the powers do not, and the middle is 3 dB too soft."""
    clip = torch.zeros(2, round(CLIP * SAMPLE_RATE))
    for o in scene.objects:
        clip += torch.tensor([1 - o.x, o.x])[:, None] * note(o)
    return clip


def normalised_by_its_own_peak(scene):
    """Tempting because it uses the whole range; a lone small object is then as loud as a large one."""
    clip = hear(scene)
    return clip / clip.abs().max()


def channels_swapped(scene):
    """Tempting because cosine falls and x grows; x = 0 is the left, and cos 0 = 1 is the left channel's gain."""
    return hear(scene).flip(0)


def onsets_from_the_right(scene):
    """Tempting because a late note sounds far away; the left-most object is heard first."""
    clip = torch.zeros(2, round(CLIP * SAMPLE_RATE))
    for o in scene.objects:
        seconds = torch.arange(clip.shape[1], dtype=torch.float64) / SAMPLE_RATE - (1 - o.x)
        sound = envelope(seconds) * tone(o.shape, PITCH[o.colour], seconds)
        clip += panning(o)[:, None] * (10 ** (LOUDNESS[o.size] / 20) / (MOST * CREST) * sound).float()
    return clip


ALL = (
    sign_of_a_sine,
    harmonics_without_signs,
    phases_in_float32,
    decibels_of_power,
    linear_panning,
    normalised_by_its_own_peak,
    channels_swapped,
    onsets_from_the_right,
)
