"""A source over contents that are known by their ids."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InCommit, InIndex, Provenance
from stanch.scanner.sources.git.blob_reader import Blob, BlobReader
from stanch.scanner.sources.git.repository import Repository
from stanch.scanner.sources.source import batched


class Blobs:
    """Each whole, at its place; what has none is staged."""

    def __init__(
        self,
        *,
        repository: Repository,
        blobs: Iterable[Blob],
        places: Mapping[Blob, InCommit] = MappingProxyType({}),
    ) -> None:
        self.blobs, self.places = blobs, places
        self._reader = BlobReader(repository=repository, place=self._place)

    def batches(self) -> Iterator[tuple[Blob, ...] | Gap]:
        """The blobs, as given."""
        return batched(self.blobs)

    def read(self, batch: tuple[Blob, ...]) -> Iterator[Fragment | Gap]:
        """Their content."""
        return self._reader.read(batch)

    def close(self) -> None:
        """End the reading git."""
        self._reader.close()

    def label(self, item: Blob) -> str:
        """The path."""
        return item.path

    def _place(self, blob: Blob) -> Provenance:
        return self.places.get(blob) or InIndex(path=blob.path)
