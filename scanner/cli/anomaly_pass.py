"""The anomaly pass of ``stanch scan``: a second look that knows what the rules have found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from stanch.scanner.anomaly.baseline import Baseline, match_of, shifts
from stanch.scanner.anomaly.reported_lines import Occupied
from stanch.scanner.anomaly.stream_tap import Ear
from stanch.scanner.anomaly.survey import Survey
from stanch.scanner.anomaly.suspect import suspects_of
from stanch.scanner.model.finding import Match
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InLog, InStream, InWorktree, Provenance
from stanch.scanner.model.record import replace
from stanch.scanner.scan.batch import placed
from stanch.scanner.scan.target import log_of
from stanch.scanner.sources.files.worktree import Worktree
from stanch.scanner.sources.git.discovery import enclosing

if TYPE_CHECKING:
    from stanch.scanner.suppression.suppressor import Suppressor


class Watch:
    """Watches one scan of one target, and adds to its results what is odd about it.

    ``stream`` is the name under which a stream's earlier scans are remembered; without one a stream
    is judged by itself alone. A tree is remembered by its path. ``accepted`` is asked for the judge
    of waivers when there is something to judge.
    """

    def __init__(
        self,
        target: str,
        *,
        key: FingerprintKey,
        data_dir: Path,
        stream: str | None,
        accepted: Callable[[], Suppressor],
    ) -> None:
        self._target = target
        self._key = key
        self._data_dir = data_dir
        self._stream = stream
        self._accepted = accepted
        self._survey = Survey(key)
        self._ear: Ear | None = None
        self._log = log_of(target)

    def listening(self, stream: BinaryIO, name: str) -> BinaryIO:
        """What to read in the stream's place; its pieces are learned on the way."""
        self._ear = Ear(stream, name, self._survey)
        return cast("BinaryIO", self._ear)  # a source asks for nothing but `read`

    def over(self, results: Iterable[Match | Gap]) -> Iterator[Match | Gap]:
        """The results as they come, then the anomalies at places that no rule has spoken about."""
        occupied = Occupied()
        for result in results:
            if isinstance(result, Match):
                occupied.add(result.finding)
            yield result
        for match in self._odd():
            if not occupied.covers(match.finding):
                yield match
        yield from self._shifted()

    def _odd(self) -> Iterator[Match]:
        if self._ear is not None:
            for oddity in self._ear.oddities():
                yield self._judged(oddity.match)
            return
        # By path, in the order of the listing: most files need no second look.
        again = {item: None for item, each in self._fragments() if self._survey.learn(each)}
        for _, fragment in self._fragments(tuple(again)) if again else ():
            suspects = suspects_of(fragment)
            for oddity in self._survey.judge(suspects) if suspects is not None else ():
                if (match := placed(oddity.match, fragment)) is not None:
                    yield self._judged(match, fragment, oddity.start)

    def _judged(self, match: Match, fragment: Fragment | None = None, start: int = 0) -> Match:
        """The match with its waiver, if there is one; a stream's text is gone, and its markers."""
        from stanch.scanner.suppression.inline import neighbourhood  # noqa: PLC0415  # oddities are rare

        end = start + len(match.parts["value"])
        around = neighbourhood(fragment.data, start, end) if fragment is not None else None
        waiver = self._accepted().judge(match, around)
        if waiver is None:
            return match
        return replace(match, finding=replace(match.finding, waiver=waiver))

    def _shifted(self) -> Iterator[Match]:
        name, provenance = self._identity()
        reading = self._survey.measure.reading()
        if name is None or not reading.size:
            return
        baseline = Baseline(self._data_dir, name)
        for shift in shifts(baseline.readings(), reading):
            yield match_of(shift, name, provenance, self._key)
        baseline.remember(reading)

    def _identity(self) -> tuple[str | None, Provenance]:
        if self._ear is not None:
            shown = self._stream or "<stdin>"
            return (f"stream:{self._stream}" if self._stream else None), InStream(path=shown)
        if self._log is not None:
            return f"log:{self._stream or self._log}", InLog(path=self._log, provider="")
        return f"tree:{Path(self._target).resolve()}", InWorktree(path=".")

    def _fragments(self, only: tuple[str, ...] = ()) -> Iterator[tuple[str, Fragment]]:
        """The tree's content, or that of some files, with the path on disk.

        What cannot be read, the scan itself has said.
        """
        if self._log is not None:
            yield from self._lines(only)
            return
        real = Path(self._target).resolve()
        layout = enclosing(real)
        if layout is not None and (layout.top is None or real == layout.git_dir):
            return
        if real.is_dir():
            source = Worktree(root=real, only=only)
        else:
            source = Worktree(root=real.parent, only=(real.name,))
        for batch in source.batches():
            for item in () if isinstance(batch, Gap) else batch:
                for piece in source.read((item,)):
                    if isinstance(piece, Fragment):
                        yield item, piece

    def _lines(self, only: tuple[str, ...]) -> Iterator[tuple[str, Fragment]]:
        """Logs, asked for once more: what is normal is known when all of them have been read."""
        from stanch.scanner.sources.log.opening import opened  # noqa: PLC0415  # most targets are none

        source = opened(self._log or "")
        for batch in source.batches():
            for log in batch if isinstance(batch, tuple) else ():
                if only and log.place.path not in only:
                    continue
                for piece in source.read((log,)):
                    if isinstance(piece, Fragment):
                        yield log.place.path, piece
        source.close()
