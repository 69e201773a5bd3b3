"""A source is looked at by one worker at a time, for as long as that gives signs of life."""

from __future__ import annotations

import secrets
import threading
from datetime import timedelta
from types import TracebackType
from typing import Self

from stanch.responder.domain.error import StanchError
from stanch.responder.domain.watched import SourceId, WatchStore, WatchTransaction
from stanch.responder.telemetry.log import get_logger

log = get_logger(__name__)
LEASE = timedelta(seconds=60)


def lock_of(source: SourceId) -> str:
    """The name of a source's lock."""
    return f"look:{source}"


class Hold:
    """Holds a source inside the block; ``taken`` is False when somebody else does.

    Whoever lost it writes nothing: :meth:`keeps` is asked in the transaction that records a look.
    """

    def __init__(self, store: WatchStore, source: SourceId) -> None:
        self._store = store
        self._name = lock_of(source)
        self._owner = secrets.token_hex(8)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="stanch-hold", daemon=True)
        self.taken = False

    def __enter__(self) -> Self:
        with self._store.transaction() as tx:
            self.taken = self.keeps(tx)
        if self.taken:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.taken:
            self._over.set()
            self._thread.join()
            with self._store.transaction() as tx:
                tx.locks.free(self._name, self._owner)

    def keeps(self, tx: WatchTransaction) -> bool:
        """Take or prolong it; False when somebody else has it by now."""
        now = tx.now()
        return tx.locks.take(self._name, self._owner, now=now, until=now + LEASE)

    def _renew(self) -> None:
        while not self._over.wait(LEASE.total_seconds() / 3):
            try:
                with self._store.transaction() as tx:
                    self.keeps(tx)
            except StanchError as error:
                log.warning("hold.not_renewed", why=str(error), help=error.remedy)
