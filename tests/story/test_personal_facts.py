"""What must not be stored is nowhere in the bucket, whichever way it came; what may be is complete."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from include.lake.plan import DayPlan, ShardPlan
from include.pii import FIELDS, Keep, PiiPolicy
from include.transfer.day import commit_day
from tests.story.desk import audio, conversation, desk, path, zipped
from tests.story.night import DAY, ZONE, Night, night

if TYPE_CHECKING:
    from pathlib import Path

    from include.lake.store import LakeStore

EVERYTHING = PiiPolicy(wrap_up_notes=Keep.STORE)


def run_under(tonight: Night, policy: PiiPolicy) -> dict[str, str]:
    """Run the night under a policy and return every document of the lake by its key."""
    tonight.settings = replace(tonight.settings, pii=policy)
    tonight.run()
    return {
        key: tonight.lake.read(key).decode() for key in tonight.lake.list_keys("") if key.endswith((".json", ".md"))
    }


def people_of(tonight: Night) -> dict[str, set[str]]:
    """Return what the sandbox knows of people, by group; telephone numbers without their scheme."""
    tenant = tonight.box.tenant
    calls = [tenant.conversation(item.conversation_id) for item in tonight.box.truth(DAY.date).conversations]
    legs = [leg for call in calls for leg in call.legs]
    return {
        "ani": {call.ani.partition(":")[2].partition(";")[0] for call in calls},
        "dnis": {call.dnis.partition(":")[2].partition(";")[0] for call in calls},
        "agent_names": {user.name for user in tenant.directory.users},
        "wrap_up_notes": {leg.wrap_up_note for leg in legs if leg.wrap_up_note},
    }


def seen(documents: dict[str, str], texts: set[str]) -> set[str]:
    """Return which of the texts stand in any document."""
    together = "\n".join(documents.values())
    return {text for text in texts if text in together}


@pytest.mark.parametrize("word", [Keep.MASK, Keep.DROP])
@pytest.mark.parametrize("contract", ["platform", "guide"])
def test_withheld_facts_are_nowhere_in_the_lake(lake: LakeStore, tmp_path: Path, contract: str, word: Keep) -> None:
    """No number, no name, no note of anybody in any document, nor in the source's own JSON that came with a file."""
    with night(lake, tmp_path, contract=contract) as tonight:
        documents = run_under(tonight, PiiPolicy(**dict.fromkeys(FIELDS, word)))
        people = people_of(tonight)
    assert any("/shard-" in key for key in documents)
    assert any(key.endswith(".metadata.json") for key in documents)
    assert {group: set() for group in people} == {group: seen(documents, texts) for group, texts in people.items()}


def test_policy_counts_for_plans_that_are_older(lake: LakeStore, tmp_path: Path) -> None:
    """A shard that was planned under a laxer policy, or by a machine without one, is archived under this one."""
    with desk(lake, tmp_path, pii=PiiPolicy(ani=Keep.DROP)) as table:
        (item,) = table.deliver(table.bundle(zipped({path(1): audio(1)})), numbers=(1,))
    facts = json.loads(lake.read(item.metadata_key))["conversation"]
    assert {"ani": None, "pii": {"dropped": ["ani", "wrap_up_notes"], "masked": []}} == facts


def test_what_an_earlier_plan_knew_goes_through_the_policy(lake: LakeStore, tmp_path: Path) -> None:
    """Of a conversation that analytics has forgotten, the old facts are taken over, less what is withheld by now."""
    with night(lake, tmp_path, conversations=12) as tonight:
        forgotten = conversation(1)
        facts = {forgotten: {"ani": "+49305612292", "external_tag": "case 7"}}
        old = ShardPlan(tonight.box.org_id, str(DAY), ZONE.key, ((forgotten,),), facts)
        lake.put_document(old.key, old.body())
        plan = DayPlan(tonight.box.org_id, DAY, (forgotten,))
        lake.put_document(plan.key, plan.body())
        commit_day(lake, tonight.box.org_id, DAY, [plan.key])
        tonight.settings = replace(tonight.settings, pii=PiiPolicy(ani=Keep.MASK))
        planned = tonight.plan()
        found = [tonight.shard(planned, number) for number in range(len(planned.shards))]
    (taken,) = [shard.facts[forgotten] for shard in found if forgotten in shard.facts]
    assert {"ani": "***92", "external_tag": "case 7", "pii": {"dropped": ["wrap_up_notes"], "masked": ["ani"]}} == taken


def test_stored_facts_are_all_there(lake: LakeStore, tmp_path: Path) -> None:
    """The test above would also pass on a lake that never knew anything: here the same texts are found."""
    with night(lake, tmp_path, contract="guide") as tonight:
        documents = run_under(tonight, EVERYTHING)
        people = people_of(tonight)
    assert dict.fromkeys(people, True) == {group: bool(seen(documents, texts)) for group, texts in people.items()}


def test_metadata_carries_numbers_and_custody(lake: LakeStore, tmp_path: Path) -> None:
    """E.164 beside the raw number, how long the call was, by which way the part came, and when it was asked for."""
    with night(lake, tmp_path) as tonight:
        documents = run_under(tonight, PiiPolicy())
    recordings = [json.loads(text) for key, text in documents.items() if key.endswith(".metadata.json")]
    assert recordings
    for document in recordings:
        facts, source = document["conversation"], document["source"]
        assert facts["ani_raw"].startswith(("tel:", "sip:"))
        assert facts["ani_e164"] is None or facts["ani_e164"] == facts["ani"]
        length = datetime.fromisoformat(facts["end"]) - datetime.fromisoformat(facts["start"])
        assert round(length.total_seconds() * 1000) == facts["duration_milliseconds"]
        assert datetime.fromisoformat(source["requested_at"]) <= datetime.fromisoformat(source["acquired_at"])
        assert "batch" == source["kind"]
        assert {"dropped": ["wrap_up_notes"], "masked": []} == facts["pii"]
    assert any(document["conversation"]["ani_e164"] for document in recordings)
