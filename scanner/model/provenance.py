"""Where a secret was seen: one variant for each kind of source, so no mixture exists."""

from __future__ import annotations

from datetime import datetime

from stanch.scanner.model.record import Record


class InWorktree(Record):
    """A file on disk. ``path`` is relative to the scanned root, with forward slashes."""

    path: str
    source = "worktree"


class InIndex(Record):
    """A staged change: the file as it would be committed."""

    path: str
    source = "staged"


class InCommit(Record):
    """A blob in git history, with the commit that introduced it. ``committed_at`` is UTC.

    ``in_head`` says whether the value is still in HEAD at this path (None: not known), ``link`` is
    the page of its line where the repository's host is known. Of a ``message`` of a commit or an
    annotated tag ``path`` says what it is.
    """

    path: str
    commit: str
    author: str
    committed_at: datetime
    in_head: bool | None = None
    link: str | None = None
    message: bool = False

    @property
    def source(self) -> str:
        """The kind of source, as reports name it."""
        return "git-message" if self.message else "git-history"


class InStream(Record):
    """Text that arrived on standard input or another stream; ``path`` is its display name."""

    path: str
    source = "stream"


Provenance = InWorktree | InIndex | InCommit | InStream
