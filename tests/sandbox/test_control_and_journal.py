"""The sandbox's own switches: truth, journal, faults; none needs a token, none gives a secret away."""

from __future__ import annotations

from tests.sandbox.conftest import DAY


def control(client, method, path, **options):
    """Call a control route without a token."""
    return client.session.request(method, client.sandbox.api_base_url + path, timeout=20, **options)


def test_truth_is_served_as_json(client, truth):
    """The control route gives the same truth as the in-process call."""
    served = control(client, "GET", f"/sandbox/truth?date={DAY}").json()
    assert [each.conversation_id for each in truth.conversations] == [
        each["conversation_id"] for each in served["conversations"]
    ]
    assert truth.counts == served["counts"]
    assert control(client, "GET", "/sandbox/truth?date=someday").status_code == 400
    assert control(client, "GET", f"/sandbox/truth?date={DAY}&outputFormat=FLAC").status_code == 400
    assert control(client, "GET", "/sandbox/truth?date=2020-01-01").json()["conversations"] == []


def test_journal_counts_calls_and_hides_signatures(client, audio_url):
    """Each call is noted with template, status and bytes; presigned queries lose what opens them."""
    client.sandbox.journal.clear()
    client.media(audio_url[0], headers={"Range": "bytes=0-9"})
    client.get("/api/v2/users?pageSize=1")
    assert {"GET /recordings/{part}": 1, "GET /api/v2/users": 1} == control(
        client, "GET", "/sandbox/journal?summary=1"
    ).json()
    media, users = control(client, "GET", "/sandbox/journal").json()
    assert (206, 10, "bytes=0-9", "media", False) == tuple(
        media[name] for name in ("status", "bytes_sent", "range", "port", "authorised")
    )
    assert "Signature" not in media["query"]
    assert "X-Amz-Date" in media["query"]
    assert ("sandbox-client", True) == (users["client_id"], users["authorised"])
    assert control(client, "DELETE", "/sandbox/journal").status_code == 204
    assert len(client.sandbox.journal) == 0


def test_faults_are_switched_over_the_wire(client):
    """POST switches on, GET lists what struck, DELETE switches one or all off; nonsense is 400."""
    assert control(client, "POST", "/sandbox/faults", json={"fault": "api-500:3"}).status_code == 200
    assert client.get("/api/v2/users").status_code == 500
    state = control(client, "GET", "/sandbox/faults").json()
    assert [{"name": "api-500", "fired": 1, "remaining": 2, "match": ""}] == state["on"]
    assert "media-truncated" in state["catalogue"]
    assert control(client, "DELETE", "/sandbox/faults?name=api-500").json() == {"on": []}
    assert control(client, "POST", "/sandbox/faults", json={"fault": "nonsense"}).status_code == 400


def test_tokens_are_voided_over_the_wire(client):
    """DELETE /sandbox/tokens makes every token void, as disabling the client does."""
    extra = type(client)(client.sandbox, client.session)
    held = dict(client.sandbox.world.tokens._issued)
    assert control(client, "DELETE", "/sandbox/tokens").status_code == 204
    assert extra.get("/api/v2/users").status_code == 401
    client.sandbox.world.tokens._issued.update(held)


def test_no_control_answer_holds_a_secret(client):
    """Neither client secret, nor a token, nor a signature is in any control answer or repr."""
    token = client.headers["Authorization"].split()[1]
    texts = [control(client, "GET", path).text for path in ("/sandbox", "/sandbox/journal", "/sandbox/faults")]
    texts += [repr(client.sandbox), repr(client.sandbox.world.config), repr(client.sandbox.world.tokens)]
    for text in texts:
        assert "sandbox-secret" not in text
        assert token not in text
        assert "X-Amz-Signature" not in text
