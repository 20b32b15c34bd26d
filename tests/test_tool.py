"""What a document says of the program that wrote it."""

from __future__ import annotations

import re
import zoneinfo

import tzdata

from include.tool import UNKNOWN, tool, tzdata_version


def test_tool_has_name_and_version():
    """As they stand in every document."""
    assert {"name", "version"} == tool().keys()


def test_release_of_the_zone_tables_is_named():
    """The form of IANA's releases, or the honest word that the machine does not tell."""
    assert re.fullmatch(rf"20\d\d[a-z]|{UNKNOWN}", tzdata_version("Europe/Berlin"))


def test_release_is_that_of_the_folder_the_zone_is_read_from(tmp_path):
    """A folder that has the zone counts, one that lacks it does not, and without any it is the package."""
    empty, full = tmp_path / "empty", tmp_path / "full"
    for folder in (empty, full):
        folder.mkdir()
        (folder / "tzdata.zi").write_text(f"# version {folder.name}\nR a\n")
    (full / "Mars").write_bytes(b"TZif")
    before = zoneinfo.TZPATH
    try:
        zoneinfo.reset_tzpath([empty, full])
        assert ("full", tzdata.IANA_VERSION) == (tzdata_version("Mars"), tzdata_version("Europe/Berlin"))
        (full / "tzdata.zi").unlink()
        assert UNKNOWN == tzdata_version("Mars")
    finally:
        zoneinfo.reset_tzpath(before)
