"""Values for one program: in its environment, behind descriptors, or in files in memory."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from enum import StrEnum
from pathlib import Path

from stanch.responder.domain.error import UsageError
from stanch.scanner.model.secret import SecretValue

_IN_MEMORY = frozenset({"tmpfs", "ramfs"})
_ESCAPED = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}  # of /proc/self/mountinfo


class Mode(StrEnum):
    """Where the program finds a value; the last two put a path into its variable."""

    ENVIRONMENT = "environment"
    DESCRIPTOR = "fd"
    FILE = "file"


@contextmanager
def handed_over(
    values: Mapping[str, SecretValue], environment: Mapping[bytes, bytes], mode: Mode
) -> Iterator[dict[bytes, bytes]]:
    """The environment for the program; what was made for it is gone when the block ends.

    Raises UsageError for a value that a variable cannot hold, or when no folder lies in memory.
    """
    made = dict(environment)
    with ExitStack() as opened:
        folder = opened.enter_context(_folder()) if mode is Mode.FILE else None
        for name, value in values.items():
            made[os.fsencode(name)] = _put(name, value, folder, mode, opened)
        yield made


def _put(
    name: str, value: SecretValue, folder: Path | None, mode: Mode, opened: ExitStack
) -> bytes:
    if mode is Mode.DESCRIPTOR:
        return f"/dev/fd/{_descriptor(value, opened)}".encode()
    if folder is not None:
        return os.fsencode(_file(folder / name, value))
    if b"\0" in value.reveal():
        raise UsageError(
            f"the value for {name} has a NUL in it, which no variable can hold",
            remedy="hand it over with --fd or --file; see `stanch secrets run --help`",
        )
    return value.reveal()


def _descriptor(value: SecretValue, opened: ExitStack) -> int:
    """A sealed piece of memory; whoever opens its path reads it from the beginning."""
    number = os.memfd_create("stanch", os.MFD_ALLOW_SEALING)
    opened.callback(os.close, number)
    _write(number, value)
    fcntl.fcntl(
        number,
        fcntl.F_ADD_SEALS,
        fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL,
    )
    os.set_inheritable(number, True)
    return number


def _file(path: Path, value: SecretValue) -> Path:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o400)
    try:
        _write(number, value)
    finally:
        os.close(number)
    return path


def _write(number: int, value: SecretValue) -> None:
    left = memoryview(value.reveal())
    while left:
        left = left[os.write(number, left) :]


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of our own that lies in memory, mode 0700."""
    root = next(filter(in_memory, _roots()), None)
    if root is None:
        raise UsageError(
            "there is no folder in memory (tmpfs) for this user: a file would reach the disk",
            remedy="hand the values over with --fd, or mount a tmpfs at /dev/shm; see "
            "`stanch secrets run --help`",
        )
    folder = Path(tempfile.mkdtemp(prefix="stanch-", dir=root))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _roots() -> Iterator[Path]:
    for text in (os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):  # noqa: S108  # mkdtemp makes our own
        if text and os.access(text, os.W_OK | os.X_OK):
            yield Path(text)


def in_memory(path: Path) -> bool:
    """Whether what is written there stays in memory (or swap)."""
    real, kind, longest = path.resolve(), "", -1
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        front, _, behind = line.partition(" - ")
        place = front.split(" ")[4]
        for code, character in _ESCAPED.items():
            place = place.replace(code, character)
        mount = Path(place)
        if len(place) >= longest and (real == mount or mount in real.parents):
            kind, longest = behind.split(" ")[0], len(place)
    return kind in _IN_MEMORY
