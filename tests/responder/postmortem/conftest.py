"""One realistic case: an AWS key, three commits ago, contained, approved, proven dead."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stanch.responder.domain.approval import Approval, Decision
from stanch.responder.domain.claim import Claim, Validity
from stanch.responder.domain.ids import ApprovalId, IncidentId, RunId, SealedRef
from stanch.responder.domain.incident import Exposure, Incident, IncidentState
from stanch.responder.domain.json import JsonObject, canonical
from stanch.responder.domain.run import Run, RunKind, RunState, StepRun, StepState
from stanch.responder.domain.runbook import Phase
from stanch.responder.domain.step import Effect, StepSpec
from stanch.responder.domain.timeline import Entry, Event
from stanch.responder.postmortem.case import CaseFile
from stanch.responder.providers.aws.provider import AWS

DETECTED = datetime(2026, 3, 14, 9, 26, 53, 120_000, tzinfo=UTC)
INCIDENT = IncidentId(7)
RUN = RunId("01JPD0000000000000000RUN01")
PREVIEW = "AKIA…7Q2M"


def at(seconds: float) -> datetime:
    """That many seconds after detection."""
    return DETECTED + timedelta(seconds=seconds)


# id, uses, title, phase, effect, and seconds after detection: intended, acted, verified
_TABLE = """
snapshot|aws.iam.snapshot|Snapshot user|contain|read|0.2||0.5
disable-key|aws.iam.disable_access_key|Disable access key|contain|reversible|0.3|0.62|4.9
deny-sessions|aws.iam.deny_sessions|Deny older sessions|contain|reversible|0.3|0.71|5.4
prove-contained|aws.verify_refused|Prove key and session refused|contain|read|5.5||6.1
activity|aws.cloudtrail.activity|Read activity of the key|identify|read|6.2||9.8
replace|aws.iam.replace_access_key|Replace key in Secrets Manager|revoke|reversible|9.9|10.6|11.4
delete-key|aws.iam.delete_access_key|Delete access key|revoke|final|53.1|53.4|54.2
prove-dead|aws.verify_dead|Prove key and sessions dead|audit|read|54.3||58.6
"""


def _rows() -> tuple[tuple[str, str, str, str, str, float, float | None, float], ...]:
    rows = (line.split("|") for line in _TABLE.strip().splitlines())
    return tuple(
        (name, uses, title, phase, effect, float(t0), float(t1) if t1 else None, float(t2))
        for name, uses, title, phase, effect, t0, t1, t2 in rows
    )


STEPS = _rows()


def activity() -> JsonObject:
    """What the activity step puts out."""
    calls = (
        (-95_000.0, "sts:GetCallerIdentity", "198.51.100.23", "ok"),
        (-94_990.0, "iam:ListUsers", "198.51.100.23", "ok"),
        (-94_700.0, "s3:ListBuckets", "198.51.100.23", "ok"),
        (-4_000.0, "sts:GetSessionToken", "198.51.100.23", "ok"),
        (-60.0, "secretsmanager:ListSecrets", "203.0.113.9", "AccessDenied"),
        (12.0, "sts:GetCallerIdentity", "198.51.100.23", "InvalidClientTokenId"),
        (31.0, "s3:ListBuckets", "198.51.100.23", "InvalidClientTokenId"),
    )
    return {
        "count": len(calls),
        "first": at(calls[0][0]).isoformat(),
        "last": at(calls[-1][0]).isoformat(),
        "source_ips": ["198.51.100.23", "203.0.113.9"],
        "user_agents": ["aws-cli/2.31 Python/3.13", "Boto3/1.42"],
        "apis": {"sts:GetCallerIdentity": 2, "s3:ListBuckets": 2, "iam:ListUsers": 1},
        "denied": 3,
        "own": 4,
        "children": ["ASIA…K3WD by sts:GetSessionToken"],
        "events": [
            {"time": at(t).isoformat(), "api": api, "ip": ip, "outcome": outcome}
            for t, api, ip, outcome in calls
        ],
    }


def steps() -> tuple[StepRun, ...]:
    """The steps, all done."""
    return tuple(
        StepRun(
            run=RUN,
            id=name,
            position=position,
            phase=Phase(phase),
            uses=uses,
            template={},
            after=(),
            approval="security-final" if effect == "final" else None,
            state=StepState.DONE,
            intended_at=at(intended),
            acted_at=at(acted) if acted else None,
            finished_at=at(done),
            evidence={
                "status": "as wanted",
                "reads": 3,
                "request_id": f"r-{position:04d}",
                **({"claim": proven().as_json()} if name == "prove-dead" else {}),
            },
            outputs=activity() if name == "activity" else {},
        )
        for position, (name, uses, _, phase, effect, intended, acted, done) in enumerate(STEPS)
    )


def proven() -> Claim:
    """What the last proof says."""
    return Claim(
        what=f"access key {PREVIEW}",
        validity=Validity.DEAD,
        how="3 x rejected (InvalidClientTokenId)",
        covers=("sessions of the user ci-deployer issued before (3 x explicitly-denied)",),
        seen_at=at(58.6),
    )


def specs() -> dict[str, StepSpec]:
    """The declarations of those steps."""
    return {
        uses: StepSpec(
            name=uses,
            title=title,
            effect=Effect(effect),
            params=object,
            undo=f"{uses}.undo" if effect == "reversible" else None,
        )
        for _, uses, title, _, effect, *_ in STEPS
    }


def chained(events: Sequence[Event]) -> tuple[Entry, ...]:
    """Entries with real digests, numbered from 41 as if others had come before."""
    entries: list[Entry] = []
    previous = "0" * 64
    for seq, event in enumerate(events, start=41):
        body: JsonObject = {"seq": seq, "action": event.action, "prev": previous}
        digest = hashlib.sha256(canonical(body)).hexdigest()
        entries.append(Entry(seq=seq, event=event, previous=previous, digest=digest, mac=""))
        previous = digest
    return tuple(entries)


def events() -> list[Event]:
    """What the ledger holds about the incident, by time."""
    told: list[tuple[float, str, str, JsonObject]] = [
        (0, "cli:alice", "incident.opened", {"source": "git-history"}),
        (0.1, "system", "run.started", {"run": RUN, "runbook": "aws-access-key"}),
        (6.1, "system", "incident.contained", {}),
        (11.6, "system", "approval.asked", {"step": "delete-key", "policy": "security-final"}),
        (53.0, "slack:T1/U2", "approval.granted", {"step": "delete-key", "decision": "granted"}),
        (54.4, "system", "secret.opened", {"part": "secret_access_key", "purpose": "prove-dead"}),
        (58.6, "system", "incident.proven_dead", {}),
    ]
    for name, _, _, _, _, intended, acted, done in STEPS:
        detail = {"run": RUN, "step": name}
        if acted:  # a step that only looks leaves one entry, when it has seen
            told.append((intended, "system", "step.intended", detail))
            told.append((acted, "system", "step.acted", detail))
        told.append((done, "system", "step.verified", detail))
    told.sort(key=lambda row: row[0])
    return [
        Event(at=at(t), actor=actor, action=action, incident=INCIDENT, detail=detail)
        for t, actor, action, detail in told
    ]


def exposure(**changes: object) -> Exposure:
    """A copy in history, committed three days before detection."""
    plain = Exposure(
        source="git-history",
        path="deploy/env.sh",
        line=12,
        column=23,
        root="payments",
        commit="4f1d2c9a7b3e5d6f8091a2b3c4d5e6f708192a3b",
        author="dana@example.com",
        exposed_at=at(-275_000),
        found_at=DETECTED,
        rule="aws-access-key",
        reason="prefix, base32, paired secret",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]  # a test names real fields


def incident() -> Incident:
    """The leaked key, proven dead."""
    return Incident(
        id=INCIDENT,
        fingerprint="v1:9f3a11c2d4e5f60718293a4b5c6d7e8f",
        provider="aws",
        kind="access-key",
        preview=PREVIEW,
        severity="critical",
        state=IncidentState.PROVEN_DEAD,
        sealed=SealedRef("sealed:00"),
        root="payments",
        detected_at=DETECTED,
        containment_requested_at=at(0.62),
        containment_verified_at=at(6.1),
        proven_dead_at=at(58.6),
    )


def response() -> Run:
    """The one run, finished."""
    return Run(
        id=RUN,
        incident=INCIDENT,
        kind=RunKind.RESPOND,
        runbook="aws-access-key",
        runbook_version=1,
        state=RunState.DONE,
        requester="alice",
        started_at=at(0.1),
        finished_at=at(58.7),
    )


def consent() -> Approval:
    """Bob's word for the deletion."""
    return Approval(
        id=ApprovalId("ap-1"),
        incident=INCIDENT,
        run=RUN,
        step="delete-key",
        plan_hash=hashlib.sha256(b"plan").hexdigest(),
        policy="security-final",
        group="security",
        requester="alice",
        asked_at=at(11.6),
        expires_at=at(3611.6),
        decision=Decision.GRANTED,
        decided_by="bob",
        decided_at=at(53.0),
        via="slack",
        reason="consumers moved to the new version",
    )


@pytest.fixture
def case() -> CaseFile:
    """The whole story, finished."""
    entries = chained(events())
    return CaseFile(
        incident=incident(),
        exposures=(exposure(), exposure(path="ci/old.env", line=3, exposed_at=at(-271_400))),
        runs=((response(), steps()),),
        approvals=(consent(),),
        entries=entries,
        ledger_verdict="68 entries intact, no external anchor",
        noun="AWS access key",
        advice=AWS.advice,
        ledger_head=entries[-1].digest,
        specs=specs(),
    )


@pytest.fixture
def unfinished(case: CaseFile) -> CaseFile:
    """The same leak a few seconds after detection, with a step that failed."""
    run, rows = case.runs[0]
    begun = [replace(rows[1], state=StepState.FAILED, acted_at=None, finished_at=at(2), outputs={},
                     error="AccessDenied on iam:UpdateAccessKey",
                     remedy="grant iam:UpdateAccessKey to the responder's role")]  # fmt: skip
    waiting = [
        replace(row, state=StepState.PENDING, intended_at=None, acted_at=None, finished_at=None)
        for row in rows[2:]
    ]
    return replace(
        case,
        incident=replace(
            case.incident,
            state=IncidentState.OPEN,
            containment_verified_at=None,
            proven_dead_at=None,
        ),
        exposures=(exposure(commit=None, author=None, exposed_at=None, source="worktree"),),
        runs=((replace(run, state=RunState.FAILED), (rows[0], *begun, *waiting)),),
        approvals=(),
        entries=case.entries[:6],
    )


@pytest.fixture
def regressed(case: CaseFile) -> CaseFile:
    """Seen again an hour after it was proven dead; the second round has just begun."""
    back = exposure(path="notes.txt", line=1, commit=None, author=None, exposed_at=None,
                    found_at=at(3600), source="worktree")  # fmt: skip
    return replace(
        case,
        incident=case.incident.reopened(at(3600)),
        exposures=(*case.exposures, back),
    )


Hostile = Callable[[CaseFile, str], CaseFile]


@pytest.fixture
def hostile() -> Hostile:
    """Puts a text into every place that strangers can write to."""

    def poison(case: CaseFile, text: str) -> CaseFile:
        run, rows = case.runs[0]
        outputs = {
            **activity(),
            "source_ips": [text],
            "user_agents": [text],
            "apis": [text],
            "children": [text],
            "events": [{"time": at(-5).isoformat(), "api": text, "ip": text, "outcome": text}],
        }
        poisoned = tuple(
            replace(row, evidence={text: text}, error=text, remedy=text, outputs=outputs)
            for row in rows
        )
        written = [
            replace(e, event=replace(e.event, detail={"step": text, "why": text, "error": text}))
            for e in case.entries
        ]
        return replace(
            case,
            incident=replace(case.incident, root=text, severity=text),
            exposures=(
                exposure(path=text, root=text, author=text, commit=text, rule=text, reason=text),
            ),
            runs=((run, poisoned),),
            approvals=tuple(
                replace(a, reason=text, requester=text, decided_by=text, step=text, policy=text)
                for a in case.approvals
            ),
            entries=tuple(written),
            ledger_verdict=text,
            noun=text,
        )

    return poison
