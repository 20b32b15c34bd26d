"""What a reader copies out of a page works."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess

import pytest

from include.genesys.connection import GenesysConnection
from include.genesys.models import Contract
from tests.docs.pages import PROJECT, all_pages, page, rows, words

FENCES = [fence for one in all_pages() for fence in one.fences]
PLACEHOLDER_ID = "29757b26-f5ba-47c8-b09f-e4aac89e4647"


def fences(language):
    """Return a parametrisation over the blocks of one language."""
    found = [fence for fence in FENCES if fence.language == language]
    return pytest.mark.parametrize("fence", found, ids=[f"{fence.page}-{n}" for n, fence in enumerate(found)])


def built(connection):
    """Build a connection as the hook does."""
    return GenesysConnection.from_fields(
        name="genesys_cloud",
        host=connection.get("host"),
        login=connection.get("login", "").replace(" ", "-"),
        password=connection.get("password"),
        extra=connection.get("extra", {}),
    )


def genesys_examples():
    """Return every JSON example of the connection, by page."""
    read = [(fence.page, json.loads(fence.text)) for fence in FENCES if fence.language == "json"]
    return {
        name: document for name, document in read if isinstance(document, dict) and document.get("conn_type") == "http"
    }


def test_every_block_says_its_language():
    """A block without a language is checked by nobody."""
    assert [] == [fence for fence in FENCES if not fence.language]


@fences("json")
def test_json_parses(fence):
    """Every JSON block is JSON."""
    json.loads(fence.text)


def test_python_parses():
    """Every Python block is Python."""
    for fence in FENCES:
        if fence.language == "python":
            ast.parse(fence.text)


@fences("sh")
def test_shell_parses(fence):
    """Every shell block is one that a POSIX shell can read."""
    checked = subprocess.run(["sh", "-n"], input=fence.text, capture_output=True, text=True, check=False)  # noqa: S607
    assert "" == checked.stderr


def test_connection_of_the_readme_is_one():
    """The README's example, with ids in place of its words, is a connection of the published contract."""
    connection = built(genesys_examples()["README.md"])
    assert Contract.PLATFORM == connection.contract
    assert ("https://api.mypurecloud.de", PLACEHOLDER_ID) == (connection.api_base_url, connection.org_id)


def test_connection_with_every_field_is_the_default_one():
    """The long example writes out the defaults: it is the same connection as the short one."""
    assert built(genesys_examples()["README.md"]) == built(genesys_examples()["docs/connect.md"])


def test_table_of_extra_has_every_field_that_is_read():
    """The fields of ``extra`` that the code asks for, and no others."""
    source = (PROJECT / "include" / "genesys" / "connection.py").read_text("utf-8")
    read = set(re.findall(r'extra\.get\("(\w+)"', source)) | set(re.findall(r'base_url\("(\w+)"\)', source))
    section = page("docs/connect.md").section("The connection `genesys_cloud`")
    assert read == {words(row[0])[0] for row in rows(section, "field of `extra`")}


@pytest.mark.parametrize("conn_id", ["genesys_cloud", "recording_lake"])
def test_lines_for_the_airflow_command_are_whole(conn_id):
    """``airflow connections add`` gets a type and an extra that is JSON; that of Genesys builds a connection."""
    blocks = [fence.text for fence in FENCES if f"connections add {conn_id}" in fence.text]
    arguments = shlex.split(blocks[0].replace("\\\n", " "))
    given = dict(zip(arguments[4::2], arguments[5::2], strict=True))
    extra = json.loads(given["--conn-extra"])
    if conn_id == "genesys_cloud":
        assert (
            PLACEHOLDER_ID
            == built({"host": given["--conn-host"], "login": "client", "password": "secret", "extra": extra}).org_id
        )
    assert {"genesys_cloud": "http", "recording_lake": "aws"}[conn_id] == given["--conn-type"]


def test_permissions_are_named_once_each():
    """The five permissions that a role needs stand in the table, none twice."""
    named = [words(row[0])[0] for row in rows(page("docs/connect.md").section("The OAuth client"), "permission")]
    assert 5 == len(named) == len(set(named))


def test_sandbox_commands_of_the_guide_are_accepted():
    """The two lists that CONTRIBUTING points to are options of the sandbox."""
    source = (PROJECT / "include" / "sandbox" / "__main__.py").read_text("utf-8")
    named = set(re.findall(r"`[^`]*include\.sandbox (--[a-z-]+)`|and `(--[a-z-]+)`", page("CONTRIBUTING.md").text))
    assert [] == [option for pair in named for option in pair if option and f'"{option}"' not in source]
