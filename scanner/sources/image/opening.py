"""Opens what ``image:`` names: a folder, a file, or a reference to a registry."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from stanch.scanner.model.error import UsageError
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.image.folder import Folder
from stanch.scanner.sources.image.saved import Saved

if TYPE_CHECKING:
    from stanch.scanner.sources.image.registry import Registry

Image: TypeAlias = "Folder | Saved | Registry"


def opened(reference: str) -> Image:
    """The image's store; what is on this machine goes first. Raises :class:`UsageError`."""
    path = Path(reference).expanduser()
    if path.is_dir():
        return Folder(path)
    if path.exists():
        return Saved(path)
    if reference.startswith(("./", "../", "/", "~")) or reference.endswith((".tar", "/")):
        raise UsageError(
            f"there is no file or directory {display(reference)}",
            remedy="name what `docker save` or `skopeo copy` wrote, or an image of a registry: "
            "stanch scan image:HOST/NAME:TAG",
        )
    # Loaded late: what is on this machine needs no network.
    from stanch.scanner.local.hosts import operator_hosts  # noqa: PLC0415
    from stanch.scanner.sources.image.reference import parsed  # noqa: PLC0415
    from stanch.scanner.sources.image.registry import Registry  # noqa: PLC0415

    return Registry(parsed(reference), operator_hosts())
