"""Finds repositories by looking at files: runs nothing, reads no configuration."""

from __future__ import annotations

from pathlib import Path

from stanch.scanner.model.record import Record
from stanch.scanner.sources.git.private_git_dir import elsewhere, place_at


class Layout(Record):
    """Where a repository keeps its things. ``top`` is the working tree's root, None when bare.

    ``git_dir`` holds HEAD and the index, ``common_dir`` objects and refs; they differ in a linked
    working tree (``git worktree``) only.
    """

    top: Path | None
    git_dir: Path
    common_dir: Path

    @property
    def elsewhere(self) -> bool:
        """Whether the working tree only points to this repository, which does not know it."""
        return self.top is not None and elsewhere(str(self.top), str(self.git_dir))


def enclosing(path: Path) -> Layout | None:
    """The repository that contains this (real) path, or None. Runs nothing."""
    for place in (path, *path.parents):
        layout = at(place)
        if layout is not None:
            return layout
    return None


def at(place: Path) -> Layout | None:
    """The repository whose root (or bare directory) is exactly this place, or None."""
    found = place_at(str(place))
    if found is None:
        return None
    top, git_dir, common_dir = found
    return Layout(
        top=None if top is None else Path(top), git_dir=Path(git_dir), common_dir=Path(common_dir)
    )
