"""Lists an image that is on this machine: an OCI layout, what ``docker save`` writes, or both."""

from __future__ import annotations

from stanch.scanner.sources.image.blob import Blob, Store, is_digest, unread
from stanch.scanner.sources.image.listing import EVERY, Lister
from stanch.scanner.sources.image.manifest import LARGEST, MANIFEST, SAVED
from stanch.scanner.sources.image.text import pretty

OWN = frozenset(("oci-layout", "index.json", "manifest.json"))
"""What an image has at its top."""

_NO_IMAGE = (
    "holds no image: neither index.json of an OCI layout nor manifest.json of `docker save` "
    "(what Docker saved before 1.10 is not read: save it again)"
)


def list_local(store: Store, lister: Lister) -> None:
    """Take note of all that the store holds."""
    found = False
    for name, read in (("index.json", _index), ("manifest.json", _saved)):
        data = _optional(store, name, lister)
        if data is not None:
            found = True
            read(lister, data)
    if not found:
        lister.lost("image", _NO_IMAGE)
    lister.over()


def _optional(store: Store, name: str, lister: Lister) -> bytes | None:
    try:
        with store.open(Blob(name=name)) as file:
            return file.read(LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        lister.lost(name, unread(error))
        return None


def _index(lister: Lister, data: bytes) -> None:
    lister.say("index.json", pretty(data), "", EVERY)
    index = lister.decoded(MANIFEST, data, "index.json")
    listed = tuple(index.manifests or ()) if index else ()
    for each in listed:
        lister.descriptor(each, 0, listed)


def _saved(lister: Lister, data: bytes) -> None:
    lister.say("manifest.json", pretty(data), "", EVERY)
    known = {built.config for built in lister.listing.built}
    for image in lister.decoded(SAVED, data, "manifest.json") or ():
        digests = {name: _digest(name) for name in (image.config, *image.layers)}
        if digests[image.config] not in known:
            lister.saved(image, digests)
        lister.listing.read.update((image.config, *image.layers))


def _digest(name: str) -> str | None:
    """The digest that a name in ``docker save`` says: ``blobs/sha256/HEX`` or ``HEX.json``."""
    if name.startswith("blobs/"):
        said = ":".join(name.split("/")[1:])
    else:
        said = "sha256:" + name.removesuffix(".json")
    return said if is_digest(said) else None
