"""An image as a source: one item is one layer, the largest first."""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InImage
from stanch.scanner.sources.content.window import fragments
from stanch.scanner.sources.image.blob import Blob, Store, unread
from stanch.scanner.sources.image.layer import Contents, LayerReader
from stanch.scanner.sources.image.listing import Document, Layer, Listing
from stanch.scanner.sources.source import Aside

Item = Document | Layer


class ImageSource:
    """What a listing names. Layers that are ``known`` from earlier scans are left out."""

    def __init__(self, listing: Listing, store: Store, known: Collection[str] = ()) -> None:
        self._listing, self._store, self._known = listing, store, known

    def batches(self) -> Iterator[tuple[Item, ...] | Gap]:
        """Gaps and documents, then layers, then what merely lies beside them."""
        yield from self._listing.gaps
        if self._listing.documents:
            yield tuple(self._listing.documents)
        layers = self._listing.layers()
        read = self._listing.read | {each.blob.name for each in layers}
        if not self._store.addressed:
            layers += [self._beside(blob) for blob in self._store.loose(read)]
        layers = [each for each in layers if each.blob.identity not in self._known]
        for each in sorted(layers, key=self._rank):
            yield (each,)

    def read(self, batch: tuple[Item, ...]) -> Iterator[Fragment | Gap | Aside]:
        """What is in a document or a layer."""
        for item in batch:
            if isinstance(item, Document):
                yield from fragments(io.BytesIO(item.data).read, item.place)
            else:
                yield from self._layer(item)

    def close(self) -> None:
        """End what is open in this process."""
        self._store.close()

    def label(self, item: Item) -> str:
        """A layer's digest, or what a document is."""
        return item.place.path if isinstance(item, Document) else f"layer {item.place.layer}"

    def _layer(self, layer: Layer) -> Iterator[Fragment | Gap | Aside]:
        told: list[Contents] = []
        reader = LayerReader(layer, told.append)
        try:
            with self._store.open(layer.blob) as file:
                yield from reader.read(file)
        except OSError as error:
            yield Gap(path=reader.name, why=unread(error), incomplete=True)
        yield from (Aside(about=each) for each in told)

    def _beside(self, blob: Blob) -> Layer:
        place = InImage(
            path="", image=self._listing.image, manifest="", platform="beside the images"
        )
        return Layer(blob=blob, place=place, listed=False)

    def _rank(self, layer: Layer) -> tuple[bool, int]:
        return not layer.listed, self._store.rank(layer.blob)
