"""Opens what ``log:`` names: a file, or what a provider keeps."""

from __future__ import annotations

from pathlib import Path

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.provenance import InLog
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.log.source import Log, Logs


def opened(reference: str) -> Logs:
    """The logs; what is on this machine goes first. Raises :class:`UsageError`."""
    path = Path(reference).expanduser()
    if path.is_dir():
        raise UsageError(
            f"{display(reference)} is a directory",
            remedy="name a log in it, or scan it as files: stanch scan DIRECTORY",
        )
    if path.exists():
        return Logs((_file(path),))
    raise UsageError(
        f"there is no file {display(reference)}",
        remedy="name a log, or the archive of a run: stanch scan log:FILE",
    )


def _file(path: Path) -> Log:
    place = InLog(path=display(path.as_posix()), provider="")
    return Log(place=place, open=lambda: path.open("rb"))
