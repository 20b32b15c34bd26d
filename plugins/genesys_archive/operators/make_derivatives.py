"""make_derivatives: wav, mp3 or mono beside the originals of one slice of a day."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from airflow.sdk import BaseOperator

from genesys_archive.defaults import GENESYS_CONN_ID, archive_settings, derivative_settings
from genesys_archive.hooks.genesys import GenesysHook
from genesys_archive.hooks.lake import recording_lake
from genesys_archive.lineage import NamesDatasets, in_lake
from genesys_archive.triggers.batch_jobs import BatchJobsTrigger
from include.lake.layout import derived_day_prefix, media_day_prefix
from include.transfer.derivative_settings import FROM_GENESYS
from include.transfer.derivative_slices import Slice
from include.transfer.derive_day import DerivativeDesk, derive_slice, derive_wishes, open_wishes
from include.transfer.download import MediaDownloader
from include.transfer.rendition import Rendition
from include.transfer.source_renditions import request_renditions, take_renditions
from include.transfer.submit import SubmittedShard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from airflow.sdk import Context

    from include.transfer.derivative_document import Derived
    from include.transfer.derive_day import DayDerived
    from include.transfer.source_renditions import Wish
    from include.transfer.submit import JobMemory

ASKED_KEY = "asked"
"""Where the jobs are remembered while the task is deferred."""


def derivative_desk(output_format: str, channels: str) -> DerivativeDesk:
    """Return the desk of this worker for what a run asks for.

    Raises:
        ConfigurationError: when a parameter, a setting or a connection is wrong.
    """
    settings = archive_settings()
    org = GenesysHook().genesys_connection().org_id
    run = Rendition(output_format, channels)
    return DerivativeDesk(recording_lake(settings), settings, derivative_settings(), org, run)


class MakeDerivativesOperator(NamesDatasets, BaseOperator):
    """Makes what is not in the lake yet: asks Genesys where the contract can be asked, else transcodes here.

    Holds no worker while Genesys renders. Safe to clear. Sound that cannot be decoded is reported, and the task green.
    """

    template_fields: Sequence[str] = ("part", "output_format", "channels")
    ui_color = "#fff4e0"

    def __init__(self, *, part: Any, output_format: str, channels: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.part = part
        self.output_format = output_format
        self.channels = channels

    def execute(self, context: Context) -> dict[str, object]:
        """Ask Genesys and defer until it is done; make everything at once where there is nothing to ask."""
        desk, part = self._begun()
        opened = open_wishes(desk, part)
        asked = self._asked(desk, opened[0], context)
        if asked:
            self._wait(context, desk, asked)
        return self._told(derive_wishes(desk, part.date, opened))

    def _wait(self, context: Context, desk: DerivativeDesk, asked: Sequence[SubmittedShard]) -> None:
        stored: dict[str, object] = {"shards": [shard.to_json() for shard in asked]}
        cast("JobMemory", context["task_state_store"]).set(ASKED_KEY, stored)
        self.defer(
            trigger=BatchJobsTrigger(
                genesys_conn_id=GENESYS_CONN_ID,
                job_ids=[job.job_id for shard in asked for job in shard.jobs],
                poll_seconds=desk.settings.poll_seconds,
                deadline=time.time() + desk.settings.job_deadline_seconds,
            ),
            method_name="resume",
            kwargs={"asked": stored},
        )

    def resume(self, context: Context, event: dict[str, Any], asked: dict[str, Any] | None = None) -> dict[str, object]:
        """Take what is rendered by now and make the rest; what Genesys owes at the deadline is made here too."""
        desk, part = self._begun()
        if event.get("error"):
            self.log.warning("Genesys says no more of its renditions: %s", event["error"])
            return self._told(derive_slice(desk, part))
        # `airflow dags test` drops the arguments of a deferral, and hands over the event alone.
        known = asked or cast("dict[str, Any]", cast("JobMemory", context["task_state_store"]).get(ASKED_KEY))
        shards = tuple(SubmittedShard.from_json(item) for item in known["shards"])
        return self._told(derive_slice(desk, part, partial(_taken, desk, shards)))

    def _begun(self) -> tuple[DerivativeDesk, Slice]:
        desk, part = derivative_desk(self.output_format, self.channels), Slice.from_json(self.part)
        self.reads = (in_lake(desk.lake, media_day_prefix(desk.org, part.date)),)
        self.writes = (in_lake(desk.lake, derived_day_prefix(desk.org, part.date)),)
        return desk, part

    def _asked(self, desk: DerivativeDesk, wishes: Sequence[Wish], context: Context) -> tuple[SubmittedShard, ...]:
        hook = GenesysHook()
        contract = hook.genesys_connection().contract
        if desk.wishes.renditions_from != FROM_GENESYS or not desk.can_be_asked(contract):
            return ()
        with hook.client(desk.settings) as source:
            return request_renditions(
                source,
                contract,
                wishes,
                cast("JobMemory", context["task_state_store"]),
                batch_items=desk.settings.batch_items,
                now=datetime.now(UTC),
            )

    def _told(self, derived: DayDerived) -> dict[str, object]:
        self.log.info("%s", derived.sentence())
        return derived.to_json()


def _taken(desk: DerivativeDesk, asked: Sequence[SubmittedShard], wishes: Sequence[Wish]) -> Mapping[Wish, Derived]:
    hook = GenesysHook()
    connection = hook.genesys_connection()
    with (
        hook.client(desk.settings) as source,
        MediaDownloader(
            desk.settings, connection.media_hosts, private_media_hosts=connection.private_media_hosts
        ) as downloader,
    ):
        return take_renditions(source, desk.lake, downloader, desk.settings, wishes, asked)
