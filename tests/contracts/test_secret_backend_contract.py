"""What every store of secrets promises, asked of each of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from stanch.responder.lab.aws import AwsLab
from stanch.responder.lifecycle.backends.env_file import EnvFile
from stanch.responder.lifecycle.backends.openbao import OpenbaoStore
from stanch.responder.lifecycle.backends.parameter_store import ParameterStore
from stanch.responder.lifecycle.backends.process_environment import ProcessEnvironment
from stanch.responder.lifecycle.backends.secrets_manager import SecretsManager
from stanch.responder.lifecycle.model.answer import (
    Absent,
    Conflict,
    Denied,
    Described,
    Listed,
    Present,
    Stage,
    Unreachable,
    Written,
)
from stanch.responder.lifecycle.model.backend import Ability
from stanch.responder.lifecycle.model.error import Unsupported
from stanch.responder.lifecycle.model.metadata import read
from stanch.responder.lifecycle.model.reference import Reference, parse
from stanch.scanner.model.secret import SecretValue
from tests.contracts.secret_store import (
    Case,
    Hands,
    bao_server,
    env_file,
    hands,
    openbao,
    parameter_store,
    process_environment,
    secrets_manager,
)

TAGS = {"owner": "payments-team", "data-classification": "internal"}


KINDS = {
    kind.name: kind.abilities
    for kind in (SecretsManager, ParameterStore, OpenbaoStore, EnvFile, ProcessEnvironment)
}


@pytest.fixture(scope="session")
def store_hands() -> Iterator[Hands]:
    with AwsLab.start() as lab, hands(lab) as made:
        yield made


@pytest.fixture(scope="session")
def bao_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with bao_server(tmp_path_factory.mktemp("bao")) as url:
        yield url


@pytest.fixture(params=list(KINDS))
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    opened: dict[str, Callable[[], Case]] = {
        SecretsManager.name: lambda: secrets_manager(request.getfixturevalue("store_hands")),
        ParameterStore.name: lambda: parameter_store(request.getfixturevalue("store_hands")),
        OpenbaoStore.name: lambda: openbao(request.getfixturevalue("bao_url")),
        EnvFile.name: lambda: env_file(tmp_path),
        ProcessEnvironment.name: process_environment,
    }
    made = opened[request.param]()
    assert made.backend.name == request.param
    return made


def able(*abilities: Ability) -> pytest.MarkDecorator:
    """For the stores that can do this."""
    names = [name for name, has in KINDS.items() if set(abilities) <= has]
    assert names, f"no store can {', '.join(abilities)}"
    return pytest.mark.parametrize("case", names, indirect=True)


KEPT_APART = pytest.mark.parametrize(
    "case", [name for name in KINDS if name != ProcessEnvironment.name], indirect=True
)  # nobody is kept from a process's own environment, and it is always there


def reference(case: Case, name: str = "api-key", version: str = "") -> Reference:
    asked = f"?version={version}" if version else ""
    return parse(f"secret://{case.service}/dev/stripe/{name}{asked}")


def value() -> SecretValue:
    return SecretValue(secrets.token_urlsafe(24).encode())


def planted(case: Case, name: str = "api-key") -> SecretValue:
    made = value()
    case.plant(reference(case, name), made.reveal().decode(), TAGS)
    return made


def test_what_others_put_there_is_read(case: Case) -> None:
    made = planted(case)
    found = case.backend.read(reference(case))
    assert isinstance(found, Present)
    assert found.value == made
    assert found.version


def test_what_is_not_there_is_absent_and_never_empty(case: Case) -> None:
    planted(case)
    assert isinstance(case.backend.read(reference(case, "other")), Absent)
    assert isinstance(case.backend.describe(reference(case, "other")), Absent)
    assert isinstance(case.backend.read(reference(case, version="0badc0de")), Absent)


@KEPT_APART
def test_who_may_not_read_is_told_so_with_a_remedy(case: Case) -> None:
    planted(case)
    assert case.denied is not None
    for answer in (case.denied.read(reference(case)), case.denied.describe(reference(case))):
        assert isinstance(answer, Denied)
        assert answer.why
        assert answer.remedy
    assert isinstance(case.denied.read_many([reference(case)])[reference(case)], Denied)
    assert any(isinstance(each, Denied) for each in case.denied.entries())


@KEPT_APART
def test_a_store_that_does_not_answer_is_neither_absent_nor_denied(case: Case) -> None:
    assert case.unreachable is not None
    assert isinstance(case.unreachable.read(reference(case)), Unreachable)
    assert isinstance(case.unreachable.describe(reference(case)), Unreachable)
    assert [type(each) for each in case.unreachable.entries()][-1:] == [Unreachable]


def test_many_are_read_at_once_each_with_its_own_answer(case: Case) -> None:
    made = {reference(case, f"key-{n}"): planted(case, f"key-{n}") for n in range(23)}
    lost = reference(case, "lost")
    found = dict(case.backend.read_many([*made, lost]))
    assert isinstance(found.pop(lost), Absent)
    assert set(found) == set(made)
    for each, answer in found.items():
        assert isinstance(answer, Present)
        assert answer.value == made[each]


def test_the_description_has_no_value_and_names_place_and_version(case: Case) -> None:
    planted(case)
    look = case.backend.describe(reference(case))
    found = case.backend.read(reference(case))
    assert isinstance(look, Described)
    assert isinstance(found, Present)
    assert look.place
    assert look.at(Stage.CURRENT) == found.version
    if Ability.ANNOTATE in case.backend.abilities or case.backend.name == "env-file":
        assert read(look.tags).known.items() >= TAGS.items()


def test_a_tool_s_secrets_are_listed_and_no_others(case: Case) -> None:
    planted(case)
    planted(case, "webhook-secret")
    case.plant(parse(f"secret://{case.service}/dev/github/token"), "other", {})
    under = f"{case.service}/dev/stripe/"
    found = list(case.backend.entries(under=under))
    names = {str(each.reference) for each in found if isinstance(each, Listed)}
    assert len(names) == len(found)
    assert names == {str(reference(case)), str(reference(case, "webhook-secret"))}


def test_what_a_store_cannot_do_is_refused_with_its_name(case: Case) -> None:
    attempts: dict[Ability, Callable[[], object]] = {
        Ability.CREATE: lambda: case.backend.create(reference(case), value(), {}),
        Ability.ANNOTATE: lambda: case.backend.annotate(reference(case), TAGS),
        Ability.STAGES: lambda: case.backend.put_pending(reference(case), value(), token="t"),
        Ability.DELETE: lambda: case.backend.delete(reference(case), window=timedelta()),
    }
    for ability, attempt in attempts.items():
        if ability not in case.backend.abilities:
            with pytest.raises(Unsupported, match=case.backend.name):
                attempt()


@able(Ability.CREATE)
def test_a_new_secret_is_made_once(case: Case) -> None:
    first = value()
    assert isinstance(case.backend.create(reference(case), first, TAGS), Written)
    assert isinstance(case.backend.create(reference(case), value(), TAGS), Conflict)
    found = case.backend.read(reference(case))
    assert isinstance(found, Present)
    assert found.value == first


@able(Ability.ANNOTATE)
def test_metadata_is_set_without_touching_the_value_or_other_tags(case: Case) -> None:
    made = planted(case)
    before = case.backend.read(reference(case))
    assert isinstance(case.backend.annotate(reference(case), {"owner": "risk"}), Written)
    look, after = case.backend.describe(reference(case)), case.backend.read(reference(case))
    assert isinstance(look, Described)
    assert look.tags["owner"] == "risk"
    assert look.tags["data-classification"] == "internal"
    assert isinstance(before, Present)
    assert isinstance(after, Present)
    assert (after.value == made, after.version) == (True, before.version)
    assert isinstance(case.backend.annotate(reference(case, "lost"), TAGS), Absent)


@able(Ability.STAGES)
def test_a_pending_version_is_given_to_nobody_until_it_is_promoted(case: Case) -> None:
    old, new = planted(case), value()
    current = case.backend.read(reference(case))
    assert isinstance(current, Present)
    put = case.backend.put_pending(reference(case), new, token="run-1")
    assert isinstance(put, Written)
    still = case.backend.read(reference(case))
    assert isinstance(still, Present)
    assert still.value == old
    assert isinstance(case.backend.read(reference(case, version=put.version)), Absent)
    tested = case.backend.read_pending(reference(case))
    assert isinstance(tested, Present)
    assert tested.value == new
    look = case.backend.describe(reference(case))
    assert isinstance(look, Described)
    assert look.at(Stage.PENDING) == put.version

    for _ in range(2):  # a lost answer is repeated
        done = case.backend.promote(reference(case), pending=put.version, current=current.version)
        assert isinstance(done, Written)
    now = case.backend.read(reference(case))
    assert isinstance(now, Present)
    assert now.value == new
    before = case.backend.read(reference(case, version="previous"))
    assert isinstance(before, Present)
    assert before.value == old
    look = case.backend.describe(reference(case))
    assert isinstance(look, Described)
    assert look.at(Stage.PENDING) is None


@able(Ability.STAGES)
def test_the_same_token_puts_the_same_version_and_another_one_waits(case: Case) -> None:
    planted(case)
    new = value()
    first = case.backend.put_pending(reference(case), new, token="run-1")
    again = case.backend.put_pending(reference(case), new, token="run-1")
    assert isinstance(first, Written)
    assert again == first
    other = case.backend.put_pending(reference(case), value(), token="run-1")
    assert isinstance(other, Conflict)
    assert isinstance(case.backend.put_pending(reference(case), new, token="run-2"), Conflict)
    kept = case.backend.read_pending(reference(case))
    assert isinstance(kept, Present)
    assert kept.value == new


@able(Ability.STAGES)
def test_nothing_is_promoted_over_a_version_that_nobody_looked_at(case: Case) -> None:
    old = planted(case)
    put = case.backend.put_pending(reference(case), value(), token="run-1")
    assert isinstance(put, Written)
    wrong = case.backend.promote(reference(case), pending=put.version, current="0badc0de")
    assert isinstance(wrong, Conflict | Absent)
    found = case.backend.read(reference(case))
    assert isinstance(found, Present)
    assert found.value == old


@able(Ability.STAGES)
def test_nothing_is_promoted_over_what_somebody_else_wrote_meanwhile(case: Case) -> None:
    planted(case)
    before = case.backend.read(reference(case))
    assert isinstance(before, Present)
    put = case.backend.put_pending(reference(case), value(), token="run-1")
    assert isinstance(put, Written)
    theirs = planted(case)
    lost = case.backend.promote(reference(case), pending=put.version, current=before.version)
    assert isinstance(lost, Conflict)
    found = case.backend.read(reference(case))
    assert isinstance(found, Present)
    assert found.value == theirs


@able(Ability.STAGES)
def test_what_is_withdrawn_cannot_be_promoted_and_the_current_version_stays(case: Case) -> None:
    old = planted(case)
    current = case.backend.read(reference(case))
    assert isinstance(current, Present)
    put = case.backend.put_pending(reference(case), value(), token="run-1")
    assert isinstance(put, Written)
    for _ in range(2):
        assert isinstance(case.backend.withdraw(reference(case), version=put.version), Written)
    assert isinstance(case.backend.read_pending(reference(case)), Absent)
    gone = case.backend.promote(reference(case), pending=put.version, current=current.version)
    assert isinstance(gone, Absent)
    kept = case.backend.withdraw(reference(case), version=current.version)
    assert isinstance(kept, Conflict)
    found = case.backend.read(reference(case))
    assert isinstance(found, Present)
    assert found.value == old


@able(Ability.STAGES)
def test_an_older_version_that_is_withdrawn_is_read_by_nobody(case: Case) -> None:
    planted(case)
    old = case.backend.read(reference(case))
    assert isinstance(old, Present)
    put = case.backend.put_pending(reference(case), value(), token="run-1")
    assert isinstance(put, Written)
    case.backend.promote(reference(case), pending=put.version, current=old.version)
    if Ability.RETRACT not in case.backend.abilities:
        with pytest.raises(Unsupported, match=case.backend.name):
            case.backend.withdraw(reference(case), version=old.version)
        return
    assert isinstance(case.backend.withdraw(reference(case), version=old.version), Written)
    assert isinstance(case.backend.read(reference(case, version=old.version)), Absent)
    assert isinstance(case.backend.read(reference(case, version="previous")), Absent)
    assert isinstance(case.backend.read(reference(case)), Present)


@able(Ability.DELETE)
def test_what_is_deleted_is_given_to_nobody(case: Case) -> None:
    planted(case)
    window = timedelta(days=7) if Ability.RECOVER in case.backend.abilities else timedelta()
    assert isinstance(case.backend.delete(reference(case), window=window), Written)
    assert isinstance(case.backend.read(reference(case)), Absent)
    assert isinstance(case.backend.read_many([reference(case)])[reference(case)], Absent)
    look = case.backend.describe(reference(case))
    if window:
        assert isinstance(look, Described)
        assert look.deleted_at is not None
    else:
        assert isinstance(look, Absent)


@able(Ability.CREATE)
def test_bytes_come_back_as_they_were_or_are_refused(case: Case) -> None:
    made = SecretValue(b"\xff\x00" + secrets.token_bytes(16))
    try:
        assert isinstance(case.backend.create(reference(case), made, TAGS), Written)
    except Unsupported as error:
        assert case.backend.name in str(error)  # noqa: PT017  # either is honest
        return
    found = case.backend.read(reference(case))
    assert isinstance(found, Present)
    assert found.value == made


def test_debug_logs_of_vendors_hold_no_value(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    """An application may have debug logging on for everything."""
    first = planted(case)
    values = [first]
    with caplog.at_level("DEBUG"):
        case.backend.read(reference(case))
        case.backend.read_many([reference(case)])
        if Ability.STAGES in case.backend.abilities:
            values.append(value())
            case.backend.put_pending(reference(case), values[-1], token="run-1")
            case.backend.read_pending(reference(case))
        if Ability.CREATE in case.backend.abilities:
            values.append(value())
            case.backend.create(reference(case, "new"), values[-1], TAGS)
    for each in values:
        assert each.reveal().decode() not in caplog.text
