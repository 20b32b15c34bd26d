"""Bundles larger than one range: read member by member from where they lie, whatever happens on the way."""

from __future__ import annotations

import threading
import zipfile
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from include.errors import NotAuthorised
from include.genesys.models import RecordingResult
from include.secret import PresignedUrl
from tests.story.desk import (
    ZIP_TYPE,
    Desk,
    brief,
    conversation,
    desk,
    index,
    path,
    recording_of,
    row,
    sha256,
    zipped,
)
from tests.story.shelf import EXPIRED, finished, recording
from tests.transfer.behaviours import answer, partial_head, whole
from tests.transfer.fault_server import FaultServer, Request, Wire, honest
from tests.transfer.sound import sound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from include.lake.store import LakeStore
    from include.outcome import ItemRecord

CHUNK = 64 * 1024
COUNT = 24
NUMBERS = tuple(range(1, COUNT + 1))


def call(number: int) -> bytes:
    """Return a whole WAV of about 16 kB; every number has bytes of its own."""
    return sound("wav-mulaw", samples=8000 + number)


def archive(**more: bytes) -> bytes:
    """Return a stored bundle of some 390 kB: six ranges and a bit."""
    return zipped({path(number): call(number) for number in NUMBERS} | more, zipfile.ZIP_STORED)


def archived(number: int) -> tuple[str, str, str, str]:
    """Return the record of an archived recording, in brief."""
    return (conversation(number), recording_of(number), "archived", "")


@contextmanager
def far(lake: LakeStore, folder: Path, content: bytes, **settings: object) -> Iterator[tuple[Desk, FaultServer]]:
    """Open a desk whose one bundle lies on a server that serves ranges."""
    facts = {"chunk_bytes": CHUNK, "memory_bytes": CHUNK, "read_timeout_seconds": 2.0} | settings
    with desk(lake, folder, **facts) as table, FaultServer(content) as server:
        table.source.statuses["job"] = [finished(at(server))]
        yield table, server


def at(server: FaultServer, signature: str = "first") -> RecordingResult:
    """Return the result that names the bundle."""
    url = PresignedUrl(f"http://127.0.0.1:{server.port}/bundle.zip?X-Amz-Signature={signature}")
    return RecordingResult(None, None, url, ZIP_TYPE)


def pending(items: list[ItemRecord]) -> set[str]:
    """Return the reasons of what is pending."""
    return {item.reason for item in items if str(item.outcome) == "pending"}


def test_members_come_by_ranges_and_nothing_rests_on_disk(lake: LakeStore, tmp_path: Path) -> None:
    """About one request for each chunk, each byte asked for once but for the tail, and an empty work folder."""
    content = archive(**{"metadata.json": index(*(row(number, path(number)) for number in NUMBERS))})
    with far(lake, tmp_path, content) as (table, server):
        assert {archived(number) for number in NUMBERS} == brief(table.archive(*NUMBERS))
        assert {sha256(call(number)) for number in NUMBERS} == table.stored().keys()
        ranges = [request.range for request in server.requests]
        assert len(ranges) <= len(content) / CHUNK + 5
        assert sum(last - first + 1 for first, last in ranges) < len(content) * 1.7 + CHUNK
        assert all(request.headers.get("if-match") == '"first"' for request in server.requests[1:])
    assert [] == [item for item in tmp_path.rglob("*") if item.is_file()]


def test_directory_is_judged_before_a_member_is_taken(lake: LakeStore, tmp_path: Path) -> None:
    """One unsafe name at the very end, and not one of the good members is archived; the bundle is kept whole."""
    content = archive(**{"../../evil": b"x"})
    with far(lake, tmp_path, content) as (table, _):
        items = table.archive(*NUMBERS)
        assert {"archive_rejected_unsafe_name"} == pending(items)
        assert {} == table.stored()
        assert {sha256(content)} == table.quarantined().keys()


def test_url_that_expires_midway_is_renewed(lake: LakeStore, tmp_path: Path) -> None:
    """From the fourth request on the first URL is too old: the job is asked once, and reading goes on."""
    with far(lake, tmp_path, archive()) as (table, server):
        table.source.statuses["job"] = [finished(at(server)), finished(at(server, "second"))]
        old = answer(403, EXPIRED)

        def ageing(request: Request, wire: Wire) -> None:
            aged = request.target.endswith("first") and len(server.requests) > 3
            (old if aged else honest)(request, wire)

        server.default = ageing
        assert {archived(number) for number in NUMBERS} == brief(table.archive(*NUMBERS))
        assert ["job", "job"] == table.source.asked_jobs
        assert {"first", "second"} == {request.target.rpartition("=")[2] for request in server.requests}


def test_renewed_url_with_another_file_is_not_read_on(lake: LakeStore, tmp_path: Path) -> None:
    """The ETag pins the bundle: after a renewal to another one, what was not read yet is pending, never mixed."""
    with far(lake, tmp_path, archive(), concurrent_downloads=1) as (table, server):
        table.source.statuses["job"] = [finished(at(server)), finished(at(server, "second"))]

        def swapped(request: Request, wire: Wire) -> None:
            if request.target.endswith("second"):
                honest(request, Wire(wire.connection, wire.content[::-1], '"other"', wire.stopping))
            else:
                (answer(403, EXPIRED) if len(server.requests) > 4 else honest)(request, wire)

        server.default = swapped
        items = table.archive(*NUMBERS)
        done = {item.conversation_id for item in items if str(item.outcome) == "archived"}
        assert 0 < len(done) < COUNT
        assert {"source_changed"} == pending(items)
        assert {item.conversation_id for item in items} == {conversation(number) for number in NUMBERS}
        assert table.stored().keys() < {sha256(call(number)) for number in NUMBERS}


def test_api_that_refuses_a_renewal_stops_the_shard(lake: LakeStore, tmp_path: Path) -> None:
    """Refused credentials are everybody's trouble, also when they show between two members."""
    with far(lake, tmp_path, archive()) as (table, server):
        table.source.statuses["job"] = [finished(at(server)), NotAuthorised("no", status=401)]
        server.script, server.default = deque([honest] * 3), answer(403, EXPIRED)
        with pytest.raises(NotAuthorised):
            table.archive(*NUMBERS)
        assert [] == list(table.lake.list_keys("manifests/"))


def test_host_that_refuses_a_range_costs_only_what_it_held(lake: LakeStore, tmp_path: Path) -> None:
    """A 403 of the media host that is not about age is no reason to stop the shard."""
    denied = answer(403, b"<Error><Code>AccessDenied</Code></Error>")
    with far(lake, tmp_path, archive(), concurrent_downloads=1) as (table, server):
        server.script = deque([honest] * 3 + [denied])
        items = table.archive(*NUMBERS)
        outcomes = {(str(item.outcome), item.reason) for item in items}
        assert {("archived", ""), ("quarantined", "request_rejected")} == outcomes


def spoiling(at_byte: int, *, times: int) -> Callable[[Request, Wire], None]:
    """Return a behaviour that flips a bit of one byte on its way, so many times."""
    left, lock = [times], threading.Lock()

    def behave(request: Request, wire: Wire) -> None:
        first, last = request.range
        with lock:
            strikes = first <= at_byte <= last and left[0] > 0
            left[0] -= strikes
        if not strikes:
            honest(request, wire)
            return
        body = bytearray(partial_head(request, wire))
        body[at_byte - first] ^= 1
        wire.send(bytes(body))

    return behave


@pytest.mark.parametrize("number", [1, 9])
def test_member_spoiled_on_its_way_is_read_again(lake: LakeStore, tmp_path: Path, number: int) -> None:
    """One bit wrong in the first answer or a later one: the checksum sends us back for it, and all are archived."""
    content = archive()
    spoiled_at = content.index(call(number)) + 500
    with far(lake, tmp_path, content) as (table, server):
        server.default = spoiling(spoiled_at, times=1)
        assert {archived(number) for number in NUMBERS} == brief(table.archive(*NUMBERS))
        assert {} == table.quarantined()


def test_directory_spoiled_on_its_way_is_read_again(lake: LakeStore, tmp_path: Path) -> None:
    """A refusal is believed only after a second look, at a whole copy: here that one opens, and all are archived."""
    content = archive()
    with far(lake, tmp_path, content) as (table, server):
        server.default = spoiling(content.index(b"PK\x01\x02"), times=1)
        items = table.archive(*NUMBERS)
        assert {archived(number) for number in NUMBERS} == brief(items)
        assert f'"archive_sha256":"{sha256(content)}"' in table.lake.read(items[0].metadata_key).decode()
        assert {} == table.quarantined()


def test_refusal_without_evidence_is_no_refusal(lake: LakeStore, tmp_path: Path) -> None:
    """Where the whole copy does not come, nobody knows whether the bundle or the way to it is bad: pending."""
    with far(lake, tmp_path, archive(**{"../../evil": b"x"})) as (table, server):
        server.script, server.default = deque([honest] * 2), answer(503)
        items = table.archive(*NUMBERS)
        assert {"source_unavailable"} == pending(items)
        assert len(NUMBERS) == len(items)


def test_member_that_is_damaged_at_the_source_costs_itself(lake: LakeStore, tmp_path: Path) -> None:
    """Wrong twice is wrong: that recording is quarantined, the bundle is kept whole, the others are archived."""
    content = bytearray(archive())
    content[content.index(call(9)) + 500] ^= 1
    with far(lake, tmp_path, bytes(content)) as (table, _):
        items = table.archive(*NUMBERS)
        damaged = (conversation(9), recording_of(9), "quarantined", "crc_mismatch")
        assert {archived(number) for number in NUMBERS if number != 9} | {damaged} == brief(items)
        assert {sha256(bytes(content))} == table.quarantined().keys()


@pytest.mark.parametrize(("at_byte", "reason"), [(4, "local_header"), (30, "local_header"), (14, "local_header")])
def test_member_whose_own_header_lies_costs_itself(lake: LakeStore, tmp_path: Path, at_byte: int, reason: str) -> None:
    """Z6: the header beside the data is judged when it comes, though the directory alone looked well."""
    content = bytearray(archive())
    header = content.index(call(9)) - len(path(9)) - 30
    assert content[header : header + 4] == b"PK\x03\x04"
    content[header + (6 if at_byte == 4 else at_byte)] ^= 2
    with far(lake, tmp_path, bytes(content)) as (table, _):
        items = table.archive(*NUMBERS)
        lied = (conversation(9), recording_of(9), "quarantined", reason)
        assert {archived(number) for number in NUMBERS if number != 9} | {lied} == brief(items)


def test_what_is_in_the_lake_is_not_asked_for_again(lake: LakeStore, tmp_path: Path) -> None:
    """A second run over a bundle asks for its directory and the missing member, not for the rest."""
    content = archive()
    with far(lake, tmp_path, content) as (table, server):
        table.archive(*NUMBERS[:-1])
        server.requests.clear()
        assert {archived(number) for number in NUMBERS} == brief(table.archive(*NUMBERS))
        assert len(server.requests) <= 3


def test_server_without_ranges_is_read_from_a_spool(lake: LakeStore, tmp_path: Path) -> None:
    """The caller sees no difference, but for the digest of the whole bundle in the custody."""
    content = archive()
    with far(lake, tmp_path, content) as (table, server):
        server.default = whole
        items = table.archive(*NUMBERS)
        assert {archived(number) for number in NUMBERS} == brief(items)
        assert f'"archive_sha256":"{sha256(content)}"' in table.lake.read(items[0].metadata_key).decode()


def test_custody_names_the_directory_of_a_bundle_that_never_stood_here_whole(lake: LakeStore, tmp_path: Path) -> None:
    """The digest is that of the zip's own directory, which names every member with its size and CRC-32."""
    content = archive()
    with far(lake, tmp_path, content) as (table, _):
        items = table.archive(*NUMBERS)
        document = table.lake.read(items[0].metadata_key).decode()
    directory = content[content.index(b"PK\x01\x02") : content.index(b"PK\x05\x06")]
    assert f'"archive_directory_sha256":"{sha256(directory)}"' in document
    assert '"archive_sha256"' not in document


def test_member_larger_than_a_chunk_is_read_in_several(lake: LakeStore, tmp_path: Path) -> None:
    """A long call needs more than one range, and more than the memory that a small one gets."""
    long = sound("wav-pcm", samples=60_000)
    content = zipped({path(1): call(1), path(2): long, path(3): call(3)}, zipfile.ZIP_DEFLATED)
    with far(lake, tmp_path, content) as (table, _):
        assert {archived(number) for number in (1, 2, 3)} == brief(table.archive(1, 2, 3))
        assert sha256(long) in table.stored()


def test_index_that_names_an_absent_file_makes_the_source_be_asked(lake: LakeStore, tmp_path: Path) -> None:
    """M2: a recording that the index promises and the bundle lacks is a hole with a reason, not a silence."""
    rows = [row(number, path(number)) for number in NUMBERS] + [row(1, path(1, 77), 77)]
    with far(lake, tmp_path, archive(**{"metadata.json": index(*rows)})) as (table, _):
        table.source.recordings[conversation(1)] = (
            recording(conversation(1), recording_of(1)),
            recording(conversation(1), recording_of(77)),
        )
        hole = (conversation(1), recording_of(77), "source_error", "batch_error")
        assert {archived(number) for number in NUMBERS} | {hole} == brief(table.archive(*NUMBERS))


def test_one_recording_in_two_corners_of_the_bundle(lake: LakeStore, tmp_path: Path) -> None:
    """Parts that do not lie side by side are brought together before they get their numbers."""
    members = {path(1, end="_0.wav"): call(50)} | {path(number): call(number) for number in NUMBERS[1:]}
    members[path(1, end="_1.wav")] = call(51)
    with far(lake, tmp_path, zipped(members, zipfile.ZIP_STORED)) as (table, _):
        items = [item for item in table.archive(*NUMBERS) if item.conversation_id == conversation(1)]
        ordered = sorted([sha256(call(50)), sha256(call(51))])
        assert ordered == [item.sha256 for item in sorted(items, key=lambda item: item.part)]
