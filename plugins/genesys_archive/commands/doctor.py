"""``doctor``: what the bucket itself does for the archive, before the first night and whenever somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genesys_archive.defaults import archive_settings
from genesys_archive.hooks.lake import recording_lake

if TYPE_CHECKING:
    import argparse

HELP = "say what the bucket itself guards: versions, locks, encryption, and who else may come in; changes nothing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take none: the connection and the settings say which bucket, and what is asked of it."""


def run(options: argparse.Namespace) -> int:
    """Print a line for each guard and one sentence; 1 where one that is required is missing or cannot be seen."""
    del options
    lake = recording_lake(archive_settings())
    guards = lake.guards()
    for guard in guards:
        print(f"{guard.state:<8} {guard.name:<12} {'required' if guard.required else '':<9} {guard.note}")
    lacking = [guard.name for guard in guards if not guard.is_enough]
    verdict = f"not enough, for want of: {', '.join(lacking)}" if lacking else "the bucket guards what it has to"
    print(f"s3://{lake.location.bucket}: {verdict}")
    return 1 if lacking else 0
