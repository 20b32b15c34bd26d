"""Nothing happens without a URL; a setting that is wrong is said before anybody is called."""

from __future__ import annotations

import pytest
from airflow.sdk.exceptions import AirflowSkipException

from genesys_archive.commands.__main__ import FAILED, main
from genesys_archive.operators.deliver_webhooks import DeliverWebhooksOperator
from include.errors import ConfigurationError

KEY = "canary-key-of-more-than-thirty-two-bytes"


@pytest.fixture(autouse=True)
def lake_of_nobody(monkeypatch):
    """A lake that no test here may touch."""
    monkeypatch.setenv("RECORDING_LAKE_URI", "s3://nobody/archive")


def operator(plan_only="False"):
    """Return the task."""
    return DeliverWebhooksOperator(task_id="deliver_webhooks", plan_task_id="plan_day", plan_only=plan_only)


def test_task_is_skipped_where_nobody_listens():
    """Before it reads a connection, an XCom or the lake."""
    with pytest.raises(AirflowSkipException, match="RECORDING_WEBHOOK_URL is not set"):
        operator().execute({})


def test_dry_run_tells_nobody(monkeypatch):
    """It archives nothing either."""
    monkeypatch.setenv("RECORDING_WEBHOOK_URL", "https://hooks.example.com/canary")
    monkeypatch.setenv("RECORDING_ARCHIVE_WEBHOOK_KEY", KEY)
    with pytest.raises(AirflowSkipException, match="dry run"):
        operator("True").execute({})


def test_wrong_setting_is_red_and_tells_no_secret(monkeypatch):
    """Whoever set it wrong learns it the same night."""
    monkeypatch.setenv("RECORDING_WEBHOOK_URL", "http://hooks.example.com/canary")
    monkeypatch.setenv("RECORDING_ARCHIVE_WEBHOOK_KEY", KEY)
    with pytest.raises(ConfigurationError, match="RECORDING_WEBHOOK_URL must be https") as caught:
        operator().execute({})
    assert "canary" not in str(caught.value)


def test_command_says_that_there_is_nobody_to_tell(capsys):
    """One sentence, and not a success."""
    assert FAILED == main(["deliver"])
    assert "RECORDING_WEBHOOK_URL is not set" in capsys.readouterr().err
