"""Names that the source does not give: every recording is archived all the same, and the day says what it lacks."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from include.audit.figures import DayFigures
from include.errors import ConfigurationError, SourceUnavailable
from include.genesys.models import NamedReference
from include.lake.protection import Protection
from include.lake.retention import VARIABLE, RetentionRules
from include.lake.store import LakeStore, Writing
from include.transfer.day_report import day_figures
from include.transfer.verify import Scope, verify_lake
from tests.genesys.scripted_server import uuid
from tests.story.day_ends import Analytics, plan, shards
from tests.story.export_desk import config_of, export_desk
from tests.story.night import DAY, clean, everything_in
from tests.story.one_recording import archive, one_of, wish_for
from tests.story.one_recording import plan as plan_one

if TYPE_CHECKING:
    from pathlib import Path

    from include.genesys.analytics import ConversationsFound

REPORT, PAGE = f"reports/date={DAY}/report.json", f"reports/date={DAY}/report.md"
NO_USERS = "api-truncated-json:999,match=/api/v2/users"


class Served(Analytics):
    """Calls that an agent has taken in a queue."""

    def find_conversations(self, start, end) -> ConversationsFound:
        """Return them without names, as analytics does."""
        found = super().find_conversations(start, end)
        who = {"agents": (NamedReference(uuid(7)),), "queues": (NamedReference(uuid(8)),)}
        return replace(found, conversations=tuple(replace(item, **who) for item in found.conversations))


def test_malformed_names_cost_no_recording(lake: LakeStore, tmp_path: Path) -> None:
    """The day is complete, its page says which names are missing, and running it again writes nothing."""
    with clean(lake, tmp_path, conversations=4, faults=(NO_USERS,)) as tonight:
        planned, state = tonight.run()
        assert (True, ("agents",)) == (state.is_complete, planned.without_names)
        assert "Genesys gave no names of agents" in planned.sentence()
        assert ["agents"] == json.loads(lake.read(REPORT))["without_names"]
        assert b"Names are missing: Genesys gave none of agents" in lake.read(PAGE)
        assert ("agents",) == day_figures(lake, str(DAY)).without_names
        documents = [json.loads(lake.read(key)) for key in lake.list_keys("media/") if key.endswith(".metadata.json")]
        agents = [agent for document in documents for agent in document["conversation"]["agents"]]
        assert ({None}, True) == ({agent["name"] for agent in agents}, all(agent["id"] for agent in agents))
        assert any(queue["name"] for document in documents for queue in document["conversation"]["queues"])
        before = everything_in(lake)
        tonight.run()
        assert before == everything_in(lake)
        assert () == verify_lake(lake, Scope((str(DAY),), deep=True)).findings


def test_single_recording_is_archived_without_names(lake: LakeStore, tmp_path: Path) -> None:
    """The call that is needed now does not wait for a name either, and its day says so."""
    with clean(lake, tmp_path, conversations=3, faults=(NO_USERS,)) as tonight:
        planned = plan_one(tonight, wish_for(tonight, one_of(tonight)))
        assert ["agents"] == json.loads(lake.read(planned.plan_key))["without_names"]
        assert 1 == archive(tonight, planned).archived


def test_day_of_which_names_are_known_says_nothing(lake: LakeStore) -> None:
    """Neither one whose calls had nobody to name, after another day's names were given up."""
    missing = [("agents",), (), ("wrap_up_codes",)]
    for source in (
        kind([1], names_missing=names) for kind, names in zip((Analytics, Served, Served), missing, strict=True)
    ):
        planned = plan(lake, source)
        assert () == planned.without_names
        assert b"without_names" not in lake.read(planned.plan_key)
    assert "without_names" not in DayFigures(str(DAY), 5).to_json()


def test_what_is_expected_stands_before_names_are_asked_for(lake: LakeStore) -> None:
    """A run that dies over names has said what it expects; the plan that says what is missing lies beside it."""
    planned = plan(lake, Served([1, 2], names_missing=("agents", "queues")))
    plans = [json.loads(lake.read(key)) for key in lake.list_keys("plans/") if "/day-" in key]
    assert [None, ["agents", "queues"]] == sorted((item.get("without_names") for item in plans), key=str)
    assert 1 == len({tuple(item["expected"]) for item in plans})
    assert ["agents", "queues"] == json.loads(lake.read(planned.plan_key))["without_names"]
    assert 1 == len(shards(lake, planned))


@pytest.mark.parametrize("field", ["agents", "queues"])
def test_rule_that_finds_queues_by_id_needs_no_names(lake: LakeStore, field: str) -> None:
    """What is kept how long does not hang on a name."""
    assert (field,) == plan(ruled(lake, uuid(8)), Served([1], names_missing=(field,))).without_names


def test_rule_that_finds_queues_by_name_needs_their_names(lake: LakeStore) -> None:
    """Archived without, a recording would be kept for less than was promised, and nothing could be said against it."""
    here = ruled(lake, "Payments")
    assert ("agents",) == plan(here, Served([1], names_missing=("agents",))).without_names
    with pytest.raises(SourceUnavailable, match="rule 'cards' finds queues by name"):
        plan(here, Served([1], names_missing=("queues",)))


def test_export_cannot_serve_a_rule_that_finds_queues_by_name(lake, lake_client, tmp_path):
    """It has ids alone, for ever: the sentence says what to do, nothing is written, and a rule by id goes on."""
    with export_desk(lake, lake_client, tmp_path, config_of(conversations=2)) as desk:
        desk.write("first")
        desk.ports = replace(desk.ports, lake=ruled(lake, "Payments"))
        with pytest.raises(ConfigurationError, match=r"rule 'cards' finds queues by name.*Name the queues by id"):
            desk.ingest()
        assert [] == desk.objects()
        desk.ports = replace(desk.ports, lake=ruled(lake, uuid(8)))
        assert desk.ingest()["archived"]


def ruled(lake: LakeStore, queue: str) -> LakeStore:
    """Return the lake with a rule for a queue."""
    rules = json.dumps([{"name": "cards", "queues": [queue], "mode": "GOVERNANCE", "days": 90}])
    writing = Writing(Protection(), retention=RetentionRules.from_environment({VARIABLE: rules}))
    return LakeStore(lake._client, lake.location, writing)
