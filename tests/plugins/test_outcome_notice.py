"""People are told how a run ended, through Apprise; the message has counts and nobody's name."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from genesys_archive.outcome_notice import OutcomeNotice, outcome_callbacks
from include.errors import ConfigurationError
from tests.journeys.notices import told

# Apprise asks for imghdr before pgpy does, which needs it; Python 3.13 has none.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
DAYS = [
    {
        "date": "2026-03-02",
        "state": "open",
        "expected": 40,
        "conversations": {"archived": 38, "pending": 2, "erased": 0},
    }
]


class Verdict:
    """The last task of a run, which left its days' counts, or those of one recording."""

    def __init__(self, days, task_id="reconcile_day"):
        self.days = days
        self.task_id = task_id

    def xcom_pull(self, *, task_ids, key):
        """Return them."""
        return self.days if (task_ids, key) == (self.task_id, "outcomes") else None


@pytest.fixture
def heard(monkeypatch):
    """Whoever is on call, named by a connection."""
    with told() as notices:
        extra = {"config": {"path": f"json://127.0.0.1:{notices.port}/"}}
        monkeypatch.setenv("AIRFLOW_CONN_ON_CALL", json.dumps({"conn_type": "apprise", "extra": extra}))
        yield notices


def context(**facts):
    """Return the context as Airflow's DAG processor builds it."""
    return {"dag": SimpleNamespace(dag_id="genesys_recordings_daily"), "run_id": "manual__1", "reason": "x", **facts}


def test_red_run_says_what_is_open(heard):
    """Title, kind, and a sentence for each day."""
    OutcomeNotice("on_call", succeeded=False)(context(ti=Verdict(DAYS)))
    (notice,) = heard
    assert ("genesys_recordings_daily: look at it", "failure") == (notice["title"], notice["type"])
    assert [
        "2026-03-02: open. 40 conversations expected: 38 archived, 2 pending.",
        "Run: manual__1",
    ] == notice["message"].splitlines()


def test_run_for_one_recording_says_whether_it_is_there(heard):
    """How many of those that were asked for, and of which day; no id."""
    found = {"date": "2026-03-02", "wanted": 2, "proven": 1}
    OutcomeNotice("on_call", succeeded=False)(context(ti=Verdict(found, "confirm_recording")))
    sentence = "2026-03-02: 1 of 2 recordings that were asked for are archived and in the day's proof."
    assert [sentence, "Run: manual__1"] == heard[0]["message"].splitlines()


@pytest.mark.parametrize("facts", [{}, {"ti": Verdict(None)}])
def test_run_that_never_came_to_its_verdict_is_told_too(heard, facts):
    """With no task to ask, or none that found anything."""
    OutcomeNotice("on_call", succeeded=False)(context(**facts))
    assert "the first red task of the run says why" in heard[0]["message"]


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({}, set()),
        ({"NOTIFY_CONN_ID": "on_call"}, {"on_failure_callback"}),
        ({"NOTIFY_CONN_ID": "on_call", "NOTIFY_ON": "always"}, {"on_failure_callback", "on_success_callback"}),
    ],
)
def test_nobody_is_told_unless_asked_for(monkeypatch, environment, names):
    """Off by default; of failures; of every run."""
    for name, value in environment.items():
        monkeypatch.setenv(f"RECORDING_ARCHIVE_{name}", value)
    assert names == outcome_callbacks().keys()


def test_word_that_is_none_is_refused(monkeypatch):
    """The sentence names the variable."""
    monkeypatch.setenv("RECORDING_ARCHIVE_NOTIFY_CONN_ID", "on_call")
    monkeypatch.setenv("RECORDING_ARCHIVE_NOTIFY_ON", "sometimes")
    with pytest.raises(ConfigurationError, match="RECORDING_ARCHIVE_NOTIFY_ON must be one of failure, always"):
        outcome_callbacks()
