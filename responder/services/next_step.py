"""What a person may safely do now, beside deciding: words and the exact command. Pure."""

from __future__ import annotations

from stanch.responder.domain.card import Next
from stanch.responder.domain.claim import Validity
from stanch.responder.domain.ids import label
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.run import Run, RunState
from stanch.responder.services.view import View


def next_steps(view: View) -> tuple[Next, ...]:
    """The safest first; none while the work goes on by itself."""
    status, run = view.status, view.run
    name = label(view.incident.id)
    if view.differs:
        return (Next("find out what was changed", "stanch audit verify"),)
    if view.incident.state is IncidentState.CLOSED:
        return ()
    if view.undo is not None or status.failed:
        return _stopped(view, name) if view.undo is None else _undo(view, name)
    if run is None or not status.current:
        return (_not_begun(view, name),)
    return _of_run(view, run, name)


def _not_begun(view: View, name: str) -> Next:
    if view.answered:
        return Next("begin now", f"stanch respond {name}")
    return Next("once it is revoked", f"stanch close {name} --unproven")


def _of_run(view: View, run: Run, name: str) -> tuple[Next, ...]:
    if view.lapsed:
        return (Next("ask again", f"stanch respond {name}"),)
    if run.state is RunState.DONE:
        return (_ended(view, name),)
    return tuple(Next(what, f"stanch {how} {name}{more}") for what, how, more in _HALTED[run.state])


def _undo(view: View, name: str) -> tuple[Next, ...]:
    """Beside an undo that has not begun: what keeps the credential contained comes first."""
    if view.undo is not None and view.undo.state.over:
        return (Next("go on", f"stanch respond {name}"),)
    off = Next("leave it contained", f"stanch cancel {name}")
    return (off, Next("ask again", f"stanch undo {name}")) if view.lapsed else (off,)


def _stopped(view: View, name: str) -> tuple[Next, ...]:
    if view.status.stranger:
        return (
            Next("tell its owner, then close it", f"stanch close {name} --disposition not-ours"),
            Next("if it is ours, say so in stanch.toml, then", f"stanch respond {name}"),
        )
    verb = "undo" if view.status.undone else "respond"
    return (Next("once that is mended, go on", f"stanch {verb} {name}"),)


# What, which command, and its options.
_HALTED: dict[RunState, tuple[tuple[str, str, str], ...]] = {
    RunState.PAUSED: (("go on", "resume", ""), ("end it here", "cancel", "")),
    RunState.CANCELLED: (("go on", "respond", ""), ("take back what was done", "undo", "")),
    RunState.ABORTED: (("ask again", "respond", ""), ("leave it so", "close", " --unproven")),
    RunState.FAILED: (("try again", "respond", ""),),
    RunState.RUNNING: (),
    RunState.WAITING_APPROVAL: (),
    RunState.DONE: (),
}


def _ended(view: View, name: str) -> Next:
    claim = view.status.claim
    if view.status.undone:
        return Next("contain it again", f"stanch respond {name}")
    if view.incident.state is IncidentState.PROVEN_DEAD:
        return Next("name who does what is left", f"stanch close {name}")
    if claim is not None and claim.validity is Validity.NO_CHECK:
        return Next("nothing can prove more: close it", f"stanch close {name} --unproven")
    return Next("mend what is not covered, then prove it again", f"stanch respond {name}")
