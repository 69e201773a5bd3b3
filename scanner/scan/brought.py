"""What a scan has brought, as plain values that a store can keep, and back again.

No value of a credential is in it. A finding comes back equal; of what was skipped there is one
entry for each reason with its first examples, which is all that a report tells of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args, get_type_hints

import msgspec

from stanch.scanner.model import provenance
from stanch.scanner.model.finding import Finding, Match
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import Record, field_names, fresh
from stanch.scanner.model.summary import ScanSummary
from stanch.scanner.scan.batch import Tally
from stanch.scanner.scan.stage import Results, Scan, Stage

_EXAMPLES = 3  # paths that are told for a reason (stanch.scanner.reports.note)
_MOST = 10_000  # gaps that are kept one by one
_PLACES = {kind.__name__: kind for kind in get_args(provenance.Provenance)}
_hints = get_type_hints(Finding)
#: All of a finding but its place, whose kinds msgspec cannot tell apart.
_Found = msgspec.defstruct(
    "_Found", [(name, _hints[name]) for name in field_names(Finding) if name != "provenance"]
)


class Skipped(Record):
    """Gaps of one kind: what was not read, why, and how often."""

    why: str
    incomplete: bool
    count: int
    paths: tuple[str, ...]


class Brought(Record, frozen=False):
    """The findings and gaps of one unit, in order, and what was read of it."""

    findings: list[Finding] = fresh(list)
    skipped: dict[tuple[bool, str], Skipped] = fresh(dict)
    summary: ScanSummary = fresh(ScanSummary)

    def add(self, result: Match | Gap) -> None:
        """Take note of a result. Of a match the values are left behind."""
        if isinstance(result, Match):
            self.findings.append(result.finding)
            return
        kind = result.incomplete, result.why
        most = _MOST if result.incomplete else _EXAMPLES
        known = self.skipped.get(kind)
        paths = known.paths if known else ()
        self.skipped[kind] = Skipped(
            why=result.why,
            incomplete=result.incomplete,
            count=1 + (known.count if known else 0),
            paths=(*paths, result.path) if len(paths) < most else paths,
        )

    def as_json(self) -> dict[str, Any]:
        """What :meth:`read` takes."""
        return {
            "findings": [_written(each) for each in self.findings],
            "skipped": msgspec.to_builtins(list(self.skipped.values())),
            "summary": msgspec.to_builtins(self.summary),
        }

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Brought:
        """What was brought, as it was written down."""
        skipped = msgspec.convert(data["skipped"], list[Skipped])
        return cls(
            findings=[_read(each) for each in data["findings"]],
            skipped={(each.incomplete, each.why): each for each in skipped},
            summary=msgspec.convert(data["summary"], ScanSummary),
        )


def replayed(brought: Callable[[], Iterable[Brought]]) -> Scan:
    """A scan that yields what others have read, as it arrives."""

    @contextmanager
    def start() -> Iterator[Results]:
        yield (result for each in brought() for result in _again(each))

    return Scan(_stages=(Stage(open=start, blobs=False),), _clock=time.monotonic)


def _again(brought: Brought) -> Results:
    for finding in brought.findings:
        yield Match(finding=finding, parts={})
    for each in brought.skipped.values():
        paths = (*each.paths, *each.paths[-1:] * (each.count - len(each.paths)))
        for path in paths:
            yield Gap(path=path, why=each.why, incomplete=each.incomplete)
    read = brought.summary
    yield Tally(contents=read.files, size=read.size, blobs=False)
    if read.git:
        yield Tally(contents=read.blobs, size=0, blobs=True)


def _written(finding: Finding) -> dict[str, object]:
    place = finding.provenance
    said: dict[str, object] = msgspec.to_builtins(
        {name: getattr(finding, name) for name in field_names(Finding) if name != "provenance"}
    )
    kept = {name: getattr(place, name) for name in field_names(type(place))}
    return said | {"provenance": [type(place).__name__, msgspec.to_builtins(kept)]}


def _read(data: Mapping[str, Any]) -> Finding:
    kind, place = data["provenance"]
    found = msgspec.convert({k: v for k, v in data.items() if k != "provenance"}, _Found)
    fields = msgspec.structs.asdict(found)
    return Finding(**fields, provenance=msgspec.convert(place, _PLACES[kind]))
