"""A day's derivatives: made from the lake alone, once, beside originals that nothing touches."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import soundfile

from include.lake.key_reading import DerivedKey, MediaKey
from include.transfer.derivative_settings import DerivativeSettings
from include.transfer.derive_day import DerivativeDesk, derive_day
from include.transfer.rendition import Rendition
from tests.story.night import DAY, everything_in, media_keys, night, remove

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from include.lake.store import LakeStore
    from include.transfer.derive_day import DayDerived
    from tests.story.night import Night

WISHES = DerivativeSettings()
MP3_MONO = Rendition("mp3", "mono")


@pytest.fixture
def archived(lake: LakeStore, tmp_path: Path) -> Iterator[Night]:
    """Return a night that is over: a day of mono and dual-channel calls in three formats is archived."""
    with night(lake, tmp_path, conversations=7, audio_seconds=(1, 3), scenario="ordinary") as it:
        it.run()
        yield it


def derive(it: Night, run: Rendition, wishes: DerivativeSettings = WISHES) -> DayDerived:
    """Make the day's derivatives."""
    return derive_day(DerivativeDesk(it.lake, it.settings, wishes, it.box.org_id, run), str(DAY))


def listing(it: Night, prefix: str = "") -> dict[str, tuple[str, int]]:
    """Return every object below the prefix, with the bucket's own digest and size."""
    return {key: value for key, value in everything_in(it.lake).items() if key.startswith(prefix)}


def derived_keys(it: Night) -> list[str]:
    """Return the keys of all sound that was made."""
    return [key for key in it.lake.list_keys("derived/") if not key.endswith(".json")]


def test_every_recording_gets_its_derivative_and_keeps_its_original(archived: Night) -> None:
    """One channel, the mean of all; as long as its source; and what stood in the lake stands there unchanged."""
    before, calls = listing(archived), len(archived.box.journal)
    derived = derive(archived, MP3_MONO)
    assert calls == len(archived.box.journal)
    assert before.items() <= listing(archived).items()
    originals = {MediaKey.parse(key).sha256: key for key in media_keys(archived.lake)}
    made = {DerivedKey.parse(key).source_sha256: key for key in derived_keys(archived)}
    met = {sha for sha, key in originals.items() if key.endswith(".mp3") and _sound(archived, key)[0].shape[1] == 1}
    assert originals.keys() == made.keys() | met
    assert (len(made), len(made), 0) == (derived.wanted, derived.made, derived.failed)
    for source, key in made.items():
        frames, rate = _sound(archived, key)
        original, original_rate = _sound(archived, originals[source])
        assert (1, "MP3") == (frames.shape[1], soundfile.info(io.BytesIO(archived.lake.read(key))).format)
        assert abs(len(frames) / rate - len(original) / original_rate) < 0.05
        assert _level(original.mean(axis=1)) == pytest.approx(_level(frames), abs=1.0)


def test_document_names_source_tool_and_parameters(archived: Night) -> None:
    """Whoever holds the derivative finds its original, and what was done to it."""
    derive(archived, Rendition("wav"))
    key = derived_keys(archived)[0]
    document = json.loads(archived.lake.read(key.rpartition(".")[0] + ".metadata.json"))
    source = document["derived_from"]
    assert (source["sha256"], source["bytes"]) == listing(archived)[source["key"]]
    assert (document["media"]["sha256"], document["media"]["bytes"]) == listing(archived)[key]
    assert ("wav", "original") == (document["rendition"]["format"], document["rendition"]["channels"])
    assert ("pyav", True) == (document["transcoder"]["name"], bool(document["transcoder"]["ffmpeg"]))
    assert document["media"]["channels"] == len(document["media"]["channel_roles"])


def test_second_run_writes_nothing(archived: Night) -> None:
    """Neither an object nor a new time on one; a crash between sound and document is completed to the same bytes."""
    derive(archived, MP3_MONO)
    before, times = listing(archived), _times(archived)
    again = derive(archived, MP3_MONO)
    assert (again.wanted, 0) == (again.standing, again.made)
    assert (before, times) == (listing(archived), _times(archived))
    for key in [key for key in before if key.startswith("derived/") and key.endswith(".metadata.json")][:2]:
        remove(archived.lake, key)
    assert 2 == derive(archived, MP3_MONO).made
    assert before == listing(archived)


def test_rules_of_a_queue_add_to_what_the_run_asks_for(archived: Night) -> None:
    """By name; a call of another queue gets what the run asks for and nothing else."""
    documents = [
        json.loads(archived.lake.read(key))
        for key in archived.lake.list_keys("media/")
        if key.endswith("metadata.json")
    ]
    queue = next(item["conversation"]["queues"][0]["name"] for item in documents if item["conversation"]["queues"])
    of_queue = {
        item["media"]["sha256"]
        for item in documents
        if queue in [entry["name"] for entry in item["conversation"]["queues"]]
    }
    wishes = replace(WISHES, derivative_rules=json.dumps({queue: ["wav/mono", "mp3/mono"]}))
    derive(archived, Rendition(), wishes)
    found = [DerivedKey.parse(key) for key in derived_keys(archived)]
    assert {"wav-mono", "mp3-mono"} == {item.rendition for item in found}
    assert {item.source_sha256 for item in found} <= of_queue


def test_what_cannot_be_decoded_is_reported_and_tried_once(archived: Night) -> None:
    """The reason stands in the lake and in the report; the same decoder is not asked again; others are made."""
    victim = next(key for key in media_keys(archived.lake) if key.endswith(".wav"))
    metadata = victim.rpartition(".")[0] + ".metadata.json"
    document = json.loads(archived.lake.read(metadata))
    document["media"]["duration_milliseconds"] += 60_000
    remove(archived.lake, metadata)
    archived.lake.put_document(metadata, json.dumps(document).encode())
    first = derive(archived, MP3_MONO)
    before = listing(archived)
    second = derive(archived, MP3_MONO)
    assert {"duration_differs": 1} == first.reasons == second.reasons
    assert (first.made, before) == (second.standing, listing(archived))
    report = json.loads(archived.lake.read(f"reports/date={DAY}/derivatives.json"))
    assert {"mp3-mono": first.made} == report["derivatives"]
    assert [(victim, "duration_differs")] == [
        (item["derived_from"]["key"], item["reason"]) for item in report["failures"]
    ]


def test_original_that_was_altered_is_not_passed_on(archived: Night) -> None:
    """Its bytes are hashed on the way out: a derivative vouches for its source."""
    victim = media_keys(archived.lake)[0]
    body = bytearray(archived.lake.read(victim))
    remove(archived.lake, victim)
    body[-1] ^= 1
    sink = io.BytesIO(bytes(body))
    archived.lake.put_latest(victim, sink.getvalue(), "audio/wav")
    assert {"source_altered": 1} == derive(archived, Rendition("wav", "mono")).reasons


def test_nothing_asked_is_nothing_read(archived: Night) -> None:
    """Originals, and no rules: the usual night."""
    assert (0, 0) == (derive(archived, Rendition()).wanted, len(listing(archived, "derived/")))


def _times(it: Night) -> dict[str, object]:
    return {key: it.lake._bucket.call("head_object", Key=it.lake._prefix + key)["LastModified"] for key in listing(it)}


def _sound(it: Night, key: str) -> tuple[np.ndarray, int]:
    return soundfile.read(io.BytesIO(it.lake.read(key)), always_2d=True)


def _level(frames: np.ndarray) -> float:
    """Return the RMS in decibels."""
    return float(20 * np.log10(np.sqrt((frames**2).mean())))
