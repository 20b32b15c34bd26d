"""The ``recording_lake`` connection as a store, with every way of signing in that the amazon provider knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from genesys_archive.defaults import LAKE_CONN_ID
from include.lake.store import LakeStore, S3Client, client_config

if TYPE_CHECKING:
    from include.settings import ArchiveSettings


def recording_lake(settings: ArchiveSettings, lake_conn_id: str = LAKE_CONN_ID) -> LakeStore:
    """Return the lake of the settings through the Airflow connection."""
    client = S3Hook(aws_conn_id=lake_conn_id, config=client_config()).get_conn()
    return LakeStore(cast("S3Client", client), settings.lake)
