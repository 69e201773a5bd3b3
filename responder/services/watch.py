"""What a page that many people load says about the store, judged now and then, not for each."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

_SECONDS = 30.0  # how old a judgement may be: the whole record is read for it


@dataclass(slots=True)
class Watch:
    """Remembers the last judgement for a while. Safe to share between threads."""

    judge: Callable[[], tuple[str, ...]]
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _judged: tuple[float, tuple[str, ...]] | None = None

    def warning(self) -> str | None:
        """One sentence when the store or the record was tampered with."""
        with self._lock:
            now = self.clock()
            if self._judged is None or now - self._judged[0] > _SECONDS:
                self._judged = (now, self.judge())
            found = self._judged[1]
        if not found:
            return None
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        return f"TAMPERED: {found[0]}{more}. `stanch audit verify` names everything."
