"""Where an incident stands, as one value: card, list, page, postmortem and exit code read it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stanch.responder.domain.card import Tone
from stanch.responder.domain.claim import Claim, Validity
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.run import Run, RunKind, RunState, StepRun, StepState, newest_claim
from stanch.responder.domain.runbook import Phase

_TRIES = frozenset({Phase.CONTAIN, Phase.AUDIT})
STRANGER = "stranger"  # in a step's evidence: the credential belongs to somebody else


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """The incident with its newest run. ``disposition``: what it was closed as, if anything.

    ``undo`` was asked for and has begun nothing: until then the run before it says how things are.
    """

    incident: Incident
    run: Run | None
    steps: tuple[StepRun, ...]
    disposition: str = ""
    undo: Run | None = None

    @property
    def current(self) -> bool:
        """The newest run answers this leak, not an earlier one of the same credential."""
        return self.run is not None and self.run.episode == self.incident.regressions

    @property
    def undone(self) -> bool:
        """The newest run takes things back: nothing that was proven before holds."""
        return self.run is not None and self.run.kind is RunKind.UNDO

    @property
    def ended(self) -> bool:
        """The newest run came to its end."""
        return self.run is not None and self.run.state is RunState.DONE

    @property
    def claim(self) -> Claim | None:
        """What is proven about the credential now."""
        return newest_claim(self.steps) if self.current and not self.undone else None

    @property
    def failed(self) -> StepRun | None:
        """The step at which the run stopped, while that matters."""
        if self.incident.state is IncidentState.CLOSED or not self.current:
            return None
        return next((s for s in self.steps if s.state is StepState.FAILED), None)

    @property
    def stranger(self) -> bool:
        """A step found that the credential is somebody else's."""
        return self.failed is not None and bool(self.failed.evidence.get(STRANGER))

    @property
    def fine(self) -> bool:
        """Nothing failed, and what came to its end left nothing uncovered: exit code 0."""
        if self.undo is not None and self.undo.state.works:
            return True
        if self.run is not None and self.run.state is RunState.FAILED:
            return False
        responded = self.ended and not self.undone
        return not responded or self.incident.state.over

    def words(self) -> str:
        """The fewest words that are true: the beginning of every headline."""
        if self.undone and self.incident.state is not IncidentState.CLOSED:
            return self._undo()
        match self.incident.state:
            case IncidentState.OPEN:
                return self._open()
            case IncidentState.CONTAINED:
                return self._contained()
            case IncidentState.PROVEN_DEAD:
                return "PROVEN DEAD"
            case IncidentState.CLOSED:
                if self.incident.proven_dead_at:
                    return "CLOSED"
                return f"CLOSED, {(self.disposition or 'not proven dead').upper()}"

    def truth(self, credential: str) -> str:
        """What is true of the credential while everything else waits; empty: nothing new."""
        if self.incident.state is IncidentState.CLOSED:
            return self._closed()
        if self.stranger:
            return (
                "It belongs to somebody else. Nothing was changed: it is theirs to revoke, and "
                "only they can say that it is dead."
            )
        if self.claim is not None:
            return self.claim.brief()
        if self.undone:
            return self._given_back(credential) if self.ended else ""
        return self._not_known()

    def _not_known(self) -> str:
        """Before anything is proven."""
        if self.incident.state is not IncidentState.OPEN:
            return ""
        if self.incident.containment_requested_at and self.current:
            return "The containing calls were answered, but no fresh look has shown a refusal yet."
        if self._opened:
            return "It may work for whoever has it."
        return "Nobody has tried it. It may work for whoever has it."

    def _given_back(self, credential: str) -> str:
        by = self.run.requester if self.run else "somebody"
        return f"Undone by {by}; the {credential} works for whoever has it."

    def _closed(self) -> str:
        if self.incident.proven_dead_at:
            brief = f"{self.claim.brief()} " if self.claim else ""
            return f"{brief}Over: a new sighting opens it again."
        if self.disposition:
            return f"Closed by a person's word: {self.disposition}. A new sighting opens it again."
        return "Closed by a person's word although nothing proves that the credential is dead."

    def _undo(self) -> str:
        if self.ended:
            return "LIVE AGAIN"
        stopped = self.run is not None and self.run.state.over
        return "CONTAINMENT HALF TAKEN BACK" if stopped else "TAKING CONTAINMENT BACK"

    def _open(self) -> str:
        if self.stranger:
            return "NOT OURS"
        if self.claim is not None and self.ended:
            return self.claim.headline()
        asked = self.incident.containment_requested_at is not None
        if self.incident.regressions and not asked:
            return "SEEN AGAIN"
        if asked and self.run is not None and self.run.state.over:
            return "NOT PROVEN CONTAINED"
        return "CONTAINING" if asked else self._known()

    def _known(self) -> str:
        """What is known before anything that contains was answered."""
        if self._seen_alive:
            return "LIVE"
        return "MAY BE LIVE" if self._opened else "UNTRIED"

    @property
    def _seen_alive(self) -> bool:
        """Whether the credential was tried in this run, and worked."""
        said = {("works", "yes"), ("validity", Validity.LIVE.value)}
        claimed = self.claim is not None and self.claim.validity is Validity.LIVE
        return claimed or any(said & set(_texts(step)) for step in self.steps)

    @property
    def _opened(self) -> bool:
        """Whether a step has opened the secret, as all do that try it: to contain, or to prove."""
        return any(step.opened and step.phase in _TRIES for step in self.steps)

    def _contained(self) -> str:
        """Refused, but not for good; or dead for good, but with something left that is not."""
        claim = self.claim
        if claim is not None and self.ended and not claim.proven:
            return claim.headline()
        if claim is not None and claim.alive:
            return f"CONTAINED, {len(claim.alive)} BORN FROM IT ALIVE"
        return "CONTAINED"

    def tone(self, *, waiting: bool) -> Tone:
        """How that should feel; ``waiting``: a person is asked, or was and did not answer."""
        state = self.incident.state
        if state is IncidentState.CLOSED:
            return Tone.SAFE if self.incident.proven_dead_at else Tone.WAITING
        if self.failed:
            return Tone.WAITING if self.stranger else Tone.FAILED
        if self.undone or (self.claim is not None and self.claim.alive):
            return Tone.ALARM
        if state.over:
            return Tone.SAFE
        calm = state is IncidentState.CONTAINED
        halted = self.run is not None and not self.run.state.works and not self.ended
        if waiting or (calm and halted):
            return Tone.WAITING
        return Tone.SAFE if calm else Tone.ALARM


def _texts(step: StepRun) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in step.outputs.items() if isinstance(value, str))
