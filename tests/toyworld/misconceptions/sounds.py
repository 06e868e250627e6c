"""Common mistakes in sounds of scenes. Each must fail the tests of ``toyworld.sounds.hear``."""

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
    """``hear`` with another tone, or with another definition of decibels."""

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
    """Tempting because it is a square wave. But its harmonics above half the sample rate are aliased."""

    def sampled(shape, pitch, seconds):
        if shape != "square":
            return tone(shape, pitch, seconds)
        return torch.sign(torch.sin(2 * math.pi * pitch * seconds)) / math.sqrt(2)

    return from_tone(sampled)(scene)


def harmonics_without_signs(scene):
    """Tempting because plots show magnitudes. But harmonics 1/k² with positive signs are no triangle wave."""

    def unsigned(shape, pitch, seconds):
        frequencies, amplitudes = harmonics(shape, pitch)
        return torch.sin(2 * math.pi * seconds[:, None] * frequencies) @ amplitudes.abs()

    return from_tone(unsigned)(scene)


def phases_in_float32(scene):
    """Tempting because the sound is float32 anyway. But the phase 2π·7600 is then off by 0.002: noise above -80 dB."""

    def coarse(shape, pitch, seconds):
        frequencies, amplitudes = harmonics(shape, pitch)
        return torch.sin(2 * math.pi * seconds.float()[:, None] * frequencies.float()).double() @ amplitudes

    return from_tone(coarse)(scene)


def decibels_of_power(scene):
    """Tempting because decibels are 10 log₁₀ of a power. For an amplitude they are 20 log₁₀."""
    return from_tone(tone, level=10)(scene)


def linear_panning(scene):
    """Tempting because the gains sum to 1. But the powers do not: the middle is 3 dB too soft."""
    clip = torch.zeros(2, round(CLIP * SAMPLE_RATE))
    for o in scene.objects:
        clip += torch.tensor([1 - o.x, o.x])[:, None] * note(o)
    return clip


def normalised_by_its_own_peak(scene):
    """Tempting because it uses the whole range. But a single small object is then as loud as a large one."""
    clip = hear(scene)
    return clip / clip.abs().max()


def channels_swapped(scene):
    """Tempting because the cosine falls as x grows. But x = 0 is the left, and cos 0 = 1 is the left gain."""
    return hear(scene).flip(0)


def onsets_from_the_right(scene):
    """Tempting because a late note sounds far away. But the clip goes from left to right."""
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
