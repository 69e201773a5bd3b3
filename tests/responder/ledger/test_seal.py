from __future__ import annotations

import stat
from pathlib import Path

import pytest

from stanch.responder.domain.error import ConfigError
from stanch.responder.ledger.seal import LedgerSeal, parse_ledger_seal
from stanch.scanner.model.secret import SecretValue


def test_a_ledger_key_file_is_created_once_and_stays(tmp_path: Path) -> None:
    reference = f"file:{tmp_path}/keys/ledger.key"
    first = parse_ledger_seal(reference, environment={})
    again = parse_ledger_seal(reference, environment={})
    assert first.origin == again.origin
    assert again.accepts("00", first.mac("00"))
    path = tmp_path / "keys" / "ledger.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_ledger_key_can_come_from_the_environment() -> None:
    seal = parse_ledger_seal("env:KEY", environment={"KEY": "ab" * 32})
    assert seal.origin == LedgerSeal(SecretValue(b"\xab" * 32)).origin


@pytest.mark.parametrize(
    ("reference", "environment"),
    [
        ("env:KEY", {}),
        ("env:KEY", {"KEY": "not hex at all"}),
        ("env:KEY", {"KEY": "ab" * 31}),
        ("file:", {}),
        ("ab" * 32, {}),
    ],
)
def test_a_wrong_reference_names_the_remedy_and_not_the_key(
    reference: str, environment: dict[str, str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_ledger_seal(reference, environment=environment)
    assert caught.value.remedy
    assert "not hex" not in str(caught.value)


def test_a_mac_of_another_key_is_not_accepted() -> None:
    ours, theirs = (LedgerSeal(SecretValue(bytes([n]) * 32)) for n in (1, 2))
    assert ours.accepts("00", ours.mac("00"))
    assert not ours.accepts("00", theirs.mac("00"))
    assert not ours.accepts("00", "é")
