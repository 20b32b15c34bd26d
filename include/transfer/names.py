"""Names beside ids: a courtesy that no recording waits for, except where a rule is to be found by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from include.errors import ConfigurationError, SourceUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from include.genesys.models import Conversation
    from include.lake.store import LakeStore


class NameSource(Protocol):
    """What is needed of the source."""

    def resolve_names(self, conversations: Sequence[Conversation]) -> tuple[Conversation, ...]:
        """Return them with agent, queue and wrap-up names filled in."""

    @property
    def names_missing(self) -> tuple[str, ...]:
        """Say of which of these fields the source could give no names so far."""


def with_names(
    source: NameSource, lake: LakeStore, conversations: Sequence[Conversation]
) -> tuple[tuple[Conversation, ...], frozenset[str]]:
    """Return the conversations with names, and of which of their fields the source gave none.

    Raises:
        SourceUnavailable: when a queue has no name, and a retention rule of the lake finds queues by theirs: a
            recording would be kept for less than was promised.
        RetriableError, PermanentError: as the source raises them.
    """
    named = source.resolve_names(conversations)
    nameless = frozenset(field for field in source.names_missing if any(_lacks(item, field) for item in named))
    if "queues" in nameless and (rules := lake.writing.retention.by_queue_name):
        raise SourceUnavailable(
            f"Genesys gives no names of queues, and retention rule {rules[0]!r} finds queues by name: name them by id, "
            "or give the client routing:queue:view; where the source is down, run the day again."
        )
    return named, nameless


def refuse_unnamed_queues(lake: LakeStore, conversations: Iterable[Conversation]) -> None:
    """Stop at queues that have an id alone and always will, as the native export gives them.

    Raises:
        ConfigurationError: when there is one, and a retention rule of the lake finds queues by name.
    """
    rules = lake.writing.retention.by_queue_name
    if rules and any(_lacks(item, "queues") for item in conversations):
        raise ConfigurationError(
            f"The export has ids of queues and no names, and retention rule {rules[0]!r} finds queues by name: its "
            "recordings would be kept for less than was promised. Name the queues by id."
        )


def _lacks(conversation: Conversation, field: str) -> bool:
    return any(reference.name is None for reference in getattr(conversation, field))
