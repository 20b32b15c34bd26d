"""The bytes: real audio that a real decoder plays, for as long as it says."""

from __future__ import annotations

import io
from hashlib import sha256

import pytest
import soundfile

from include.sandbox import audio
from include.sandbox.body import Body, Stretch, whole
from include.sandbox.config import SandboxConfig
from include.sandbox.recordings import body_for, content_type_of
from include.sandbox.scenario import Damage
from include.sandbox.tenant import Tenant
from include.sandbox.transcripts import screen_webm
from tests.sandbox.conftest import DAY

ID = "3b2e5aaa-0000-4000-8000-000000000001/00"
MAGIC = {"audio/ogg": (b"OggS",), "audio/wav": (b"RIFF",), "audio/x-wav": (b"RIFF",), "audio/mpeg": (b"ID3", b"\xff")}
PARENTS = {0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0x1F43B675}
MAKERS = {
    "ogg mono": (lambda: audio.ogg_opus(ID, 0, 1, 9.5), 1),
    "ogg dual": (lambda: audio.ogg_opus(ID, 1, 2, 9.5), 2),
    "wav pcm": (lambda: audio.wav(ID, 0, 2, 9.5), 2),
    "wav mu-law": (lambda: audio.wav(ID, 0, 1, 9.5, mulaw=True), 1),
    "wav mu-law odd length": (lambda: audio.wav(ID, 0, 1, 9.500125, mulaw=True), 1),
    "mp3 id3v2.3": (lambda: audio.mp3(ID, 0, 2, 9.5, 3), 2),
    "mp3 id3v2.4": (lambda: audio.mp3(ID, 1, 1, 9.5, 4), 1),
    "mp3 bare frame": (lambda: audio.mp3(ID, 1, 2, 9.5, 0), 2),
}


@pytest.mark.parametrize("name", list(MAKERS))
def test_a_real_decoder_plays_it(name):
    """The library libsndfile decodes every kind to its end: sound, channels and length are right."""
    make, channels = MAKERS[name]
    data = make().bytes()
    with soundfile.SoundFile(io.BytesIO(data)) as source:
        sound = source.read(always_2d=True)
        assert channels == source.channels
        assert abs(len(sound) / source.samplerate - 9.5) < 1.2
    assert abs(sound).max() > 0.05


def test_mp3_longer_than_its_clip_still_plays():
    """An MP3 of two minutes is one clip again and again, and plays as two minutes."""
    with soundfile.SoundFile(io.BytesIO(audio.mp3(ID, 0, 1, 120).bytes())) as source:
        assert abs(len(source.read()) / source.samplerate - 120) < 0.5


def test_every_recording_of_a_day_decodes():
    """Each audio part of an ordinary day decodes, begins with the magic of its content type, and is unique."""
    seen = set()
    for conversation in Tenant(SandboxConfig(dates=(DAY,), conversations=60, audio_seconds=(1, 4))).day(DAY):
        for recording in conversation.recordings:
            for part in recording.parts:
                body = body_for(recording, part)
                data = body.bytes()
                if recording.media != "audio":
                    continue
                assert data.startswith(MAGIC[content_type_of(recording, part)])
                assert soundfile.read(io.BytesIO(data))[0].size
                seen.add(sha256(data).hexdigest())
    assert len(seen) > 50


@pytest.mark.parametrize("form", ["WAV", "WAV_ULAW", "MP3", "OGG_OPUS"])
def test_renderings_play(form):
    """Any recording can be rendered to any format the sandbox offers, and plays."""
    conversation = Tenant(SandboxConfig(dates=(DAY,), conversations=1, scenario="clean")).day(DAY)[0]
    recording = conversation.recordings[0]
    body = body_for(recording, recording.parts[0], form)
    assert (
        audio.CONTENT_TYPES[{"WAV": "wav_pcm16", "WAV_ULAW": "wav_ulaw", "MP3": "mp3"}.get(form, "ogg_opus")]
        == body.content_type
    )
    assert soundfile.read(io.BytesIO(body.bytes()))[0].size


def test_damage_is_what_its_name_says():
    """A damaged recording is HTML, starts wrongly, is empty, or stops early; its content type still claims audio."""
    damaged = {}
    for conversation in Tenant(SandboxConfig(dates=(DAY,), scenario="rough")).day(DAY):
        for recording in conversation.recordings:
            if recording.parts[0].damage:
                damaged[recording.parts[0].damage] = body_for(recording, recording.parts[0])
    assert {*Damage} == {*damaged}
    assert damaged[Damage.HTML].bytes().startswith(b"<!DOCTYPE html>")
    assert damaged[Damage.WRONG_MAGIC].bytes().startswith(b"\0\0\0\0")
    assert damaged[Damage.EMPTY].bytes() == b""
    cut = damaged[Damage.TRUNCATED].bytes()
    assert cut.startswith(b"RIFF")
    assert int.from_bytes(cut[4:8], "little") + 8 > len(cut)
    assert all(body.content_type.startswith("audio/") for body in damaged.values())


def test_large_recording_is_served_without_memory():
    """Half an hour of WAV is a rope over one short clip: any range of it is at hand, and the whole has a digest."""
    body = audio.wav(ID, 0, 2, 1800)
    assert body.size > 57_000_000
    piece = b"".join(body.read(50_000_000, 50_000_010))
    assert len(piece) == 10
    assert len(body.stretches[1].pattern) < 2_000_000


def test_rope_reads_like_the_bytes_it_stands_for():
    """Any range of a rope equals the same slice of the whole."""
    body = Body((whole(b"head"), Stretch(b"abc", 10), whole(b"tail")), "x/y")
    everything = b"headabcabcabcatail"
    assert everything == body.bytes()
    for start in range(len(everything) + 1):
        for stop in range(start, len(everything) + 1):
            assert everything[start:stop] == b"".join(body.read(start, stop))


def test_screen_recording_is_an_ebml_document():
    """The screen recording is well-formed EBML of type webm: every element's size fits its parent."""
    data = screen_webm(ID, 12.0)

    def walk(start, stop):
        found = []
        while start < stop:
            identifier_end = start + 9 - data[start].bit_length()
            size_bytes = 9 - data[identifier_end].bit_length()
            identifier = int.from_bytes(data[start:identifier_end], "big")
            size = int.from_bytes(data[identifier_end : identifier_end + size_bytes], "big") & (
                2 ** (7 * size_bytes) - 1
            )
            start = identifier_end + size_bytes
            found += [identifier, *(walk(start, start + size) if identifier in PARENTS else [])]
            start += size
        assert start == stop
        return found

    found = walk(0, len(data))
    assert {0x1A45DFA3, 0x4282, 0x18538067, 0x1654AE6B, 0xA3} <= set(found)
    assert b"webm" in data[:64]
