"""The door: retries, waiting, limits and errors of one call."""

from __future__ import annotations

import logging
from dataclasses import replace
from email.utils import formatdate

import pytest

from include.errors import ConfigurationError, NotAuthorised, RateLimited, RequestRejected, SourceUnavailable
from include.genesys.retry import retry_after_seconds
from tests.genesys.conftest import CANARY_SECRET, connection_to
from tests.genesys.one_job import JOB, ask
from tests.genesys.scripted_server import BATCHES, QUERY, Reply, error, uuid
from tests.genesys.test_client import DAY

pytestmark = pytest.mark.usefixtures("one_open_job")


def test_a_stated_wait_is_kept(client, genesys, time):
    """``Retry-After: 7`` is seven seconds, once, and counted."""
    genesys.script(JOB, error(429, "too.many.requests.retry.after", Retry_After="7"))
    ask(client)
    assert [7.0] == time.slept
    assert (1, 1, 7.0) == (client.counts.retries, client.counts.rate_limited, client.counts.seconds_waited)


def test_those_told_the_same_wait_do_not_all_return_at_once(client, genesys, time):
    """Jitter comes on top of the stated wait, never below it."""
    time.jitter = 0.5
    genesys.script(JOB, error(429, "too.many.requests", Retry_After="7"))
    ask(client)
    assert [7.5] == time.slept


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("1000000000", 1e9),
        ("9" * 400, 999999999999.0),
        ("-7", None),
        ("7.5", None),
        ("soon", None),
        ("", None),
        ("\u0667", None),
        ("Mon, 99 Foo 2026 00:00:00 GMT", None),
        (formatdate(1_000_012, usegmt=True), 12.0),
        (formatdate(999_000, usegmt=True), 0.0),
    ],
)
def test_retry_after_is_read_in_both_forms_and_garbage_is_nothing(value, seconds):
    """Seconds and dates count; a past date is zero; the rest leaves us to our own back-off."""
    assert seconds == retry_after_seconds({"Retry-After": value}, 1_000_000.0)


def test_a_date_is_measured_by_the_servers_clock():
    """A worker whose clock is an hour off waits twelve seconds all the same."""
    headers = {"Retry-After": formatdate(1_000_012, usegmt=True), "Date": formatdate(1_000_000, usegmt=True)}
    assert 12.0 == retry_after_seconds(headers, 1_003_600.0)


def test_without_the_header_there_is_no_wait():
    """No header, no hint."""
    assert retry_after_seconds({}, 0.0) is None


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
@pytest.mark.parametrize("times", [1, 9])
def test_what_may_pass_is_tried_again(client, genesys, status, times):
    """Up to nine failures in a row are survived."""
    genesys.script(JOB, *[error(status, "x")] * times)
    ask(client)
    assert times + 1 == len(genesys.calls_to(JOB))


@pytest.mark.parametrize(("status", "kind"), [(408, SourceUnavailable), (429, RateLimited), (503, SourceUnavailable)])
def test_patience_ends_after_ten_attempts(client, genesys, status, kind):
    """The tenth failure is the answer, with its facts."""
    genesys.script(JOB, *[error(status, "some.code")] * 20)
    with pytest.raises(kind) as caught:
        ask(client)
    assert 10 == len(genesys.calls_to(JOB)) == caught.value.facts["attempts"]
    facts = caught.value.facts
    assert (status, "some.code", "corr-1", "genesys_cloud") == (
        caught.value.status,
        caught.value.code,
        facts["correlation_id"],
        facts["connection"],
    )
    assert "GET /api/v2/recording/batchrequests/{}" == facts["endpoint"]


def test_backoff_grows_and_is_capped(client, genesys, time):
    """Full jitter draws from 1, 2, 4, 8, 16, then 20 seconds."""
    time.jitter = 1.0
    genesys.script(JOB, *[error(500, "x")] * 8)
    ask(client)
    assert [1, 2, 4, 8, 16, 20, 20, 20] == time.slept


def test_the_wall_cap_ends_patience_too(make_client, settings, genesys, time):
    """Waiting never goes beyond the deadline of the call."""
    time.jitter = 1.0
    client = make_client(settings=replace(settings, api_deadline_seconds=10.0))
    genesys.script(JOB, *[error(500, "x")] * 8)
    with pytest.raises(SourceUnavailable):
        ask(client)
    assert [1, 2, 4] == time.slept


@pytest.mark.parametrize(("value", "reported"), [("301", 301.0), ("1000000000", 3600.0)])
def test_a_long_wait_is_left_to_airflow(make_client, settings, genesys, time, value, reported):
    """Beyond the cap nobody sleeps here, deadline or not, and nobody is parked for years there."""
    client = make_client(settings=replace(settings, api_deadline_seconds=1e10))
    genesys.script(JOB, error(429, "too.many.requests", Retry_After=value))
    with pytest.raises(RateLimited) as caught:
        ask(client)
    assert reported == caught.value.retry_after_seconds
    assert [] == time.slept


def test_a_storm_without_hints_asks_airflow_for_a_minute(client, genesys):
    """When 429 names no time, the length of the rate window does."""
    genesys.script(JOB, *[error(429, "too.many.requests")] * 10)
    with pytest.raises(RateLimited) as caught:
        ask(client)
    assert 60.0 == caught.value.retry_after_seconds


def test_a_long_outage_with_a_hint_keeps_the_hint(client, genesys):
    """503 with a long Retry-After is given up at once, with the fact attached."""
    genesys.script(JOB, error(503, "service.unavailable", Retry_After="900"))
    with pytest.raises(SourceUnavailable) as caught:
        ask(client)
    assert 900.0 == caught.value.facts["retry_after_seconds"]
    assert 1 == len(genesys.calls_to(JOB))


def test_a_storm_on_one_client_holds_back_the_other(make_client, genesys, time):
    """Both share the token's allowance, so both keep the wait that one was told."""
    first, second = make_client(), make_client()
    genesys.script(JOB, error(429, "too.many.requests", Retry_After="301"))
    with pytest.raises(RateLimited):
        ask(first)
    ask(second)
    assert [300.0] == time.slept
    assert 300.0 == second.counts.seconds_waited


def test_the_allowance_is_kept_and_does_not_count_as_outage(make_client, settings, time):
    """With two calls a minute, five calls wait twice, deadline or not."""
    client = make_client(requests_per_minute=2, settings=replace(settings, api_deadline_seconds=5.0))
    for _ in range(5):
        ask(client)
    assert [60.5, 60.5] == time.slept
    assert 5 == client.counts.total


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_refused(client, genesys, status):
    """The Bearer token goes where the connection says, nowhere else."""
    genesys.script(JOB, Reply(status, None, {"Location": f"{genesys.url}/elsewhere"}))
    with pytest.raises(ConfigurationError, match="redirect"):
        ask(client)
    assert [] == genesys.calls_to("/elsewhere")


@pytest.mark.parametrize("status", [304, 400, 402, 405, 409, 413, 415, 418, 501])
def test_what_cannot_pass_is_not_repeated(client, genesys, status):
    """A rejected request is a bug or a fact; repeating it changes nothing."""
    genesys.script(JOB, error(status, "some.code", "because"))
    with pytest.raises(RequestRejected) as caught:
        ask(client)
    assert (1, status) == (len(genesys.calls_to(JOB)), caught.value.status)


def test_a_missing_permission_is_named(client, genesys, caplog):
    """403 is final, and the message says what to grant."""
    genesys.script(JOB, error(403, "missing.permissions", "Missing: recording:recording:view"))
    with pytest.raises(NotAuthorised, match=r"'genesys_cloud'.*recording:recording:view") as caught:
        ask(client)
    assert "missing.permissions" == caught.value.code
    assert "corr-1" in caplog.text


def test_calls_are_counted_by_template(client):
    """Counts name endpoints, never ids."""
    ask(client)
    client.find_conversations(*DAY)
    client.submit_batch([uuid(1)])
    assert {
        "GET /api/v2/recording/batchrequests/{}": 1,
        f"POST {BATCHES}": 1,
        f"POST {QUERY}": 1,
    } == client.counts.calls


def test_no_secret_reaches_logs_or_errors(make_client, genesys, caplog):
    """A server that echoes what it was sent, and a signed URL, shows nothing of either."""
    caplog.set_level(logging.DEBUG)
    client = make_client()

    def echo(call):
        said = (
            f"{call.headers.get('authorization')} {CANARY_SECRET} https://h/x?X-Amz-Signature=canary-url\r\nfaked line"
        )
        return error(500 if len(genesys.calls) % 2 else 403, "x", said) if call.path == JOB else None

    genesys.on_call = echo
    with pytest.raises(NotAuthorised) as caught:
        ask(client)
    shown = caplog.text + str(caught.value) + repr(caught.value.facts) + repr(client.connection)
    for canary in ("canary-token", "canary-url", CANARY_SECRET):
        assert canary not in shown
    assert "\nfaked" not in shown
    assert "faked line" in shown


def test_an_untrusted_certificate_is_a_matter_for_a_person(make_client, tmp_path, caplog):
    """TLS is verified: a self-signed host gets no token and no second try; who never answered gave no id to quote."""
    from tests.genesys.tls_server import self_signed_server  # noqa: PLC0415 - one use

    with self_signed_server(tmp_path) as url:
        client = make_client(api_base_url=url, login_base_url=connection_to(url).login_base_url)
        with pytest.raises(ConfigurationError, match="certificate"):
            ask(client)
    assert "certificate" in caplog.text
    assert "correlation id" not in caplog.text
