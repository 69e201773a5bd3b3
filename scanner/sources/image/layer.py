"""Opens one layer and reads every file in it, streaming; what it holds by name comes last."""

from __future__ import annotations

import io
from array import array
from collections.abc import Callable, Iterator
from hashlib import blake2b
from typing import IO, Any

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InImage
from stanch.scanner.model.record import Record, replace
from stanch.scanner.sources.content.archive import LOOKED_AT, members
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.content.kept import kept
from stanch.scanner.sources.content.tar import BLOCK, Entry, Tar, begins_tar
from stanch.scanner.sources.content.text_or_binary import (
    TAR_MAGIC,
    WINDOW,
    is_archive,
    is_binary,
    is_wrapped,
)
from stanch.scanner.sources.content.unpacked import DamagedError, unpacked, unpacker
from stanch.scanner.sources.content.window import Read, fragments
from stanch.scanner.sources.image.blob import Checked, Tap, unread
from stanch.scanner.sources.image.listing import Layer
from stanch.scanner.sources.image.manifest import LARGEST
from stanch.scanner.sources.image.text import pretty

_BUFFER = 256 << 10
_ARCHIVE = 64 << 20  # bytes of an archive in a layer, which has to be held in memory
_ENTRIES = 4_000_000
_GONE = ".wh."
_OPAQUE = ".wh..wh..opq"
_OTHER = ".wh..wh."  # what old engines kept for themselves


class Contents(Record):
    """What a layer does to the files below it: hashes of paths, in order (see :func:`mark`).

    ``whole`` says that all of it was read and is what its digest says; a name is no digest,
    whatever it looks like.
    """

    layer: str
    paths: bytes
    removed: bytes
    emptied: bytes  # folders of which nothing below is seen any more
    whole: bool


def mark(path: str) -> int:
    """A path as a number: the same in every process and run."""
    return int.from_bytes(blake2b(path.encode("utf-8", "surrogatepass"), digest_size=8).digest())


class LayerReader:
    """Reads one layer; ``tell`` gets its :class:`Contents` when there is no more to read."""

    def __init__(self, layer: Layer, tell: Callable[[Contents], None]) -> None:
        self._layer = layer
        self._tell = tell
        self._paths = array("Q")
        self._removed = array("Q")
        self._emptied = array("Q")
        self.name = f"{layer.place.image}: layer {layer.place.layer or layer.blob.name}"
        self._lead = "" if layer.listed else f"{layer.blob.name}!"

    def read(self, file: IO[bytes]) -> Iterator[Fragment | Gap]:
        """Everything in the layer whose bytes these are; damage is a gap."""
        whole = True
        try:
            yield from self._read(file)
        except OSError as error:
            whole = False
            yield Gap(path=self.name, why=unread(error), incomplete=True)
        identity = self._layer.blob.identity
        self._tell(
            Contents(
                layer=identity or self._layer.blob.name,
                paths=_sorted(self._paths),
                removed=_sorted(self._removed),
                emptied=_sorted(self._emptied),
                whole=whole and identity is not None,
            )
        )

    def _read(self, file: IO[bytes]) -> Iterator[Fragment | Gap]:
        blob = self._layer.blob
        # What nobody has packed is the same packed and unpacked.
        checked = Checked(file.read, blob.digest or blob.diff_id, blob.size)
        packed = io.BufferedReader(checked, _BUFFER)
        head = packed.peek(BLOCK)[:BLOCK]
        make = unpacker(head)
        if make is None:
            yield from self._unpacked(packed)
            _drain(packed)
            checked.verify(replace(blob, digest=blob.digest or blob.diff_id))
            if blob.digest and blob.diff_id not in {None, checked.hexdigest}:
                raise DamagedError("it is not what the configuration says (DiffID)")
            return
        tap = Tap(checked, blob.diff_id)
        stream = unpacked(packed.read, make, tap)
        yield from self._unpacked(stream)
        _drain(stream)
        _drain(packed)
        tap.verify()
        if blob.digest is not None:
            checked.verify(blob)

    def _unpacked(self, stream: io.BufferedReader[Any]) -> Iterator[Fragment | Gap]:
        head = stream.peek(BLOCK)[:BLOCK]
        if self._is_tar(head):
            tar = Tar(stream)
            for entry in tar:
                yield from self._entry(tar, entry)
            tar.finish()
        elif is_archive(head):  # beside the layers, or a layer within a layer
            yield from self._archive(stream.read, self._place(self._lead[:-1] or "blob"))
        else:
            place = self._place("blob" if self._layer.listed else self._layer.blob.name)
            text = pretty(stream.read(LARGEST)) if head.startswith(b"{") else b""
            yield from fragments(_chained(text, kept(stream)), place)

    def _is_tar(self, head: bytes) -> bool:
        """What an image names as a layer is one, or damaged; attestations are JSON."""
        if self._layer.listed and self._layer.blob.diff_id and not head.startswith(b"{"):
            return True
        return begins_tar(head) or head[TAR_MAGIC] == b"ustar"

    def _entry(self, tar: Tar, entry: Entry) -> Iterator[Fragment | Gap]:
        path = tidy(display(entry.name))
        self._note(path, entry)
        if not entry.size:
            return
        place = self._place(f"{self._lead}{path}")
        if entry.size > WINDOW:
            yield from self._large(tar, entry.size, place)
            return
        data = tar.read(entry.size)
        binary, wrapped = is_binary(data), is_wrapped(data)
        if not (binary or wrapped):
            yield Fragment(data=data, provenance=place)
        elif wrapped or is_archive(data):
            yield from members(io.BytesIO(data), place)
        else:
            yield from fragments(io.BytesIO(data).read, place, len(data))

    def _large(self, tar: Tar, size: int, place: InImage) -> Iterator[Fragment | Gap]:
        stream = io.BufferedReader(Checked(tar.read, None), WINDOW)
        head = stream.peek(LOOKED_AT)
        if is_wrapped(head) or (is_binary(head) and is_archive(head)):
            if size > _ARCHIVE:
                why = f"archive of more than {_ARCHIVE >> 20} MiB within a layer"
                yield Gap(path=place.path, why=why, incomplete=True, lasting=True)
                return
            yield from self._archive(stream.read, place)
        else:
            yield from fragments(kept(stream), place)

    def _archive(self, read: Callable[[int], bytes], place: InImage) -> Iterator[Fragment | Gap]:
        data = read(_ARCHIVE + 1)
        if len(data) > _ARCHIVE:
            raise DamagedError(f"archive of more than {_ARCHIVE >> 20} MiB")
        # Apart from the stream: the time limit of an archive may end it anywhere.
        yield from members(io.BytesIO(data), place)

    def _note(self, path: str, entry: Entry) -> None:
        """Remember what the entry hides of the layers below."""
        if len(self._paths) + len(self._removed) > _ENTRIES:
            raise DamagedError(f"has more than {_ENTRIES:,} entries; the rest is not read")
        folder, _, name = path.rpartition("/")
        if not name.startswith(_GONE):
            if not entry.is_folder:
                self._paths.append(mark(path))
        elif name == _OPAQUE:
            self._emptied.append(mark(folder))
        elif not name.startswith(_OTHER):
            gone = name[len(_GONE) :]
            self._removed.append(mark(f"{folder}/{gone}" if folder else gone))

    def _place(self, path: str) -> InImage:
        place = self._layer.place
        return InImage(
            path=path,
            image=place.image,
            manifest=place.manifest,
            platform=place.platform,
            layer=place.layer,
            instruction=place.instruction,
            base=place.base,
        )


def tidy(path: str) -> str:
    """A path below the image's root, without what leads nowhere."""
    path = path.removeprefix("./")
    path = path.strip("/")
    if "//" in path or "/./" in path:
        path = "/".join(part for part in path.split("/") if part not in {"", "."})
    return path


def _chained(first: bytes, read: Read) -> Read:
    """A reader of what has been read already, and then of the rest."""
    ahead = io.BytesIO(first)
    return lambda size: ahead.read(size) or read(size)


def _drain(stream: IO[bytes]) -> None:
    while stream.read(_BUFFER):
        pass


def _sorted(marks: array[int]) -> bytes:
    return array("Q", sorted(set(marks))).tobytes()
