"""Who works there: divisions, queues, wrap-up codes and agents, some of whom have left."""

from __future__ import annotations

from dataclasses import dataclass

from include.sandbox.dice import dice_for, uuid_for

AGENTS = 130
"""More than the 100 ids one /users call may name, so that a full day does not fit into one."""
DEPARTED_EVERY = 9
DEFAULT_WRAP_UP = "ININ-WRAP-UP-TIMEOUT"
"""A default code that is no UUID, so that looking it up by id is a 400 ``invalid.id``."""

_GIVEN = (
    "Aylin Ben Carla Dmitri Elif Femi Greta Håkon Imani Jürgen Keiko Luís Mara Niamh Omar Priya Quinn Rosa Sören Tomás"
)
_FAMILY = (
    "Adler Baptiste Çelik Dahl Eriksen Fontaine Görtz Hughes Ivanova"
    " Jansen Køhler Lindqvist Moreau Nuñez Okafor Popescu"
)
_QUEUES = ("Billing", "Claims", "Collections", "New business", "Retention", "Service DE", "Technical 2nd level", "VIP")
_CODES = [
    *("Callback agreed", "Complaint", "Contract change", "Fraud suspected", "Information given", "No answer"),
    *("Order placed", "Refund", "Resolved", "Transferred", "Wrong number", "Übergabe"),
]


@dataclass(frozen=True, slots=True)
class Entry:
    """One named thing of the directory; ``state`` matters for users only."""

    id: str
    name: str
    division_id: str
    state: str = "active"


@dataclass(frozen=True, slots=True)
class Directory:
    """Everything a lookup may ask for, each kind sorted by name as the API lists it."""

    divisions: tuple[Entry, ...]
    queues: tuple[Entry, ...]
    wrap_up_codes: tuple[Entry, ...]
    users: tuple[Entry, ...]
    unknown_user_id: str

    @property
    def present(self) -> tuple[Entry, ...]:
        """Agents who still work there."""
        return tuple(user for user in self.users if user.state == "active")

    @property
    def departed(self) -> tuple[Entry, ...]:
        """Agents who are inactive or deleted: found only with ``state=any`` or their own state."""
        return tuple(user for user in self.users if user.state != "active")


def directory_of(seed: int) -> Directory:
    """Return the directory of the organisation with this seed."""
    dice = dice_for(seed, "directory")
    home = uuid_for(seed, "division", 0)
    divisions = tuple(
        Entry(uuid_for(seed, "division", number), name, home)
        for number, name in enumerate(("Home", "Branches", "Online"))
    )

    def entries(kind: str, names: list[str]) -> tuple[Entry, ...]:
        made = [Entry(uuid_for(seed, kind, name), name, dice.choice(divisions).id) for name in names]
        return tuple(sorted(made, key=lambda entry: entry.name))

    names = [f"{given} {family}" for given in _GIVEN.split() for family in _FAMILY.split()]
    users = [
        Entry(entry.id, entry.name, entry.division_id, _state(position))
        for position, entry in enumerate(entries("user", dice.sample(names, AGENTS)))
    ]
    return Directory(
        divisions,
        entries("queue", list(_QUEUES)),
        entries("wrap-up", _CODES),
        tuple(users),
        uuid_for(seed, "user nobody knows"),
    )


def _state(position: int) -> str:
    if position % DEPARTED_EVERY:
        return "active"
    return "deleted" if position % (2 * DEPARTED_EVERY) else "inactive"
