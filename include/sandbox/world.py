"""All the state of one running sandbox, in one place, handed to every route."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING

from include.sandbox.exports import Exports
from include.sandbox.faults import Faults
from include.sandbox.jobs import Jobs
from include.sandbox.journal import Journal
from include.sandbox.limiter import Limiter
from include.sandbox.presign import Presigner
from include.sandbox.queries import Queries
from include.sandbox.tenant import Tenant
from include.sandbox.tokens import Tokens
from include.sandbox.truth import day_truth

if TYPE_CHECKING:
    from datetime import date

    from include.sandbox.config import SandboxConfig
    from include.sandbox.recordings import Part, Recording
    from include.sandbox.truth import DayTruth


MERGED, CHANNEL = "merged", "channel-"
"""Names, on the media port, of a recording that is served whole or channel by channel."""


@dataclass(slots=True)
class World:
    """The organisation and everything around it. The base URLs are known once the ports listen."""

    config: SandboxConfig
    tenant: Tenant = field(init=False)
    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    tokens: Tokens = field(init=False)
    limiter: Limiter = field(init=False)
    presigner: Presigner = field(default_factory=Presigner)
    queries: Queries = field(init=False)
    jobs: Jobs = field(init=False)
    exports: Exports = field(init=False)
    api_base_url: str = ""
    media_base_url: str = ""
    _transcoding: dict[tuple[str, str], float] = field(default_factory=dict)
    _truths: dict[tuple[date, str | None], DayTruth] = field(default_factory=dict)

    def __post_init__(self) -> None:
        config = self.config
        self.tenant = Tenant(config)
        self.tokens = Tokens({config.client_id: config.client_secret, **dict(config.extra_clients)})
        self.limiter = Limiter(config.rate_limit)
        self.queries = Queries(self.tenant)
        self.jobs = Jobs(self.tenant, config.job_seconds)
        self.exports = Exports(self.tenant)
        for text in config.faults:
            self.faults.switch_on(text)

    def part_url(self, recording: Recording, part: Part, output_format: str | None = None) -> str:
        """Return a freshly presigned URL of one part, in its own or another format."""
        return self._url(recording, str(part.index), output_format)

    def merged_url(self, recording: Recording, output_format: str | None = None) -> str:
        """Return a freshly presigned URL of the one file that a single recording is downloaded as."""
        return self._url(recording, MERGED if len(recording.parts) > 1 else "0", output_format)

    def channel_url(self, recording: Recording, channel: int, output_format: str | None = None) -> str:
        """Return a freshly presigned URL of one channel, as a single recording is played back."""
        return self._url(recording, f"{CHANNEL}{channel}", output_format)

    def _url(self, recording: Recording, piece: str, output_format: str | None) -> str:
        form = output_format or "original"
        return self.sign(f"/recordings-{self.config.org_id}/{recording.conversation_id}/{recording.id}/{piece}/{form}")

    def sign(self, path: str) -> str:
        """Return the presigned URL of a path on the media port."""
        return f"{self.media_base_url}{path}?{self.presigner.query(path, self.config.url_ttl_seconds)}"

    def transcoded(self, recording_id: str, output_format: str) -> bool:
        """Whether a rendering is finished; the first question starts it, and is always too early."""
        key = (recording_id, output_format)
        if key not in self._transcoding:
            self._transcoding[key] = monotonic() + min(self.config.job_seconds, 1.0)
            return False
        return monotonic() >= self._transcoding[key]

    def truth(self, day: date, output_format: str | None = None) -> DayTruth:
        """Return what an honest archive of that local date must hold, as things stand now."""
        if any(profile.startswith("late") for profile in self.config.mix.weights):
            return day_truth(self.tenant, day, output_format)
        key = (day, output_format)
        if key not in self._truths:
            self._truths[key] = day_truth(self.tenant, day, output_format)
        return self._truths[key]
