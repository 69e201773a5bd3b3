"""Standard output and error as a process gets them: of any encoding, on a full disk, closed."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from typing import NoReturn

from stanch.scanner.model.error import ScannerError, UsageError

_ESCAPED = "stanch.escaped"
_LOST = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EPIPE, errno.EBADF}
_INCOMPLETE = 3
_COMMANDS = ("stanch ", "git ")  # what is pasted


class UnwritableError(ScannerError):
    """What was found cannot be told: nothing that was not shown is clean."""

    exit_code = _INCOMPLETE


def prepare() -> None:
    """Let both streams take every character, and be there."""
    if os.environ.get("NO_COLOR"):  # rich leaves bold and dim, which are no colours
        os.environ.setdefault("TTY_COMPATIBLE", "0")
    codecs.register_error(_ESCAPED, _escaped)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by the caller: `>&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115  # to the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_ESCAPED)


def say(text: str) -> None:
    """Write lines; those that are too long for a terminal go on in the next, indented."""
    lines = text.split("\n")
    if sys.stderr.isatty():
        lines = [piece for line in lines for piece in _fitted(line)]
    sys.stderr.writelines(f"{line}\n" for line in lines)


def _fitted(line: str) -> list[str]:
    """The line in pieces; a command that is to be pasted stays whole, on a line of its own."""
    import shutil  # noqa: PLC0415  # for people only, and a hook has to start quickly
    import textwrap  # noqa: PLC0415  # as above

    width = shutil.get_terminal_size().columns
    front, _, command = line.partition(": stanch ")
    if len(line) <= width or line.lstrip().startswith(_COMMANDS):
        return [line]
    if command:
        return [f"{front}:", f"    stanch {command}"]
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(
        line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """What an encoding lacks, written as JSON and Python write it, so that JSON stays JSON."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4)), error.end


def mistake(error: Exception) -> ScannerError | None:
    """What an error of the system means to the person at the terminal; None: it is our own."""
    if not isinstance(error, OSError):
        return None
    if isinstance(error, FileNotFoundError) and error.filename == "git":
        return UsageError("git is not on the PATH", remedy="install git, or add its folder to PATH")
    if error.filename is None and error.errno in _LOST:
        return UnwritableError(
            f"standard output cannot be written: {error.strerror}",
            remedy="free some space, or write elsewhere",
        )
    return None


def finished(code: int) -> int:
    """Bring out what was said; the exit code, never 0 where that did not arrive."""
    try:
        sys.stdout.flush()
    except OSError as error:
        # The interpreter would try once more, and say so in its own words.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:  # the reader has gone; the exit code still counts
            return code
        lost = mistake(error)
        if lost is not None:
            sys.stderr.write(f"error: {lost}\n  help: {lost.remedy}\n")
        return code or _INCOMPLETE
    return code


def leave(code: int) -> NoReturn:
    """End the process; taking apart what was loaded would take longer than some commands."""
    try:
        code = finished(code)
        sys.stderr.flush()
    finally:
        os._exit(code)
