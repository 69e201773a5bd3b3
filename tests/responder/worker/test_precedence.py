from __future__ import annotations

import threading
import time

import pytest

from stanch.responder.worker import precedence
from stanch.responder.worker.precedence import Precedence


def test_the_rest_waits_until_nothing_is_being_contained() -> None:
    first, order = Precedence(), list[str]()

    def rest() -> None:
        first.give_way()
        order.append("rest")

    with first.containing():
        with first.containing():
            other = threading.Thread(target=rest)
            other.start()
        order.append("contained")
    other.join()
    assert order == ["contained", "rest"]


def test_the_rest_goes_on_however_much_there_is_to_contain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precedence, "LONGEST", 0.02)
    first = Precedence()
    with first.containing():
        began = time.monotonic()
        first.give_way()
        assert 0.01 < time.monotonic() - began < 10


def test_nobody_waits_where_nothing_is_being_contained() -> None:
    Precedence().give_way()
