"""What every report is made from, and what a renderer is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from shlex import quote
from types import MappingProxyType
from typing import Protocol

from stanch.scanner import __version__
from stanch.scanner.model.finding import Finding, Severity
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InImage
from stanch.scanner.model.record import Record
from stanch.scanner.model.rule import Rule
from stanch.scanner.reports.escape import escaped

TAKE_UP = "add .stanch-baseline .gitattributes"  # git's part of accepting
_NEVER = datetime.fromtimestamp(0, UTC)


class Waiving(Record):
    """How a finding that is no secret is accepted here.

    ``where`` says who may do it ("on main", empty on one's own machine), ``before`` and ``after``
    are the commands around ``stanch baseline add``. With ``commits`` a place is named with its
    commit, since it is not in the tree there. ``target`` is what was scanned, if it is not the
    folder that one stands in: places are named from there. ``many`` are targets by what the paths
    of their findings begin with, and ``baseline`` is the file that speaks of all of them.
    """

    where: str = ""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = (f"git {TAKE_UP}",)
    commits: bool = False
    program: str = "stanch"
    target: str = ""
    many: tuple[tuple[str, str], ...] = ()
    baseline: str = ""

    def commands(self, finding: Finding) -> tuple[str, ...]:
        """What to type, line by line."""
        return (*self.before, self.add(finding), *self.after)

    def add(self, finding: Finding) -> str:
        """The one command of them that names the finding."""
        name, target = self.home(finding)
        place = f"{_within(finding.path, name)}:{finding.span.line}"
        if self.commits and finding.commit:
            place = f"{finding.commit[:12]}:{place}"
        there = f" --target {quote(escaped(target))}" if target else ""
        there += f" --baseline {quote(escaped(self.baseline))}" if self.baseline else ""
        return (
            f"{self.program} baseline add {quote(escaped(place))}{there}"
            ' --reason "WHY" --expires 90d'
        )

    def home(self, finding: Finding) -> tuple[str, str]:
        """What the finding's path begins with, and the target that it is in when scanned alone."""
        if not self.many:
            return "", self.target
        provenance = finding.provenance
        if isinstance(provenance, InImage):
            return "", f"image:{provenance.image}"
        begins = [each for each in self.many if _begins(finding.path, each[0])]
        return max(begins, key=lambda each: len(each[0]), default=("", "TARGET"))


def _begins(path: str, name: str) -> bool:
    return path == name or path.startswith((f"{name}/", f"{name}!"))


def _within(path: str, name: str) -> str:
    """The path as it is when what has the name is scanned alone: a file keeps its own name."""
    if not name or path.startswith(f"{name}/"):
        return path.removeprefix(f"{name}/") if name else path
    return name.rpartition("/")[2] + path.removeprefix(name)


HERE = Waiving()
"""On the machine of whoever made the change."""


class Report(Record):
    """All that a report may tell. ``findings`` are what counts; instants are in UTC.

    ``rules`` are by id; a finding of a plug-in has none. ``waived`` findings were let through, each
    with the reason. ``scope`` says in words what was looked at.
    """

    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...] = ()
    rules: Mapping[str, Rule] = MappingProxyType({})
    waived: tuple[tuple[Finding, str], ...] = ()
    scope: str = ""
    began: datetime = _NEVER
    ended: datetime = _NEVER
    waiving: Waiving = HERE
    version: str = __version__

    @property
    def incomplete(self) -> tuple[Gap, ...]:
        """What should have been read and was not."""
        return tuple(gap for gap in self.gaps if gap.incomplete)

    @property
    def credentials(self) -> tuple[tuple[Finding, ...], ...]:
        """The findings by credential: the most severe first, then in the order they were found."""
        groups: dict[str, list[Finding]] = {}
        for finding in self.findings:
            groups.setdefault(finding.fingerprint, []).append(finding)
        rank = tuple(Severity).index
        ordered = sorted(groups.values(), key=lambda group: -rank(group[0].severity))
        return tuple(map(tuple, ordered))


class Renderer(Protocol):
    """Makes text of a report; the same report gives the same text."""

    def __call__(self, report: Report) -> str:
        """The whole text."""
        ...


def what(finding: Finding) -> str:
    """What was found, for people: the rule's title, or provider and kind."""
    return finding.title or f"{finding.provider} {finding.kind}"


def message(finding: Finding) -> str:
    """What was found, in one sentence without its value."""
    since = f", in commit {finding.commit[:12]}" if finding.commit else ""
    shown = f": {finding.excerpt}" if finding.excerpt else ""
    return escaped(
        f"{what(finding)} {finding.preview}{shown} "
        f"({finding.confidence} confidence: {finding.reason}{since})"
    )
