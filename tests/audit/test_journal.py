"""The journal's chain: every single byte counts."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from include.audit.events import Action, Event, committed, erased, planned, recorded
from include.audit.journal import NO_COMMIT, check_line, read_segment, write_segment
from include.canonical import canonical_json, sha256_hex
from include.outcome import ItemRecord, Outcome

BASE = "c" * 64
LINES = 100


def log(count: int = LINES) -> bytes:
    """Return a log of so many lines, of what a verification and an erasure could say."""
    events = [
        Event(
            Action.VERIFIED if number % 3 else Action.ERASED,
            at=f"2026-03-03T02:{number // 60:02}:{number % 60:02}+00:00",
            key=f"media/{number}.wav",
            sha256=sha256_hex(bytes([number])),
            note='Ümläut, "quoted"' if number % 2 else "",
        )
        for number in range(count)
    ]
    return write_segment("verify", BASE, events).body


def is_found(line: bytes, number: int, previous: str) -> bool:
    """Whether the walk stops at this line."""
    try:
        check_line(line, number, previous)
    except ValueError:
        return True
    return False


def places() -> list[tuple[bytes, int, str]]:
    """Return every line of the log with its number and the hash before it."""
    lines = log().splitlines(keepends=True)
    hashes = [BASE, *(json.loads(line)["hash"] for line in lines)]
    return [(line, number, hashes[number - 1]) for number, line in enumerate(lines, start=1)]


def test_log_that_nobody_touched_is_whole():
    """No false alarm; the root is the last line's hash."""
    segment = read_segment(log())
    last = json.loads(log().splitlines()[-1])
    assert (LINES, BASE, last["hash"]) == (segment.entries, segment.base, segment.root)
    assert LINES == last["seq"]


def test_hash_can_be_recomputed_without_our_code():
    """SHA-256 of the line without ``hash``, keys sorted, no space, one newline."""
    line = json.loads(log(1))
    claimed = line.pop("hash")
    written = json.dumps(line, sort_keys=True, ensure_ascii=False, separators=(",", ":")) + "\n"
    assert claimed == sha256_hex(written.encode())


def test_every_changed_byte_is_found():
    """One other value in the place of each byte of a log of a hundred lines."""
    unseen = [
        (number, at)
        for line, number, previous in places()
        for at in range(len(line))
        if not is_found(line[:at] + bytes([line[at] ^ (1 << at % 8)]) + line[at + 1 :], number, previous)
    ]
    assert [] == unseen


@pytest.mark.timeout(1800)
@pytest.mark.evidence
def test_every_single_byte_mutation_is_found():
    """All 255 other values of each byte of a log of a hundred lines, each removed, and each doubled."""
    unseen, tried = [], 0
    for line, number, previous in places():
        for at, value in enumerate(line):
            mutants = [line[:at] + bytes([other]) + line[at + 1 :] for other in range(256) if other != value]
            mutants += [line[:at] + line[at + 1 :], line[:at] + line[at : at + 1] * 2 + line[at + 1 :]]
            # A removed byte beside its equal, or a doubled one, is the same mutant; none of them is the line itself.
            tried += len(mutants)
            unseen += [(number, at) for mutant in mutants if not is_found(mutant, number, previous)]
    assert [] == unseen
    assert tried == 257 * len(log())


def test_mutations_are_found_in_the_log_as_a_whole():
    """The walk over all lines and the check of one line are the same check."""
    body = log(12)
    unseen = []
    for at in range(len(body)):
        try:
            read_segment(body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :])
        except ValueError:
            continue
        unseen.append(at)
    assert [] == unseen


def test_every_truncation_is_found_by_the_root():
    """Cut anywhere, the log cannot be read, or has another root and fewer lines than its commit says."""
    body = log(12)
    whole = read_segment(body)
    for at in range(len(body)):
        try:
            cut = read_segment(body[:at])
        except ValueError:
            continue
        assert cut.root != whole.root
        assert cut.entries < whole.entries


def test_lines_swapped_removed_doubled_or_from_elsewhere_are_found():
    """Each line has one place only."""
    lines = log(12).splitlines(keepends=True)
    stranger = write_segment("verify", "d" * 64, [Event(Action.READ, at="x")] * 6).body.splitlines(keepends=True)[5]
    for changed in (
        [*lines[:4], lines[5], lines[4], *lines[6:]],
        [*lines[:4], *lines[5:]],
        lines[1:],
        [*lines[:5], lines[4], *lines[5:]],
        [*lines[:5], stranger, *lines[6:]],
        [*lines, lines[-1]],
    ):
        with pytest.raises(ValueError, match=r"line \d+"):
            read_segment(b"".join(changed))


@pytest.mark.parametrize(
    "body",
    [b"", b"\n", b"{}\n", b"[]\n", b"null\n", b"\xff\n", b'{"seq":1.0}\n', b"[" * 5000 + b"\n", b'{"seq":1,"seq":1}\n'],
    ids=lambda body: repr(body[:12]),
)
def test_what_is_no_log_is_refused(body):
    """One kind of error, whatever was planted there."""
    with pytest.raises(ValueError, match=r"empty|line 1"):
        read_segment(body)


def test_rewritten_log_is_whole_and_has_another_root():
    """Who computes all hashes anew cannot be seen here; the commit that names the root sees it."""
    events = [Event(Action.READ, at="2026-03-03T02:00:00+00:00", key="a"), Event(Action.READ, at="x", key="b")]
    honest = write_segment("export", BASE, events)
    forged = read_segment(write_segment("export", BASE, [replace(events[0], key="c"), events[1]]).body)
    assert honest.root != forged.root


def test_segment_says_something():
    """An empty log would have no root."""
    with pytest.raises(ValueError, match="without events"):
        write_segment("verify", NO_COMMIT, [])


@pytest.mark.parametrize(
    ("outcome", "action"),
    [
        (Outcome.ARCHIVED, "archived"),
        (Outcome.QUARANTINED, "quarantined"),
        (Outcome.PENDING, "left_open"),
        *((item, "excluded") for item in (Outcome.NO_RECORDING, Outcome.DELETED_AT_SOURCE, Outcome.RESTRICTED)),
    ],
)
def test_each_class_has_its_action(outcome, action):
    """An exclusion keeps its own name beside it."""
    manifest, event = recorded(
        "manifests/date=x/shard=y/abc.json", "abc", [ItemRecord("c", "r", 0, outcome, reason="why")]
    )
    assert {"action": "recorded", "key": "manifests/date=x/shard=y/abc.json", "sha256": "abc"} == manifest.to_json()
    assert (action, str(outcome), "why") == (event.action, event.outcome, event.reason)


def test_raw_word_of_the_source_stays_out_of_the_journal():
    """It may name a person, and a journal cannot be erased; the manifest has it."""
    _, event = recorded("m.json", "ab", [ItemRecord("c", "r", 0, Outcome.QUARANTINED, fact="Call of Anna B.")])
    assert b"Anna" not in canonical_json(event.to_json())


def test_plans_tombstones_and_the_commit_are_told():
    """Each by its key; a tombstone also with when, by whom and why."""
    tombstone = {"at": "2026-04-01T09:00:00+00:00", "conversation_id": "c", "reason": "art17", "by": "dpo"}
    assert {"action": "planned", "key": "plans/date=x/day-ab.json", "sha256": "ab"} == planned(
        "plans/date=x/day-ab.json", "ab"
    ).to_json()
    told = erased("tombstones/date=x/conversation=c/cd.json", "cd", tombstone)
    assert ("erased", "2026-04-01T09:00:00+00:00", "cd", "c", "art17", "dpo") == (
        told.action,
        told.at,
        told.sha256,
        told.conversation_id,
        told.reason,
        told.said_by,
    )
    assert {"action": "committed", "key": "commits/v"} == committed("commits/v").to_json()
