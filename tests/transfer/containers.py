"""Sound in containers and codecs that libsndfile does not write, made by the FFmpeg in PyAV's wheel."""

from __future__ import annotations

import io
from functools import cache

import av
import numpy as np

RATES_HZ = {"g726": 8000}
SECONDS = 2


@cache
def written_by_ffmpeg(container: str, codec: str) -> bytes:
    """Return two seconds of a tone: two channels of 48 kHz, or one of 8 kHz where the codec has no more."""
    rate_hz = RATES_HZ.get(codec, 48000)
    layout, channels = ("mono", 1) if codec in RATES_HZ else ("stereo", 2)
    tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(rate_hz * SECONDS) / rate_hz)
    frames = np.repeat((tone * 32767).astype("<i2"), channels).reshape(1, -1)
    body = io.BytesIO()
    with av.open(body, "w", format=container) as out:
        stream = out.add_stream(codec, rate=rate_hz, layout=layout)
        frame = av.AudioFrame.from_ndarray(frames, "s16", layout)
        frame.sample_rate = rate_hz
        out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return body.getvalue()
