"""IAM's eventual consistency: a change shows at once in reads, and later in decisions.

Measured on AWS at 3 to 4 seconds (https://www.offensai.com, "IAM eventual consistency").
"""
# ruff: noqa: SLF001  # MiniStack has no public hooks; its version is pinned

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from stanch.responder.lab.aws.server.state import State

# The stores of MiniStack's IAM that a decision depends on.
_STORES = (
    "_users",
    "_roles",
    "_policies",
    "_access_keys",
    "_groups",
    "_user_inline_policies",
    "_group_inline_policies",
)
_READS = ("Get", "List", "Simulate", "Generate")

_Snapshot = dict[str, dict[Any, Any]]


class Propagation:
    """Keeps what was in force before each young change."""

    def __init__(self, iam: Any, state: State) -> None:
        self._iam = iam
        self._state = state
        self._young: list[tuple[float, _Snapshot]] = []
        self._inside = False

    def settle(self) -> None:
        """Everything written so far is in force now."""
        self._young.clear()

    def wrap_writes(self) -> None:
        """Make every writing IAM call remember what was in force before it."""
        handlers = self._iam._IAM_HANDLERS
        for action, handler in list(handlers.items()):
            if not action.startswith(_READS):
                handlers[action] = self._remembering(handler)

    @contextmanager
    def in_force(self) -> Iterator[None]:
        """Show the evaluator what is in force now. Never await inside: others would see it."""
        before = None if self._inside else self._before()
        if before is None:
            yield
            return
        stores = {name: getattr(self._iam, name) for name in _STORES}
        now = {name: store._data for name, store in stores.items()}
        self._inside = True
        try:
            for name, store in stores.items():
                store._data = before[name]
            yield
        finally:
            for name, store in stores.items():
                store._data = now[name]
            self._inside = False

    def _before(self) -> _Snapshot | None:
        horizon = self._state.clock() - self._state.delay
        while self._young and self._young[0][0] <= horizon:
            self._young.pop(0)
        return self._young[0][1] if self._young else None

    def _remembering(self, handler: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def call(params: Any) -> Any:
            if not self._state.delay:
                return handler(params)
            before = {name: copy.deepcopy(getattr(self._iam, name)._data) for name in _STORES}
            answer = handler(params)
            if answer[0] < 300:  # noqa: PLR2004  # HTTP success
                self._young.append((self._state.clock(), before))
            return answer

        return call
