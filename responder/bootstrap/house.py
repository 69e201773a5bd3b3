"""The house: every room joined."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from types import TracebackType
from typing import Self

from celery import Celery

from stanch.responder.bootstrap.part import Holding, Part
from stanch.responder.bootstrap.setting import (
    installed_runbooks,
    ledger_seal,
    master_key,
    notary,
    witness,
)
from stanch.responder.bootstrap.surface import notifiers
from stanch.responder.config import Settings, reread
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.ports import Errand
from stanch.responder.domain.runbook import Runbook
from stanch.responder.domain.step import Effect
from stanch.responder.engine.attempt import Attempt, Trace
from stanch.responder.engine.dispatch import Dispatch
from stanch.responder.engine.executor import Executor
from stanch.responder.engine.lease import Leases
from stanch.responder.engine.limit import Limit
from stanch.responder.engine.planner import Planner
from stanch.responder.engine.progress import Progress
from stanch.responder.fleet.bell import ring_stalled
from stanch.responder.keys.folder import close_folder
from stanch.responder.keys.memory import leave_no_core
from stanch.responder.keys.reference import secret as read_secret
from stanch.responder.ledger.anchor import Notary
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.providers.provider import Adapter
from stanch.responder.providers.registry import PROVIDERS, SPECS
from stanch.responder.services.anchoring import Anchoring
from stanch.responder.services.approvals import Approvals
from stanch.responder.services.cards import Cards
from stanch.responder.services.casefiles import CaseFiles
from stanch.responder.services.closing import Closing
from stanch.responder.services.delivery import Delivery
from stanch.responder.services.intake import Intake
from stanch.responder.services.people import LivePeople, seal_first
from stanch.responder.services.reconcile import Reconciler
from stanch.responder.services.response import Responses
from stanch.responder.services.words import Words
from stanch.responder.store.heartbeat import SqlHeartbeats
from stanch.responder.store.sql import SqlStore, open_store, read_store
from stanch.responder.vault.master import (
    MasterKey,
    NoMasterKey,
    missing,
    parse_master_key,
    require_same,
)
from stanch.responder.vault.vault import EnvelopeVault
from stanch.responder.worker.app import make_app, register
from stanch.responder.worker.broker import Broker, reach
from stanch.responder.worker.doorbell import CeleryDoorbell
from stanch.responder.worker.pacer import Pacer
from stanch.responder.worker.precedence import Precedence
from stanch.scanner.api import Match, builtin_rules
from stanch.scanner.model.secret import SecretValue


def _silent(step: str, boundary: str) -> None:
    """The trace of a run that nobody watches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every room stands on."""

    settings: Settings
    part: Part
    seal: LedgerSeal
    notary: Notary
    store: SqlStore
    vault: EnvelopeVault
    adapters: Mapping[str, Adapter]
    planner: Planner
    runbooks: Mapping[str, Runbook]
    celery: Celery
    doorbell: CeleryDoorbell


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything joined. Also what the Celery tasks call (`stanch.responder.worker.app.Work`)."""

    settings: Settings
    part: Part
    store: SqlStore
    vault: EnvelopeVault
    seal: LedgerSeal
    notary: Notary
    anchoring: Anchoring
    adapters: Mapping[str, Adapter]
    planner: Planner
    executor: Executor
    intake: Intake
    responses: Responses
    approvals: Approvals
    closing: Closing
    cards: Cards
    delivery: Delivery
    reconciler: Reconciler
    casefiles: CaseFiles
    celery: Celery
    doorbell: CeleryDoorbell
    pacer: Pacer
    precedence: Precedence
    opened: ExitStack  # closes what was opened, the last first

    def provider(self, name: str) -> Adapter | None:
        """Our hands at this provider; None when it is none of ours."""
        return self.adapters.get(name)

    def exists(self, match: Match) -> bool:
        """Whether what was found may exist, as its provider says; True when nobody knows."""
        hands = self.provider(match.finding.provider)
        return hands is None or hands.exists(match.parts)

    def advance(self, run: RunId, lane: Errand | None = None) -> timedelta | None:
        """Bring a run forward on a record that is whole, then anchor what was recorded."""
        with self.precedence.of(lane):
            self.anchoring.require()
            pause = self.executor.advance(run, lane)
            self.anchor()
        return pause

    def deliver(self, incident: IncidentId) -> None:
        """Bring the surfaces up to date."""
        self.precedence.give_way()
        self.delivery.deliver(incident)

    def sweep(self) -> int:
        """Ring for what is due, and anchor what who recorded it did not live to anchor.

        Fleets have workers of their own, which only a team has.
        """
        due = self.reconciler.sweep()
        self.anchor()
        return due + (ring_stalled(self.store, self.doorbell) if self.settings.team else 0)

    @contextmanager
    def heartbeats(self) -> Iterator[SqlHeartbeats]:
        """Workers' signs of life, in one transaction."""
        with self.store.transaction() as tx:
            yield tx.heartbeats

    def reach_broker(self) -> Broker:
        """Ask the broker for a sign of life. Raises BrokerError."""
        return reach(self.celery)

    def anchor(self) -> None:
        """Sign the ledger's head into the anchor file."""
        self.anchoring.anchor()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.opened.close()


def open_house(
    settings: Settings,
    *,
    part: Part = Part.WHOLE,
    notify: bool = False,
    trace: Trace = _silent,
) -> House:
    """Open store, keys and clients and join every room. Close it by leaving its context.

    ``part``: which process this is; keys that are not its own are neither opened nor looked for.
    ``notify``: cards are shown on the configured surfaces, not only to who asks for them.
    ``trace`` is told of every boundary inside a step. Raises StanchError with a remedy when a part
    of the configuration cannot be used; what was open by then is closed.
    """
    opened = ExitStack()
    try:
        return _join(_ground(settings, opened, part), opened, notify=notify, trace=trace)
    except BaseException:
        opened.close()
        raise


def _ground(settings: Settings, opened: ExitStack, part: Part) -> Ground:
    holds = part.value
    record, store = _record(settings, opened, holds)
    adapters = _connected(settings, opened, holds)
    broker = settings.broker_url() if holds.broker else "memory://"
    celery = make_app(broker, sweep_seconds=settings.worker.sweep_seconds)
    opened.callback(celery.close)
    key = _master_key(store, master_key(settings)) if holds.vault else NoMasterKey()
    return Ground(
        settings=settings,
        part=part,
        seal=record.seal,
        notary=record,
        store=store,
        vault=EnvelopeVault(store, key),
        adapters=adapters,
        planner=Planner(
            steps={
                name: step
                for provider in PROVIDERS
                for name, step in provider.build(adapters[provider.name]).items()
            }
        ),
        runbooks=installed_runbooks(settings),
        celery=celery,
        doorbell=CeleryDoorbell(celery),
    )


def _record(settings: Settings, opened: ExitStack, holds: Holding) -> tuple[Notary, SqlStore]:
    """The record's keys, as far as they are ours, and the store that it is kept in."""
    url = settings.store_url()
    if not holds.record:
        seen = witness(settings)
        store = read_store(url, seal=seen.seal, notices=holds.notices)
        return seen, opened.enter_context(closing(store))
    leave_no_core()
    close_folder(settings.data)
    seal = ledger_seal(settings)
    store = opened.enter_context(closing(open_store(url, seal=seal)))
    return notary(settings, seal) if holds.sign else witness(settings, seal), store


def _master_key(store: SqlStore, reference: str) -> MasterKey:
    """The master key, made only for a store in which nothing is sealed."""
    with store.snapshot() as tx:
        sealed_under = tx.envelopes.master_keys()
    if missing(reference):
        require_same(None, sealed_under)
    key = parse_master_key(reference)
    require_same(key.name, sealed_under)
    return key


def _connected(settings: Settings, opened: ExitStack, holds: Holding) -> dict[str, Adapter]:
    adapters: dict[str, Adapter] = {}
    for provider in PROVIDERS:
        resolve = _resolve if holds.hands else _withheld
        made: Adapter = provider.connect(settings.provider(provider.name), resolve)
        opened.callback(made.close)
        adapters[provider.name] = made
    return adapters


def _resolve(reference: str, what: str) -> SecretValue:
    return read_secret(reference, what=what)


def _withheld(reference: str, what: str) -> SecretValue:
    """For who only plans and shows: nothing signs with this."""
    del reference
    return SecretValue(f"{what} is not held by this process".encode())


def _join(ground: Ground, opened: ExitStack, *, notify: bool, trace: Trace) -> House:
    store, planner, doorbell = ground.store, ground.planner, ground.doorbell
    people = _people(ground)
    approvals = Approvals(
        store=store, planner=planner, runbooks=ground.runbooks, people=people, doorbell=doorbell
    )
    cards = Cards(store=store, approvals=approvals, words=_words(), remedy=_remedy)
    casefiles = _casefiles(ground)
    responses = Responses(
        store=store, planner=planner, runbooks=ground.runbooks, doorbell=doorbell, people=people
    )
    pacer, precedence = Pacer(doorbell.ring), Precedence()
    opened.callback(pacer.close)
    house = House(
        settings=ground.settings,
        part=ground.part,
        store=store,
        vault=ground.vault,
        seal=ground.seal,
        notary=ground.notary,
        anchoring=Anchoring(store=store, notary=ground.notary),
        adapters=ground.adapters,
        planner=planner,
        executor=_executor(ground, opened, trace, precedence),
        intake=Intake(store=store, vault=ground.vault, responses=responses),
        responses=responses,
        approvals=approvals,
        closing=Closing(store=store, casefiles=casefiles, people=people, doorbell=doorbell),
        cards=cards,
        delivery=_delivery(ground, cards, notify=notify),
        reconciler=Reconciler(store=store, doorbell=doorbell, responses=responses),
        casefiles=casefiles,
        celery=ground.celery,
        doorbell=doorbell,
        pacer=pacer,
        precedence=precedence,
        opened=opened,
    )
    register(ground.celery, lambda: house, pacer)
    return house


def _delivery(ground: Ground, cards: Cards, *, notify: bool) -> Delivery:
    surfaces = notifiers(ground.settings, ground.store) if notify else ()
    return Delivery(store=ground.store, cards=cards, notifiers=surfaces)


def _remedy(rule: str) -> str:
    """What the rule advises, and where its provider says so."""
    found = _advised().get(rule)
    return "" if found is None else " ".join(part for part in found if part)


@cache
def _advised() -> dict[str, tuple[str, str]]:
    return {rule.id: (rule.remedy, rule.link) for rule in builtin_rules()}


def _people(ground: Ground) -> LivePeople:
    """Read anew for each decision, from the file that these settings came from."""
    settings = ground.settings
    if ground.part.value.record:
        seal_first(ground.store, settings.persons())
    return LivePeople(ground.store, lambda: reread(settings).persons())


def _words() -> Words:
    return Words(names={provider.name: provider.words for provider in PROVIDERS})


def _casefiles(ground: Ground) -> CaseFiles:
    return CaseFiles(
        store=ground.store,
        seal=ground.seal,
        notary=ground.notary,
        specs=SPECS,
        words=_words(),
        advice={provider.name: provider.advice for provider in PROVIDERS},
    )


def _executor(ground: Ground, opened: ExitStack, trace: Trace, precedence: Precedence) -> Executor:
    store, planner, doorbell = ground.store, ground.planner, ground.doorbell
    progress = Progress(store=store, doorbell=doorbell, changing=_changing())
    length = timedelta(seconds=ground.settings.worker.lease_seconds)
    limits = ground.settings.limits
    return Executor(
        store=store,
        dispatch=Dispatch(
            planner=planner,
            progress=progress,
            runbooks=ground.runbooks,
            limit=Limit(most=limits.containments, within=timedelta(seconds=limits.window_seconds)),
        ),
        runbooks=ground.runbooks,
        attempt=Attempt(
            store=store, vault=ground.vault, planner=planner, progress=progress, trace=trace
        ),
        doorbell=doorbell,
        leases=opened.enter_context(Leases(store, length)),
        gives_way=lambda: precedence.wanted,
    )


def _changing() -> frozenset[str]:
    return frozenset(name for name, spec in SPECS.items() if spec.effect is not Effect.READ)
