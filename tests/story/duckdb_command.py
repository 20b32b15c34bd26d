"""The ``duckdb`` command as the auditor's page uses it, on the Python package: the shell itself is no wheel of ours."""

from __future__ import annotations

import sys

import duckdb


def main(arguments: list[str]) -> None:
    """Run the SQL behind ``-c`` and print the last result, bare with ``-list -noheader``, as a table without."""
    result = duckdb.connect().sql(arguments[arguments.index("-c") + 1])
    if result is None:
        return
    if "-list" in arguments:
        for row in result.fetchall():
            print("|".join(str(value) for value in row))  # noqa: T201 - its output is its purpose
    else:
        result.show()


if __name__ == "__main__":
    main(sys.argv[1:])
