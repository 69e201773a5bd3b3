"""The vault: seal on one side, open on the other, every opening on record first."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from stanch.responder.domain.error import VaultError
from stanch.responder.domain.ids import IncidentId, RunId, SealedRef, label
from stanch.responder.domain.json import canonical
from stanch.responder.domain.ports import Envelope, Store, Transaction
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
        tx: Transaction,
        *,
        incident: IncidentId,
        name: str,
        parts: Mapping[str, SecretValue],
        run: RunId | None = None,
    ) -> SealedRef:
        """Encrypt each part under its own data key and store it in this transaction."""
        if not parts:
            raise ValueError("there is nothing to seal")
        ref = SealedRef("sealed:" + self._fresh(_REF_SIZE).hex())
        for part, value in parts.items():
            context = _context(ref, part, incident, name, run)
            data_key, wrapped = self._master.make(context)
            nonce = self._fresh(NONCE_SIZE)
            tx.envelopes.add(
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
        return ref

    def open(self, ref: SealedRef, part: str, *, actor: str, purpose: str) -> SecretValue:
        """Decrypt one part; that it was asked for is in the ledger before.

        Uses a transaction of its own, so it must not be called inside one. Raises VaultError when
        the part is shredded, altered or sealed under another master key; LedgerError when the
        opening cannot be recorded.
        """
        with self._store.transaction() as tx:
            envelope = tx.envelopes.get(ref, part)
            if envelope is None:
                raise VaultError(
                    f"{ref} holds no {part!r}: it was shredded or never sealed",
                    remedy="a closed incident's secret is gone for good; open a new incident",
                )
            tx.ledger.append(
                Event(
                    at=tx.now(),
                    actor=actor,
                    action="secret.opened",
                    incident=envelope.incident,
                    detail={"part": part, "purpose": purpose, "ref": ref},
                )
            )
        return self._decrypt(envelope)

    def parts(self, ref: SealedRef) -> tuple[str, ...]:
        """The names of the parts behind a reference; none after shredding."""
        with self._store.transaction() as tx:
            return tx.envelopes.parts(ref)

    def shred(self, tx: Transaction, ref: SealedRef, *, incident: IncidentId, actor: str) -> int:
        """Delete every part with its wrapped key and record it; returns how many there were."""
        gone = tx.envelopes.shred(ref)
        if gone:
            tx.ledger.append(
                Event(
                    at=tx.now(),
                    actor=actor,
                    action="secret.shredded",
                    incident=incident,
                    detail={"parts": gone, "ref": ref},
                )
            )
        return gone

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
