"""Makes what is moved, and with it the truth that every measurement is held against.

All of it lies in the folder that the source serves, and is read once so that the page cache is warm.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import sound
from benchmarks.zip_file import DEFLATED, STORED, Packed, write_zip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.sizes import Sizes

_BLOCK_BYTES = 32_000_000
DISTINCT_WAVES, DISTINCT_OGGS, DISTINCT_LONG_WAVES = 48, 8, 8
INDEX_NAME = "index.json"
ZIP_MEMBER_BYTES = 2_800_000
"""Of the small and the large zip; at this size 4 GB stay below the archive's limit of 2,000 members."""


@dataclass(frozen=True, slots=True)
class Item:
    """One recording: whose it is, where it is served (empty for a member), and what its bytes are."""

    conversation_id: str
    recording_id: str
    name: str
    size: int
    sha256: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """One zip and the recordings in it."""

    name: str
    size: int
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything that is served."""

    folder: Path
    big: Item
    singles: tuple[Item, ...]
    deflated: Bundle
    stored: Bundle
    small_zip: Bundle
    large_zip: Bundle


def make_inputs(folder: Path, sizes: Sizes) -> Inputs:
    """Write all inputs into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "singles").mkdir(exist_ok=True)
    voice = sound.speech(_BLOCK_BYTES // 2, seed=1).tobytes()
    waves = [_wave(voice, index, sizes.single_bytes) for index in range(min(DISTINCT_WAVES, sizes.bundle_members))]
    opus = [sound.ogg(sizes.single_bytes, seed) for seed in range(min(DISTINCT_OGGS, 1 + sizes.bundle_members // 8))]
    long_waves = [Packed.of(_wave(voice, index, ZIP_MEMBER_BYTES), DEFLATED) for index in range(DISTINCT_LONG_WAVES)]
    long_digests = [
        hashlib.sha256(_wave(voice, index, ZIP_MEMBER_BYTES)).hexdigest() for index in range(DISTINCT_LONG_WAVES)
    ]
    wave_members = [(Packed.of(item, DEFLATED), hashlib.sha256(item).hexdigest()) for item in waves]
    opus_members = [(Packed.of(item, STORED), hashlib.sha256(item).hexdigest()) for item in opus]
    long_members = list(zip(long_waves, long_digests, strict=True))
    members, conversations = sizes.bundle_members, sizes.bundle_conversations
    return Inputs(
        folder=folder,
        big=_big(folder, voice, sizes.big_bytes),
        singles=tuple(_singles(folder, voice, sizes)),
        deflated=_bundle(folder, "deflated", wave_members, members, conversations),
        stored=_bundle(folder, "stored", opus_members, members, conversations),
        small_zip=_sized(folder, "small", long_members, sizes.small_zip_bytes),
        large_zip=_sized(folder, "large", long_members, sizes.large_zip_bytes),
    )


def _wave(voice: bytes, index: int, size: int) -> bytes:
    start = index * 62_500 * 2 % (len(voice) - size)
    return sound.wav(voice[start : start + size - sound.WAV_HEAD_BYTES])


def _identifier(*words: object) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(map(str, words))))


def _big(folder: Path, voice: bytes, size: int) -> Item:
    digest = hashlib.sha256()
    left = size - sound.WAV_HEAD_BYTES
    with (folder / "big.wav").open("wb") as file:
        for piece in _pieces(sound.wav_head(left), voice, left):
            file.write(piece)
            digest.update(piece)
    return Item(_identifier("big"), _identifier("big", 1), "big.wav", size, digest.hexdigest(), "audio/wav")


def _pieces(head: bytes, voice: bytes, left: int) -> Iterator[bytes]:
    yield head
    while left:
        piece = voice[: min(left, len(voice))]
        left -= len(piece)
        yield piece


def _singles(folder: Path, voice: bytes, sizes: Sizes) -> Iterator[Item]:
    for number in range(sizes.singles):
        content = _wave(voice, number, sizes.single_bytes)
        name = f"singles/{number:04d}.wav"
        (folder / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        owner = _identifier("single", number)
        yield Item(owner, _identifier("single", number, 1), name, len(content), digest, "audio/wav")


def _sized(folder: Path, name: str, members: list[tuple[Packed, str]], size: int) -> Bundle:
    average = sum(len(packed.data) for packed, _ in members) / len(members)
    count = max(1, round(size / average))
    return _bundle(folder, name, members, count, min(count, 100))


def _bundle(folder: Path, name: str, members: list[tuple[Packed, str]], count: int, conversations: int) -> Bundle:
    """Write a zip as a batch delivers it: an index, and each conversation's recordings below its id."""
    items, packed = [], []
    for number in range(count):
        owner, own = _identifier(name, number % conversations), _identifier(name, number, "recording")
        member, digest = members[number % len(members)]
        suffix, media_type = ("wav", "audio/wav") if member.method == DEFLATED else ("ogg", "audio/ogg")
        label = f"{owner}/{own}.{suffix}"
        items.append(Item(owner, own, label, member.size, digest, media_type))
        packed.append((label, member))
    index = Packed.of(_index(items), DEFLATED)
    path = folder / f"{name}.zip"
    write_zip(path, [(INDEX_NAME, index), *packed])
    return Bundle(path.name, path.stat().st_size, tuple(items))


def _index(items: list[Item]) -> bytes:
    rows = [
        {
            "conversationId": item.conversation_id,
            "recordingId": item.recording_id,
            "fileName": item.name,
            "contentType": item.media_type,
        }
        for item in items
    ]
    return json.dumps({"recordings": rows}).encode()
