"""The outbox: whatever happens to the receiver or to us, each archived part is announced, in order, under one id."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from include.audit.delivery import Backlog, Reply
from include.errors import ConfigurationError
from include.lake import key_reading, layout
from include.secret import Secret
from include.transfer.erase import ErasureOrder, erase_conversation
from include.transfer.outbox import Outbox
from include.transfer.verify import Scope, verify_lake
from include.transfer.webhook import WebhookSender
from include.transfer.webhook_settings import WebhookSettings
from tests.story.committed import ORG, commit_parts
from tests.story.night import DAY, ZONE, everything_in, media_keys, night, remove
from tests.story.receiver import KEY, NEXT, VirtualClock, receiving

if TYPE_CHECKING:
    from include.lake.store import LakeStore

AWAY = "unreachable"


class KilledError(BaseException):
    """The worker died here."""


class Line:
    """What lies between us and the receiver: remembers what was sent, may be down, and may be where we die."""

    def __init__(self, through=None):
        self.through = through
        self.is_up = True
        self.sent, self.refused, self.next = [], {}, []
        self.dies = ""
        self.asked = 0

    def send(self, event_id, body):
        """Pass a request on."""
        self.asked += 1
        if self.dies == "before":
            raise KilledError
        reply = Reply(self.refused.get(event_id, "") if self.is_up else AWAY)
        reply = self.next.pop(0) if self.next else reply
        if not reply.reason:
            self.sent.append((event_id, hashlib.sha256(body).hexdigest()))
            reply = self.through.send(event_id, body) if self.through else reply
        if self.dies == "after":
            raise KilledError
        return reply


PARTS = [(1, 0), (1, 1), (2, 0), (3, 0), (3, 1), (4, 0), (5, 0)]


@dataclass
class Archived:
    """A lake and whose it is."""

    lake: LakeStore
    org: str


@pytest.fixture
def archived(lake):
    """A day of five recordings in seven parts."""
    commit_parts(lake, *PARTS)
    return Archived(lake, ORG)


def settings(**changes):
    """Return settings that are on."""
    return WebhookSettings(url=Secret("http://127.0.0.1:9/hook"), webhook_key=Secret(KEY), **changes)


def outbox(it, line, clock=None, **changes):
    """Return the outbox of the night's lake."""
    return Outbox(it.lake, it.org, ZONE, settings(**changes), line, clock or VirtualClock())


def times(it):
    """Return when the bucket took each object."""
    return dict(it.lake.stored_times(""))


@contextmanager
def to(server, clock, **changes):
    """Open a sender to a receiver."""
    changes = {"webhook_key": Secret(KEY)} | changes
    where = WebhookSettings(url=Secret(f"http://127.0.0.1:{server.server_port}/hook?token=canary"), **changes)
    with WebhookSender(where, clock=lambda: clock.now().timestamp()) as sender:
        yield sender


def test_receiver_of_the_page_takes_every_part(archived):
    """Each archived object is one event with its address, size and digest; the second run writes and sends nothing."""
    clock = VirtualClock()
    with receiving(KEY, clock=clock) as server, to(server, clock) as sender:
        done = outbox(archived, sender, clock).deliver([str(DAY)])
        before = times(archived)
        again = outbox(archived, sender, clock).deliver([str(DAY)])
    assert ([(len(media_keys(archived.lake)), 0, 0)], []) == (
        [(one.sent, one.waiting, one.dead) for one in done],
        again,
    )
    assert before == times(archived)
    told = {event["key"]: (event["sha256"], event["size"]) for event in server.events.values()}
    assert {key: everything_in(archived.lake)[key] for key in media_keys(archived.lake)} == told
    assert {archived.lake.uri(key) for key in told} == {event["filePath"] for event in server.events.values()}


def test_batches_arrive_as_one_request_each(archived):
    """The envelope holds as many events as the setting says."""
    clock = VirtualClock()
    with receiving(KEY, clock=clock) as server, to(server, clock) as sender:
        line = Line(sender)
        outbox(archived, line, clock, webhook_batch_events=5).deliver([str(DAY)])
    parts = len(media_keys(archived.lake))
    assert (parts, -(-parts // 5)) == (len(server.events), len(line.sent))


@pytest.mark.parametrize(("keys", "taken"), [([KEY], True), ([NEXT], True), (["x" * 40], False)])
def test_either_key_verifies_while_the_key_is_changed(archived, keys, taken):
    """A receiver with the old key, and one with the new; not one with a third."""
    clock = VirtualClock()
    with receiving(*keys, clock=clock) as server, to(server, clock, webhook_key_next=Secret(NEXT)) as sender:
        (done,) = outbox(archived, sender, clock, webhook_patience_seconds=1.0).deliver([str(DAY)])
    assert (taken, not taken) == (bool(server.events), "http_401" in done.reasons)


def test_receiver_that_is_away_for_a_day_misses_nothing(archived):
    """Runs go on green and briefly; when it is back, the next run of any day delivers everything, once, in order."""
    clock, line = VirtualClock(), Line()
    line.is_up = False
    begun, asleep = clock.now(), []
    while clock.now() - begun < timedelta(hours=24):
        start = clock.now()
        (done,) = outbox(archived, line, clock).deliver([str(DAY)])
        asleep.append((clock.now() - start).total_seconds())
        assert (0, len(PARTS), True) == (done.sent, done.waiting, AWAY in done.reasons)
        clock.sleep(3 * 3600)
    line.is_up = True
    (done,) = outbox(archived, line, clock).deliver([])
    assert max(asleep) <= 60
    assert (len(media_keys(archived.lake)), 0, 0) == (done.sent, done.waiting, done.dead)
    assert {1} == set(Counter(line.sent).values())


@pytest.mark.parametrize(("asked", "asked_in_run", "sent"), [(30, len(PARTS) + 1, len(PARTS)), (600, 1, 0)])
def test_receiver_that_asks_for_patience_is_left_alone_so_long(archived, asked, asked_in_run, sent):
    """One request is answered 429; no other goes out until the time is over, in this run or in a later one."""
    clock, line = VirtualClock(), Line()
    begun = clock.now()
    line.next = [Reply("http_429", float(asked))]
    (done,) = outbox(archived, line, clock).deliver([str(DAY)])
    assert (sent, len(PARTS) - sent, asked_in_run) == (done.sent, done.waiting, line.asked)
    clock.moment = begun + timedelta(seconds=asked)
    outbox(archived, line, clock).deliver([])
    assert len(PARTS) == len(line.sent) == len(set(line.sent))


def test_patience_of_an_event_is_kept_over_runs_and_has_an_end(archived):
    """A run before its time sends the others and not this one; half a day is the most that anybody gets."""
    clock, line = VirtualClock(), Line()
    begun = clock.now()
    line.next = [Reply("http_503", 1e9)]
    outbox(archived, line, clock).deliver([str(DAY)])
    clock.sleep(3600)
    (done,) = outbox(archived, line, clock).deliver([])
    # The second part of the same recording waits behind it.
    assert (len(PARTS) - 2, 2) == (done.sent, done.waiting)
    clock.moment = begun + timedelta(hours=12)
    (done,) = outbox(archived, line, clock).deliver([])
    assert (2, 0) == (done.sent, done.waiting)


def test_receiver_that_is_away_is_not_asked_for_every_event(archived):
    """Three times in one pass, however many events there are."""
    line = Line()
    line.is_up = False
    outbox(archived, line, webhook_patience_seconds=0.5).deliver([str(DAY)])
    assert 3 == line.asked


@pytest.mark.parametrize("moment", ["before", "after"])
def test_death_around_a_request_costs_at_most_a_repetition(archived, moment):
    """Everything arrives; what comes twice has the same id and the same bytes."""
    clock, line = VirtualClock(), Line()
    for _ in range(3):
        line.dies = moment
        with pytest.raises(KilledError):
            outbox(archived, line, clock).deliver([str(DAY)])
    line.dies = ""
    outbox(archived, line, clock).deliver([])
    assert len(media_keys(archived.lake)) == len({event_id for event_id, _ in line.sent}) == len(set(line.sent))
    assert (3 if moment == "after" else 0) == len(line.sent) - len(set(line.sent))


def test_event_that_is_always_refused_is_given_up_and_holds_up_nobody(archived):
    """The others arrive in the first run; after a week it is a dead letter, named, and can be revived."""
    clock, line = VirtualClock(), Line()
    outbox(archived, line, clock).deliver([str(DAY)])
    poison = line.sent[2][0]
    remove(archived.lake, layout.outbox_key(str(DAY)))
    line.refused[poison], line.sent = "http_422", []
    (first,) = outbox(archived, line, clock).deliver([str(DAY)])
    assert (len(media_keys(archived.lake)) - 1, 1) == (first.sent, first.waiting)
    clock.sleep(8 * 86400)
    (last,) = outbox(archived, line, clock).deliver([])
    assert (1, True) == (last.dead, poison in last.given_up[0])
    assert [] == outbox(archived, line, clock).deliver([str(DAY)])
    line.refused = {}
    (revived,) = outbox(archived, line, clock).deliver([str(DAY)], revive=True)
    assert (1, 0, 0) == (revived.sent, revived.waiting, revived.dead)
    assert len(media_keys(archived.lake)) == len({event_id for event_id, _ in line.sent})


def test_backlog_is_counted_over_all_days_and_ages_with_its_oldest_recording(archived):
    """What waits, since when the bucket has it, and what was given up, also by runs that did not look at the day."""
    clock, line = VirtualClock(), Line()
    clock.moment = max(times(archived).values()) + timedelta(hours=5)
    line.is_up = False
    away = outbox(archived, line, clock)
    away.deliver([str(DAY)])
    oldest = min(times(archived)[key] for key in media_keys(archived.lake))
    age = (clock.now() - oldest).total_seconds()
    assert Backlog(len(PARTS), age, 0) == away.backlog
    clock.sleep(8 * 86400)
    line.is_up = True
    line.next = [Reply("http_422")]
    back = outbox(archived, line, clock)
    back.deliver([])
    assert (0, 0.0, True) == (back.backlog.undelivered, back.backlog.oldest_seconds, back.backlog.dead > 0)
    later = outbox(archived, line, clock)
    assert [] == later.deliver([])
    assert back.backlog == later.backlog


def test_later_commits_add_events_and_repeat_none(archived):
    """What the second commit brought in is announced then; what it only found again is not, and no id changes."""
    clock, line = VirtualClock(), Line()
    outbox(archived, line, clock).deliver([str(DAY)])
    first, line.sent = line.sent, []
    commit_parts(archived.lake, (6, 0), again=PARTS[:3])
    outbox(archived, line, clock).deliver([str(DAY)])
    assert 1 == len(line.sent)
    second, line.sent = line.sent, []
    remove(archived.lake, layout.outbox_key(str(DAY)))
    outbox(archived, line, clock).deliver([str(DAY)])
    assert [*first, *second] == line.sent


def test_events_of_a_recording_keep_their_order(archived):
    """Its second part waits behind the first; the other recordings do not."""
    clock, line = VirtualClock(), Line()
    outbox(archived, line, clock).deliver([str(DAY)])
    everything, line.sent = line.sent, []
    remove(archived.lake, layout.outbox_key(str(DAY)))
    line.refused[everything[0][0]] = "http_503"
    (done,) = outbox(archived, line, clock).deliver([str(DAY)])
    assert ([*everything[2:]], 2, ("behind", "http_503")) == (line.sent, done.waiting, done.reasons)
    line.refused = {}
    clock.sleep(3600)
    outbox(archived, line, clock).deliver([])
    assert [*everything[2:], *everything[:2]] == line.sent


def test_night_is_announced_but_for_what_is_not_in_the_bucket(lake, tmp_path):
    """Neither what was lost, which waits, nor what was erased, which never comes."""
    clock, line = VirtualClock(), Line()
    with night(lake, tmp_path, conversations=8, scenario="ordinary") as it:
        it.run()
    lost, *others = media_keys(lake)
    erased = key_reading.MediaKey.parse(others[-1]).identity.conversation_id
    erase_conversation(lake, ErasureOrder(it.box.org_id, DAY, erased, "asked for", "consent withdrawn", "a test"))
    remove(lake, lost)
    (done,) = outbox(Archived(lake, it.box.org_id), line, clock).deliver([str(DAY)])
    assert (len(media_keys(lake)), 1, ("not_in_lake",)) == (done.sent, done.waiting, done.reasons)
    assert not any(erased in key for key in media_keys(lake))


def test_outbox_is_no_stranger_to_a_proof_of_the_whole_lake(lake, tmp_path):
    """Verification finds nothing to say about it."""
    with night(lake, tmp_path, conversations=4, scenario="ordinary") as it:
        it.run()
    outbox(Archived(lake, it.box.org_id), Line()).deliver([str(DAY)])
    assert lake.read(layout.outbox_key(str(DAY)))
    assert () == tuple(verify_lake(lake, Scope((), it.box.org_id, whole=True), lambda _: None).findings)


def test_altered_document_is_said_so(archived):
    """Nobody trusts an outbox that speaks of what never was."""
    clock, line = VirtualClock(), Line()
    outbox(archived, line, clock).deliver([str(DAY)])
    archived.lake.put_latest(layout.outbox_key(str(DAY)), b'{"schema":"x"}', "application/json")
    with pytest.raises(Exception, match="is no outbox of 2026-03-02: altered"):
        outbox(archived, line, clock).deliver([])


def test_wrong_settings_are_refused_before_anything_is_sent():
    """No key, a short key, another machine by http, a host that is not on the list; no message tells a secret."""
    key = {"webhook_key": Secret(KEY)}
    for url, changes, sentence in [
        ("https://example.com/canary", {}, "WEBHOOK_KEY is not set"),
        ("https://example.com/canary", {"webhook_key": Secret("canary")}, "must have 32 bytes"),
        ("http://example.com/canary", key, "must be https"),
        ("https://evil.example/canary", {**key, "webhook_hosts": "example.com"}, "leads to 'evil.example'"),
        ("https://user:canary@example.com/", key, "without a user name"),
        ("ftp://example.com/canary", key, "must look like"),
        ("https://example.com/can\nary", key, "must look like"),
        ("https://example.com:canary/", key, "must look like"),
    ]:
        with pytest.raises(ConfigurationError, match=sentence) as caught:
            WebhookSettings(url=Secret(url), **changes)
        assert "canary" not in str(caught.value)
