"""What a scan has read and what it has not, in words for standard error."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stanch.scanner.model.finding import Finding
from stanch.scanner.model.fragment import Gap
from stanch.scanner.reports.escape import escaped

_EXAMPLES = 3
_MOST = 10_000


class Gaps:
    """Counts gaps by reason, with a few examples, in memory that stays small."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[bool, str], tuple[int, list[str]]] = {}
        self._incomplete: list[Gap] = []

    def add(self, gap: Gap) -> None:
        """Take note of one gap."""
        count, examples = self._kinds.get((gap.incomplete, gap.why), (0, []))
        if len(examples) < _EXAMPLES:
            examples.append(gap.path)
        self._kinds[gap.incomplete, gap.why] = count + 1, examples
        if gap.incomplete and len(self._incomplete) < _MOST:
            self._incomplete.append(gap)

    @property
    def incomplete(self) -> tuple[Gap, ...]:
        """What should have been read and was not: the first of them, for a report."""
        return tuple(self._incomplete)

    def lines(self) -> Iterator[str]:
        """One line for each reason; what makes the scan incomplete comes first."""
        for (incomplete, why), (count, examples) in sorted(
            self._kinds.items(), key=lambda kind: (not kind[0][0], kind[0][1])
        ):
            word = "incomplete" if incomplete else "skipped"
            more = f", +{count - len(examples)} more" if count > len(examples) else ""
            named = ", ".join(map(escaped, examples))
            yield f"{word}: {count} x {escaped(why)} ({named}{more})"


def waiver(finding: Finding) -> str | None:
    """Why a finding is hidden, or why what should hide it does not; None without a waiver."""
    given = finding.waiver
    if given is None:
        return None
    where = f"{escaped(finding.path)}:{finding.span.line} {escaped(finding.rule)}"
    if given.void is not None:
        return f"not suppressed: {where}: {escaped(given.void)}"
    return f"suppressed: {where}: {escaped(given.reason)} ({given.source.value})"


def summary(
    findings: Iterable[Finding],
    *,
    contents: str,
    size: int,
    seconds: float,
    hidden: int = 0,
) -> str:
    """The closing line: credentials, places, what is hidden, what was read, how long it took."""
    fingerprints = [finding.fingerprint for finding in findings]
    return (
        f"{_counted(len(set(fingerprints)), 'credential')} in "
        f"{_counted(len(fingerprints), 'place')} · "
        + (f"{_counted(hidden, 'place')} suppressed · " if hidden else "")
        + f"{contents} · "
        f"{size / 1e6:.1f} MB · {seconds:.2f} s"
    )


def contents(files: int, blobs: int, *, git: bool) -> str:
    """What was read, e.g. ``12 files + 3 git blobs``; earlier scans have read the rest of git."""
    read = _counted(files, "file")
    if not git:
        return read
    return f"{read} + {_counted(blobs, 'git blob') if blobs else 'nothing new in git'}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
