"""What the report claims about a case, finished or not."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.responder.domain.ids import IncidentId, SealedRef
from stanch.responder.domain.incident import Exposure, Incident, IncidentState
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.run import RunKind, StepState
from stanch.responder.domain.timeline import Entry, Event
from stanch.responder.postmortem.build import build
from stanch.responder.postmortem.case import CaseFile
from stanch.responder.postmortem.chart import chart
from stanch.responder.postmortem.render import html, markdown
from stanch.responder.postmortem.report import ActionKind, Lane, Tone
from stanch.responder.postmortem.svg import width
from stanch.responder.postmortem.text import clean, span

DETECTED = datetime(2026, 3, 14, 9, 26, 53, 120_000, tzinfo=UTC)
NOW = DETECTED + timedelta(minutes=2)
INSTANTS = st.datetimes(datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # bounds of an aware strategy are naive


def test_the_window_runs_from_the_first_copy_to_verified_containment(case: CaseFile) -> None:
    window = build(case, now=NOW).window
    assert window.opened_at == DETECTED - timedelta(seconds=275_000)
    assert window.closed_at == case.incident.containment_verified_at
    assert not window.at_least


def test_both_containment_clocks_count_from_detection(case: CaseFile) -> None:
    requested, verified, dead = build(case, now=NOW).clocks
    assert requested.took == timedelta(seconds=0.62)
    assert verified.took == timedelta(seconds=6.1)
    assert dead.took == timedelta(seconds=58.6)
    assert requested.met is True
    assert dead.met is None


def test_an_undated_copy_makes_the_window_a_lower_bound(case: CaseFile) -> None:
    copy = replace(case.exposures[0], path="elsewhere.txt", exposed_at=None, commit=None)
    assert build(replace(case, exposures=(*case.exposures, copy)), now=NOW).window.at_least


def test_a_file_whose_commit_is_known_leaves_the_window_exact(case: CaseFile) -> None:
    copy = replace(case.exposures[0], exposed_at=None, commit=None, source="worktree")
    assert not build(replace(case, exposures=(*case.exposures, copy)), now=NOW).window.at_least


def test_a_commit_from_before_git_or_from_the_future_is_not_believed(case: CaseFile) -> None:
    for year in (1, 1970, 2999):
        copy = replace(case.exposures[0], exposed_at=datetime(year, 1, 1, tzinfo=UTC))
        window = build(replace(case, exposures=(copy,)), now=NOW).window
        assert window.opened_at == DETECTED
        assert window.at_least


def test_milestones_point_to_the_ledger_entry_of_their_transaction(case: CaseFile) -> None:
    report = build(case, now=NOW)
    digests = {entry.seq: entry.digest for entry in case.entries}
    milestones = [moment for moment in report.moments if moment.milestone]
    assert len(milestones) == 4
    for moment in milestones:
        assert moment.evidence
        assert moment.evidence.seq
        assert moment.evidence.text.endswith(digests[moment.evidence.seq][:8])


def test_every_ledger_entry_appears(case: CaseFile) -> None:
    report = build(case, now=NOW)
    own = [m for m in report.moments if m.lane is not Lane.KEY_HOLDER and m.evidence]
    seqs = [m.evidence.seq for m in own if m.evidence and m.evidence.seq]
    assert sorted(set(seqs)) == [entry.seq for entry in case.entries]
    # The step whose answer completed the containment proves that milestone too.
    assert len(seqs) == len(case.entries) + 1
    assert report.moments_left_out == 0


def test_rows_are_in_order_of_time(case: CaseFile) -> None:
    times = [moment.at for moment in build(case, now=NOW).moments]
    assert times == sorted(times)


def test_no_person_is_named_in_the_narrative(case: CaseFile) -> None:
    report = build(case, now=NOW)
    told = " ".join(
        [report.summary, *(m.what for m in report.moments), *report.residual, *report.unknown,
         *(f"{a.what} {a.because}" for a in report.actions)]
    )  # fmt: skip
    for name in ("alice", "bob", "dana"):
        assert name not in told
    assert report.copies[0].author == "dana@example.com"
    assert report.consents[0].decided_by == "bob"


def test_an_unfinished_incident_says_what_is_missing(unfinished: CaseFile) -> None:
    report = build(unfinished, now=NOW)
    assert report.status == "Not proven contained"
    assert report.tone is Tone.ALARM
    assert report.window.closed_at is None
    assert report.window.lasted == timedelta(minutes=2)
    assert report.activity is None
    assert any("not proven dead" in risk for risk in report.residual)
    assert any("iam:UpdateAccessKey" in a.what for a in report.actions)


def test_an_incident_without_anything_but_detection_still_makes_a_report(case: CaseFile) -> None:
    bare = replace(case, exposures=(), runs=(), approvals=(), entries=(), ledger_head=None,
                   incident=replace(case.incident, state=IncidentState.OPEN,
                                    containment_requested_at=None,
                                    containment_verified_at=None, proven_dead_at=None))  # fmt: skip
    report = build(bare, now=DETECTED)
    assert report.status == "Untried"
    assert report.manifest.first_seq is None
    assert "Nothing has been done yet." in markdown(report)
    assert "Nothing has been done yet." in html(report)


def test_a_regression_counts_from_the_last_sighting(regressed: CaseFile) -> None:
    report = build(regressed, now=DETECTED + timedelta(seconds=3610))
    assert report.window.lasted == timedelta(seconds=10)
    assert report.passages[0].earlier
    assert report.current_acts == ()
    assert report.activity is None
    assert any("came back" in a.what for a in report.actions)
    assert any("rounds" in question for question in report.unknown)


def test_an_undo_turns_the_status_back_to_alarm(case: CaseFile) -> None:
    run, steps = case.runs[0]
    undo = replace(run, kind=RunKind.UNDO)
    asked = replace(case, runs=((run, steps), (undo, ())))  # and nobody has agreed yet
    assert build(asked, now=NOW).status == build(case, now=NOW).status
    undone = replace(case, runs=((run, steps), (undo, steps[:1])))
    report = build(undone, now=NOW)
    assert report.status == "Live again"
    assert report.tone is Tone.ALARM


def test_a_call_answered_after_containment_is_never_passed_over(case: CaseFile) -> None:
    run, steps = case.runs[0]
    late = {"time": (DETECTED + timedelta(seconds=20)).isoformat(), "api": "s3:ListBuckets",
            "ip": "203.0.113.9", "outcome": "ok"}  # fmt: skip
    read = [replace(s, outputs={"events": [late]}) if s.id == "activity" else s for s in steps]
    report = build(replace(case, runs=((run, tuple(read)),)), now=NOW)
    assert report.activity
    assert report.activity.answered_late == 1
    assert any("succeeded after containment" in risk for risk in report.residual)


def test_an_error_that_is_no_refusal_means_that_the_key_was_accepted(case: CaseFile) -> None:
    run, steps = case.runs[0]
    late: JsonObject = {"time": (DETECTED + timedelta(seconds=20)).isoformat(),
                        "api": "iam:GetUser", "ip": "203.0.113.9",
                        "outcome": "NoSuchEntity"}  # fmt: skip
    read = [
        replace(s, outputs={"events": [late], "own": 3}) if s.id == "activity" else s for s in steps
    ]
    activity = build(replace(case, runs=((run, tuple(read)),)), now=NOW).activity
    assert activity
    assert (activity.answered_late, activity.denied, activity.own) == (1, 0, 3)


def test_broken_activity_outputs_are_read_as_far_as_they_go(case: CaseFile) -> None:
    run, steps = case.runs[0]
    broken: JsonObject = {
        "count": "many",
        "first": "yesterday",
        "last": 1e300,
        "apis": 7,
        "source_ips": None,
        "events": ["x", {"time": "never"}, {"time": 1773480413}],
    }
    read = [replace(s, outputs=broken) if s.id == "activity" else s for s in steps]
    activity = build(replace(case, runs=((run, tuple(read)),)), now=NOW).activity
    assert activity
    assert activity.count == 1
    assert activity.uses[0].api == "unknown call"
    assert activity.last_at == activity.uses[0].at


def test_actions_are_typed_and_each_names_its_fact(case: CaseFile) -> None:
    report = build(case, now=NOW)
    assert {action.kind for action in report.actions} == set(ActionKind)
    assert all(action.because for action in report.actions)


def test_a_huge_case_stays_bounded_and_says_so(case: CaseFile) -> None:
    copies = tuple(replace(case.exposures[0], line=n) for n in range(5000))
    entries = tuple(replace(case.entries[3], seq=n) for n in range(1, 5001))
    report = build(replace(case, exposures=copies, entries=entries), now=NOW)
    assert report.copies_left_out == 4800
    assert report.moments_left_out > 4000
    assert report.manifest.records_left_out == 4000
    assert len(html(report)) < 2_000_000


def test_a_key_id_in_evidence_is_masked(case: CaseFile) -> None:
    whole = "AK" + "IA" + "QZ3VXW7NRT5MKD2P"
    run, steps = case.runs[0]
    loud = tuple(replace(s, evidence={"key": f"id={whole}."}) for s in steps)
    report = build(replace(case, runs=((run, loud),)), now=NOW)
    page = html(report) + markdown(report)
    assert whole not in page
    assert "…KD2P" in page


@given(INSTANTS, INSTANTS, INSTANTS, INSTANTS, INSTANTS)
def test_no_order_of_times_breaks_report_or_picture(
    exposed: datetime, detected: datetime, asked: datetime, dead: datetime, now: datetime
) -> None:
    case = CaseFile(
        incident=_incident(detected, asked, dead),
        exposures=(_exposure(exposed, detected),),
        runs=(),
        approvals=(),
        entries=(),
        ledger_verdict="not checked",
        ledger_head=None,
    )
    report = build(case, now=now)
    assert report.window.lasted >= timedelta(0)
    assert chart(report) == chart(build(case, now=now))
    assert "nan" not in chart(report)


@given(st.timedeltas())
def test_any_duration_has_a_short_name(took: timedelta) -> None:
    assert 3 <= len(span(took)) < 24


@given(st.text(max_size=2000))
def test_cleaned_text_is_one_bounded_printable_line(text: str) -> None:
    cleaned = clean(text, 80)
    assert all(char.isprintable() for char in cleaned)
    assert len(cleaned) <= 80 * 10 + 40
    cleaned.encode()


def _incident(detected: datetime, asked: datetime, dead: datetime) -> Incident:
    return Incident(
        id=IncidentId(1), fingerprint="v1:0", provider="aws", kind="access-key", preview="AKIA…",
        severity="critical", state=IncidentState.PROVEN_DEAD, sealed=SealedRef("sealed:00"),
        root="r", detected_at=detected, containment_requested_at=asked,
        containment_verified_at=asked, proven_dead_at=dead,
    )  # fmt: skip


def _exposure(exposed: datetime, found: datetime) -> Exposure:
    return Exposure(
        source="git-history", path="a", line=1, column=1, root="r", commit="c", author=None,
        exposed_at=exposed, found_at=found, rule="r", reason="r",
    )  # fmt: skip


def test_people_have_names_and_an_undo_is_called_one(case: CaseFile) -> None:
    said = [
        ("cli:alice", "run.started", {"run": "r2", "kind": "undo", "runbook": "aws-access-key"}),
        ("slack:bob", "approval.denied", {"step": "delete-key", "reason": "not yet"}),
        ("cli:alice", "approval.refused", {"step": "delete-key", "reason": "she asked for it"}),
    ]
    entries = tuple(
        Entry(
            seq=900 + number,
            event=Event(at=NOW, actor=actor, action=action, incident=IncidentId(7), detail=detail),
            previous="",
            digest="ab" * 32,
            mac="",
        )
        for number, (actor, action, detail) in enumerate(said)
    )
    told = build(replace(case, entries=(*case.entries, *entries)), now=NOW).moments
    rows = [(m.who, m.what) for m in told if m.evidence and (m.evidence.seq or 0) >= 900]
    assert rows[0] == ("alice", "Undo started: aws-access-key")
    assert rows[1][0] == "bob"
    assert rows[1][1].startswith("Refused (")
    assert rows[2][1].startswith("Attempt to decide, turned away by a rule (")


def test_a_step_that_a_later_run_mended_is_not_told_as_failed(case: CaseFile) -> None:
    run, steps = case.runs[0]
    failed = replace(steps[0], state=StepState.FAILED, error="denied", remedy="allow it")
    bumpy = replace(case, runs=((run, (failed, *steps[1:])), (run, steps)))
    residual = build(bumpy, now=NOW).residual
    assert f"The step {failed.id} did not succeed at first, and did later: denied" in residual
    assert not any(f"mend-{failed.id}" == item.id for item in build(bumpy, now=NOW).actions)
    still = replace(case, runs=((run, (failed, *steps[1:])),))
    assert f"The step {failed.id} did not succeed: denied" in build(still, now=NOW).residual


def test_labels_never_overlap_however_often_it_was_tried(case: CaseFile) -> None:
    picture = chart(build(replace(case, runs=case.runs * 4), now=NOW))
    labels = [
        (float(y), float(x), float(x) + width(words))
        for x, y, words in re.findall(
            r'<text class="label" x="([\d.]+)" y="([\d.]+)" text-anchor="start">([^<]*)<', picture
        )
    ]
    assert len(labels) > 30
    for (y, _, end), (other, start, _) in pairwise(sorted(labels)):
        assert y != other or start >= end - 1


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (
            "image:123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/app:1.4",
            "--repository-name team/app --image-id imageTag=1.4 --target-storage-class ARCHIVE",
        ),
        (f"image:registry.example/app@sha256:{'0' * 64}", "delete its tags and its manifest"),
    ],
)
def test_an_image_that_holds_a_copy_is_taken_out_of_reach(
    case: CaseFile, image: str, said: str
) -> None:
    copy = replace(case.exposures[0], source="image", root=image, commit=None, origin="sha256:0")
    report = build(replace(case, exposures=(*case.exposures, copy)), now=NOW)
    (action,) = (each for each in report.actions if each.id == "archive-images")
    assert said in action.what
    assert any("every copy that was pulled" in risk for risk in report.residual)
