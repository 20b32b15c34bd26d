"""Verify holds the copies of a day, the documents beside them and those in their place against the report of copies."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from include.audit.finding import FindingKind
from include.canonical import canonical_json
from include.lake.store import LakeStore
from include.settings import LakeLocation
from include.transfer.copy_sums import copies_in
from include.transfer.derivative_settings import DerivativeSettings
from include.transfer.derive_day import DerivativeDesk, derive_day
from include.transfer.rendition import Rendition
from include.transfer.verify import Scope, verify_day
from include.transfer.verify_meter import Meter
from tests.story.night import DAY, everything_in, media_keys, night, remove
from tests.story.tampering import Tampering

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from demo.object_store import ObjectStore
    from include.lake.store import S3Client

REPORT = f"reports/date={DAY}/derivatives.json"


@pytest.fixture(scope="module")
def copied(
    object_store: ObjectStore, lake_client: S3Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Tampering]:
    """Archive a day, and make a mono MP3 of each recording but one, which says that it is longer than it is."""
    archive = LakeStore(lake_client, LakeLocation(object_store.bucket, f"tests/{uuid4().hex}"))
    with night(archive, tmp_path_factory.mktemp("copied"), conversations=4, scenario="clean") as it:
        it.run()
        metadata = media_keys(it.lake)[0].rpartition(".")[0] + ".metadata.json"
        before = it.lake.read(metadata)
        document = json.loads(before)
        document["media"]["duration_milliseconds"] += 60_000
        Tampering(it.lake).put(metadata, canonical_json(document))
        derive_day(
            DerivativeDesk(it.lake, it.settings, DerivativeSettings(), it.box.org_id, Rendition("mp3", "mono")),
            str(DAY),
        )
        Tampering(it.lake).put(metadata, before)
        yield Tampering(it.lake)


def found(hands: Tampering, days_later: int = 0, *, deep: bool = False) -> list[tuple[FindingKind, str]]:
    """Return what a verification finds so many days after."""
    scope, now = Scope((str(DAY),), deep=deep, whole=True), hands.lake.now() + timedelta(days=days_later)
    return [(item.kind, item.key) for item in verify_day(hands.lake, str(DAY), scope, Meter(), now)]


def keys(hands: Tampering, end: str) -> list[str]:
    """Return the keys below ``derived/`` that end so."""
    return [key for key in hands.lake.list_keys("derived/") if key.endswith(end)]


def test_copies_as_they_were_made_raise_no_alarm(copied: Tampering) -> None:
    """Nor do they years later, or without a report."""
    assert all(keys(copied, end) for end in (".mp3", ".metadata.json", ".failed.json"))
    assert [[], []] == [found(copied, 900, deep=deep) for deep in (False, True)]
    with copied.deleted(REPORT):
        assert [] == found(copied, 900)


@pytest.mark.parametrize("end", [".metadata.json", ".mp3", ".failed.json"])
def test_altered_copy_or_document_is_named(copied: Tampering, end: str) -> None:
    """One byte is enough, also one of those that say nothing of the copy; the other documents stay green."""
    key = keys(copied, end)[0]
    body = copied.lake.read(key)
    copied.put(key, body.replace(b"0.1.0", b"0.1.1") if end == ".metadata.json" else body[:-1] + b"!")
    seen = found(copied)
    copied.put(key, body)
    assert ([(FindingKind.ALTERED, key)], []) == (seen, found(copied))


@pytest.mark.parametrize("end", [".metadata.json", ".mp3", ".failed.json"])
def test_deleted_copy_or_document_is_missed(copied: Tampering, end: str) -> None:
    """The report names it, so that it is missed the moment it is gone."""
    key = keys(copied, end)[-1]
    with copied.deleted(key):
        assert [(FindingKind.MISSING, key)] == found(copied)


def test_document_that_no_report_names_is_judged_by_what_it_says(copied: Tampering) -> None:
    """A report of an older version names no document: one that speaks of another copy is not the one of this."""
    one, other = keys(copied, ".metadata.json")[:2]
    whole = copied.lake.read(one)
    older = json.loads(copied.lake.read(REPORT))
    report, older["copies"] = copied.lake.read(REPORT), []
    copied.put(REPORT, canonical_json(older))
    seen = []
    for body in (copied.lake.read(other), whole.replace(b'"part":0', b'"part":1'), whole[:-2], b"[]", whole + b" "):
        copied.put(one, body)
        seen.append(found(copied))
    copied.put(one, whole)
    with copied.deleted(one):
        young, old = found(copied), found(copied, 2)
    with copied.deleted(one.replace(".metadata.json", ".mp3")):
        lonely = found(copied)
    copied.put(REPORT, report)
    assert [[(FindingKind.ALTERED, one)]] * 5 == seen
    assert ([], [(FindingKind.MISSING, one)]) == (young, old)
    assert [(FindingKind.MISSING, one.replace("metadata.json", "*"))] == lonely


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"failures":[],"copies":[{"key":"derived/x","document_sha256":"a"}]}', b"[" * 9000]
)
def test_report_of_copies_that_is_none_is_named(copied: Tampering, body: bytes) -> None:
    """Whoever alters the report blinds nobody."""
    report = copied.lake.read(REPORT)
    copied.put(REPORT, body)
    seen = found(copied)
    copied.put(REPORT, report)
    assert [(FindingKind.ALTERED, REPORT)] == seen


def test_first_word_of_a_document_stays(lake: LakeStore, tmp_path: Path) -> None:
    """A later run does not take over what somebody put in its place; one that was made again is a new first word."""
    with night(lake, tmp_path, conversations=2, scenario="clean") as it:
        it.run()
        desk = DerivativeDesk(lake, it.settings, DerivativeSettings(), it.box.org_id, Rendition("mp3", "mono"))
        derive_day(desk, str(DAY))
        before, hands = everything_in(lake), Tampering(lake)
        key = keys(hands, ".metadata.json")[0]
        body = lake.read(key)
        hands.put(key, body + b" ")
        derive_day(desk, str(DAY))
        assert [(FindingKind.ALTERED, key)] == found(hands)
        remove(lake, key)
        derive_day(desk, str(DAY))
        assert (before, []) == (everything_in(lake), found(hands))
        assert keys(hands, ".mp3") == list(copies_in(lake.read(REPORT)))
