"""The sandbox's export as a command: what it wrote is what it says, the same from every process."""

from __future__ import annotations

import json
from uuid import uuid4

from include.sandbox.__main__ import main

DAY = ["--date", "2026-03-02", "--conversations", "12", "--audio-seconds", "1", "--scenario", "clean"]


def test_command_writes_both_waves_and_says_the_truth(object_store, lake_client, monkeypatch, capsys):
    """Endpoint and keys are boto3's own variables; the two waves together are the whole export."""
    for name, value in {
        "AWS_ENDPOINT_URL_S3": object_store.endpoint_url,
        "AWS_ACCESS_KEY_ID": object_store.access_key,
        "AWS_SECRET_ACCESS_KEY": object_store.secret_key,
        "AWS_DEFAULT_REGION": object_store.region,
    }.items():
        monkeypatch.setenv(name, value)
    prefix, said = f"exports/{uuid4().hex}", []
    for wave in ("first", "late"):
        assert 0 == main([*DAY, "--export-to", f"s3://{object_store.bucket}/{prefix}", "--export-wave", wave])
        said.append(json.loads(capsys.readouterr().out))
    page = lake_client.list_objects_v2(Bucket=object_store.bucket, Prefix=f"{prefix}/{said[0]['org_id']}/year=2026/")
    assert page["KeyCount"] == said[0]["objects"] + said[1]["objects"]
    assert said[0]["recordings"] == said[1]["recordings"]
    assert {"late", "duplicate", "missing_metadata", "conflicting"} < said[0]["recordings"].keys()
