"""SimulatePrincipalPolicy with the context it is given: MiniStack evaluates without any."""
# ruff: noqa: SLF001  # MiniStack has no public hooks; its version is pinned

from __future__ import annotations

from contextvars import ContextVar
from itertools import count, takewhile
from typing import Any

_GIVEN: ContextVar[dict[str, str] | None] = ContextVar("simulated", default=None)


def patch_simulation(iam: Any, evaluator: Any) -> None:
    """Let conditions of a simulated request see ``ContextEntries`` (first value of each)."""
    simulate = iam._IAM_HANDLERS["SimulatePrincipalPolicy"]
    evaluate = evaluator.evaluate

    def simulated(params: Any) -> Any:
        token = _GIVEN.set(_entries(iam, params))
        try:
            return simulate(params)
        finally:
            _GIVEN.reset(token)

    def evaluated(context: Any, *args: Any, **kwargs: Any) -> Any:
        given = _GIVEN.get()
        if given:
            context.principal_keys = {**context.principal_keys, **given}
        return evaluate(context, *args, **kwargs)

    iam._IAM_HANDLERS["SimulatePrincipalPolicy"] = simulated
    evaluator.evaluate = evaluated


def _entries(iam: Any, params: Any) -> dict[str, str]:
    numbered = (f"ContextEntries.member.{number}" for number in count(1))
    present = takewhile(lambda name: iam._p(params, f"{name}.ContextKeyName"), numbered)
    return {
        iam._p(params, f"{name}.ContextKeyName").lower(): iam._p(
            params, f"{name}.ContextKeyValues.member.1"
        )
        for name in present
    }
