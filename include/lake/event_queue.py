"""One SQS queue in which S3 leaves its notifications: looked at, received, and deleted only when its caller says so.

Limits and names are those of the Amazon SQS API reference.
"""

from __future__ import annotations

import logging
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from include.errors import ConfigurationError, NotAuthorised, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

log = logging.getLogger(__name__)
BATCH = 10
"""Messages of one request."""
HIDDEN_SECONDS = 4 * 3600
"""How long a received message is out of sight: until the next run, where this one dies."""
HIDDEN_SECONDS_MAX = 12 * 3600
"""From its receipt; SQS refuses more."""
LONG_POLL_SECONDS = 1
"""Without it SQS asks only some of its servers, and an empty answer would not mean an empty queue."""
_ABSENT = {"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist", "InvalidAddress"}
_REFUSED_STATUS = {401, 403}
_REFUSED = {
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "InvalidClientTokenId",
    "UnrecognizedClientException",
}
_HOST_OF_AWS = re.compile(r"sqs(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?\Z")


class SqsClient(Protocol):
    """What is used of boto3's SQS client."""

    def get_queue_attributes(self, **kwargs: object) -> dict[str, Any]:
        """GetQueueAttributes."""

    def receive_message(self, **kwargs: object) -> dict[str, Any]:
        """ReceiveMessage."""

    def delete_message_batch(self, **kwargs: object) -> dict[str, Any]:
        """DeleteMessageBatch."""

    def change_message_visibility_batch(self, **kwargs: object) -> dict[str, Any]:
        """ChangeMessageVisibilityBatch."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it was received; ``received_at`` is a monotonic time in seconds."""

    id: str
    receipt: str
    body: str
    received_at: float


def queue_config() -> Config:
    """Return how boto3 talks to a queue; a request here is worth no more than the next look at it."""
    return Config(retries={"mode": "standard", "max_attempts": 3}, connect_timeout=10, read_timeout=30)


def region_of(url: str) -> str | None:
    """Return the region that the address of a queue names, ``None`` where it is none of AWS's own.

    >>> region_of("https://sqs.eu-west-1.amazonaws.com/123456789012/recordings")
    'eu-west-1'
    """
    match = _HOST_OF_AWS.match(urlsplit(url).hostname or "")
    return match[1] if match else None


class EventQueue:
    """The queue at ``url``. Deleting and hiding report what SQS did not do and raise nothing for it."""

    def __init__(self, client: SqsClient, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self._client = client
        self._clock = clock

    def waiting(self) -> int:
        """Return about how many messages can be received; consumes none, so it may be asked at any time.

        Raises:
            NotAuthorised, ConfigurationError, SourceUnavailable: when the queue does not say.
        """
        name = "ApproximateNumberOfMessages"
        with self._translated():
            answer = self._client.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
        return int(answer.get("Attributes", {}).get(name, 0))

    def receive(self, at_most: int) -> Iterator[Message]:
        """Yield messages until there are no more, or enough; each is then out of sight for ``HIDDEN_SECONDS``.

        Raises:
            NotAuthorised, ConfigurationError, SourceUnavailable: when the queue gives none out.
        """
        count = 0
        while count < at_most:
            received_at = self._clock()
            with self._translated():
                answer = self._client.receive_message(
                    QueueUrl=self.url,
                    MaxNumberOfMessages=BATCH,
                    VisibilityTimeout=HIDDEN_SECONDS,
                    WaitTimeSeconds=LONG_POLL_SECONDS,
                )
            messages = answer.get("Messages") or []
            for entry in messages:
                yield Message(str(entry["MessageId"]), str(entry["ReceiptHandle"]), str(entry["Body"]), received_at)
            count += len(messages)
            if not messages:
                return

    def delete(self, messages: Sequence[Message]) -> None:
        """Delete messages; one that is not deleted comes again.

        Raises:
            NotAuthorised, ConfigurationError, SourceUnavailable: when the queue gives no answer.
        """
        for some in _tens(messages):
            entries = [{"Id": str(number), "ReceiptHandle": one.receipt} for number, one in enumerate(some)]
            with self._translated():
                answer = self._client.delete_message_batch(QueueUrl=self.url, Entries=entries)
            self._tell(answer, some, "not deleted")

    def hide(self, messages: Sequence[Message], seconds: float) -> None:
        """Keep messages out of sight for so long from now, as far as SQS lets them be; raises as ``delete``."""
        for some in _tens(messages):
            entries = []
            for number, one in enumerate(some):
                left = HIDDEN_SECONDS_MAX - (self._clock() - one.received_at) - 60
                timeout = max(0, int(min(seconds, left)))
                entries.append({"Id": str(number), "ReceiptHandle": one.receipt, "VisibilityTimeout": timeout})
            with self._translated():
                answer = self._client.change_message_visibility_batch(QueueUrl=self.url, Entries=entries)
            self._tell(answer, some, "not hidden")

    def _tell(self, answer: dict[str, Any], messages: Sequence[Message], what: str) -> None:
        for failed in answer.get("Failed") or []:
            log.warning("%s: %s message_id=%s", what, failed.get("Code"), messages[int(failed["Id"])].id)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        where = f"the queue {self.url} (RECORDING_ARCHIVE_EXPORT_QUEUE_URL)"
        try:
            yield
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
            if code in _ABSENT:
                raise ConfigurationError(f"There is no such queue as {where}, not in this region.", code=code) from None
            if code in _REFUSED or status in _REFUSED_STATUS:
                raise NotAuthorised(f"No access to {where}: {code}.", code=code, status=status) from None
            raise SourceUnavailable(f"No usable answer of {where}: {code}.", code=code, status=status) from None
        except (NoCredentialsError, PartialCredentialsError):
            raise NotAuthorised(f"There are no credentials for {where}.") from None
        except BotoCoreError as error:
            raise SourceUnavailable(f"No usable answer of {where}: {type(error).__name__}.") from None


def _tens(messages: Sequence[Message]) -> Iterator[Sequence[Message]]:
    return (messages[start : start + BATCH] for start in range(0, len(messages), BATCH))
