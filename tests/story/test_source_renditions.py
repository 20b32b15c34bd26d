"""Copies that Genesys renders: asked for after the original is archived, judged beside it, and made here otherwise."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from include.errors import SourceUnavailable
from include.genesys.models import Contract
from include.lake.key_reading import DerivedKey
from include.lake.layout import MediaIdentity
from include.transfer.derivative_document import Original
from include.transfer.derivative_settings import DerivativeSettings
from include.transfer.derive_day import DerivativeDesk, added_up, derive_slice, open_wishes, plan_slices
from include.transfer.integrity import examine
from include.transfer.metadata import Origin
from include.transfer.original import worth_copying
from include.transfer.recording_body import RecordingBody
from include.transfer.rendition import Rendition
from include.transfer.rendition_shelf import RenditionShelf, disagreement
from include.transfer.source_renditions import request_renditions, take_renditions
from tests.story.night import DAY, Memory, audio_in, audio_of, everything_in, night
from tests.transfer.sound import sound as sound_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from include.lake.store import LakeStore
    from include.transfer.derivative_slices import Slice
    from include.transfer.derive_day import DayDerived
    from include.transfer.submit import SubmittedShard
    from tests.story.night import Night

WAV = Rendition("wav")
GUIDE = Contract.GUIDE
TWO_SECONDS = sound_of("wav-pcm", 32_000)


@pytest.fixture
def archived(lake: LakeStore, tmp_path: Path) -> Iterator[Night]:
    """Return a night under the guide's contract that is over."""
    with night(lake, tmp_path, contract="guide", conversations=5, audio_seconds=(1, 3), scenario="ordinary") as it:
        it.run()
        yield it


def desk_of(it: Night, run: Rendition = WAV) -> DerivativeDesk:
    """Return the desk of the night."""
    return DerivativeDesk(it.lake, it.settings, DerivativeSettings(), it.box.org_id, run)


def ask(it: Night, desk: DerivativeDesk, part: Slice, contract: Contract = GUIDE) -> tuple[SubmittedShard, ...]:
    """Ask for what is open and wait until it is rendered."""
    wishes, _ = open_wishes(desk, part)
    now = datetime.now(UTC)
    asked = request_renditions(it.source, contract, wishes, Memory(), batch_items=2, now=now)
    for shard in asked:
        it.wait(shard)
    return asked


def derive(it: Night, desk: DerivativeDesk, asked: tuple[SubmittedShard, ...], part: Slice) -> DayDerived:
    """Take what is rendered and make the rest."""
    ports = (it.source, it.lake, it.downloader, it.settings)
    return derive_slice(desk, part, lambda wishes: take_renditions(*ports, wishes, asked))


def formats_asked(it: Night) -> list[str | None]:
    """Return the format of each job that the source was given, oldest first."""
    return [job.output_format for job in it.box.world.jobs._jobs.values()]


def documents(it: Night) -> dict[str, dict[str, object]]:
    """Return the documents beside the derivatives, by the key of the original."""
    keys = [key for key in it.lake.list_keys("derived/") if key.endswith(".metadata.json")]
    found = [json.loads(it.lake.read(key)) for key in keys]
    return {item["derived_from"]["key"]: item for item in found}


def test_the_original_is_archived_first_and_the_rendition_beside_it(archived: Night) -> None:
    """The night asks for no format; then Genesys' rendering stands below ``derived/`` and names its source."""
    assert {None} == set(formats_asked(archived))
    assert audio_of(archived.box) == audio_in(archived.lake)
    before = everything_in(archived.lake)
    (part,) = plan_slices(desk_of(archived), str(DAY), 250)
    derived = derive(archived, desk_of(archived), ask(archived, desk_of(archived), part), part)
    assert "WAV" == formats_asked(archived)[-1]
    assert before.items() <= everything_in(archived.lake).items()
    found = documents(archived)
    rendered = [item for item in found.values() if item["transcoder"] == {"name": "genesys_cloud"}]
    assert (len(rendered), len(found), 0) == (derived.rendered, derived.made, derived.failed)
    assert derived.rendered > 0
    for item in rendered:
        original = json.loads(archived.lake.read(item["derived_from"]["key"].rpartition(".")[0] + ".metadata.json"))
        assert ("WAV", True) == (item["source"]["requested_format"], bool(item["source"]["job_id"]))
        assert original["media"]["channel_roles"] == item["media"]["channel_roles"]
        assert (item["media"]["sha256"], item["media"]["bytes"]) == everything_in(archived.lake)[item["media"]["key"]]
        off = item["media"]["duration_milliseconds"] - original["media"]["duration_milliseconds"]
        assert abs(off) <= 50


def test_a_recording_in_several_parts_is_not_asked_for(archived: Night) -> None:
    """Nobody says which rendering belongs to which part: no quota is spent on it, and none is put beside a part."""
    (part,) = plan_slices(desk_of(archived), str(DAY), 250)
    wishes = [(replace(item, parts=2), WAV) for item, _ in open_wishes(desk_of(archived), part)[0]]
    before = formats_asked(archived)
    assert wishes
    now = datetime.now(UTC)
    assert () == request_renditions(archived.source, GUIDE, wishes, Memory(), batch_items=2, now=now)
    assert before == formats_asked(archived)
    assert {} == RenditionShelf.of(archived.lake, WAV, [item for item, _ in wishes]).originals


def test_nothing_is_made_of_other_forms_where_the_original_is_here() -> None:
    """One channel of two is copied while it is all there is; it is a part like another then."""
    whole, left = original(), original(in_other_form=True, key="left")
    right = replace(left, key="right")
    assert [whole] == worth_copying([left, whole, right])
    assert [("left", 2), ("right", 2)] == [(item.key, item.parts) for item in worth_copying([left, right])]


def test_a_second_run_asks_and_writes_nothing(archived: Night) -> None:
    """What stands there is not wanted; the source gets no job, the bucket no object."""
    desk = desk_of(archived)
    (part,) = plan_slices(desk, str(DAY), 250)
    derive(archived, desk, ask(archived, desk, part), part)
    before, jobs = everything_in(archived.lake), len(formats_asked(archived))
    again = derive(archived, desk, ask(archived, desk, part), part)
    assert (again.wanted, 0, 0) == (again.standing, again.made, again.rendered)
    assert (before, jobs) == (everything_in(archived.lake), len(formats_asked(archived)))


@pytest.mark.parametrize(("run", "contract"), [(WAV, Contract.PLATFORM), (Rendition("mp3", "mono"), GUIDE)])
def test_what_the_contract_cannot_be_asked_for_is_made_here(
    archived: Night, run: Rendition, contract: Contract
) -> None:
    """A batch of the platform has no format, the guide's no number of channels."""
    desk, jobs = desk_of(archived, run), len(formats_asked(archived))
    assert not desk.can_be_asked(contract)
    (part,) = plan_slices(desk, str(DAY), 250)
    asked = ask(archived, desk, part, contract)
    derived = derive(archived, desk, asked, part)
    assert ((), jobs, 0) == (asked, len(formats_asked(archived)), derived.rendered)
    assert derived.wanted == derived.made > 0


class _Refusing:
    """A source that is down."""

    def submit_batches(self, conversation_ids: object, output_format: str | None = None) -> None:
        """Refuse."""
        raise SourceUnavailable(f"no {output_format} for {len(list(conversation_ids))} today")


def test_a_source_that_is_down_costs_only_its_help(archived: Night) -> None:
    """The copies are made of the originals; nothing is red."""
    desk = desk_of(archived)
    (part,) = plan_slices(desk, str(DAY), 250)
    wishes, _ = open_wishes(desk, part)
    now = datetime.now(UTC)
    assert () == request_renditions(_Refusing(), GUIDE, wishes, Memory(), batch_items=100, now=now)
    derived = derive(archived, desk, (), part)
    assert (derived.wanted, 0) == (derived.made, derived.rendered)


def test_a_damaged_zip_of_renditions_leaves_nothing_behind(archived: Night, caplog: pytest.LogCaptureFixture) -> None:
    """It is no evidence of a loss: no quarantine, and what could not be read is made here."""
    desk = desk_of(archived)
    (part,) = plan_slices(desk, str(DAY), 250)
    asked = ask(archived, desk, part)
    archived.box.faults.switch_on("zip-corrupt")
    derived = derive(archived, desk, asked, part)
    archived.box.faults.switch_off("zip-corrupt")
    assert "rendering refused" in caplog.text
    assert derived.wanted == derived.made > derived.rendered
    assert [] == list(archived.lake.list_keys("quarantine/"))


def test_slices_share_a_day_and_their_counts_add_up(archived: Night) -> None:
    """Each conversation is in one slice; a slice makes its own and no other's."""
    desk = desk_of(archived, Rendition("wav", "mono"))
    parts = [replace(plan_slices(desk, str(DAY), 250)[0], number=number, of=3) for number in range(3)]
    counts = [derive_slice(desk, part).to_json() for part in parts]
    (together,) = added_up(json.loads(json.dumps(counts)))
    assert (together.wanted, 0) == (together.made, together.standing)
    made = [DerivedKey.parse(key) for key in archived.lake.list_keys("derived/") if key.endswith(".wav")]
    assert together.made == len(made)
    assert 1 < sum(bool(count["made"]) for count in counts)


def original(**changes: object) -> Original:
    """Return an original of two seconds in two channels."""
    identity = MediaIdentity("org", str(DAY), "0" * 36, "1" * 36, 0)
    return replace(
        Original(identity, "key", "ab", 1, "audio/ogg", "opus", 2, 2000, ("customer", "agent"), ()), **changes
    )


def body(sound: bytes) -> RecordingBody:
    """Return bytes as they come from a download."""
    sink = io.BytesIO(sound)
    return RecordingBody(sink, len(sound), "ab", examine(sink, len(sound), None), Origin("job", "host", "now"))


@pytest.mark.parametrize(
    ("sound", "rendition", "changes", "word"),
    [
        (TWO_SECONDS, WAV, {}, ""),
        (TWO_SECONDS, WAV, {"milliseconds": 2050}, ""),
        (TWO_SECONDS, WAV, {"milliseconds": 2051}, "lasts 2000 ms, the original 2051"),
        (TWO_SECONDS, WAV, {"milliseconds": None}, "not known"),
        (sound_of("wav-pcm-odd", 32_000), WAV, {}, "1 channels"),
        (TWO_SECONDS, Rendition("mp3"), {}, "audio/wav"),
        (sound_of("mp3", 32_000), Rendition("mp3"), {}, ""),
        (sound_of("mp3", 32_000), Rendition("mp3"), {"milliseconds": 3000}, "the original 3000"),
        (b"<html>sorry</html>", WAV, {}, "_"),
        (TWO_SECONDS[:-400], WAV, {}, "_"),
    ],
)  # fmt: skip
def test_a_rendering_has_to_agree_with_its_original(
    sound: bytes, rendition: Rendition, changes: dict[str, object], word: str
) -> None:
    """In format, channels and length; and it is walked to its end like every recording."""
    found = disagreement(original(**changes), rendition, body(sound))
    assert (bool(word), True) == (bool(found), word in found)
