"""Retention by queue or division: rules that choose lock, days and hold for a conversation's recordings; pure.

Where no rule matches, the lake's own protection holds. Where several match, each part of the answer is the strictest
of theirs: COMPLIANCE before GOVERNANCE before none, the most days, a hold if one of them asks for it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from include.environment import variable_of
from include.errors import ConfigurationError
from include.lake.layout import is_uuid
from include.lake.protection import DAYS_MAX, LOCK_MODES, NOT_LOCKED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from include.lake.protection import Protection

VARIABLE = variable_of("retention_rules")
_NAMES = ("queues", "divisions")
_FIELDS = {"name", "mode", "days", "legal_hold", *_NAMES}


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """What is kept how long for conversations with any of these queues or divisions, by id or, of queues, by name."""

    name: str
    queues: frozenset[str]
    divisions: frozenset[str]
    mode: str
    days: int
    legal_hold: bool = False

    def matches(self, queues: frozenset[str], divisions: frozenset[str]) -> bool:
        """Whether the rule speaks of one of them; all are folded."""
        return bool(self.queues & queues or self.divisions & divisions)


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """The rules of this lake; none of them is the first or the last, so their order says nothing."""

    rules: tuple[RetentionRule, ...] = ()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> RetentionRules:
        """Read ``RECORDING_ARCHIVE_RETENTION_RULES``: a JSON list, or the path of a file that holds one.

        Raises:
            ConfigurationError: when it is none; the message names the rule and what is wrong with it.
        """
        text = (environment.get(VARIABLE) or "").strip()
        if not text:
            return cls()
        try:
            entries = json.loads(text if text.startswith("[") else Path(text).read_text("utf-8"))
        except OSError as error:
            raise ConfigurationError(f"{VARIABLE}: the file {text!r} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise ConfigurationError(f"{VARIABLE} is neither JSON nor the path of a file with JSON: {error}") from error
        if not isinstance(entries, list):
            raise ConfigurationError(f"{VARIABLE} must be a list of rules")
        rules = tuple(_rule(number, entry) for number, entry in enumerate(entries, start=1))
        names = [rule.name for rule in rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigurationError(f"{VARIABLE}: two rules are called {twice[0]!r}")
        return cls(rules)

    @property
    def needs_object_lock(self) -> bool:
        """Whether one of them asks the bucket for a lock or a hold."""
        return any(rule.mode != NOT_LOCKED or rule.legal_hold for rule in self.rules)

    @property
    def by_queue_name(self) -> tuple[str, ...]:
        """The names of the rules that find a queue by its name, and not by its id."""
        return tuple(rule.name for rule in self.rules if not all(map(is_uuid, rule.queues)))

    def protection(self, default: Protection, queues: Iterable[str], divisions: Iterable[str]) -> Protection:
        """Return how a conversation's recordings are protected.

        >>> from include.lake.protection import Protection
        >>> rule = RetentionRule("cards", frozenset({"payments"}), frozenset(), "GOVERNANCE", 30)
        >>> RetentionRules((rule,)).protection(Protection("COMPLIANCE", 3650), ["Payments"], []).retention_days
        30
        """
        folded = (_folded(queues), _folded(divisions))
        matching = [rule for rule in self.rules if rule.matches(*folded)]
        if not matching:
            return default
        return replace(
            default,
            object_lock_mode=max((rule.mode for rule in matching), key=LOCK_MODES.index),
            retention_days=max(rule.days for rule in matching),
            legal_hold=any(rule.legal_hold for rule in matching),
        )


def _rule(number: int, entry: object) -> RetentionRule:
    if not isinstance(entry, dict):
        raise ConfigurationError(f"{VARIABLE}: rule {number} is no object")
    name = str(entry.get("name") or f"number {number}")
    unknown = sorted(entry.keys() - _FIELDS)
    _check(name, not unknown, f"has fields that no rule has: {', '.join(unknown)}")
    queues, divisions = (_folded(_texts(name, word, entry.get(word, []))) for word in _NAMES)
    _check(name, bool(queues or divisions), "names neither queues nor divisions")
    mode, days, hold = entry.get("mode"), entry.get("days", 0), entry.get("legal_hold", False)
    _check(name, mode in LOCK_MODES, f"must have a mode of {', '.join(LOCK_MODES)}")
    _check(name, isinstance(hold, bool), "must have true or false as legal_hold")
    good = isinstance(days, int) and not isinstance(days, bool)
    low, high = (0, 0) if mode == NOT_LOCKED else (1, DAYS_MAX)
    _check(name, good and low <= days <= high, f"must have {low} to {high} days with mode {mode}")
    return RetentionRule(name, queues, divisions, str(mode), days, hold)


def _texts(name: str, word: str, value: Any) -> list[str]:  # noqa: ANN401 - JSON
    good = isinstance(value, list) and all(isinstance(item, str) and item.strip() for item in value)
    _check(name, good, f"must have a list of names or ids as {word}")
    return list(value)


def _folded(names: Iterable[str]) -> frozenset[str]:
    """Queues are renamed in capitals, ids are pasted in them; neither is meant."""
    return frozenset(name.strip().casefold() for name in names)


def _check(name: str, good: bool, wanted: str) -> None:  # noqa: FBT001 - a question and its answer
    if not good:
        raise ConfigurationError(f"{VARIABLE}: rule {name!r} {wanted}")
