"""Files on disk: a single file, a directory, or the working tree of a repository."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InWorktree
from stanch.scanner.model.record import Record, fresh
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.content.text_or_binary import WINDOW, is_binary, is_wrapped
from stanch.scanner.sources.files.content import READ_ONLY, content
from stanch.scanner.sources.files.special_file import odd
from stanch.scanner.sources.files.worktree_listing import listing
from stanch.scanner.sources.git.discovery import enclosing
from stanch.scanner.sources.source import batched


class Worktree(Record, frozen=False):
    """The files below ``root`` (a real path), or just the named ones.

    In a repository git decides what is ignored, elsewhere the ``.gitignore`` files on disk; a
    nested repository follows its own rules. A named file, or a target that is itself ignored, is
    read all the same: somebody asked for it.
    """

    root: Path
    only: tuple[str, ...] = ()
    _inside: dict[str, bool] = fresh(lambda: {"": True})

    def batches(self) -> Iterator[tuple[str, ...] | Gap]:
        """Relative paths of regular files; what else there is, is a gap."""
        return batched(self._named() if self.only else listing(self.root, enclosing(self.root)))

    def read(self, batch: tuple[str, ...]) -> Iterator[Fragment | Gap]:
        """The files' content; what is no regular file, or leads out of the root, is a gap."""
        root = f"{self.root}/"  # hot: pathlib costs 10x
        for path in batch:
            if self._is_inside(path.rpartition("/")[0]):
                text = _small_text(root + path)
                if text is None:
                    yield from content(root + path, InWorktree(path=display(path)))
                else:
                    yield Fragment(data=text, provenance=InWorktree(path=display(path)))
            else:
                yield Gap(path=display(path), why="behind a symbolic link", incomplete=False)

    def close(self) -> None:
        """Nothing stays open between batches."""

    def label(self, item: str) -> str:
        """The path as shown."""
        return display(item)

    def _named(self) -> Iterator[str | Gap]:
        for path in self.only:
            try:
                mode = os.lstat(self.root / path).st_mode
            except OSError:  # whoever reads it says why
                mode = stat.S_IFREG
            yield path if stat.S_ISREG(mode) else odd(display(path), mode)

    def _is_inside(self, directory: str) -> bool:
        """Whether no part of the directory's path is a link that could lead out of the root."""
        known = self._inside.get(directory)
        if known is None:
            known = not (self.root / directory).is_symlink() and self._is_inside(
                directory.rpartition("/")[0]
            )
            self._inside[directory] = known
        return known


def _small_text(full: str) -> bytes | None:
    """An ordinary small text file, as nearly all are; None for what has to be looked at closer."""
    try:
        # Opening a pipe or a device can block or act: whoever listed it has looked. The flags and
        # the second look catch what was exchanged in between.
        descriptor = os.open(full, READ_ONLY)
        try:
            facts = os.fstat(descriptor)
            size = facts.st_size
            if not stat.S_ISREG(facts.st_mode) or size >= WINDOW:
                return None
            data = os.read(descriptor, size + 1)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    plain = len(data) == size and not is_binary(data) and not is_wrapped(data)
    return data if plain else None
