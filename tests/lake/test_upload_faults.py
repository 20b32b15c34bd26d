"""Uploads when the network, the server or the credentials fail; the letters are rows of the fault list."""

from __future__ import annotations

import base64
import io
import multiprocessing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import boto3
import botocore.session
import pytest
import time_machine
from botocore.credentials import RefreshableCredentials

from include.canonical import sha256_hex
from include.errors import ConfigurationError, IntegrityError, LakeConflict, LakeUnavailable, NotAuthorised
from include.lake.backoff import Backoff
from include.lake.signed_http import UNSIGNED
from include.lake.store import LakeStore, Writing, client_config
from include.lake.write_once import CONFLICT_ATTEMPTS, DAMAGED_ATTEMPTS
from include.settings import LakeLocation
from tests.lake.cutting_proxy import AFTER, BEFORE, FLIPPED
from tests.lake.scripted_bucket import Answer, ScriptedBucket

KEY = "media/a/0-x.wav"
BODY = b"RIFF" * 100
CHECKSUM = base64.b64encode(bytes.fromhex(sha256_hex(BODY))).decode()
HELD = Answer(200, headers={"x-amz-checksum-sha256": CHECKSUM}, declared=len(BODY))
OK, ABSENT, SLOW = Answer(200), Answer(404), Answer(503, "SlowDown")
PROCESSES, ROUNDS = 4, 12


def put(lake, body=BODY, key=KEY):
    """Put bytes as audio would be put."""
    return lake.put_if_absent(key, io.BytesIO(body), bytes_=len(body), sha256=sha256_hex(body), media_type="audio/wav")


@pytest.fixture
def far_lake(lake_behind):
    """The same lake as ``lake``, reached through the proxy, with all attempts but no waits."""
    return lake_behind(retries=True)


def test_slow_down_is_waited_out_with_growing_waits(lake_at):
    """S1: each 503 costs a longer wait, and then the object is put."""
    waits = []
    with ScriptedBucket(PUT=[SLOW, SLOW, SLOW, OK], HEAD=[ABSENT, ABSENT, ABSENT, HELD]) as bucket:
        assert put(lake_at(bucket.url, retries=True, sleep=waits.append)).created
    assert 3 == len(waits)
    assert all(0 <= wait <= Backoff().ceiling_seconds(failure) for failure, wait in enumerate(waits, 1))


def test_outage_without_end_is_unavailable_after_bounded_attempts(lake_at):
    """S1: nobody waits for ever in a task; Airflow comes back in minutes."""
    with ScriptedBucket(PUT=[SLOW], HEAD=[ABSENT]) as bucket, pytest.raises(LakeUnavailable, match="SlowDown"):
        put(lake_at(bucket.url, retries=True))
    assert 5 == bucket.calls["PUT"]


def test_lost_request_is_sent_again_after_a_look(lake, proxy, far_lake):
    """S3: a request that never arrived is repeated, with the bucket asked in between."""
    proxy.cut(BEFORE, "PUT")
    assert put(far_lake).created
    assert ["PUT", "HEAD", "PUT", "HEAD"] == proxy.seen
    assert BODY == lake.read(KEY)


def test_lost_reply_costs_no_second_body(lake, proxy, far_lake):
    """S3: the reply was lost, the object is there: nothing is sent twice."""
    proxy.cut(AFTER, "PUT")
    assert sha256_hex(BODY) == put(far_lake).stored.sha256
    assert 1 == proxy.seen.count("PUT")
    assert BODY == lake.read(KEY)


def test_one_flipped_bit_is_refused_and_sent_again(lake, proxy, far_lake):
    """S4: what changed on its way is refused by the server, and the true bytes arrive."""
    proxy.cut(FLIPPED, "PUT")
    assert put(far_lake).created
    assert (2, BODY) == (proxy.seen.count("PUT"), lake.read(KEY))


def test_bits_that_flip_each_time_are_an_integrity_error(lake, proxy, far_lake):
    """S4: a line that damages every body is no line to archive over."""
    for _ in range(DAMAGED_ATTEMPTS):
        proxy.cut(FLIPPED, "PUT")
    with pytest.raises(IntegrityError, match="did not arrive as it was sent"):
        put(far_lake)
    assert lake.head(KEY) is None


def test_checksum_is_sent_and_signed_over_plain_http(lake_at):
    """S4: without TLS, too, neither body nor checksum can be changed unnoticed."""
    with ScriptedBucket(PUT=[OK], HEAD=[HELD]) as bucket:
        put(lake_at(bucket.url))
    sent = bucket.heard[0].headers
    signed = sent["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert (CHECKSUM, sha256_hex(BODY)) == (sent["x-amz-checksum-sha256"], sent["x-amz-content-sha256"])
    assert {"x-amz-checksum-sha256", "x-amz-content-sha256", "if-none-match", "host"} <= set(signed)
    assert UNSIGNED not in sent.values()


def test_existing_object_is_compared_not_overwritten(lake):
    """S5: the same bytes are done, other bytes are a conflict, and the first ones stay."""
    put(lake)
    assert not put(lake).created
    with pytest.raises(LakeConflict):
        put(lake, b"other")
    assert BODY == lake.read(KEY)


def test_conflict_is_sent_again_and_then_given_up(lake_at):
    """S6: 409 is repeated as AWS says, a bounded number of times."""
    busy = Answer(409, "ConditionalRequestConflict")
    with ScriptedBucket(PUT=[busy, busy, OK], HEAD=[HELD]) as bucket:
        assert put(lake_at(bucket.url)).created
    with ScriptedBucket(PUT=[busy], HEAD=[ABSENT]) as bucket, pytest.raises(LakeUnavailable):
        put(lake_at(bucket.url))
    assert CONFLICT_ATTEMPTS == bucket.calls["PUT"]


def test_conflict_whose_winner_finished_is_no_failure(lake_at):
    """S6: the other write was of the same bytes."""
    with ScriptedBucket(PUT=[Answer(409, "ConditionalRequestConflict")], HEAD=[HELD]) as bucket:
        assert not put(lake_at(bucket.url)).created


def _race(endpoint, access_key, secret_key, location, number, ends):
    """Put the same keys as the other processes, with bytes of one's own; say which were won."""
    client = boto3.client(
        "s3", endpoint_url=endpoint, aws_access_key_id=access_key, aws_secret_access_key=secret_key,
        region_name="us-east-1", config=client_config(),
    )  # fmt: skip
    lake, won = LakeStore(client, location), []
    for turn in range(ROUNDS):
        try:
            if put(lake, b"body %d" % number, f"race/{turn}").created:
                won.append(turn)
        except LakeConflict:
            continue
    ends.put((number, won))


def test_processes_that_race_for_the_same_keys_make_one_winner_each(object_store, lake):
    """S7: two runs of the same date at once: exactly one creates each key, and what it wrote is there."""
    spawn = multiprocessing.get_context("spawn")
    ends = spawn.Queue()
    place = (object_store.endpoint_url, object_store.access_key, object_store.secret_key, lake.location)
    racers = [spawn.Process(target=_race, args=(*place, number, ends)) for number in range(PROCESSES)]
    for racer in racers:
        racer.start()
    won = dict(ends.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join(30)
    assert list(range(ROUNDS)) == sorted(turn for turns in won.values() for turn in turns)
    for number, turns in won.items():
        assert all(b"body %d" % number == lake.read(f"race/{turn}") for turn in turns)


def test_expired_credentials_are_renewed_once(lake_at):
    """S10: a key pair that ends in the middle of a night is replaced, and the put goes on."""
    fresh = []
    with ScriptedBucket(PUT=[Answer(400, "ExpiredToken"), OK], HEAD=[HELD]) as bucket:

        def renew():
            fresh.append(lake_at(bucket.url, access_key="renewed")._client)
            return fresh[-1]

        lake = lake_at(bucket.url, renew=renew)
        assert put(lake).created
        put(lake)
    used = [request.headers["authorization"].partition("Credential=")[2].partition("/")[0] for request in bucket.heard]
    assert (["canary", *["renewed"] * 4], 1) == (used, len(fresh))


def test_credentials_that_expire_again_at_once_are_not_authorised(lake_at):
    """S10: renewed once for each call, not for ever; the sentence says what happened."""
    with ScriptedBucket(PUT=[Answer(400, "ExpiredToken")], HEAD=[ABSENT]) as bucket:
        lake = lake_at(bucket.url, renew=lambda: lake_at(bucket.url)._client)
        with pytest.raises(NotAuthorised, match=r"have expired.*recording_lake"):
            put(lake)
    assert 2 == bucket.calls["PUT"]


def test_credentials_of_a_role_refresh_themselves(lake):
    """S10: every request is signed with what the session has at that moment, with its session token."""
    numbers = iter(range(1, 99))

    def metadata():
        soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        number = next(numbers)
        return {"access_key": f"role{number}", "secret_key": "s", "token": f"token{number}", "expiry_time": soon}

    session = botocore.session.get_session()
    session._credentials = RefreshableCredentials.create_from_metadata(metadata(), refresh_using=metadata, method="x")
    with ScriptedBucket(PUT=[OK], HEAD=[HELD]) as bucket:
        client = boto3.Session(botocore_session=session, region_name="us-east-1").client(
            "s3", endpoint_url=bucket.url, config=client_config()
        )
        role_lake = LakeStore(client, lake.location)
        for _ in range(2):
            put(role_lake)
        client.close()
    tokens = [request.headers["x-amz-security-token"] for request in bucket.heard]
    roles = [request.headers["authorization"].partition("Credential=")[2].split("/")[0] for request in bucket.heard]
    assert [token.replace("token", "role") for token in tokens] == roles
    assert len(bucket.heard) == len(set(roles))


@pytest.mark.parametrize(
    ("status", "code"),
    [(301, "PermanentRedirect"), (307, "TemporaryRedirect"), (307, ""), (400, "AuthorizationHeaderMalformed")],
)
def test_bucket_elsewhere_is_named_by_its_region(lake_at, status, code):
    """S10: the sentence says which region to set."""
    moved = Answer(status, code, headers={"x-amz-bucket-region": "eu-central-1"})
    with (
        ScriptedBucket(PUT=[moved], HEAD=[ABSENT]) as bucket,
        pytest.raises(ConfigurationError, match=r"is in region eu-central-1.*region_name in connection") as caught,
    ):
        put(lake_at(bucket.url))
    assert "eu-central-1" == caught.value.facts["region"]


@pytest.mark.parametrize(
    "answer",
    [Answer(400, "KMS.DisabledException"), Answer(403, "AccessDenied", message="not authorized: kms:GenerateDataKey")],
    ids=["disabled", "denied"],
)
def test_key_that_may_not_be_used_is_named(lake_at, answer):
    """S10: a refusal of KMS is not mistaken for one of S3."""
    with (
        ScriptedBucket(PUT=[answer], HEAD=[ABSENT]) as bucket,
        pytest.raises(NotAuthorised, match=r"kms:GenerateDataKey.*RECORDING_ARCHIVE_SSE_KMS_KEY_ID"),
    ):
        put(lake_at(bucket.url))


@pytest.mark.parametrize("call", [put, lambda lake: list(lake.list_keys("plans/"))], ids=["put", "list"])
def test_missing_permission_is_named_in_the_bucket_s_own_words(lake_at, call):
    """Several policies can refuse, and only the bucket knows which: the role's, its own, the account's."""
    why = "User: arn:aws:sts::1:assumed-role/w is not authorized to perform: s3:PutObject with an explicit deny"
    denied = Answer(403, "AccessDenied", message=why)
    with ScriptedBucket(PUT=[denied], GET=[denied], HEAD=[ABSENT]) as bucket, pytest.raises(NotAuthorised) as caught:
        call(lake_at(bucket.url))
    assert f"AccessDenied, {why}. See connection recording_lake." in str(caught.value)


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "SignatureDoesNotMatch"])
def test_words_about_credentials_are_not_repeated(lake_at, code):
    """S10: a server may put the request or the key that it refuses into its message."""
    answer = Answer(403, code, message="The key AKIAEXAMPLE is unknown")
    with ScriptedBucket(PUT=[answer], HEAD=[ABSENT]) as bucket, pytest.raises(NotAuthorised) as caught:
        put(lake_at(bucket.url))
    assert f"{code}. See connection" in str(caught.value)
    assert "AKIAEXAMPLE" not in str(caught.value)


def test_wrong_clock_is_named_with_its_error(lake_at):
    """S10: the person on call reads how far the clock is off, and in which direction."""
    said = {"Date": format_datetime(datetime.now(UTC) + timedelta(minutes=20), usegmt=True)}
    with (
        ScriptedBucket(PUT=[Answer(403, "RequestTimeTooSkewed", headers=said)], HEAD=[ABSENT]) as bucket,
        pytest.raises(NotAuthorised, match="clock is 20 minutes behind"),
    ):
        put(lake_at(bucket.url))


def test_real_server_refuses_a_wrong_clock(lake_at, object_store):
    """S10: with this process's clock twenty minutes ahead the server takes nothing, and we say why."""
    keys = {"access_key": object_store.access_key, "secret_key": object_store.secret_key}
    lake = lake_at(object_store.endpoint_url, prefix="skewed", **keys)
    ahead = datetime.now(UTC) + timedelta(minutes=20)
    with time_machine.travel(ahead), pytest.raises(NotAuthorised, match="clock is 20 minutes ahead"):
        put(lake)


def test_first_document_stands_whoever_comes_later(lake):
    """One request writes a document, and a second run gets the first one's bytes, not its own."""
    assert [b"first", b"first"] == [lake.put_first("d.json", b"first"), lake.put_first("d.json", b"second")]
    assert b"first" == lake.read("d.json")


def test_first_document_costs_one_put_and_one_look(proxy, far_lake):
    """No request asks for what is almost never there."""
    far_lake.put_first("d.json", b"first")
    assert ["PUT", "HEAD"] == proxy.seen


def test_file_that_became_shorter_is_not_sent(lake):
    """Half a body would leave the server waiting for the rest."""
    with pytest.raises(IntegrityError, match="became shorter"):
        lake.put_if_absent(KEY, io.BytesIO(b"RI"), bytes_=4, sha256=sha256_hex(b"RIFF"), media_type="audio/wav")


def test_key_and_prefix_with_odd_letters_are_signed_as_they_are(lake_client, object_store):
    """Blanks, plus, percent, unicode: the address that is signed is the one that is sent."""
    odd = LakeStore(lake_client, LakeLocation(object_store.bucket, "tests/odd + %41 ü~"), Writing())
    assert put(odd, key="a b+c%2F=ü/0.wav").created
    assert ["a b+c%2F=ü/0.wav"] == list(odd.list_keys(""))
