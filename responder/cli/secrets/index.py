"""``stanch secrets index``: what known values look like to a scan."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import click

from stanch.responder.cli.secrets.desk import (
    asker,
    place_options,
    reason_option,
    room,
    settings_for,
    tell,
)
from stanch.responder.cli.secrets.list import known_consumers
from stanch.responder.domain.ids import label
from stanch.responder.lifecycle.backends.naming import variable
from stanch.responder.lifecycle.inventory.known import Known, shared
from stanch.responder.lifecycle.inventory.recognition import Recognition
from stanch.responder.lifecycle.model.access import Access, Asker, Outcome
from stanch.responder.lifecycle.model.answer import Listed, Present
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.metadata import read
from stanch.responder.lifecycle.model.reference import Reference
from stanch.responder.lifecycle.resolution.precedence import LOCAL
from stanch.responder.lifecycle.sdk.room import Room
from stanch.scanner.api import load_fingerprint_key

_LOOKED_BACK = timedelta(days=90)


@click.command("index")
@place_options
@reason_option
def command(*, env: str | None, tenant: str | None, reason: str) -> None:
    """Open every secret of the place's managed stores, and record its keyed fingerprints.

    A leak of one of these values is then linked to its entry: the card names reference, owner and
    consumers, also of a value that was rotated away since. Incidents that are open are linked now.
    Two entries that hold the same value are shown: services, environments and tenants do not share.

    Exit codes: 0 done, 1 entries share a value, 2 usage or configuration, 3 a value could not be
    opened.
    """
    settings = settings_for(env, tenant)
    by = asker(settings, reason or "index of known values")
    key = load_fingerprint_key(settings.scanner.fingerprint_key or None, settings.data)
    used, note = known_consumers(settings, datetime.now(UTC) - _LOOKED_BACK)
    gaps: list[str] = []
    with room(settings) as opened:
        note += _nothing_to_open(opened)
        entries = list(_entries(opened, Recognition(key), by, used or {}, gaps))
    # Imported late: it brings the store.
    from stanch.responder.bootstrap.record import open_recognising  # noqa: PLC0415

    with ExitStack() as stack:
        linked = open_recognising(settings, stack).remember(entries, actor=by.actor)
    pairs = shared(entries)
    count = "1 secret" if len(entries) == 1 else f"{len(entries)} secrets"
    click.echo(f"{count} can be recognised in {opened.place.environment}")
    for incident in linked:
        click.echo(f"{label(incident)} is linked to its secret: stanch incidents {label(incident)}")
    for first, other in pairs:
        click.echo(f"{first} and {other} hold the same value: give each its own")
    tell((*note, *gaps))
    sys.exit(3 if gaps else 1 if pairs else 0)


def _nothing_to_open(opened: Room) -> tuple[str, ...]:
    """A note where every store is one that anybody on the machine fills."""
    environment = opened.place.environment
    names = opened.names(environment)
    if set(names) - LOCAL:
        return ()
    said = (
        f"there was no managed store to open: {environment} has {' and '.join(names)} alone, "
        "which are not indexed; `stanch secrets migrate` moves values into a managed one"
    )
    return (said,)


def _entries(
    opened: Room,
    recognition: Recognition,
    by: Asker,
    used: Mapping[str, tuple[str, ...]],
    gaps: list[str],
) -> Iterator[Known]:
    environment = opened.place.environment
    for name in opened.names(environment):
        if name in LOCAL:
            continue
        for each in opened.backend(name).entries():
            if not isinstance(each, Listed):
                gaps.append(f"{name} did not list all it has: {each.why}")
                continue
            reference = each.reference
            if reference is None or each.described.deleted_at is not None:
                continue  # nothing that a reference could name
            if reference.environment is environment:
                present = _opened(opened, name, reference, by, gaps)
                if present is not None:
                    prints = recognition.fingerprints(variable(reference), present.value)
                    yield _known(name, each, present.version, prints, used)


def _opened(
    opened: Room, name: str, reference: Reference, by: Asker, gaps: list[str]
) -> Present | None:
    """The value, once that it was opened is on the record."""
    answer = opened.backend(name).read(reference)
    if not isinstance(answer, Present):
        gaps.append(f"{reference} was not opened: {answer.why}")
        return None
    if reference.environment is not Environment.DEVELOPMENT:
        opened.log.record(
            Access(
                at=datetime.now(UTC),
                asker=by,
                reference=reference,
                outcome=Outcome.INDEXED,
                source=name,
                version=answer.version,
            )
        )
    return answer


def _known(
    name: str,
    listed: Listed,
    version: str,
    prints: frozenset[str],
    used: Mapping[str, tuple[str, ...]],
) -> Known:
    known, reference = read(listed.described.tags).known, listed.reference
    assert reference is not None  # noqa: S101  # the caller asked
    return Known(
        reference=str(reference),
        owner=known.get("owner", ""),
        service=reference.service,
        environment=str(reference.environment),
        tenant=known.get("tenant", ""),
        source=name,
        version=version,
        consumers=used.get(str(reference), ()),
        fingerprints=prints,
    )
