"""A wrong value is named before anything starts."""

from __future__ import annotations

import pytest

from demo.options import NotConfiguredError, SandboxOptions, StackOptions


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"timezone": "Mars/Base"}, "TIMEZONE"),
        ({"date": "2026-02-30"}, "DATE"),
        ({"conversations": -1}, "CONVERSATIONS"),
        ({"scenario": "nope"}, "SCENARIO"),
        ({"fault": "media-html nope"}, "FAULT"),
    ],
)
def test_a_wrong_value_of_the_sandbox_is_named(values, name):
    """The sentence begins with the variable that make takes."""
    with pytest.raises(NotConfiguredError, match=f"^{name}"):
        SandboxOptions(**values)


def test_a_port_that_is_none_is_named():
    """Above 65535 there is no port."""
    with pytest.raises(NotConfiguredError, match=r"^PORT must be 0 to 65535, not 70000$"):
        StackOptions(ui_port=70_000)


def test_each_kind_of_demo_has_an_archive_of_its_own():
    """A fault leaves another day behind, so it must not meet the one of a demo without."""
    kinds = [SandboxOptions(), SandboxOptions(fault="media-html:1"), SandboxOptions(scenario="rough")]
    assert ["archive", "archive-media-html", "archive-rough"] == [kind.lake_prefix for kind in kinds]
