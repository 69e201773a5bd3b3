"""What follows from the facts: residual risk, open questions, action items, prompts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from stanch.responder.domain.approval import Decision
from stanch.responder.domain.claim import Claim
from stanch.responder.domain.copy import Copy, Reach
from stanch.responder.domain.ids import label
from stanch.responder.domain.incident import Exposure, Incident
from stanch.responder.domain.run import Run, RunKind, StepRun, StepState
from stanch.responder.postmortem.report import (
    ActionItem,
    ActionKind,
    Activity,
    Clock,
    Consent,
    Window,
)
from stanch.responder.postmortem.text import clean, plural, span

_LATE_DETECTION = timedelta(hours=1)
_SLOW_APPROVAL = timedelta(minutes=5)
#: An image of Amazon's registry, whose images can be archived one by one.
_ECR = re.compile(
    r"(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.[a-z.]+/([a-z0-9._/-]+)(:[\w.-]+|@sha256:[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the advice is drawn from; ``runs`` are those of the current round."""

    incident: Incident
    exposures: tuple[Exposure, ...]
    runs: tuple[tuple[Run, tuple[StepRun, ...]], ...]
    window: Window
    clocks: tuple[Clock, ...]
    activity: Activity | None
    consents: tuple[Consent, ...]
    claim: Claim | None = None  # what is proven now
    owners: Mapping[str, str] = field(default_factory=dict)  # by action id
    copies: tuple[Copy, ...] = ()  # what became of those that somebody keeps

    @property
    def in_history(self) -> tuple[Exposure, ...]:
        """The copies that stand in git history."""
        return tuple(copy for copy in self.exposures if copy.commit)

    @property
    def in_images(self) -> tuple[str, ...]:
        """The images that hold a copy which can be pulled, as far as is known."""
        held = (c for c in self.exposures if c.source == "image" and self.readable(c))
        return tuple(sorted({clean(c.root, 120) for c in held}))

    @property
    def label(self) -> str:
        """The incident, as commands take it."""
        return label(self.incident.id)

    def readable(self, seen: Exposure) -> bool:
        """Whether nothing shows that it was taken away wherever it is kept."""
        away = {copy.target for copy in self.copies if copy.reach is not Reach.OPEN}
        return not seen.copies or not away.issuperset(seen.copies)

    @property
    def failed(self) -> tuple[StepRun, ...]:
        """The steps that need a person: they failed, and no later run mended that."""
        last = {step.id: step for _, steps in self.runs for step in steps if step.state.over}
        return tuple(step for step in last.values() if step.state is StepState.FAILED)

    @property
    def mended(self) -> tuple[StepRun, ...]:
        """The steps that failed in one run and were done in a later one."""
        last = {step.id: step for _, steps in self.runs for step in steps if step.state.over}
        return tuple(
            step
            for _, steps in self.runs
            for step in steps
            if step.state is StepState.FAILED and last[step.id].state is StepState.DONE
        )

    @property
    def taken_back(self) -> bool:
        """True when the last thing that ran took the containment back."""
        return bool(self.runs) and self.runs[-1][0].kind is RunKind.UNDO


def residual(facts: Facts) -> Iterator[str]:
    """Risks that are known to remain."""
    if facts.incident.proven_dead_at is None:
        yield "The credential is not proven dead: it may still work somewhere."
    if facts.taken_back:
        yield "An undo ran last: what it took back may let the credential work again."
    if facts.in_history:
        roots = ", ".join(sorted({clean(copy.root, 60) for copy in facts.in_history}))
        yield (
            f"The credential stays readable in the git history of {roots}, and in every clone, "
            "fork and cache of it; only its death makes that harmless."
        )
    if facts.in_images:
        yield (
            f"The credential stays readable in {', '.join(facts.in_images)} and in every copy that "
            "was pulled, also where a later layer deletes the file."
        )
    yield from _kept(facts)
    activity = facts.activity
    if activity and activity.answered_late:
        calls = plural(activity.answered_late, "call")
        yield f"{calls} with the credential succeeded after containment was verified."
    for gap in facts.claim.uncovered if facts.claim else ():
        yield f"The proof does not cover {clean(str(gap), 240)}. {clean(gap.remedy, 160)}"
    if facts.claim is None and facts.activity and facts.activity.children:
        count = plural(len(facts.activity.children), "credential")
        yield f"{count} born from this one can outlive it; each needs its own proof of death."
    for step in facts.failed:
        why = clean(step.error or "no reason was recorded", 160)
        yield f"The step {clean(step.id, 60)} did not succeed: {why}"
    for step in facts.mended:
        why = clean(step.error or "no reason was recorded", 160)
        yield f"The step {clean(step.id, 60)} did not succeed at first, and did later: {why}"


def _kept(facts: Facts) -> Iterator[str]:
    """Of each copy that somebody keeps: that it can be read, or how it was seen to be away."""
    for copy in facts.copies:
        target, how = clean(copy.target, 200), clean(copy.how, 400)
        said = f": {how}" if how else ""
        if copy.reach is Reach.OPEN:
            yield f"The credential can be read in {target}{said}."
        else:
            yield f"{target} is {copy.reach}{said}. Whoever fetched it before still has it."
    if any(c.reach is Reach.GONE and c.target.startswith("log:") for c in facts.copies):
        yield f"What was sealed of deleted logs can be read masked: stanch logs {facts.label}"


def unknown(facts: Facts) -> Iterator[str]:
    """What the record cannot answer."""
    if facts.window.at_least:
        yield "When the first copy appeared: the exposure window is a lower bound."
    if facts.in_history:
        yield (
            "When the commit was pushed: the window counts from the time written in the commit, "
            "which its author's clock set."
        )
    yield "Who read the copies: a read of a repository or a file leaves no trace here."
    activity = facts.activity
    if activity is None:
        yield "Whether anybody used the credential: no audit trail has been read yet."
    else:
        yield (
            "Which calls were a consumer's and which an attacker's: the trail names addresses and "
            "agents, and both can be borrowed."
        )
        yield (
            "Calls the trail does not keep: reads and writes of data unless data events are "
            "recorded, other accounts, and whatever was not delivered yet when it was read."
        )
        if not activity.complete:
            yield (
                f"The rest of the calls: {len(activity.uses)} of {activity.count} are listed here."
            )
    if facts.incident.regressions:
        yield (
            "What happened between the rounds: the credential was declared dead and then seen "
            "again; the clocks here count from the last sighting."
        )


def actions(facts: Facts, more: Iterable[Draft] = ()) -> tuple[ActionItem, ...]:
    """The action items, prevent first; ``more`` are the provider's own."""
    drafts = [*_prevent(facts), *_detect(facts), *_mitigate(facts)]
    order = list(ActionKind)
    found = sorted([*drafts, *more], key=lambda draft: order.index(draft[1]))
    return tuple(
        ActionItem(id=name, kind=kind, what=what, because=why, owner=facts.owners.get(name))
        for name, kind, what, why in found
    )


Draft = tuple[str, ActionKind, str, str]


def _prevent(facts: Facts) -> Iterator[Draft]:
    incident = facts.incident
    if facts.in_history:
        yield (
            "commit-hook",
            ActionKind.PREVENT,
            "Install the commit hook (or push protection) where the copies were committed",
            f"{_copies(len(facts.in_history))} reached git history without being stopped",
        )
    if incident.regressions:
        yield (
            "find-the-source",
            ActionKind.PREVENT,
            "Find where the credential came back from and remove that copy",
            f"it was seen again {plural(incident.regressions, 'time')} after it was declared dead",
        )


def _copies(count: int) -> str:
    return "one copy" if count == 1 else f"{count} copies"


def _detect(facts: Facts) -> Iterator[Draft]:
    lag = facts.incident.detected_at - facts.window.opened_at
    if lag > _LATE_DETECTION:
        yield (
            "scan-pushes",
            ActionKind.DETECT,
            "Scan every push as it arrives",
            f"the first known copy was {span(lag)} old when it was detected",
        )
    if facts.activity is None:
        yield (
            "read-the-trail",
            ActionKind.DETECT,
            "Read the audit trail of the credential, and make it readable to the responder",
            "nothing is known about its use",
        )
    elif facts.activity.count:
        yield (
            "data-events",
            ActionKind.DETECT,
            "Record data events for what the credential could read",
            "the trail shows management calls alone, so touched data is unknown",
        )


def _out_of_reach(images: tuple[str, ...]) -> str:
    """How: where a registry can switch one image off, that can be taken back."""
    found = next(filter(None, map(_ECR.search, images)), None)
    if found is None:
        return "delete its tags and its manifest in the registry"
    account, region, name, version = found.groups()
    named = f"imageTag={version[1:]}" if version[0] == ":" else f"imageDigest={version[1:]}"
    return (
        f"aws ecr update-image-storage-class --region {region} --registry-id {account} "
        f"--repository-name {name} --image-id {named} --target-storage-class ARCHIVE "
        "(STANDARD takes it back; it is kept, and paid for, 90 days at least)"
    )


def _mitigate(facts: Facts) -> Iterator[Draft]:
    if facts.in_history:
        yield (
            "clean-history",
            ActionKind.MITIGATE,
            "Rewrite the history of the repository, or record that it may stay once it is dead",
            "the copies outlive this incident, and every scan will meet them again",
        )
    if facts.in_images:
        yield (
            "archive-images",
            ActionKind.MITIGATE,
            (
                f"Take {', '.join(facts.in_images)} out of reach and build it without the layer: "
                f"{_out_of_reach(facts.in_images)}"
            ),
            (
                "whoever may pull it can read the layer; what was pulled already stays, and so do "
                "other images with that layer"
            ),
        )
    for copy in facts.exposures:
        if not copy.commit and copy.source != "image" and facts.readable(copy):
            yield (
                "remove-copies",
                ActionKind.MITIGATE,
                f"Remove the copy in {clean(copy.path, 100)}",
                "it is outside git history and nobody has removed it yet as far as is recorded",
            )
            break  # the inventory lists the others
    children = facts.activity.children if facts.activity else ()
    if children:
        yield (
            "review-children",
            ActionKind.MITIGATE,
            "Review what was done with the credentials born from this one",
            f"{len(children)} appear in the trail",
        )
    yield from _finish(facts)
    yield from _silence(facts)


def _finish(facts: Facts) -> Iterator[Draft]:
    """What the response itself left open or late."""
    for step in facts.failed:
        remedy = clean(step.remedy or f"see why the step {step.id} failed", 200)
        name = clean(step.id, 60)
        yield f"mend-{name}", ActionKind.MITIGATE, remedy, f"the step {name} failed"
    if facts.incident.proven_dead_at is None:
        what = "Bring the credential to proven dead"
        yield "prove-dead", ActionKind.MITIGATE, what, "it is not there yet"
    for clock in facts.clocks:
        if clock.met is False and clock.goal and clock.took:
            yield (
                f"clock-{clock.name.lower()}",
                ActionKind.MITIGATE,
                f"Find what held the clock “{clock.name.lower()}” up",
                f"it took {span(clock.took)}, the goal is {span(clock.goal)}",
            )


def _silence(facts: Facts) -> Iterator[Draft]:
    slow = [c for c in facts.consents if c.latency and c.latency > _SLOW_APPROVAL]
    silent = [c for c in facts.consents if c.decision == Decision.EXPIRED]
    if slow or silent:
        yield (
            "page-approvers",
            ActionKind.MITIGATE,
            "Page the approvers' group by a second way",
            f"{plural(len(slow) + len(silent), 'approval')} expired or took more than 5 minutes",
        )


PROMPTS = (
    "What went well that we would want again?",
    "Where were we lucky? What would have happened without that luck?",
    "How could detection have taken half the time?",
    "What did people have to guess, look up or do by hand?",
    "Who else depends on this credential, and how did they learn of it?",
    "Which of the open questions above is worth an answer, and who finds it?",
)
