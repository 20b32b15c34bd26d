"""The facts of a conversation as they may be written into the lake; every plan is made of these."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.errors import ConfigurationError
from include.genesys.conversation import to_json
from include.genesys.telephone import e164, is_region

if TYPE_CHECKING:
    from include.genesys.models import Conversation
    from include.settings import ArchiveSettings


def stored_facts(conversation: Conversation, settings: ArchiveSettings) -> dict[str, object]:
    """Return the facts of one conversation under the policy of the settings; numbers in E.164 beside the raw ones.

    Raises:
        ConfigurationError: when ``RECORDING_ARCHIVE_TELEPHONE_REGION`` is no country.
    """
    region = settings.telephone_region
    if not is_region(region):
        raise ConfigurationError(
            f"RECORDING_ARCHIVE_TELEPHONE_REGION must be an ISO 3166-1 country such as DE, not {region!r}"
        )
    facts = to_json(conversation) | {
        "ani_e164": e164(conversation.ani, region),
        "dnis_e164": e164(conversation.dnis, region),
        "duration_milliseconds": conversation.duration_milliseconds,
    }
    return settings.pii.applied(facts)
