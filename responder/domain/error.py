"""What can go wrong, grouped by who can mend it; each error carries its remedy and exit code."""

from __future__ import annotations

from datetime import timedelta


class StanchError(Exception):
    """A message for people: what is wrong, where, and what to do. Never holds a secret.

    ``then`` is the command to type next where the remedy names none.
    """

    exit_code = 2
    then = ""

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(StanchError):
    """The caller asked for something that does not exist or is not allowed."""


class ConfigError(StanchError):
    """The configuration is wrong; the message names file and key."""

    then = "stanch doctor"


class RunbookError(StanchError):
    """A runbook or policy is wrong; the message names file and line."""

    then = "stanch runbooks check"


class ApprovalRefused(StanchError):  # noqa: N818  # a rule's answer, named as people say it
    """The decision cannot be taken by this person, now, or for this plan."""

    then = "stanch incidents"


class StoreError(StanchError):
    """The store cannot be used (newer schema, unreachable)."""

    then = "stanch doctor"


class VaultError(StanchError):
    """A sealed value cannot be opened (wrong master key, altered, shredded)."""

    then = "stanch doctor"


class LedgerError(StanchError):
    """The record cannot be written. Whatever wanted to be recorded must not happen."""

    exit_code = 70
    then = "stanch audit verify"


class Tampered(StanchError):  # noqa: N818  # what is found, named as the verdict says it
    """What the store says was not written by this installation: nothing may rest on it."""

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(
            f"TAMPERED: {message}",
            remedy="run `stanch audit verify`; restore the database from a backup, find out who "
            "writes to it, and until then do by hand what is urgent",
        )


class LeaseLost(Exception):  # noqa: N818  # an event between workers, never shown to a person
    """Another worker holds the step now, or a person stopped the run: stop without writing."""


class Retryable(Exception):  # noqa: N818  # a decision, not a failure
    """The world said "not now" (throttled, unreachable). Try again after ``after``.

    ``refused``: it said so before anything was changed, so what is found later is not our doing.
    """

    def __init__(self, why: str, *, after: timedelta, refused: bool = False) -> None:
        super().__init__(why)
        self.after = after
        self.refused = refused


class StepFailed(StanchError):  # noqa: N818  # an outcome, named as the run's state is
    """A step cannot succeed without a person; the message says what is true now."""

    exit_code = 1
    then = "stanch incidents"
