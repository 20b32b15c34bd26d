"""Which connections are accepted, and what is said of the others."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.genesys.connection import GenesysConnection, is_loopback
from include.genesys.contract import token_form
from include.genesys.models import Contract
from include.genesys.regions import REGION_DOMAINS, region_of

GOOD = {"name": "genesys_cloud", "host": "mypurecloud.ie", "login": "client-1", "password": "canary-secret"}


def build(extra: dict | None = None, **fields: object) -> GenesysConnection:
    """Return the good connection with changes."""
    return GenesysConnection.from_fields(**{**GOOD, **fields}, extra={"org_id": "org-1", **(extra or {})})


@pytest.mark.parametrize("domain", sorted(REGION_DOMAINS))
def test_every_region_gives_its_own_two_hosts(domain):
    """A region domain, alone, with its service prefix or as a URL, names API and login host."""
    for host in (domain, f"api.{domain}", f"https://api.{domain}", f"https://login.{domain}/", f" {domain.upper()} "):
        connection = build(host=host)
        assert (f"https://api.{domain}", f"https://login.{domain}") == (
            connection.api_base_url,
            connection.login_base_url,
        )
        assert ("amazonaws.com", domain) == connection.media_hosts


def test_there_are_eighteen_regions():
    """The list is the one of the official SDK 269.0.0."""
    assert 18 == len(REGION_DOMAINS) == len(set(REGION_DOMAINS.values()))


def test_the_guide_contract_asks_the_api_host_for_tokens():
    """The guides know no login host."""
    connection = build({"contract": "Guide"})
    assert (Contract.GUIDE, "https://api.mypurecloud.ie") == (connection.contract, connection.login_base_url)


def test_the_platform_contract_is_the_default():
    """What the published API speaks needs no setting."""
    assert (Contract.PLATFORM, 300) == (build().contract, build().requests_per_minute)


@pytest.mark.parametrize(
    ("extra", "form"),
    [
        ({}, {}),
        ({"contract": "guide"}, {"scope": "recording:read"}),
        (
            {"contract": "guide", "scope": " recording:read  conversation:readonly "},
            {"scope": "recording:read conversation:readonly"},
        ),
        ({"scope": "recordings"}, {"scope": "recordings"}),
    ],
)
def test_scope_of_the_token_is_the_guide_s_unless_the_connection_says_another(extra, form):
    """The two guides name different ones, and the platform looks at none."""
    assert {"grant_type": "client_credentials", **form} == token_form(build(extra).token_scope)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:8080/", "http://[::1]:8080"])
def test_plain_http_is_for_this_machine(url):
    """A sandbox on the loopback serves both hosts, without TLS."""
    connection = build({"api_base_url": url})
    assert url.rstrip("/") == connection.api_base_url == connection.login_base_url
    assert connection.loopback


@pytest.mark.parametrize("host", ["", "127.0.0.1", "localhost", "http://127.0.0.1:8080", "mypurecloud.com"])
def test_a_sandbox_may_stand_under_any_host_name_of_the_connection(host):
    """The base URL decides; a loopback is no region."""
    assert build({"api_base_url": "http://127.0.0.1:8080"}, host=host).loopback


def test_a_region_newer_than_this_code_can_be_named_by_its_urls():
    """Explicit base URLs carry a region that the table lacks."""
    connection = build({"api_base_url": "https://api.new1.pure.cloud"}, host="api.new1.pure.cloud")
    assert "https://login.new1.pure.cloud" == connection.login_base_url
    assert ("amazonaws.com", "api.new1.pure.cloud") == connection.media_hosts


@pytest.mark.parametrize(
    ("field", "fields", "extra"),
    [
        ("host", {"host": ""}, {}),
        ("host", {"host": None}, {}),
        ("host", {"host": "mypurecloud.evil.example"}, {}),
        ("host", {"host": "api.mypurecloud.com.evil.example"}, {}),
        ("host", {"host": "other.example"}, {"api_base_url": "https://api.mypurecloud.ie"}),
        ("login", {"login": ""}, {}),
        ("login", {"login": None}, {}),
        ("login", {"login": "a:b"}, {}),
        ("login", {"login": "a\r\nX: y"}, {}),
        ("password", {"password": ""}, {}),
        ("password", {"password": None}, {}),
        ("password", {"password": "canary-secret\n"}, {}),
        ("org_id", {}, {"org_id": ""}),
        ("org_id", {}, {"org_id": None}),
        ("org_id", {}, {"org_id": "../org"}),
        ("org_id", {}, {"org_id": 7}),
        ("contract", {}, {"contract": "platfrom"}),
        ("requests_per_minute", {}, {"requests_per_minute": 0}),
        ("requests_per_minute", {}, {"requests_per_minute": -1}),
        ("requests_per_minute", {}, {"requests_per_minute": True}),
        ("requests_per_minute", {}, {"requests_per_minute": "many"}),
        ("requests_per_minute", {}, {"requests_per_minute": 99999}),
        ("scope", {}, {"scope": 7}),
        ("scope", {}, {"scope": 'recording:read"'}),
        ("scope", {}, {"scope": "recording:read\r\nX: y"}),
        ("media_hosts", {}, {"media_hosts": "com"}),
        ("media_hosts", {}, {"media_hosts": " , "}),
        ("media_hosts", {}, {"media_hosts": "a.example/b"}),
        ("media_hosts", {}, {"media_hosts": ["ok.example", "http://x.example"]}),
        ("media_hosts", {}, {"media_hosts": 5}),
        ("private_media_hosts", {}, {"private_media_hosts": "https://inner.example"}),
        ("api_base_url", {}, {"api_base_url": "http://api.mypurecloud.ie"}),
        ("api_base_url", {}, {"api_base_url": "https://user:pw@api.mypurecloud.ie"}),
        ("api_base_url", {}, {"api_base_url": "https://api.mypurecloud.ie?x=canary-secret"}),
        ("api_base_url", {}, {"api_base_url": "ftp://api.mypurecloud.ie"}),
        ("api_base_url", {}, {"api_base_url": "https://[broken"}),
        ("api_base_url", {}, {"api_base_url": "https://"}),
        ("api_base_url", {}, {"api_base_url": "https://api.mypurecloud.ie/a b"}),
        ("api_base_url", {}, {"api_base_url": "https://api.mypurecloud.de"}),
        ("login_base_url", {}, {"login_base_url": "https://login.mypurecloud.de"}),
        ("login_base_url", {}, {"login_base_url": "https://login.evil.example"}),
        ("login_base_url", {}, {"login_base_url": "http://127.0.0.1:1"}),
        (
            "login_base_url",
            {},
            {"api_base_url": "http://127.0.0.1:1", "login_base_url": "https://login.mypurecloud.ie"},
        ),
    ],
)
def test_a_wrong_field_is_named_and_the_secret_is_not(field, fields, extra):
    """Whatever is missing or contradicts itself is refused by name of connection and field."""
    with pytest.raises(ConfigurationError) as caught:
        build(extra, **fields)
    assert "genesys_cloud" in str(caught.value)
    assert field in str(caught.value)
    assert field == caught.value.facts["field"]
    assert "canary-secret" not in str(caught.value)


def test_private_media_hosts_are_named_one_by_one():
    """No host may have a private address until the operator names it."""
    assert () == build({}).private_media_hosts
    assert ("s3.inner.example",) == build({"private_media_hosts": "s3.inner.example"}).private_media_hosts


def test_media_hosts_are_read_from_text_or_list():
    """Commas or a JSON list, with or without a leading wildcard."""
    assert ("a.example", "b.example") == build({"media_hosts": "*.A.example, .b.example,a.example"}).media_hosts
    assert ("localhost", "127.0.0.1") == build({"media_hosts": ["localhost", "127.0.0.1"]}).media_hosts


def test_an_organisation_has_one_spelling():
    """A UUID is written in lower case, whoever typed it."""
    upper = "0F8FAD5B-D9CB-469F-A165-70867728950E"
    assert upper.lower() == build({"org_id": upper}).org_id


def test_the_secret_is_not_in_the_repr():
    """A connection can be logged."""
    assert "canary-secret" not in repr(build())


@given(st.text())
def test_no_text_as_host_reaches_a_foreign_domain(host):
    """Whatever stands in the host field, the secret goes to a region or nowhere."""
    try:
        connection = build(host=host)
    except ConfigurationError:
        return
    assert region_of(connection.login_base_url.removeprefix("https://")) in REGION_DOMAINS


def test_loopback_is_told_by_literal_address_only():
    """No name is resolved to decide whether http is allowed."""
    assert [True, True, True, False, False] == [
        is_loopback(host) for host in ("localhost", "127.9.9.9", "::1", "10.0.0.1", "localhost.evil.example")
    ]
