"""The journal in the lake: a commit's own segment, the segments of others, and the seal beside each commit.

A commit's own segment follows from what the commit brings in and from nothing else: no clock, no host, no run id. So a
commit that was cut short and is made again writes the same segment under the same key. Whoever else acts on a day
(verifies, erases, holds, exports) writes a segment on the newest commit; the next commit of the day anchors it.
"""

from __future__ import annotations

import io
import logging
from typing import TYPE_CHECKING, Any

from include.audit.events import Event, committed, erased, planned, recorded
from include.audit.journal import NO_COMMIT, Segment, lines_of, read_segment, write_segment
from include.audit.signature import Seal
from include.canonical import sha256_hex
from include.errors import IntegrityError, LakeConflict
from include.lake import key_reading, layout
from include.lake.commit import JournalSegment, read_head
from include.lake.manifest import Manifest
from include.lake.plan import checked_document
from include.lake.tombstone import Tombstone

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from include.audit.signature import JournalKey
    from include.lake.commit import Commit, DayContents
    from include.lake.store import LakeStore
    from include.local_day import LocalDay

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/x-ndjson"


def journal_of_commit(
    lake: LakeStore, draft: Commit, new: DayContents, judged: Sequence[Event] = ()
) -> list[JournalSegment]:
    """Write the draft's own segment and return all that the commit has to anchor: this one, and those of others.

    ``judged`` is what the draft says anew of its day beside the counts.

    Raises:
        IntegrityError: when something that the draft brings in is not what its name says.
        LakeUnavailable, NotAuthorised: as ``LakeStore.put_if_absent``.
    """
    others = unanchored(lake, draft)
    own = write_segment("commit", draft.previous_sha256 or NO_COMMIT, _events(lake, draft, new, judged))
    key = _put(lake, str(draft.day), own_run(draft.version), own)
    return [*others, JournalSegment(key, own.entries, own.root, draft.version)]


def append_segment(lake: LakeStore, org: str, day: LocalDay, actor: str, events: Sequence[Event]) -> str:
    """Write what somebody did with a day, on the day's newest commit, and return the segment's key.

    ``actor`` is a word that goes into the key: ``verify``, ``erase``, ``hold``. Nothing is committed: looking at a day
    must not change it. Until the next commit anchors the segment, it can be removed without a trace; ``commit_day``
    with ``anchor`` does not wait for one.

    Raises:
        ValueError: when there is no event, or one without its time.
        IntegrityError, LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    if not all(event.at for event in events):
        raise ValueError("an event of an actor needs its time")
    head = read_head(lake, org, day)
    version, base = (head.version, head.sha256) if head else (0, NO_COMMIT)
    return _put(lake, str(day), f"{actor}-v{version:08d}", write_segment(actor, base, events))


def segments_of(lake: LakeStore, date: str, actor: str) -> Iterator[str]:
    """Yield the keys of what ``append_segment`` wrote for an actor; raises as ``LakeStore.list_keys`` does."""
    return lake.list_keys(layout.journal_of_actor(date, actor))


def unanchored(lake: LakeStore, commit: Commit) -> list[JournalSegment]:
    """Return the whole segments of the day that this commit does not name; a broken one is left out, and said."""
    known = {segment.key for segment in commit.journal}
    found = []
    for key in lake.list_keys(layout.journal_prefix(str(commit.day))):
        if key in known:
            continue
        try:
            segment = read_segment(named_body(lake, key))
        except ValueError as error:
            # Refusing to commit would let one planted file stop the archive; the check of the day names it.
            log.error("%s is not anchored: %s", lake.uri(key), error)  # noqa: TRY400 - a finding, not a crash
            continue
        found.append(JournalSegment(key, segment.entries, segment.root, commit.version))
    return found


def named_body(lake: LakeStore, key: str) -> bytes:
    """Return the bytes of a segment whose key ends in their SHA-256.

    Raises:
        ValueError: when they are missing or others.
    """
    body = lake.read(key)
    if body is None:
        raise ValueError("it is missing")
    if not key.endswith(f"/{sha256_hex(body)}.jsonl"):
        raise ValueError("its bytes are not those that its name says")
    return body


def seal_commit(lake: LakeStore, commit: Commit, key: JournalKey | None) -> bool:
    """Put the seal beside a commit, unless it is there; tell whether this call did.

    Raises:
        ConfigurationError: when the key is only a public one.
        IntegrityError: it was sealed before, and was not this then.
        LakeUnavailable, NotAuthorised: as ``LakeStore.put_if_absent``.
    """
    body = lake.read(commit.key) or b""
    seal = Seal.of(commit.key, body, key)
    place = layout.seal_key(str(commit.day), commit.version, seal.key_id)
    try:
        return lake.put_document(place, seal.document()).created
    except LakeConflict as error:
        raise IntegrityError(
            f"{lake.uri(commit.key)} does not fit its seal {place}: altered.", key=commit.key
        ) from error


def _put(lake: LakeStore, date: str, run: str, segment: Segment) -> str:
    digest = sha256_hex(segment.body)
    key = layout.journal_key(date, run, digest)
    body = io.BytesIO(segment.body)
    lake.put_if_absent(key, body, bytes_=len(segment.body), sha256=digest, media_type=MEDIA_TYPE)
    return key


def own_run(version: int) -> str:
    """Return the word in the key of the segment that a commit writes itself."""
    return f"v{version:08d}"


def own_lines(lake: LakeStore, commit: Commit) -> list[dict[str, Any]]:
    """Return the lines of the segment that a commit wrote itself; none where there is none, or it is not whole.

    Raises:
        LakeUnavailable, NotAuthorised: as the lake raises them.
    """
    folder = layout.journal_of_run(str(commit.day), own_run(commit.version))
    own = [item.key for item in commit.journal if item.version == commit.version and item.key.startswith(folder)]
    try:
        return [line for name in own for line in lines_of(named_body(lake, name))]
    except ValueError:
        return []


def _events(lake: LakeStore, draft: Commit, new: DayContents, judged: Sequence[Event]) -> Iterator[Event]:
    date = str(draft.day)
    for key in new.plans:
        yield planned(key, key_reading.named_digest(key))
    for key in new.manifests:
        yield from recorded(key, key_reading.named_digest(key), Manifest.read(lake, key, draft.org, date).items)
    for key in new.tombstones:
        Tombstone.read(lake, key, draft.org, date)
        yield erased(key, key_reading.named_digest(key), checked_document(lake, key))
    yield from judged
    yield committed(draft.key)
