"""A lake with commits in it and nothing else: parts of recordings, as an archive leaves them, without the night."""

from __future__ import annotations

import hashlib
import io
from uuid import UUID

from include.lake import layout
from include.lake.commit import DayContents, first_commit, read_head, try_commit
from include.lake.manifest import Manifest
from include.outcome import ItemRecord, Outcome
from tests.story.night import DAY

ORG = "29757b26-f5ba-47c8-b09f-e4aac89e4647"


def commit_parts(lake, *parts, again=()):
    """Commit (recording number, part) as archived, and name ``again`` as found once more; return their keys."""
    items = [_archive(lake, number, part) for number, part in parts]
    known = [_archive(lake, number, part) for number, part in again]
    head = read_head(lake, ORG, DAY)
    ids = tuple(sorted({item.conversation_id for item in (*items, *known)}))
    found = DayContents(
        manifests=(Manifest(ORG, str(DAY), ids, (*items, *known), head.version if head else 0).write(lake),)
    )
    assert try_commit(lake, head.following(found) if head else first_commit(ORG, DAY, found))
    return [item.key for item in items]


def _archive(lake, number, part):
    body = f"{number}/{part}".encode()
    sha256 = hashlib.sha256(body).hexdigest()
    conversation, recording = str(UUID(int=number)), str(UUID(int=number << 64))
    key = layout.media_key(layout.MediaIdentity(ORG, str(DAY), conversation, recording, part), sha256, "wav")
    lake.put_if_absent(key, io.BytesIO(body), bytes_=len(body), sha256=sha256, media_type="audio/wav")
    return ItemRecord(
        conversation, recording, part, Outcome.ARCHIVED, key=key, sha256=sha256, bytes=len(body), media_type="audio/wav"
    )
