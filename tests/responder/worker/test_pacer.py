"""The pacer counts spans: what the clocks of store and machine say makes it ring no oftener."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest

from stanch.responder.domain.ports import Errand
from stanch.responder.worker.pacer import Pacer


def test_a_span_is_waited_for_once_whatever_the_clock_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "time", lambda: 0.0)  # this machine believes that it is 1970
    rung: list[str] = []
    done = threading.Event()

    def ring(_errand: Errand, run: str) -> None:
        rung.append(run)
        if run == "later":
            done.set()

    pacer = Pacer(ring)
    pacer.ring_in(timedelta(milliseconds=40), Errand.ADVANCE, "later")
    pacer.ring_in(timedelta(0), Errand.ADVANCE, "now")
    assert done.wait(5)
    pacer.close()
    assert rung == ["now", "later"]
