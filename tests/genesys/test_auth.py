"""The token: when it is fetched, renewed and refused."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from include.errors import ConfigurationError, NotAuthorised, SourceUnavailable
from include.genesys.auth import LIFETIME_MAX_SECONDS, LIFETIME_UNKNOWN_SECONDS, read_token
from tests.genesys.conftest import CANARY_SECRET
from tests.genesys.scripted_server import BATCHES, TOKEN, Reply, ScriptedGenesys, error, uuid


def ask(client) -> None:
    """Make one call that needs a token."""
    client.submit_batch([uuid(1)])


def test_the_client_proves_itself_with_basic_and_nothing_more(client, genesys):
    """The platform contract sends id and secret by HTTP Basic, and only the grant type in the body."""
    ask(client)
    [call] = genesys.calls_to(TOKEN)
    assert f"Basic {base64.b64encode(b'client-1:' + CANARY_SECRET.encode()).decode()}" == call.headers["authorization"]
    assert b"grant_type=client_credentials" == call.body
    assert "application/x-www-form-urlencoded" == call.headers["content-type"]


def test_the_guide_contract_adds_its_scope(make_client, genesys):
    """The guides ask for a scope."""
    from include.genesys.models import Contract  # noqa: PLC0415 - one use

    ask(make_client(contract=Contract.GUIDE))
    assert b"grant_type=client_credentials&scope=recording%3Aread" == genesys.calls_to(TOKEN)[0].body


def test_one_token_serves_many_calls(client, genesys):
    """A valid token is not asked for again."""
    for _ in range(5):
        ask(client)
    assert 1 == len(genesys.calls_to(TOKEN))


def test_a_token_is_renewed_a_minute_before_it_ends(client, genesys, time):
    """No call leaves with a token that may end on the way."""
    genesys.expires_in = 1800
    ask(client)
    time.now += 1739
    ask(client)
    assert 1 == len(genesys.calls_to(TOKEN))
    time.now += 1
    ask(client)
    assert 2 == len(genesys.calls_to(TOKEN))


def test_tokens_that_live_for_seconds_are_not_asked_for_at_every_call(client, genesys, time):
    """The number of token calls follows the run's length, not the number of calls."""
    genesys.expires_in = 3
    for _ in range(90):
        ask(client)
        time.now += 0.1
    assert len(genesys.calls_to(TOKEN)) <= 9 / 3 + 1


@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [
        (None, LIFETIME_UNKNOWN_SECONDS),
        (0, LIFETIME_UNKNOWN_SECONDS),
        (-5, LIFETIME_UNKNOWN_SECONDS),
        (True, LIFETIME_UNKNOWN_SECONDS),
        ("soon", LIFETIME_UNKNOWN_SECONDS),
        ("nan", LIFETIME_UNKNOWN_SECONDS),
        ([], LIFETIME_UNKNOWN_SECONDS),
        (10**400, LIFETIME_UNKNOWN_SECONDS),
        (10**9, LIFETIME_MAX_SECONDS),
        ("inf", LIFETIME_MAX_SECONDS),
        ("1800", 1800.0),
        (0.5, 1.0),
        (86399, 86399.0),
    ],
)
def test_any_lifetime_is_clamped(expires_in, seconds):
    """A missing or absurd lifetime neither renews at every call nor lasts for ever."""
    assert seconds == read_token({"access_token": "t", "expires_in": expires_in})[1]


def test_a_refused_token_is_renewed_once_and_the_call_replayed(client, genesys):
    """A token revoked before its time costs one renewal."""
    ask(client)
    genesys.valid_tokens.clear()
    ask(client)
    assert (2, 3) == (len(genesys.calls_to(TOKEN)), len(genesys.calls_to(BATCHES)))


def test_a_second_refusal_is_final(client, genesys):
    """401 for ever means one renewal, then a person."""
    genesys.on_call = lambda call: error(401, "bad.credentials") if call.path == BATCHES else None
    with pytest.raises(NotAuthorised) as caught:
        ask(client)
    assert (401, "bad.credentials") == (caught.value.status, caught.value.code)
    assert (2, 2) == (len(genesys.calls_to(TOKEN)), len(genesys.calls_to(BATCHES)))


def test_one_renewal_per_call_even_between_retries(client, genesys):
    """A call that is refused again after a retry does not renew for ever."""
    genesys.script(BATCHES, error(401, "x"), error(500, "y"), error(401, "x"), error(401, "x"))
    with pytest.raises(NotAuthorised):
        ask(client)
    assert 2 == len(genesys.calls_to(TOKEN))


def test_threads_refused_together_share_one_new_token(client, genesys):
    """Eight threads with the same dead token make one token call, not eight."""
    ask(client)
    barrier = Barrier(8)
    genesys.valid_tokens.clear()

    def work(_number: int) -> None:
        barrier.wait(5)
        ask(client)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert 2 == len(genesys.calls_to(TOKEN))


@pytest.mark.parametrize(
    "reply",
    [
        Reply(400, {"error": "invalid_client", "description": "client not found"}),
        error(401, "bad.credentials"),
        error(403, "not.authorized"),
        Reply(400, b"<html>"),
    ],
)
def test_a_refused_client_stops_at_once_and_names_the_connection(client, genesys, reply):
    """A wrong secret is final, however it is worded."""
    genesys.script(TOKEN, reply)
    with pytest.raises(NotAuthorised, match="'genesys_cloud'"):
        ask(client)
    assert (1, 0) == (len(genesys.calls_to(TOKEN)), len(genesys.calls_to(BATCHES)))


@pytest.mark.parametrize(
    "reply",
    [
        error(429, "too.many.requests", Retry_After="1"),
        error(500, "internal"),
        error(503, "service.unavailable"),
        Reply(200, b"<html>login</html>"),
        Reply(200, b'{"access_token":'),
        Reply(200, {"token_type": "bearer"}),
        Reply(200, {"access_token": None}),
        Reply(200, {"access_token": ""}),
        Reply(200, {"access_token": "a\r\nX-Evil: 1"}),
        Reply(200, []),
        Reply(200),
    ],
)
def test_a_login_server_in_trouble_is_asked_again(client, genesys, reply):
    """Whatever is no token is never sent as one."""
    genesys.script(TOKEN, reply, reply)
    ask(client)
    assert 3 == len(genesys.calls_to(TOKEN))
    assert ["Bearer canary-token-1"] == [call.headers["authorization"] for call in genesys.calls_to(BATCHES)]


def test_a_login_server_that_stays_in_trouble_is_given_up(client, genesys):
    """The budget of attempts ends; nothing is sent without a token."""
    genesys.on_call = lambda call: Reply(200, b"<html>") if call.path == TOKEN else None
    with pytest.raises(SourceUnavailable):
        ask(client)
    assert (10, 0) == (len(genesys.calls_to(TOKEN)), len(genesys.calls_to(BATCHES)))


def test_the_secret_follows_no_redirect(client, genesys):
    """A redirect of the login server is refused; the other host hears nothing."""
    with ScriptedGenesys() as other:
        genesys.script(TOKEN, Reply(307, None, {"Location": f"{other.url}{TOKEN}"}))
        with pytest.raises(ConfigurationError, match="redirect"):
            ask(client)
    assert [] == other.calls


def test_netrc_and_proxies_of_the_worker_change_nothing(client, genesys, tmp_path, monkeypatch):
    """The requests library would put the .netrc password in place of the Bearer token, and dial the proxy."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password canary-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    ask(client)
    assert "Bearer canary-token-1" == genesys.calls_to(BATCHES)[0].headers["authorization"]


def test_cookies_are_not_kept(client, genesys):
    """A cookie of the login server is not sent to the API."""
    genesys.on_call = lambda _call: None
    genesys.script(TOKEN, Reply(200, {"access_token": "t", "expires_in": 900}, {"Set-Cookie": "session=1; Path=/"}))
    genesys.valid_tokens.add("t")
    ask(client)
    assert "cookie" not in genesys.calls_to(BATCHES)[0].headers


def test_a_change_of_connection_is_a_change_of_token(make_client, connection):
    """Two clients share no token."""
    first, second = make_client(), make_client(client_id="client-2")
    ask(first)
    ask(second)
    assert (1, 1) == (first.counts.token_requests, second.counts.token_requests)
    assert replace(connection) == connection
