"""What each process of an installation holds, and therefore what whoever takes it over holds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """Keys and doors of one kind of process. What is not held is not looked for."""

    vault: bool = False  # the master key: opens what is sealed
    record: bool = False  # the ledger's key: adds to the record, and marks rows
    sign: bool = False  # the checkpoint key: signs anchors; without it their public half is read
    hands: bool = False  # tokens for the providers
    broker: bool = False
    notices: bool = False  # writes down that there is news of what is watched
    buttons: bool = False  # Slack's bot token and the key of its buttons: shows cards


class Part(Enum):
    """The kinds of process."""

    WHOLE = Holding(
        vault=True, record=True, sign=True, hands=True, broker=True, buttons=True, notices=True
    )
    WORKER = WHOLE
    CONTAIN = Holding(vault=True, record=True, sign=True, hands=True, broker=True)
    SLACK = Holding(record=True, broker=True, buttons=True)
    WEB = Holding()
    HOOKS = Holding(notices=True)
