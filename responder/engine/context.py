"""What a step sees of the house while it runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.ids import IncidentId, RunId, SealedRef, label
from stanch.responder.domain.incident import Exposure, Incident
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Store, Vault
from stanch.responder.domain.run import StepRun
from stanch.responder.domain.step import StepSpec
from stanch.scanner.model.secret import SecretValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """Which secrets a step may use: those sealed by the runs ``born_in``.

    ``opened`` collects what the record says already that this step opened.
    """

    born_in: Sequence[RunId]
    opened: set[str]


def purpose(incident: IncidentId, step: str, uses: str) -> str:
    """What the record says a secret was opened for."""
    return f"{label(incident)} {step} ({uses})"


class Context:
    """The engine's StepContext: opens only the parts that the step's spec declares."""

    def __init__(  # everything a step may reach, and nothing more
        self,
        *,
        store: Store,
        vault: Vault,
        incident: Incident,
        step: StepRun,
        spec: StepSpec,
        access: Access,
    ) -> None:
        self._store = store
        self._vault = vault
        self._incident = incident
        self._step = step
        self._spec = spec
        self._access = access

    @property
    def incident(self) -> IncidentId:
        """The incident being worked on."""
        return self._incident.id

    @property
    def run(self) -> RunId:
        """The run this step belongs to."""
        return self._step.run

    @property
    def runs(self) -> tuple[RunId, ...]:
        """All runs of the incident."""
        with self._store.snapshot() as tx:
            return tuple(run.id for run in tx.runs.of(self._incident.id))

    @property
    def step(self) -> str:
        """The step's id in its runbook."""
        return self._step.id

    @property
    def preview(self) -> str:
        """The masked credential."""
        return self._incident.preview

    @property
    def rule(self) -> str:
        """The rule that found it first."""
        found = self.exposures
        return found[0].rule if found else ""

    @property
    def exposures(self) -> tuple[Exposure, ...]:
        """Every place where the credential was seen."""
        with self._store.snapshot() as tx:
            return tx.incidents.exposures(self._incident.id)

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt at this step of this run."""
        return hashlib.sha256(f"{self._step.run}/{self._step.id}".encode()).hexdigest()[:32]

    @property
    def before(self) -> JsonObject:
        """What was there before we came."""
        return self._step.before

    @property
    def cursor(self) -> JsonObject:
        """How far the last attempt came."""
        return self._step.cursor

    @property
    def started_at(self) -> datetime:
        """When the intent was written."""
        return self._step.intended_at or self.now()

    def now(self) -> datetime:
        """The store's time, UTC."""
        with self._store.snapshot() as tx:
            return tx.now()

    def has(self, part: str) -> bool:
        """Whether the leak included this part."""
        return part in self._vault.parts(self._incident.sealed)

    def open(self, part: str) -> SecretValue:
        """A declared part of the leaked credential; the opening is recorded first."""
        if part not in self._spec.parts:
            raise StepFailed(
                f"{self._spec.name} wanted part {part!r}, which it does not declare",
                remedy="declare it in the step's spec, so that plans and reviews can see it",
            )
        return self._open(self._incident.sealed, part)

    def seal(self, name: str, parts: Mapping[str, SecretValue]) -> SealedRef:
        """Store a secret born in this run durably."""
        sealed = self._vault.seal(
            incident=self._incident.id, name=name, parts=parts, run=self._step.run
        )
        with self._store.transaction() as tx:
            return sealed.keep(tx)

    def sealed(self, name: str) -> SealedRef | None:
        """The secret sealed under ``name`` for this run, if any."""
        with self._store.snapshot() as tx:
            found = (tx.envelopes.named(run, name) for run in self._access.born_in)
            return next((ref for ref in found if ref is not None), None)

    def open_sealed(self, name: str, part: str) -> SecretValue:
        """Open a secret born in this run."""
        ref = self.sealed(name)
        if ref is None:
            raise StepFailed(
                f"nothing is sealed under {name!r} for {label(self._incident.id)}",
                remedy="run the step that creates it first",
            )
        return self._open(ref, part)

    def _open(self, ref: SealedRef, part: str) -> SecretValue:
        """Recorded once for each step and secret, however often the step looks."""
        if ref not in self._access.opened:
            said = purpose(self._incident.id, self._step.id, self._spec.name)
            self._vault.entrust(ref, actor="system", purpose=said)
            self._access.opened.add(ref)
        return self._vault.read(ref, part)
