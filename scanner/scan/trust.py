"""What a scan believes: whose rules, accepted findings and settings count.

Whoever writes what is scanned can write a configuration, a baseline and a comment, too. ``tree``
takes them as they are, which is right for one's own; ``base`` takes those of the branch that a
change goes into, where somebody has let them in; ``none`` takes none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from stanch.scanner.detectors.ruleset.ruleset import (
    RuleSet,
    configured_rules,
    load_builtin,
    with_texts,
)
from stanch.scanner.local.settings import CONFIGURATIONS, ScanSettings, parse, scan_settings, table
from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.model.error import UsageError
from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.record import Record
from stanch.scanner.sources.git.discovery import enclosing
from stanch.scanner.suppression import BASELINE_NAME

if TYPE_CHECKING:  # most scans need neither git nor a baseline for this
    from stanch.scanner.sources.git.repository import Repository
    from stanch.scanner.suppression.baseline import Baseline

DEFAULT_BRANCHES = ("origin/HEAD", "origin/main", "origin/master", "main", "master")
"""Where changes usually go, in the order in which they are looked for."""

_LARGEST = 64 << 20  # bytes of a baseline
_LARGEST_FILE = 1 << 20  # bytes of a configuration or a rule file
_MOST_FILES = 1000


class Trust(StrEnum):
    """Whose configuration counts."""

    NONE = "none"
    BASE = "base"
    TREE = "tree"


class Standing(Record):
    """What counts for what is scanned. ``own`` says that its author's word counts as well."""

    rules: RuleSet
    min_confidence: Confidence | None = None
    baseline: Baseline | None = None
    allowlists: tuple[Allowlist, ...] = ()
    own: bool = False


def standing(trust: Trust, place: Path) -> Standing:
    """What counts around a place; of a tree its baseline is found by whoever needs it."""
    if trust is Trust.TREE:
        said = scan_settings(place)
        return Standing(
            rules=configured_rules(place),
            min_confidence=said.min_confidence,
            allowlists=said.allowlists,
            own=True,
        )
    if trust is Trust.NONE:
        return Standing(rules=load_builtin())
    layout = enclosing(place.resolve())
    if layout is None:
        raise UsageError(
            "--trust base needs a repository, and this is in none",
            remedy="use --trust tree for your own files, --trust none for anybody else's",
        )
    from stanch.scanner.sources.git.query import first_commit  # noqa: PLC0415  # see above
    from stanch.scanner.sources.git.repository import opened  # noqa: PLC0415  # as above

    with opened(layout) as repository:
        commit = first_commit(repository, DEFAULT_BRANCHES)
        if commit is None:
            raise UsageError(
                "--trust base: no default branch was found",
                remedy="fetch it (git fetch origin main), or use --trust none",
            )
        return of_commit(repository, commit)


def of_commit(
    repository: Repository, commit: str | None, *, beside: Sequence[tuple[str, bytes]] = ()
) -> Standing:
    """What a commit's own files say, of no commit nothing; ``beside`` are an operator's rules."""
    if commit is None:
        return Standing(rules=with_texts(beside))
    from stanch.scanner.sources.git.query import content  # noqa: PLC0415  # see above

    said = _settings(repository, commit)
    texts = [*beside, *_rule_texts(repository, commit, said)]
    data = content(repository, commit, BASELINE_NAME, most=_LARGEST)
    return Standing(
        rules=with_texts(texts),
        min_confidence=said.min_confidence,
        baseline=None if data is None else _baseline(data, commit),
        allowlists=said.allowlists,
    )


def _settings(repository: Repository, commit: str) -> ScanSettings:
    from stanch.scanner.sources.git.query import content  # noqa: PLC0415  # see above

    for name, keys in CONFIGURATIONS:
        data = content(repository, commit, name, most=_LARGEST_FILE)
        shown = Path(f"{name} of {commit[:12]}")
        found = None if data is None else table(data, shown, keys)
        if found is not None:
            return parse(found, shown, files=False)
    return ScanSettings()


def _rule_texts(
    repository: Repository, commit: str, said: ScanSettings
) -> Iterator[tuple[str, bytes]]:
    """The rule files that a commit's configuration names, from the same commit."""
    from stanch.scanner.sources.git.query import content, files_in  # noqa: PLC0415  # see above

    read = 0
    for each in said.rules:
        path = _within(each)
        data = content(repository, commit, path, most=_LARGEST_FILE)
        found = [(path, data)] if data is not None else []
        if data is None:
            names = sorted(n for n in files_in(repository, commit, path) if n.endswith(".yaml"))
            for name in names[:_MOST_FILES]:
                below = content(repository, commit, f"{path}/{name}", most=_LARGEST_FILE)
                found += [(name, below)] if below is not None else []
        if not found:
            raise UsageError(
                f"there are no rules at {path} in {commit[:12]}",
                remedy="name a YAML file or a folder of the repository in [scan] rules",
            )
        read += len(found)
        if read > _MOST_FILES:
            raise UsageError(
                f"more than {_MOST_FILES:,} rule files in {commit[:12]}",
                remedy="name the files that you need in [scan] rules",
            )
        yield from found


def _within(path: Path) -> str:
    """The path as git writes it, which leads out of no repository."""
    pure = PurePosixPath(path)
    parts = [part for part in pure.parts if part != "."]
    if pure.is_absolute() or ".." in parts or "\n" in str(pure) or not parts:
        raise UsageError(
            "[scan] rules of the target branch leads out of the repository",
            remedy="name files of the repository by paths that begin at its root",
        )
    return "/".join(parts)


def _baseline(data: bytes, commit: str) -> Baseline:
    from stanch.scanner.suppression.baseline import Baseline  # noqa: PLC0415  # see above

    return Baseline.parse(data, name=f"{BASELINE_NAME} of {commit[:12]}")
