"""A person agrees, or does something by hand and says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from stanch.responder.domain.claim import Claim, Validity
from stanch.responder.domain.step import Call, Effect, StepContext, StepSpec, Verdict, Verified
from stanch.scanner.api import builtin_rules
from stanch.scanner.model.secret import SecretValue

_NO_RULE = "revoke it at its provider"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intention:
    """What somebody is asked to agree to."""

    to: str


class Agree:
    """Nothing by itself: its approval is what matters, and other steps come after it."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="manual.agree",
        title="Agree to what comes next",
        effect=Effect.READ,
        params=Intention,
    )

    def __init__(self, people: People) -> None:
        del people

    def calls(self, params: Intention, preview: str) -> tuple[Call, ...]:
        """What is agreed to."""
        return (
            Call(
                api="agree",
                arguments={"to": params.to, "for": preview},
                words=f"nothing is called: you agree, for {preview}, to {params.to}",
            ),
        )

    def look(self, params: Intention, ctx: StepContext) -> Verdict:
        """Agreed, or this step would not run."""
        del ctx
        return Verified(evidence={"agreed": params.to})


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """No parameters."""


class FindRemedy:
    """What the rule that found the credential advises, and where that is written."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="manual.remedy",
        title="Look up how it is revoked",
        effect=Effect.READ,
        params=Nothing,
        outputs=("remedy", "link"),
    )

    def __init__(self, people: People) -> None:
        del people

    def calls(self, params: Nothing, preview: str) -> tuple[Call, ...]:
        """None: nothing leaves this machine."""
        del params, preview
        return ()

    def look(self, params: Nothing, ctx: StepContext) -> Verdict:
        """From the rules that ship with the scanner; a rule of your own has its text there."""
        del params
        remedy, link = _remedies().get(ctx.rule, (_NO_RULE, ""))
        found = {"remedy": remedy, "link": link}
        return Verified(evidence={**found, "rule": ctx.rule}, outputs=found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """What a person is asked to do, and where it is explained."""

    remedy: str
    link: str = ""


class Confirm:
    """A person did it by hand and said so, with the approval of this step.

    Nobody tried the credential, so the claim says that there is no check: never that it is dead.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="manual.confirm",
        title="Revoke by hand, and say that it is done",
        effect=Effect.READ,
        params=Deed,
        outputs=("done",),
        proves=True,
    )

    def __init__(self, people: People) -> None:
        del people

    def calls(self, params: Deed, preview: str) -> tuple[Call, ...]:
        """What is to be done."""
        where = {"see": params.link} if params.link else {}
        explained = f" (explained at {params.link})" if params.link else ""
        return (
            Call(
                api="by hand",
                arguments={"do": params.remedy, "with": preview, **where},
                words=f"by hand, with {preview}: {params.remedy}{explained}",
            ),
        )

    def look(self, params: Deed, ctx: StepContext) -> Verdict:
        """A person's word, and that it is no more."""
        return Verified(
            evidence={"did": params.remedy},
            outputs={"done": "yes"},
            claim=Claim(
                what=f"credential {ctx.preview}",
                validity=Validity.NO_CHECK,
                how="a person says that it was revoked; the record names them",
                seen_at=ctx.now(),
            ),
        )


class People:
    """The adapter to people: there is nothing to connect to."""

    def identity(self) -> str:
        """Nobody in particular."""
        return "people"

    def exists(self, parts: Mapping[str, SecretValue]) -> bool:
        """Nothing says so without using it."""
        del parts
        return True

    def close(self) -> None:
        """Nothing is open."""


@cache
def _remedies() -> dict[str, tuple[str, str]]:
    return {rule.id: (rule.remedy, rule.link) for rule in builtin_rules()}
