"""What is asked for and what is brought survive being written down, whatever they hold."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from stanch.scanner.api import (
    Brought,
    Commission,
    Confidence,
    Finding,
    Gap,
    Match,
    ScanRequest,
    ScanSummary,
    Severity,
    Span,
    UsageError,
    Waiver,
    WaiverSource,
    replayed,
)
from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.model.provenance import (
    InAgent,
    InCommit,
    InImage,
    InIndex,
    InLog,
    InStream,
    InTree,
    InWorktree,
    Provenance,
)
from stanch.scanner.reports import note
from tests.scanner.own_rule import OWN_RULE

ODD = "a\0b/\udcff/ü\u2028.txt"  # what file names can hold
PLACES = (
    InWorktree(path=ODD),
    InIndex(path="a"),
    InStream(path="<stdin>"),
    InTree(path="a", commit="c" * 40, link="https://h/a#L1"),
    InCommit(
        path="a",
        commit="c" * 40,
        author="A <a@example.com>",
        committed_at=datetime(2024, 2, 3, 4, 5, 6, 7, tzinfo=UTC),
        in_head=False,
    ),
    InImage(path="etc/x", image="r/a:1", manifest="sha256:1", platform="linux/amd64", base=True),
    InLog(path="job", provider="github", run="1", attempt=2, step="build"),
    InAgent(path="a", assistant="b", keeps="c"),
)


def finding(place: Provenance) -> Finding:
    return Finding(
        rule="r",
        provider="p",
        kind="k",
        provenance=place,
        span=Span(line=1, column=2, end_line=3, end_column=4, wide=(1, 2)),
        fingerprint="v1:0",
        preview="ab…yz",
        severity=Severity.HIGH,
        confidence=Confidence.MEDIUM,
        reason="shape",
        also=(Span(line=5, column=6, end_line=7, end_column=8),),
        until=1.5,
        waiver=Waiver(
            source=WaiverSource.BASELINE, reason="ok", entry="e", expires=date(2030, 1, 2)
        ),
        title="t",
        excerpt="x = ••",
        within="data.key",
    )


def kept(brought: Brought) -> Brought:
    return Brought.read(json.loads(json.dumps(brought.as_json())))


@pytest.mark.parametrize("place", PLACES, ids=lambda place: type(place).__name__)
def test_a_finding_comes_back_equal_wherever_it_was(place: Provenance) -> None:
    brought = Brought()
    brought.add(Match(finding=finding(place), parts={}))
    assert kept(brought).findings == [finding(place)]


def test_gaps_tell_the_same_after_they_were_kept() -> None:
    gaps = [Gap(path=f"{n}.bin", why="binary", incomplete=False) for n in range(70)]
    gaps += [Gap(path=f"{n}", why="broken", incomplete=True) for n in range(5)]
    told, kept_ones, brought = note.Gaps(), note.Gaps(), Brought()
    for gap in gaps:
        told.add(gap)
        brought.add(gap)
    brought.summary = ScanSummary(files=70, blobs=2, size=9, git=True, incomplete=5)
    scan = replayed(lambda: [kept(brought)])
    for result in scan:
        assert isinstance(result, Gap)
        kept_ones.add(result)
    assert list(kept_ones.lines()) == list(told.lines())
    assert kept_ones.incomplete == told.incomplete
    summary = scan.summary
    assert (summary.files, summary.blobs, summary.size, summary.git) == (70, 2, 9, True)
    assert (summary.skipped, summary.incomplete, summary.complete) == (70, 5, False)


def test_a_commission_holds_the_rules_allowlists_and_baseline_that_stand_beside_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "own.yaml").write_text(OWN_RULE)
    (tmp_path / "stanch.toml").write_text(
        '[scan]\nrules = ["own.yaml"]\n[[scan.allowlists]]\npaths = ["vendor/*"]\n'
        'reason = "third-party code"\nexpires = 2030-01-02\n'
    )
    baseline = '{"type":"stanch-baseline","version":1,"kdf":"argon2id","salt":"x"}\n'
    excluded = Allowlist(reason="--exclude", paths=("a",))
    request = ScanRequest(
        targets=("org.toml",), exclude=(excluded,), since=date(2026, 1, 1), branches=("main",)
    )
    asked = Commission.of(request, tmp_path, today=date(2026, 2, 3))
    assert Commission.read(json.loads(json.dumps(asked.as_json()))) == asked
    assert asked.rules == (("own.yaml", OWN_RULE.encode()),)
    assert [each.reason for each in asked.allowlists] == ["--exclude", "third-party code"]
    assert asked.selection is not None
    (tmp_path / ".stanch-baseline").write_text(baseline)
    with pytest.raises(UsageError, match="stanch-baseline"):  # refused here, not on some worker
        Commission.of(request, tmp_path, today=date(2026, 2, 3))
