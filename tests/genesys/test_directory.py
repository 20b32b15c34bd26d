"""Names of agents, queues and wrap-up codes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from include.errors import NotAuthorised, RateLimited, SourceUnavailable
from include.genesys.client import GenesysClient
from include.genesys.models import Conversation, NamedReference
from tests.genesys.scripted_server import USERS, Reply, error, uuid

QUEUES, CODES = "/api/v2/routing/queues", "/api/v2/routing/wrapupcodes"
PLAIN = Conversation(
    conversation_id=uuid(1),
    start=datetime(2026, 1, 5, tzinfo=UTC),
    end=None,
    direction=None,
    ani=None,
    dnis=None,
    ani_raw=None,
    dnis_raw=None,
    recorded=True,
)


def with_agents(*ids: str) -> Conversation:
    """Return a conversation of these agents."""
    return replace(PLAIN, agents=tuple(NamedReference(value) for value in ids))


def names_of(conversation: Conversation) -> list[str | None]:
    """Return the agents' names."""
    return [agent.name for agent in conversation.agents]


def test_three_kinds_of_names_are_filled_in(client, genesys):
    """Agents, queues and wrap-up codes come from their own endpoints."""
    genesys.names = {USERS: {uuid(1): "Ada"}, QUEUES: {uuid(2): "Sales"}, CODES: {uuid(3): "Done"}}
    [named] = client.resolve_names(
        [
            replace(
                PLAIN,
                agents=(NamedReference(uuid(1)),),
                queues=(NamedReference(uuid(2)),),
                wrap_up_codes=(NamedReference(uuid(3)), NamedReference("ININ-WRAP-UP-TIMEOUT", "kept")),
            )
        ]
    )
    assert (NamedReference(uuid(1), "Ada"),) == named.agents
    assert (NamedReference(uuid(2), "Sales"),) == named.queues
    assert (NamedReference(uuid(3), "Done"), NamedReference("ININ-WRAP-UP-TIMEOUT", "kept")) == named.wrap_up_codes


def test_agents_who_left_are_asked_for_too(client, genesys):
    """The default state, active, would hide them."""
    client.resolve_names([with_agents(uuid(1))])
    assert [("id", uuid(1)), ("state", "any"), ("pageSize", "100")] == genesys.calls_to(USERS)[0].query


def test_a_hundred_ids_go_in_one_call_and_only_once(client, genesys):
    """Known names are not asked for again, repeated ids count once."""
    ids = [uuid(number) for number in range(1, 251)]
    genesys.names = {USERS: {value: f"agent {value}" for value in ids}}
    rows = [with_agents(value, ids[0]) for value in ids]
    first = client.resolve_names(rows)
    second = client.resolve_names(rows)
    assert first == second
    assert 3 == len(genesys.calls_to(USERS))
    assert all(name is not None for item in first for name in names_of(item))


def test_nothing_to_ask_asks_nothing(client, genesys):
    """No ids, no call, not even for a token."""
    assert (PLAIN,) == client.resolve_names([PLAIN])
    assert [] == genesys.calls


@pytest.mark.parametrize("status", [400, 404])
def test_an_unknown_id_costs_its_own_name_only(client, genesys, status):
    """One deleted agent among a hundred is found by halving; the others keep their names."""
    ids = [uuid(number) for number in range(1, 101)]
    genesys.names = {USERS: {value: "known" for value in ids if value != uuid(37)}}

    def refuse(call):
        asked = [value for name, value in call.query if name == "id"]
        return error(status, "invalid.id") if call.path == USERS and uuid(37) in asked else None

    genesys.on_call = refuse
    client.submit_batch([uuid(1)])  # fetches the token
    [named] = client.resolve_names([with_agents(*ids)])
    assert [None if value == uuid(37) else "known" for value in ids] == names_of(named)
    assert len(genesys.calls_to(USERS)) <= 15
    client.resolve_names([with_agents(uuid(37))])
    assert len(genesys.calls_to(USERS)) <= 15


def test_more_unknown_ids_than_are_looked_for_cost_no_other_group(client, genesys):
    """The search for them ends, and is said; groups without one are asked for as ever, in this call and the next."""
    ids = [uuid(number) for number in range(1, 401)]
    genesys.names = {USERS: dict.fromkeys(ids[:200] + ids[200::2], "known")}

    def refuse(call):
        asked = [value for name, value in call.query if name == "id"]
        is_refused = call.path == USERS and not genesys.names[USERS].keys() >= set(asked)
        return error(404, "not.found") if is_refused else None

    genesys.on_call = refuse
    client.submit_batch([uuid(900)])  # fetches the token
    [named] = client.resolve_names([with_agents(*ids)])
    assert (["known"] * 200, ("agents",)) == (names_of(named)[:200], client.names_missing)
    genesys.names[USERS][uuid(500)] = "later"
    assert ["later"] == names_of(*client.resolve_names([with_agents(uuid(500))]))


@pytest.mark.parametrize("status", [400, 404])
def test_an_endpoint_that_knows_nobody_at_all_is_said(client, genesys, status):
    """One agent may be unknown; where several are and nobody is known, the address may be none as well."""
    genesys.on_call = lambda call: error(status, "x") if call.path == USERS else None
    client.resolve_names([with_agents(uuid(1), uuid(2))])
    assert () == client.names_missing
    client.resolve_names([with_agents(*map(uuid, range(3, 6)))])
    assert ("agents",) == client.names_missing
    genesys.on_call, genesys.names = (lambda _call: None), {USERS: {uuid(6): "Ada"}}
    [named] = client.resolve_names([with_agents(uuid(6))])
    assert (["Ada"], ()) == (names_of(named), client.names_missing)


def test_many_unknown_ids_do_not_eat_the_allowance(client, genesys):
    """The search for unknown ids is bounded; names are a courtesy."""
    client.resolve_names([with_agents(*(uuid(number) for number in range(1, 101)))])
    assert len(genesys.calls_to(USERS)) <= 41
    assert ("agents",) == client.names_missing


def test_a_missing_permission_costs_the_names_not_the_day(client, genesys, caplog):
    """403 leaves the ids, warns once, and is not asked again."""
    genesys.on_call = lambda call: error(403, "missing.permissions") if call.path == USERS else None
    for number in (1, 2):
        [named] = client.resolve_names([with_agents(uuid(number))])
        assert [None] == names_of(named)
    assert 1 == len(genesys.calls_to(USERS))
    assert 1 == caplog.text.count("No names from /api/v2/users")


@pytest.mark.parametrize(
    ("reply", "kind"), [(error(401, "x"), NotAuthorised), (error(429, "x", Retry_After="9000"), RateLimited)]
)
def test_what_concerns_every_call_is_no_missing_name(client, genesys, reply, kind):
    """A client that is refused, or has used up its allowance, would get no recording either."""
    genesys.on_call = lambda call: reply if call.path == USERS else None
    with pytest.raises(kind):
        client.resolve_names([with_agents(uuid(1))])


NO_ANSWERS = {
    "no JSON": Reply(200, b"<html>"),
    "cut": Reply(200, b'{"entities": [{"id"'),
    "empty": Reply(200, b""),
    "a list": Reply(200, b"[]"),
    "no entities": Reply(200, b"{}"),
    "entities of no kind": Reply(200, b'{"entities": 7}'),
    "conflict": error(409, "x"),
    "down": error(500, "x"),
    "not made": error(501, "x"),
    "refused": error(403, "x"),
    "silence": Reply(misbehave=lambda _handler: None),
}


@pytest.mark.parametrize("reply", NO_ANSWERS.values(), ids=NO_ANSWERS)
def test_an_endpoint_that_gives_no_names_costs_the_names_of_its_kind(client, genesys, caplog, reply):
    """The others are asked for as ever, the calls keep their ids, and it is said which names are missing."""
    genesys.names = {QUEUES: {uuid(2): "Sales"}}
    genesys.on_call = lambda call: reply if call.path == USERS else None
    call = replace(with_agents(uuid(1)), queues=(NamedReference(uuid(2)),))
    assert () == client.names_missing
    [named] = client.resolve_names([call])
    assert ([None], "Sales", ("agents",)) == (names_of(named), named.queues[0].name, client.names_missing)
    asked = len(genesys.calls_to(USERS))
    client.resolve_names([with_agents(uuid(5))])
    assert (asked, 1) == (len(genesys.calls_to(USERS)), caplog.text.count("No names from /api/v2/users"))


@pytest.mark.parametrize(
    ("reply", "stops"),
    [(error(500, "x"), True), (NO_ANSWERS["silence"], True), (NO_ANSWERS["no JSON"], False), (error(403, "x"), False)],
)
def test_an_outage_is_waited_for_by_who_comes_again(connection, settings, time, genesys, reply, stops):
    """Names left out for some minutes would be missing for ever; what was answered and is none will be so again."""
    genesys.on_call = lambda call: reply if call.path == USERS else None
    with GenesysClient(connection, settings, timekeeping=time.timekeeping, names_may_wait=True) as client:
        for _ in range(2):
            if stops:
                with pytest.raises(SourceUnavailable):
                    client.resolve_names([with_agents(uuid(1))])
            else:
                assert [None] == names_of(*client.resolve_names([with_agents(uuid(1))]))
        assert (() if stops else ("agents",)) == client.names_missing
    assert len(genesys.calls_to(USERS)) <= 10


def test_a_number_that_nobody_can_mean_costs_no_name(client, genesys):
    """Nobody reads it."""
    body = f'{{"total": NaN, "entities": [{{"id": "{uuid(1)}", "name": "Ada", "version": {"9" * 5000}}}]}}'
    genesys.script(USERS, Reply(200, body.encode()))
    [named] = client.resolve_names([with_agents(uuid(1))])
    assert (["Ada"], ()) == (names_of(named), client.names_missing)


def test_odd_entities_are_passed_over(client, genesys):
    """A list of anything gives the names it holds."""
    genesys.on_call = lambda call: (
        Reply(
            body={"entities": [None, 7, {}, {"id": 7, "name": "x"}, {"id": uuid(1), "name": "Ada\n"}], "pageCount": 1}
        )
        if call.path == USERS
        else None
    )
    [named] = client.resolve_names([with_agents(uuid(1), uuid(2))])
    assert ["Ada", None] == names_of(named)
