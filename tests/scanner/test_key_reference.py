from __future__ import annotations

import base64
from pathlib import Path

import pytest

from stanch.scanner.api import UsageError
from stanch.scanner.local.fingerprint_key import data_directory, load_fingerprint_key


def test_a_key_that_others_can_read_is_refused_with_a_remedy(tmp_path: Path) -> None:
    load_fingerprint_key(None, tmp_path)
    (tmp_path / "fingerprint.key").chmod(0o640)
    with pytest.raises(UsageError, match="can be read by others") as caught:
        load_fingerprint_key(None, tmp_path)
    assert "chmod 600" in caught.value.remedy


def test_a_key_from_the_environment_is_base64(tmp_path: Path) -> None:
    environ = {"K": base64.b64encode(bytes(range(32))).decode()}
    key = load_fingerprint_key("env:K", tmp_path, environ=environ)
    assert key._key.reveal() == bytes(range(32))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("env:MISSING", "is not set"),
        ("env:SHORT", "does not hold 32 bytes"),
        ("env:ODD", "does not hold 32 bytes"),
        ("file:/nowhere/key", "cannot be read"),
        ("c2hvcnQ=", "neither env:NAME nor file:/path"),
    ],
)
def test_a_wrong_reference_is_one_message_without_the_value(
    tmp_path: Path, reference: str, message: str
) -> None:
    environ = {"SHORT": "c2hvcnQ=", "ODD": "!!not base64!!"}
    with pytest.raises(UsageError, match=message) as caught:
        load_fingerprint_key(reference, tmp_path, environ=environ)
    assert caught.value.remedy
    assert "c2hvcnQ" not in str(caught.value)
    assert "not base64!!" not in str(caught.value)


def test_a_truncated_key_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fingerprint.key").write_bytes(b"short")
    (tmp_path / "fingerprint.key").chmod(0o600)
    with pytest.raises(UsageError, match="does not have 32 bytes"):
        load_fingerprint_key(None, tmp_path)


def test_the_data_directory_follows_the_environment() -> None:
    assert data_directory({"STANCH_HOME": "/a", "XDG_DATA_HOME": "/b"}) == Path("/a")
    assert data_directory({"XDG_DATA_HOME": "/b"}) == Path("/b/stanch")
