"""What can go wrong, each with its remedy and exit code."""

from __future__ import annotations


class ScannerError(Exception):
    """A message for people: what is wrong, where, and what to do. Never holds a secret."""

    exit_code = 2

    def __init__(self, message: str, *, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


class UsageError(ScannerError):
    """The arguments or the configuration are wrong."""


class RuleError(ScannerError):
    """A rule file is wrong; the message names file and line."""


class SourceError(ScannerError):
    """The target cannot be read at all."""

    exit_code = 3
