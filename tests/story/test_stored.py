"""What the lake already holds: which parts count as finished, and what half of one is good for."""

from __future__ import annotations

import pytest

from include.errors import IntegrityError
from include.lake.layout import MediaIdentity
from include.transfer.stored import stored_parts, stored_record
from tests.story.desk import ORG, Desk, audio, conversation, recording_of, sha256
from tests.story.night import DAY, everything_in, media_keys, remove


def parts(table: Desk, *numbers: int) -> dict:
    """Return the finished parts of these conversations."""
    return stored_parts(table.lake, ORG, str(DAY), [conversation(number) for number in numbers])


def archive(table: Desk, *numbers: int) -> None:
    """Archive these conversations, one recording each."""
    results = [table.result(n, table.shelf.put(f"/{n}.wav", audio(n))) for n in numbers]
    table.deliver(*results, numbers=numbers)


def test_only_the_conversations_asked_for(table: Desk) -> None:
    """Neighbours in the walk are left out, and strange keys beside them are no parts."""
    archive(table, 1, 2, 3, 4)
    stray = media_keys(table.lake)[1].rpartition("/")[0] + "/notes.txt"
    table.lake.put_document(stray, b"{}")
    expected = {(conversation(n), recording_of(n)): {sha256(audio(n)): 0} for n in (2, 4)}
    assert expected == parts(table, 4, 2)
    assert {} == parts(table)
    assert {} == parts(table, 9)


def test_two_runs_at_once_that_got_different_bytes(table: Desk) -> None:
    """Both have written a part 0, and neither hides the other."""
    archive(table, 1)
    key = next(key for key in media_keys(table.lake) if key.endswith(".wav"))
    other = key.replace(sha256(audio(1)), sha256(audio(2)))
    for name in (other, other.replace(".wav", ".metadata.json")):
        table.lake.put_latest(name, audio(2), "audio/wav")
    expected = {sha256(audio(1)): 0, sha256(audio(2)): 0}
    assert {(conversation(1), recording_of(1)): expected} == parts(table, 1)


@pytest.mark.parametrize("lost", [".wav", ".metadata.json"])
def test_half_a_part_is_made_whole(table: Desk, lost: str) -> None:
    """A part of which one object is missing is fetched again, and the other object stays as it was."""
    archive(table, 1)
    whole = everything_in(table.lake)
    for key in list(whole):
        if key.endswith(lost) or key.startswith("manifests/"):
            remove(table.lake, key)
    kept = next(key for key in whole if key.startswith("media/") and not key.endswith(lost))
    before = table.lake.read(kept)
    assert {} == parts(table, 1)
    archive(table, 1)
    assert before == table.lake.read(kept)
    assert whole.keys() >= set(media_keys(table.lake))
    assert {(conversation(1), recording_of(1)): {sha256(audio(1)): 0}} == parts(table, 1)


def test_part_that_vanishes_while_it_is_read(table: Desk) -> None:
    """Metadata that is gone by the time it is read is an integrity error: nothing of the archive ever goes away."""
    identity = MediaIdentity(ORG, str(DAY), conversation(1), recording_of(1), 0)
    with pytest.raises(IntegrityError, match="vanished"):
        stored_record(table.lake, identity, sha256(audio(1)))


def test_audio_that_was_replaced(table: Desk) -> None:
    """Audio whose checksum is no longer the one in its name is an integrity error."""
    archive(table, 1)
    key = media_keys(table.lake)[0]
    table.lake.put_latest(key, audio(2), "audio/wav")
    identity = MediaIdentity(ORG, str(DAY), conversation(1), recording_of(1), 0)
    with pytest.raises(IntegrityError, match="not what its metadata says"):
        stored_record(table.lake, identity, sha256(audio(1)))
