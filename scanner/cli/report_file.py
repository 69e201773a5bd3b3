"""Where reports are written: ``FORMAT=PATH``, and never through a link."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from stanch.scanner.model.error import UsageError
from stanch.scanner.reports.registry import FORMATS

_STANDARD_OUTPUT = "-"


class ReportOption(click.ParamType[tuple[str, str]]):
    """``FORMAT=PATH``, split."""

    name = "report"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """The format and the path."""
        form, _, path = str(value).partition("=")
        if form not in FORMATS or not path:
            self.fail(f"`{value}` is not FORMAT=PATH with one of {', '.join(FORMATS)}", param, ctx)
        return form, path


@contextmanager
def written(path: str) -> Iterator[IO[str]]:
    """A new file that takes its place when it is whole; ``-`` is standard output.

    A link is never followed: a tree that is scanned may hold one to a file of whoever scans it. A
    device or a named pipe is written to as it is.
    """
    if path == _STANDARD_OUTPUT:
        yield sys.stdout
        return
    try:
        mode = _mode(path)
        if stat.S_ISLNK(mode) or stat.S_ISDIR(mode):
            kind = "a link, which is not followed" if stat.S_ISLNK(mode) else "a directory"
            raise UsageError(
                f"cannot write {path}: it is {kind}",
                remedy="remove it, or name another file; `-` is standard output",
            )
        if mode and not stat.S_ISREG(mode):
            with Path(path).open("w", encoding="utf-8") as device:
                yield device
        else:
            with _replaced(Path(path)) as file:
                yield file
    except OSError as error:
        raise UsageError(
            f"cannot write {path}: {error.strerror}", remedy="name a file you may write"
        ) from error


def _mode(path: str) -> int:
    """What lies there; 0 when nothing does."""
    try:
        return Path(path).lstat().st_mode
    except FileNotFoundError:
        return 0


@contextmanager
def _replaced(path: Path) -> Iterator[IO[str]]:
    draft = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yield file
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
