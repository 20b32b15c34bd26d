"""Tokens, refusals and the rate limit, as a client meets them on the wire."""

from __future__ import annotations

import pytest

from include.sandbox.dice import uuid_for
from tests.sandbox.conftest import Client, started

USERS = "/api/v2/users"


def test_token_has_the_published_fields(client):
    """The platform grants a bearer token for a day, and says nothing of scopes."""
    granted = client.granted.json()
    assert {"access_token", "token_type", "expires_in"} == set(granted)
    assert ("bearer", 86400) == (granted["token_type"], granted["expires_in"])


@pytest.mark.parametrize(("faults", "status"), [((), 401), (("wrong-secret-400",), 400)], ids=["401", "400"])
def test_wrong_secret_is_refused(faults, status):
    """A wrong secret is 401, or 400 by switch; both say invalid_client."""
    with started(conversations=0, faults=faults) as (sandbox, client):
        refused = Client(sandbox, client.session, client_secret="not it").granted
        assert status == refused.status_code
        assert refused.json()["error"] == "invalid_client"


def test_credentials_may_come_in_the_body(client):
    """The login server also takes client_secret_post, as its metadata advertises."""
    form = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
    assert client.session.post(client.sandbox.login_base_url + "/oauth/token", data=form, timeout=10).status_code == 200


@pytest.mark.parametrize(
    ("headers", "code"),
    [({}, "authentication.required"), ({"Authorization": "Bearer nonsense"}, "bad.credentials")],
    ids=["none", "unknown"],
)
def test_calls_without_a_good_token_are_401(client, headers, code):
    """Each 401 names its reason in an ErrorBody that carries the correlation id."""
    refused = client.session.get(client.sandbox.api_base_url + USERS, headers=headers, timeout=10)
    body = refused.json()
    assert (401, 401, code) == (refused.status_code, body["status"], body["code"])
    assert refused.headers["ININ-Correlation-Id"] == body["contextId"]
    assert {"message", "messageParams", "details", "errors"} <= set(body)


def test_expired_and_revoked_tokens_are_bad_credentials():
    """A token dies with its time, by the fault switch, and when the client is disabled."""
    with started(conversations=0, token_seconds=0.2) as (sandbox, client):
        while client.get(USERS).status_code == 200:
            pass
        assert client.get(USERS).json()["code"] == "bad.credentials"
        assert sandbox.journal.calls("GET /api/v2/users")[0].status == 200
    with started(conversations=0, faults=("token-revoked",)) as (sandbox, client):
        assert [401, 401] == [client.get(USERS).status_code for _ in range(2)]
        fresh = Client(sandbox, client.session)
        assert fresh.get(USERS).status_code == 200
        sandbox.world.tokens.revoke_all()
        assert fresh.get(USERS).status_code == 401


def test_short_lived_tokens_on_request():
    """The switch token-expires-soon says so in expires_in."""
    with started(conversations=0, faults=("token-expires-soon:seconds=2",)) as (_, client):
        assert client.granted.json()["expires_in"] == 2


def test_rate_limit_counts_per_token_and_asks_to_wait():
    """The call over the limit is 429 with Retry-After and no inin-ratelimit headers; another token is unaffected."""
    with started(conversations=0, rate_limit=5) as (sandbox, client):
        statuses = [client.get(USERS).status_code for _ in range(6)]
        refused = client.get(USERS)
        assert [200] * 5 + [429] == statuses
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert refused.json()["code"] == "too.many.requests.retry.after"
        assert f"[{refused.headers['Retry-After']}]" in refused.json()["message"]
        assert not [name for name in refused.headers if name.lower().startswith("inin-ratelimit")]
        assert Client(sandbox, client.session).get(USERS).status_code == 200


def test_unknown_paths_are_404_and_still_need_a_token(client):
    """What the API does not have is 404 with an ErrorBody."""
    assert client.get(f"/api/v2/recording/media/{uuid_for('x')}").json()["code"] == "not.found"


def test_oversized_request_is_413(client):
    """A body over request.bytes.max is refused before it is read as JSON."""
    refused = client.call("POST", "/api/v2/analytics/conversations/details/query", data=b" " * 600_000)
    assert (413, "request.entity.too.large") == (refused.status_code, refused.json()["code"])


@pytest.mark.parametrize(
    ("headers", "form", "error"),
    [
        ({"Authorization": "Basic %%%"}, {"grant_type": "client_credentials"}, "invalid_client"),
        (None, {"grant_type": "password"}, "unsupported_grant_type"),
    ],
    ids=["unreadable credentials", "other grant"],
)
def test_odd_token_requests_are_refused(client, headers, form, error):
    """Unreadable Basic credentials and other grants are refused by their OAuth names."""
    auth = None if headers else (client.sandbox.client_id, client.sandbox.client_secret)
    url = client.sandbox.login_base_url + "/oauth/token"
    assert client.session.post(url, headers=headers, auth=auth, data=form, timeout=10).json()["error"] == error


def test_unreadable_json_is_400(client):
    """A body that is no JSON object is 400 bad.request."""
    for body in (b"{", b"[]"):
        refused = client.call("POST", "/api/v2/recording/batchrequests", data=body)
        assert (400, "bad.request") == (refused.status_code, refused.json()["code"])
