"""Every setting of the archive: frozen, checked when built, units in the names.

Built once at the edge (``from_environment``) and handed in; nothing reads the environment at import, and nothing
below this module reads it at all. Connections are not settings: see ``include/genesys/connection.py``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import gettempdir
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from include.environment import check_numbers, read_settings
from include.errors import ConfigurationError
from include.pii import PiiPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{2,254}\Z")
"""Amazon S3, bucket naming rules, old buckets of us-east-1 included."""

BATCH_ITEMS_LIMIT = 100
"""Items one batch request may hold (error ``batch.download.too.many.items`` above it; Genesys OpenAPI)."""


@dataclass(frozen=True, slots=True)
class LakeLocation:
    """Bucket and key prefix of the data lake; the prefix is empty or ends without a slash."""

    bucket: str
    prefix: str = ""

    @classmethod
    def parse(cls, uri: str) -> LakeLocation:
        """Read ``s3://bucket/prefix``.

        Raises:
            ConfigurationError: when it is not an S3 URI with a bucket.
        """
        try:
            parts = urlsplit(uri)
        except ValueError:
            parts = urlsplit("")
        if parts.scheme != "s3" or not _BUCKET.match(parts.netloc) or parts.query or parts.fragment:
            # Airflow's own s3:// connections carry a key pair in front of an @, which must not reach a log.
            shown = re.sub(r"//.*@", "//***@", uri)
            raise ConfigurationError(f"RECORDING_LAKE_URI must look like s3://bucket/prefix, not {shown!r}")
        return cls(bucket=parts.netloc, prefix=parts.path.strip("/"))

    @property
    def uri(self) -> str:
        """The location as ``s3://bucket/prefix``."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


@dataclass(frozen=True, slots=True)
class ArchiveSettings:
    """How the archive works; every field but the lake has a default.

    ``RECORDING_LAKE_URI`` and ``GENESYS_TIMEZONE`` set the first two, ``PiiPolicy`` reads its own variables; every
    other field ``x`` is read from ``RECORDING_ARCHIVE_X``. ``telephone_region`` is the country in which numbers without
    ``+`` are dialled, ``ZZ`` for none.

    Raises:
        ConfigurationError: when a value is not of its kind or out of its range; the message names the variable.
    """

    lake: LakeLocation
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    batch_items: int = BATCH_ITEMS_LIMIT
    shards_max: int = 250
    poll_seconds: float = 10.0
    poll_jitter_fraction: float = 0.2
    stable_polls: int = 3
    job_deadline_seconds: float = 7200.0
    connect_timeout_seconds: float = 10.0
    read_timeout_seconds: float = 30.0
    api_deadline_seconds: float = 300.0
    retry_after_cap_seconds: float = 300.0
    minimum_bytes_per_second: int = 16 * 1024
    throughput_grace_seconds: float = 20.0
    chunk_bytes: int = 10 * 1024 * 1024
    memory_bytes: int = 16 * 1024 * 1024
    connections_per_object: int = 4
    parallel_ranges_from_bytes: int = 64 * 1024 * 1024
    recording_bytes_max: int = 5 * 1024**3
    multipart_bytes: int = 64 * 1024 * 1024
    concurrent_parts: int = 4
    stale_upload_seconds: float = 24 * 3600.0
    concurrent_downloads: int = 3
    connections_per_host: int = 12
    day_bytes_max: int = 1024**5
    disk_free_bytes_min: int = 1024**3
    download_attempts: int = 4
    estimated_bytes_per_second: int = 4 * 1024
    days_max: int = 31
    analytics_jobs_from: int = 50_000
    telephone_region: str = "ZZ"
    resubmit_deadline_seconds: float = 900.0
    audit_lookups_max: int = 10_000
    late_window_days: int = 30
    baseline_weeks: int = 4
    baseline_weeks_min: int = 3
    baseline_conversations_min: int = 20
    baseline_share_min: float = 0.1
    state_dir: Path = field(default_factory=lambda: Path(gettempdir()) / "recording-archive")
    pii: PiiPolicy = field(default_factory=PiiPolicy)

    def __post_init__(self) -> None:
        if not 1 <= self.batch_items <= BATCH_ITEMS_LIMIT:
            raise ConfigurationError(
                f"RECORDING_ARCHIVE_BATCH_ITEMS must be 1 to {BATCH_ITEMS_LIMIT}, not {self.batch_items}"
            )
        if not 0 <= self.poll_jitter_fraction < 1:
            raise ConfigurationError("RECORDING_ARCHIVE_POLL_JITTER_FRACTION must be 0 or more and below 1")
        check_numbers(self, may_be_zero={"poll_jitter_fraction"})

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> ArchiveSettings:
        """Build from environment variables.

        Raises:
            ConfigurationError: when the lake is not set, or a value cannot be read; the message names the variable.
        """
        if not environment.get("RECORDING_LAKE_URI"):
            raise ConfigurationError("RECORDING_LAKE_URI is not set: it names the bucket, as s3://bucket/prefix")
        return read_settings(
            cls,
            environment,
            lake=LakeLocation.parse(environment["RECORDING_LAKE_URI"]),
            timezone=zone_named(environment.get("GENESYS_TIMEZONE") or "UTC"),
            pii=PiiPolicy.from_environment(environment),
        )


def zone_named(name: str) -> ZoneInfo:
    """Return the IANA time zone.

    Raises:
        ConfigurationError: when no such zone is known on this machine.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigurationError(f"GENESYS_TIMEZONE {name!r} is not an IANA time zone") from error
