"""The vault: seal on one side, open on the other, every opening on record first."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stanch.responder.domain.error import VaultError
from stanch.responder.domain.ids import IncidentId, RunId, SealedRef, label
from stanch.responder.domain.json import canonical
from stanch.responder.domain.ports import Envelope, Sealed, Store, Transaction
from stanch.responder.domain.timeline import Event
from stanch.responder.vault.master import NONCE_SIZE, MasterKey
from stanch.scanner.model.secret import SecretValue

_REF_SIZE = 16


class EnvelopeVault:
    """The port ``Vault``: AES-256-GCM, one data key for each part, wrapped by ``master``.

    Everything an envelope claims about itself is authenticated with it, so a ciphertext that was
    moved to another incident, part or name does not open.
    """

    def __init__(
        self, store: Store, master: MasterKey, *, fresh: Callable[[int], bytes] = os.urandom
    ) -> None:
        self._store = store
        self._master = master
        self._fresh = fresh

    def seal(  # the facts an envelope is bound to
        self,
        *,
        incident: IncidentId,
        name: str,
        parts: Mapping[str, SecretValue],
        run: RunId | None = None,
    ) -> Sealed:
        """Encrypt each part under its own data key. Asks the master key; stores nothing."""
        if not parts:
            raise ValueError("there is nothing to seal")
        ref = SealedRef("sealed:" + self._fresh(_REF_SIZE).hex())
        envelopes = []
        for part, value in parts.items():
            context = _context(ref, part, incident, name, run)
            data_key, wrapped = self._master.make(context)
            nonce = self._fresh(NONCE_SIZE)
            envelopes.append(
                Envelope(
                    ref=ref,
                    part=part,
                    incident=incident,
                    name=name,
                    run=run,
                    master_key=self._master.name,
                    wrapped_key=wrapped,
                    nonce=nonce,
                    ciphertext=AESGCM(data_key.reveal()).encrypt(
                        nonce, value.reveal(), canonical(context)
                    ),
                )
            )
        return Sealed(ref=ref, envelopes=tuple(envelopes))

    def open(self, ref: SealedRef, part: str, *, actor: str, purpose: str) -> SecretValue:
        """Decrypt one part; that it was asked for is in the ledger before.

        Uses a transaction of its own, so it must not be called inside one. Raises VaultError when
        the part is shredded, altered or sealed under another master key; LedgerError when the
        opening cannot be recorded.
        """
        with self._store.transaction() as tx:
            envelope = _kept(tx, ref, part)
            _record(tx, envelope.incident, ref, part, actor=actor, purpose=purpose)
        return self._decrypt(envelope)

    def entrust(self, ref: SealedRef, *, actor: str, purpose: str) -> None:
        """Record at once that every part is opened for this purpose; ``read`` returns them."""
        with self._store.transaction() as tx:
            parts = tx.envelopes.parts(ref)
            first = _kept(tx, ref, parts[0] if parts else "any part")
            _record(tx, first.incident, ref, ", ".join(parts), actor=actor, purpose=purpose)

    def read(self, ref: SealedRef, part: str) -> SecretValue:
        """Decrypt one part whose opening is in the ledger already."""
        with self._store.snapshot() as tx:
            envelope = _kept(tx, ref, part)
        return self._decrypt(envelope)

    def parts(self, ref: SealedRef) -> tuple[str, ...]:
        """The names of the parts behind a reference; none after shredding."""
        with self._store.snapshot() as tx:
            return tx.envelopes.parts(ref)

    def _decrypt(self, envelope: Envelope) -> SecretValue:
        if envelope.master_key != self._master.name:
            raise VaultError(
                f"a secret of {label(envelope.incident)} is sealed under the master key "
                f"{envelope.master_key}, but {self._master.name} is configured",
                remedy="configure the master key that sealed it ([vault] master_key)",
            )
        context = _context(
            envelope.ref, envelope.part, envelope.incident, envelope.name, envelope.run
        )
        data_key = self._master.unwrap(envelope.wrapped_key, context)
        try:
            value = AESGCM(data_key.reveal()).decrypt(
                envelope.nonce, envelope.ciphertext, canonical(context)
            )
        except (InvalidTag, ValueError):
            raise VaultError(
                f"a sealed secret of {label(envelope.incident)} was altered and does not open",
                remedy="restore the database from a backup, and run `stanch audit verify`",
            ) from None
        return SecretValue(value)


def _kept(tx: Transaction, ref: SealedRef, part: str) -> Envelope:
    envelope = tx.envelopes.get(ref, part)
    if envelope is None:
        raise VaultError(
            f"{ref} holds no {part!r}: it was shredded or never sealed",
            remedy="what is closed or long dead is shredded; a scan of where it was found seals it "
            "anew",
        )
    return envelope


def _record(  # the facts of one entry
    tx: Transaction, incident: IncidentId, ref: SealedRef, part: str, *, actor: str, purpose: str
) -> None:
    tx.ledger.append(
        Event(
            at=tx.now(),
            actor=actor,
            action="secret.opened",
            incident=incident,
            detail={"part": part, "purpose": purpose, "ref": ref},
        )
    )


def _context(
    ref: SealedRef, part: str, incident: IncidentId, name: str, run: RunId | None
) -> dict[str, str]:
    return {
        "incident": str(incident),
        "name": name,
        "part": part,
        "ref": ref,
        "run": run or "-",
    }
