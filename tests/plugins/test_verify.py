"""Verify as a person and as a task call it: findings by name, one sentence, and a status that a shell can read."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import AirflowFailException

from genesys_archive.commands.__main__ import main
from genesys_archive.operators.verify_day import VerifyDayOperator
from include.lake.layout import commit_key
from tests.story.night import DAY, media_keys, night, remove


@pytest.fixture
def archived(lake, connect, connect_lake, tmp_path):
    """Archive a small day, and put both connections to it into the environment."""
    with night(lake, tmp_path, conversations=8, scenario="clean") as tonight:
        tonight.run()
        connect(tonight.box)
        connect_lake(lake, zone="Europe/Berlin")
        yield SimpleNamespace(lake=lake, night=tonight, objects=len(list(lake.list_keys(""))))


def printed(capsys):
    """Return the lines for the person who called: Airflow's own log shares the stream in this process."""
    return [line for line in capsys.readouterr().out.splitlines() if not re.match(r"[0-9-]{10}[T ][0-9:.]{8}", line)]


@pytest.mark.parametrize("options", [[], [f"--date={DAY}"], ["--deep", "--whole"]])
def test_clean_day_is_one_sentence_and_zero(archived, capsys, options):
    """With a date or without, quick or deep: one line on standard output, and nothing is wrong."""
    assert 0 == main(["verify", *options])
    lines = printed(capsys)
    assert 1 == len(lines)
    assert f": {archived.objects} objects of 1 day in " in lines[0]
    assert lines[0].endswith("everything is what it was.")


def test_each_finding_is_named_and_the_status_is_one(archived, capsys):
    """Each object that is wrong has its line before the sentence."""
    gone = media_keys(archived.lake)[:2]
    for key in gone:
        remove(archived.lake, key)
    assert 1 == main(["verify", f"--date={DAY}"])
    *findings, sentence = printed(capsys)
    assert [f"missing: {key}: " for key in sorted(gone)] == [line[: line.index(": ", 10) + 2] for line in findings]
    assert sentence.endswith("2 FOUND: 2 missing.")


@pytest.mark.usefixtures("archived")
def test_range_of_days_holds_the_days_between(capsys):
    """A day between that nobody archived is a finding of its own."""
    assert 1 == main(["verify", f"--date={DAY}", "--end-date=2026-03-04"])
    found = capsys.readouterr().out
    assert "gap: commits/date=2026-03-03/: nothing of that day" in found
    assert "gap: commits/date=2026-03-04/: nothing of that day" in found


@pytest.mark.usefixtures("archived")
def test_days_in_the_wrong_order_are_refused(capsys):
    """A range that ends before it begins would verify nothing and be green."""
    assert 1 == main(["verify", "--date=2026-03-02", "--end-date=2026-03-01"])
    assert "the last day 2026-03-01 is before the first, 2026-03-02" in capsys.readouterr().err


@pytest.mark.usefixtures("archived", "airflow_database")
def test_auditor_needs_no_connection_to_genesys(capsys, monkeypatch):
    """Whose lake it is the commits say, where no connection does."""
    monkeypatch.delenv("AIRFLOW_CONN_GENESYS_CLOUD")
    assert 0 == main(["verify"])
    assert "everything is what it was." in capsys.readouterr().out


def test_task_is_green_on_a_clean_day_and_leaves_no_trace(archived):
    """The counts come back, and the lake is not touched."""
    before = list(archived.lake.histories(""))
    counts = VerifyDayOperator(task_id="verify", days=[{"date": str(DAY)}], deep="True").execute({})
    assert (1, archived.objects, {}) == (counts["days"], counts["objects"], counts["findings"])
    assert counts["bytes"] > 0
    assert before == list(archived.lake.histories(""))


def test_task_is_red_with_the_names(archived):
    """The sentence of the failure has what was found."""
    remove(archived.lake, commit_key(str(DAY), 1))
    with pytest.raises(AirflowFailException, match=r"1 FOUND: 1 missing\. missing: commits/date=2026-03-02/v=00000001"):
        VerifyDayOperator(task_id="verify", days=[str(DAY)]).execute({})


@pytest.mark.usefixtures("archived")
def test_task_without_days_has_nothing_to_do():
    """An audit of no day is no failure: there may have been nothing to look at again."""
    assert {"days": 0, "findings": {}} == VerifyDayOperator(task_id="verify", days=[]).execute({})
