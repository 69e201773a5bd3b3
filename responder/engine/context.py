"""What a step sees of the house while it runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.ids import IncidentId, RunId, SealedRef, label
from stanch.responder.domain.incident import Incident
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Store, Vault
from stanch.responder.domain.run import StepRun
from stanch.responder.domain.step import StepSpec
from stanch.scanner.model.secret import SecretValue


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
        born_in: Sequence[RunId],
    ) -> None:
        self._store = store
        self._vault = vault
        self._incident = incident
        self._step = step
        self._spec = spec
        # Runs whose sealed secrets this step may use: its own, and what an undo takes back.
        self._born_in = born_in

    @property
    def incident(self) -> IncidentId:
        """The incident being worked on."""
        return self._incident.id

    @property
    def run(self) -> RunId:
        """The run this step belongs to."""
        return self._step.run

    @property
    def step(self) -> str:
        """The step's id in its runbook."""
        return self._step.id

    @property
    def preview(self) -> str:
        """The masked credential."""
        return self._incident.preview

    @property
    def idempotency_key(self) -> str:
        """The same for every attempt at this step of this run."""
        return hashlib.sha256(f"{self._step.run}/{self._step.id}".encode()).hexdigest()[:32]

    @property
    def before(self) -> JsonObject:
        """What was there before we came."""
        return self._step.before

    @property
    def started_at(self) -> datetime:
        """When the intent was written."""
        return self._step.intended_at or self.now()

    def now(self) -> datetime:
        """The store's time, UTC."""
        with self._store.transaction() as tx:
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
        return self._vault.open(
            self._incident.sealed, part, actor="system", purpose=self._purpose()
        )

    def seal(self, name: str, parts: Mapping[str, SecretValue]) -> SealedRef:
        """Store a secret born in this run durably."""
        with self._store.transaction() as tx:
            return self._vault.seal(
                tx, incident=self._incident.id, name=name, parts=parts, run=self._step.run
            )

    def sealed(self, name: str) -> SealedRef | None:
        """The secret sealed under ``name`` for this run, if any."""
        with self._store.transaction() as tx:
            found = (tx.envelopes.named(run, name) for run in self._born_in)
            return next((ref for ref in found if ref is not None), None)

    def open_sealed(self, name: str, part: str) -> SecretValue:
        """Open a secret born in this run."""
        ref = self.sealed(name)
        if ref is None:
            raise StepFailed(
                f"nothing is sealed under {name!r} for {label(self._incident.id)}",
                remedy="run the step that creates it first",
            )
        return self._vault.open(ref, part, actor="system", purpose=self._purpose())

    def _purpose(self) -> str:
        return f"{label(self._incident.id)} {self._step.id} ({self._spec.name})"
