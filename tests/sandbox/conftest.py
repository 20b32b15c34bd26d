"""What the sandbox's tests share: a day, the query the pipeline sends, and a client that knows nothing of ours."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import date

import pytest
import requests

from include.sandbox.config import SandboxConfig
from include.sandbox.server import running

DAY = date(2026, 1, 5)
INTERVAL = "2026-01-04T23:00:00.000Z/2026-01-05T23:00:00.000Z"
SCOPE = "recording:read"


def details_query(size=100, number=1, interval=INTERVAL):
    """Return the query for closed voice conversations with a recording."""
    return {
        "interval": interval,
        "paging": {"pageSize": size, "pageNumber": number},
        "conversationFilters": [
            {"type": "and", "predicates": [{"dimension": "conversationEnd", "operator": "exists"}]}
        ],
        "segmentFilters": [
            {
                "type": "and",
                "predicates": [
                    {"type": "dimension", "dimension": "mediaType", "operator": "matches", "value": "voice"},
                    {"type": "dimension", "dimension": "recording", "operator": "exists"},
                ],
            }
        ],
    }


class Client:
    """A plain HTTP client with a token of one sandbox."""

    def __init__(self, sandbox, session, client_id=None, client_secret=None):
        self.sandbox, self.session = sandbox, session
        credentials = (client_id or sandbox.client_id, client_secret or sandbox.client_secret)
        form = {"grant_type": "client_credentials", "scope": SCOPE}
        self.granted = session.post(f"{sandbox.login_base_url}/oauth/token", auth=credentials, data=form, timeout=10)
        self.headers = {"Authorization": f"Bearer {self.granted.json().get('access_token')}"}

    def call(self, method, path, **options):
        """Send one API call with the token."""
        headers = {**self.headers, **options.pop("headers", {})}
        return self.session.request(method, self.sandbox.api_base_url + path, headers=headers, timeout=20, **options)

    def get(self, path, **options):
        """GET with the token."""
        return self.call("GET", path, **options)

    def post(self, path, body):
        """POST JSON with the token."""
        return self.call("POST", path, json=body)

    def query(self, **options):
        """Return one page of the details query."""
        return self.post("/api/v2/analytics/conversations/details/query", details_query(**options))

    def submit(self, ids):
        """Submit a batch under the sandbox's contract; return the job id."""
        items = [{"conversationId": each} for each in ids]
        if self.sandbox.world.config.contract == "guide":
            body = {"batchDownloadJobSubmissionQuery": {"batchDownloadJobSignatures": items}}
            return self.post("/api/v2/recording/batchrequests", body).json()["jobId"]
        return self.post("/api/v2/recording/batchrequests", {"batchDownloadRequestList": items}).json()["id"]

    def status(self, job_id):
        """Poll a batch once."""
        return self.get(f"/api/v2/recording/batchrequests/{job_id}").json()

    def finished(self, job_id, seconds=10):
        """Poll a batch until it is finished, within a bound."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            status = self.status(job_id)
            if status.get("status") == "Completed" or "resultUrl" in status:
                return status
            time.sleep(0.02)
        raise AssertionError(f"job {job_id} did not finish in {seconds} s")

    def media(self, url, **options):
        """Fetch a presigned URL, without the token unless asked."""
        return self.session.request(options.pop("method", "GET"), url, timeout=20, allow_redirects=False, **options)


@contextmanager
def started(**options):
    """Run a sandbox on the day in Berlin, jobs ripening at once unless said otherwise; yield it and a client."""
    defaults = {"dates": (DAY,), "timezone": "Europe/Berlin", "conversations": 40, "job_seconds": 0.0}
    with running(SandboxConfig(**{**defaults, **options})) as sandbox, requests.Session() as session:
        yield sandbox, Client(sandbox, session)


@pytest.fixture(scope="package")
def ordinary():
    """A sandbox with an ordinary day of 120 conversations, and a client; shared, so faults are left off."""
    with started(conversations=120, rate_limit=10_000) as pair:
        yield pair


@pytest.fixture
def client(ordinary):
    """The client of the shared sandbox, whose faults are off before and after."""
    sandbox, client = ordinary
    sandbox.faults.switch_off()
    yield client
    sandbox.faults.switch_off()


@pytest.fixture
def truth(ordinary):
    """The truth of the shared sandbox's day."""
    return ordinary[0].truth(DAY)


@pytest.fixture
def audio_url(client, truth):
    """A presigned URL of some audio of the shared sandbox, with its size and digest."""
    chosen = next(item for item in truth.conversations if item.profile == "plain")
    result = client.finished(client.submit([chosen.conversation_id]))["results"][0]
    return result["resultUrl"], chosen.parts[0]
