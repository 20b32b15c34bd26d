"""Erase and hold as a person calls them: a certificate on standard output, a refusal in one sentence."""

from __future__ import annotations

from uuid import uuid4

import pytest

from genesys_archive.commands.__main__ import main
from include.lake.store import LakeStore
from include.settings import LakeLocation
from tests.story.desk import conversation, desk
from tests.story.erased_day import ErasedDay, keys_with, traces_of
from tests.story.night import DAY

CALL = ["erase", f"--conversation={conversation(1)}", "--reason=asked for", "--legal-basis=GDPR Art. 17", "--by=dpo"]
HOLD = ["hold", f"--conversation={conversation(1)}", "--reason=litigation"]


@pytest.fixture
def archived(lake_client, connect_lake, tmp_path):
    """Archive a day in a bucket with Object Lock, and put the connection to it into the environment."""
    bucket = f"asked-{uuid4().hex}"
    lake_client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    lake = LakeStore(lake_client, LakeLocation(bucket, "archive"))
    connect_lake(lake, zone="Europe/Berlin")
    with desk(lake, tmp_path) as table:
        ErasedDay(table).archive()
        yield lake


def test_hold_refuse_release_erase(archived, capsys):
    """What a person does in the course of a case, without a date: the lake tells the day."""
    assert 0 == main(HOLD)
    assert "2 versions are under a legal hold; 2 were not before" in capsys.readouterr().out
    assert 1 == main(CALL)
    said = capsys.readouterr().err
    assert "erase: Nothing was erased. s3://" in said
    assert "legal hold" in said
    assert 0 == main([*HOLD, "--release"])
    assert 0 == main([*CALL, f"--date={DAY}", "--dry-run"])
    assert "DRY RUN" in capsys.readouterr().out
    assert 0 == main(CALL)
    certificate = capsys.readouterr().out
    for word in ("CERTIFICATE OF ERASURE", conversation(1), "asked for", "GDPR Art. 17", "dpo", "no version is left"):
        assert word in certificate
    assert [] == keys_with(archived, *traces_of(1))


def test_bad_rule_of_retention_is_one_sentence(archived, capsys, monkeypatch):
    """Nothing is done under rules that cannot be read."""
    monkeypatch.setenv("RECORDING_ARCHIVE_RETENTION_RULES", '[{"name": "cards", "queues": ["a"], "mode": "WORM"}]')
    assert 1 == main(CALL)
    assert "rule 'cards' must have a mode" in capsys.readouterr().err
    assert 3 == len(keys_with(archived, *traces_of(1)))
