from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from stanch.responder.domain.error import ConfigError, LedgerError, VaultError
from stanch.responder.domain.ids import IncidentId, RunId, SealedRef
from stanch.responder.domain.ports import Kept
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.services.shredding import shred
from stanch.responder.store.sql import SqlStore, open_store
from stanch.responder.vault.master import LocalMasterKey, parse_master_key
from stanch.responder.vault.vault import EnvelopeVault
from stanch.scanner.model.secret import SecretValue

INCIDENT = IncidentId(7)
RUN = RunId("run-1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    seal = LedgerSeal(SecretValue(os.urandom(32)))
    with open_store(f"sqlite:///{tmp_path}/store/stanch.db", seal=seal) as opened:
        yield opened


@pytest.fixture
def vault(store: SqlStore, tmp_path: Path) -> EnvelopeVault:
    return EnvelopeVault(store, parse_master_key(f"file:{tmp_path}/keys/master.key"))


@pytest.fixture
def value() -> SecretValue:
    return SecretValue(base64.b64encode(os.urandom(30)))


def seal(
    vault: EnvelopeVault, store: SqlStore, value: SecretValue, name: str = "leak"
) -> SealedRef:
    with store.transaction() as tx:
        parts = {"id": SecretValue(b"an id"), "secret": value}
        return vault.seal(incident=INCIDENT, name=name, parts=parts, run=RUN).keep(tx)


def test_what_was_sealed_opens_by_part(
    vault: EnvelopeVault, store: SqlStore, value: SecretValue
) -> None:
    ref = seal(vault, store, value)
    assert ref.startswith("sealed:")
    assert vault.parts(ref) == ("id", "secret")
    assert vault.open(ref, "secret", actor="system", purpose="validate") == value
    with store.transaction() as tx:
        assert tx.envelopes.named(RUN, "leak") == ref


def test_every_opening_is_on_record_without_the_value(
    vault: EnvelopeVault, store: SqlStore, value: SecretValue
) -> None:
    ref = seal(vault, store, value)
    vault.open(ref, "secret", actor="worker:1", purpose="aws.iam.disable_access_key")
    head = store.head()
    assert head is not None
    assert (head.event.action, head.event.actor) == ("secret.opened", "worker:1")
    assert head.event.incident == INCIDENT
    assert head.event.detail == {
        "part": "secret",
        "purpose": "aws.iam.disable_access_key",
        "ref": ref,
    }


def test_what_cannot_be_recorded_is_not_opened(
    vault: EnvelopeVault, store: SqlStore, value: SecretValue
) -> None:
    ref = seal(vault, store, value)
    with store.engine.connect() as connection:
        connection.execute(
            text(
                "CREATE TRIGGER broken BEFORE INSERT ON ledger "
                "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
            )
        )
    with pytest.raises(LedgerError, match="cannot be recorded"):
        vault.open(ref, "secret", actor="system", purpose="validate")


def test_the_value_is_in_no_file_of_the_store(
    vault: EnvelopeVault, store: SqlStore, value: SecretValue, tmp_path: Path
) -> None:
    ref = seal(vault, store, value)
    vault.open(ref, "secret", actor="system", purpose="validate")
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name.endswith("-wal") for path in files)
    assert any(ref.encode() in path.read_bytes() for path in files)  # the search does find
    for form in (value.reveal(), value.reveal().hex().encode(), base64.b64encode(value.reveal())):
        assert not [path for path in files if form in path.read_bytes()]


def test_every_part_has_its_own_data_key_and_nonce(
    vault: EnvelopeVault, store: SqlStore, value: SecretValue
) -> None:
    refs = [seal(vault, store, value, name) for name in ("a", "b")]
    with store.transaction() as tx:
        found = [tx.envelopes.get(ref, part) for ref in refs for part in ("id", "secret")]
    assert len({envelope.wrapped_key for envelope in found if envelope}) == 4
    assert len({envelope.nonce for envelope in found if envelope}) == 4


MOVES = {
    "another incident": "UPDATE envelopes SET incident=8",
    "another name": "UPDATE envelopes SET name='other'",
    "another run": "UPDATE envelopes SET run='run-2'",
    "altered ciphertext": "UPDATE envelopes SET ciphertext=zeroblob(length(ciphertext))",
    "short ciphertext": "UPDATE envelopes SET ciphertext=x'00'",
    "altered nonce": "UPDATE envelopes SET nonce=zeroblob(12)",
    "no nonce": "UPDATE envelopes SET nonce=x''",
    "altered data key": "UPDATE envelopes SET wrapped_key=zeroblob(length(wrapped_key))",
    "no data key": "UPDATE envelopes SET wrapped_key=x''",
    "parts swapped": "UPDATE envelopes SET part=CASE part WHEN 'id' THEN 'x' ELSE 'id' END",
    "another key's name": "UPDATE envelopes SET master_key='local:0000000000000000'",
}


@pytest.mark.parametrize("move", MOVES.values(), ids=MOVES)
def test_an_envelope_that_was_moved_or_altered_does_not_open(
    vault: EnvelopeVault, store: SqlStore, value: SecretValue, move: str
) -> None:
    ref = seal(vault, store, value)
    with store.engine.connect() as connection:
        connection.execute(text(move))
    part = "id" if "part=" in move else "secret"
    with pytest.raises(VaultError) as caught:
        vault.open(ref, part, actor="system", purpose="validate")
    assert caught.value.remedy


def test_another_master_key_does_not_open_and_says_which_one_does(
    vault: EnvelopeVault, store: SqlStore, value: SecretValue, tmp_path: Path
) -> None:
    ref = seal(vault, store, value)
    other = LocalMasterKey(tmp_path / "keys" / "other.key")
    with pytest.raises(VaultError, match=f"but {other.name} is configured"):
        EnvelopeVault(store, other).open(ref, "secret", actor="system", purpose="validate")


def test_the_master_key_may_move_to_another_file(
    vault: EnvelopeVault, store: SqlStore, value: SecretValue, tmp_path: Path
) -> None:
    ref = seal(vault, store, value)
    moved = (tmp_path / "keys" / "master.key").rename(tmp_path / "moved.key")
    again = EnvelopeVault(store, parse_master_key(f"file:{moved}"))
    assert again.open(ref, "secret", actor="system", purpose="validate") == value


def test_a_shredded_secret_is_gone_and_its_end_is_on_record(
    vault: EnvelopeVault, store: SqlStore, value: SecretValue, tmp_path: Path
) -> None:
    ref = seal(vault, store, value)
    kept = Kept(ref, None, "leak")
    with store.transaction() as tx:
        envelope = tx.envelopes.get(ref, "secret")
        assert envelope is not None
    with store.transaction() as tx:
        assert shred(tx, kept, incident=INCIDENT, actor="system", why="it is over") == 2
    with store.transaction() as tx:
        assert shred(tx, kept, incident=INCIDENT, actor="system", why="it is over") == 0
    head = store.head()
    assert head is not None
    assert head.event.action == "secret.shredded"
    assert vault.parts(ref) == ()
    with pytest.raises(VaultError, match="shredded"):
        vault.open(ref, "secret", actor="system", purpose="validate")
    for path in (tmp_path / "store").iterdir():
        assert envelope.wrapped_key not in path.read_bytes(), path.name


def test_shredding_waits_for_no_reader_and_is_complete_when_the_store_closes(
    vault: EnvelopeVault, store: SqlStore, value: SecretValue, tmp_path: Path
) -> None:
    ref = seal(vault, store, value)
    kept = Kept(ref, None, "leak")
    with store.snapshot() as reader:
        envelope = reader.envelopes.get(ref, "secret")
        assert envelope is not None
        with store.transaction() as tx:
            shred(tx, kept, incident=INCIDENT, actor="system", why="it is over")
        assert reader.envelopes.get(ref, "secret") == envelope
    store.close()
    for path in (tmp_path / "store").iterdir():
        assert envelope.wrapped_key not in path.read_bytes(), path.name


def test_nothing_is_not_sealed(vault: EnvelopeVault) -> None:
    with pytest.raises(ValueError, match="nothing"):
        vault.seal(incident=INCIDENT, name="leak", parts={})


def test_a_seal_that_is_rolled_back_leaves_nothing(
    vault: EnvelopeVault, store: SqlStore, value: SecretValue
) -> None:
    refs = []

    def fail() -> None:
        with store.transaction() as tx:
            sealed = vault.seal(incident=INCIDENT, name="x", parts={"secret": value})
            refs.append(sealed.keep(tx))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert vault.parts(refs[0]) == ()


@pytest.mark.parametrize("reference", ["", "file:", "aws-kms:", "aws-kms:alias/x", "env:KEY"])
def test_an_unknown_master_key_reference_names_the_forms(reference: str) -> None:
    with pytest.raises(ConfigError, match="master key reference") as caught:
        parse_master_key(reference)
    assert "aws-kms:arn" in caught.value.remedy


def test_a_master_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    LocalMasterKey(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="can be read by others"):
        LocalMasterKey(path)


def test_an_envelope_is_bound_to_its_reference(
    vault: EnvelopeVault, store: SqlStore, value: SecretValue
) -> None:
    ref = seal(vault, store, value)
    copy = SealedRef("sealed:" + "0" * 32)
    with store.transaction() as tx:
        envelope = tx.envelopes.get(ref, "secret")
        assert envelope is not None
        tx.envelopes.add(replace(envelope, ref=copy, run=None))
    with pytest.raises(VaultError):
        vault.open(copy, "secret", actor="system", purpose="validate")
