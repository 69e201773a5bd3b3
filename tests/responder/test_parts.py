"""Each process starts with its own keys alone: the others are not there, and are not asked for."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient

from stanch.responder.bootstrap import House, Part, open_house
from stanch.responder.bootstrap.door import health, reading
from stanch.responder.config import Settings, load
from stanch.responder.domain.error import ConfigError, LedgerError, StoreError, VaultError
from stanch.responder.domain.ids import IncidentId, SealedRef
from stanch.responder.domain.timeline import Event
from stanch.responder.services.casefiles import sentence
from stanch.responder.web.app import make_web
from stanch.responder.web.guard import Door
from stanch.scanner.model.secret import SecretValue
from tests.contracts.sample import incident

KEYS = {"master.key", "ledger.key", "checkpoint.key", "button.key"}
SECRETS = {"broker-password", "bot", "app", "github-token"}
HELD = {
    Part.WHOLE: KEYS | SECRETS - {"app"},  # the app token is read when the Slack door opens
    Part.CONTAIN: {"master.key", "ledger.key", "checkpoint.key", "broker-password", "github-token"},
    Part.SLACK: {"ledger.key", "broker-password"},
    Part.WEB: set(),
    Part.HOOKS: set(),
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with a team's settings that has recorded something."""
    home = tmp_path_factory.mktemp("installed") / "home"
    home.mkdir(mode=0o700)
    for name in SECRETS:
        (home / name).write_text(secrets.token_hex(16))
    (home / "stanch.toml").write_text(
        f'[people.alice]\ngroups = ["security"]\n[github]\ntoken = "file:{home}/github-token"\n'
        f'[broker]\nurl = "redis://127.0.0.1:1/0"\npassword = "file:{home}/broker-password"\n'
        f'[slack]\nbot_token = "file:{home}/bot"\napp_token = "file:{home}/app"\n'
        'channel = "C0123456789"\nteam = "T0123456789"\nbase_url = "http://127.0.0.1:1/api/"\n'
    )
    found = load(environment={"STANCH_HOME": str(home)})
    with open_house(found, notify=True) as house:
        with house.store.transaction() as tx:
            tx.incidents.add(incident())
            opened = Event(
                at=tx.now(), actor="t", action="incident.opened", incident=IncidentId(1), detail={}
            )
            tx.ledger.append(opened)
        house.anchor()
    return home


@pytest.fixture
def settings(installed: Path, tmp_path: Path) -> Settings:
    """A copy of it."""
    home = tmp_path / "home"
    shutil.copytree(installed, home)
    file = home / "stanch.toml"
    file.write_text(file.read_text().replace(str(installed), str(home)))
    return load(environment={"STANCH_HOME": str(home)})


@contextmanager
def only(settings: Settings, kept: set[str]) -> Iterator[None]:
    """The other keys and secrets are somewhere else."""
    home = settings.data
    away = [home / name for name in KEYS | SECRETS if name not in kept]
    for path in away:
        path.rename(path.with_suffix(".away"))
    try:
        yield
        made = [path.name for path in away if path.exists()]
        assert made == [], "a key that lacked was made anew"
    finally:
        for path in away:
            path.with_suffix(".away").rename(path)


@pytest.mark.parametrize("part", HELD, ids=lambda part: part.name)
def test_a_process_opens_with_its_own_keys_alone(settings: Settings, part: Part) -> None:
    with (
        only(settings, HELD[part]),
        open_house(settings, part=part, notify=part is Part.WHOLE) as house,
    ):
        assert house.cards.card(IncidentId(1)).incident == 1


@pytest.mark.parametrize(
    ("part", "name"),
    [(part, name) for part in HELD for name in sorted(HELD[part] - {"checkpoint.key"})],
    ids=lambda value: getattr(value, "name", value),
)
def test_each_of_its_keys_is_needed(settings: Settings, part: Part, name: str) -> None:
    """Otherwise the table would say that a process holds what it could do without."""
    gone = settings.data / name
    text = gone.read_bytes()
    gone.unlink()
    gone.mkdir()  # so that it cannot be made anew either
    try:
        with (
            pytest.raises((ConfigError, VaultError)),
            open_house(settings, part=part, notify=part is Part.WHOLE),
        ):
            pass
    finally:
        gone.rmdir()
        gone.write_bytes(text)
        gone.chmod(0o600)


@pytest.fixture
def web(settings: Settings) -> Iterator[House]:
    with only(settings, set()), open_house(settings, part=Part.WEB) as house:
        yield house


def attempts(house: House) -> dict[str, Callable[[], object]]:
    def sealing() -> object:
        parts = {"value": SecretValue(b"x")}
        return house.vault.seal(incident=IncidentId(1), name="leak", parts=parts)

    def writing() -> None:
        with house.store.transaction():
            pass

    return {
        "seal": sealing,
        "write": writing,
        "open": lambda: house.vault.open(SealedRef("sealed:00"), "v", actor="web", purpose="x"),
        "mark": lambda: house.seal.row("runs", b""),
        "record": lambda: house.seal.mac("00"),
        "anchor": lambda: house.notary.anchor(house.store, now=datetime.now(UTC)),
    }


@pytest.mark.parametrize("what", ["seal", "write", "open", "mark", "record"])
def test_the_web_process_cannot(web: House, what: str) -> None:
    with pytest.raises((VaultError, StoreError, LedgerError)) as caught:
        attempts(web)[what]()
    assert "this process" in str(caught.value)


def test_the_web_process_signs_no_anchor(settings: Settings) -> None:
    with open_house(settings) as house, house.store.transaction() as tx:
        tx.ledger.append(
            Event(at=tx.now(), actor="t", action="test.more", incident=None, detail={})
        )
    before = (settings.data / "anchors.jsonl").read_bytes()
    with (
        only(settings, set()),
        open_house(settings, part=Part.WEB) as house,
        pytest.raises(LedgerError, match="no key to sign"),
    ):
        attempts(house)["anchor"]()
    assert (settings.data / "anchors.jsonl").read_bytes() == before


def test_the_pages_are_shown_without_any_key(web: House) -> None:
    app = make_web(reading(web), health=health(web), door=Door(None))

    async def look() -> None:
        transport = ASGITransport(app=app)
        async with AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            for path in ("/", "/incidents/LK-1", "/incidents/LK-1/postmortem"):
                page = await client.get(path)
                assert page.status_code == 200, page.text
                assert "LK-1" in page.text
            assert (await client.get("/readyz")).json() == {"store": True}

    asyncio.run(look())
    verdict, _ = web.casefiles.verdict()
    assert "sound, all anchored" in sentence(verdict)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE ledger SET actor = 'other' WHERE seq = 1", "TAMPERED"),
        ("DELETE FROM ledger WHERE seq = 2", "TAMPERED"),
        ("UPDATE incidents SET state = 'closed'", "closed in the store"),
        ("CREATE TRIGGER t AFTER INSERT ON runs BEGIN SELECT 1; END", "foreign trigger"),
    ],
)
def test_without_a_key_the_pages_still_see_what_was_tampered_with(
    settings: Settings, statement: str, said: str
) -> None:
    with open_house(settings) as house, house.store.engine.begin() as connection:
        connection.exec_driver_sql(statement)
    with only(settings, set()), open_house(settings, part=Part.WEB) as house:
        warning = reading(house).warning()
        assert warning is not None
        assert said in f"TAMPERED {house.casefiles.tampered()}"


def test_nothing_is_anchored_that_we_did_not_write(settings: Settings) -> None:
    """Who verifies by anchors alone relies on it."""
    with open_house(settings) as house:
        before = (settings.data / "anchors.jsonl").read_bytes()
        with house.store.transaction() as tx:
            tx.ledger.append(
                Event(at=tx.now(), actor="bob", action="test.done", incident=None, detail={})
            )
        with house.store.engine.begin() as connection:
            connection.exec_driver_sql(
                "UPDATE ledger SET mac = '00' WHERE seq = (SELECT max(seq) FROM ledger)"
            )
        with pytest.raises(LedgerError, match="TAMPERED: ledger entry"):
            house.anchor()
    assert (settings.data / "anchors.jsonl").read_bytes() == before


def test_a_reader_makes_no_store(tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = load(environment={"STANCH_HOME": str(home)})
    with pytest.raises((ConfigError, StoreError)):
        open_house(found, part=Part.WEB)
    assert not home.exists()
