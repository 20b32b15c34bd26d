"""What is made anew after an erasure: plans, catalog and reports, none of which says what the conversation was."""

from __future__ import annotations

import io
import json

import pytest
from pyarrow import parquet

from include.canonical import canonical_json
from include.lake.layout import MediaIdentity, catalog_key, derived_failure_key, report_key
from include.outcome import Outcome
from include.transfer.catalog import catalog_day
from include.transfer.day import reconcile_day
from include.transfer.erase import erase_conversation
from include.transfer.standing_derivatives import REPORT, write_report
from tests.story.desk import ORG, audio, conversation, recording_of, sha256
from tests.story.erased_day import every_version, order
from tests.story.night import DAY, media_keys, remove


@pytest.mark.parametrize("dry_run", [False, True])
def test_certificate_names_what_is_made_anew(opened, dry_run):
    """The shard plan with its successor, the catalog's partition and the day's reports."""
    with opened() as day:
        catalog_day(day.lake, order().org, DAY)
        reconcile_day(day.lake, order().org, DAY, ())
        done = erase_conversation(day.lake, order(), dry_run=dry_run)
        (plan,) = done.tombstones[0].rewritten
        said = done.lines("s3://x")
        assert f"rewritten     {plan.key}, without its facts: {plan.replaced_by}" in said
        for key in (catalog_key(str(DAY)), report_key(str(DAY), "report.md"), report_key(str(DAY), "report.json")):
            assert f"made anew     {key}" in said


def catalogued(lake):
    """Return the conversations in the day's partition."""
    table = parquet.read_table(io.BytesIO(lake.read(catalog_key(str(DAY)))))
    return set(table["conversation_id"].to_pylist())


def test_catalog_loses_its_rows_in_every_version(opened):
    """The partition is built anew without the conversation, and what it was before is gone."""
    with opened() as day:
        catalog_day(day.lake, ORG, DAY)
        assert {conversation(1), conversation(2), conversation(3)} == catalogued(day.lake)
        erase_conversation(day.lake, order())
        assert {conversation(2), conversation(3)} == catalogued(day.lake)
        assert 1 == len(list(day.lake.versions.list("catalog/recordings/")))


def quoting(lake):
    """Return the keys that say of the conversation what it was before."""
    bodies = every_version(lake).items()
    needles = (conversation(1).encode(), b"missing_in_lake")
    return sorted(item.key for item, body in bodies if all(needle in body for needle in needles))


def test_reports_say_it_and_their_past_is_gone(opened):
    """The report names the class; no older version of it speaks of what the conversation was."""
    with opened() as day:
        media = next(key for key in media_keys(day.lake) if conversation(1) in key)
        remove(day.lake, media)
        assert not reconcile_day(day.lake, ORG, DAY, ())[0].is_complete
        assert 2 == len(quoting(day.lake))
        erase_conversation(day.lake, order())
        assert [] == quoting(day.lake)
        report = json.loads(day.lake.read(f"reports/date={DAY}/report.json"))
        assert {"archived": 2, "erased": 1} == report["conversations"]
        (named,) = [item for item in report["exclusions"] if item["outcome"] == str(Outcome.ERASED)]
        assert (conversation(1), "erased_on_request", "tombstone") == (
            named["conversation_id"],
            named["reason"],
            named["said_by"],
        )


def test_report_of_copies_forgets_it(opened):
    """A copy that could not be made is named with its conversation: not any more, in no version, and once is enough."""
    with opened() as day:
        identity = MediaIdentity(ORG, str(DAY), conversation(1), recording_of(1), 0)
        said = {name: {} for name in ("derived_from", "rendition")} | {"reason": "undecodable", "word": "no sound"}
        body = canonical_json({**said, "derived_from": {"key": f"media/{conversation(1)}"}})
        key = derived_failure_key(identity, sha256(audio(1)), "mp3", sha256(body))
        day.lake.put_document(key, body)
        write_report(day.lake, ORG, str(DAY))
        erase_conversation(day.lake, order())
        reports = [body for item, body in every_version(day.lake).items() if item.key.endswith(REPORT)]
        assert [[]] == [json.loads(body)["failures"] for body in reports]
        before = every_version(day.lake)
        assert erase_conversation(day.lake, order()).already
        assert before == every_version(day.lake)
