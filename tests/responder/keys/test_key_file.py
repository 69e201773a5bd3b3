from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stanch.responder.domain.error import ConfigError
from stanch.responder.keys.file import load, load_or_create
from stanch.responder.keys.reference import secret


def test_a_key_file_is_created_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "master.key"
    key = load_or_create(path, size=32, what="master key")
    assert load(path, size=32, what="master key") == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["master.key"]


def test_many_that_create_at_once_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda _: load_or_create(path, size=32, what="key").reveal(), range(40))
        assert len(set(made)) == 1
    assert [entry.name for entry in tmp_path.iterdir()] == ["master.key"]


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o610])
def test_a_key_that_others_may_read_is_refused_with_the_remedy(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    load_or_create(path, size=32, what="master key")
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"mode {mode:04o}") as caught:
        load_or_create(path, size=32, what="master key")
    assert f"chmod 600 {path}" in caught.value.remedy


@pytest.mark.parametrize("content", [b"", b"short", bytes(33)])
def test_a_key_of_another_length_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "master.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError, match="32 bytes"):
        load_or_create(path, size=32, what="master key")
    assert path.read_bytes() == content


def test_a_link_in_the_place_of_a_key_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "real.key"
    load_or_create(target, size=32, what="key")
    link = tmp_path / "link.key"
    link.symlink_to(target)
    with pytest.raises(ConfigError, match="cannot be used"):
        load_or_create(link, size=32, what="key")


def test_a_pipe_in_the_place_of_a_key_hangs_nobody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "master.key", 0o600)
    with pytest.raises(ConfigError):
        load_or_create(tmp_path / "master.key", size=32, what="key")


def test_a_place_that_cannot_hold_a_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be used"):
        load_or_create(tmp_path / "file" / "key", size=32, what="key")
    with pytest.raises(ConfigError, match=r"cannot be used|can be read"):
        load_or_create(tmp_path, size=32, what="key")


def belong_to_another(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 65534)


def test_a_key_of_another_user_is_refused_whatever_its_mode(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "master.key"
    load_or_create(path, size=32, what="master key")
    belong_to_another(path, monkeypatch)
    with pytest.raises(ConfigError, match="belongs to another user"):
        load(path, size=32, what="master key")


@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602])
def test_a_secret_that_others_may_put_there_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "token"
    path.write_text("x" * 40)
    path.chmod(0o444)  # as containers mount them
    assert secret(f"file:{path}", what="web token").reveal() == b"x" * 40
    path.chmod(mode)
    with pytest.raises(ConfigError, match="which others may write"):
        secret(f"file:{path}", what="web token")


def test_a_secret_in_another_users_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    path.write_text("x" * 40)
    belong_to_another(path, monkeypatch)
    with pytest.raises(ConfigError, match="which others may write"):
        secret(f"file:{path}", what="web token")
