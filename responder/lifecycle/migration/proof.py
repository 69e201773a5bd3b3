"""Whether what was written can be read as an application reads it, is right, and comes in time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from stanch.responder.lifecycle.migration.result import Line, Phase, Result, State
from stanch.responder.lifecycle.model.answer import Described, Stage
from stanch.responder.lifecycle.model.backend import Backend
from stanch.responder.lifecycle.model.error import SecretError, SecretUnavailable
from stanch.responder.lifecycle.model.metadata import read
from stanch.responder.lifecycle.model.reference import Reference
from stanch.responder.lifecycle.resolution.resolver import Resolved
from stanch.scanner.model.secret import SecretValue

SLO = timedelta(milliseconds=150)
"""Fetches are to take at most this, at the 95th percentile."""
READS = 40  # at least, all references together
_MOST = 400

Resolve = Callable[[Reference], Resolved]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prover:
    """``resolve`` reads as the application does; ``identity`` says as whom.

    ``reads``: how many are timed at least, all references together.
    """

    store: Backend
    resolve: Resolve
    identity: str
    fingerprint: Callable[[SecretValue], str]
    seconds: Callable[[], float]
    reads: int = READS

    def validate(self, wanted: Mapping[Reference, str]) -> Result:
        """Read each back, and compare keyed fingerprints."""
        lines, unknown = [], False
        for reference, fingerprint in wanted.items():
            try:
                given = self.resolve(reference)
            except SecretError as error:
                unknown = unknown or isinstance(error, SecretUnavailable)
                lines.append(_line(reference, "not given", str(error)))
                continue
            if self.fingerprint(given.value) != fingerprint:
                lines.append(_line(reference, "differs", "it is not the value that was moved"))
            elif given.source != self.store.name:
                lines.append(_line(reference, "elsewhere", f"it came from {given.source}"))
            else:
                lines.append(_line(reference, "same", "", version=given.version, bad=False))
        return _result(Phase.VALIDATE, lines, f"read back as {self.identity}", incomplete=unknown)

    def consistency(self, wanted: Mapping[Reference, str]) -> Result:
        """Metadata complete and of this place, one current version, nothing pending or deleted."""
        lines, unknown = [], False
        for reference in wanted:
            look = self.store.describe(reference)
            if not isinstance(look, Described):
                unknown = True
                lines.append(_line(reference, "not seen", look.why))
                continue
            why = _problem(reference, look)
            lines.append(_line(reference, "wrong" if why else "right", why, bad=bool(why)))
        return _result(Phase.CONSISTENCY, lines, f"right in {self.store.name}", incomplete=unknown)

    def performance(self, wanted: Sequence[Reference], slo: timedelta) -> Result:
        """Read them again and again, as an application that has no cache does."""
        rounds = max(1, math.ceil(self.reads / len(wanted))) if wanted else 0
        took: list[float] = []
        try:
            for reference in (list(wanted) * rounds)[:_MOST]:
                began = self.seconds()
                self.resolve(reference)
                took.append(self.seconds() - began)
        except SecretError as error:
            return Result(phase=Phase.PERFORMANCE, state=State.INCOMPLETE, summary=str(error))
        if not took:
            return Result(phase=Phase.PERFORMANCE, state=State.DONE, summary="nothing to read")
        took.sort()
        p50, p95 = quantile(took, 0.5), quantile(took, 0.95)
        missed = p95 > slo.total_seconds()
        summary = (
            f"{len(took)} reads: p50 {p50 * 1000:.1f} ms, p95 {p95 * 1000:.1f} ms, "
            f"{'above' if missed else 'within'} {slo.total_seconds() * 1000:.0f} ms"
        )
        return Result(
            phase=Phase.PERFORMANCE,
            state=State.FAILED if missed else State.DONE,
            summary=summary,
            measured={"reads": len(took), "p50": p50, "p95": p95, "worst": took[-1]},
        )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that this share of them does not exceed; ``ordered`` is not empty."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def _problem(reference: Reference, look: Described) -> str:
    if look.deleted_at is not None:
        return "it is being deleted"
    reading = read(look.tags)
    if reading.metadata is None:
        return f"its metadata is not complete: {reading.problem}"
    said = (reading.metadata.service, reading.metadata.environment)
    if said != (reference.service, reference.environment):
        return f"its metadata says {said[0]}/{said[1]}"
    current = [version for version, stages in look.versions.items() if Stage.CURRENT in stages]
    if len(current) != 1:
        return f"{len(current)} versions are current"
    if look.at(Stage.PENDING) not in {None, current[0]}:
        return "a version is still pending"
    return ""


def _line(
    reference: Reference, said: str, detail: str, *, version: str = "", bad: bool = True
) -> Line:
    return Line(
        name=reference.path,
        said=said,
        reference=str(reference),
        detail=detail,
        version=version,
        bad=bad,
    )


def _result(phase: Phase, lines: list[Line], what: str, *, incomplete: bool) -> Result:
    bad = sum(line.bad for line in lines)
    state = State.INCOMPLETE if incomplete else State.FAILED if bad else State.DONE
    summary = f"{len(lines) - bad} of {len(lines)} {what}"
    return Result(phase=phase, state=state, summary=summary, lines=tuple(lines))
