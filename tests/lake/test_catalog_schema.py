"""The catalog's columns evolve only by adding: compared with what was once published."""

from __future__ import annotations

import pytest

from include.lake.catalog_schema import COLUMNS, SCHEMA_VERSION, Column, catalog_schema

NAMED = "list<element: struct<id: string, name: string>>"
TEXTS = "list<element: string>"
MOMENT = "timestamp[ms, tz=UTC]"

# Version to the columns it added, in order. A version that was published is never edited: add the next one below.
PUBLISHED = {
    1: {
        "org": "string not null",
        "conversation_id": "string not null",
        "recording_id": "string not null",
        "part": "int32 not null",
        "timezone": "string not null",
        "started_at": MOMENT,
        "ended_at": MOMENT,
        "conversation_milliseconds": "int64",
        "duration_milliseconds": "int64",
        "direction": "string",
        "media_types": TEXTS,
        "ani": "string",
        "ani_e164": "string",
        "ani_raw": "string",
        "dnis": "string",
        "dnis_e164": "string",
        "dnis_raw": "string",
        "agents": NAMED,
        "queues": NAMED,
        "wrap_up_codes": NAMED,
        "wrap_up_tags": TEXTS,
        "wrap_up_notes": TEXTS,
        "division_ids": TEXTS,
        "external_tag": "string",
        "flagged_reason": "string",
        "pii_masked": TEXTS,
        "pii_dropped": TEXTS,
        "codec": "string",
        "channels": "int32",
        "sample_rate_hz": "int32",
        "media_type": "string not null",
        "bytes": "int64 not null",
        "sha256": "string not null",
        "key": "string not null",
        "version_id": "string",
        "metadata_key": "string not null",
        "metadata_sha256": "string not null",
        "source": "string not null",
        "job_id": "string",
        "url_host": "string",
        "requested_at": MOMENT,
        "acquired_at": MOMENT,
        "stored_at": "timestamp[ms, tz=UTC] not null",
        "tool_version": "string",
    }
}


def described(columns: tuple[Column, ...] = COLUMNS) -> list[tuple[str, str]]:
    """Return name and type of each column as they are published."""
    return [
        (column.name, str(column.type).replace("item:", "element:") + (" not null" if column.required else ""))
        for column in columns
    ]


def refusals(columns: list[tuple[str, str]]) -> list[str]:
    """Return what these columns would break for somebody who holds a table of any published version."""
    published = [column for version in sorted(PUBLISHED) for column in PUBLISHED[version].items()]
    broken = [f"{old} became {new}" for old, new in zip(published, columns, strict=False) if old != new]
    broken += [f"{old} is gone" for old in published[len(columns) :]]
    broken += [f"{name} is added and not published" for name, _ in columns[len(published) :]]
    return broken + [
        f"{name} is added and required" for name, kind in columns[len(PUBLISHED[1]) :] if kind.endswith("not null")
    ]


def test_schema_is_what_was_published():
    """Names, types, nulls and order of every version so far, and nothing that no version names."""
    assert [] == refusals(described())
    assert max(PUBLISHED) == SCHEMA_VERSION


@pytest.mark.parametrize(
    "change",
    [
        lambda columns: columns[:-1],
        lambda columns: columns[1:],
        lambda columns: [*columns[:3], ("part", "int64 not null"), *columns[4:]],
        lambda columns: [*columns[:5], ("begun_at", MOMENT), *columns[6:]],
        lambda columns: [columns[1], columns[0], *columns[2:]],
        lambda columns: [*columns, ("mood", "string")],
    ],
    ids=["last-removed", "first-removed", "type-changed", "renamed", "reordered", "added-unpublished"],
)
def test_every_other_change_is_refused(change):
    """The comparison sees a removal, another type, another name, another order, and an addition nobody published."""
    assert refusals(change(described()))


def test_every_column_says_what_it_means():
    """In the file too: whoever has only the Parquet reads it from the schema."""
    schema = catalog_schema()
    assert [column.meaning for column in COLUMNS] == [
        schema.field(column.name).metadata[b"meaning"].decode() for column in COLUMNS
    ]
    assert all(column.meaning for column in COLUMNS)
    assert len(COLUMNS) == len({column.name for column in COLUMNS})
