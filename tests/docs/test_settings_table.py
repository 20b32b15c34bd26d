"""The table of settings is ``include/settings.py``: names, defaults, and nothing more."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path
from tempfile import gettempdir

import pytest

from include.audit.delivery import Trouble
from include.audit.notice import NoticeSettings
from include.audit.signature import JournalSigning
from include.environment import variable_of
from include.lake.protection import Protection
from include.lake.retention import VARIABLE
from include.pii import PiiPolicy
from include.settings import ArchiveSettings, LakeLocation
from include.transfer.derivative_settings import DerivativeSettings
from include.transfer.export_settings import ExportSettings
from include.transfer.webhook_settings import WebhookSettings
from tests.docs.pages import all_pages, page, rows, words
from tests.every_setting import KINDS, OWN_NAMES

TABLE_OF_ITS_OWN = {"pii"}
NOT_WRITTEN_AS_A_NUMBER = {"RECORDING_LAKE_URI", "GENESYS_TIMEZONE", "RECORDING_ARCHIVE_STATE_DIR"}


def variable(name):
    """Return the environment variable of a field."""
    return OWN_NAMES.get(name, variable_of(name))


def table():
    """Return the table as variable to its row."""
    found = rows(page("docs/connect.md").section("Settings"), "variable")
    return {words(row[0])[0]: row for row in found}


def test_every_setting_has_a_row():
    """A setting without a row is unknown to readers; a row without a setting does nothing."""
    names = [item.name for item in fields(ArchiveSettings) if item.name not in TABLE_OF_ITS_OWN]
    assert [variable(name) for name in names] == list(table())


def test_defaults_are_the_true_ones():
    """The default of each number as ``str`` writes it."""
    expected = {variable(item.name): str(item.default) for item in fields(ArchiveSettings) if item.default != MISSING}
    written = {name: words(row[1])[0] for name, row in table().items() if name not in NOT_WRITTEN_AS_A_NUMBER}
    assert expected == written


def test_defaults_that_are_no_numbers():
    """Zone and folder as the code has them."""
    settings = ArchiveSettings(lake=LakeLocation("bucket"))
    assert settings.timezone.key == words(table()["GENESYS_TIMEZONE"][1])[0]
    assert Path(gettempdir()) / words(table()["RECORDING_ARCHIVE_STATE_DIR"][1])[0] == settings.state_dir


def test_units_stand_in_the_table():
    """No row leaves open what the number counts."""
    assert [] == [name for name, row in table().items() if not row[2]]


def test_protection_has_a_table_of_its_own():
    """Names and defaults as the code has them; an empty default is written as the word."""
    found = rows(page("docs/connect.md").section("Protection"), "variable")
    written = {words(row[0])[0]: words(row[1])[0] if words(row[1]) else row[1] for row in found}
    assert {variable(item.name): str(item.default) or "empty" for item in fields(Protection)} == written


def test_personal_facts_have_a_table_of_their_own():
    """Groups and defaults as the code has them."""
    found = rows(page("docs/connect.md").section("Personal facts"), "variable")
    written = {words(row[0])[0]: words(row[1])[0] for row in found}
    assert {variable(f"pii_{item.name}"): str(item.default) for item in fields(PiiPolicy)} == written


def test_signing_has_a_table_of_its_own():
    """Both variables, and nothing as their default: a key has none."""
    found = rows(page("docs/connect.md").section("Signed commits"), "variable")
    assert {variable(item.name): "empty" for item in fields(JournalSigning)} == {
        words(row[0])[0]: row[1] for row in found
    }


@pytest.mark.parametrize(
    ("heading", "kind"),
    [("Derivatives", DerivativeSettings), ("Native export", ExportSettings), ("Notices to people", NoticeSettings)],
)
def test_settings_of_one_part_have_a_table_of_their_own(heading, kind):
    """Names and defaults as the code has them; an empty default is written as the word."""
    found = rows(page("docs/connect.md").section(heading), "variable")
    written = {words(row[0])[0]: words(row[1])[0] if words(row[1]) else row[1] for row in found}
    assert {variable(item.name): str(item.default) or "empty" for item in fields(kind)} == written


def test_webhook_has_a_table_of_its_own():
    """Names and defaults as the code has them; an empty default, and that of a secret, is written as the word."""
    found = rows(page("docs/connect.md").section("Webhook"), "variable")
    written = {words(row[0])[0]: words(row[1])[0] if words(row[1]) else row[1] for row in found}
    shown = {variable(item.name): item.default for item in fields(WebhookSettings)}
    assert {name: "empty" if value in ("", MISSING) else str(value) for name, value in shown.items()} == written


def test_words_of_the_webhook_are_those_of_the_code():
    """Every word that is no status of the receiver's has its row."""
    table = rows(page("docs/webhook.md").section("Something did not arrive"), "reason")
    assert set(Trouble) == {word for row in table for word in words(row[0]) if not word.startswith("http_")}


def test_no_page_names_a_setting_that_does_not_exist():
    """Every ``RECORDING_ARCHIVE_X`` of any page is a setting."""
    known = {variable(item.name) for kind in KINDS for item in fields(kind)}
    known |= {VARIABLE}
    known |= {variable(f"pii_{item.name}") for item in fields(PiiPolicy)}
    named = {name for one in all_pages() for name in re.findall(r"RECORDING_ARCHIVE_[A-Z_]*[A-Z]", one.text)}
    assert set() == named - known
