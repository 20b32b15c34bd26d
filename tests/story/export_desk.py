"""An export and its ingest as a test runs them: the sandbox writes, the archive reads, one call each."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from include.audit.finding import Finding, FindingKind
from include.lake.commit import read_head
from include.lake.export_bucket import ExportBucket
from include.lake.layout import commit_prefix
from include.sandbox.config import SandboxConfig
from include.sandbox.native_export import NativeExport
from include.sandbox.tenant import Tenant
from include.settings import ArchiveSettings, LakeLocation
from include.transfer.day_state import present_state
from include.transfer.download import MediaDownloader
from include.transfer.export_ingest import ExportPorts, find_news, ingest_day
from include.transfer.export_listing import Window
from include.transfer.export_sealed import Unsealer
from include.transfer.export_settings import ExportSettings
from include.transfer.verify import Scope, verify_lake
from tests.story.night import DAY, ZONE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from include.audit.reconcile import DayState
    from include.lake.store import LakeStore

NOW = datetime(2030, 1, 1, tzinfo=UTC)
WINDOW = Window.of_local_days(DAY.date, DAY.date)


@dataclass
class ExportDesk:
    """One export bucket and one lake."""

    ports: ExportPorts
    written: NativeExport
    client: object

    def write(self, wave: str = "all") -> int:
        """Let the integration write."""
        location = self.ports.export.location
        return self.written.write(self.client, location.bucket, location.prefix, wave)

    def ingest(self, now: datetime = NOW) -> Counter:
        """Ingest what is new; return the counts of all days, and what waits."""
        news = find_news(self.ports, WINDOW, now)
        counts = Counter(waiting=news.waiting)
        for day, recordings in news.days.items():
            counts.update(ingest_day(self.ports, day, recordings, now).seen)
        return +counts

    def state(self) -> DayState:
        """Return the day as it is committed."""
        lake = self.ports.lake
        return present_state(lake, read_head(lake, self.ports.org, DAY))

    def findings(self, *, deep: bool = False) -> list[Finding]:
        """Verify the whole lake, and take it for granted that nobody asked what calls the day had."""
        found = verify_lake(self.ports.lake, Scope(org=self.ports.org, deep=deep, whole=True)).findings
        unasked = [item for item in found if (item.kind, item.key) == (FindingKind.GAP, commit_prefix(str(DAY)))]
        assert 1 == len(unasked)
        return [item for item in found if item not in unasked]

    def objects(self) -> list[tuple[str, object]]:
        """Return everything in the lake with the moment at which it was written."""
        return list(self.ports.lake.stored_times(""))


@contextmanager
def export_desk(
    lake: LakeStore, client: object, state_dir: Path, config: SandboxConfig | None = None, **export_settings: object
) -> Iterator[ExportDesk]:
    """Lay out a desk with an empty export in the lake's own bucket."""
    config = config or config_of()
    location = LakeLocation(lake.location.bucket, f"exports/{uuid4().hex}")
    settings = ArchiveSettings(lake=lake.location, timezone=ZONE, state_dir=state_dir)
    given = ExportSettings(export_uri=location.uri, **{"export_patience_seconds": 0.0, **export_settings})
    with MediaDownloader(settings, ("127.0.0.1",)) as downloader:
        ports = ExportPorts(
            ExportBucket(client, location), lake, downloader, settings, given, Unsealer(given), config.org_id
        )
        yield ExportDesk(ports, NativeExport(Tenant(config), (DAY.date,)), client)


def config_of(**options: object) -> SandboxConfig:
    """Return a clean day of short recordings."""
    given = {"conversations": 24, "audio_seconds": (1, 2), "scenario": "clean", **options}
    return SandboxConfig(dates=(DAY.date,), timezone=ZONE.key, **given)
