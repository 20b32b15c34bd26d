"""``rebuild-catalog`` from a shell: the cache is gone, and comes back byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from genesys_archive.commands.__main__ import main
from include.lake.layout import catalog_key, catalog_manifest_key
from tests.story.night import DAY, ZONE, everything_in, media_keys, night, remove

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from include.lake.store import LakeStore

KEYS = (catalog_key(str(DAY)), catalog_manifest_key(str(DAY)))


@pytest.fixture
def shell(connect_lake: Callable[..., None], lake: LakeStore) -> None:
    """Put the lake into the environment as a shell would have it."""
    connect_lake(lake, zone=ZONE.key)


@pytest.mark.usefixtures("shell", "airflow_database")
def test_catalog_comes_back(lake: LakeStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Written where it is missing, left alone where it stands; the printed counts are the day's."""
    with night(lake, tmp_path, conversations=12) as tonight:
        _, state = tonight.run()
    archived = state.summary()["recordings"]["archived"]
    assert 0 == main(["rebuild-catalog"])
    before = everything_in(lake)
    assert f"{DAY}: {archived} recordings in {KEYS[0]}" in capsys.readouterr().out
    for key in KEYS:
        remove(lake, key)
    assert 0 == main(["rebuild-catalog", "--date", str(DAY), "--end-date", str(DAY)])
    assert "; written" in capsys.readouterr().out
    assert 0 == main(["rebuild-catalog"])
    said = capsys.readouterr().out
    assert ("; as it was" in said, f"1 days, {archived} recordings" in said) == (True, True)
    assert before == everything_in(lake)


@pytest.mark.usefixtures("shell", "airflow_database")
def test_lost_recording_is_said(lake: LakeStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A row less than the commit archived is no silent thing, on the first look as on the second."""
    with night(lake, tmp_path, conversations=12) as tonight:
        _, state = tonight.run()
    archived = state.summary()["recordings"]["archived"]
    remove(lake, media_keys(lake)[0])
    for _ in range(2):
        assert 0 == main(["rebuild-catalog"])
        said = capsys.readouterr().out
        assert f"{DAY}: {archived - 1} recordings (1 fewer than the commit: lost in the lake) in {KEYS[0]}" in said
        assert f"1 days, {archived - 1} recordings (1 fewer than the commits: make verify names them)" in said


@pytest.mark.usefixtures("shell", "airflow_database")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no such day was ever committed here"),
        (["--date", "2026-02-30"], "DATE must be a date like 2026-01-31, not '2026-02-30'"),
        (["--date", "2026-02-02", "--end-date", "2026-02-01"], "DATE 2026-02-02 is after END_DATE 2026-02-01"),
    ],
)
def test_nothing_to_build_is_said(capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str) -> None:
    """A wrong or empty span is no success."""
    assert 1 == main(["rebuild-catalog", *arguments])
    assert sentence in capsys.readouterr().err
