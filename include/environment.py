"""Settings out of environment variables: a frozen dataclass declares its fields, and each has its own variable.

The one reader of all settings classes, whichever layer they stand in. What a value may be beyond its kind is checked by
the class itself, when it is built.
"""

from __future__ import annotations

import math
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from include.errors import ConfigurationError
from include.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from _typeshed import DataclassInstance

ENVIRONMENT_PREFIX = "RECORDING_ARCHIVE_"
_SWITCH = {"0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}

Settings = TypeVar("Settings", bound="DataclassInstance")


def variable_of(name: str) -> str:
    """Return the variable that sets a field.

    >>> variable_of("retention_days")
    'RECORDING_ARCHIVE_RETENTION_DAYS'
    """
    return f"{ENVIRONMENT_PREFIX}{name.upper()}"


def read_settings(kind: type[Settings], environment: Mapping[str, str], **given: object) -> Settings:
    """Build settings from their variables; what is unset or empty has its default, what is ``given`` is not read.

    Raises:
        ConfigurationError: when a text is none of its field's kind, or the class refuses a value; the message names the
            variable.
    """
    values: dict[str, Any] = dict(given)
    for item in fields(kind):
        text = environment.get(variable_of(item.name))
        if item.name not in values and text:
            values[item.name] = _read(variable_of(item.name), str(item.type), text)
    return kind(**values)


def check_numbers(settings: DataclassInstance, *, may_be_zero: Container[str] = ()) -> None:
    """Refuse each number that is not finite and above 0, or from 0 where the field may be.

    Raises:
        ConfigurationError: at the first such number; the message names its variable.
    """
    for item in fields(settings):
        value = getattr(settings, item.name)
        # Asked this way round, since nan is neither above nor below anything. A switch is an int to Python.
        if isinstance(value, bool) or not isinstance(value, int | float) or 0 < value < math.inf:
            continue
        if item.name not in may_be_zero:
            raise ConfigurationError(f"{variable_of(item.name)} must be a number above 0")
        if value != 0:
            raise ConfigurationError(f"{variable_of(item.name)} must be a number from 0")


def _read(variable: str, kind: str, text: str) -> object:
    # Only these three kinds refuse a text, and so quote it: a secret is never shown.
    read, wanted = _KINDS[kind]
    try:
        return read(text)
    except ValueError:
        raise ConfigurationError(f"{variable} must be {wanted}, not {text!r}") from None


def _switch(text: str) -> bool:
    if text.lower() not in _SWITCH:
        raise ValueError(text)
    return _SWITCH[text.lower()]


_KINDS: dict[str, tuple[Callable[[str], object], str]] = {
    "int": (int, "a whole number"),
    "float": (float, "a number"),
    "bool": (_switch, "true or false"),
    "str": (str, "a text"),
    "Path": (Path, "a path"),
    "Secret": (Secret, "a secret"),
}
"""The kinds that a field may have, as it is annotated."""
