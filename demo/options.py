"""What a stack is started with; every field has a default that suits ``make demo``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

PROJECT = Path(__file__).resolve().parent.parent
DEFAULT_SEED = 7
DEFAULT_CONTRACT = "platform"
DEFAULT_SCENARIO = "ordinary"
DAILY_DAG = "genesys_recordings_daily"
LAKE_PREFIX = "archive"


def yesterday(timezone: str) -> str:
    """Return the last closed local day of a time zone as ``YYYY-MM-DD``."""
    return (datetime.now(ZoneInfo(timezone)) - timedelta(days=1)).date().isoformat()


@dataclass(frozen=True, kw_only=True)
class SandboxOptions:
    """The day the sandbox plays; ``date`` is a local day of ``timezone``, by default yesterday."""

    date: str = ""
    timezone: str = "UTC"
    conversations: int = 300
    seed: int = DEFAULT_SEED
    contract: str = DEFAULT_CONTRACT
    scenario: str = ""
    job_seconds: float = 2.0

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

    @property
    def lake_prefix(self) -> str:
        """Key prefix of the archive within the bucket."""
        return self.sandbox.lake_prefix if self.sandbox else LAKE_PREFIX
