"""The ``recording_lake`` connection as a store, with every way of signing in that the amazon provider knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from genesys_archive.defaults import LAKE_CONN_ID, lake_protection, retention_rules
from include.lake.store import LakeStore, S3Client, Writing, client_config

if TYPE_CHECKING:
    from include.settings import ArchiveSettings


def recording_lake(settings: ArchiveSettings, lake_conn_id: str = LAKE_CONN_ID) -> LakeStore:
    """Return the lake of the settings through the Airflow connection.

    A new hook reads the connection again: credentials that were changed or have expired are found without a restart.
    """

    def client() -> S3Client:
        return cast("S3Client", S3Hook(aws_conn_id=lake_conn_id, config=client_config()).get_conn())

    writing = Writing(
        protection=lake_protection(),
        retention=retention_rules(),
        multipart_bytes=settings.multipart_bytes,
        part_bytes=settings.chunk_bytes,
        concurrent_parts=settings.concurrent_parts,
        stale_upload_seconds=settings.stale_upload_seconds,
    )
    return LakeStore(client(), settings.lake, writing, renew=client)
