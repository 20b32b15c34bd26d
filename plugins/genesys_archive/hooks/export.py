"""The bucket of the native export, through ``recording_export`` where there is such a connection, else the lake's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from genesys_archive.defaults import EXPORT_CONN_ID, LAKE_CONN_ID
from genesys_archive.hooks.lake import s3_client
from include.lake.export_bucket import ExportBucket

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from include.lake.bucket import S3Client
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
