"""The texts of a directory or file as a scan would read them, for who looks for something else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.sources.files.worktree import Worktree


def texts(path: Path) -> Iterator[Fragment | Gap]:
    """What lies below ``path`` and git does not ignore; what could not be read is a gap.

    A large file comes as windows that overlap.
    """
    real = path.resolve()
    alone = () if real.is_dir() else (real.name,)
    source = Worktree(root=real.parent if alone else real, only=alone)
    try:
        for batch in source.batches():
            if isinstance(batch, Gap):
                yield batch
            else:
                yield from source.read(batch)
    finally:
        source.close()
