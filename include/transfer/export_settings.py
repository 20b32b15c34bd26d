"""Where the native integration writes to and how it is read: frozen, checked when built."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from include.environment import check_numbers, read_settings, variable_of
from include.errors import ConfigurationError
from include.settings import LakeLocation

if TYPE_CHECKING:
    from collections.abc import Mapping

URI = variable_of("export_uri")


def _is_queue(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"https", "http"} and bool(parts.hostname) and parts.path.count("/") > 1


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """Read from ``RECORDING_ARCHIVE_<FIELD>``; without ``export_uri`` there is no export.

    ``export_patience_seconds`` is how long a recording waits for its metadata, or metadata for their recording, from
    the moment at which the bucket took them. ``export_queue_url`` is an SQS queue with the notifications of the
    export's bucket; without one a waiting run lists again and again. ``export_delete_archived`` opens the gate of
    ``export_delete.py``, for objects that the bucket took that many days ago.

    Raises:
        ConfigurationError: when a value is none of its kind; the message names it.
    """

    export_uri: str = ""
    export_window_days: int = 35
    export_patience_seconds: float = 24 * 3600.0
    export_wait_seconds: float = 1800.0
    export_poll_seconds: float = 120.0
    export_queue_url: str = ""
    export_delete_archived: bool = False
    export_delete_after_days: float = 7.0
    export_pgp_key_file: str = ""
    export_pgp_password: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        check_numbers(self, may_be_zero={item.name for item in fields(self)})
        if self.export_uri:
            _ = self.location
        if self.export_queue_url and not _is_queue(self.export_queue_url):
            raise ConfigurationError(f"{variable_of('export_queue_url')} must be the URL of an SQS queue, as https://…")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> ExportSettings:
        """Build from environment variables.

        Raises:
            ConfigurationError: when a value cannot be read; the message names the variable.
        """
        return read_settings(cls, environment)

    @property
    def location(self) -> LakeLocation:
        """Bucket and prefix of the export.

        Raises:
            ConfigurationError: when there is none, or it is no S3 address.
        """
        if not self.export_uri:
            raise ConfigurationError(f"{URI} is not set: it names what the native integration writes to, as s3://…")
        try:
            return LakeLocation.parse(self.export_uri)
        except ConfigurationError as error:
            raise ConfigurationError(str(error).replace("RECORDING_LAKE_URI", URI)) from None
