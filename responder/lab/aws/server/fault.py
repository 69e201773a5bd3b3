"""Faults on request: fail the next calls of one API in a chosen way."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Mode(StrEnum):
    """How a call fails."""

    THROTTLE = "throttle"  # refused, not performed
    ERROR = "error"  # HTTP 500, not performed
    LOST_REQUEST = "lost-request"  # connection reset, not performed
    LOST_ANSWER = "lost-answer"  # performed, then connection reset


@dataclass(slots=True, kw_only=True)
class Fault:
    """``times`` calls of ``api`` fail after ``skip`` calls that do not."""

    api: str  # "UpdateAccessKey" or "iam:UpdateAccessKey"
    mode: Mode
    times: int = 1
    skip: int = 0


@dataclass(slots=True)
class Faults:
    """The faults that wait for their calls."""

    waiting: list[Fault] = field(default_factory=list)

    def take(self, service: str, api: str) -> Mode | None:
        """How this call must fail, if at all; uses up one turn of the first fault that fits."""
        for fault in self.waiting:
            if fault.api not in (api, f"{service}:{api}"):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times <= 0:
                self.waiting.remove(fault)
            return fault.mode
        return None
