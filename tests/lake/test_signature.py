"""Our Signature Version 4 against botocore's, which AWS wrote."""

from __future__ import annotations

import time_machine
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials
from hypothesis import given
from hypothesis import strategies as st

from include.lake.signature import Signer

PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30)
SIGNER = Signer("eu-central-1", "s3")
PATH = st.text("abc/~%3D.-_", max_size=20).map(lambda text: f"/{text}".replace("//", "/"))
QUERY = st.dictionaries(st.sampled_from(["partNumber", "uploadId", "uploads"]), st.text("ab%2F", max_size=9))


class _Told(S3SigV4Auth):
    """botocore's signer, told the body's digest."""

    def payload(self, request: AWSRequest) -> str:
        return request.context["payload"]


@given(
    method=st.sampled_from(["PUT", "HEAD", "POST", "DELETE"]),
    path=PATH,
    query=QUERY,
    headers=st.dictionaries(st.sampled_from(["Content-Type", "x-amz-meta-a", "If-None-Match"]), PRINTABLE),
    payload=st.sampled_from(["0" * 64, "UNSIGNED-PAYLOAD"]),
    secret=st.text(st.characters(codec="ascii"), min_size=1, max_size=40),
    token=st.sampled_from([None, "a-session-token"]),
    day=st.dates(),
)
def test_signature_is_botocores(method, path, query, headers, payload, secret, token, day) -> None:
    """Any request of ours has the signature that AWS's own code gives it, whoever signs and on whatever day."""
    who = ReadOnlyCredentials("AKID", secret, token)
    line = "&".join(f"{name}={value}" for name, value in query.items())
    url = f"https://bucket.example.com{path}" + (f"?{line}" if line else "")
    with time_machine.travel(f"{max(day.year, 1971):04d}-{day:%m}-{min(day.day, 28):02d}T23:59:59Z", tick=False):
        theirs = AWSRequest(method=method, url=url, headers=dict(headers))
        theirs.context["payload"] = payload
        _Told(who, "s3", "eu-central-1").add_auth(theirs)
        ours = SIGNER.signed(method, path, line, {"Host": "bucket.example.com", **headers}, payload, who)
    expected = {name.lower(): value for name, value in theirs.headers.items()}
    assert expected["authorization"] == ours["authorization"]
    assert expected.items() <= ours.items()
