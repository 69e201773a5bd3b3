"""What does not exist comes last, and is not opened by the one who found it."""

from __future__ import annotations

from typing import Any

from stanch.responder.services.triage import FEW, Triage
from stanch.scanner.model.finding import Match


def test_what_does_not_exist_is_handed_back_and_what_does_is_taken_in_order(room: Any) -> None:
    found = [room.match(preview=f"acme…{n:04}") for n in range(FEW + 6)]
    real = {match.finding.preview for match in found[:FEW]} | {found[-1].finding.preview}
    taken: list[str] = []

    def receive(match: Match) -> Any:
        taken.append(match.finding.preview)
        return room.take(match).incident

    triage = Triage(
        store=room.store, exists=lambda match: match.finding.preview in real, receive=receive
    )
    left = triage.take(iter(found))
    assert taken == [m.finding.preview for m in found if m.finding.preview in real]
    assert [m.finding.preview for m in left] == [m.finding.preview for m in found[FEW:-1]]
