"""Values that cannot be printed by accident, whichever way somebody tries."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
import traceback
from dataclasses import asdict, dataclass
from pprint import pformat

import pytest

from include.secret import MASK, PresignedUrl, Secret

VALUE = "canary-7f3a"
URL = f"https://Media.example.com:8443/a/b.wav?X-Amz-Signature={VALUE}&x=1#{VALUE}"
BOTH = pytest.mark.parametrize("secret", [Secret(VALUE), PresignedUrl(URL)], ids=["Secret", "PresignedUrl"])


@dataclass(frozen=True)
class Holder:
    """A value that somebody keeps a secret in."""

    name: str
    secret: Secret


def logged(message, *arguments, **options):
    """Return what a log file would hold."""
    stream = io.StringIO()
    logger = logging.Logger("test")  # noqa: LOG001 - one of its own, which no handler of pytest hears
    logger.addHandler(logging.StreamHandler(stream))
    logger.warning(message, *arguments, **options)
    return stream.getvalue()


def raised_with(secret):
    """Return the traceback of an error that was given the secret."""
    return "".join(traceback.format_exception(RuntimeError(secret, f"{secret}")))


@BOTH
@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        format,
        ascii,
        pformat,
        raised_with,
        lambda secret: f"{secret} {secret!r} {secret!s} {secret!a} {secret:>40}",
        lambda secret: "{} {!r} {:^9}".format(secret, secret, secret),  # noqa: UP032 - the other way to format
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - the oldest way to format
        lambda secret: str([secret, {"key": secret}, (secret,)]),
        lambda secret: repr(Holder("x", secret)),
        lambda secret: logged("got %s %r", secret, secret),
        logged,
        lambda secret: logged("got %(key)s", {"key": secret}),
        lambda secret: json.dumps({"key": secret}, default=str),
        lambda secret: str(dir(secret)),
    ],
    ids=[
        "repr",
        "str",
        "format",
        "ascii",
        "pformat",
        "traceback",
        "f-string",
        "str.format",
        "percent",
        "containers",
        "dataclass",
        "log arguments",
        "log message",
        "log mapping",
        "json default",
        "dir",
    ],
)
def test_value_is_never_shown(secret, shown):
    """However it is turned into text, the value is not in it."""
    assert VALUE not in shown(secret)


@BOTH
@pytest.mark.parametrize(
    "leave",
    [
        *(lambda secret, protocol=protocol: pickle.dumps(secret, protocol) for protocol in range(6)),
        copy.copy,
        copy.deepcopy,
        json.dumps,
        lambda secret: asdict(Holder("x", secret)),
        vars,
    ],
    ids=[*(f"pickle {protocol}" for protocol in range(6)), "copy", "deepcopy", "json", "asdict", "vars"],
)
def test_value_leaves_by_no_serialiser(secret, leave):
    """XCom, trigger arguments and pickles lie in clear text in the metadata database; none gets it."""
    with pytest.raises(TypeError) as caught:
        leave(secret)
    assert VALUE not in str(caught.value)


def test_value_is_revealed_on_request():
    """One way out, easy to search for."""
    assert (VALUE, URL) == (Secret(VALUE).reveal(), PresignedUrl(URL).reveal())


def test_secrets_compare_by_value():
    """Equal values are equal and share a place in a set; nothing else equals one."""
    assert Secret(VALUE) == Secret(VALUE)
    assert 1 == len({Secret(VALUE), Secret(VALUE)})
    assert Secret(VALUE) != Secret("other")
    assert Secret(VALUE) != VALUE
    assert Secret("\udcff") == Secret("\udcff")


def test_empty_secret_is_false():
    """``if password`` means what it says."""
    assert (False, True) == (bool(Secret("")), bool(Secret(VALUE)))


def test_mask_does_not_tell_the_length():
    """Short and long secrets look the same."""
    assert {f"Secret({MASK})"} == {repr(Secret("")), repr(Secret("x" * 99))}


def test_url_shows_where_it_leads_and_nothing_else():
    """Scheme, host, port and path help the person on call; query and fragment are the credential."""
    url = PresignedUrl(URL)
    assert ("media.example.com", "https://media.example.com:8443/a/b.wav") == (url.host, url.location)
    assert ("PresignedUrl(https://media.example.com:8443/a/b.wav)", url.location) == (repr(url), str(url))


def test_url_without_a_port_shows_none():
    """Only what is there is shown."""
    assert "https://media.example.com/a" == PresignedUrl("https://media.example.com/a?sig=1").location


@pytest.mark.parametrize(
    "address",
    [
        f"https://user:{VALUE}@media.example.com/a",
        f"https://{VALUE}@media.example.com/a",
        f"https://user:{VALUE}",
        f"https://[{VALUE}",
        f"https://media.example.com:99999/a?{VALUE}",
        f"https://media.example.com:port/a?{VALUE}",
        f"//?{VALUE}",
        f"?{VALUE}",
        f"#{VALUE}",
    ],
)
def test_url_of_any_form_is_shown_without_its_credentials(address):
    """A user name, and whatever cannot be taken apart, is not shown; printing never raises."""
    url = PresignedUrl(address)
    assert VALUE not in f"{url} {url!r} {url!s} {url.location} {url.host}"


@pytest.mark.parametrize("address", ["https://[::1/a?s", "https://h:port/a?s"])
def test_url_that_cannot_be_taken_apart_leads_nowhere(address):
    """It has no location, which is how the reader of a job's results knows not to use it."""
    assert ("", MASK) == (PresignedUrl(address).location, str(PresignedUrl(address)))
