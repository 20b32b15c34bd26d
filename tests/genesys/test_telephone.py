"""Numbers as they come, in E.164 or not at all."""

from __future__ import annotations

import pytest

from include.genesys.telephone import e164, is_region


@pytest.mark.parametrize(
    ("address", "region", "expected"),
    [
        ("+49305612292", "ZZ", "+49305612292"),
        ("+49 (30) 561-2292", "ZZ", "+49305612292"),
        ("+49305612292@carrier.example:5060", "ZZ", "+49305612292"),
        ("0305612292", "DE", "+49305612292"),
        ("0305612292", "ZZ", None),
        ("(201) 555-0123", "US", "+12015550123"),
        ("2001", "DE", None),
        ("110", "DE", None),
        ("+1", "ZZ", None),
        ("+15550100", "ZZ", None),
        ("+99912345678", "ZZ", None),
        ("anonymous", "DE", None),
        ("agent@example.org", "DE", None),
        ("", "DE", None),
        (None, "DE", None),
    ],
)
def test_number_is_e164_or_none(address, region, expected):
    """What is no number of a known plan, an extension above all, gets no form that looks like one."""
    assert expected == e164(address, region)


def test_regions_are_countries_or_none():
    """``ZZ`` stands for none; a misspelt country is refused, since every number would be lost with it."""
    assert (True, True, False, False) == (is_region("DE"), is_region("ZZ"), is_region("de"), is_region(""))
