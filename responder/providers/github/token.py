"""The steps for a GitHub token: what it is, whose, revoke it, prove it dead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from stanch.responder.domain.claim import Claim, Standing, Uncovered, Validity
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.step import (
    Absent,
    Call,
    Effect,
    NotYet,
    Present,
    Refuted,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from stanch.responder.providers.github.adapter import Github, Sight
from stanch.responder.providers.patience import SOON
from stanch.scanner.model.secret import SecretValue

PART = "value"  # what the scanner calls the only part of a credential


class Form(StrEnum):
    """GitHub's kinds of token, by their beginning."""

    CLASSIC = "classic personal access token"
    FINE_GRAINED = "fine-grained personal access token"
    OAUTH = "OAuth access token"
    USER = "user token of an app"
    REFRESH = "refresh token of an app"
    INSTALLATION = "installation token"


_BEGINNINGS = {
    "ghp_": Form.CLASSIC,
    "github_pat_": Form.FINE_GRAINED,
    "gho_": Form.OAUTH,
    "ghu_": Form.USER,
    "ghr_": Form.REFRESH,
    "ghs_": Form.INSTALLATION,
}
# With these a thief could have left something behind that outlives the token.
_LASTING = ("admin:", "repo", "write:", "user", "workflow", "delete_repo", "gist")
_READ_ONLY = ("read:", "public_repo:read")


def form_of(token: bytes) -> Form:
    """By its beginning; forty hex digits without one are a classic token from before 2021."""
    text = token.decode("ascii", "replace")
    found = (form for beginning, form in _BEGINNINGS.items() if text.startswith(beginning))
    return next(found, Form.CLASSIC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """No parameters."""


class IdentifyToken:
    """Say what kind of token it is, whose, and whether it works; refuse what is not ours."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="github.token.identify",
        title="Find out what the token is and whose",
        effect=Effect.READ,
        params=Nothing,
        parts=(PART,),
        outputs=("form", "user", "account", "scopes", "validity"),
    )

    def __init__(self, github: Github) -> None:
        self._github = github

    def calls(self, params: Nothing, preview: str) -> tuple[Call, ...]:
        """One read, signed with the token itself."""
        del params
        return (Call(api="github:GET /user", arguments={"as": preview}),)

    def look(self, params: Nothing, ctx: StepContext) -> Verdict:
        """Try it once."""
        del params
        form, seen = _try(self._github, ctx)
        owners = self._github.owners
        if seen.login and owners and seen.login.lower() not in owners:
            return Refuted(
                why=f"the token belongs to {seen.login}, who is not among [github] owners",
                remedy=f"tell {seen.login}; if the account is yours, add it to [github] owners",
                stranger=True,
            )
        found = {
            "form": str(form),
            "user": seen.login,
            "account": "GitHub",
            "scopes": ", ".join(seen.scopes),
            "validity": str(seen.validity),
        }
        return Verified(evidence={**found, "seen": seen.detail}, outputs=found)


class RevokeToken:
    """Have GitHub revoke it. Nobody can give it back: its owner makes a new one."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="github.token.revoke",
        title="Revoke the token",
        effect=Effect.FINAL,
        params=Nothing,
        parts=(PART,),
        outputs=("answer",),
    )

    def __init__(self, github: Github) -> None:
        self._github = github

    def calls(self, params: Nothing, preview: str) -> tuple[Call, ...]:
        """One request; which, the token's kind decides."""
        del params
        return (
            Call(
                api="github:POST /credentials/revoke",
                arguments={
                    "credential": preview,
                    "instead, for an installation token": "DELETE /installation/token",
                },
            ),
        )

    def observe(self, params: Nothing, ctx: StepContext) -> Present | Absent:
        """Present when GitHub rejects it."""
        del params
        _, seen = _try(self._github, ctx)
        if seen.validity is Validity.DEAD:
            return Present(evidence={"token": str(seen.validity), "seen": seen.detail})
        return Absent(before={"token": str(seen.validity)})

    def act(self, params: Nothing, ctx: StepContext) -> JsonObject:
        """Ask for it. The answer is a promise; ``verify`` looks."""
        del params
        token, agent = ctx.open(PART), _agent(ctx)
        if form_of(token.reveal()) is Form.INSTALLATION:
            return {"answer": self._github.revoke_installation(token, agent=agent)}
        return {"answer": self._github.revoke(token, agent=agent)}

    def verify(self, params: Nothing, ctx: StepContext) -> Verdict:
        """GitHub queues revocations; until it rejects the token it is not revoked."""
        del params
        form, seen = _try(self._github, ctx)
        if seen.validity in {Validity.LIVE, Validity.UNREACHABLE, Validity.REFUSED}:
            return NotYet(why=f"the token is {seen.validity}: {seen.detail}", after=SOON * 5)
        return Verified(
            evidence={"token": str(seen.validity), "seen": seen.detail},
            outputs={"answer": f"{form}: {seen.validity}"},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """``scopes``: what the token could do, as GitHub said while it worked."""

    scopes: str = ""
    form: str = ""


class ProveTokenDead:
    """GitHub rejects the token."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="github.proof.dead",
        title="Prove the token dead",
        effect=Effect.READ,
        params=Token,
        parts=(PART,),
        outputs=("validity",),
        proves=True,
    )

    def __init__(self, github: Github) -> None:
        self._github = github

    def calls(self, params: Token, preview: str) -> tuple[Call, ...]:
        """The attempt that must fail."""
        del params
        return (Call(api="github:GET /user", arguments={"as": preview}),)

    def look(self, params: Token, ctx: StepContext) -> Verdict:
        """Dead is what is rejected; what cannot be tried is said to be so."""
        form, seen = _try(self._github, ctx)
        if seen.validity in {Validity.LIVE, Validity.UNREACHABLE, Validity.REFUSED}:
            return NotYet(why=f"the token is {seen.validity}: {seen.detail}", after=SOON * 5)
        return Verified(
            evidence={"token": str(seen.validity), "seen": seen.detail},
            outputs={"validity": str(seen.validity)},
            claim=Claim(
                what=f"{form} {ctx.preview}",
                validity=seen.validity,
                how=seen.detail,
                seen_at=ctx.now(),
                uncovered=_left(form, params),
            ),
        )


def _left(form: Form, params: Token) -> tuple[Uncovered, ...]:
    """What could have been made with the token: GitHub shows it to the account's owner alone."""
    scopes = [scope.strip() for scope in params.scopes.split(",") if scope.strip()]
    listed = form in {Form.CLASSIC, Form.OAUTH} and scopes
    harmless = listed and all(
        scope.startswith(_READ_ONLY) or not scope.startswith(_LASTING) for scope in scopes
    )
    if harmless:
        return ()
    return (
        Uncovered(
            what="keys, tokens and webhooks that were made with it",
            standing=Standing.UNKNOWN,
            remedy="look into the security log of the account and the audit log of its "
            "organisations, then close with --unproven or with what was found",
        ),
    )


def _try(github: Github, ctx: StepContext) -> tuple[Form, Sight]:
    token: SecretValue = ctx.open(PART)
    form = form_of(token.reveal())
    if form is Form.REFRESH:
        detail = "a refresh token can be tried by its app alone"
        return form, Sight(validity=Validity.NO_CHECK, detail=detail)
    path = "/installation/repositories?per_page=1" if form is Form.INSTALLATION else "/user"
    return form, github.whose(token, path=path, agent=_agent(ctx))


def _agent(ctx: StepContext) -> str:
    return f"stanch/{ctx.run}"
