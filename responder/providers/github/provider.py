"""GitHub as one value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MappingProxyType

from stanch.responder.domain.check import Check, State
from stanch.responder.postmortem.advice import Draft, Facts
from stanch.responder.postmortem.report import ActionKind
from stanch.responder.providers.github.adapter import Github
from stanch.responder.providers.github.setting import GithubSection
from stanch.responder.providers.github.token import IdentifyToken, ProveTokenDead, RevokeToken
from stanch.responder.providers.provider import Provider, Resolve
from stanch.responder.providers.setting import Section


def _connect(section: Section, resolve: Resolve) -> Github:
    given = _settings(section)
    token = resolve(given.token, "github.token") if given.token else None
    return Github(given.api_url, owners=given.owners, token=token)


def _checks(section: Section, permissions: Iterable[str]) -> Iterator[Check]:
    del permissions
    given = _settings(section)
    yield Check(State.GOOD, "github", f"tokens are tried and revoked at {given.api_url}")
    if not given.owners:
        yield Check(
            State.GOOD, "github", "no [github] owners: the person who approves judges whose it is"
        )


def _settings(section: Section) -> GithubSection:
    if not isinstance(section, GithubSection):
        raise TypeError(f"not the github section: {type(section).__name__}")
    return section


def _advice(facts: Facts) -> Iterator[Draft]:
    if facts.incident.kind == "personal-access-token":
        yield (
            "use-an-app",
            ActionKind.PREVENT,
            "Give the consumer a GitHub App or the workflow's own token instead",
            "a personal token was in use; an app's tokens expire within an hour",
        )


GITHUB: Provider[Github] = Provider(
    name="github",
    settings=GithubSection,
    connect=_connect,
    steps=(IdentifyToken, RevokeToken, ProveTokenDead),
    checks=_checks,
    advice=_advice,
    words=MappingProxyType(
        {
            "personal-access-token": "GitHub personal access token",
            "oauth-token": "GitHub OAuth token",
            "user-token": "GitHub app user token",
            "refresh-token": "GitHub app refresh token",
            "installation-token": "GitHub installation token",
        }
    ),
)
