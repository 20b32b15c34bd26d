"""What a run and a queue may ask for, and what of it the source can be asked for."""

from __future__ import annotations

import pytest

from include.errors import ConfigurationError
from include.genesys.models import Contract
from include.transfer.derivative_settings import DerivativeSettings
from include.transfer.rendition import CHANNELS, FORMATS, QueueRules, Rendition

PLATFORM, GUIDE = Contract.PLATFORM, Contract.GUIDE
WAV, MP3_MONO = Rendition("wav"), Rendition("mp3", "mono")


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        ("flac", "output_format must be one of original, wav, mp3"),
        ("wav/stereo", "channels must be one of original, mono"),
        ("", "output_format must be one of"),
        ("wav/mono/mono", "channels must be one of"),
    ],
)
def test_what_is_unknown_is_refused_by_name(word: str, sentence: str) -> None:
    """The sentence names the parameter, its value and what to do."""
    with pytest.raises(ConfigurationError, match=sentence):
        Rendition.parse(word)


@pytest.mark.parametrize(
    ("rendition", "contract", "requested"),
    [
        (Rendition(), PLATFORM, None),
        (Rendition(), GUIDE, None),
        (WAV, GUIDE, "WAV"),
        (MP3_MONO, GUIDE, None),
        (WAV, PLATFORM, None),
        (Rendition("original", "mono"), GUIDE, None),
    ],
)
def test_what_the_source_is_asked_for(rendition: Rendition, contract: Contract, requested: str | None) -> None:
    """A format where the request has a field for it; with one channel it has none: that is made here."""
    assert requested == rendition.requested_format(contract)


@pytest.mark.parametrize(
    ("word", "media", "met"),
    [
        ("wav", ("audio/wav", "pcm", 2), True),
        ("wav", ("audio/wav", "gsm", 1), False),
        ("wav", ("audio/ogg", "opus", 2), False),
        ("mp3", ("audio/mpeg", "mp3", 2), True),
        ("mp3/mono", ("audio/mpeg", "mp3", 2), False),
        ("mp3/mono", ("audio/mpeg", "mp3", 1), True),
        ("original/mono", ("audio/ogg", "opus", 1), True),
        ("original/mono", ("audio/ogg", "opus", None), False),
    ],
)
def test_an_original_that_is_so_already_gets_no_copy(word: str, media: tuple[str, str, int | None], met: bool) -> None:  # noqa: FBT001 - a table
    """GSM in a WAV is not what is meant by one; an unknown number of channels is not one channel."""
    assert met == Rendition.parse(word).is_met_by(*media)


def test_mono_without_a_format_is_wav() -> None:
    """Nothing is lost a second time."""
    assert "wav-mono" == Rendition("original", "mono").name


def test_rules_add_to_the_run() -> None:
    """By name or id of the queue, for every recording with a star; twice the same is once."""
    rules = QueueRules.parse('{"Sales": ["mp3/mono", "wav"], "*": "wav"}')
    assert (MP3_MONO, WAV) == rules.wanted(Rendition(), ["Sales", "an id"])
    assert (WAV,) == rules.wanted(Rendition(), [])
    assert (MP3_MONO, WAV) == rules.wanted(MP3_MONO, ["Claims"])
    assert () == QueueRules.parse("").wanted(Rendition(), ["Sales"])


@pytest.mark.parametrize("text", ["[]", "nonsense", "null", '{"Sales": "ogg"}', '{"Sales": ["mp3", "x/y"]}'])
def test_rules_that_cannot_be_read_are_refused(text: str) -> None:
    """When the settings are built, not after a night's work."""
    with pytest.raises(ConfigurationError):
        DerivativeSettings(derivative_rules=text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OUTPUT_FORMAT", "flac"),
        ("CHANNELS", "2"),
        ("TRANSCODE_MEMORY_BYTES", "much"),
        ("TRANSCODE_TIMEOUT_SECONDS", "nan"),
        ("CONCURRENT_TRANSCODES", "0"),
        ("TRANSCODE_OUTPUT_BYTES_MAX", str(2**32)),
    ],
)
def test_settings_are_read_and_checked(name: str, value: str) -> None:
    """A wrong value is named; a missing one has its default."""
    with pytest.raises(ConfigurationError, match=f"(?i){name}"):
        DerivativeSettings.from_environment({f"RECORDING_ARCHIVE_{name}": value})
    assert DerivativeSettings() == DerivativeSettings.from_environment({f"RECORDING_ARCHIVE_{name}": ""})


def test_settings_come_from_the_environment() -> None:
    """Each field from its variable, as its type."""
    read = DerivativeSettings.from_environment(
        {"RECORDING_ARCHIVE_OUTPUT_FORMAT": "mp3", "RECORDING_ARCHIVE_TRANSCODE_TIMEOUT_SECONDS": "5"}
    )
    assert (Rendition("mp3"), 5.0) == (read.rendition, read.limits.timeout_seconds)


def test_offered_values() -> None:
    """The run's form offers these values; the first is the default."""
    assert (("original", "wav", "mp3"), ("original", "mono")) == (FORMATS, CHANNELS)
