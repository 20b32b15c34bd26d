"""Every setting is read from its variable, and each refusal names the variable to correct."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from include.environment import variable_of
from include.errors import ConfigurationError
from include.settings import BATCH_ITEMS_LIMIT, ArchiveSettings, LakeLocation, zone_named

LAKE = {"RECORDING_LAKE_URI": "s3://bucket/pre/fix"}
NAMED_OTHERWISE = {"lake", "timezone", "pii"}
BY_PREFIX = [item for item in fields(ArchiveSettings) if item.name not in NAMED_OTHERWISE]
NUMBERS = [item for item in BY_PREFIX if item.type in ("int", "float")]
SAMPLES = {"int": ("7", 7), "float": ("0.5", 0.5), "Path": ("/var/x", Path("/var/x")), "str": ("DE", "DE")}


def names(items):
    """Return the names of fields, as test ids."""
    return [item.name for item in items]


def test_lake_alone_is_enough():
    """Everything else has a default, and the defaults pass their own checks."""
    settings = ArchiveSettings.from_environment(LAKE)
    assert (LakeLocation("bucket", "pre/fix"), ZoneInfo("UTC")) == (settings.lake, settings.timezone)
    assert ArchiveSettings(lake=settings.lake) == settings


@pytest.mark.parametrize("item", BY_PREFIX, ids=names(BY_PREFIX))
def test_each_field_is_read_from_its_variable_of(item):
    """A documented variable that nobody reads would be worse than none."""
    text, value = SAMPLES[item.type]
    settings = ArchiveSettings.from_environment({**LAKE, variable_of(item.name): text})
    assert value == getattr(settings, item.name)
    assert type(value) is type(getattr(settings, item.name)) or item.type == "Path"


@pytest.mark.parametrize("item", BY_PREFIX, ids=names(BY_PREFIX))
def test_empty_variable_is_an_unset_one(item):
    """Compose files pass empty strings for what is not set."""
    assert ArchiveSettings.from_environment(LAKE) == ArchiveSettings.from_environment(
        {**LAKE, variable_of(item.name): "", "GENESYS_TIMEZONE": ""}
    )


def test_time_zone_is_read():
    """The organisation's day is not UTC's."""
    settings = ArchiveSettings.from_environment({**LAKE, "GENESYS_TIMEZONE": "Europe/Berlin"})
    assert ZoneInfo("Europe/Berlin") == settings.timezone


@pytest.mark.parametrize("item", NUMBERS, ids=names(NUMBERS))
@pytest.mark.parametrize("text", ["ten", "1,5", "0x10", "-1", "nan", "inf", "-inf"])
def test_value_that_is_no_proper_number_names_its_variable_of(item, text):
    """Not a number, below zero, or one that compares with nothing: refused, by the variable's name."""
    with pytest.raises(ConfigurationError, match=variable_of(item.name)):
        ArchiveSettings.from_environment({**LAKE, variable_of(item.name): text})


@pytest.mark.parametrize("item", NUMBERS, ids=names(NUMBERS))
def test_zero_is_refused_but_for_the_jitter(item):
    """No time-out of zero, no chunk of nothing; polling without jitter is a choice."""
    environment = {**LAKE, variable_of(item.name): "0"}
    if item.name == "poll_jitter_fraction":
        assert 0 == ArchiveSettings.from_environment(environment).poll_jitter_fraction
        return
    with pytest.raises(ConfigurationError, match=variable_of(item.name)):
        ArchiveSettings.from_environment(environment)


@pytest.mark.parametrize(
    ("name", "text", "good"),
    [
        ("batch_items", "1", True),
        ("batch_items", str(BATCH_ITEMS_LIMIT), True),
        ("batch_items", str(BATCH_ITEMS_LIMIT + 1), False),
        ("poll_jitter_fraction", "0.99", True),
        ("poll_jitter_fraction", "1", False),
        ("days_max", "1.5", False),
    ],
)
def test_limits_are_where_they_are_said_to_be(name, text, good):
    """The last value that works works; the first that does not is refused by name."""
    environment = {**LAKE, variable_of(name): text}
    if good:
        assert float(text) == getattr(ArchiveSettings.from_environment(environment), name)
        return
    with pytest.raises(ConfigurationError, match=variable_of(name)):
        ArchiveSettings.from_environment(environment)


@pytest.mark.parametrize("environment", [{}, {"RECORDING_LAKE_URI": ""}], ids=["unset", "empty"])
def test_lake_has_no_default(environment):
    """Nobody archives into a bucket that was not named."""
    with pytest.raises(ConfigurationError, match="RECORDING_LAKE_URI is not set"):
        ArchiveSettings.from_environment(environment)


@pytest.mark.parametrize(
    "uri",
    [
        "bucket",
        "http://bucket/x",
        "s3:bucket",
        "s3://",
        "s3:///prefix",
        "s3://b",
        "s3://bucket?x=1",
        "s3://bucket/x#y",
        "s3://[bucket",
        "s3://bu cket/x",
        "s3://bücket/x",
        "s3://bucket:9000/x",
        "s3://../x",
    ],
)
def test_address_that_is_no_bucket_is_refused(uri):
    """The sentence names the variable and shows what it should look like."""
    with pytest.raises(ConfigurationError, match="RECORDING_LAKE_URI must look like s3://bucket/prefix"):
        LakeLocation.parse(uri)


@pytest.mark.parametrize("uri", ["s3://AKIA:canary-7f3a@bucket/x", "s3://AKIA:canary/7f3a@bucket", "x//canary@b"])
def test_keys_in_the_address_are_refused_and_not_shown(uri):
    """They belong into the connection; the refusal goes to a log."""
    with pytest.raises(ConfigurationError) as caught:
        LakeLocation.parse(uri)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "location", "written"),
    [
        ("s3://bucket", LakeLocation("bucket"), "s3://bucket"),
        ("s3://bucket/", LakeLocation("bucket"), "s3://bucket"),
        ("s3://bucket/a/b/", LakeLocation("bucket", "a/b"), "s3://bucket/a/b"),
        ("s3://my.old_Bucket//a", LakeLocation("my.old_Bucket", "a"), "s3://my.old_Bucket/a"),
    ],
)
def test_address_is_taken_apart_and_written_again(uri, location, written):
    """The prefix has no slash at either end, however it was typed."""
    assert (location, written) == (LakeLocation.parse(uri), location.uri)
    assert location == LakeLocation.parse(written)


@pytest.mark.parametrize(
    "name", ["Berlin", "Europe", "../etc/passwd", "/etc/localtime", "", "Europe/Berlin ", "a\0b", "\ud800"], ids=ascii
)
def test_name_that_is_no_time_zone_is_refused(name):
    """A folder, a path or nonsense: each is named, with the variable."""
    with pytest.raises(ConfigurationError, match="GENESYS_TIMEZONE"):
        zone_named(name)


def test_settings_are_frozen():
    """Nothing changes its mind in the middle of a night."""
    settings = ArchiveSettings.from_environment(LAKE)
    with pytest.raises(FrozenInstanceError):
        settings.batch_items = 5
