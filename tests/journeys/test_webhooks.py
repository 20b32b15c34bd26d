"""A receiver is told of each recording of a day, and people of how its run ended; under both contracts."""

from __future__ import annotations

import pytest

from tests.journeys.organisations import GUIDE, MONDAY

pytestmark = pytest.mark.journey


def told(receiver, date):
    """Return key and digest of all parts of a day that the receiver has been told of, and believed."""
    return {(event["key"], event["sha256"]) for event in list(receiver.events.values()) if event["date"] == date}


def archived(journey, date):
    """Return the same of the day's evidence."""
    return {(item["key"], item["sha256"]) for item in journey.bucket.archived_items(date)}


def test_every_recording_of_the_night_is_announced(monday, journey, receiver):
    """Signed, since the receiver of the page takes nothing else; the task is green and says how many."""
    assert ("success", {"success"}) == (monday.state, monday.states()["deliver_webhooks"])
    assert archived(journey, MONDAY) == told(receiver, MONDAY)
    assert "0 undelivered" in monday.log("deliver_webhooks")


def test_guide_contract_is_announced_alike(journey, receiver):
    """Nothing behind the source knows by which contract a recording came."""
    journey.to("guide")
    assert "success" == journey.run(start_date=GUIDE).state
    assert archived(journey, GUIDE) == told(receiver, GUIDE) != set()


def test_people_are_told_how_the_run_ended(monday, journey, notices):
    """A notice of the run, with the day's state and counts; another only where a cleared task ended it again."""
    journey.wait(lambda: any(monday.run_id in notice["message"] for notice in notices), 60)
    notice, *again = [notice for notice in notices if monday.run_id in notice["message"]]
    assert {notice["title"]} >= {other["title"] for other in again}
    assert ("genesys_recordings_daily: done", "success") == (notice["title"], notice["type"])
    expected = journey.bucket.report(MONDAY)["expected"]
    assert notice["message"].startswith(f"{MONDAY}: provisional. {expected} conversations expected: ")
