"""Which program wrote a document, and by which table of time zones it knew the day's bounds."""

from __future__ import annotations

import importlib
import zoneinfo
from pathlib import Path

TOOL_NAME = "genesys-recording-archive"
TOOL_VERSION = "0.1.0"
_NAMED_IN = "tzdata.zi"
"""The compiled zones carry no version; the text beside them does, in its first line: ``# version 2025b``."""
UNKNOWN = "unknown"


def tool() -> dict[str, str]:
    """Return name and version as they stand in documents."""
    return {"name": TOOL_NAME, "version": TOOL_VERSION}


def tzdata_version(zone_key: str) -> str:
    """Return the release of the tz database that this zone was read from, such as ``2025b``.

    ``zoneinfo`` takes the machine's files and, where those lack the zone, the package ``tzdata`` (PEP 615). A machine
    that does not say which release it has gives ``unknown``.
    """
    for folder in zoneinfo.TZPATH:
        if (Path(folder) / zone_key).is_file():
            return _release_of(Path(folder))
    try:
        return str(importlib.import_module("tzdata").IANA_VERSION)
    except (ImportError, AttributeError):
        return UNKNOWN


def _release_of(folder: Path) -> str:
    try:
        with (folder / _NAMED_IN).open(encoding="utf-8") as lines:
            return lines.readline().removeprefix("# version ").strip() or UNKNOWN
    except (OSError, UnicodeDecodeError):
        return UNKNOWN
