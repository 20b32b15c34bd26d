"""What a stack is started with; every field has a default that suits ``make demo``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date as calendar_date
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from include.sandbox.faults import read_switch
from include.sandbox.scenario import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT_SEED = 7
DEFAULT_CONTRACT = "platform"
DEFAULT_SCENARIO = "ordinary"
DAILY_DAG = "genesys_recordings_daily"
SINGLE_DAG = "genesys_recording_single"
EXPORT_DAG = "genesys_s3_export_ingest"
AUDIT_DAG = "genesys_archive_audit"
LAKE_PREFIX = "archive"


PORT_MAX = 65535
CONVERSATIONS_MAX = 100_000


class NotConfiguredError(Exception):
    """Something that only the caller can give is missing or malformed; the message is one sentence."""


def check_day(name: str, value: str) -> None:
    """Refuse what is no calendar day.

    Raises:
        NotConfiguredError: naming the variable.
    """
    try:
        calendar_date.fromisoformat(value)
    except ValueError:
        raise NotConfiguredError(f"{name} must be a day as YYYY-MM-DD, for example {name}=2026-01-31") from None


def check_zone(name: str, value: str) -> None:
    """Refuse what is no time zone of this machine.

    Raises:
        NotConfiguredError: naming the variable.
    """
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise NotConfiguredError(f"{name} must be an IANA time zone such as Europe/Berlin, not {value!r}") from None


def refuse_future(name: str, options: SandboxOptions) -> None:
    """Refuse a day that is not over: nothing could be archived of it.

    Raises:
        NotConfiguredError: naming the variable.
    """
    if options.day > yesterday(options.timezone):
        raise NotConfiguredError(f"{name} must be a day that is over, not {options.day}")


def check_number(name: str, value: int, least: int, most: int) -> None:
    """Refuse a number out of its range.

    Raises:
        NotConfiguredError: naming the variable.
    """
    if not least <= value <= most:
        raise NotConfiguredError(f"{name} must be {least} to {most}, not {value}")


def yesterday(timezone: str) -> str:
    """Return the last closed local day of a time zone as ``YYYY-MM-DD``."""
    return (datetime.now(ZoneInfo(timezone)) - timedelta(days=1)).date().isoformat()


@dataclass(frozen=True, kw_only=True)
class SandboxOptions:
    """The day the sandbox plays; ``date`` is a local day of ``timezone``, by default yesterday.

    ``fault`` holds the sandbox's fault switches, a space between them.

    Raises:
        NotConfiguredError: when a value is none of its kind; the message names the variable of ``make``.
    """

    date: str = ""
    timezone: str = "UTC"
    conversations: int = 300
    seed: int = DEFAULT_SEED
    contract: str = DEFAULT_CONTRACT
    scenario: str = ""
    fault: str = ""
    job_seconds: float = 2.0

    def __post_init__(self) -> None:
        check_zone("TIMEZONE", self.timezone)
        if self.date:
            check_day("DATE", self.date)
        check_number("CONVERSATIONS", self.conversations, 0, CONVERSATIONS_MAX)
        if self.scenario and self.scenario not in SCENARIOS:
            raise NotConfiguredError(f"SCENARIO must be one of {', '.join(SCENARIOS)}, not {self.scenario!r}")
        for switch in self.faults:
            try:
                read_switch(switch)
            except ValueError as error:
                raise NotConfiguredError(f"FAULT: {error}; python -m include.sandbox --list-faults") from None

    @property
    def faults(self) -> tuple[str, ...]:
        """The sandbox's fault switches, each ``NAME`` or ``NAME:ARG``."""
        return tuple(self.fault.split())

    @property
    def lake_prefix(self) -> str:
        """Key prefix of the archive, one for each kind of demo.

        Each seed plays another organisation, and a prefix holds one organisation only; another contract or scenario on
        a day that is archived already would have nothing left to show.
        """
        kinds = (
            "" if self.contract == DEFAULT_CONTRACT else self.contract,
            "" if self.scenario in ("", DEFAULT_SCENARIO) else self.scenario,
            "" if self.seed == DEFAULT_SEED else f"seed-{self.seed}",
            "-".join(switch.partition(":")[0] for switch in self.faults),
        )
        return "-".join((LAKE_PREFIX, *filter(None, kinds)))

    @property
    def day(self) -> str:
        """The local day the sandbox has recordings of."""
        return self.date or yesterday(self.timezone)


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """Where a stack lives and what it runs.

    ``directory`` holds everything it writes. ``environment`` is added to what Airflow sees and wins over it.
    ``sandbox`` set to None starts no sandbox, and no ``genesys_cloud`` connection exists then. ``ui_port`` 0 is any
    free port.
    """

    directory: Path = PROJECT / ".demo"
    dags_folder: Path = PROJECT / "dags"
    plugins_folder: Path = PROJECT / "plugins"
    pools_file: Path = PROJECT / "deploy" / "pools.json"
    sandbox: SandboxOptions | None = field(default_factory=SandboxOptions)
    environment: Mapping[str, str] = field(default_factory=dict)
    parallelism: int = 4
    ui_port: int = 0

    def __post_init__(self) -> None:
        check_number("PORT", self.ui_port, 0, PORT_MAX)

    @property
    def lake_prefix(self) -> str:
        """Key prefix of the archive within the bucket."""
        return self.sandbox.lake_prefix if self.sandbox else LAKE_PREFIX
