"""Puts small scripts where git looks for hooks, and takes them away again."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import Record

_FED = ("pre-push", "pre-receive")  # git writes to the standard input of these
_MARK = "# stanch-hook"
_KEPT = ".before-stanch"
_RUNNABLE = 0o755
_RUN = "from stanch.scanner.hook.main import main; main()"


class Hooks(Record):
    """A repository's folder of hooks."""

    folder: Path

    def install(self, kind: str, *, python: str, chain: bool, force: bool) -> str:
        """Write one hook; returns what was done. A foreign hook is chained or replaced if asked."""
        path, kept = self._paths(kind)
        was = "installed"
        if _exists(path) and not _is_ours(path):
            if force:
                path.unlink()
                was = "installed in place of the hook that was there"
            elif chain:
                if _exists(kept):
                    raise UsageError(
                        f"{kept} exists already",
                        remedy="move it away, or replace the hook with --force",
                    )
                path.replace(kept)
                was = "installed; the hook that was there runs first"
            else:
                raise UsageError(
                    f"{path} is a hook that stanch did not make",
                    remedy="--chain runs it before stanch, --force replaces it",
                )
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{kind}.{os.getpid()}")
        draft.write_text(script(kind, python))
        draft.chmod(_RUNNABLE)
        draft.replace(path)  # never through a link that lies there
        return f"{path}: {was}"

    def uninstall(self, kind: str) -> str:
        """Remove one hook of ours and put back what was there before it."""
        path, kept = self._paths(kind)
        if not _exists(path):
            return f"{path}: there is none"
        if not _is_ours(path):
            return f"{path}: left alone, stanch did not make it"
        path.unlink()
        if _exists(kept):
            kept.replace(path)
            return f"{path}: removed; the hook that was there before is back"
        return f"{path}: removed"

    def made(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Those of the kinds of which there is a hook of ours."""
        return tuple(each for each in kinds if _is_ours(self.folder / each))

    def _paths(self, kind: str) -> tuple[Path, Path]:
        return self.folder / kind, self.folder / (kind + _KEPT)


def hooks_of(place: Path, environ: Mapping[str, str], *, shared: bool) -> Hooks:
    """The folder in which git looks for the hooks of the repository around ``place``.

    A folder outside of the repository (``core.hooksPath``) serves others too, so it must be asked
    for with ``shared``.
    """
    if shared and not _inside_any(place, environ):
        return Hooks(folder=_shared_folder(place, environ))
    folder = place / _git(place, environ, "rev-parse", "--git-path", "hooks")
    homes = [place / _git(place, environ, "rev-parse", "--git-common-dir")]
    if _git(place, environ, "rev-parse", "--is-bare-repository") == "false":
        homes.append(place / _git(place, environ, "rev-parse", "--show-toplevel"))
    inside = any(folder.resolve().is_relative_to(home.resolve()) for home in homes)
    if not inside and not shared:
        raise UsageError(
            f"git looks for hooks in {folder}, which other repositories share (core.hooksPath)",
            remedy="--global installs there for all of them",
        )
    return Hooks(folder=folder)


def script(kind: str, python: str) -> str:
    """The hook itself. It names the interpreter by its path: git's PATH is often another one."""
    program = shlex.quote(python)
    feed = "input=$(cat)\n" if kind in _FED else ""
    pipe = "printf '%s\\n' \"$input\" | " if kind in _FED else ""
    run = f"{pipe}{program} -P -c '{_RUN}'"
    bypass = (
        "" if kind == "pre-receive" else f"; to go on without it: git {_verb(kind)} --no-verify"
    )
    return f"""#!/bin/sh
{_MARK}: {kind}
# Made by `stanch hook install`, taken away by `stanch hook uninstall`.
{feed}case $0 in */*) before="${{0%/*}}/{kind}{_KEPT}" ;; *) before="./{kind}{_KEPT}" ;; esac
if [ -x "$before" ]; then
  {pipe}"$before" "$@" || exit $?
fi
if [ ! -x {program} ]; then
  echo "stanch: "{program}" is gone: run 'stanch hook install' again{bypass}" >&2
  exit 2
fi
{run} {kind} "$@"
"""


def _verb(kind: str) -> str:
    return {"pre-push": "push", "pre-merge-commit": "merge"}.get(kind, "commit")


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _is_ours(path: Path) -> bool:
    try:
        return path.is_file() and f"\n{_MARK}" in path.read_text(errors="replace")[:200]
    except OSError:
        return False


def _inside_any(place: Path, environ: Mapping[str, str]) -> bool:
    return _asked(place, environ, "rev-parse", "--git-dir").returncode == 0


def _shared_folder(place: Path, environ: Mapping[str, str]) -> Path:
    """The folder that all repositories of this person share, as git is told to."""
    named = _asked(place, environ, "config", "--global", "--type=path", "core.hooksPath")
    if named.returncode != 0:
        raise UsageError(
            "git has no folder of hooks that repositories share",
            remedy="name one: git config --global core.hooksPath ~/.config/git/hooks; "
            "it takes the place of each repository's own",
        )
    return Path(os.fsdecode(named.stdout).rstrip("\n"))


def _git(place: Path, environ: Mapping[str, str], *arguments: str) -> str:
    done = _asked(place, environ, *arguments)
    if done.returncode != 0:
        raise UsageError(
            f"{place} is not a git repository",
            remedy="run it in the repository that should have the hook",
        )
    return os.fsdecode(done.stdout).rstrip("\n")


def _asked(
    place: Path, environ: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["git", *arguments], cwd=place, env=dict(environ), check=False, capture_output=True
    )
