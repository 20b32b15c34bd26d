"""The ``genesys_cloud`` connection as a client of either contract."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException

from genesys_archive.defaults import GENESYS_CONN_ID
from genesys_archive.metrics import AirflowMetrics
from include.audit.metrics import measure_calls
from include.errors import ConfigurationError
from include.genesys.client import GenesysClient
from include.genesys.connection import GenesysConnection

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airflow.sdk import Connection

    from include.settings import ArchiveSettings


class GenesysHook(BaseHook):
    """Reads an Airflow connection of type ``http``; the fields are described in ``include/genesys/connection.py``."""

    def __init__(self, genesys_conn_id: str = GENESYS_CONN_ID) -> None:
        super().__init__()
        self.genesys_conn_id = genesys_conn_id

    def genesys_connection(self) -> GenesysConnection:
        """Return the connection, checked.

        Raises:
            ConfigurationError: when it does not exist or a field is missing; the message names it.
        """
        try:
            return _checked(self.get_connection(self.genesys_conn_id))
        except AirflowNotFoundException as error:
            raise self._absent() from error

    async def genesys_connection_async(self) -> GenesysConnection:
        """Return the connection, for triggers: the synchronous lookup would block the triggerer's event loop.

        Raises:
            ConfigurationError: as ``genesys_connection``.
        """
        try:
            return _checked(await self.aget_connection(self.genesys_conn_id))
        except AirflowNotFoundException as error:
            raise self._absent() from error

    @contextmanager
    def client(self, settings: ArchiveSettings, *, names_may_wait: bool = False) -> Iterator[GenesysClient]:
        """Open a client, and report what it asked of the API when it is done. Raises as ``genesys_connection``."""
        with GenesysClient(self.genesys_connection(), settings, names_may_wait=names_may_wait) as client:
            try:
                yield client
            finally:
                measure_calls(AirflowMetrics(), client.counts)

    def _absent(self) -> ConfigurationError:
        variable = f"AIRFLOW_CONN_{self.genesys_conn_id.upper()}"
        # Airflow goes on to its database where a variable is no connection, and says nothing that a task's log keeps.
        if variable in os.environ:
            return ConfigurationError(
                f"{variable} is set here, and is no connection that Airflow can read: compare it with the README's."
            )
        return ConfigurationError(
            f"The Airflow connection {self.genesys_conn_id!r} does not exist; the README shows how to make it."
        )


def _checked(connection: Connection) -> GenesysConnection:
    return GenesysConnection.from_fields(
        name=connection.conn_id,
        host=connection.host,
        login=connection.login,
        password=connection.password,
        extra=connection.extra_dejson,
    )
