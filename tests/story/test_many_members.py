"""One recording that is said to be hundreds of files: it costs itself and no other, and no worker its open files."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

import pytest

from tests.limits import at_most
from tests.story.desk import Desk, audio, brief, conversation, desk, index, path, recording_of, row, sha256, zipped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from include.lake.store import LakeStore

MANY = 300


@pytest.fixture
def table(lake: LakeStore, tmp_path: Path) -> Iterator[Desk]:
    """Open a desk that may have fewer files open than such a recording has."""
    with desk(lake, tmp_path) as opened, at_most(resource.RLIMIT_NOFILE, MANY):
        yield opened


def test_zip_of_one_recording(table: Desk) -> None:
    """Kept whole under its reason; the recording beside it is archived."""
    files = {f"{number}.wav": audio(number) for number in range(MANY)}
    url = table.shelf.put("/1.zip", zipped(files))
    other = table.result(2, table.shelf.put("/2.wav", audio(2)))
    items = table.deliver(table.result(1, url), other, numbers=(1, 2))
    assert {
        (conversation(1), recording_of(1), "quarantined", "too_many_members"),
        (conversation(2), recording_of(2), "archived", ""),
    } == brief(items)


def test_members_of_a_bundle(table: Desk) -> None:
    """Each is kept on its own, since any of them may be the recording."""
    files = {f"{number}.wav": audio(number) for number in range(MANY)}
    rows = [row(1, name) for name in files]
    bundle = table.bundle(zipped({"metadata.json": index(*rows), **files, path(2): audio(2)}))
    items = table.deliver(bundle, numbers=(1, 2))
    assert {
        (conversation(1), recording_of(1), "quarantined", "too_many_members"),
        (conversation(2), recording_of(2), "archived", ""),
    } == brief(items)
    assert MANY == len(table.quarantined())
    assert {sha256(audio(2))} == table.stored().keys()


def test_results_of_one_recording(table: Desk) -> None:
    """A job that names one recording hundreds of times: none of its files is fetched, the other recording is."""
    many = [table.result(1, table.shelf.put(f"/1-{number}.wav", audio(number))) for number in range(MANY)]
    other = table.result(2, table.shelf.put("/2.wav", audio(2)))
    items = table.deliver(*many, other, numbers=(1, 2))
    assert {
        (conversation(1), recording_of(1), "quarantined", "integrity_error"),
        (conversation(2), recording_of(2), "archived", ""),
    } == brief(items)
    assert {sha256(audio(2))} == table.stored().keys()
