"""What the pages point to is there: files, headings, make targets, DAGs, parameters."""

from __future__ import annotations

import json
import re

import pytest

from tests.docs.pages import PROJECT, all_pages, page, rows, words

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
LEFT_BY_TOOLS = {"htmlcov", "logs"}
FOREIGN = ("http://", "https://", "mailto:")
MACHINE = re.compile(r"/(?:home|root|work|tmp|Users|var/folders)/\S+")
PAGES = pytest.mark.parametrize("one", all_pages(), ids=lambda one: one.name)


def targets():
    """Return the targets of the Makefile."""
    return set(re.findall(r"(?m)^([a-z-]+):", (PROJECT / "Makefile").read_text("utf-8")))


@PAGES
def test_links_lead_somewhere(one):
    """Every relative link is a file of the project, and its fragment a heading there."""
    broken = []
    for link in LINK.findall(one.prose):
        if link.startswith(FOREIGN):
            continue
        name, _, fragment = link.partition("#")
        target = (one.path.parent / name).resolve() if name else one.path
        found = target.is_relative_to(PROJECT) and target.exists()
        if not found or (fragment and fragment not in page(str(target.relative_to(PROJECT))).anchors):
            broken.append(link)
    assert [] == broken


@PAGES
def test_make_targets_exist(one):
    """Every ``make something`` that a page tells a reader to type is a target."""
    named = set(re.findall(r"(?m)(?:`|^)make ([a-z-]+)", one.text))
    assert set() == named - targets()


@PAGES
def test_no_page_knows_this_machine(one):
    """A path of somebody's machine helps nobody else."""
    assert [] == MACHINE.findall(one.text)


def test_every_page_is_linked():
    """A page that no other page links to is not found by anybody."""
    linked = {
        (one.path.parent / link.partition("#")[0]).resolve()
        for one in all_pages()
        for link in LINK.findall(one.prose)
        if not link.startswith(FOREIGN)
    }
    assert [] == [one.name for one in all_pages() if one.path not in linked and one.name != "README.md"]


def test_map_of_the_tree_is_the_tree():
    """Every place on the map exists, and every folder of code at the top is on it."""
    tree = next(fence.text for fence in page("README.md").fences if "include/genesys/" in fence.text)
    named = [line.split()[0] for line in tree.splitlines()]
    here = {path.name for path in PROJECT.iterdir() if path.is_dir() and not path.name.startswith((".", "_"))}
    folders = here - LEFT_BY_TOOLS
    assert [] == [name for name in named if not (PROJECT / name).exists()]
    assert set() == folders - {name.split("/")[0] for name in named}


def test_dags_of_the_readme_are_the_dags():
    """One row for each file in ``dags/``, and none more."""
    table = rows(page("README.md").section("Run it every night"), "DAG")
    assert {path.stem for path in (PROJECT / "dags").glob("*.py")} == {words(row[0])[0] for row in table}


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_hour_of_the_schedule_is_the_true_one(name):
    """Every time of day that the page names is the one at which a DAG runs, and every such hour is named."""
    sources = [path.read_text("utf-8") for path in (PROJECT / "dags").glob("*.py")]
    hours = [found.groups() for one in sources if (found := re.search(r'= "(\d+) (\d+) \* \* \*"', one))]
    prose = page(name).prose.replace("first day 00:00 to the last day 23:59", "")
    assert {f"{int(hour):02d}:{int(minute):02d}" for minute, hour in hours} == set(re.findall(r"\b\d\d:\d\d\b", prose))


def test_parameters_of_the_readme_are_those_of_the_form():
    """The form's parameters, all of them, in a table of the README."""
    form = page("docs/DAGS.md").text.partition("file `dags/genesys_recordings_daily.py`")[2]
    params = set(re.findall(r"(?m)^\| `(\w+)` \|", form.partition("### Parameters")[2].partition("###")[0]))
    table = rows(page("README.md").section("Run it every night"), "parameter")
    assert params == {word for row in table for word in words(row[0])}


def test_pools_of_the_page_are_those_of_the_deployment():
    """Names and slots as in ``deploy/pools.json``."""
    pools = json.loads((PROJECT / "deploy" / "pools.json").read_text("utf-8"))
    table = rows(page("docs/connect.md").section("Pools"), "pool")
    assert {name: str(pool["slots"]) for name, pool in pools.items()} == {words(row[0])[0]: row[1] for row in table}


def test_decisions_are_numbered_without_a_gap():
    """The list of decisions is the folder, in order."""
    files = sorted(path.name for path in (PROJECT / "docs" / "adr").glob("0*.md"))
    assert [f"{number:04d}" for number in range(1, len(files) + 1)] == [name[:4] for name in files]
    assert files == [link for link in LINK.findall(page("docs/adr/README.md").text) if link.startswith("0")]
