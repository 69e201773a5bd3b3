"""This machine: programs, configuration, data directory, key files."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from stanch.responder.checkup.in_force import place, unread
from stanch.responder.config import Settings, origin
from stanch.responder.domain.check import Check, State
from stanch.scanner import __version__

_LEAST_GIT = (2, 30)


def programs() -> Iterator[Check]:
    """Python, Stanch and git."""
    yield Check(State.GOOD, "programs", f"stanch {__version__}, python {platform.python_version()}")
    git = shutil.which("git")
    if git is None:
        yield Check(State.WRONG, "programs", "git is missing", "install git 2.30 or newer")
        return
    said = subprocess.run([git, "--version"], capture_output=True, text=True, check=False).stdout
    if _number(said) < _LEAST_GIT:
        yield Check(State.WRONG, "programs", f"{said.strip()} is old", "install git 2.30 or newer")
    else:
        yield Check(State.GOOD, "programs", said.strip())


def configuration(settings: Settings) -> Iterator[Check]:
    """Which file is in force, and whether it holds a password."""
    found = origin()
    read = "no file: every setting is at its default" if found == "defaults" else f"read {found}"
    yield Check(State.GOOD, "configuration", read)
    here = unread(settings)
    if here is not None:
        yield Check(
            State.GOOD,
            "configuration",
            f"{here} is not read: a folder that somebody else may have written configures nothing",
            f"if it is yours, move it to {place(settings)} or set STANCH_CONFIG",
        )
    for section, url in (("store", settings.store.url), ("broker", settings.broker.url)):
        user, at, _ = url.partition("://")[2].rpartition("@")
        if at and ":" in user:
            yield Check(
                State.WRONG,
                "configuration",
                f"[{section}] url holds a password",
                f'take it out and set [{section}] password = "file:/path"',
            )


def barred(path: Path) -> Path | None:
    """The folder that keeps us from creating a path; None if nothing does."""
    near = next(each for each in path.absolute().parents if each.exists())
    return None if near.is_dir() and os.access(near, os.W_OK | os.X_OK) else near


def _to_be_created(home: Path) -> Check:
    bar = barred(home)
    if bar is None:
        return Check(State.GOOD, "data", f"{home} will be created (0700) on first use")
    return Check(
        State.WRONG,
        "data",
        f"{home} cannot be created: {bar} is not writable",
        "set STANCH_HOME to a directory you may write; until then each scan has fingerprints "
        "of its own, and nothing can be responded to",
    )


def data(settings: Settings) -> Iterator[Check]:
    """The data directory belongs to its owner alone."""
    home = settings.data
    if not home.exists():
        yield _to_be_created(home)
        return
    mode = stat.S_IMODE(home.stat().st_mode)
    if mode & 0o077:
        yield Check(
            State.WRONG, "data", f"{home} is open to others (mode {mode:04o})", f"chmod 700 {home}"
        )
    else:
        yield Check(State.GOOD, "data", f"{home} (mode {mode:04o})")
    for path in _open_files(settings, home):
        yield Check(
            State.WRONG,
            "data",
            f"{path} is open to others (mode {stat.S_IMODE(path.stat().st_mode):04o})",
            f"chmod 600 {path}; the next command that opens it does so too",
        )


def _open_files(settings: Settings, home: Path) -> list[Path]:
    """The store and the anchors, where others may look into them."""
    anchor = settings.reference(settings.ledger.anchor, "anchors.jsonl").partition(":")[2]
    named = [*sorted(home.glob("stanch.db*")), Path(anchor).expanduser()]
    return [path for path in named if path.is_file() and path.stat().st_mode & 0o077]


def keys(settings: Settings, *, used: bool) -> Iterator[Check]:
    """The key files. ``used``: the store holds what these keys protect, so none may be new."""
    for area, what, reference in _references(settings):
        scheme, _, rest = reference.partition(":")
        if scheme == "file" and rest:
            yield _key_file(area, what, Path(rest).expanduser(), used=used)
        elif scheme in {"env", "aws-kms"} and rest:
            yield Check(State.GOOD, area, f"{what}: {reference}")
        else:
            yield Check(
                State.WRONG, area, f"{what} is not a reference", "write file:/path, never the value"
            )


def _references(settings: Settings) -> Sequence[tuple[str, str, str]]:
    named = settings.reference
    return (
        ("vault", "master key", named(settings.vault.master_key, "master.key")),
        ("ledger", "ledger key", named(settings.ledger.key, "ledger.key")),
        ("ledger", "checkpoint key", named(settings.ledger.signing_key, "checkpoint.key")),
    )


def _key_to_be_made(area: str, what: str, path: Path) -> Check:
    bar = barred(path)
    if bar is None:
        return Check(State.GOOD, area, f"{what} {path} will be created on first use")
    said = f"{what} {path} cannot be created: {bar} is not writable"
    return Check(State.WRONG, area, said, "name a file in a directory that you may write")


def _key_file(area: str, what: str, path: Path, *, used: bool) -> Check:
    if not path.exists() and used:
        return Check(
            State.WRONG,
            area,
            f"the {what} {path} is gone, but the store was written with it",
            "restore the file from its backup; a new key cannot read what the old one wrote",
        )
    if not path.exists():
        return _key_to_be_made(area, what, path)
    mode = stat.S_IMODE(path.lstat().st_mode)
    if path.is_symlink() or mode & 0o077:
        return Check(
            State.WRONG,
            area,
            f"{what} {path} can be read by others (mode {mode:04o})",
            f"chmod 600 {path}, and replace the key if others may have read it",
        )
    return Check(State.GOOD, area, f"{what} {path} (mode {mode:04o})")


def _number(said: str) -> tuple[int, ...]:
    digits = [part for part in said.replace("-", ".").split() if part[:1].isdigit()]
    return tuple(int(n) for n in digits[0].split(".") if n.isdigit()) if digits else ()
