"""What a path is that somebody wants scanned: there, in a repository, or a broken one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stanch.scanner.model.error import SourceError, UsageError
from stanch.scanner.model.fragment import Gap
from stanch.scanner.scan.stage import Results, Stage
from stanch.scanner.sources.files.worktree import Worktree
from stanch.scanner.sources.git.discovery import at

_PARTS = ("HEAD", "objects", "refs")
_TELLING = 2  # a project may have a folder called `objects`, and not `refs` beside it


def real(path: Path) -> Path:
    """The path without links; raises UsageError when there is none, SourceError as it may be."""
    try:
        return path.resolve(strict=True)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(
            f"there is no file or directory {_shown(path)}",
            remedy="name one that exists, or `-` for standard input",
        ) from error
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "it is a loop of symbolic links"
        raise SourceError(
            f"cannot read {_shown(path)}: {why}",
            remedy="let this user read it, or name another",
        ) from error


def not_a_repository(path: Path) -> UsageError:
    """History or staged content is asked of what is in no repository."""
    return UsageError(
        f"{_shown(path)} is not in a git repository",
        remedy="name a repository, or leave out --history and --staged",
    )


def no_history(path: Path) -> UsageError:
    """Commits are chosen, and none are read."""
    return UsageError(
        f"--since and --branch choose commits, and no history of {_shown(path)} is read",
        remedy="name a repository's root, add --history, or leave them out: "
        "stanch scan --history [TARGET...]",
    )


def alone(real: Path) -> Worktree:
    """A folder that is in no repository, or a single file."""
    return Worktree(root=real) if real.is_dir() else Worktree(root=real.parent, only=(real.name,))


def _shown(path: Path) -> str:
    return str(path).encode("unicode_escape", "backslashreplace").decode()


def broken(real: Path) -> tuple[Stage, ...]:
    """Says that a folder looks like a repository and none can be read there; else nothing.

    Its files are read as a folder's are; but a history may be there that nobody has seen.
    """
    if not real.is_dir() or at(real) is not None or not _resembles(real):
        return ()

    @contextmanager
    def start() -> Iterator[Results]:
        why = "not read: no readable git repository, though it looks like one, so its files were "
        why += "read and no history; mend it (git fsck, or clone it anew), or say --no-history"
        yield iter((Gap(path="git history", why=why, incomplete=True),))

    return (Stage(open=start, blobs=False),)


def _resembles(real: Path) -> bool:
    """By its name, by what is in it, or by a ``.git`` that is more than an empty folder."""
    dot_git = real / ".git"
    named = real.suffix == ".git" and real.name != ".git"
    return named or _held(real) >= _TELLING or dot_git.is_file() or _held(dot_git) > 0


def _held(place: Path) -> int:
    """How much of a repository is there; all of it, as far as one can know who may not look."""
    try:
        held = {each.name for each in place.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except OSError:
        return len(_PARTS)
    return len(held.intersection(_PARTS))
