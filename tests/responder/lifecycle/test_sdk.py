"""The SDK as an application uses it: files and variables, no broker, no database."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from stanch import secrets, secrets_aio
from stanch.responder.config import load
from stanch.responder.domain.error import StanchError
from stanch.responder.lifecycle.inventory.consumer import consumers
from stanch.responder.lifecycle.model.access import Access, Asker, Outcome
from stanch.responder.lifecycle.model.answer import Described, Look, Stage, Unreachable
from stanch.responder.lifecycle.model.error import (
    SecretAbsent,
    SecretRefused,
    SecretsConfigError,
)
from stanch.responder.lifecycle.model.reference import Reference, parse
from stanch.responder.lifecycle.sdk.access_file import (
    AccessNotRecorded,
    FileAccessLog,
    breaks,
    given,
)
from stanch.responder.lifecycle.sdk.client import Secrets
from stanch.responder.lifecycle.sdk.watch import Rotated, Watch

HEAD = (
    "# stanch: owner=shop-team tenant=none data-classification=internal\n"
    "# stanch: rotation-period=90d last-rotated=2026-11-01\n"
)
VALUE = "a value of no use"


def opened(folder: Path, environment: str, text: str, *, service: str = "shop") -> Secrets:
    (folder / f".env.{environment}").write_text(text)
    settings = load(environment={"STANCH_HOME": str(folder / "home")})
    section = msgspec.structs.replace(
        settings.secrets,
        environment=environment,
        service=service,
        folder=str(folder),
        development=("env-file",),
    )
    return Secrets(msgspec.structs.replace(settings, secrets=section))


@pytest.fixture
def staging(tmp_path: Path) -> Iterator[Secrets]:
    text = f"{HEAD}STRIPE_API_KEY='{VALUE}'\nSTRIPE_WEBHOOK_SECRET='{VALUE} too'\n"
    with opened(tmp_path, "staging", text) as made:
        yield made


def lines(folder: Path) -> list[dict[str, str]]:
    text = (folder / "home" / "access.jsonl").read_text()
    assert VALUE not in text
    return [json.loads(line) for line in text.splitlines()]


def test_a_tool_s_secrets_are_given_and_recorded(staging: Secrets, tmp_path: Path) -> None:
    one = staging.get_tool_secret("stripe", "api-key", why="to charge")
    assert one.reveal().decode() == VALUE
    assert VALUE not in repr(one)
    both = staging.get_tool_secrets("stripe")
    assert sorted(both) == ["api-key", "webhook-secret"]
    assert both["api-key"] == one
    with pytest.raises(SecretAbsent):
        staging.get_tool_secret("stripe", "other")
    found = lines(tmp_path)
    assert [each["outcome"] for each in found] == ["given", "given", "given", "absent"]
    assert found[0]["reference"] == "secret://shop/staging/stripe/api-key"
    assert (found[0]["why"], found[0]["source"]) == ("to charge", "env-file")
    assert found[0]["actor"].startswith("sdk:")


def test_what_is_deprecated_is_said_once_in_the_log(
    staging: Secrets, caplog: pytest.LogCaptureFixture
) -> None:
    staging.get_tool_secret("stripe", "api-key")
    staging.get_tool_secret("stripe", "api-key")
    assert [("deprecated" in each.message) for each in caplog.records] == [True]


def test_a_tool_is_not_given_in_part(tmp_path: Path) -> None:
    text = f"STRIPE_API_KEY='{VALUE}'\n{HEAD}STRIPE_WEBHOOK_SECRET='{VALUE}'\n"
    with opened(tmp_path, "staging", text) as made, pytest.raises(SecretRefused) as caught:
        made.get_tool_secrets("stripe")
    assert "secret://shop/staging/stripe/api-key is not given" in str(caught.value)
    assert [each["outcome"] for each in lines(tmp_path)] == ["refused"]


def test_validation_names_what_is_wrong_without_opening_values(tmp_path: Path) -> None:
    text = (
        f"STRIPE_API_KEY='{VALUE}'\n{HEAD}STRIPE_WEBHOOK_SECRET='{VALUE}'\n"
        f"# stanch: last-rotated=2020-01-01\nSTRIPE_OLD='{VALUE}'\n"
    )
    with opened(tmp_path, "staging", text) as made:
        found = made.validate_tool_secrets("stripe", required=("api-key", "signing-key"))
        assert made.validate_tool_secrets("stripe").names == found.names
        with pytest.raises(SecretAbsent):
            made.validate_tool_secrets("github")
    assert found.names == ("api-key", "old", "webhook-secret")
    assert not found.ok
    assert set(found.problems) == {"api-key", "old", "signing-key"}
    assert "owner" in found.problems["api-key"]
    assert found.problems["old"] == "rotation was due on 2020-03-31"
    assert found.problems["signing-key"] == "there is none"
    assert not (tmp_path / "home" / "access.jsonl").exists()


def test_without_a_service_nobody_knows_whose_tool_it_is(tmp_path: Path) -> None:
    with opened(tmp_path, "dev", "A_B=c\n", service="") as made:
        with pytest.raises(SecretsConfigError, match="service is not set"):
            made.get_tool_secret("stripe", "api-key")
        with pytest.raises(StanchError):
            made.get_secret("stripe")


def test_from_staging_on_an_application_says_which_service_it_is(tmp_path: Path) -> None:
    reference = "secret://shop/{}/stripe/api-key"
    text = f"{HEAD}STRIPE_API_KEY='{VALUE}'\n"
    with (
        opened(tmp_path, "staging", text, service="") as made,
        pytest.raises(SecretsConfigError, match="service is not set"),
    ):
        made.get_secret(reference.format("staging"))
    with opened(tmp_path, "dev", text, service="") as made:
        assert made.get_secret(reference.format("dev")).reveal() == VALUE.encode()
    with opened(tmp_path, "staging", text, service="risk") as made, pytest.raises(SecretRefused):
        made.get_secret(reference.format("staging"))


def test_what_cannot_be_recorded_is_not_given(staging: Secrets, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "access.jsonl").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(AccessNotRecorded):
        staging.get_tool_secret("stripe", "api-key")


def access(number: int) -> Access:
    return Access(
        at=datetime(2026, 12, 1, tzinfo=UTC),
        asker=Asker(actor=f"sdk:{number}", where="here"),
        reference=parse("secret://shop/prod/stripe/api-key"),
        outcome=Outcome.GIVEN,
    )


def test_a_line_that_was_changed_or_taken_out_shows(tmp_path: Path) -> None:
    path = tmp_path / "access.jsonl"
    for number in range(5):
        FileAccessLog(path).record(access(number))
    assert list(breaks(path)) == []
    whole = path.read_text().splitlines(keepends=True)
    path.write_text("".join(whole).replace("sdk:2", "sdk:9"))
    assert list(breaks(path)) == [3]
    path.write_text("".join(whole[:1] + whole[2:]))
    assert list(breaks(path)) == [2]
    path.write_text("".join([*whole[:2], "not JSON\n", *whole[3:]]))
    assert list(breaks(path)) == [3, 4]


KEY = parse("secret://shop/dev/stripe/api-key")


class Store:
    """What describe() answers."""

    def __init__(self) -> None:
        self.look: Look = Unreachable(why="no answer")

    def at(self, version: str) -> None:
        self.look = Described(place="x", versions={version: frozenset({Stage.CURRENT})})

    def describe(self, reference: Reference, source: str) -> Look:
        assert (reference, source) == (KEY, "env-file")
        return self.look


def test_a_rotation_is_told_once_to_everybody_and_an_outage_is_none() -> None:
    store, told = Store(), list[Rotated]()
    watch = Watch(store.describe, every=timedelta(hours=1))

    def broken(rotated: Rotated) -> None:
        raise ValueError(str(rotated))

    watch.add(broken)
    remove = watch.add(told.append)
    watch.given(KEY, "env-file", "1")
    watch.given(replace(KEY, version="1"), "env-file", "1")  # asked for as it was: does not rotate
    assert watch.look() == ()
    store.at("1")
    assert watch.look() == ()
    store.at("2")
    watch.look()
    assert watch.look() == ()
    assert told == [Rotated(reference=KEY, before="1", now="2")]
    remove()
    store.at("3")
    watch.look()
    assert len(told) == 1
    watch.close()


def test_asyncio_has_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env.test").write_text(f"STRIPE_API_KEY='{VALUE}'\n")
    for name, value in (
        ("STANCH_HOME", str(tmp_path / "home")),
        ("STANCH_SECRETS_ENVIRONMENT", "test"),
        ("STANCH_SECRETS_SERVICE", "shop"),
        ("STANCH_SECRETS_FOLDER", str(tmp_path)),
    ):
        monkeypatch.setenv(name, value)

    async def ask() -> list[bytes]:
        one = await secrets_aio.get_secret("secret://shop/test/stripe/api-key")
        two = await secrets_aio.get_tool_secret("stripe", "api-key")
        all_ = await secrets_aio.get_tool_secrets("stripe")
        assert (await secrets_aio.validate_tool_secrets("stripe")).names == ("api-key",)
        (await secrets_aio.on_secret_rotated(lambda _: None))()
        return [each.reveal() for each in (one, two, *all_.values())]

    try:
        assert asyncio.run(ask()) == [VALUE.encode()] * 3
        assert secrets.shared() is secrets.shared()
    finally:
        asyncio.run(secrets_aio.close())


def test_an_application_loads_no_broker_and_no_database() -> None:
    code = (
        "import sys, stanch.secrets; print('boto3' in sys.modules); "
        "import stanch.responder.lifecycle.sdk.client; "
        "print(*{'celery', 'sqlalchemy', 'slack_bolt', 'starlette', 'rich'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n\n"


def test_a_forked_worker_opens_its_own(tmp_path: Path) -> None:
    (tmp_path / ".env.dev").write_text(f"STRIPE_API_KEY='{VALUE}'\n")
    code = (
        "import os\n"
        "from stanch import secrets\n"
        "before = secrets.shared()\n"
        "assert secrets.get_tool_secret('stripe', 'api-key')\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    fresh = secrets.shared()\n"
        "    given = secrets.get_tool_secret('stripe', 'api-key')\n"
        "    os._exit(0 if fresh is not before and given else 1)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), secrets.shared() is before)\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "STANCH_HOME": str(tmp_path / "home"),
        "STANCH_SECRETS_SERVICE": "shop",
        "STANCH_SECRETS_FOLDER": str(tmp_path),
        "STANCH_SECRETS_DEVELOPMENT": "env-file",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("0 True\n", "")


def test_what_applications_were_given_is_told_as_the_record_would(
    staging: Secrets, tmp_path: Path
) -> None:
    staging.get_tool_secret("stripe", "api-key")
    with pytest.raises(SecretAbsent):
        staging.get_tool_secret("stripe", "other")
    with (tmp_path / "home" / "access.jsonl").open("a") as file:
        file.write('{"outcome":"given","at":"some day"}\nnot JSON\n')
    found = list(given(tmp_path / "home" / "access.jsonl"))
    assert [each.action for each in found] == ["secret.given"]
    assert list(consumers(found)) == ["secret://shop/staging/stripe/api-key"]


def test_threads_share_one_opening(tmp_path: Path) -> None:
    text = f"{HEAD}STRIPE_API_KEY='{VALUE}'\n"
    with opened(tmp_path, "staging", text) as made, ThreadPoolExecutor(8) as pool:
        values = list(pool.map(lambda _: made.get_tool_secret("stripe", "api-key"), range(40)))
    assert {each.reveal() for each in values} == {VALUE.encode()}
    first, last = lines(tmp_path)  # those like the first are counted: see docs/lifecycle/caching.md
    assert first["detail"].startswith("read from the store at ")
    assert "; 38 more until " in last["detail"]
    assert list(breaks(tmp_path / "home" / "access.jsonl")) == []


def test_reads_from_memory_are_counted_and_another_reason_is_another_line(tmp_path: Path) -> None:
    text = f"{HEAD}STRIPE_API_KEY='{VALUE}'\n"
    with opened(tmp_path, "staging", text) as made:
        for _ in range(10):
            made.get_tool_secret("stripe", "api-key", why="to charge")
        made.get_tool_secret("stripe", "api-key", why="to refund")
        assert [each["why"] for each in lines(tmp_path)] == ["to charge", "to refund"]
        (tmp_path / ".env.staging").write_text(text.replace(VALUE, "another of no use"))
        assert made.get_tool_secret("stripe", "api-key").reveal().decode() == VALUE  # kept
        made.forget(parse("secret://shop/staging/stripe/api-key"))
        assert made.get_tool_secret("stripe", "api-key").reveal().decode() == "another of no use"
    with opened(tmp_path, "dev", text) as made:
        made.get_tool_secret("stripe", "api-key")
        (tmp_path / ".env.dev").write_text(text.replace(VALUE, "another of no use"))
        assert made.get_tool_secret("stripe", "api-key").reveal().decode() == "another of no use"
