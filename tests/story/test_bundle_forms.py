"""Forms that a bundle's index may have: nobody published one, so what can be meant in one way only is read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from include.transfer.bundle_assignment import assigned
from include.transfer.bundle_index import read_index
from tests.story.desk import audio, brief, conversation, recording_of, row, sha256, zipped
from tests.story.shelf import recording

if TYPE_CHECKING:
    from tests.story.desk import Desk


def described(number: int) -> dict[str, object]:
    """Return a row that names no file."""
    return {key: value for key, value in row(number, "").items() if key != "fileName"}


def unidentified(number: int, *without: str) -> dict[str, object]:
    """Return such a row without one of its ids, which stands around it."""
    return {key: value for key, value in described(number).items() if key not in without}


ROWS = [described(1), described(2)]
KEYED = {recording_of(number): unidentified(number, "recordingId") for number in (1, 2)}
NESTED = [
    {"conversationId": conversation(number), "ani": "tel:+1", "recordings": [unidentified(number, "conversationId")]}
    for number in (1, 2)
]
UNDER_CALLS = {
    conversation(number): {"recordings": {recording_of(number): {"contentType": "audio/wav"}}} for number in (1, 2)
}
BY_RECORDING = [f"{recording_of(number)}.wav" for number in (1, 2)]
FORMS = {
    "rows without a file": (ROWS, BY_RECORDING),
    "rows without a file, in a folder": ({"recordings": ROWS}, [f"audio/{name}" for name in BY_RECORDING]),
    "by recording": (KEYED, BY_RECORDING),
    "by recording, below": ({"recordings": KEYED}, BY_RECORDING),
    "below their calls": ({"conversations": NESTED}, BY_RECORDING),
    "calls alone": (NESTED, BY_RECORDING),
    "by call and recording": (UNDER_CALLS, BY_RECORDING),
    "files named by their call": (ROWS, [f"{conversation(number)}.wav" for number in (1, 2)]),
    "files without their folder": ([row(1, "a.wav"), row(2, "b.wav")], ["job/a.wav", "job/b.wav"]),
}


def archived(number: int) -> tuple[str, str, str, str]:
    """Return the record of an archived recording, in brief."""
    return (conversation(number), recording_of(number), "archived", "")


def deliver(table: Desk, document: object, files: dict[str, bytes], *numbers: int) -> set[tuple[str, str, str, str]]:
    """Archive a job whose bundle holds these files beside its index."""
    members = {**files, "metadata.json": json.dumps(document).encode()}
    return brief(table.deliver(table.bundle(zipped(members)), numbers=numbers))


@pytest.mark.parametrize(("document", "names"), FORMS.values(), ids=FORMS.keys())
def test_what_can_be_meant_in_one_way_only_is_read(table: Desk, document: object, names: list[str]) -> None:
    """Rows by recording, by call, without a file's name or with half of it: every recording finds its place."""
    files = dict(zip(names, (audio(1), audio(2)), strict=True))
    assert {archived(1), archived(2)} == deliver(table, document, files, 1, 2)
    assert {sha256(audio(1)), sha256(audio(2))} == table.stored().keys()
    assert {} == table.quarantined()


def test_row_of_a_file_that_is_named_by_its_recording_is_kept(table: Desk) -> None:
    """What the index says of it stands in the document, as that of a row which names its file."""
    members = {BY_RECORDING[0]: audio(1), "metadata.json": json.dumps([described(1) | {"tags": ["vip"]}]).encode()}
    (item,) = table.deliver(table.bundle(zipped(members)), numbers=(1,))
    document = json.loads(table.lake.read(item.metadata_key))
    assert ["vip"] == json.loads(document["source"]["declared"])["tags"]


@pytest.mark.parametrize(("rows", "missing"), [(1, 0), (2, 0), (3, 1)])
def test_two_files_of_one_recording(table: Desk, rows: int, missing: int) -> None:
    """Both go where the rows say; a third row has no file, so a part is missing."""
    table.source.recordings[conversation(1)] = (recording(conversation(1), recording_of(1)),)
    files = {f"{recording_of(1)}_0.wav": audio(1), f"{recording_of(1)}_1.wav": audio(2)}
    lost = [(conversation(1), recording_of(1), "pending", "part_failed")] * missing
    assert {archived(1), *lost} == deliver(table, [described(1)] * rows, files, 1)
    assert {sha256(audio(1)), sha256(audio(2))} == table.stored().keys()


@pytest.mark.parametrize(
    ("rows", "names"),
    [
        pytest.param(
            [described(1), described(1) | {"recordingId": recording_of(2)}],
            [f"{conversation(1)}.wav"],
            id="call of two recordings",
        ),
        pytest.param(
            [described(1), described(2) | {"recordingId": recording_of(1)}],
            [f"{recording_of(1)}.wav"],
            id="recording of two calls",
        ),
        pytest.param([described(1)], [f"{conversation(1)}-{end}.wav" for end in "ab"], id="call with two files"),
        pytest.param([row(1, "a.wav"), row(2, "x/a.wav")], ["y/a.wav"], id="file of two rows"),
        pytest.param([row(1, "a.wav")], ["x/a.wav", "y/a.wav"], id="two files of one row"),
    ],
)
def test_what_can_be_meant_in_two_ways_is_not(rows: list[dict[str, object]], names: list[str]) -> None:
    """No member is given to anybody by a guess."""
    index = read_index(json.dumps(rows).encode())
    assert set() == assigned(index, set(names)).entries.keys() & set(names)


def test_row_is_missed_where_its_file_is_not_there(table: Desk) -> None:
    """A recording that the index describes, without a file or a reason, is still to be asked for."""
    table.source.recordings[conversation(2)] = (recording(conversation(2), recording_of(2)),)
    items = deliver(table, KEYED, {BY_RECORDING[0]: audio(1)}, 1, 2)
    assert {archived(1), (conversation(2), recording_of(2), "pending", "not_in_result")} == items
