"""One odd value at every place of an analytics row: through facts, plan, metadata and catalog, without a lake."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from include.genesys.answer import Malformed
from include.genesys.conversation import read_answer
from include.lake.catalog import parquet_of
from include.lake.layout import MediaIdentity
from include.lake.plan import ShardPlan
from include.outcome import ItemRecord, Outcome
from include.settings import ArchiveSettings, LakeLocation
from include.transfer.catalog_row import catalog_row
from include.transfer.custody import seconds_to_archive
from include.transfer.facts import stored_facts
from include.transfer.metadata import Origin, recording_document
from tests.genesys.scripted_server import uuid
from tests.genesys.test_conversation import ROW

if TYPE_CHECKING:
    from collections.abc import Iterator

YEAR = 366 * 24 * 3600
NUMBERS = (0, -1, True, 2**31, 2**63, 10**400, 1e308, float("inf"), float("-inf"), float("nan"), -0.5)
MOMENTS = (
    *("0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1970-01-01T00:00:00Z", "2026-01-05T23:59:60Z"),
    *("2026-01-05T12:00:00", "2036-01-05T12:00:00Z", "2026-W01-5T10:00:00Z", "2026-01-05T12:00:00.123456789Z"),
)
TEXTS = (
    "",
    " ",
    "x" * 5000,
    "a\0b",
    "\ud800",
    "\u202egnp\u202c",
    "\U0001f1e9\U0001f1ea",
    "a\r\n|b|",
    "../../x",
    "tel:+\u0664",
)
SHAPES = (None, [], {}, [None], [[]], {"a": {"b": 1}}, [{"a": []}], json.loads("[" * 500 + "]" * 500))
ODD = (*NUMBERS, *MOMENTS, *TEXTS, *SHAPES)
IDENTITY = MediaIdentity(uuid(9), "2026-01-05", uuid(1), uuid(2), 0)
ITEM = ItemRecord(uuid(1), uuid(2), 0, Outcome.ARCHIVED, key="k", sha256="a", bytes=1, media_type="audio/wav")
STARTED = datetime(2026, 1, 5, tzinfo=UTC)
SETTINGS = ArchiveSettings(lake=LakeLocation("bucket", "prefix"), telephone_region="DE")


def mutants() -> Iterator[dict]:
    """Yield the row with each odd value at each place."""
    for place in places(ROW, ()):
        for value in ODD:
            row = copy.deepcopy(ROW)
            inner = row
            for name in place[:-1]:
                inner = inner[name]
            inner[place[-1]] = value
            yield row


def places(value: object, path: tuple) -> Iterator[tuple]:
    """Yield the path of every value inside."""
    named = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in named:
        yield (*path, name)
        yield from places(inner, (*path, name))


def test_no_odd_value_reaches_a_document_or_a_column() -> None:
    """Each mutant is refused as a row without id or start, or has documents that are JSON and a row that fits."""
    rows, refused = [], 0
    for mutant in mutants():
        try:
            found = read_answer(mutant, STARTED, STARTED + timedelta(days=1))
        except Malformed:
            refused += 1
            continue
        facts = stored_facts(found, SETTINGS)
        json.loads(ShardPlan(uuid(9), "2026-01-05", "UTC", ((uuid(1),),), {uuid(1): facts}).body())
        origin = Origin("job", "host", "2026-01-06T01:00:00.000+00:00")
        body = recording_document(
            *(IDENTITY, "UTC", facts),
            key="k",
            size=1,
            sha256="a",
            media_type="audio/wav",
            audio=None,
            findings=(),
            origin=origin,
        )
        assert (seconds_to_archive(body) or 0) < YEAR
        rows.append(catalog_row(ITEM, json.loads(body), STARTED))
    assert all(0 <= (row["conversation_milliseconds"] or 0) <= YEAR * 1000 for row in rows)
    assert (len(rows), True) == (parquet_of([rows], {})[1], 0 < refused < len(rows) / 20)
