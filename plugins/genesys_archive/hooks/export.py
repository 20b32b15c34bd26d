"""The native export's bucket and queue, through ``recording_export`` where there is such a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from airflow.providers.amazon.aws.hooks.sqs import SqsHook
from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from genesys_archive.defaults import EXPORT_CONN_ID, EXPORT_DELETE_CONN_ID, LAKE_CONN_ID
from genesys_archive.hooks.lake import s3_client
from include.errors import ConfigurationError
from include.lake.event_queue import EventQueue, queue_config, region_of
from include.lake.export_bucket import ExportBucket

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from include.lake.bucket import S3Client
    from include.lake.event_queue import SqsClient
    from include.transfer.export_settings import ExportSettings


def export_bucket(settings: ExportSettings, connection: Connection | None = None) -> ExportBucket:
    """Return the export's bucket; ``connection`` is one that was looked up before.

    Raises:
        ConfigurationError: when the settings name no bucket.
    """
    known = connection or _export_connection()
    conn_id = known.conn_id if known else LAKE_CONN_ID

    def client() -> S3Client:
        return s3_client(conn_id, connection)

    return ExportBucket(client(), settings.location, renew=client)


def export_bucket_to_delete_from(settings: ExportSettings) -> ExportBucket:
    """Return the export's bucket through a connection of its own: who ingests need not be able to delete.

    Raises:
        ConfigurationError: when there is no such connection, or the settings name no bucket.
    """
    try:
        connection = BaseHook.get_connection(EXPORT_DELETE_CONN_ID)
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"There is no connection {EXPORT_DELETE_CONN_ID}: nothing is deleted from the export without one. See "
            "docs/connect.md, Deleting what is archived."
        ) from None
    return export_bucket(settings, connection)


def event_queue(settings: ExportSettings, connection: Connection | None = None) -> EventQueue | None:
    """Return the queue with the export's notifications, ``None`` where there is none; ``connection`` as above.

    It is reached through the connection of the export; an endpoint of its own is ``service_config.sqs`` there.
    """
    url = settings.export_queue_url
    if not url:
        return None
    known = connection or _export_connection()
    facts: dict[str, Any] = {"region_name": region_of(url), "config": queue_config()}
    if connection:
        hook: SqsHook = _KnownSqsHook(connection, **facts)
    else:
        hook = SqsHook(aws_conn_id=known.conn_id if known else LAKE_CONN_ID, **facts)
    return EventQueue(cast("SqsClient", hook.get_conn()), url)


class _KnownSqsHook(SqsHook):
    """Uses a connection that was looked up before, as ``KnownS3Hook`` does and for its reason."""

    def __init__(self, connection: Connection, **kwargs: Any) -> None:
        super().__init__(aws_conn_id=connection.conn_id, **kwargs)
        self._known = connection

    def get_connection(self, conn_id: str) -> Connection:  # type: ignore[override]  # noqa: ARG002 - Airflow's signature
        """Return the one that is known."""
        return self._known


async def connections_async() -> tuple[Connection, Connection]:
    """Return the connections of the lake and of the export, for triggers."""
    lake = await BaseHook.aget_connection(LAKE_CONN_ID)
    try:
        return lake, await BaseHook.aget_connection(EXPORT_CONN_ID)
    except AirflowNotFoundException:
        return lake, lake


def _export_connection() -> Connection | None:
    try:
        return BaseHook.get_connection(EXPORT_CONN_ID)
    except AirflowNotFoundException:
        return None
