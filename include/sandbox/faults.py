"""Everything that may go wrong on request, declared by name: for the command line, the control route and tests alike.

A switch is written ``NAME`` or ``NAME:ARG``, where ARG is a comma-separated list of: a whole number (how often it
strikes, then it is over), ``match=TEXT`` (only where the subject holds TEXT: a request line or media path),
``skip=N`` (spare the first N), ``seconds=S``, and for some ``to=URL``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock


@dataclass(frozen=True, slots=True)
class Fault:
    """One declared fault. ``times`` is its default count; ``None`` means until it is switched off."""

    name: str
    about: str
    times: int | None = None
    seconds: float = 1.0


CATALOGUE: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("token-expires-soon", "tokens are issued for `seconds` (default 3) only", seconds=3.0),
        Fault("token-revoked", "the token of the next API call is void from then on: 401 bad.credentials", times=1),
        Fault("wrong-secret-400", "a wrong client secret is answered 400 invalid_client instead of 401"),
        Fault("api-429-storm", "API calls are answered 429 with Retry-After `seconds` (default 1)", times=5),
        Fault("api-429-older-code", "API calls are answered 429 too.many.requests, without Retry-After", times=1),
        Fault("api-500", "API calls are answered 500 internal.server.error", times=1),
        Fault("api-503-with-retry-after", "API calls are answered 503 with Retry-After `seconds` (default 1)", times=1),
        Fault("api-504", "API calls are answered 504 request.timeout", times=1),
        Fault("api-slow", "API calls wait `seconds` (default 2) before they are answered", seconds=2.0),
        Fault("api-reset", "the connection is reset instead of answering an API call", times=1),
        Fault(
            "api-truncated-json", "the JSON of an answer stops in the middle, with a fitting Content-Length", times=1
        ),
        Fault("analytics-duplicates", "each page of the details query repeats the last conversation of the one before"),
        Fault("analytics-drift", "totalHits moves from call to call, and pages overlap by three conversations"),
        Fault("users-unknown-404", "GET /users answers 404 for the whole request when one id is unknown"),
        Fault("metadata-403", "recordingmetadata answers 403 recording.recording.view.permission.check.failed"),
        Fault("recording-channels-apart", "a single recording comes channel by channel, also for a download"),
        Fault("batch-lost-reply", "a batch is accepted, then the connection is reset before the answer", times=1),
        Fault("batch-stuck", "the next batch job submitted never completes", times=1),
        Fault("batch-poisoned-id", "a batch is refused with 400 when it names the id given as `match=` (or any)"),
        Fault("batch-urls-minted-once", "result URLs are signed once, when the result appears, and never again"),
        Fault("media-truncated", "half the body under the whole Content-Length, then the connection closes", times=1),
        Fault("media-short-lying-length", "half the body under a Content-Length that fits the half", times=1),
        Fault("media-ignores-range", "a range request is answered 200 with the whole body", times=None),
        Fault("media-416", "416 for a range that the object has", times=1),
        Fault("media-wrong-content-range", "206 whose bytes and Content-Range start one byte late", times=1),
        Fault("media-html", "200 with an HTML page instead of the media", times=1),
        Fault("media-expired-once", "403 Request has expired, although the URL has not", times=1),
        Fault("media-etag-changes", "every answer carries another ETag"),
        Fault("media-slow-drip", "the body comes 1 KiB at a time, with `seconds` (default 0.2) between", seconds=0.2),
        Fault("media-reset", "the connection is reset after half the body", times=1),
        Fault("media-404", "404 NoSuchKey, as if the object were gone", times=1),
        Fault("media-503", "503 SlowDown, as S3 answers a burst", times=1),
        Fault("media-gzip", "the body comes gzip-encoded though nobody asked", times=1),
        Fault("media-redirect", "302 to a freshly signed URL of the same object, or to `to=URL`", times=1),
        Fault("media-bit-flip", "one bit in the middle of the object is wrong, the length is right"),
        Fault("zip-corrupt", "one byte within the zip of the guide contract is wrong"),
    )
}


@dataclass(slots=True)
class Switch:
    """A fault that is on: how often it may still strike, and where."""

    fault: Fault
    remaining: int | None
    match: str = ""
    skip: int = 0
    seconds: float = 1.0
    target: str = ""
    fired: int = 0

    def strikes(self, subject: str) -> bool:
        """Whether it strikes this subject; counts when it does."""
        if self.remaining == 0 or self.match not in subject:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if self.remaining is not None:
            self.remaining -= 1
        self.fired += 1
        return True


@dataclass(slots=True)
class Faults:
    """The faults that are on. Safe to change from any thread while the sandbox serves."""

    _on: dict[str, Switch] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def switch_on(self, text: str) -> None:
        """Switch on ``NAME[:ARG]``, replacing an earlier switch of that name.

        Raises:
            ValueError: when there is no such fault or the argument cannot be read.
        """
        switch = read_switch(text)
        with self._lock:
            self._on[switch.fault.name] = switch

    def switch_off(self, name: str | None = None) -> None:
        """Switch one fault off, or all of them."""
        with self._lock:
            if name is None:
                self._on.clear()
            else:
                self._on.pop(name, None)

    def strike(self, name: str, subject: str = "", *, only_if_named: bool = False) -> Switch | None:
        """Return the switch when that fault strikes here and now, else ``None``.

        ``only_if_named`` spares a subject the switch was not explicitly aimed at with ``match=``.
        """
        if not self._on:
            return None
        with self._lock:
            switch = self._on.get(name)
            if not switch or (only_if_named and not switch.match):
                return None
            return switch if switch.strikes(subject) else None

    def list(self) -> list[dict[str, object]]:
        """Return what is on, with how often each has struck."""
        with self._lock:
            return [
                {"name": name, "fired": switch.fired, "remaining": switch.remaining, "match": switch.match}
                for name, switch in self._on.items()
            ]


def read_switch(text: str) -> Switch:
    """Read ``NAME[:ARG]``.

    Raises:
        ValueError: when there is no such fault or the argument cannot be read.
    """
    name, _, argument = text.partition(":")
    if name not in CATALOGUE:
        raise ValueError(f"there is no fault {name!r}; there are: {', '.join(CATALOGUE)}")
    fault = CATALOGUE[name]
    switch = Switch(fault, fault.times, seconds=fault.seconds)
    for item in filter(None, argument.split(",")):
        key, is_pair, value = item.partition("=")
        if not is_pair:
            switch.remaining = int(key)
        elif key == "match":
            switch.match = value
        elif key == "to":
            switch.target = value
        elif key == "skip":
            switch.skip = int(value)
        elif key == "seconds":
            switch.seconds = float(value)
        else:
            raise ValueError(f"fault argument {item!r} is none of: a number, match=, skip=, seconds=, to=")
    return switch
