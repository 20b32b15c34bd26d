"""Names for ids: agents, queues and wrap-up codes, in bulk, asked once.

Names are a courtesy: an id that Genesys does not know stays without one, and whatever keeps an endpoint from giving
names costs the names of its kind, not the day: a missing permission, an answer that is none, an endpoint that is down.
``missing`` says which; ids stay, and can be looked up later. What concerns every call stops this one: a client that is
refused, an allowance that is used up. So does, where the caller will come again (``may_wait``), an endpoint that is
down: names left out for an outage of minutes would be missing for ever.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from threading import Lock
from typing import TYPE_CHECKING

from include.errors import NotAuthorised, RequestRejected, SourceUnavailable
from include.genesys.answer import Malformed
from include.genesys.grouping import groups_of
from include.genesys.json_fields import entries_of, id_of, object_of, text_of, uuid_of
from include.genesys.request import ApiRequest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from include.genesys.http import ApiDoor
    from include.genesys.models import Conversation, NamedReference

IDS_MAX = 100
"""Ids one lookup may name (error ``max.user.ids`` above it; Genesys OpenAPI)."""

BISECTIONS_MAX = 40
"""Lookups spent on finding unknown ids, per kind and call: names must not eat the allowance of the day."""

SEVERAL = 5
"""So many unknown ids, and none that is known, are no accident: a small day may well have two agents who have left."""

OK, FORBIDDEN = 200, 403
UNKNOWN = (400, 404)

USERS, QUEUES, WRAP_UP_CODES = "/api/v2/users", "/api/v2/routing/queues", "/api/v2/routing/wrapupcodes"
EXTRA_QUERY: dict[str, tuple[tuple[str, str], ...]] = {
    USERS: (("state", "any"),),  # the default, active, hides agents who have left
}

FIELDS = {USERS: "agents", QUEUES: "queues", WRAP_UP_CODES: "wrap_up_codes"}
"""Which field of a ``Conversation`` each endpoint has the names for."""

LOGGER = logging.getLogger(__name__)


class Directory:
    """Resolves names through one door and remembers them; safe to share between threads."""

    def __init__(self, door: ApiDoor, *, may_wait: bool = False) -> None:
        self._door = door
        self._may_wait = may_wait
        self._away: dict[str, SourceUnavailable] = {}
        self._lock = Lock()
        self._names: dict[str, dict[str, str | None]] = {USERS: {}, QUEUES: {}, WRAP_UP_CODES: {}}
        self._given_up: set[str] = set()
        self._untold: set[str] = set()
        self._unknown: Counter[str] = Counter()
        self._answered: set[str] = set()

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields of conversations of which names could not be had: ``agents``, ``queues``, ``wrap_up_codes``.

        A few ids may be unknown. Where every one of several is, the endpoint may as well not be there.
        """
        knows_nobody = {
            kind for kind, count in self._unknown.items() if count >= SEVERAL and kind not in self._answered
        }
        return tuple(sorted(FIELDS[kind] for kind in self._given_up | self._untold | knows_nobody))

    def resolve(self, conversations: Iterable[Conversation]) -> tuple[Conversation, ...]:
        """Return the conversations, in order, with the names of their agents, queues and wrap-up codes.

        Raises:
            NotAuthorised: when the client as such is refused.
            SourceUnavailable: when an endpoint is down and this may wait.
            RateLimited, ConfigurationError: as ``ApiDoor.fetch``.
        """
        rows = tuple(conversations)
        with self._lock:
            self._learn(USERS, (agent.id for row in rows for agent in row.agents))
            self._learn(QUEUES, (queue.id for row in rows for queue in row.queues))
            self._learn(WRAP_UP_CODES, (code.id for row in rows for code in row.wrap_up_codes))
            return tuple(
                replace(
                    row,
                    agents=self._named(USERS, row.agents),
                    queues=self._named(QUEUES, row.queues),
                    wrap_up_codes=self._named(WRAP_UP_CODES, row.wrap_up_codes),
                )
                for row in rows
            )

    def _named(self, kind: str, references: tuple[NamedReference, ...]) -> tuple[NamedReference, ...]:
        names = self._names[kind]
        return tuple(replace(reference, name=names.get(reference.id) or reference.name) for reference in references)

    def _learn(self, kind: str, ids: Iterable[str]) -> None:
        # Only UUIDs are asked for: a built-in wrap-up code has a name for an id, and one such id fails its group.
        wanted = {value for value in ids if uuid_of(value)} - self._names[kind].keys()
        left = BISECTIONS_MAX
        waiting = [list(group) for group in groups_of(wanted, IDS_MAX)]
        if waiting and kind in self._away:
            raise self._away[kind]  # the other days of a run need not find out one by one, minutes each
        while waiting and kind not in self._given_up:
            group = waiting.pop()
            names = self._ask(kind, group)
            if names is None and len(group) > 1 and left > 1:
                left -= 2
                half = len(group) // 2
                waiting += [group[:half], group[half:]]
                continue
            if names is None:
                self._unknown[kind] += len(group)
            if names is None and len(group) > 1:
                self._untold.add(kind)
                LOGGER.warning("%d names of %s are left out: one of the ids is unknown there", len(group), kind)
            self._names[kind].update({value: (names or {}).get(value) for value in group})

    def _ask(self, kind: str, group: list[str]) -> dict[str, str | None] | None:
        """Return the names, or ``None`` where the source refuses the group for an id it does not know."""
        query = (*(("id", value) for value in group), *EXTRA_QUERY.get(kind, ()), ("pageSize", str(IDS_MAX)))
        try:
            names = self._door.fetch(ApiRequest("GET", kind, kind, query=query), _read_names)
        except RequestRejected as error:
            if error.status in UNKNOWN:
                return None
            self._give_up(kind, error)
        except NotAuthorised as error:
            if error.status != FORBIDDEN:
                raise
            self._give_up(kind, error)
        except SourceUnavailable as error:
            # What was answered, and is none, is so again; what was not may be in an hour.
            if self._may_wait and error.status != OK:
                self._away[kind] = error
                raise
            self._give_up(kind, error)
        else:
            self._answered.add(kind)
            return names
        return {}

    def _give_up(self, kind: str, why: object) -> None:
        self._given_up.add(kind)
        LOGGER.warning("No names from %s: %s", kind, why)


def _read_names(body: object) -> dict[str, str | None]:
    entities = object_of(body).get("entities")
    if not isinstance(entities, list):
        raise Malformed("its entities are no list")
    found = entries_of(entities)
    return {known: text_of(entity.get("name")) for entity in found if (known := id_of(entity.get("id")))}
