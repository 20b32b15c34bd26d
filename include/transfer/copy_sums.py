"""The SHA-256 of the document beside each copy, kept in the day's report of copies: no key promises it.

A copy is named by its own bytes, the document beside it by the copy's; so whoever altered or took away the document
would be seen by nobody. The first word stays: what the report says of a document is not asked of the bucket again.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from include.canonical import sha256_hex
from include.lake import layout
from include.lake.key_reading import DerivedKey
from include.transfer.side_by_side import side_by_side

if TYPE_CHECKING:
    from collections.abc import Iterable

    from include.lake.store import LakeStore

REPORT = "derivatives.json"
ASKED_AT_ONCE = 16


def document_key(copy: DerivedKey) -> str:
    """Return the key of the document beside a copy."""
    return layout.derived_metadata_key(copy.identity, copy.source_sha256, copy.rendition, copy.sha256)


def document_sums(lake: LakeStore, date: str, copies: Iterable[str]) -> list[dict[str, str]]:
    """Return a row for each copy that has a document: its key, and the document's SHA-256.

    Raises:
        LakeUnavailable, NotAuthorised, ConfigurationError: when the bucket gives no answer.
    """
    known = _said_before(lake.read(layout.report_key(date, REPORT)))

    def row(key: str) -> dict[str, str]:
        copy = DerivedKey.parse(key)
        return {"key": key, "document_sha256": known.get(key) or (_sum(lake, document_key(copy)) if copy else "")}

    rows = side_by_side(row, sorted(copies), threads=ASKED_AT_ONCE, name="copies")
    return [item for item in rows if item["document_sha256"]]


def copies_in(report: bytes) -> dict[str, str]:
    """Return what a report of copies says: the SHA-256 of the document beside each, empty of one without a copy.

    Raises:
        ValueError: when it is no such report.
    """
    try:
        document = json.loads(report)
        sums = {str(item["key"]): str(item["document_sha256"]) for item in document.get("copies", ())}
        return sums | {str(item["key"]): "" for item in document["failures"]}
    except (AttributeError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("it is no report of copies") from error


def _said_before(report: bytes | None) -> dict[str, str]:
    try:
        return copies_in(report) if report is not None else {}
    except ValueError:
        return {}  # a view: it is written anew


def _sum(lake: LakeStore, key: str) -> str:
    stored = lake.head(key)
    if stored is None or stored.sha256:
        return stored.sha256 if stored else ""
    return sha256_hex(lake.read(key) or b"")
