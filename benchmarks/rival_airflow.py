"""The rival that every Airflow user has: the amazon provider's operator, and ``zipfile`` where it is a zip."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.transfers.http_to_s3 import HttpToS3Operator
from airflow.providers.http.hooks.http import HttpHook

from benchmarks.own_costs import measured
from benchmarks.store_under_test import BUCKET


def copy_file(name: str, path: str, prefix: str) -> None:
    """Copy one file as a task would."""
    HttpToS3Operator(
        task_id="copy",
        http_conn_id="source",
        endpoint=path,
        aws_conn_id="lake",
        s3_bucket=BUCKET,
        s3_key=f"{prefix}/{name}",
    ).execute({})


def copy_members(path: str, prefix: str) -> None:
    """Fetch a zip into memory, as the operator does with every file, and store its members."""
    content = HttpHook(method="GET", http_conn_id="source").run(path).content
    lake = S3Hook("lake")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            lake.load_bytes(archive.read(name), f"{prefix}/{name}", BUCKET)


def main() -> None:
    """Copy what the task names; the clock starts after the imports."""
    task: dict[str, Any] = json.load(sys.stdin)

    def act() -> dict[str, object]:
        for name, path in task["paths"].items():
            if task["zip"]:
                copy_members(path, task["prefix"])
            else:
                copy_file(name, path, task["prefix"])
        return {}

    # Airflow writes its log to standard output; the report is its last line.
    sys.stdout.write("\n" + json.dumps(measured(act)) + "\n")


if __name__ == "__main__":
    main()
