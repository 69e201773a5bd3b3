"""What every master key keeps: one in a file, one in KMS over real HTTP, and its twin in memory."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from stanch.responder.domain.error import VaultError
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.lab.aws import AwsLab
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.sql import open_store
from stanch.responder.vault.kms import KmsMasterKey
from stanch.responder.vault.master import LocalMasterKey, MasterKey
from stanch.responder.vault.vault import EnvelopeVault
from stanch.scanner.model.secret import SecretValue
from tests.responder.vault.kms_memory import ARN, CONTEXT, Service, refusal


class Kept(NamedTuple):
    """A master key, another one, and how its owner takes it out of use, if that is a service's."""

    master: MasterKey
    other: MasterKey
    disable: Callable[[], None] | None


@pytest.fixture(scope="module")
def lab() -> Iterator[AwsLab]:
    with AwsLab.start() as running:
        yield running


def _in_memory() -> Kept:
    service = Service()

    def disable() -> None:
        service.error = refusal("DisabledException")

    return Kept(KmsMasterKey(service, ARN), KmsMasterKey(Service(), ARN), disable)


def _in_the_lab(lab: AwsLab) -> Kept:
    kms = lab.client("kms")
    arns = [kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2)]
    one, other = (KmsMasterKey(kms, arn) for arn in arns)
    return Kept(one, other, lambda: kms.disable_key(KeyId=arns[0]))


@pytest.fixture(params=["file", "memory", "lab"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Kept:
    match request.param:
        case "file":
            one, other = (LocalMasterKey(tmp_path / name) for name in ("one", "other"))
            return Kept(one, other, None)
        case "memory":
            return _in_memory()
        case _:
            return _in_the_lab(request.getfixturevalue("lab"))


def test_a_data_key_comes_back_and_is_nowhere_in_what_wraps_it(kept: Kept) -> None:
    made = [kept.master.make(CONTEXT) for _ in range(3)]
    assert len({key.reveal() for key, _ in made}) == len(made)
    for key, wrapped in made:
        assert len(key.reveal()) == 32
        assert key.reveal() not in wrapped
        assert kept.master.unwrap(wrapped, CONTEXT) == key


@pytest.mark.parametrize("changed", [{"part": "id"}, {"ref": "sealed:01"}, {"more": "x"}])
def test_a_data_key_belongs_to_its_context(kept: Kept, changed: dict[str, str]) -> None:
    _, wrapped = kept.master.make(CONTEXT)
    with pytest.raises(VaultError) as caught:
        kept.master.unwrap(wrapped, CONTEXT | changed)
    assert caught.value.remedy


def test_another_master_key_unwraps_nothing(kept: Kept) -> None:
    _, wrapped = kept.master.make(CONTEXT)
    with pytest.raises(VaultError):
        kept.other.unwrap(wrapped, CONTEXT)


@pytest.mark.parametrize("kept", ["memory", "lab"], indirect=True)
def test_a_key_out_of_use_is_refused_with_what_to_look_at(kept: Kept) -> None:
    assert kept.disable is not None
    _, wrapped = kept.master.make(CONTEXT)
    kept.disable()
    for act in (lambda: kept.master.make(CONTEXT), lambda: kept.master.unwrap(wrapped, CONTEXT)):
        with pytest.raises(VaultError, match="DisabledException") as caught:
            act()
        assert "kms:Decrypt" in caught.value.remedy


def test_the_vault_opens_what_it_sealed(kept: Kept, tmp_path: Path) -> None:
    value = SecretValue(os.urandom(24).hex().encode())
    seal = LedgerSeal(SecretValue(os.urandom(32)))
    with open_store(f"sqlite:///{tmp_path}/stanch.db", seal=seal) as store:
        vault = EnvelopeVault(store, kept.master)
        with store.transaction() as tx:
            incident, run = IncidentId(1), RunId("run-1")
            sealed = vault.seal(incident=incident, name="leak", parts={"key": value}, run=run)
            ref = sealed.keep(tx)
        assert vault.open(ref, "key", actor="system", purpose="validate") == value
        with pytest.raises(VaultError):
            EnvelopeVault(store, kept.other).open(ref, "key", actor="system", purpose="validate")
