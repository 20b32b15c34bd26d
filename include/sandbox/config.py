"""How a sandbox is set up: frozen, every field with a default, so that a test says only what it is about."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from include.sandbox.dice import uuid_for
from include.sandbox.scenario import SCENARIOS, Scenario

CONTRACTS = ("platform", "guide")


def yesterday(timezone: str) -> date:
    """Return the local date before today."""
    return (datetime.now(UTC).astimezone(ZoneInfo(timezone)) - timedelta(days=1)).date()


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """One sandbox: what happened, which contract it speaks, how it behaves.

    ``conversations`` is per local date. ``dates`` empty means yesterday. ``job_seconds`` is the mean ripening time of
    a job; 0 completes every job at its first poll, without the in-between phases. ``late_after_submissions`` is how
    many batch submissions naming a late conversation are answered "not yet". ``public_host`` stands in the URLs that
    the sandbox hands out, where callers know it by another name than ``host``, which it binds; empty means ``host``.

    Raises:
        ValueError: when a scenario or contract is unknown or a number is out of range.
    """

    dates: tuple[date, ...] = ()
    timezone: str = "UTC"
    conversations: int = 300
    seed: int = 7
    contract: str = "platform"
    scenario: str = "ordinary"
    faults: tuple[str, ...] = ()
    client_id: str = "sandbox-client"
    client_secret: str = field(default="sandbox-secret", repr=False)
    extra_clients: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    token_seconds: float | None = None
    url_ttl_seconds: int = 3600
    job_seconds: float = 3.0
    rate_limit: int = 300
    audio_seconds: tuple[int, int] | None = None
    late_after_submissions: int = 1
    host: str = "127.0.0.1"
    public_host: str = ""
    port: int = 0
    media_port: int = 0

    def __post_init__(self) -> None:
        if self.scenario not in SCENARIOS:
            raise ValueError(f"unknown scenario {self.scenario!r}; there are: {', '.join(SCENARIOS)}")
        if self.contract not in CONTRACTS:
            raise ValueError(f"contract must be one of {CONTRACTS}, not {self.contract!r}")
        if self.conversations < 0 or self.job_seconds < 0 or self.rate_limit < 1:
            raise ValueError("conversations and job_seconds must be 0 or more, rate_limit 1 or more")
        if self.audio_seconds and not 1 <= self.audio_seconds[0] <= self.audio_seconds[1]:
            raise ValueError("audio_seconds must be MIN..MAX with 1 <= MIN <= MAX")
        try:
            ZoneInfo(self.timezone)
        except ZoneInfoNotFoundError:
            raise ValueError(f"{self.timezone!r} is not an IANA time zone") from None
        if not self.dates:
            object.__setattr__(self, "dates", (yesterday(self.timezone),))

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's time zone."""
        return ZoneInfo(self.timezone)

    @property
    def mix(self) -> Scenario:
        """The scenario itself."""
        return SCENARIOS[self.scenario]

    @property
    def org_id(self) -> str:
        """The organisation's id: a function of the seed."""
        return uuid_for(self.seed, "organisation")

    @property
    def seconds_of_audio(self) -> tuple[int, int]:
        """Shortest and longest recording."""
        return self.audio_seconds or self.mix.audio_seconds or (4, 40)

    @property
    def token_lifetime_seconds(self) -> float:
        """86,400 by default as published; 1,800 under the guides, which say so."""
        return self.token_seconds or (1800.0 if self.contract == "guide" else 86_400.0)
