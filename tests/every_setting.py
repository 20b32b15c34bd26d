"""The classes that settings stand in, for the tests that ask something of each of them."""

from __future__ import annotations

from include.audit.notice import NoticeSettings
from include.audit.signature import JournalSigning
from include.lake.protection import Protection
from include.settings import ArchiveSettings
from include.transfer.derivative_settings import DerivativeSettings
from include.transfer.export_settings import ExportSettings
from include.transfer.webhook_settings import WebhookSettings

KINDS = (
    ArchiveSettings,
    Protection,
    JournalSigning,
    DerivativeSettings,
    ExportSettings,
    WebhookSettings,
    NoticeSettings,
)
OWN_NAMES = {"url": "RECORDING_WEBHOOK_URL", "lake": "RECORDING_LAKE_URI", "timezone": "GENESYS_TIMEZONE"}
"""Fields whose variable does not start as all others do."""
