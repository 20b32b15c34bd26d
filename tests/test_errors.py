"""The tree drawn in the module's docstring is the tree of the classes, and facts are attributes."""

from __future__ import annotations

import inspect
import re

import pytest

from include import errors
from include.errors import ArchiveError, ArchiveRejected, RateLimited, TransferInterrupted

BRANCH = re.compile(r"^    (?P<indent>[│ ]*)(?:├── |└── )?(?P<name>[A-Z]\w+)(?P<note>.*)$")


def drawn_tree():
    """Return each class drawn in the docstring with the one it hangs from."""
    parents, path = {}, []
    for line in inspect.getdoc(errors).splitlines():
        match = BRANCH.match(line)
        if match is None:
            continue
        depth = 0 if match["name"] == "ArchiveError" else len(match["indent"]) // 4 + 1
        path = [*path[:depth], match["name"]]
        parents[match["name"]] = path[depth - 1] if depth else "Exception"
    return parents


def test_drawing_and_classes_agree():
    """Every class is drawn where it hangs, and nothing is drawn that is not there."""
    defined = {
        name: cls.__base__.__name__
        for name, cls in inspect.getmembers(errors, inspect.isclass)
        if cls.__module__ == errors.__name__
    }
    assert defined == drawn_tree()


def test_facts_that_the_drawing_names_are_attributes():
    """The words in the drawing that begin with a dot can be read off the error."""
    assert 7.0 == RateLimited("wait", retry_after_seconds=7.0).retry_after_seconds
    assert 5 == TransferInterrupted("cut", bytes_safe=5).bytes_safe
    assert "zip_bomb" == ArchiveRejected("no", reason="zip_bomb").reason


def test_every_class_says_what_it_means():
    """The docstring of a class is the first thing the person on call looks up."""
    assert all(getattr(errors, name).__doc__ for name in drawn_tree())


def test_message_is_the_sentence_and_facts_stay_out_of_it():
    """Whoever prints an error prints its sentence, nothing else."""
    error = ArchiveError("It did not work.", recording_id="r", key="k")
    assert ("It did not work.", {"recording_id": "r", "key": "k"}) == (str(error), error.facts)
    assert "ArchiveError('It did not work.')" == repr(error)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, (None, None)),
        ({"status": 404, "code": "not.found"}, (404, "not.found")),
        ({"status": "404", "code": 404}, (None, None)),
    ],
    ids=["none", "both", "of another kind"],
)
def test_status_and_code_are_read_where_the_answer_had_them(facts, expected):
    """A status is a number and a code a word; anything else is neither."""
    error = ArchiveError("x", **facts)
    assert expected == (error.status, error.code)
