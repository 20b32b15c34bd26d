"""``day`` on a command line."""

from __future__ import annotations

from genesys_archive.commands.__main__ import main


def test_days_in_the_wrong_order_are_refused(capsys):
    """Printing nothing and ending with 0 would say that all of no days is complete."""
    assert 1 == main(["day", "--date=2026-01-02", "--end-date=2026-01-01"])
    assert "day: the last day 2026-01-01 is before the first, 2026-01-02\n" == capsys.readouterr().err
