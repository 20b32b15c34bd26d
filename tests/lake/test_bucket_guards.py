"""What a bucket guards, asked of a real server: each misconfiguration on its own, and a bucket that has everything."""

from __future__ import annotations

import json
from dataclasses import replace
from uuid import uuid4

import pytest

from include.errors import ConfigurationError
from include.lake.bucket_guards import GuardState
from include.lake.protection import Protection
from include.lake.retention import VARIABLE, RetentionRules
from include.lake.store import LakeStore, Writing
from include.settings import LakeLocation
from tests.lake.scripted_bucket import Answer, ScriptedBucket

GOOD, MISSING, UNKNOWN = GuardState
LOCKED = Protection(object_lock_mode="GOVERNANCE", retention_days=1)
EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
NO_HTTP = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@pytest.fixture
def bucket(lake_client):
    """Return the name of a new bucket as a server makes it."""
    name = f"guards-{uuid4().hex[:12]}"
    lake_client.create_bucket(Bucket=name)
    return name


@pytest.fixture
def guarded(lake_client):
    """Return the name of a bucket with every guard that the server knows."""
    name = f"guarded-{uuid4().hex[:12]}"
    lake_client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    lake_client.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    say(lake_client, name, NO_HTTP)
    return name


def say(client, bucket, statement):
    """Give a bucket a policy of one statement."""
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"arn:aws:s3:::{bucket}/*"}]}
    client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def asked(client, bucket, protection=None, **rule):
    """Return the guards of a bucket by name, for a lake with this protection and perhaps a rule for one queue."""
    rules = json.dumps([{"queues": ["Payments"], **rule}] if rule else [])
    writing = Writing(protection or Protection(), retention=RetentionRules.from_environment({VARIABLE: rules}))
    lake = LakeStore(client, LakeLocation(bucket, "p"), writing)
    return {guard.name: guard for guard in lake.guards()}


def test_bucket_with_every_guard(lake_client, guarded):
    """S11: nothing is missing, and everything that the settings ask for is enough."""
    found = asked(lake_client, guarded, LOCKED)
    assert {GOOD} == {guard.state for guard in found.values()}
    assert all(guard.is_enough for guard in found.values())


def test_bucket_as_it_is_made(lake_client, bucket):
    """S11: no versions are not enough; a lock is needed where the settings lock."""
    found = asked(lake_client, bucket)
    assert {"versioning": MISSING, "object_lock": MISSING, "not_public": GOOD, "encryption": MISSING} == {
        name: guard.state for name, guard in found.items() if name != "tls_only"
    }
    assert ["versioning"] == [name for name, guard in found.items() if not guard.is_enough]
    locked = asked(lake_client, bucket, LOCKED)
    assert ["versioning", "object_lock"] == [name for name, guard in locked.items() if not guard.is_enough]


@pytest.mark.parametrize("rule", [{"mode": "GOVERNANCE", "days": 90}, {"mode": "none", "legal_hold": True}])
def test_rule_that_locks_needs_a_bucket_that_can(lake_client, bucket, rule):
    """Without Object Lock each write of that queue is refused, and the first night finds out."""
    found = asked(lake_client, bucket, **rule)
    assert ["versioning", "object_lock"] == [name for name, guard in found.items() if not guard.is_enough]
    assert not asked(lake_client, bucket, mode="none")["object_lock"].required


def test_suspended_versions_are_none(lake_client, bucket):
    """S11: what was kept once is not kept now."""
    for status, state in (("Enabled", GOOD), ("Suspended", MISSING)):
        lake_client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        assert state is asked(lake_client, bucket)["versioning"].state


def test_policy_for_everybody_is_seen(lake_client, guarded):
    """S11: one statement lets the world read the calls."""
    say(lake_client, guarded, EVERYBODY)
    found = asked(lake_client, guarded)
    assert (MISSING, False) == (found["not_public"].state, found["not_public"].is_enough)
    assert MISSING is found["tls_only"].state


def test_access_list_for_everybody_is_seen(lake_client, guarded):
    """S11: the older way to the same."""
    lake_client.put_bucket_acl(Bucket=guarded, ACL="public-read")
    assert MISSING is asked(lake_client, guarded)["not_public"].state


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(403, "AccessDenied"), "this role may not ask"),
        (Answer(501, "NotImplemented"), "this server does not know the question"),
    ],
)
def test_what_cannot_be_asked_is_not_enough(lake_at, answer, said):
    """S11: a role that sees nothing must not be told that all is well."""
    with ScriptedBucket(GET=[answer]) as server:
        lake = lake_at(server.url)
        lake.writing = replace(lake.writing, protection=LOCKED)
        found = lake.guards()
    assert {UNKNOWN} == {guard.state for guard in found}
    assert all(guard.note.startswith(said) for guard in found)
    assert ["versioning", "object_lock", "not_public"] == [guard.name for guard in found if not guard.is_enough]


def test_blocked_access_needs_no_other_question(lake_at):
    """S11: where AWS blocks public access, neither policy nor access list can open the bucket."""
    names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    block = "".join(f"<{name}>true</{name}>" for name in names)
    body = f"<PublicAccessBlockConfiguration>{block}</PublicAccessBlockConfiguration>".encode()
    refused = Answer(403, "AccessDenied")
    with ScriptedBucket(GET=[refused, refused, Answer(200, body=body), refused]) as server:
        assert GOOD is {guard.name: guard for guard in lake_at(server.url).guards()}["not_public"].state


def test_bucket_that_is_not_there(lake_client):
    """A wrong name is no list of missing guards."""
    with pytest.raises(ConfigurationError, match="does not exist"):
        asked(lake_client, "nobody-made-this-one")
