"""The ``recording_lake`` connection as a store, with every way of signing in that the amazon provider knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from genesys_archive.defaults import LAKE_CONN_ID, lake_protection, retention_rules
from include.lake.store import LakeStore, S3Client, Writing, client_config

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from include.settings import ArchiveSettings


class KnownS3Hook(S3Hook):
    """Uses a connection that was looked up before: a trigger must not look it up in its thread, Airflow would block."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(aws_conn_id=connection.conn_id, config=client_config())
        self._known = connection

    def get_connection(self, conn_id: str) -> Connection:  # type: ignore[override]  # noqa: ARG002 - Airflow's signature
        """Return the one that is known."""
        return self._known


def s3_client(conn_id: str, connection: Connection | None = None) -> S3Client:
    """Return a client for an Airflow connection, looked up now unless it is handed in."""
    hook = KnownS3Hook(connection) if connection else S3Hook(aws_conn_id=conn_id, config=client_config())
    return cast("S3Client", hook.get_conn())


def recording_lake(
    settings: ArchiveSettings, lake_conn_id: str = LAKE_CONN_ID, *, connection: Connection | None = None
) -> LakeStore:
    """Return the lake of the settings through the Airflow connection.

    A new hook reads the connection again: credentials that were changed or have expired are found without a restart.
    """

    def client() -> S3Client:
        return s3_client(lake_conn_id, connection)

    writing = Writing(
        protection=lake_protection(),
        retention=retention_rules(),
        multipart_bytes=settings.multipart_bytes,
        part_bytes=settings.chunk_bytes,
        concurrent_parts=settings.concurrent_parts,
        stale_upload_seconds=settings.stale_upload_seconds,
    )
    return LakeStore(client(), settings.lake, writing, renew=client)
