"""Who was erased, as one day sees it: from one listing of all days' tombstones."""

from __future__ import annotations

from uuid import UUID

from include.lake.erasures import erasures_of
from include.lake.layout import tombstone_key

DAY, OTHER, THIRD = "2026-03-02", "2026-03-09", "2026-02-01"


def one(number):
    """Return the id of a conversation."""
    return str(UUID(int=number))


def stone(lake, date, number, digest="0"):
    """Put a tombstone's key there and return it."""
    key = tombstone_key(date, one(number), digest * 64)
    lake.put_document(key, b"{}\n")
    return key


def test_own_day_comes_before_all_others(lake):
    """Each conversation is named once, by the day's own tombstone where it has one, else by the first by name."""
    here = stone(lake, DAY, 1)
    stone(lake, OTHER, 1)
    stone(lake, OTHER, 2)
    first = stone(lake, THIRD, 2, "f")
    stone(lake, DAY, 1, "1")
    lake.put_document(f"tombstones/date={THIRD}/conversation=nobody/{'0' * 64}.json", b"{}\n")
    found = erasures_of(lake, DAY)
    assert ({one(1): here}, {one(2): first}) == (found.here, found.elsewhere)
    assert {one(1): here, one(2): first} == found.anywhere
    assert [True, True, False] == [one(number) in found for number in (1, 2, 3)]
    assert {one(2): first} == found.of([one(1), one(2), one(3)])


def test_one_request_for_all(lake, lake_behind, proxy):
    """However many conversations a day has, and on however many days somebody was erased."""
    for number in range(20):
        stone(lake, f"2026-03-{number + 1:02}", number)
    found = erasures_of(lake_behind(), DAY)
    assert (1, 19) == (len(found.here), len(found.of(map(one, range(5000)))))
    assert ["GET"] == proxy.seen
