"""What a run may ask for under which contract."""

from __future__ import annotations

import pytest

from include.errors import ConfigurationError
from include.genesys.models import Contract
from include.transfer.rendition import CHANNELS, FORMATS, Rendition

PLATFORM, GUIDE = Contract.PLATFORM, Contract.GUIDE


@pytest.mark.parametrize(
    ("rendition", "contract", "word"),
    [
        (Rendition("flac"), GUIDE, "output_format must be one of original, wav, mp3"),
        (Rendition("wav", "stereo"), GUIDE, "channels must be one of original, mono"),
        (Rendition("wav"), PLATFORM, "output_format wav cannot be had"),
        (Rendition("original", "mono"), GUIDE, "channels mono cannot be had"),
        (Rendition("original", "mono"), PLATFORM, "channels mono cannot be had"),
    ],
)
def test_what_cannot_be_had_is_refused_by_name(rendition: Rendition, contract: Contract, word: str) -> None:
    """The sentence names the parameter, its value and what to do."""
    with pytest.raises(ConfigurationError, match=word):
        rendition.check(contract)


@pytest.mark.parametrize(
    ("rendition", "contract", "requested"),
    [
        (Rendition(), PLATFORM, None),
        (Rendition(), GUIDE, None),
        (Rendition("wav"), GUIDE, "WAV"),
        (Rendition("mp3"), GUIDE, "MP3"),
    ],
)
def test_what_can_be_had(rendition: Rendition, contract: Contract, requested: str | None) -> None:
    """Originals can be had everywhere, formats where the request has a field for them."""
    rendition.check(contract)
    assert requested == rendition.requested_format


def test_offered_values() -> None:
    """The run's form offers these values; the first is the default."""
    assert (("original", "wav", "mp3"), ("original", "mono")) == (FORMATS, CHANNELS)
