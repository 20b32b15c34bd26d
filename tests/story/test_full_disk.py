"""The work directory is full while a member is unpacked: its recording is pending, the others are archived."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from tests.limits import at_most
from tests.story.desk import Desk, audio, brief, conversation, desk, path, recording_of, sha256, zipped
from tests.story.shelf import recording

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from include.lake.store import LakeStore

FILE_BYTES_MAX = 1024 * 1024
LARGE = bytes(2 * FILE_BYTES_MAX)
"""Packs to a few kilobytes, and unpacks to more than the disk takes."""


@pytest.fixture
def full(lake: LakeStore, tmp_path: Path) -> Iterator[Desk]:
    """Open a desk whose files may not grow above a bound: the system then says EFBIG, as it says ENOSPC of a disk."""
    with desk(lake, tmp_path, memory_bytes=4096) as table, at_most(resource.RLIMIT_FSIZE, FILE_BYTES_MAX):
        yield table


def test_member_of_a_bundle(full: Desk) -> None:
    """One member that does not fit is pending; what fits is archived."""
    items = full.deliver(full.bundle(zipped({path(1): LARGE, path(2): audio(2)})), numbers=(1, 2))
    assert {
        (conversation(1), recording_of(1), "pending", "quota_exceeded"),
        (conversation(2), recording_of(2), "archived", ""),
    } == brief(items)
    assert {sha256(audio(2))} == full.stored().keys()


def test_member_of_nobody(full: Desk) -> None:
    """A member that nothing maps and that does not fit either still makes the source be asked."""
    full.source.recordings[conversation(1)] = (recording(conversation(1), recording_of(1)),)
    items = full.deliver(full.bundle(zipped({"stray.wav": LARGE, path(1): audio(1)})), numbers=(1,))
    assert {(conversation(1), recording_of(1), "archived", "")} == brief(items)
    assert [conversation(1)] == full.source.asked_metadata
    assert {} == full.quarantined()


def test_zip_of_one_recording(full: Desk) -> None:
    """A recording whose zip does not fit unpacked is pending."""
    items = full.deliver(full.result(1, full.shelf.put("/1.zip", zipped({"a.wav": LARGE}))), numbers=(1,))
    assert {(conversation(1), recording_of(1), "pending", "quota_exceeded")} == brief(items)
