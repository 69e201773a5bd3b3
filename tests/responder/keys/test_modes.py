"""Modes are looked at whenever something is opened, not only when it is made."""

from __future__ import annotations

import os
import resource
import shutil
import stat
from pathlib import Path

import pytest

from stanch.responder.bootstrap import open_house
from stanch.responder.config import load
from stanch.responder.domain.error import ConfigError
from stanch.responder.domain.timeline import Event


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("used") / "home"
    use(home)
    return home


@pytest.fixture
def home(used: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(used, tmp_path / "home"))


def use(home: Path) -> None:
    with open_house(load(environment={"STANCH_HOME": str(home)})) as house:
        with house.store.transaction() as tx:
            event = Event(at=tx.now(), actor="t", action="test.done", incident=None, detail={})
            tx.ledger.append(event)
        house.anchor()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("name", "wide", "narrow"),
    [
        (".", 0o755, 0o700),
        (".", 0o770, 0o700),
        ("stanch.db", 0o666, 0o600),
        ("anchors.jsonl", 0o666, 0o600),
        ("checkpoint.pub", 0o666, 0o644),
    ],
)
def test_what_was_opened_to_others_is_closed_by_the_next_use(
    home: Path, name: str, wide: int, narrow: int
) -> None:
    (home / name).chmod(wide)
    use(home)
    assert mode(home / name) == narrow


def test_where_anybody_may_have_written_is_refused(home: Path) -> None:
    home.chmod(0o777)
    with pytest.raises(ConfigError, match=r"anybody may write .* \(mode 0777\)") as caught:
        use(home)
    assert f"chmod 700 {home}" in caught.value.remedy
    assert mode(home) == 0o777


@pytest.mark.parametrize("name", ["master.key", "ledger.key", "checkpoint.key"])
def test_a_key_that_others_may_have_read_is_refused_and_left(home: Path, name: str) -> None:
    (home / name).chmod(0o640)
    with pytest.raises(ConfigError, match="can be read by others"):
        use(home)
    assert mode(home / name) == 0o640


def test_the_umask_makes_nothing_wider(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        use(tmp_path / "home")
    finally:
        os.umask(before)
    modes = {path.name: mode(path) for path in (tmp_path / "home").iterdir()}
    assert modes.pop("checkpoint.pub") == 0o644
    assert set(modes.values()) == {0o600}
    assert mode(tmp_path / "home") == 0o700


@pytest.mark.usefixtures("home")
def test_who_holds_keys_leaves_no_core() -> None:
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)
