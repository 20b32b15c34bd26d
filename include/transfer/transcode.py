"""Sound in, sound out, frame by frame: the one file that hands bytes to FFmpeg (PyAV).

Runs only inside ``transcode_worker``, a process of its own with limits: a decoder is a large program in C, and what it
reads here came from outside. Memory stays the same however long the recording is. Equal input gives equal output on
equal processors: nothing is dithered, no encoder's version and no time is written (``bitexact``).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import av
import av.error
import av.filter
import av.logging

from include.transfer.transcode_failure import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from av import AudioFrame, AudioStream

CHANNELS_MAX = 8
RATE_HZ_MAX = 192_000
"""Above these nothing is speech. A header may promise 65535 channels at 4 GHz; FFmpeg would allocate for them."""

MP3_RATES_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""ISO/IEC 11172-3, 13818-3 and the 2.5 extension."""
MP3_STEREO = 2
_HALF_RATES_END_HZ = 24_000


class TranscodeError(Exception):
    """No derivative can be made of this; the message says what it was about."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a derivative is written. ``bit_rate`` is in bits a second, 0 where the codec has none to choose."""

    container: str
    codec: str
    sample_rate_hz: int
    channels: int
    bit_rate: int

    @property
    def layout(self) -> str:
        """FFmpeg's word for so many channels; two of a call are two sides, which a layout has no name for."""
        return {1: "mono", 2: "stereo"}.get(self.channels, f"{self.channels} channels")


@dataclass(frozen=True, slots=True)
class Transcoded:
    """What came out: ``samples`` of each channel, by count and not by the container's word."""

    source_codec: str
    source_channels: int
    encoding: Encoding
    samples: int
    filters: str
    ffmpeg: str


def transcode(source: BinaryIO, target: BinaryIO, demuxer: str, output_format: str, channels: str) -> Transcoded:
    """Decode ``source`` and write it to ``target``, both seekable, as ``wav`` or ``mp3``, ``original`` or ``mono``.

    Args:
        source: the recording; read from where it stands.
        target: empty; holds the derivative afterwards.
        demuxer: FFmpeg's name of the container. It is never guessed from the bytes: a playlist among the formats FFmpeg
            knows may name files and addresses to be opened.
        output_format: ``wav`` (PCM, 16 bit) or ``mp3``.
        channels: ``original`` or ``mono``.

    Raises:
        TranscodeError: when the source holds no sound that can be decoded to its end.
        MemoryError, OSError: when a limit of the process is reached.
    """
    av.logging.set_level(av.logging.PANIC)
    try:
        with av.open(
            source, "r", format=demuxer, options={"protocol_whitelist": "", "format_whitelist": demuxer}
        ) as opened:
            stream = _sound_of(opened)
            encoding = _encoding(stream, output_format, mono=channels == "mono")
            filters = _filters(stream.codec_context.channels, encoding)
            samples = _write(target, _converted(opened.decode(stream), filters), encoding)
            if not samples:
                raise TranscodeError(Reason.NO_SOUND, "the stream holds not one sample")
            codec = stream.codec_context
            return Transcoded(codec.name, codec.channels, encoding, samples, filters, av.ffmpeg_version_info)
    except av.error.MemoryError as error:
        raise MemoryError(str(error)) from None
    except (av.error.DecoderNotFoundError, av.error.PatchWelcomeError) as error:
        raise TranscodeError(Reason.CODEC_UNSUPPORTED, error.strerror or type(error).__name__) from None
    except av.error.FFmpegError as error:
        # Failures of our own file objects pass through PyAV as what they are; these are FFmpeg's word on the bytes.
        raise TranscodeError(Reason.UNDECODABLE, error.strerror or type(error).__name__) from None


def _sound_of(opened: Any) -> AudioStream:  # noqa: ANN401 - PyAV's own stub calls it a container of either kind
    streams = opened.streams.audio
    if not streams:
        raise TranscodeError(Reason.NO_SOUND, "there is no audio stream")
    stream = cast("AudioStream", streams[0])
    codec = stream.codec_context
    if codec is None:
        raise TranscodeError(Reason.CODEC_UNSUPPORTED, "FFmpeg has no decoder for it")
    if not (0 < codec.channels <= CHANNELS_MAX and 0 < codec.sample_rate <= RATE_HZ_MAX):
        raise TranscodeError(Reason.CODEC_UNSUPPORTED, f"{codec.channels} channels at {codec.sample_rate} Hz")
    codec.thread_count = 1
    return stream


def _encoding(stream: AudioStream, output_format: str, *, mono: bool) -> Encoding:
    codec = stream.codec_context
    channels = 1 if mono else codec.channels
    if output_format == "wav":
        return Encoding("wav", "pcm_s16le", codec.sample_rate, channels, 0)
    if channels > MP3_STEREO:
        raise TranscodeError(Reason.CODEC_UNSUPPORTED, f"{channels} channels do not fit into an MP3")
    rate = next((item for item in MP3_RATES_HZ if item >= codec.sample_rate), MP3_RATES_HZ[-1])
    per_channel = 32_000 if rate <= _HALF_RATES_END_HZ else 64_000
    return Encoding("mp3", "libmp3lame", rate, channels, per_channel * channels)


def _filters(channels: int, encoding: Encoding) -> str:
    """Return the chain of FFmpeg filters, in its own notation.

    Mono is the mean of all channels, so that it cannot exceed the loudest of them: nothing is left to a limiter.
    """
    steps = []
    if encoding.channels < channels:
        steps.append("pan=mono|c0=" + "+".join(f"{1 / channels}*c{number}" for number in range(channels)))
    steps.append(f"aresample={encoding.sample_rate_hz}:dither_method=none")
    steps.append(f"aformat=sample_fmts={'s16' if encoding.codec == 'pcm_s16le' else 's16p'}")
    return ",".join(steps)


def _converted(frames: Iterator[AudioFrame], filters: str) -> Iterator[AudioFrame]:
    """Yield the frames behind the filters; timestamps are counted anew, since a hostile one means a year of silence."""
    graph, form, position = None, None, 0
    for frame in frames:
        if graph is None:
            form = _form(frame)
            graph = _graph(frame, filters)
        elif _form(frame) != form:
            raise TranscodeError(Reason.CODEC_UNSUPPORTED, "the sound changes its rate or channels half-way")
        frame.pts, frame.time_base = position, Fraction(1, frame.sample_rate)
        position += frame.samples
        graph.push(frame)
        yield from _ready(graph)
    if graph is not None:
        graph.push(None)
        yield from _ready(graph)


def _form(frame: AudioFrame) -> tuple[int, int, str]:
    return frame.sample_rate, len(frame.layout.channels), frame.format.name


def _graph(frame: AudioFrame, filters: str) -> av.filter.Graph:
    graph = av.filter.Graph()
    steps = [
        graph.add_abuffer(
            format=frame.format.name,
            sample_rate=frame.sample_rate,
            layout=frame.layout.name,
            time_base=Fraction(1, frame.sample_rate),
        )
    ]
    for step in filters.split(","):
        name, _, arguments = step.partition("=")
        steps.append(graph.add(name, arguments))
    graph.link_nodes(*steps, graph.add("abuffersink")).configure()
    return graph


def _ready(graph: av.filter.Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            yield cast("AudioFrame", graph.pull())
        except (av.error.BlockingIOError, av.error.EOFError):
            return


def _write(target: BinaryIO, frames: Iterator[AudioFrame], encoding: Encoding) -> int:
    """Encode the frames and return how many samples of each channel went in."""
    samples = 0
    with av.open(target, "w", format=encoding.container, options={"fflags": "+bitexact"}) as out:
        # Channels apart: joint stereo would let the agent's voice leak into the customer's channel.
        options = {"flags": "+bitexact"} | ({"joint_stereo": "0"} if encoding.container == "mp3" else {})
        stream = cast("AudioStream", out.add_stream(encoding.codec, rate=encoding.sample_rate_hz, options=options))
        stream.codec_context.layout = encoding.layout
        stream.codec_context.format = "s16" if encoding.codec == "pcm_s16le" else "s16p"
        if encoding.bit_rate:
            stream.bit_rate = encoding.bit_rate
        for frame in frames:
            frame.pts, frame.time_base = samples, Fraction(1, encoding.sample_rate_hz)
            samples += frame.samples
            out.mux(stream.encode(frame))
        if samples:
            out.mux(stream.encode(None))
    return samples
