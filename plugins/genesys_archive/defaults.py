"""What all DAGs of the archive share: names, limits, and the one place that reads the environment."""

from __future__ import annotations

import os
from typing import Any

import pendulum
from airflow.sdk import Asset, AssetAlias

from genesys_archive.retry_policy import ARCHIVE_RETRY_POLICY, MAX_RETRY_DELAY, RETRY_DELAY
from include.audit.signature import JournalKey, JournalSigning
from include.lake.protection import Protection
from include.lake.retention import RetentionRules
from include.settings import ArchiveSettings, zone_named
from include.transfer.derivative_settings import DerivativeSettings
from include.transfer.export_settings import ExportSettings
from include.transfer.webhook_settings import WebhookSettings

DAILY_DAG_ID = "genesys_recordings_daily"
GENESYS_CONN_ID = "genesys_cloud"
LAKE_CONN_ID = "recording_lake"
EXPORT_CONN_ID = "recording_export"
EXPORT_DELETE_CONN_ID = "recording_export_delete"

API_POOL = "genesys_api"
"""Tasks that talk to the Genesys API; its slots are in ``deploy/pools.json``."""
DOWNLOAD_POOL = "recording_download"
"""Tasks that move recordings; its slots are in ``deploy/pools.json``."""

START_DATE = pendulum.datetime(2020, 1, 1, tz="UTC")
"""Far in the past on purpose: Airflow ends a manual run that lies before it as a success without a single task."""

RECORDINGS_ASSET = Asset(name="genesys_recordings", uri="x-recording-lake://recordings")
"""Updated once for every run whose days are complete; the event carries their counts."""

EXPORT_ALIAS = AssetAlias(name="genesys_recordings_by_export")
"""Stands for ``RECORDINGS_ASSET`` where a run may also have nothing to announce: an alias is updated on request."""

AUDITED_ASSET = Asset(name="genesys_recordings_audited", uri="x-recording-lake://audited")
"""Updated once for every audit whose days are complete, those too that the night had left red."""

CATALOG_ASSET = Asset(name="genesys_recording_catalog", uri="x-recording-lake://catalog")
"""Updated once for every run whose days are in the catalog, complete or not: what a query may wait for."""

OWNER = "contact-centre-data"
TAGS = ["genesys", "recordings"]

DEFAULT_ARGS: dict[str, Any] = {
    "owner": OWNER,
    "retries": 3,
    "retry_delay": RETRY_DELAY,
    "retry_exponential_backoff": True,
    "max_retry_delay": MAX_RETRY_DELAY,
    "retry_policy": ARCHIVE_RETRY_POLICY,
    # Archive early shards while later ones still wait: breadth first would leave the bucket empty for an hour.
    "weight_rule": "upstream",
}


def timezone_name() -> str:
    """Return the organisation's time zone for the schedule.

    Raises:
        ConfigurationError: when no such zone is known; the DAG then shows this sentence as its import error.
    """
    return zone_named(os.environ.get("GENESYS_TIMEZONE") or "UTC").key


def archive_settings() -> ArchiveSettings:
    """Return the settings of this worker.

    Raises:
        ConfigurationError: when a variable is missing or wrong; the message names it.
    """
    return ArchiveSettings.from_environment(os.environ)


def derivative_settings() -> DerivativeSettings:
    """Return what recordings are also wanted as, and what making it may cost on this worker.

    Raises:
        ConfigurationError: when a variable is wrong; the message names it.
    """
    return DerivativeSettings.from_environment(os.environ)


def webhook_settings() -> WebhookSettings:
    """Return who is told of what was archived, and how it is signed.

    Raises:
        ConfigurationError: when a variable is wrong; the message names it and no secret.
    """
    return WebhookSettings.from_environment(os.environ)


def export_settings() -> ExportSettings:
    """Return where the native integration writes to, and how it is read.

    Raises:
        ConfigurationError: when a variable is wrong; the message names it.
    """
    return ExportSettings.from_environment(os.environ)


def lake_protection() -> Protection:
    """Return how this worker's objects are locked, encrypted and classed.

    Raises:
        ConfigurationError: when a variable is wrong, or two contradict each other; the message names it.
    """
    return Protection.from_environment(os.environ)


def retention_rules() -> RetentionRules:
    """Return what is kept how long for some queues or divisions.

    Raises:
        ConfigurationError: when a rule is none; the message names it.
    """
    return RetentionRules.from_environment(os.environ)


def journal_key() -> JournalKey | None:
    """Return what this worker signs commits with, ``None`` where it does not.

    Raises:
        ConfigurationError: when the key cannot be read or is none; nothing of it is told.
    """
    return JournalSigning.from_environment(os.environ).key()
