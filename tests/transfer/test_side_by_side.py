"""Several things at a time, and what the first trouble does."""

from __future__ import annotations

import threading

import pytest

from include.transfer.side_by_side import side_by_side

LATE_SECONDS = 20.0


def test_results_come_in_the_order_of_the_things() -> None:
    """Whichever is finished first; nothing of nothing."""
    second_ended = threading.Event()

    def work(number: int) -> int:
        if number == 1:
            assert second_ended.wait(LATE_SECONDS)
        if number == 2:
            second_ended.set()
        return number * 10

    assert [10, 20, 30] == side_by_side(work, [1, 2, 3], threads=2, name="test")
    assert [] == side_by_side(work, [], threads=2, name="test")


def test_trouble_among_small_things_stops_the_rest() -> None:
    """Before anybody has looked: the caller's thread is not woken while the others have the interpreter."""
    begun = []

    def work(number: int) -> None:
        begun.append(number)
        if number == 3:
            raise LookupError("three")

    for _ in range(20):
        begun.clear()
        with pytest.raises(LookupError, match="three"):
            side_by_side(work, range(500), threads=1, name="test")
        assert [0, 1, 2, 3] == begun


def test_the_first_trouble_stops_what_has_not_begun() -> None:
    """Also where an earlier thing is still under way: its end is awaited, and the last one never begins."""
    last_begun, ended = threading.Event(), []

    def work(number: int) -> None:
        if number == 2:
            raise LookupError("two")
        if number == 999:
            last_begun.set()
        if number == 1:
            last_begun.wait(0.5)  # long enough for all of them, if they were begun
            ended.append(number)

    with pytest.raises(LookupError, match="two"):
        side_by_side(work, range(1, 1000), threads=2, name="test")
    assert [1] == ended
    assert not last_begun.is_set()
