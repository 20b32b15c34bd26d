"""The hooks: one sentence that names what is missing, before anything is sent."""

from __future__ import annotations

import asyncio

import pytest

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from include.errors import ConfigurationError
from tests.plugins.conftest import CANARY_SECRET


@pytest.mark.parametrize(
    ("without", "named"),
    [("login", "login"), ("password", "password"), ("org_id", "org_id"), ("contract", None)],
)
def test_missing_field_is_named(sandbox, connect, without, named):
    """The sentence has the connection and the field, and no value; what has a default may be missing."""
    connect(sandbox, without=[without])
    if named is None:
        assert "platform" == GenesysHook().genesys_connection().contract
        return
    with pytest.raises(ConfigurationError) as caught:
        GenesysHook().genesys_connection()
    sentence = str(caught.value)
    assert sentence.startswith(f"Connection 'genesys_cloud': {named} ")
    assert (False, 1) == (CANARY_SECRET in sentence, len(sentence.splitlines()))


@pytest.mark.usefixtures("airflow_database")
def test_missing_connection_is_named(monkeypatch):
    """No stack trace of Airflow's, but which connection to make."""
    monkeypatch.delenv("AIRFLOW_CONN_GENESYS_CLOUD", raising=False)
    with pytest.raises(ConfigurationError, match="'genesys_cloud' does not exist; the README shows how to make it"):
        GenesysHook().genesys_connection()


@pytest.mark.usefixtures("airflow_database")
def test_connection_that_cannot_be_read_is_not_called_missing(monkeypatch):
    """A comma too many in the variable: Airflow looks elsewhere, and a person sees that the variable is there."""
    monkeypatch.setenv("AIRFLOW_CONN_GENESYS_CLOUD", '{"conn_type": "http", "password": "canary",}')
    with pytest.raises(ConfigurationError, match="AIRFLOW_CONN_GENESYS_CLOUD is set here") as caught:
        GenesysHook().genesys_connection()
    assert "canary" not in str(caught.value)


@pytest.mark.usefixtures("airflow_database")
def test_missing_connection_is_named_in_the_triggerer_too(monkeypatch):
    """The asynchronous lookup says the same."""
    monkeypatch.delenv("AIRFLOW_CONN_ELSEWHERE", raising=False)
    with pytest.raises(ConfigurationError, match="'elsewhere' does not exist"):
        asyncio.run(GenesysHook("elsewhere").genesys_connection_async())


def test_both_lookups_agree(sandbox, connect):
    """Workers and the triggerer see the same connection."""
    connect(sandbox)
    assert GenesysHook().genesys_connection() == asyncio.run(GenesysHook().genesys_connection_async())


def test_connection_prints_no_secret(sandbox, connect):
    """Neither the hook nor the connection shows the client secret."""
    connect(sandbox)
    hook = GenesysHook()
    assert CANARY_SECRET not in f"{hook!r} {vars(hook)!r} {hook.genesys_connection()!r}"


def test_client_reaches_the_sandbox(sandbox, connect):
    """The hook's client signs in and asks."""
    connect(sandbox)
    sandbox.journal.clear()
    conversation = next(iter(sandbox.tenant.day(sandbox.world.config.dates[0])))
    with GenesysHook().client(archive_settings()) as client:
        client.recording_metadata(conversation.id)
    assert 1 == sandbox.journal.summary()["POST /oauth/token"]


def test_lake_is_the_connection_s(monkeypatch):
    """The bucket comes from ``RECORDING_LAKE_URI``, the rest from the connection."""
    monkeypatch.setenv("RECORDING_LAKE_URI", "s3://bucket/archive")
    monkeypatch.setenv(
        "AIRFLOW_CONN_RECORDING_LAKE",
        '{"conn_type": "aws", "login": "key", "password": "canary", "extra": {"endpoint_url": "http://127.0.0.1:9"}}',
    )
    lake = recording_lake(archive_settings())
    assert "s3://bucket/archive/reports/x" == lake.uri("reports/x")
    assert "canary" not in repr(lake)


def test_missing_lake_is_named(monkeypatch):
    """The one setting without a default."""
    monkeypatch.delenv("RECORDING_LAKE_URI", raising=False)
    with pytest.raises(ConfigurationError, match=r"^RECORDING_LAKE_URI is not set"):
        archive_settings()
