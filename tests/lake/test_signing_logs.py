"""What botocore says while it signs stays out of every log, however much is logged."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from include.errors import NotAuthorised
from include.lake.store import LakeStore, Writing
from include.settings import LakeLocation
from tests.store_client import store_client

if TYPE_CHECKING:
    from demo.object_store import ObjectStore

TOKEN = "session-token-that-nobody-may-read"


def test_session_token_is_in_no_debug_line(object_store: ObjectStore, caplog: pytest.LogCaptureFixture) -> None:
    """A worker with a role's credentials, logging everything: neither the token nor a signature is written down."""
    client = store_client(object_store, aws_session_token=TOKEN)
    lake = LakeStore(client, LakeLocation(object_store.bucket, "logs"), Writing(sleep=lambda _: None))
    # The server knows no such session and refuses; what was signed has been logged by then.
    with caplog.at_level(logging.DEBUG):
        for call in (lambda: lake.put_document("a.json", b"{}"), lambda: lake.read("a.json")):
            with pytest.raises(NotAuthorised):
                call()
    client.close()
    lines = [record.getMessage() for record in caplog.records]
    told = [line for line in lines if TOKEN in line or "Signature=" in line or "X-Amz-Signature" in line]
    assert [] == told
    assert lines
