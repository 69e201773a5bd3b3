"""A plan fits 80 columns, with each call indented below its step."""

from __future__ import annotations

import io
from datetime import timedelta

from rich.console import Console

from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.plan import Plan, PlannedStep
from stanch.responder.domain.runbook import Phase, Policy, Silence
from stanch.responder.domain.step import Call, Effect
from stanch.responder.terminal.plan import plan_table


def test_a_plan_reads_at_80_columns() -> None:
    policy = Policy(
        id="p", title="P", group="security", expires=timedelta(hours=4), silence=Silence.HOLD
    )
    arguments = {"UserName": "ci-deployer" * 4, "AccessKeyId": "AKIA…7Q2M"}
    step = PlannedStep(
        id="delete-key", phase=Phase.REVOKE, uses="aws.iam.delete", title="Delete the key",
        effect=Effect.FINAL, params=None, undo=None, policy=policy, after=(), permissions=(),
        calls=(Call(api="iam:DeleteAccessKey", arguments=arguments),),
    )  # fmt: skip
    plan = Plan(
        incident=IncidentId(0), preview="AKIA…7Q2M", fingerprint="v1:0", runbook="aws",
        runbook_version=3, steps=(step,),
    )  # fmt: skip
    screen = io.StringIO()
    Console(file=screen, width=80, no_color=True).print(plan_table(plan))
    lines = [line.rstrip() for line in screen.getvalue().splitlines()]
    assert max(map(len, lines)) <= 80
    assert lines[0] == "AKIA…7Q2M: aws v3"
    text = " ".join(" ".join(lines).split())
    assert "wants a person of security within 4 h; if nobody decides: nothing happens" in text
    at = next(line.index("iam:DeleteAccessKey") for line in lines if "iam:Delete" in line)
    under = next(line for line in lines if "AccessKeyId=" in line)
    assert len(under) - len(under.lstrip()) == at
