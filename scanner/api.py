"""The one door to the scanner for everybody else.

key = load_fingerprint_key(None, data_directory(os.environ))
scan = Scanner(key=key).scan_path(Path("."))
for result in scan:            # streams; the same input gives the same order
    match result:
        case Match(): ...      # result.finding, and result.parts for the vault
        case Gap(): ...        # something was left out; `incomplete` ones spoil the scan
scan.summary                   # what was read, once the loop is over
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from stanch.scanner.batch import Tally
from stanch.scanner.config import configured_rules
from stanch.scanner.detectors.ruleset import load_builtin
from stanch.scanner.keyfile import data_directory, load_fingerprint_key
from stanch.scanner.model.error import RuleError, ScannerError, SourceError, UsageError
from stanch.scanner.model.finding import Confidence, Finding, Match, Severity, Span
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InCommit, InIndex, InStream, InWorktree, Provenance
from stanch.scanner.model.record import Record, fresh, replace
from stanch.scanner.model.rule import Rule, RuleClass
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.model.summary import ScanSummary
from stanch.scanner.model.waiver import Waiver, WaiverSource
from stanch.scanner.reports.progress import Reached
from stanch.scanner.shard import run
from stanch.scanner.sources.layout import Layout, enclosing
from stanch.scanner.sources.source import Milestone
from stanch.scanner.sources.stream import Stream
from stanch.scanner.sources.worktree import Worktree
from stanch.scanner.state import State
from stanch.scanner.verdict import JudgingEngine

if TYPE_CHECKING:
    from stanch.scanner.detectors.detect_secrets import PluginDetector
    from stanch.scanner.detectors.prefilter import Prefilter
    from stanch.scanner.frontier import Frontier
    from stanch.scanner.suppression.judge import Suppressor

__all__ = [
    "Confidence",
    "Finding",
    "FingerprintKey",
    "Fragment",
    "Gap",
    "InCommit",
    "InIndex",
    "InStream",
    "InWorktree",
    "Match",
    "Provenance",
    "Rule",
    "RuleClass",
    "RuleError",
    "Scan",
    "ScanSummary",
    "Scanner",
    "ScannerError",
    "SecretValue",
    "Severity",
    "SourceError",
    "Span",
    "State",
    "UsageError",
    "Waiver",
    "WaiverSource",
    "builtin_rules",
    "configured_rules",
    "data_directory",
    "load_fingerprint_key",
]

builtin_rules = load_builtin

_NOW_AND_THEN = 0.1  # seconds: more often nobody can read how far a scan is


class Scan(Record, frozen=False):
    """A scan under way: iterate once. ``summary`` grows meanwhile and is final at the end."""

    _stages: tuple[Stage, ...]
    _clock: Callable[[], float]
    summary: ScanSummary = fresh(ScanSummary)
    tell: Callable[[Reached], None] | None = None  # called now and then

    def __iter__(self) -> Iterator[Match | Gap]:
        """Matches and gaps: the working tree first, then staged content, then history."""
        began = told = self._clock()
        for stage in self._stages:
            share: float | None = None
            with stage.open() as results:
                for result in results:
                    if isinstance(result, Milestone):
                        share = result.done / result.of if result.of else None
                        continue
                    self._count(result, blobs=stage.blobs)
                    if not isinstance(result, Tally):
                        yield result
                    elif self.tell is not None and self._clock() - told >= _NOW_AND_THEN:
                        self.tell(self._reached(stage, share))
                        told = self._clock()
            self.summary = replace(self.summary, seconds=self._clock() - began)

    def _reached(self, stage: Stage, share: float | None) -> Reached:
        """``share`` is known of a history; of files their number is asked for, if it is wanted."""
        summary = self.summary
        return Reached(
            contents=summary.files + summary.blobs,
            size=summary.size,
            part="git" if stage.blobs else "files",
            share=(lambda: share) if stage.blobs else (lambda: stage.share(summary.files)),
        )

    def _count(self, result: Match | Gap | Tally, *, blobs: bool) -> None:
        was = self.summary
        match result:
            case Match():
                self.summary = replace(was, matches=was.matches + 1)
            case Gap(incomplete=True):
                self.summary = replace(was, incomplete=was.incomplete + 1)
            case Gap():
                self.summary = replace(was, skipped=was.skipped + 1)
            case Tally(contents=contents, size=size):
                files, blob_count = (0, contents) if blobs else (contents, 0)
                self.summary = replace(
                    was,
                    files=was.files + files,
                    blobs=was.blobs + blob_count,
                    size=was.size + size,
                )


Results = Iterator[Match | Gap | Tally | Milestone]


class Stage(Record):
    """One source of a scan, opened when its turn comes."""

    open: Callable[[], AbstractContextManager[Results]]
    blobs: bool
    count: Callable[[], int | None] = lambda: None

    def share(self, files: int) -> float | None:
        """How much of the stage so many files are; None when nobody knows."""
        whole = self.count()
        return min(1.0, files / whole) if whole else None


class Scanner:
    """Rules compiled once, used for any number of scans. Not tied to a target.

    With a ``suppressor`` findings carry a waiver where somebody accepts them; ``plugins`` of
    detect-secrets look at what the rules have looked at. Matches that are less sure than ``least``
    are left out.
    """

    def __init__(  # noqa: PLR0913  # what a scan depends on; all but the key have a default
        self,
        *,
        key: FingerprintKey,
        rules: Sequence[Rule] | None = None,
        processes: int | None = None,
        suppressor: Suppressor | None = None,
        plugins: PluginDetector | None = None,
        state: State | None = None,
        clock: Callable[[], float] = time.monotonic,
        ready: Prefilter | None = None,
        least: Confidence = Confidence.LOW,
    ) -> None:
        self._rules = load_builtin() if rules is None else rules
        self._key = key
        self._state = state
        self._engine = JudgingEngine(
            self._rules,
            key,
            suppressor=suppressor,
            plugins=plugins,
            ready=ready,
            least=least,
        )
        self._processes = processes or len(os.sched_getaffinity(0))
        self._clock = clock

    def scan_path(
        self,
        path: Path,
        *,
        history: bool | None = None,
        staged: bool = False,
        worktree: bool = True,
        parts: bool = True,
    ) -> Scan:
        """Scan a file, a directory or a repository.

        ``history=None`` reads history when the path is a repository's root, True demands it. With
        ``staged`` the index is read against HEAD. With ``parts=False`` matches have no parts: no
        secret value leaves the process that found it. Raises :class:`SourceError` for a target
        that cannot be read at all, :class:`UsageError` for history or
        staged content of what is in no repository.
        """
        real = _real(path)
        if not real.is_dir():
            if history or staged:
                raise _not_a_repository(path)
            only = Worktree(root=real.parent, only=(real.name,))
            return self._scan(self._files(only, parts=parts))
        layout = enclosing(real)
        is_root = layout is not None and real in {layout.top, layout.git_dir}
        wanted = is_root if history is None else history
        if layout is None:
            if wanted or staged:
                raise _not_a_repository(path)
            return self._scan(self._files(Worktree(root=real), parts=parts))
        stages = []
        if worktree and layout.top is not None:
            stages.append(self._files(Worktree(root=real), parts=parts))
        if staged:
            stages.append(self._blobs(layout, real, staged=True, parts=parts))
        if wanted:
            stages.append(self._blobs(layout, real, staged=False, parts=parts))
        return self._scan(*stages)

    def scan_stream(self, stream: BinaryIO, *, name: str, parts: bool = True) -> Scan:
        """Scan what an open stream still holds."""

        @contextmanager
        def start() -> Iterator[Results]:
            source = Stream(stream=stream, name=name)
            yield run(source, self._engine, parts=parts, processes=1)

        return self._scan(Stage(open=start, blobs=False))

    def _scan(self, *stages: Stage) -> Scan:
        return Scan(_stages=stages, _clock=self._clock)

    def _files(self, source: Worktree, *, parts: bool) -> Stage:
        @contextmanager
        def start() -> Iterator[Results]:
            yield run(source, self._engine, parts=parts, processes=self._processes)

        @cache
        def count() -> int | None:
            from stanch.scanner.sources.count import expected  # noqa: PLC0415  # for a terminal's eyes

            return len(source.only) or expected(source.root)

        return Stage(open=start, blobs=False, count=count)

    def _blobs(self, layout: Layout, target: Path, *, staged: bool, parts: bool) -> Stage:
        top = layout.top
        below = "" if top is None or top == target else f"{target.relative_to(top).as_posix()}/"

        @contextmanager
        def start() -> Iterator[Results]:
            # Loaded late: plain files need no git, and start-up counts.
            from stanch.scanner.sources.repository import opened  # noqa: PLC0415

            with ExitStack() as stack:
                try:
                    repository = stack.enter_context(opened(layout))
                except SourceError as error:
                    why = f"not read: {error}; {error.remedy}"
                    place = "git index" if staged else "git history"
                    yield iter((Gap(path=place, why=why, incomplete=True),))
                    return
                if staged:
                    from stanch.scanner.sources.staged import Staged  # noqa: PLC0415

                    index = Staged(repository=repository, below=below)
                    yield run(index, self._engine, parts=parts, processes=self._processes)
                else:
                    from stanch.scanner.past import Past  # noqa: PLC0415

                    frontier = None if parts else self._frontier(layout, below)
                    past = Past(repository=repository, below=below, frontier=frontier)
                    yield past.results(self._engine, parts=parts, processes=self._processes)

        return Stage(open=start, blobs=True)

    def _frontier(self, layout: Layout, below: str) -> Frontier | None:
        if self._state is None:
            return None
        from stanch.scanner.frontier import frontier  # noqa: PLC0415

        state = replace(self._state, basis=self._state.basis + self._engine.basis())
        return frontier(state, layout, below, self._rules, self._key)


def _real(path: Path) -> Path:
    try:
        return path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "it is a loop of symbolic links"
        raise SourceError(
            f"cannot read {_shown(path)}: {why}",
            remedy="name an existing file or directory, or `-` for standard input",
        ) from error


def _not_a_repository(path: Path) -> UsageError:
    return UsageError(
        f"{_shown(path)} is not in a git repository",
        remedy="leave out --history and --staged, or name a repository",
    )


def _shown(path: Path) -> str:
    return str(path).encode("unicode_escape", "backslashreplace").decode()
