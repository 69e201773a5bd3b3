"""What can go wrong, each with its remedy and exit code."""

from __future__ import annotations

INTERNAL = 70
"""The exit code of a defect of ours (EX_SOFTWARE of sysexits(3))."""

_PLACES = 12  # the innermost


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


class DefectError(Exception):
    """A defect in another process, by its kind and places; what its text said stays there."""


class SourceError(ScannerError):
    """The target cannot be read at all."""

    exit_code = 3


class LastingError(SourceError):
    """A source that cannot be read, however often it is tried."""


def rendered(error: Exception, remedy: str) -> str:
    """What a person reads who can mend it. Names in it may come from whoever wrote the target."""
    return f"error: {printable(str(error))}\n  help: {printable(remedy)}"


def ending(remedy: str, then: str) -> str:
    """The remedy, and behind one that names no command the next to type."""
    import re  # noqa: PLC0415  # for mistakes only, and a hook has to start quickly

    named = re.search(r"(?:^|[\s`:(])(?:stanch|git|make|chmod|pipx) [a-z-]+", remedy)
    return remedy if named else f"{remedy}; next: `{then}`"


def defect(error: BaseException) -> str:
    """What a person reads who cannot: kinds and places of our code, never what was worked on.

    The text of an exception may quote a value: that of a ``KeyError`` is one.
    """
    if isinstance(error, DefectError):
        return str(error)
    places = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"  {code.co_filename}:{trace.tb_lineno} in {code.co_name}")
        trace = trace.tb_next
    return "\n".join((f"internal error: {type(error).__name__}", *places[-_PLACES:]))


def printable(text: str) -> str:
    r"""The text with what a terminal would act on as ``\xNN`` or ``\uNNNN``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
