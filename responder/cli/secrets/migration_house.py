"""A migration joined from the configuration: the store, the record, the application's identity."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

from stanch.responder.bootstrap.record import open_record
from stanch.responder.config import Settings
from stanch.responder.lifecycle.backends.secrets_manager import SecretsManager
from stanch.responder.lifecycle.inventory.discovery.code import TELLING
from stanch.responder.lifecycle.migration.check import run_check, words
from stanch.responder.lifecycle.migration.guard import Guard
from stanch.responder.lifecycle.migration.identity import assumed
from stanch.responder.lifecycle.migration.journal import LedgerJournal
from stanch.responder.lifecycle.migration.listing import Listing
from stanch.responder.lifecycle.migration.plan import Judge, Plan, Wishes
from stanch.responder.lifecycle.migration.proof import Prover, Resolve
from stanch.responder.lifecycle.migration.repository import Repository
from stanch.responder.lifecycle.migration.result import Phase, Result
from stanch.responder.lifecycle.migration.run import Migration, migration_id
from stanch.responder.lifecycle.model.access import Access, AccessLog, Asker, Outcome
from stanch.responder.lifecycle.model.backend import Ability, Backend
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.error import SecretsConfigError
from stanch.responder.lifecycle.model.reference import Reference
from stanch.responder.lifecycle.resolution.precedence import course
from stanch.responder.lifecycle.resolution.recording import LedgerAccessLog
from stanch.responder.lifecycle.resolution.resolver import Resolver
from stanch.responder.lifecycle.sdk.room import Room
from stanch.scanner.api import Confidence, FingerprintKey, Match, Scanner, load_fingerprint_key
from stanch.scanner.model.secret import SecretValue

_NO_SECRET = re.compile(rb"(?i)(?:true|false|yes|no|on|off|null|none)\Z")
_NAME = re.compile(rb"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")


class House:
    """The parts that a migration is made of; what was opened is closed with ``opened``."""

    def __init__(self, settings: Settings, opened: ExitStack, *, asker: Asker) -> None:
        self._settings = settings
        self._asker = asker
        self._record = open_record(settings, opened)
        log = LedgerAccessLog(self._record)
        self._room = opened.enter_context(Room(settings, log=log))
        self._target = keeper(self._room)
        self._noted = _noted(log, asker, self._target)
        key = load_fingerprint_key(settings.scanner.fingerprint_key or None, settings.data)
        self._prints = _fingerprint(key)
        self._scanner = Scanner(key=key, processes=1)

    def migration(  # what a person says about it
        self,
        listings: tuple[Listing, ...],
        wishes: Wishes,
        *,
        slo: timedelta,
        role: str,
        check: str,
        patience: timedelta,
    ) -> Migration:
        """One migration."""
        place = self._room.place
        identity, resolve = _reader(self._room, self._settings, role, self._asker)
        return Migration(
            id=migration_id(place, self._target.name, (each.path for each in listings)),
            listings=listings,
            judge=self._judge(),
            wishes=wishes,
            prover=Prover(
                store=self._target,
                resolve=resolve,
                identity=identity,
                fingerprint=self._prints,
                seconds=time.perf_counter,
            ),
            guard=self._guard(wishes),
            check=_check(check, resolve, patience) if check else None,
            journal=LedgerJournal(
                self._record, actor=self._asker.actor, clock=lambda: datetime.now(UTC)
            ),
            terms={
                Phase.VALIDATE: identity,
                Phase.CHECK: check,
                Phase.PERFORMANCE: f"{identity} {slo.total_seconds()}",
            },
        )

    def _judge(self) -> Judge:
        return Judge(
            place=self._room.place,
            store=self._target,
            is_secret=lambda name, value: _is_secret(self._scanner, name, value),
            fingerprint=self._prints,
            opened=self._noted,
        )

    def _guard(self, wishes: Wishes) -> Guard:
        return Guard(
            store=self._target,
            fingerprint=self._prints,
            opened=self._noted,
            leaks=lambda text: _leaks(self._scanner, text, wishes.plain),
            repository=Repository.of,
        )


def _check(command: str, resolve: Resolve, patience: timedelta) -> Callable[[Plan], Result]:
    said = words(command)
    return lambda plan: run_check(plan, said, resolve, patience=patience)


def keeper(room: Room) -> Backend:
    """The first store of the environment that a secret can be made in."""
    environment = room.place.environment
    for source in room.course(environment).sources:
        if Ability.CREATE in source.abilities:
            return source
    raise SecretsConfigError(
        f"no store of {environment} can take a secret: {', '.join(room.names(environment))}",
        remedy=f'write {environment.name.lower()} = ["secrets-manager"] to [secrets] of '
        "stanch.toml: applications then read it there",
    )


def _reader(room: Room, settings: Settings, role: str, asker: Asker) -> tuple[str, Resolve]:
    """As whom values are read back, and how."""
    if not role:
        name = "this command (the application's own identity was not tried: --role)"
        return name, lambda reference: room.resolver.resolve(reference, asker)
    store = SecretsManager(assumed(room.aws, role))
    made: dict[str, Backend] = {SecretsManager.name: store}

    def connect(name: str) -> Backend:
        return made.get(name) or room.backend(name)

    resolver = Resolver(
        place=room.place,
        course=lambda environment: course(environment, settings.secrets.sources(), connect),
        log=room.log,
        clock=lambda: datetime.now(UTC),
    )
    return role, lambda reference: resolver.resolve(reference, asker)


def _noted(log: AccessLog, asker: Asker, store: Backend) -> Callable[[Reference, str], None]:
    """A value of the store was compared, and given to nobody."""

    def noted(reference: Reference, version: str) -> None:
        if reference.environment is not Environment.DEVELOPMENT:
            log.record(
                Access(
                    at=datetime.now(UTC),
                    asker=asker,
                    reference=reference,
                    outcome=Outcome.INDEXED,
                    source=store.name,
                    version=version,
                )
            )

    return noted


def _fingerprint(key: FingerprintKey) -> Callable[[SecretValue], str]:
    return lambda value: key.fingerprint("generic", "generic", value)


def _is_secret(scanner: Scanner, name: str, value: SecretValue) -> bool:
    """By its name, or because a scan would find it."""
    if _NO_SECRET.match(value.reveal()):
        return False
    if TELLING.search(name):
        return True
    return bool(_matches(scanner, name.encode() + b"=" + value.reveal() + b"\n"))


def _leaks(scanner: Scanner, text: bytes, plain: frozenset[str]) -> tuple[int, ...]:
    """Lines with a credential, but of variables that a person calls none."""
    lines = text.split(b"\n")
    found = []
    for line in _matches(scanner, text):
        name = _NAME.match(lines[line - 1])
        if name is None or name[1].decode() not in plain:
            found.append(line)
    return tuple(sorted(found))


def _matches(scanner: Scanner, text: bytes) -> list[int]:
    return [
        each.finding.span.line
        for each in scanner.scan_stream(io.BytesIO(text), name=".env", parts=False)
        if isinstance(each, Match) and each.finding.confidence is not Confidence.LOW
    ]
