"""Works on units: takes one, reads it, and writes down what it brought, once.

Claim and outcome are one transaction each. Between them nothing is written, so whoever is killed
there leaves a lease that lapses, and the unit is read again by somebody else.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from stanch.responder.domain.error import LeaseLost, StoreError
from stanch.responder.domain.fleet import Fleet, FleetStore, FleetTransaction, UnitRun, UnitState
from stanch.responder.domain.json import canonical
from stanch.responder.engine.lease import Keeping, Renews
from stanch.responder.fleet.plan import led, limits_of, rows
from stanch.responder.telemetry.log import get_logger
from stanch.scanner.api import (
    Asked,
    Brought,
    Commission,
    FingerprintKey,
    LastingError,
    Scanner,
    ScannerError,
    SourceError,
    Unit,
)

log = get_logger(__name__)

LONGEST = timedelta(hours=6)  # a unit that has not come to its end by then hangs
_BACK_OFF = timedelta(seconds=10)  # before the second try; then four times as long each time
PATIENCE = 60.0  # seconds that a store may be away
_NAP = 1.0

Trace = Callable[[str, str], None]
"""Told of every boundary within a unit: its name, and ``claimed``, ``read`` or ``written``."""


class UnitLeases(Keeping[FleetTransaction, UnitRun]):
    """Those of units."""

    def _rows(self, tx: FleetTransaction) -> Renews[UnitRun]:
        return tx.fleets


@dataclass(slots=True, kw_only=True)
class Hand:
    """One worker. ``key`` and ``history`` are of its machine."""

    store: FleetStore
    leases: UnitLeases
    name: str
    key: FingerprintKey
    history: Path | None
    back_off: timedelta = _BACK_OFF
    trace: Trace = lambda _unit, _boundary: None
    _scanners: dict[str, tuple[Commission, Scanner]] = field(default_factory=dict)

    def work(self, fleet_id: str) -> timedelta | None:
        """Do one unit of the fleet; how long until it is worth asking again, None for never."""
        with self.store.snapshot() as tx:
            fleet = tx.fleets.get(fleet_id)
            pause = None if fleet is None else tx.fleets.pause(fleet, tx.now())
            stuck = fleet is not None and not tx.fleets.free(fleet, tx.now())
        if fleet is None or fleet.finished_at is not None or not self._fit(fleet):
            return None
        if stuck:
            return pause
        with self.store.transaction() as tx:
            unit = tx.fleets.claim(
                fleet,
                limits_of(fleet),
                worker=self.name,
                now=tx.now(),
                lease=self.leases.length,
            )
        if unit is None:
            return pause
        self._do(fleet, unit)
        return timedelta()

    def idle(self, fleet_id: str) -> bool:
        """Whether nothing of the fleet is left to anybody."""
        with self.store.snapshot() as tx:
            return tx.fleets.progress(fleet_id).left == 0

    def _fit(self, fleet: Fleet) -> bool:
        """Whether we would find what everybody finds."""
        if fleet.basis == Commission.basis(self.key):
            return True
        log.warning(
            "fleet.unfit",
            fleet=fleet.id,
            help="this worker has another version or another fingerprint key than who asked: "
            "install the same version, and let [scanner] fingerprint_key name the same key",
        )
        return False

    def _do(self, fleet: Fleet, unit: UnitRun) -> None:
        self.leases.hold(unit, LONGEST)
        try:
            self.trace(unit.name, "claimed")
            brought, more, over = self._outcome(fleet, unit)
            self.trace(unit.name, "read")
            self._write(over, brought, more)
            self.trace(unit.name, "written")
        except BaseException:
            # Told to stop: nobody has to wait for the lease, and it is no loss.
            self._give_back(unit)
            raise
        finally:
            self.leases.release(unit)

    def _write(self, over: UnitRun, brought: bytes | None, more: list[UnitRun]) -> None:
        """All of it, or nothing when somebody else has the unit by now.

        A store that is away for a moment does not cost what may have taken an hour to read.
        """
        until = time.monotonic() + PATIENCE
        while True:
            try:
                with suppress(LeaseLost), self.store.transaction() as tx:
                    now = tx.now()
                    if over.state is UnitState.WAITING:
                        due = now + self.back_off * 4 ** (over.tries - 1)
                        over = replace(over, due_at=due)
                    ended = now if over.state.over else None
                    over = replace(over, lease_until=None, finished_at=ended)
                    tx.fleets.write(over, brought, more)
            except StoreError as error:
                if time.monotonic() > until:
                    raise
                log.warning("unit.not_written", unit=over.name, why=str(error))
                time.sleep(_NAP)
            else:
                return

    def _outcome(self, fleet: Fleet, unit: UnitRun) -> tuple[bytes | None, list[UnitRun], UnitRun]:
        """What the unit brought, the units it led to, and its row as it stands then."""
        read = Unit.read(unit.unit)
        try:
            if read.lists:
                more = rows(fleet, enumerate(read.expanded(), 1), item=unit.source)
                over = replace(led(unit, more), state=UnitState.DONE, tries=0)
                return None, list(more), over
            brought = self._read(fleet, read)
        except ScannerError as error:
            passing = isinstance(error, SourceError) and not isinstance(error, LastingError)
            return None, [], self._failed(fleet, unit, str(error), error.remedy, passing=passing)
        except Exception as error:  # noqa: BLE001  # a defect in one unit is not the fleet's end
            # Kind and place alone: what the text says may quote what was read.
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{Path(last.filename).name}:{last.lineno}"
            why = f"internal error: {type(error).__name__} at {place}"
            remedy = "please report it; scan the unit alone to see whether it comes again"
            return None, [], self._failed(fleet, unit, why, remedy, passing=True)
        done = replace(
            unit,
            state=UnitState.DONE,
            tries=0,
            findings=len(brought.findings),
            size=brought.summary.size,
            complete=brought.summary.complete,
        )
        return canonical(brought.as_json()), [], done

    def _read(self, fleet: Fleet, unit: Unit) -> Brought:
        commission, scanner = self._scanner(fleet)
        asked = Asked(parts=False, history=commission.history, selection=commission.selection)
        scan, results = unit.scanned(scanner, asked)
        brought = Brought()
        for result in results:
            brought.add(result)
        brought.summary = scan.summary
        return brought

    def _scanner(self, fleet: Fleet) -> tuple[Commission, Scanner]:
        if fleet.id not in self._scanners:
            commission = Commission.read(fleet.commission)
            scanner = commission.scanner(self.key, history_folder=self.history)
            self._scanners = {fleet.id: (commission, scanner)}  # the others are over
        return self._scanners[fleet.id]

    def _failed(
        self, fleet: Fleet, unit: UnitRun, why: str, remedy: str, *, passing: bool
    ) -> UnitRun:
        tries = unit.tries + 1
        again = passing and tries < limits_of(fleet).tries
        return replace(
            unit,
            state=UnitState.WAITING if again else UnitState.ASIDE,
            tries=tries,
            complete=again,
            error=why,
            remedy=remedy,
        )

    def _give_back(self, unit: UnitRun) -> None:
        with suppress(Exception), self.store.transaction() as tx:
            tx.fleets.write(replace(unit, state=UnitState.PENDING, lease_until=None))
