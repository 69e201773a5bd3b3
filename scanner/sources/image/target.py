"""Opens what ``image:`` names: a folder, a file, or a reference to a registry."""

from __future__ import annotations

from pathlib import Path

from stanch.scanner.model.error import UsageError
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.image.folder import Folder
from stanch.scanner.sources.image.saved import Saved


def opened(reference: str) -> Folder | Saved:
    """The image's store. Raises :class:`UsageError` for a path at which nothing is."""
    path = Path(reference).expanduser()
    if path.is_dir():
        return Folder(path)
    if path.exists():
        return Saved(path)
    raise UsageError(
        f"there is no file or directory {display(reference)}",
        remedy="name what `docker save` or `skopeo copy` wrote: stanch scan image:./saved.tar",
    )
