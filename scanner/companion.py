"""A process that loads what scanning takes while its parent reads the command line, then scans.

The command line library and the engine take equally long to load and have nothing to do with each
other, so they are loaded side by side (ADR 0014). What is found comes through a private pipe; no
secret value does. Forked before anything is loaded, by a program that has one thread.
"""

from __future__ import annotations

import os
import sys

from stanch.scanner.model.error import ScannerError, SourceError
from stanch.scanner.wire import Wire, line

TYPE_CHECKING = False
if TYPE_CHECKING:  # nothing may be loaded before both go their own way
    from collections.abc import Callable, Iterator
    from typing import Any, NoReturn

    from stanch.scanner.model.finding import Match
    from stanch.scanner.model.fragment import Gap
    from stanch.scanner.model.summary import ScanSummary
    from stanch.scanner.order import Order
    from stanch.scanner.reports.progress import Reached

    _Progress = tuple[int, int, str, float | None]

_waiting: list[Companion] = []


class RemoteScan:
    """A scan that the companion does: iterate once, in the order of the targets."""

    def __init__(self, wire: Wire, summary: ScanSummary) -> None:
        self.summary = summary
        self.tell: Callable[[Reached], None] | None = None
        self._wire = wire

    def __iter__(self) -> Iterator[Match | Gap]:
        """Matches without parts, and gaps; ``summary`` is final behind the last."""
        from stanch.scanner.model.finding import Finding, Match  # noqa: PLC0415  # see TYPE_CHECKING
        from stanch.scanner.model.fragment import Gap  # noqa: PLC0415  # as above
        from stanch.scanner.model.summary import ScanSummary  # noqa: PLC0415  # as above
        from stanch.scanner.reports.progress import Reached  # noqa: PLC0415  # as above

        while True:
            match _heard(self._wire):
                case ScanSummary() as summary:
                    self.summary = summary
                    return
                case Finding() as finding:
                    yield Match(finding=finding, parts={})
                case Gap() as gap:
                    yield gap
                case (int(contents), int(size), str(part), share) if self.tell is not None:
                    self.tell(
                        Reached(contents=contents, size=size, part=part, share=_constant(share))
                    )


class Companion:
    """The parent's view of it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def scans(self, order: Order) -> list[RemoteScan]:
        """What :func:`scans` gives, done by the companion; as it, this may raise."""
        from stanch.scanner.model.summary import ScanSummary  # noqa: PLC0415  # see TYPE_CHECKING

        try:
            self._wire.send(order)
        except OSError:
            raise _died() from None
        begun = _heard(self._wire)
        assert isinstance(begun, int)  # noqa: S101  # see _serve
        return [RemoteScan(self._wire, ScanSummary()) for _ in range(begun)]


class _Refusal:
    """A message for people that ends the scan."""

    def __init__(self, error: ScannerError) -> None:
        self._message, self._remedy, self._code = str(error), error.remedy, error.exit_code

    def error(self) -> ScannerError:
        """The error as it was there."""
        made = ScannerError(self._message, remedy=self._remedy)
        made.exit_code = self._code
        return made


def begin() -> None:
    """Start the companion, where there is a second processor for it."""
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) == 1:
        return
    ours, theirs = line()
    try:
        process = os.fork()
    except OSError:  # no more processes, or no memory: the command does it alone
        ours.close()
        theirs.close()
        return
    if not process:
        _live(ours, theirs)
    theirs.close()
    _waiting.append(Companion(ours))


def waiting() -> Companion | None:
    """The companion, for the first who asks; None where there is none."""
    return _waiting.pop() if _waiting else None


def _live(ours: Wire, theirs: Wire) -> NoReturn:
    """Be the companion, and never return into what the parent was about to do."""
    try:
        ours.close()
        _serve(theirs)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        os._exit(0)  # the parent wants no more, and says what there is to say
    except BaseException:  # noqa: BLE001  # a defect: the trace names places, never values
        import traceback  # noqa: PLC0415  # it should never be needed

        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)


def _serve(wire: Wire) -> None:
    """Load everything, take an order, say how many scans it makes, and do them in turn."""
    from stanch.scanner.api import Match  # noqa: PLC0415  # this is what it is for
    from stanch.scanner.order import Order, Stock, scans  # noqa: PLC0415  # as above

    try:
        stock = Stock()
        order = wire.receive()
        assert isinstance(order, Order)  # noqa: S101  # see Companion.scans
        begun = scans(order, stock=stock)
        wire.send(len(begun))
        for scan in begun:
            scan.tell = lambda reached: wire.send(_told(reached))
            for result in scan:
                wire.send(result.finding if isinstance(result, Match) else result)
            wire.send(scan.summary)
    except ScannerError as error:
        wire.send(_Refusal(error))


def _told(reached: Reached) -> _Progress:
    """Sent now and then, also when nobody looks: it fails when nobody is there any more."""
    share = reached.share() if sys.stderr.isatty() else None
    return reached.contents, reached.size, reached.part, share


def _heard(wire: Wire) -> Any:
    try:
        said = wire.receive()
    except (EOFError, OSError):
        raise _died() from None
    if isinstance(said, _Refusal):
        raise said.error()
    return said


def _died() -> ScannerError:
    return SourceError(
        "the scanning process died, so the scan is incomplete",
        remedy="see above for its reason; if there is none, check the memory that it may use",
    )


def _constant(share: float | None) -> Callable[[], float | None]:
    return lambda: share
