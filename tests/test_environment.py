"""The one reader of environment variables: each kind of field, each refusal, and no secret in any of them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

import pytest

from include.environment import check_numbers, read_settings, variable_of
from include.errors import ConfigurationError
from include.secret import Secret
from tests.every_setting import KINDS

NUMBERS = [(kind, item.name) for kind in KINDS for item in fields(kind) if item.type in ("int", "float")]


@dataclass(frozen=True, slots=True)
class OfEachKind:
    """A field of each kind there is."""

    shelves: int = 1
    seconds: float = 1.5
    is_on: bool = False
    name: str = "unnamed"
    folder: Path = Path("/nowhere")
    key: Secret = field(default_factory=lambda: Secret(""))


GOOD = {"shelves": "7", "seconds": "0.5", "is_on": "Yes", "name": "n", "folder": "/x", "key": "k"}


def variables(texts):
    """Return texts by the variables of their fields."""
    return {variable_of(name): text for name, text in texts.items()}


def test_each_kind_is_read():
    """A field gets what its annotation says, never a bare text."""
    assert OfEachKind(7, 0.5, is_on=True, name="n", folder=Path("/x"), key=Secret("k")) == read_settings(
        OfEachKind, variables(GOOD)
    )


def test_unset_and_empty_have_the_default():
    """Compose files pass empty strings for what is not set."""
    empty = variables(dict.fromkeys(GOOD, ""))
    assert OfEachKind() == read_settings(OfEachKind, {}) == read_settings(OfEachKind, empty)


def test_what_is_given_is_not_read():
    """A field that has a variable of its own is not also read from the one it would have."""
    assert OfEachKind(name="given") == read_settings(OfEachKind, variables({"name": "other"}), name="given")


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("shelves", "7.0", "a whole number"),
        ("seconds", "1,5", "a number"),
        ("is_on", "maybe", "true or false"),
    ],
)
def test_refusal_names_the_variable_and_what_it_may_be(name, text, wanted):
    """Whoever reads the sentence knows what to correct, without a second exception below it."""
    with pytest.raises(ConfigurationError) as refused:
        read_settings(OfEachKind, {**variables(GOOD), variable_of(name): text})
    assert f"{variable_of(name)} must be {wanted}, not {text!r}" == str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize(("kind", "name"), NUMBERS, ids=[f"{kind.__name__}.{name}" for kind, name in NUMBERS])
@pytest.mark.parametrize("text", ["ten", "-1", "nan", "inf"])
def test_every_number_of_every_class_is_checked(kind, name, text):
    """Not a number, below zero, or one that compares with nothing: refused by the variable's name."""
    with pytest.raises(ConfigurationError, match=f"{variable_of(name)} must be"):
        kind.from_environment({"RECORDING_LAKE_URI": "s3://bucket", variable_of(name): text})


@pytest.mark.parametrize(("value", "zero_too"), [(0, False), (0.0, False), (-1, True), (-0.5, False)])
def test_number_out_of_its_range_is_refused(value, zero_too):
    """Zero only where it was said to be one of the values."""
    settings = OfEachKind(seconds=value)
    with pytest.raises(ConfigurationError, match="SECONDS must be a number " + ("from 0" if zero_too else "above 0")):
        check_numbers(settings, may_be_zero={"seconds"} if zero_too else ())
    check_numbers(OfEachKind(seconds=0), may_be_zero={"seconds"})
