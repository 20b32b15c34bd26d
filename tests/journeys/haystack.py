"""Searches everything a stack leaves behind: files, a SQLite database with all its tables, a bucket."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def found_in_files(root, needles):
    """Return which needles stand in which file below a folder."""
    files = [path for path in sorted(Path(root).rglob("*")) if path.is_file()]
    return {(name, str(path)) for path in files for name in _found(path.read_bytes(), needles)}


def found_in_database(path, needles):
    """Return which needles stand in which column of a SQLite database."""
    with closing(sqlite3.connect(path, timeout=30)) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        return {found for table in tables for found in _found_in_table(database, table, needles)}


def found_in_bucket(bucket, needles):
    """Return which needles stand in which object, whatever its kind, or in its key."""
    return {(name, key) for key in bucket.listing() for name in _found(key.encode() + bucket.body(key), needles)}


def _found_in_table(database, table, needles):
    rows = database.execute(f'select * from "{table}"')  # noqa: S608 - the name is the database's own
    columns = [column[0] for column in rows.description]
    return {
        (name, f"{table}.{column}")
        for row in rows
        for column, value in zip(columns, row, strict=True)
        if value is not None
        for name in _found(value if isinstance(value, bytes) else str(value).encode(), needles)
    }


def _found(content, needles):
    return [name for name, needle in needles.items() if needle.encode() in content]
