"""The environment in which the embedded Airflow runs: one place for every setting that makes it small and safe."""

from __future__ import annotations

import base64
import json
import os
import secrets
from typing import TYPE_CHECKING

from demo.options import PROJECT
from demo.ports import LOOPBACK

if TYPE_CHECKING:
    from pathlib import Path

    from demo.object_store import ObjectStore
    from demo.options import StackOptions
    from demo.sandbox import Sandbox

REQUESTS_PER_MINUTE = 300
"""The limit of one OAuth client per minute (Genesys Cloud platform API limits)."""

# Whatever the caller's shell holds for a real Airflow or a real bucket must not leak into the demo.
_NOT_INHERITED = ("AIRFLOW", "_AIRFLOW", "AWS_", "RECORDING_", "GENESYS_", "PYTHONPATH", "PYTHONHOME")


def inherited() -> dict[str, str]:
    """Return the caller's environment without what could point at real services."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    no_proxy = ",".join(filter(None, (kept.get("NO_PROXY") or kept.get("no_proxy"), LOOPBACK, "localhost")))
    return kept | {"NO_PROXY": no_proxy, "no_proxy": no_proxy, "AWS_EC2_METADATA_DISABLED": "true"}


def isolated_airflow(home: Path, *, dags_folder: Path, plugins_folder: Path) -> dict[str, str]:
    """Return the settings of an Airflow of its own: its home, its SQLite database, its folders, no examples."""
    return {
        "AIRFLOW_HOME": str(home),
        # Without the timeout concurrent writers fail with "database is locked".
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}?timeout=60",
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(plugins_folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs"),
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "PYTHONPATH": str(PROJECT),
        "PYTHONUNBUFFERED": "1",
    }


def embedded_airflow(options: StackOptions, home: Path, port: int) -> dict[str, str]:
    """Return the settings of the embedded Airflow: loopback, LocalExecutor, one random set of secrets per start."""
    url = f"http://{LOOPBACK}:{port}"
    return {
        **isolated_airflow(home, dags_folder=options.dags_folder, plugins_folder=options.plugins_folder),
        "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
        # Above 4 the SQLite database and the API server's connection pool are the bottleneck, then the failure.
        "AIRFLOW__CORE__PARALLELISM": str(options.parallelism),
        "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "AIRFLOW__API__BASE_URL": url,
        "AIRFLOW__API__HOST": LOOPBACK,
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__API__SECRET_KEY": secrets.token_hex(32),
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.token_hex(64),
        # Without one, a connection made in the UI would stand in the database in clear.
        "AIRFLOW__CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AIRFLOW__CORE__AUTH_MANAGER": (
            "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager"
        ),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(home / "passwords.json"),
        # The run is triggered; a nightly schedule beside it would archive the same day a second time.
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__SCHEDULER__USE_JOB_SCHEDULE": "False",
        "AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL": "5",
    }


def archive_settings(store: ObjectStore, sandbox: Sandbox | None, options: StackOptions) -> dict[str, str]:
    """Return what the archive itself reads: the lake, the time zone, and the connections."""
    settings = {
        "RECORDING_LAKE_URI": f"s3://{store.bucket}/{options.lake_prefix}",
        "AIRFLOW_CONN_RECORDING_LAKE": _lake_connection(store),
        "RECORDING_ARCHIVE_STATE_DIR": str(options.directory / "state"),
        "RECORDING_ARCHIVE_POLL_SECONDS": "1",
    }
    if sandbox:
        settings["GENESYS_TIMEZONE"] = sandbox.options.timezone
        settings["AIRFLOW_CONN_GENESYS_CLOUD"] = _genesys_connection(sandbox)
    return settings


def _lake_connection(store: ObjectStore) -> str:
    return json.dumps(
        {
            "conn_type": "aws",
            "login": store.access_key,
            "password": store.secret_key,
            "extra": {"endpoint_url": store.endpoint_url, "region_name": store.region},
        }
    )


def _genesys_connection(sandbox: Sandbox) -> str:
    return json.dumps(
        {
            "conn_type": "http",
            "host": "mypurecloud.com",
            "login": sandbox.client_id,
            "password": sandbox.client_secret,
            "extra": {
                "contract": sandbox.options.contract,
                "api_base_url": sandbox.api_base_url,
                "login_base_url": sandbox.login_base_url,
                "org_id": sandbox.org_id,
                "requests_per_minute": REQUESTS_PER_MINUTE,
                "media_hosts": LOOPBACK,
            },
        }
    )
