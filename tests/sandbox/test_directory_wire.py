"""Users, queues, codes, divisions: by id in both spellings, by state, page by page."""

from __future__ import annotations

import pytest

from tests.sandbox.conftest import DAY, started

USERS, QUEUES, CODES = "/api/v2/users", "/api/v2/routing/queues", "/api/v2/routing/wrapupcodes"


def test_ids_may_be_joined_or_repeated(client):
    """``id=a,b`` and ``id=a&id=b`` mean the same."""
    ids = [entry["id"] for entry in client.get(f"{USERS}?pageSize=2").json()["entities"]]
    joined = client.get(USERS, params={"id": ",".join(ids)}).json()["entities"]
    repeated = client.get(USERS, params={"id": ids}).json()["entities"]
    assert joined == repeated
    assert ids == [entry["id"] for entry in joined]


def test_departed_agents_need_state_any(client, truth):
    """The agent of a call who has left is found with ``state=any`` only; by default the lookup is 404."""
    call = next(each for each in truth.conversations if each.profile == "departed_agent")
    agent = client.sandbox.tenant.conversation(call.conversation_id).legs[0].user_id
    assert client.get(f"{USERS}?id={agent}").json()["code"] == "general.resource.not.found"
    found = client.get(f"{USERS}?id={agent}&state=any").json()["entities"][0]
    assert found["state"] in {"inactive", "deleted"}
    assert client.get(f"{USERS}/{agent}").status_code == 404
    assert client.get(f"{USERS}/{agent}?state={found['state']}").status_code == 200


def test_unknown_agent_is_left_out_or_404(client, truth):
    """An unknown id among known ones is left out; alone, or with the fault on, the answer is 404."""
    call = next(each for each in truth.conversations if each.profile == "unknown_agent")
    nobody = client.sandbox.tenant.conversation(call.conversation_id).legs[0].user_id
    somebody = client.get(f"{USERS}?pageSize=1").json()["entities"][0]["id"]
    both = f"{USERS}?id={nobody},{somebody}&state=any"
    assert [somebody] == [entry["id"] for entry in client.get(both).json()["entities"]]
    assert client.get(f"{USERS}?id={nobody}&state=any").status_code == 404
    client.sandbox.faults.switch_on("users-unknown-404")
    assert client.get(both).status_code == 404


def test_more_than_a_hundred_ids_are_refused(client):
    """101 ids are 400 max.user.ids, 100 are fine."""
    ids = [entry["id"] for entry in client.get(f"{USERS}?pageSize=200&state=any").json()["entities"]]
    assert client.get(USERS, params={"id": ",".join(ids[:101])}).json()["code"] == "max.user.ids"
    assert client.get(USERS, params={"id": ",".join(ids[:100]), "state": "any", "pageSize": 100}).json()["total"] == 100


@pytest.mark.parametrize("path", [USERS, QUEUES, CODES, "/api/v2/authorization/divisions"])
def test_listing_has_the_published_envelope(client, path):
    """Pages of 2 walk through everything by nextUri, sorted by name where it matters, and count right."""
    page = client.get(f"{path}?pageSize=2").json()
    names = []
    while True:
        names += [entry["name"] for entry in page["entities"]]
        if "nextUri" not in page:
            break
        page = client.get(page["nextUri"]).json()
    assert page["total"] == len(names) == len(set(names))
    assert page["pageCount"] == page["pageNumber"] == -(-len(names) // 2)
    assert {"firstUri", "selfUri", "lastUri", "previousUri"} <= set(page)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("pageSize=0", "invalid.query.param.value"),
        ("pageNumber=x", "invalid.query.param.value"),
        ("state=asleep", "invalid.query.param.value"),
    ],
)
def test_bad_parameters_are_400(client, query, code):
    """Numbers out of range and unknown states are refused."""
    refused = client.get(f"{USERS}?{query}")
    assert (400, code) == (refused.status_code, refused.json()["code"])


def test_default_code_breaks_the_whole_lookup():
    """A wrap-up code that is no UUID occurs in the data, and a lookup that names it is 400 invalid.id."""
    with started(scenario="odd-codes") as (sandbox, client):
        codes = {leg.wrap_up_code for each in sandbox.tenant.day(DAY) for leg in each.legs}
        odd = [code for code in codes if code.startswith("ININ")]
        assert odd
        refused = client.get(CODES, params={"id": ",".join(codes)})
        assert (400, "invalid.id") == (refused.status_code, refused.json()["code"])
        good = codes - set(odd)
        assert client.get(CODES, params={"id": ",".join(good), "pageSize": 100}).json()["total"] == len(good)
