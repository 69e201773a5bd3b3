"""Where a secret was seen: one variant for each kind of source, so no mixture exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InWorktree:
    """A file on disk. ``path`` is relative to the scanned root, with forward slashes."""

    path: str
    source = "worktree"


@dataclass(frozen=True, slots=True, kw_only=True)
class InIndex:
    """A staged change: the file as it would be committed."""

    path: str
    source = "staged"


@dataclass(frozen=True, slots=True, kw_only=True)
class InCommit:
    """A blob in git history, with the commit that introduced it. ``committed_at`` is UTC."""

    path: str
    commit: str
    author: str
    committed_at: datetime
    source = "git-history"


@dataclass(frozen=True, slots=True, kw_only=True)
class InStream:
    """Text that arrived on standard input or another stream; ``path`` is its display name."""

    path: str
    source = "stream"


Provenance = InWorktree | InIndex | InCommit | InStream
