"""The IAM policies allow what the archive does and refuse what nobody may do."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from include.settings import LakeLocation

FOLDER = Path(__file__).parents[2] / "deploy" / "iam"
BUCKET, OBJECT = "arn:aws:s3:::BUCKET", "arn:aws:s3:::BUCKET/PREFIX/media/x"


def allowed(policy_name, action, resource):
    """Evaluate a policy as IAM does, conditions aside: an explicit deny wins, and silence is a no."""
    statements = json.loads((FOLDER / f"{policy_name}.json").read_text("utf-8"))["Statement"]
    matching = [
        one["Effect"]
        for one in statements
        if set(one.get("Condition", {})) != {"Bool"}
        and any(fnmatchcase(action, pattern) for pattern in _list(one["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in _list(one["Resource"]))
    ]
    return "Allow" in matching and "Deny" not in matching


def _list(value):
    return [value] if isinstance(value, str) else value


WRITER_MAY = [
    ("s3:ListBucket", BUCKET),
    ("s3:PutObject", OBJECT),
    ("s3:GetObject", OBJECT),
    ("s3:GetObjectVersion", OBJECT),
    ("s3:GetObjectLegalHold", OBJECT),
    ("s3:GetBucketObjectLockConfiguration", BUCKET),
    ("s3:AbortMultipartUpload", OBJECT),
    ("s3:ListMultipartUploadParts", OBJECT),
]
NOBODY_MAY = [
    ("s3:DeleteObject", OBJECT),
    ("s3:DeleteObjectVersion", OBJECT),
    ("s3:BypassGovernanceRetention", OBJECT),
    ("s3:PutObjectRetention", OBJECT),
    ("s3:DeleteBucket", BUCKET),
    ("s3:PutBucketPolicy", BUCKET),
    ("s3:PutLifecycleConfiguration", BUCKET),
    ("s3:PutBucketVersioning", BUCKET),
]
POLICIES = ["writer", "auditor"]


@pytest.mark.parametrize(("action", "resource"), WRITER_MAY)
def test_writer_may_do_what_the_archive_does(action, resource):
    """Every call the archive makes is allowed."""
    assert allowed("writer", action, resource)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("action", "resource"), NOBODY_MAY)
def test_nobody_may_undo_the_archive(policy, action, resource):
    """Neither role deletes, shortens a retention or changes the bucket."""
    assert not allowed(policy, action, resource)


@pytest.mark.parametrize("kind", ["tombstones", "erasures"])
def test_writer_makes_nothing_look_erased(kind):
    """Who archives could otherwise put a tombstone over a loss of its own."""
    assert not allowed("writer", "s3:PutObject", f"{BUCKET}/PREFIX/{kind}/date=2026-03-02/x.json")


PEOPLE = ["eraser", "holder"]
BUCKET_CHANGES = [
    "s3:DeleteBucket",
    "s3:PutBucketPolicy",
    "s3:PutLifecycleConfiguration",
    "s3:PutBucketVersioning",
    "s3:PutBucketObjectLockConfiguration",
    "s3:PutObjectRetention",
]


def folder(name):
    """Return an object below one folder of the archive."""
    return f"{BUCKET}/PREFIX/{name}/x"


@pytest.mark.parametrize("name", ["media", "derived", "quarantine", "plans", "catalog", "reports"])
def test_eraser_deletes_what_holds_personal_data(name):
    """Every version, also one that only GOVERNANCE mode keeps."""
    actions = (
        "s3:DeleteObjectVersion",
        "s3:BypassGovernanceRetention",
        "s3:GetObjectRetention",
        "s3:GetObjectLegalHold",
    )
    assert [True] * 4 == [allowed("eraser", action, folder(name)) for action in actions]


@pytest.mark.parametrize("name", ["manifests", "commits", "tombstones", "erasures", "audit", "seals"])
def test_eraser_deletes_no_evidence(name):
    """What proves the day stays, tombstones and certificates too."""
    assert not allowed("eraser", "s3:DeleteObjectVersion", folder(name))


@pytest.mark.parametrize("name", ["tombstones", "erasures", "plans", "commits", "audit", "seals", "catalog", "reports"])
def test_eraser_writes_what_an_erasure_leaves(name):
    """Tombstone, certificate, the plan without the facts, the next commit, and the views anew."""
    assert allowed("eraser", "s3:PutObject", folder(name))


def test_holds_and_erasures_are_in_two_hands():
    """Who erases cannot lift a hold first; who holds deletes nothing; the archive itself does neither."""
    held = {name: allowed(name, "s3:PutObjectLegalHold", OBJECT) for name in ("writer", *PEOPLE)}
    erased = {name: allowed(name, "s3:DeleteObjectVersion", OBJECT) for name in ("writer", *PEOPLE)}
    assert {"writer": False, "eraser": False, "holder": True} == held
    assert {"writer": False, "eraser": True, "holder": False} == erased


@pytest.mark.parametrize("policy", PEOPLE)
@pytest.mark.parametrize("action", BUCKET_CHANGES)
def test_people_do_not_change_the_bucket(policy, action):
    """Neither role shortens a retention or rewrites the bucket's rules."""
    assert not allowed(policy, action, BUCKET)
    assert not allowed(policy, action, OBJECT)


@pytest.mark.parametrize("policy", PEOPLE)
def test_people_write_no_recordings(policy):
    """What is archived came from the source and from nobody else."""
    assert not allowed(policy, "s3:PutObject", OBJECT)


@pytest.mark.parametrize("action", ["s3:PutObject", "s3:AbortMultipartUpload", "s3:RestoreObject"])
def test_auditor_changes_nothing(action):
    """The auditor reads."""
    assert not allowed("auditor", action, OBJECT)


@pytest.mark.parametrize("action", ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention"])
def test_auditor_reads_every_version(action):
    """A version under a delete marker is still evidence."""
    assert allowed("auditor", action, OBJECT)


@pytest.mark.parametrize(
    "action", ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetBucketVersioning"]
)
def test_auditor_can_verify_the_whole_lake(action):
    """``make verify WHOLE=1`` lists objects, versions, and uploads that were left open."""
    assert allowed("auditor", action, BUCKET)


@pytest.mark.parametrize("policy", [*POLICIES, "eraser", "holder"])
def test_objects_outside_the_prefix_are_out_of_reach(policy):
    """The rest of the bucket is none of our business."""
    assert not allowed(policy, "s3:GetObject", "arn:aws:s3:::BUCKET/other/x")


def test_task_logs_go_where_their_connection_may_write():
    """The chart's log folder is outside the archive, and the connection it names is allowed what Airflow does there."""
    values = yaml.safe_load((FOLDER.parent / "helm" / "values.yaml").read_text("utf-8"))
    logging = values["config"]["logging"]
    folder = LakeLocation.parse(logging["remote_base_log_folder"])
    (lake,) = (LakeLocation.parse(one["value"]) for one in values["env"] if one["name"] == "RECORDING_LAKE_URI")
    log = "arn:aws:s3:::BUCKET/PREFIX/dag_id=x/attempt=1.log"
    may = [allowed("task-logs", action, log) for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")]
    assert folder.bucket != lake.bucket
    assert ("task_logs", [True, True, False]) == (logging["remote_log_conn_id"], may)


def test_absent_log_is_not_taken_for_a_forbidden_one():
    """S3 answers 403 for an absent key to who may not list the bucket, and Airflow then gives up writing the log."""
    assert allowed("task-logs", "s3:ListBucket", BUCKET)


@pytest.mark.parametrize("policy", POLICIES)
def test_deletion_is_refused_explicitly(policy):
    """A second, wider policy on the same role cannot grant what is denied here."""
    statements = json.loads((FOLDER / f"{policy}.json").read_text("utf-8"))["Statement"]
    denied = [action for one in statements if one["Effect"] == "Deny" for action in _list(one["Action"])]
    assert any(fnmatchcase("s3:DeleteObjectVersion", pattern) for pattern in denied)


@pytest.mark.parametrize("policy", [*POLICIES, "eraser", "holder", "task-logs"])
def test_unencrypted_connections_are_refused(policy):
    """Plain HTTP is denied for every action."""
    statements = json.loads((FOLDER / f"{policy}.json").read_text("utf-8"))["Statement"]
    plain = {"Bool": {"aws:SecureTransport": "false"}}
    assert [("Deny", "s3:*")] == [(one["Effect"], one["Action"]) for one in statements if one.get("Condition") == plain]


def test_queue_of_the_export_is_read_and_its_messages_deleted():
    """What the ingest calls, and nothing that would empty or redirect the queue."""
    queue = "arn:aws:sqs:REGION:ACCOUNT:EXPORT-QUEUE"
    calls = ("GetQueueAttributes", "ReceiveMessage", "ChangeMessageVisibility", "DeleteMessage")
    assert [True] * 4 == [allowed("export-queue", f"sqs:{action}", queue) for action in calls]
    others = ("PurgeQueue", "DeleteQueue", "SetQueueAttributes", "SendMessage")
    assert [False] * 4 == [allowed("export-queue", f"sqs:{action}", queue) for action in others]


def test_gate_of_the_export_deletes_versions_and_writes_nothing():
    """A role apart: it lists, reads and deletes versions below the prefix, and no more."""
    bucket, key = "arn:aws:s3:::EXPORT-BUCKET", "arn:aws:s3:::EXPORT-BUCKET/EXPORT-PREFIX/x"
    assert allowed("export-deleter", "s3:ListBucketVersions", bucket)
    reads = ("s3:GetObject", "s3:GetObjectVersion", "s3:DeleteObjectVersion")
    assert [True] * 3 == [allowed("export-deleter", action, key) for action in reads]
    assert not allowed("export-deleter", "s3:DeleteObjectVersion", "arn:aws:s3:::EXPORT-BUCKET/another/x")
    others = ("s3:PutObject", "s3:DeleteObject", "s3:BypassGovernanceRetention", "s3:PutLifecycleConfiguration")
    assert [False] * 4 == [allowed("export-deleter", action, key) for action in others]


def test_export_is_only_read():
    """Who ingests the native export lists and reads it, and changes nothing there."""
    bucket, key = "arn:aws:s3:::EXPORT-BUCKET", "arn:aws:s3:::EXPORT-BUCKET/EXPORT-PREFIX/x"
    assert allowed("export-reader", "s3:ListBucket", bucket)
    assert allowed("export-reader", "s3:GetObject", key)
    changes = ("s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutLifecycleConfiguration")
    assert [False] * 4 == [allowed("export-reader", action, key) for action in changes]
