"""One day of conversations: a pure function of the seed, the date and the scenario."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from include.sandbox.dice import deck, dice_for, happens, uuid_for
from include.sandbox.directory import DEFAULT_WRAP_UP, Directory, Entry
from include.sandbox.recordings import Part, Recording
from include.sandbox.scenario import PROFILES, Damage, Profile, RecordingKind

if TYPE_CHECKING:
    from random import Random

    from include.sandbox.config import SandboxConfig

FORMATS = ("ogg_opus",) * 9 + ("wav_pcm16",) * 4 + ("wav_ulaw",) * 4 + ("mp3",) * 3
OGG_SECONDS_MAX = 40
_TAGS = ("callback", "escalation", "vip", "Kündigung", "upsell")


@dataclass(frozen=True, slots=True)
class Leg:
    """One agent's share of a conversation."""

    user_id: str
    queue_id: str
    wrap_up_code: str
    start: datetime
    end: datetime
    wrap_up_tags: tuple[str, ...] = ()
    wrap_up_note: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation as it happened; ``end`` is ``None`` while it is still open. Times are UTC."""

    id: str
    profile: str
    start: datetime
    end: datetime | None
    direction: str
    ani: str
    dnis: str
    division_ids: tuple[str, ...]
    session_id: str
    legs: tuple[Leg, ...]
    recordings: tuple[Recording, ...] = ()
    external_tag: str | None = None
    flagged: bool = False

    @property
    def kind(self) -> Profile:
        """The profile it was made from."""
        return PROFILES[self.profile]

    @property
    def selected(self) -> bool:
        """Whether a query for closed voice conversations with a recording returns it."""
        return self.kind.media_type == "voice" and self.kind.recorded and self.end is not None


@dataclass(slots=True)
class DayMaker:
    """Makes the conversations of one local date; every draw belongs to (seed, date, number) alone."""

    config: SandboxConfig
    directory: Directory
    day: date
    _bounds: tuple[datetime, datetime] = field(init=False)

    def __post_init__(self) -> None:
        self._bounds = day_bounds(self.config, self.day)

    def conversations(self) -> list[Conversation]:
        """Return the day's conversations, by start and then id."""
        made = [self._conversation(number, profile) for number, profile in enumerate(self._profiles())]
        return sorted(made, key=lambda conversation: (conversation.start, conversation.id))

    def _profiles(self) -> list[str]:
        mix, size = self.config.mix, self.config.conversations
        if not mix.weights or not size:
            return []
        if self.day not in self.config.dates:
            # Neighbours of the chosen dates: a few calls near midnight, which a whole-UTC-day interval also returns.
            return ["plain"] * max(2, size // 50)
        cards = deck(mix.weights, size, self.config.seed, self.day)
        if mix.single:
            cards[cards.index("plain")] = mix.single
        return cards

    def _conversation(self, number: int, profile: str) -> Conversation:
        key = (self.config.seed, self.day, number)
        dice, kind = dice_for(*key), PROFILES[profile]
        seconds = float(dice.randint(*self.config.seconds_of_audio)) + dice.random()
        start = self._start(dice, kind, number)
        talk = start + timedelta(milliseconds=dice.randint(2500, 25_000))
        legs = self._legs(dice, kind, talk, seconds)
        end = legs[-1].end + timedelta(milliseconds=dice.randint(500, 9000))
        conversation_id, session_id = uuid_for(*key, "conversation"), uuid_for(*key, "customer session")
        return Conversation(
            id=conversation_id,
            profile=profile,
            start=start,
            end=end if kind.closed else None,
            direction="outbound" if happens(dice, 0.15) else "inbound",
            ani=f"sip:{dice.randint(1000, 9999)}@pbx.example.net"
            if kind.sip
            else f"tel:+4930{dice.randint(10**6, 10**7 - 1)}",
            dnis=f"tel:+49800{dice.randint(1000, 9999)}",
            division_ids=tuple(entry.id for entry in dice.sample(self.directory.divisions, 1 + (happens(dice, 0.1)))),
            session_id=session_id,
            legs=legs,
            recordings=tuple(
                self._recording(
                    (*key, place), dice, item, (conversation_id, session_id, talk, seconds, kind.restricted)
                )
                for place, item in enumerate(kind.recordings)
            ),
            external_tag=f"CASE-{dice.randint(10_000, 99_999)}" if happens(dice, 0.2) else None,
            flagged=happens(dice, 0.03),
        )

    def _start(self, dice: Random, kind: Profile, number: int) -> datetime:
        opening, closing = self._bounds
        day = closing - opening
        if self.day not in self.config.dates:
            edge = timedelta(minutes=dice.randint(1, 50), milliseconds=dice.randint(0, 59_999))
            return closing - edge if number % 2 else opening + edge
        if kind.at_midnight:
            return closing - timedelta(milliseconds=dice.randint(1, 2000))
        if self.config.mix.near_midnight:
            return self._near_midnight(dice, number)
        share = dice.random() if happens(dice, 0.1) else dice.triangular(0.28, 0.88, 0.55)
        return opening + timedelta(milliseconds=int(day.total_seconds() * 1000 * share))

    def _near_midnight(self, dice: Random, number: int) -> datetime:
        opening, closing = self._bounds
        if number == 0:
            return opening
        if number == 1:
            return closing - timedelta(milliseconds=1)
        edge = timedelta(milliseconds=dice.randint(0, 600_000))
        return opening + edge if number % 2 else closing - timedelta(milliseconds=1) - edge

    def _legs(self, dice: Random, kind: Profile, talk: datetime, seconds: float) -> tuple[Leg, ...]:
        legs, moment = [], talk
        for queue in dice.sample(self.directory.queues, kind.legs):
            end = moment + timedelta(milliseconds=round(seconds * 1000 / kind.legs))
            code = DEFAULT_WRAP_UP if kind.default_wrap_up else dice.choice(self.directory.wrap_up_codes).id
            tags = tuple(dice.sample(_TAGS, dice.randint(1, 2))) if happens(dice, 0.15) else ()
            note = "Customer calls again, has the letter." if happens(dice, 0.1) else None
            legs.append(Leg(self._agent(dice, kind), queue.id, code, moment, end, tags, note))
            moment = end
        return tuple(legs)

    def _agent(self, dice: Random, kind: Profile) -> str:
        if kind.agent == "unknown":
            return self.directory.unknown_user_id
        pool: tuple[Entry, ...] = self.directory.departed if kind.agent == "departed" else self.directory.present
        return dice.choice(pool).id

    def _recording(
        self,
        key: tuple[object, ...],
        dice: Random,
        kind: RecordingKind,
        call: tuple[str, str, datetime, float, bool],
    ) -> Recording:
        conversation_id, session_id, start, seconds, restricted = call
        form = dice.choice(self.config.mix.formats or FORMATS)
        if kind.damage is Damage.TRUNCATED or (form == "ogg_opus" and seconds >= OGG_SECONDS_MAX):
            form = "wav_pcm16"
        voice, channels, tagging = dice.randint(0, 1), 1 + (happens(dice, 0.7)), dice.choice((3, 4, 0))
        parts = tuple(
            Part(index, form, voice, channels, round(seconds / kind.results, 3), kind.damage, tagging)
            for index in range(kind.results)
        )
        return Recording(
            id=uuid_for(*key, "recording"),
            conversation_id=conversation_id,
            session_id=session_id,
            media=kind.media,
            subtype=kind.subtype,
            file_state=kind.file_state,
            start=start,
            parts=parts,
            late=kind.late,
            restricted=restricted,
        )


def day_bounds(config: SandboxConfig, day: date) -> tuple[datetime, datetime]:
    """Return the first instant of a local date and of the next, in UTC; 23 or 25 hours apart on clock changes."""
    midnights = (datetime.combine(each, time(), config.zone) for each in (day, day + timedelta(days=1)))
    opening, closing = (midnight.astimezone(UTC) for midnight in midnights)
    return opening, closing
