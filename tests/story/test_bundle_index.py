"""The metadata JSON inside a bundle: tolerant of its spelling, and of anything at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.canonical import canonical_json
from include.lake.layout import is_uuid
from include.transfer.bundle_index import BundleIndex, ids_in_name, read_index
from include.transfer.bundle_members import INDEX_BYTES_MAX, may_be_index
from include.transfer.media.document import JSON_VALUES_MAX
from include.transfer.unpack import Member
from include.transfer.zip_directory import Entry
from tests.story.desk import conversation, index, path, recording_of, row

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(conversation(1))
FIELDS = st.sampled_from(
    ["recordings", "errors", "conversationId", "recordingId", "fileName", "file", "path", "contentType", "errorMsg"]
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS, inner, max_size=6), max_leaves=15
)


def check(index: BundleIndex | None) -> None:
    """Whatever was read, its ids can stand in a key and its words in a document."""
    if index is None:
        return
    for name, entry in index.entries.items():
        assert name
        assert is_uuid(entry.conversation_id)
        assert is_uuid(entry.recording_id)
        canonical_json({"declared": entry.declared, "type": entry.media_type, "name": name})
    for failure in index.failures:
        assert is_uuid(failure.conversation_id)


@settings(max_examples=60, deadline=None)
@given(DOCUMENTS)
def test_any_json_is_read_without_harm(document: object) -> None:
    """No JSON whatsoever raises, and no id that is no UUID comes out."""
    check(read_index(json.dumps(document).encode()))


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_harm(body: bytes) -> None:
    """No bytes whatsoever raise."""
    check(read_index(body))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dictionaries(FIELDS, SCALARS, max_size=6), max_size=4), st.lists(DOCUMENTS, max_size=3))
def test_a_good_row_survives_its_neighbours(rows: list[dict], errors: list) -> None:
    """Every row is read on its own: nonsense beside it does not cost a recording its name."""
    body = json.dumps({"recordings": [*rows, row(3, "good.wav")], "errors": errors}).encode()
    index = read_index(body)
    check(index)
    assert (conversation(3), recording_of(3)) == (
        index.entries["good.wav"].conversation_id,
        index.entries["good.wav"].recording_id,
    )


@pytest.mark.parametrize("depth", [500, 900, 950, 980, 995, 2_000, 100_000])
def test_deep_nesting_is_no_crash(depth: int) -> None:
    """JSON that is nested to the limit of the parser, or beyond, in any field, is read or left, never raised."""
    deep = "[" * depth + "]" * depth
    for body in (deep, f'{{"recordings": [{{"conversationId": "{conversation(1)}", "fileName": {deep}}}]}}'):
        check(read_index(body.encode()))
    body = json.dumps(row(1, "a.wav"))[:-1] + f', "more": {deep}}}'
    check(read_index(f"[{body}]".encode()))


@pytest.mark.parametrize("name", ["fileName", "filename", "file", "path"])
def test_spellings_of_the_file_s_name(name: str) -> None:
    """The member's name is found under every spelling, in a list as in an object."""
    entry = {"conversationId": conversation(1), "recordingId": recording_of(1), name: "a.wav"}
    for document in ([entry], {"recordings": [entry]}):
        assert {"a.wav"} == read_index(json.dumps(document).encode()).entries.keys()


@pytest.mark.parametrize(
    "body",
    [
        b'[{"fileName": "a", "fileName": "b"}]',
        b"",
        b"null",
        b"7",
        b'"x"',
        b"{}",
        b'{"recordings": {}}',
        b'{"words": []}',
        b'[{"conversationId": "x"}]',
        b"\xff\xfe\xfa",
    ],
)
def test_what_is_no_index(body: bytes) -> None:
    """A transcript, or no JSON at all, is no index."""
    assert read_index(body) is None


def test_index_of_more_values_than_a_worker_has_room_for() -> None:
    """Z15: a few MB of empty objects, packed into kilobytes, become gigabytes: they are counted before."""
    rows = json.dumps([row(1, "a.wav")]).encode()
    assert {"a.wav"} == read_index(rows[:-1] + b",{}" * 1000 + b"]").entries.keys()
    assert None is read_index(rows[:-1] + b",{}" * (JSON_VALUES_MAX // 2) + b"]")


def test_only_so_much_is_read_in_search_of_an_index() -> None:
    """Z15: by all that may be it together; what belongs to a recording by its path is none."""
    sizes = {
        path(1, end=".json"): 1,
        "a.json": INDEX_BYTES_MAX - 10,
        "b.JSON": 11,
        "c.json": 10,
        "d.json": 1,
        "e.txt": 0,
    }
    members = [Member(Entry(b"", name, 0, 0, 0, 0, size, 0, 0), 0) for name, size in sizes.items()]
    assert ["a.json", "c.json"] == [member.name for member in may_be_index(members)]


def test_empty_index_is_an_index() -> None:
    """A job that came to nothing has an index without rows."""
    assert BundleIndex() == read_index(b'{"recordings": []}')


def test_byte_order_mark_is_read() -> None:
    """A UTF-8 byte order mark in front of the JSON changes nothing."""
    assert read_index(b"\xef\xbb\xbf" + json.dumps([row(1, "a.wav")]).encode()) is not None


@pytest.mark.parametrize(
    ("name", "found"),
    [
        (path(1), (conversation(1), recording_of(1))),
        (path(1).upper(), (conversation(1), recording_of(1))),
        (f"{conversation(1)}.wav", None),
        (f"{path(1)}/{recording_of(2)}", None),
        ("call.wav", None),
    ],
)
def test_ids_in_a_member_s_name(name: str, found: tuple[str, str] | None) -> None:
    """Exactly two ids make a place: one or three leave open which is which."""
    assert found == ids_in_name(name)


def test_declared_row_holds_no_signed_address() -> None:
    """The row stands beside the recording for good, and whoever read the address could fetch from it."""
    entry = {**row(1, "a.wav"), "uri": "https://host/a?Expires=1&Signature=SECRET"}
    found = read_index(index(entry))
    assert found is not None
    assert {**entry, "uri": "https://host/a?***"} == json.loads(found.entries["a.wav"].declared)
