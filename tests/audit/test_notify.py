"""An event follows from its commit; its signature is what any other program computes."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import UTC, datetime
from uuid import UUID, uuid5

from include.audit.notify import CommitName, events_of, message_of, signed_headers
from include.outcome import ItemRecord, Outcome
from include.secret import Secret

AT = datetime(2026, 3, 3, 4, 5, 6, tzinfo=UTC)
FIRST = CommitName("org", "2026-03-02", "commits/date=2026-03-02/v=00000001.json", "ab" * 32)
SECOND = CommitName("org", "2026-03-02", "commits/date=2026-03-02/v=00000002.json", "cd" * 32)
GUIDE_FIELDS = {"event", "mediaId", "filePath", "format", "size", "sha256", "timestamp"}


def part(number, recording="r", outcome=Outcome.ARCHIVED):
    """Return an item."""
    return ItemRecord("c", recording, number, outcome, key=f"media/{recording}/{number}", sha256="0" * 64, bytes=3)


def test_each_archived_part_is_one_event_of_the_commit_that_brought_it():
    """Found again it is none; what is not archived is none; later commits only add to the end."""
    held = part(2, outcome=Outcome.QUARANTINED)
    first = events_of([(FIRST, [part(1), part(0), held])])
    both = events_of([(FIRST, [part(1), part(0), held]), (SECOND, [part(0), part(2)])])
    assert ([0, 1], first) == ([event.item.part for event in first], both[:2])
    assert [(2, SECOND)] == [(event.item.part, event.commit) for event in both[2:]]
    assert str(uuid5(UUID("ab" * 16), "media/r/0")) == first[0].id


def test_event_has_the_fields_of_the_guide_and_no_personal_one():
    """A receiver that was written for the guide's program understands it."""
    (event,) = events_of([(FIRST, [part(0)])])
    document = event.to_json("s3://bucket/media/r/0", AT)
    assert document.keys() >= GUIDE_FIELDS
    assert ("recording_downloaded", "r", 3, "2026-03-03T04:05:06Z") == tuple(
        document[name] for name in ("event", "mediaId", "size", "timestamp")
    )
    assert not {"ani", "dnis", "agents", "queues"} & document.keys()


def test_same_event_has_the_same_bytes():
    """Whoever sends it again sends the very same body, also in an envelope."""
    events = [event.to_json("s3://b/k", AT) for event in events_of([(FIRST, [part(0), part(1)])])]
    assert message_of(events, batched=True) == message_of(json.loads(json.dumps(events)), batched=True)
    event_id, body = message_of(events[:1], batched=False)
    assert (events[0]["id"], events[0]) == (event_id, json.loads(body))


def test_openssl_computes_the_same_signature():
    """HMAC-SHA256 over time, full stop and body; one for each key."""
    openssl = shutil.which("openssl")
    headers = signed_headers([Secret("a" * 32), Secret("b" * 32)], "id-1", 1772500000, b'{"a":1}\n')
    expected = [
        subprocess.run(  # noqa: S603 - the system's own
            [openssl, "dgst", "-sha256", "-hmac", key * 32, "-r"],
            input=b'1772500000.{"a":1}\n', capture_output=True, check=True,
        ).stdout.split()[0].decode()
        for key in "ab"
    ]  # fmt: skip
    assert ",".join(f"v1={one}" for one in expected) == headers["X-Signature"]
    assert ("id-1", "1772500000") == (headers["X-Event-Id"], headers["X-Timestamp"])
