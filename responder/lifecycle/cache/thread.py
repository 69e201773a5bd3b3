"""Threads beside an application's own, which must not take its signals."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable


def start(name: str, run: Callable[[], None]) -> threading.Thread:
    """Start one that ends with the process."""

    def deaf() -> None:
        # A program that waits for its signals (sigwait) blocks them in its own threads alone.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        run()

    thread = threading.Thread(target=deaf, name=name, daemon=True)
    thread.start()
    return thread
