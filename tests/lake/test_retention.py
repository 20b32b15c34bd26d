"""Rules by queue or division: which one holds, and that one which cannot be read is named."""

from __future__ import annotations

import json

import pytest

from include.errors import ConfigurationError
from include.lake.protection import Protection
from include.lake.retention import VARIABLE, RetentionRules

DEFAULT = Protection("COMPLIANCE", 3650, sse="AES256")
CARDS = {"name": "cards", "queues": ["Payments"], "mode": "GOVERNANCE", "days": 90}
CLAIMS = {"name": "claims", "queues": ["Claims"], "mode": "GOVERNANCE", "days": 900, "legal_hold": True}
TRADING = {"name": "trading", "divisions": ["D-1"], "mode": "COMPLIANCE", "days": 30}
FREE = {"name": "free", "queues": ["Small talk"], "mode": "none"}


def rules(*entries):
    """Read rules from the environment."""
    return RetentionRules.from_environment({VARIABLE: json.dumps(entries)})


ALL = rules(CARDS, CLAIMS, TRADING, FREE)


@pytest.mark.parametrize(
    ("queues", "divisions", "expected"),
    [
        ([], [], ("COMPLIANCE", 3650, False)),
        (["Sales"], ["D-9"], ("COMPLIANCE", 3650, False)),
        (["payments "], [], ("GOVERNANCE", 90, False)),
        (["Small talk"], [], ("none", 0, False)),
        (["Payments", "Claims"], [], ("GOVERNANCE", 900, True)),
        (["Claims"], ["d-1"], ("COMPLIANCE", 900, True)),
        (["Small talk", "Payments"], [], ("GOVERNANCE", 90, False)),
    ],
    ids=["nothing known", "no rule", "by name", "less than the default", "longest", "strictest", "none is least"],
)
def test_strictest_of_what_matches(queues, divisions, expected):
    """A rule replaces the default; of several, each part is the strictest."""
    chosen = ALL.protection(DEFAULT, queues, divisions)
    assert expected == (chosen.object_lock_mode, chosen.retention_days, chosen.legal_hold)
    assert "AES256" == chosen.sse


def test_order_of_rules_says_nothing():
    """Whoever adds a rule above or below changes nothing."""
    turned = rules(FREE, TRADING, CLAIMS, CARDS)
    for queues in (["Payments", "Claims"], ["Claims", "Small talk"], ["Small talk"]):
        assert ALL.protection(DEFAULT, queues, ["D-1"]) == turned.protection(DEFAULT, queues, ["D-1"])


def test_rules_from_a_file(tmp_path):
    """A path instead of the list."""
    file = tmp_path / "rules.json"
    file.write_text(json.dumps([CARDS, TRADING]), "utf-8")
    assert rules(CARDS, TRADING) == RetentionRules.from_environment({VARIABLE: str(file)})


def test_nothing_set_is_no_rule():
    """The default of the variable."""
    assert RetentionRules() == RetentionRules.from_environment({VARIABLE: ""}) == rules()


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({**CARDS, "mode": "compliance"}, "'cards' must have a mode"),
        ({**CARDS, "days": 0}, "'cards' must have 1 to"),
        ({**CARDS, "days": "90"}, "'cards' must have 1 to"),
        ({**CARDS, "days": True}, "'cards' must have 1 to"),
        ({**FREE, "days": 5}, "'free' must have 0 to 0 days with mode none"),
        ({**CARDS, "queues": []}, "'cards' names neither"),
        ({**CARDS, "queues": "Payments"}, "'cards' must have a list of names or ids as queues"),
        ({**CARDS, "queue": ["x"]}, "'cards' has fields that no rule has: queue"),
        ({**CARDS, "legal_hold": "yes"}, "'cards' must have true or false"),
        ({**CARDS, "name": ""} | {"mode": 1}, "'number 1' must have a mode"),
        ("cards", "rule 1 is no object"),
    ],
)
def test_bad_rule_is_named(entry, said):
    """A rule that is taken for another one deletes or keeps what it should not."""
    with pytest.raises(ConfigurationError, match=f"{VARIABLE}: .*{said}"):
        rules(entry)


@pytest.mark.parametrize(
    ("text", "said"),
    [("[", "neither JSON"), ("/nowhere/rules.json", "cannot be read"), (json.dumps([CARDS, CARDS]), "two rules")],
)
def test_bad_list_is_refused(text, said):
    """No half of it is taken."""
    with pytest.raises(ConfigurationError, match=said):
        RetentionRules.from_environment({VARIABLE: text})


def test_file_without_a_list_is_refused(tmp_path):
    """One rule alone is no list."""
    file = tmp_path / "rules.json"
    file.write_text(json.dumps(CARDS), "utf-8")
    with pytest.raises(ConfigurationError, match="must be a list"):
        RetentionRules.from_environment({VARIABLE: str(file)})
