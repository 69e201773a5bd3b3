"""A runbook as written: phases, steps and who must approve."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

ANYTHING = ("*", "*")
# Policies that hold for every run, whatever its runbook says of its steps.
UNDO = "undo-containment"  # before anything is taken back
BLAST = "blast-limit"  # before reports contain more in one account than is usual


class Phase(StrEnum):
    """The five phases, in order."""

    CONTAIN = "contain"
    IDENTIFY = "identify"
    REVOKE = "revoke"
    AUDIT = "audit"
    PREVENT = "prevent"


class Silence(StrEnum):
    """What happens when nobody decides before the approval expires."""

    HOLD = "hold"  # stay as we are, ask again when someone asks
    PROCEED = "proceed"  # silence is consent
    ABORT = "abort"  # leave the step out and end the run there


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """How many people must agree when these outputs of steps have these values, and why."""

    when: Mapping[str, str]  # "owner.protected" to "yes"
    count: int  # 0, 1 or 2
    reason: str


NO_MORE = "a person decides"  # the reason where there is none
_ONE = Need(when={}, count=1, reason=NO_MORE)
_TITLES = {UNDO: "Containment is taken back", BLAST: "More containments than usual"}
_PATIENCE = timedelta(hours=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who must approve, how many, how long they have, and what their silence means."""

    id: str
    title: str
    group: str
    expires: timedelta
    silence: Silence
    people: tuple[Need, ...] = ()

    def need(self, facts: Mapping[str, str]) -> Need:
        """How many people these facts want: the first line that fits; one when none does."""
        fits = (n for n in self.people if all(facts.get(k) == v for k, v in n.when.items()))
        return next(fits, _ONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunbookStep:
    """One line of a runbook. ``params`` may hold ``${step-id.output}`` references.

    ``after`` must have passed; ``within`` is waited for only so long. ``when`` decides whether the
    step is taken at all, ``each`` repeats it for every element of a list, ``wait`` delays it and
    ``timeout`` ends it.
    """

    id: str
    phase: Phase
    uses: str
    params: Mapping[str, str]
    after: tuple[str, ...]
    approval: str | None
    origin: str  # file:line
    within: Mapping[str, timedelta] = field(default_factory=dict)
    when: str | None = None
    each: str | None = None
    wait: timedelta | None = None
    timeout: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Runbook:
    """The whole answer to one kind of leak."""

    id: str
    version: int
    title: str
    answers: tuple[tuple[str, str], ...]  # provider and kind; ("*", "*"): whatever nobody answers
    steps: tuple[RunbookStep, ...]
    policies: Mapping[str, Policy]
    # The steps whose success moves the incident on.
    contained_by: str
    proven_dead_by: str
    timeout: timedelta | None = None  # of a whole run; waiting for people does not count

    def step(self, row: str) -> RunbookStep | None:
        """The line that a row of a run comes from; ``row`` may be one of many, ``step[item]``."""
        name = row.partition("[")[0]
        return next((step for step in self.steps if step.id == name), None)

    @property
    def containing(self) -> frozenset[str]:
        """The steps that containment needs: what its proof waits for, and all before that."""
        needed: set[str] = set()
        open_ = [self.contained_by]
        while open_:
            found = self.step(open_.pop())
            if found is not None and found.id not in needed:
                needed.add(found.id)
                open_.extend(found.after)
        return frozenset(needed)

    def policy(self, name: str) -> Policy:
        """The policy called so. Those of the house hold where the folder has no file for them."""
        if name in self.policies or name not in _TITLES:
            return self.policies[name]
        groups = sorted({policy.group for policy in self.policies.values()})
        return Policy(
            id=name,
            title=_TITLES[name],
            group=(groups or ["security"])[0],
            expires=_PATIENCE,
            silence=Silence.HOLD,
        )

    def handles(self, provider: str, kind: str) -> bool:
        """Whether it is written for this kind of credential."""
        return (provider, kind) in self.answers

    @property
    def catches_all(self) -> bool:
        """It answers what no other runbook does."""
        return ANYTHING in self.answers


def runbook_for(runbooks: Iterable[Runbook], provider: str, kind: str) -> Runbook | None:
    """The runbook that answers this kind of leak: one written for it before one for all."""
    known = tuple(runbooks)
    exact = (book for book in known if book.handles(provider, kind))
    return next(exact, next((book for book in known if book.catches_all), None))
