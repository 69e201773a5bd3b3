"""The blast limit: how much reports may contain in one account before a person looks.

Whoever can report leaks could else switch an account off, key by key. What a person asked for, for
this very incident, or has agreed to, does not count. What counts is on the record, so that nobody
without the ledger's key can make it less.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from stanch.responder.domain.caller import SYSTEM
from stanch.responder.engine.scene import Scene

COUNTED = "containment.counted"
# Why a run began, in the entry that says so; where it stands, no known person asked for it.
TRIGGER, REPORT, STRANGER = "trigger", "report", "stranger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most ``most`` containments in one account ``within`` so long, set off by reports."""

    most: int = 10
    within: timedelta = timedelta(hours=1)

    def count(self, scene: Scene) -> str | None:
        """Count this run's containment; why a person must be asked first, if it is too many."""
        account = scene.account
        recent = scene.tx.ledger.since(COUNTED, scene.now - self.within)
        mine = {"run": scene.run.id}.items()
        if any(e.action == COUNTED and mine <= e.detail.items() for e in (*scene.events, *recent)):
            return None
        runs = {str(e.detail.get("run")) for e in recent if e.detail.get("account") == account}
        if len(runs) < self.most:
            number = len(runs) + 1
            scene.record(COUNTED, {"account": account, "number": number, "run": scene.run.id})
            return None
        return (
            f"reports alone have set off {len(runs)} containments in {account} within "
            f"{_span(self.within)}, and the limit is {self.most}"
        )


def asked_for(scene: Scene) -> bool:
    """Whether a person asked for this run, for this very incident, or agreed to a step of it."""
    for event in scene.events:
        if event.detail.get("run") != scene.run.id or event.actor == SYSTEM.actor:
            continue
        if event.action in {"run.started", "run.resumed"} and TRIGGER not in event.detail:
            return True
        if event.action == "approval.granted":
            return True
    return False


def _span(span: timedelta) -> str:
    hours = span / timedelta(hours=1)
    return "an hour" if hours == 1 else f"{hours:.3g} hours"
