"""Scans files, repositories and streams with one set of rules."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.model.error import SourceError
from stanch.scanner.model.finding import Confidence, Match
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import replace
from stanch.scanner.model.rule import Rule
from stanch.scanner.scan import path_target
from stanch.scanner.scan.engine import ScanEngine
from stanch.scanner.scan.pool import run
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.files.worktree import Worktree
from stanch.scanner.sources.git.discovery import Layout, enclosing
from stanch.scanner.sources.source import Source
from stanch.scanner.sources.stream import Stream

if TYPE_CHECKING:
    from stanch.scanner.detectors.plugins.detect_secrets import PluginDetector
    from stanch.scanner.scan.head import Head
    from stanch.scanner.scan.history_cache import HistoryCache
    from stanch.scanner.scan.layer_cache import LayerCache
    from stanch.scanner.sources.git.repository import Repository
    from stanch.scanner.sources.git.revisions import Selection
    from stanch.scanner.sources.log.seen import Seen
    from stanch.scanner.sources.remote.listing import Listed
    from stanch.scanner.suppression.suppressor import Suppressor

from stanch.scanner.scan.stage import Asked, Results, Scan, Stage


class Scanner:
    """Rules compiled once, used for any number of scans. Not tied to a target.

    With a ``suppressor`` findings carry a waiver where somebody accepts them; ``plugins`` of
    detect-secrets look at what the rules have looked at. Matches that are less sure than
    ``min_confidence`` are left out. What scans of histories have found is kept in
    ``history_folder``.
    """

    def __init__(  # noqa: PLR0913  # what a scan depends on; all but the key have a default
        self,
        *,
        key: FingerprintKey,
        rules: Sequence[Rule] | None = None,
        processes: int | None = None,
        suppressor: Suppressor | None = None,
        plugins: PluginDetector | None = None,
        history_folder: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        min_confidence: Confidence = Confidence.LOW,
    ) -> None:
        self._rules = load_builtin() if rules is None else rules
        self._key = key
        self._history_folder = history_folder
        self._engine = ScanEngine(
            self._rules,
            key,
            suppressor=suppressor,
            plugins=plugins,
            min_confidence=min_confidence,
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
        selection: Selection | None = None,
    ) -> Scan:
        """Scan a file, a directory or a repository.

        ``history=None`` reads history when the path is a repository's root, True demands it. With
        ``staged`` the index is read against HEAD. With ``parts=False`` matches have no parts: no
        secret value leaves the process that found it. Of the history a ``selection`` may be read,
        of which nothing is kept. Raises :class:`SourceError` for a target
        that cannot be read, :class:`UsageError` for one that does not exist, and for history or
        staged content of what is in no repository.
        """
        real = path_target.real(path)
        layout = enclosing(real) if real.is_dir() else None
        is_root = layout is not None and real in {layout.top, layout.git_dir}
        wanted = is_root if history is None else history
        if selection is not None and not wanted:
            raise path_target.no_history(path)
        if layout is None:
            if wanted or staged:
                raise path_target.not_a_repository(path)
            said = path_target.broken(real) if history is None else ()
            return self._scan(*said, self._files(path_target.alone(real), parts=parts))
        known = history is False or real.is_relative_to(layout.git_dir)
        stages = [] if is_root or known else [*path_target.broken(real)]
        if worktree and layout.top is not None:
            stages.append(self._files(Worktree(root=real), parts=parts))
        if staged:
            stages.append(self._blobs(layout, real, staged=True, parts=parts))
        if wanted:
            stages.append(self._blobs(layout, real, staged=False, parts=parts, selection=selection))
        return self._scan(*stages)

    def scan_target(
        self,
        target: str,
        *,
        history: bool | None = None,
        parts: bool = True,
        selection: Selection | None = None,
    ) -> Scan:
        """Scan a path, or what another target names (a URL, ``image:``, ``log:``, ``github:``)."""
        from stanch.scanner.scan.target import kind_of  # noqa: PLC0415  # it knows this class

        kind = kind_of(target)
        if kind is None:
            return self.scan_path(Path(target), history=history, parts=parts, selection=selection)
        return kind.scan(self, target, Asked(parts=parts, history=history, selection=selection))

    def scan_remote(
        self,
        repositories: Callable[[], Iterable[Listed]],
        asked: Asked,
        *,
        many: bool,
        strict: bool = False,
    ) -> Scan:
        """Scan repositories of other hosts. Of ``many`` each is named in its findings' paths.

        ``strict``: iterating raises :class:`SourceError` for what cannot be fetched.
        """
        from stanch.scanner.scan.remote import Remote  # noqa: PLC0415  # most scans do without

        def read(place: Path, selection: Selection | None) -> Stage:
            layout = Layout(top=None, git_dir=place, common_dir=place)
            return self._blobs(layout, place, staged=False, parts=asked.parts, selection=selection)

        remote = Remote(
            repositories=repositories,
            read=read,
            history=asked.history is not False,
            selection=asked.selection,
            many=many,
            strict=strict,
        )

        @contextmanager
        def start() -> Iterator[Results]:
            yield remote.results()

        return self._scan(Stage(open=start, blobs=True))

    def scan_stream(self, stream: BinaryIO, *, name: str, parts: bool = True) -> Scan:
        """Scan what an open stream still holds."""

        @contextmanager
        def start() -> Iterator[Results]:
            source = Stream(stream=stream, name=name)
            yield run(source, self._engine, parts=parts, processes=1)

        return self._scan(Stage(open=start, blobs=False))

    def scan_source(self, source: Source[Any], *, parts: bool = True) -> Scan:
        """Scan what a source lists; its items are shared among the processes."""

        @contextmanager
        def start() -> Iterator[Results]:
            yield run(source, self._engine, parts=parts, processes=self._processes)

        return self._scan(Stage(open=start, blobs=False))

    def scan_image(self, reference: str, *, parts: bool = True) -> Scan:
        """Scan a container image: a file or folder of one, or a registry's by its reference.

        Raises :class:`UsageError` for a reference that names nothing.
        """
        from stanch.scanner.scan.image import ImageScan  # noqa: PLC0415  # most scans do without
        from stanch.scanner.scan.quoted import Quoted  # noqa: PLC0415  # as above
        from stanch.scanner.sources.image.opening import opened  # noqa: PLC0415  # as above

        scan = ImageScan(
            reference=reference,
            store=opened(reference),
            quoted=Quoted(engine=self._unsure),
            cache=None if parts else self._layer_cache(),
        )

        @contextmanager
        def start() -> Iterator[Results]:
            yield scan.results(self._engine, parts=parts, processes=self._processes)

        return self._scan(Stage(open=start, blobs=False))

    @functools.cached_property
    def _unsure(self) -> Engine:
        """Finds also what is not sure enough to be shown: it takes values out of what is quoted."""
        return Engine(self._rules, self._key)

    def scan_log(
        self,
        reference: str,
        *,
        parts: bool = True,
        seen: Seen | None = None,
        heard: Callable[[bytes], None] = lambda _: None,
    ) -> Scan:
        """Scan a log: a file or the archive of a run, or what a provider of CI keeps.

        With ``seen`` what was not read before, which it remembers; ``heard`` gets the text. Raises
        :class:`UsageError` for a reference that names nothing.
        """
        from stanch.scanner.scan.log import LogScan  # noqa: PLC0415  # most scans do without
        from stanch.scanner.scan.quoted import Quoted  # noqa: PLC0415  # as above
        from stanch.scanner.sources.log.opening import opened  # noqa: PLC0415  # as above

        quoted = Quoted(engine=self._unsure)
        source = opened(reference, seen, heard)
        scan = LogScan(source=source, quoted=quoted, again=seen is not None)

        @contextmanager
        def start() -> Iterator[Results]:
            yield scan.results(self._engine, parts=parts)

        return self._scan(Stage(open=start, blobs=False))

    def scan_agents(
        self, home: Path, project: Path | None, environ: Mapping[str, str], *, parts: bool = True
    ) -> Scan:
        """Scan what AI assistants keep below a home directory and in a project."""
        from stanch.scanner.scan.agents import covered  # noqa: PLC0415  # most scans do without
        from stanch.scanner.sources.agents.source import Agents  # noqa: PLC0415  # as above

        source = Agents(home=home, project=project, environ=environ)
        covers = covered(source.here(), home, own=bool(project))
        return replace(self.scan_source(source, parts=parts), covers=covers)

    def _scan(self, *stages: Stage) -> Scan:
        return Scan(_stages=stages, _clock=self._clock)

    def _files(self, source: Worktree, *, parts: bool) -> Stage:
        @contextmanager
        def start() -> Iterator[Results]:
            yield run(source, self._engine, parts=parts, processes=self._processes)

        @functools.cache
        def count() -> int | None:
            from stanch.scanner.sources.files.file_count import expected  # noqa: PLC0415  # for a terminal's eyes

            return len(source.only) or expected(source.root)

        return Stage(open=start, blobs=False, count=count)

    def _blobs(
        self,
        layout: Layout,
        target: Path,
        *,
        staged: bool,
        parts: bool,
        selection: Selection | None = None,
    ) -> Stage:
        top = layout.top
        below = "" if top is None or top == target else f"{target.relative_to(top).as_posix()}/"

        @contextmanager
        def start() -> Iterator[Results]:
            # Loaded late: plain files need no git, and start-up counts.
            from stanch.scanner.sources.git.repository import opened  # noqa: PLC0415

            with ExitStack() as stack:
                try:
                    repository = stack.enter_context(opened(layout))
                except SourceError as error:
                    why = f"not read: {error}; {error.remedy}"
                    place = "git index" if staged else "git history"
                    yield iter((Gap(path=place, why=why, incomplete=True),))
                    return
                said = _elsewhere(layout)
                if staged:
                    from stanch.scanner.sources.git.index import Staged  # noqa: PLC0415

                    index = Staged(repository=repository, below=below)
                    found = run(index, self._engine, parts=parts, processes=self._processes)
                else:
                    found = self._past(repository, layout, below, parts=parts, selection=selection)
                yield chain(said, found)

        return Stage(open=start, blobs=True)

    def _past(
        self,
        repository: Repository,
        layout: Layout,
        below: str,
        *,
        parts: bool,
        selection: Selection | None,
    ) -> Results:
        from stanch.scanner.scan.head import Head  # noqa: PLC0415  # as above
        from stanch.scanner.scan.history import HistoryScan  # noqa: PLC0415  # as above
        from stanch.scanner.sources.git.revisions import EVERYTHING  # noqa: PLC0415  # as above

        scan = HistoryScan(
            repository=repository,
            below=below,
            cache=None if parts or selection else self._history_cache(layout, below),
            selection=selection or EVERYTHING,
        )
        results = scan.results(self._engine, parts=parts, processes=self._processes)
        return self._marked(results, Head(repository, self._engine, below))

    def _marked(self, results: Results, head: Head) -> Results:
        """The same; of each finding is said whether it is still in HEAD."""
        for result in results:
            if isinstance(result, Match):
                yield replace(result, finding=head.marked(result.finding))
            else:
                yield result

    def _layer_cache(self) -> LayerCache | None:
        if self._history_folder is None:
            return None
        from stanch.scanner.scan.layer_cache import LayerCache  # noqa: PLC0415  # as above

        return LayerCache(
            self._history_folder, rules=self._rules, key=self._key, basis=self._engine.basis()
        )

    def _history_cache(self, layout: Layout, below: str) -> HistoryCache | None:
        if self._history_folder is None:
            return None
        from stanch.scanner.scan.history_cache import history_cache  # noqa: PLC0415  # as above

        return history_cache(
            self._history_folder,
            layout,
            below,
            rules=self._rules,
            key=self._key,
            basis=self._engine.basis(),
        )


def _elsewhere(layout: Layout) -> Iterator[Gap]:
    """A word about a history that is another repository's."""
    if layout.elsewhere:
        why = f"points to another repository, which was read: {display(str(layout.git_dir))}"
        yield Gap(path=".git", why=why, incomplete=False)
