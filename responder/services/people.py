"""Who may decide: what the configuration says now, as far as the record has it sealed.

Whoever picks the configuration (another file, another variable) must not thereby become other
people. So the list is sealed on the record once; read anew for each decision, a person counts only
as both say. Taking somebody out of the configuration works at once; putting somebody in, or giving
them more, needs a person who is on the sealed list already.
"""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping, ValuesView
from dataclasses import dataclass

from stanch.responder.domain.approval import Person, find_person
from stanch.responder.domain.caller import SYSTEM, Caller
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Store, Transaction
from stanch.responder.domain.timeline import Event

SEALED = "people.sealed"


@dataclass(frozen=True, slots=True)
class LivePeople(Mapping[str, Person]):
    """The people, looked up anew each time."""

    store: Store
    configured: Callable[[], Mapping[str, Person]]

    def now(self) -> dict[str, Person]:
        """Who may decide at this moment."""
        configured = self.configured()
        with self.store.snapshot() as tx:
            sealed = read_sealed(tx)
        if sealed is None:
            return dict(configured)
        both = {name: _both(configured[name], sealed.get(name)) for name in configured}
        return {name: person for name, person in both.items() if person is not None}

    def __getitem__(self, name: str) -> Person:
        return self.now()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.now())

    def items(self) -> ItemsView[str, Person]:
        """All of them at one moment."""
        return self.now().items()

    def values(self) -> ValuesView[Person]:
        """All of them at one moment."""
        return self.now().values()

    def __len__(self) -> int:
        return len(self.now())


def read_sealed(tx: Transaction) -> dict[str, Person] | None:
    """The list on the record; None before there is one."""
    event = tx.ledger.newest(SEALED)
    if event is None:
        return None
    listed = event.detail.get("people")
    rows = listed if isinstance(listed, list) else []
    return {str(row["name"]): _person(row) for row in rows if isinstance(row, Mapping)}


def seal_first(store: Store, configured: Mapping[str, Person]) -> None:
    """The first people of an installation are those it is set up with."""
    if not configured:
        return
    with store.snapshot() as tx:
        if read_sealed(tx) is not None:
            return
    with store.transaction() as tx:
        if read_sealed(tx) is None:
            _record(tx, configured, SYSTEM, "the first people of this installation")


def seal(store: Store, configured: Mapping[str, Person], *, by: Caller, reason: str) -> None:
    """Put the configured list on the record. Raises ApprovalRefused for who is not on the old."""
    with store.transaction() as tx:
        known = read_sealed(tx)
        if known is not None:
            find_person(known, by.name)
        _record(tx, configured, by, reason)


def differing(tx: Transaction, configured: Mapping[str, Person]) -> tuple[str, ...]:
    """Who counts for less than the configuration says, because the record has it otherwise."""
    sealed = read_sealed(tx)
    if sealed is None:
        return ()
    return tuple(name for name, person in configured.items() if sealed.get(name) != person)


def duplicates(people: Mapping[str, Person]) -> tuple[str, ...]:
    """Identities that two people share: the first would always be taken for the other."""
    found = []
    for what in ("slack", "account"):
        owners: dict[str, list[str]] = {}
        for person in people.values():
            value = getattr(person, what)
            if value:
                owners.setdefault(value, []).append(person.name)
        found += [f"{what} {v!r}: {', '.join(n)}" for v, n in owners.items() if len(n) > 1]
    return tuple(found)


def _both(said: Person, sealed: Person | None) -> Person | None:
    if sealed is None or (said.slack, said.account) != (sealed.slack, sealed.account):
        return None
    return Person(
        name=said.name,
        groups=said.groups & sealed.groups,
        slack=said.slack,
        account=said.account,
    )


def _person(row: Mapping[str, object]) -> Person:
    groups = row.get("groups")
    slack, account = row.get("slack"), row.get("account")
    return Person(
        name=str(row["name"]),
        groups=frozenset(map(str, groups)) if isinstance(groups, list) else frozenset(),
        slack=None if slack is None else str(slack),
        account=None if account is None else str(account),
    )


def _record(tx: Transaction, people: Mapping[str, Person], by: Caller, reason: str) -> None:
    listed: list[JsonObject] = [
        {
            "name": name,
            "groups": sorted(person.groups),
            "slack": person.slack,
            "account": person.account,
        }
        for name, person in sorted(people.items())
    ]
    detail: JsonObject = {"people": listed, "reason": reason, **by.trace}
    tx.ledger.append(
        Event(at=tx.now(), actor=by.actor, action=SEALED, incident=None, detail=detail)
    )
