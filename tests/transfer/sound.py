"""Real encoded sound for the tests, made by libsndfile: the judge of a format is not its own author."""

from __future__ import annotations

import io
from functools import cache

import numpy as np
import soundfile

FORMATS = {
    "wav-pcm": ("WAV", "PCM_16", 2),
    "wav-pcm-odd": ("WAV", "PCM_U8", 1),
    "wav-mulaw": ("WAV", "ULAW", 2),
    "wav-alaw": ("WAV", "ALAW", 1),
    "wav-gsm": ("WAV", "GSM610", 1),
    "wav-extensible": ("WAVEX", "PCM_16", 2),
    "rf64": ("RF64", "PCM_16", 2),
    "ogg-opus": ("OGG", "OPUS", 2),
    "ogg-vorbis": ("OGG", "VORBIS", 1),
    "mp3": ("MP3", "MPEG_LAYER_III", 2),
    "mp3-mono": ("MP3", "MPEG_LAYER_III", 1),
    "flac": ("FLAC", "PCM_16", 2),
    "flac-mono": ("FLAC", "PCM_16", 1),
}
RATE_HZ = 16000
SECONDS = 3


@cache
def sound(name: str, samples: int = RATE_HZ * SECONDS + 1, rate_hz: int = RATE_HZ) -> bytes:
    """Return a noisy tone in one of ``FORMATS``."""
    container, subtype, channels = FORMATS[name]
    draw = np.random.default_rng(1)
    moments = np.arange(samples) / rate_hz
    wave = np.sin(2 * np.pi * 300 * moments) * 0.3 + draw.normal(0, 0.02, samples)
    frames = np.repeat(wave[:, None], channels, axis=1).astype("float32")
    target = io.BytesIO()
    soundfile.write(target, frames, rate_hz, format=container, subtype=subtype)
    return target.getvalue()
