"""A GitHub token from finding to proven dead, over real HTTP, through the whole house."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from stanch.responder.bootstrap import House, open_house
from stanch.responder.config import load
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.claim import Validity
from stanch.responder.domain.error import ConfigError, Retryable, StepFailed
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.run import RunState
from stanch.responder.engine.loader import load_runbooks
from stanch.responder.postmortem.build import build
from stanch.responder.postmortem.render import markdown
from stanch.responder.providers.github.adapter import Github
from stanch.responder.providers.github.token import Form, form_of
from stanch.responder.providers.registry import SPECS
from stanch.responder.services.intake import Report
from stanch.scanner.api import builtin_rules
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.provenance import InWorktree
from stanch.scanner.model.secret import SecretValue

Double = Any  # conftest.py cannot be imported by name
ALICE, BOB = Caller(name="alice", door="cli"), Caller(name="bob", door="cli")
KINDS = {
    "ghp_": "personal-access-token",
    "github_pat_": "personal-access-token",
    "gho_": "oauth-token",
    "ghu_": "user-token",
    "ghs_": "installation-token",
    "ghr_": "refresh-token",
}


@pytest.fixture
def house(tmp_path: Path, github: Double) -> Iterator[House]:
    (tmp_path / "stanch.toml").write_text(
        f'[github]\napi_url = "{github.url}"\nowners = ["octocat"]\n'
        '[people.alice]\ngroups = ["security"]\n[people.bob]\ngroups = ["security"]\n'
    )
    environment = {
        "STANCH_HOME": str(tmp_path / "home"),
        "STANCH_CONFIG": str(tmp_path / "stanch.toml"),
    }
    with open_house(load(environment=environment)) as opened:
        yield opened


def leak(house: House, token: str) -> IncidentId:
    """The incident of a token that stands in a file."""
    beginning = next(b for b in KINDS if token.startswith(b))
    finding = Finding(
        rule="github",
        provider="github",
        kind=KINDS[beginning],
        provenance=InWorktree(path="deploy/env.sh"),
        span=Span(line=12, column=5, end_line=12, end_column=25),
        fingerprint=f"v1:{abs(hash(token)):032x}",
        preview=f"{beginning}…{token[-4:]}",
        severity=Severity.CRITICAL,
        confidence=Confidence.HIGH,
        reason="prefix",
    )
    match = Match(finding=finding, parts={"value": SecretValue(token.encode())})
    report = Report(match=match, root="app", by=ALICE, detected_at=datetime.now(UTC), respond=False)
    return house.intake.receive(report).incident


def respond(house: House, incident: IncidentId, *, approve: bool = True) -> RunState:
    """Run it, with bob's word where it is wanted."""
    run = house.responses.respond(incident, by=ALICE)
    assert run is not None
    state = settle(house, run)
    if state is RunState.WAITING_APPROVAL and approve:
        ask = house.approvals.open_for(incident)
        house.approvals.decide(ask, by=BOB, granted=True, reason="it is public")
        state = settle(house, run)
    return state


def settle(house: House, run: RunId) -> RunState:
    end = datetime.now(UTC) + timedelta(seconds=20)
    while datetime.now(UTC) < end:
        house.advance(run)
        with house.store.transaction() as tx:
            found = tx.runs.get(run)
        assert found is not None
        if found.state.over or found.state is RunState.WAITING_APPROVAL:
            return found.state
    raise TimeoutError(run)


def state(house: House, incident: IncidentId) -> IncidentState:
    with house.store.transaction() as tx:
        found = tx.incidents.get(incident)
    assert found is not None
    return found.state


def test_a_token_is_proven_dead_and_every_surface_speaks_of_a_token(
    house: House, github: Double, make_token: Callable[[str], str]
) -> None:
    token = make_token("ghp_")
    github.lives[token] = ("octocat", "read:user")
    github.lag = 2
    incident = leak(house, token)
    assert respond(house, incident, approve=False) is RunState.WAITING_APPROVAL
    card = house.cards.card(incident)
    assert card.headline == "LIVE · GitHub personal access token · LK-1"
    assert card.ask is not None
    assert "Revoke the token" in card.ask.title
    assert token in github.lives  # nothing was done before somebody agreed
    assert respond(house, incident) is RunState.DONE
    assert token not in github.lives
    card = house.cards.card(incident)
    assert card.headline.startswith("PROVEN DEAD · GitHub personal access token")
    report = markdown(build(house.casefiles.gather(incident), now=datetime.now(UTC)))
    for text in (card.summary, str(card.facts), str(card.ask), report):
        assert " key" not in text.replace("key holder", "").replace("Key holder", "")
        assert token not in text
    assert ("POST", "/credentials/revoke", False) in github.asked  # github.com wants no token


@pytest.mark.parametrize("beginning", ["github_pat_", "gho_", "ghu_", "ghs_"])
def test_a_token_that_could_have_left_something_behind_is_dead_but_not_everywhere(
    house: House, github: Double, make_token: Callable[[str], str], beginning: str
) -> None:
    token = make_token(beginning)
    github.lives[token] = ("octocat", "repo, admin:public_key")
    incident = leak(house, token)
    assert respond(house, incident) is RunState.DONE
    assert token not in github.lives
    assert state(house, incident) is IncidentState.CONTAINED
    card = house.cards.card(incident)
    assert card.headline.startswith("DEAD, NOT PROVEN EVERYWHERE")
    assert "webhooks that were made with it" in card.summary


def test_a_refresh_token_cannot_be_tried_and_is_never_called_dead(
    house: House, github: Double, make_token: Callable[[str], str]
) -> None:
    incident = leak(house, make_token("ghr_"))
    assert respond(house, incident) is RunState.DONE
    assert state(house, incident) is not IncidentState.PROVEN_DEAD
    assert "cannot be tried" in house.cards.card(incident).summary
    assert ("POST", "/credentials/revoke", False) in github.asked


@pytest.mark.parametrize("beginning", ["ghp_", "ghs_"])
def test_a_strangers_token_is_not_touched(
    house: House, github: Double, make_token: Callable[[str], str], beginning: str
) -> None:
    token = make_token(beginning)
    github.lives[token] = ("mallory", "repo")
    incident = leak(house, token)
    assert respond(house, incident) is RunState.FAILED
    assert token in github.lives
    assert "mallory" in str(house.cards.card(incident).failure)


def test_a_token_that_was_dead_before_us_is_proven_so_by_trying(
    house: House, github: Double, make_token: Callable[[str], str]
) -> None:
    incident = leak(house, make_token("ghp_"))
    assert respond(house, incident) is RunState.DONE
    assert not [asked for asked in github.asked if asked[0] == "POST"]


@pytest.mark.parametrize(
    ("status", "validity"),
    [(401, Validity.DEAD), (403, Validity.REFUSED), (429, Validity.REFUSED),
     (302, Validity.REFUSED), (503, Validity.UNREACHABLE)],
)  # fmt: skip
def test_an_answer_that_says_nothing_of_the_token_is_never_its_death(
    github: Double, make_token: Callable[[str], str], status: int, validity: Validity
) -> None:
    github.status = status
    hands = Github(github.url, owners=(), token=None)
    token = SecretValue(make_token("ghp_").encode())
    assert hands.whose(token, path="/user", agent="test").validity is validity
    hands.close()


def test_a_server_that_is_away_is_unreachable_and_no_error_holds_the_token(
    make_token: Callable[[str], str],
) -> None:
    hands = Github("http://127.0.0.1:1", owners=(), token=None)
    token = SecretValue(make_token("ghp_").encode())
    assert hands.whose(token, path="/user", agent="test").validity is Validity.UNREACHABLE
    with pytest.raises(Retryable) as caught:
        hands.revoke(token, agent="test")
    assert token.reveal().decode() not in str(caught.value)
    hands.close()


def test_a_limit_is_waited_for_and_a_refusal_is_a_persons_turn(
    github: Double, make_token: Callable[[str], str]
) -> None:
    hands = Github(github.url, owners=(), token=None)
    token = SecretValue(make_token("ghp_").encode())
    github.status = 422
    with pytest.raises(StepFailed, match="answered 422"):
        hands.revoke(token, agent="test")
    github.status, github.headers = 429, {"Retry-After": "17"}
    with pytest.raises(Retryable) as caught:
        hands.revoke(token, agent="test")
    assert caught.value.after == timedelta(seconds=17)
    hands.close()


def test_a_server_of_ones_own_sees_our_token_and_takes_personal_ones_alone(
    github: Double, make_token: Callable[[str], str]
) -> None:
    ours, leaked, other = (make_token(beginning) for beginning in ("ghp_", "ghp_", "gho_"))
    github.enterprise = ours
    github.lives[leaked] = ("octocat", "repo")
    hands = Github(github.url, owners=(), token=SecretValue(ours.encode()))
    assert "202" in hands.revoke(SecretValue(leaked.encode()), agent="test")
    assert leaked not in github.lives
    with pytest.raises(StepFailed, match="answered 422") as refused:
        hands.revoke(SecretValue(other.encode()), agent="test")
    assert "owner's settings" in refused.value.remedy
    hands.close()


def test_github_dot_com_is_shown_no_token_of_ours(make_token: Callable[[str], str]) -> None:
    hands = Github("https://api.github.com", owners=(), token=SecretValue(b"ours"))
    shown: list[Any] = []

    def ask(*_call: str, token: object, **_more: object) -> tuple[int, dict[str, str], bytes]:
        shown.append(token)
        return 202, {}, b""

    hands._ask = ask  # type: ignore[method-assign]  # nothing may reach the real one
    hands.revoke(SecretValue(make_token("ghp_").encode()), agent="test")
    assert shown == [None]
    hands.close()


def test_every_kind_of_token_that_is_found_is_answered() -> None:
    book = load_runbooks(files("stanch.runbooks"), SPECS)["github-token"]
    found = {rule.kind for rule in builtin_rules() if rule.provider == "github"}
    assert found == {kind for _, kind in book.answers}


def test_a_token_leaves_this_machine_only_over_https() -> None:
    with pytest.raises(ConfigError, match="not an https address"):
        Github("http://github.example", owners=(), token=None)


def test_every_kind_is_told_by_its_beginning() -> None:
    forms = {form_of(f"{beginning}x".encode()) for beginning in KINDS}
    assert forms == set(Form)
    assert form_of(b"0" * 40) is Form.CLASSIC
