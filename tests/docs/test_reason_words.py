"""Every reason word that a report can hold has its row in the runbook, with its class."""

from __future__ import annotations

import ast
import re
from itertools import pairwise

from include.outcome import Outcome
from include.transfer.failure import outcome_of
from include.transfer.transcode_failure import Reason
from tests.docs.pages import PROJECT, page, rows, words
from tests.docs.test_error_pages import GROUPS, classes

SNAKE = re.compile(r"[a-z][a-z0-9_]*\Z")

# Module constants in small letters that are not reasons: who said so, what was asked for.
NO_REASONS = {
    "ARCHIVE", "AUDIO", "BATCH", "CONTENT", "DOWNLOAD", "EXPORT", "METADATA", "MONO", "ORIGINAL", "PREFIX", "TOMBSTONE",
}  # fmt: skip

# These stop the shard or are filed under a word of their own, so no recording ends with their name.
NEVER_OF_A_RECORDING = {"NotAuthorised", "LakeUnavailable", "LakeConflict", "ObjectLocked", "ArchiveRejected"}
RAISED_NOWHERE: set[str] = set()

# Filed in quarantine by this word, without an item of its own.
FOLDERS_ONLY = {"unmapped"}


def modules():
    """Return the syntax trees of everything that can put a reason into a record."""
    folders = (PROJECT / "include" / "transfer", PROJECT / "include" / "audit")
    return [ast.parse(path.read_text("utf-8")) for folder in folders for path in sorted(folder.rglob("*.py"))]


def constants(tree):
    """Return the module's constants whose value is a word in small letters."""
    found = {}
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text))) if SNAKE.match(text):
                found[name] = text
    return found


def outcome_named(node):
    """Return the outcome that ``Outcome.X`` spells, if the node is that."""
    is_outcome = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Outcome"
    return Outcome[node.attr] if is_outcome else None


def word_of(node, named):
    """Return a literal or a module constant as a word."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and SNAKE.match(node.value):
        return node.value
    return named.get(node.id) if isinstance(node, ast.Name) else None


def values_of(node):
    """Return the arguments of a call, ``reason=`` last, or the elements of a tuple."""
    if isinstance(node, ast.Call):
        return [*node.args, *(item.value for item in node.keywords if item.arg == "reason")]
    return node.elts if isinstance(node, ast.Tuple) else []


def beside_an_outcome(tree, named):
    """Return the words that stand right behind an ``Outcome.X``, in a call or a tuple, with that outcome."""
    found = {}
    for node in ast.walk(tree):
        for value, following in pairwise(values_of(node)):
            outcome, word = outcome_named(value), word_of(following, named)
            if outcome and word:
                found[word] = outcome
    return found


def given_to_calls(tree, named):
    """Return the words of ``reject(...)``, of ``reason=...``, and of findings that keep a file out."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        keywords = {item.arg: item.value for item in node.keywords}
        required = keywords.get("required")
        if name == "reject" or (name == "Finding" and isinstance(required, ast.Constant) and required.value):
            found.add(word_of(node.args[0], named))
        if "reason" in keywords:
            found.add(word_of(keywords["reason"], named))
    return found - {None}


def words_of_the_code():
    """Return reason to outcome; ``None`` where the place does not name one: those are quarantined."""
    found = {}
    for tree in modules():
        named = constants(tree)
        found |= {word: None for word in given_to_calls(tree, named) if word not in found}
        found |= {word: None for name, word in named.items() if name not in NO_REASONS and word not in found}
        found |= beside_an_outcome(tree, named)
    for name, one in classes().items():
        if name not in GROUPS | NEVER_OF_A_RECORDING | RAISED_NOWHERE:
            found[re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()] = outcome_of(one.__new__(one))
    return {word: outcome or Outcome.QUARANTINED for word, outcome in found.items() if word not in FOLDERS_ONLY}


def words_of_the_runbook():
    """Return reason to class as the two tables say."""
    runbook = page("docs/runbook.md")
    table = {words(row[0])[0]: Outcome(words(row[1])[0]) for row in rows(runbook.section("By reason word"), "reason")}
    zips = rows(runbook.section("Zip words"), "reason")
    return table | {word: Outcome.QUARANTINED for row in zips for word in words(row[0])}


def test_every_reason_has_its_row_and_class():
    """A word that the code can write and the runbook does not explain leaves the person on call alone."""
    assert words_of_the_code() == words_of_the_runbook()


def test_errors_left_out_are_left_out_for_their_reason():
    """What is said to be raised nowhere is raised nowhere."""
    calls = {
        node.func.id
        for path in (PROJECT / "include").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert set() == RAISED_NOWHERE & calls


def test_classes_are_those_of_the_code():
    """The runbook's table of classes says of each whether the day is complete and whether it is asked for again."""
    table = rows(page("docs/runbook.md").section("How to read report.md"), "class")
    said = {words(row[0])[0]: (row[1].strip("*"), row[2]) for row in table}
    yes = {True: "yes", False: "no"}
    assert {str(item): (yes[not item.is_open], yes[not item.is_settled]) for item in Outcome} == said


def test_every_reason_of_a_derivative_has_its_row():
    """A derivative that failed says one word; the table says whether a later run tries it again."""
    table = rows(page("docs/runbook.md").section("Derivative words"), "reason")
    written = {words(row[0])[0]: row[1] for row in table}
    assert {str(reason): "no" if reason.is_settled else "yes" for reason in Reason} == written
