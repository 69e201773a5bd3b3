"""One call to AWS as an answer: what it gave, or why it gave nothing."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TypeVar

from botocore.exceptions import ClientError

from stanch.responder.domain.error import Retryable, StepFailed
from stanch.responder.lifecycle.model.answer import (
    Absent,
    Conflict,
    Denied,
    NotGiven,
    Unreachable,
)
from stanch.responder.providers.aws.adapter.error import (
    LimitReached,
    NotAsked,
    NotThere,
    calling,
    code_of,
    message_of,
)

Result = TypeVar("Result")
Otherwise = Mapping[str, Callable[[str], NotGiven]]
_WITH_BODIES = ("botocore.parsers", "botocore.endpoint")


class _NoBodies(logging.Filter):
    """botocore writes requests and answers whole into its debug log; with secrets that is a leak.

    Only its debug lines go; nothing else of it is touched.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.DEBUG


def keep_bodies_out_of_logs() -> None:
    """For every process that reads secrets: an application may have debug logging on."""
    for name in _WITH_BODIES:
        logger = logging.getLogger(name)
        if not any(isinstance(each, _NoBodies) for each in logger.filters):
            logger.addFilter(_NoBodies())


def ask(
    api: str, call: Callable[[], Result], *, otherwise: Otherwise | None = None
) -> Result | NotGiven:
    """Make one call. ``otherwise``: what a code of AWS's means here, given its masked message."""
    meanings = otherwise or {}
    try:
        with calling(api):
            try:
                return call()
            except ClientError as error:
                meaning = meanings.get(code_of(error))
                if meaning is None:
                    raise
                return meaning(message_of(error))
    except NotThere as gone:
        return Absent(why=str(gone))
    except Retryable as later:
        return Unreachable(why=str(later))
    except LimitReached as full:
        return Denied(why=str(full), remedy="raise the quota, or remove what is not needed")
    except StepFailed as failed:  # not allowed, not accepted, or an answer that a person must read
        kind = Unreachable if isinstance(failed, NotAsked) else Denied
        return kind(why=str(failed), remedy=failed.remedy)


def change(
    api: str, call: Callable[[], Result], *, conflicts: tuple[str, ...] = ()
) -> Result | NotGiven | Conflict:
    """Make one call that writes; the codes in ``conflicts`` say that nothing was written."""
    met: list[Conflict] = []

    def noted(said: str) -> NotGiven:
        met.append(Conflict(why=said))
        return Absent(why=said)

    found = ask(api, call, otherwise=dict.fromkeys(conflicts, noted))
    return met[0] if met else found
