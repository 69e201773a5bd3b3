"""Finds repositories by looking at files: runs nothing, reads no configuration."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_LARGEST_POINTER = 4096  # bytes in a .git file: "gitdir: " and one path


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where a repository keeps its things. ``top`` is the working tree's root, None when bare.

    ``git_dir`` holds HEAD and the index, ``common_dir`` objects and refs; they differ in a linked
    working tree (``git worktree``) only.
    """

    top: Path | None
    git_dir: Path
    common_dir: Path


def enclosing(path: Path) -> Layout | None:
    """The repository that contains this (real) path, or None. Runs nothing."""
    for place in (path, *path.parents):
        layout = at(place)
        if layout is not None:
            return layout
    return None


def at(place: Path) -> Layout | None:
    """The repository whose root (or bare directory) is exactly this place, or None."""
    git_dir = _pointed(place / ".git")
    if git_dir is not None:
        common_dir = _common(git_dir)
        return Layout(top=place, git_dir=git_dir, common_dir=common_dir)
    if place.name != ".git" and _is_git_dir(place, place):
        return Layout(top=None, git_dir=place, common_dir=place)
    return None


def _pointed(dot_git: Path) -> Path | None:
    """The git directory that ``.git`` is, or points to as linked trees and submodules do."""
    try:
        if dot_git.is_file() and dot_git.stat().st_size < _LARGEST_POINTER:
            text = os.fsdecode(dot_git.read_bytes()).rstrip("\n")
            target = dot_git.parent / text.removeprefix("gitdir:").strip()
            found = text.startswith("gitdir:") and _is_git_dir(target, _common(target))
            return target.resolve() if found else None
        return dot_git if _is_git_dir(dot_git, dot_git) else None
    except (OSError, ValueError):
        return None


def _common(git_dir: Path) -> Path:
    pointer = git_dir / "commondir"
    try:
        if not pointer.is_file() or pointer.stat().st_size >= _LARGEST_POINTER:
            return git_dir
        return (git_dir / os.fsdecode(pointer.read_bytes()).strip()).resolve()
    except (OSError, ValueError, RuntimeError):  # a path with a NUL, a loop of links
        return git_dir


def _is_git_dir(git_dir: Path, common_dir: Path) -> bool:
    return (
        (git_dir / "HEAD").is_file()
        and (common_dir / "objects").is_dir()
        and (common_dir / "refs").is_dir()
    )
