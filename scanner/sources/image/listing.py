"""Finds out what an image is made of: its platforms, its layers, and the documents beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InImage
from stanch.scanner.model.record import Record, fresh, replace
from stanch.scanner.sources.image.blob import Blob, Checked, Store, is_digest, unread
from stanch.scanner.sources.image.history import base_layers, instruction, makers, shared_base
from stanch.scanner.sources.image.manifest import (
    CONFIG,
    LARGEST,
    MALFORMED,
    MANIFEST,
    Config,
    Descriptor,
    Manifest,
    Platform,
    Saved,
)
from stanch.scanner.sources.image.text import HISTORY, VERBS, config_parts, pretty

_MOST = 1000  # manifests
_DEEPEST = 4  # indexes within indexes
_KIND, _ABOUT = "vnd.docker.reference.type", "vnd.docker.reference.digest"
EVERY = "every platform"

T = TypeVar("T")
Masked = Callable[[str], str]
"""Takes secrets out of an instruction."""


class Document(Record):
    """Text that stands in no layer, and where."""

    place: InImage
    data: bytes


class Layer(Record):
    """A blob to be opened; ``place`` says everything but the path."""

    blob: Blob
    place: InImage
    listed: bool = True  # false for what merely lies beside


class Built(Record):
    """One image of one platform: its layers from the bottom up, each with its instruction."""

    manifest: str
    config: str | None
    platform: str
    layers: tuple[Blob, ...]
    instructions: tuple[str | None, ...]
    base: int
    steps: tuple[str | None, ...] = ()  # every instruction, those that made no layer too


class Listing(Record, frozen=False):
    """Everything that an image holds."""

    image: str
    home: str = ""  # the repository in a registry: HOST/NAME
    documents: list[Document] = fresh(list)
    built: list[Built] = fresh(list)
    gaps: list[Gap] = fresh(list)
    read: set[str] = fresh(set)  # the names of blobs that have been looked at

    def chains(self) -> list[list[str]]:
        """The layers of each image by their identities."""
        return [[each.identity or each.name for each in built.layers] for built in self.built]

    def copies(self, place: InImage) -> tuple[str, ...]:
        """In a registry every manifest that has the layer; what is on this machine is no copy."""
        named = zip(self.built, self.chains(), strict=True)
        having = [built.manifest for built, chain in named if place.layer in chain]
        within = having if place.layer else [place.manifest]
        return tuple(f"image:{self.home}@{each}" for each in within if self.home and each)

    def layers(self) -> list[Layer]:
        """Every layer once, in the order of the images; it is the base's if it is so in all."""
        shared = shared_base(self.chains())
        uses: dict[str, list[tuple[int, int]]] = {}
        for number, built in enumerate(self.built):
            for at, blob in enumerate(built.layers):
                uses.setdefault(blob.identity or blob.name, []).append((number, at))
        return [self._layer(places, shared) for places in uses.values()]

    def instruction(self, place: InImage, line: int) -> str | None:
        """What made a line of what a configuration says; None where the history does not tell."""
        steps = next((each.steps for each in self.built if each.manifest == place.manifest), ())
        if place.path == HISTORY:
            return steps[line - 1] if line <= len(steps) else None
        verb = VERBS.get(place.path)
        data = next((each.data for each in self.documents if each.place == place), b"")
        said = data.split(b"\n")[line - 1 : line] if verb else []
        name = said[0].partition(b"=")[0].decode("utf-8", "replace") if said else ""
        made = [each for each in steps if each and each.startswith(f"{verb} ") and name in each]
        return made[-1] if made and name else None

    def _layer(self, places: list[tuple[int, int]], shared: dict[int, int]) -> Layer:
        users = [(self.built[number], number, at) for number, at in places]
        first, _, at = users[0]
        base = all(at < max(built.base, shared[number]) for built, number, at in users)
        platforms = dict.fromkeys(built.platform for built, _, _ in users)
        blob = first.layers[at]
        place = InImage(
            path="",
            image=self.image,
            manifest=first.manifest,
            platform=", ".join(platforms),
            layer=blob.identity or blob.name,
            instruction=first.instructions[at],
            base=base,
        )
        return Layer(blob=blob, place=place)


class Lister(Record, frozen=False):
    """Reads documents from a store; what is wrong with one is a gap, and the others are read."""

    store: Store
    listing: Listing
    masked: Masked
    _seen: set[str] = fresh(set)

    def document(self, blob: Blob, name: str) -> bytes | None:
        """A small blob whole, and its digest verified; None (and a gap) when it cannot be had."""
        self.listing.read.add(blob.name)
        if blob.size is not None and blob.size > LARGEST:
            self.lost(name, f"is larger than {LARGEST >> 20} MiB, as no {name} is")
            return None
        try:
            with self.store.open(blob) as file:
                stream = Checked(file.read, blob.digest)
                data = stream.read(LARGEST + 1) or b""
                data += stream.read(1) or b""  # raises what has broken it
                if len(data) > LARGEST:
                    self.lost(name, f"is larger than {LARGEST >> 20} MiB, as no {name} is")
                    return None
                stream.verify(blob)
        except OSError as error:
            self.lost(f"{name} {blob.digest or blob.name}", unread(error))
            return None
        return data

    def decoded(self, decoder: msgspec.json.Decoder[T], data: bytes, name: str) -> T | None:
        """What a document says; None (and a gap) when it is no such document."""
        try:
            return decoder.decode(data)
        except MALFORMED as error:
            self.lost(name, f"is malformed: {_why(error)}")
            return None

    def lost(self, name: str, why: str) -> None:
        """Take note of what is not read, and makes the scan incomplete."""
        self.listing.gaps.append(
            Gap(path=f"{self.listing.image}: {name}", why=why, incomplete=True)
        )

    def say(
        self, path: str, data: bytes, manifest: str, platform: str, said: str | None = None
    ) -> None:
        """Text to be scanned."""
        place = InImage(
            path=path,
            image=self.listing.image,
            manifest=manifest,
            platform=platform,
            instruction=said,
        )
        self.listing.documents.append(Document(place=place, data=data))

    def descriptor(
        self, found: Descriptor, depth: int = 0, index: tuple[Descriptor, ...] = ()
    ) -> None:
        """An index, or a manifest."""
        blob = self.blob(found, "manifest")
        if blob is None or found.digest in self._seen:
            return
        self._seen.add(found.digest)
        if len(self._seen) > _MOST or depth > _DEEPEST:
            self.lost("index", f"has more than {_MOST} manifests, or indexes {_DEEPEST} deep")
            return
        data = self.document(replace(blob, manifest=True), "manifest")
        if data is not None:
            self.manifest(data, found, depth, index)

    def manifest(
        self, data: bytes, found: Descriptor, depth: int = 0, index: tuple[Descriptor, ...] = ()
    ) -> None:
        """The same, from its bytes."""
        digest = found.digest
        manifest = self.decoded(MANIFEST, data, f"manifest {digest}")
        if manifest is None:
            self.say("manifest", pretty(data), digest, EVERY)
        elif manifest.manifests is not None:
            self.say("index", pretty(data), digest, EVERY)
            for each in manifest.manifests:
                self.descriptor(each, depth + 1, tuple(manifest.manifests))
        if manifest is not None and manifest.layers is not None:
            self._image(data, manifest, found, index)  # also of one that is an index as well
        elif manifest is not None and manifest.manifests is None:
            self.say("manifest", pretty(data), digest, EVERY)
            self.lost(
                f"manifest {digest}", "is of a kind that names no layers (schema 1 is not read)"
            )

    def _image(
        self, data: bytes, manifest: Manifest, found: Descriptor, index: tuple[Descriptor, ...]
    ) -> None:
        digest = found.digest
        blob = self.blob(manifest.config, "configuration") if manifest.config else None
        raw = self.document(blob, "configuration") if blob else None
        config = _config(raw)
        platform = _platform(found, config, index)
        self.say("manifest", pretty(data), digest, platform)
        blobs = [self.blob(each, "layer") for each in manifest.layers or ()]
        diff_ids = self._diff_ids(config, len(blobs))
        layers = [
            Blob(name=blob.name, digest=blob.digest, diff_id=diff_id, size=blob.size)
            for blob, diff_id in zip(blobs, diff_ids, strict=True)
            if blob is not None
        ]
        named = manifest.config.digest if manifest.config else None
        self._built(layers, raw, (named, digest), platform)

    def saved(self, image: Saved, digests: dict[str, str | None]) -> None:
        """An image as ``docker save`` lists it; ``digests`` are those of blobs named by them."""
        digest = digests.get(image.config)
        raw = self.document(Blob(name=image.config, digest=digest), "configuration")
        config = _config(raw)
        platform = config.platform.words if config and config.platform else "unknown/unknown"
        layers = [
            Blob(name=name, digest=digests.get(name), diff_id=diff_id)
            for name, diff_id in zip(
                image.layers, self._diff_ids(config, len(image.layers)), strict=True
            )
        ]
        self._built(layers, raw, (digest, digest or image.config), platform)

    def _built(
        self, layers: list[Blob], raw: bytes | None, ids: tuple[str | None, str], platform: str
    ) -> None:
        """Take note of an image and what its configuration says."""
        config, (named, digest) = _config(raw), ids
        history = (config.history if config else None) or []
        said = [self.masked(each) if (each := instruction(step)) else None for step in history]
        self.listing.built.append(
            Built(
                manifest=digest,
                config=named,
                platform=platform,
                layers=tuple(layers),
                instructions=tuple(
                    None if number is None else said[number]
                    for number in makers(history, len(layers))
                ),
                base=base_layers(history, len(layers)),
                steps=tuple(said),
            )
        )
        for path, text in (config_parts(raw) if raw is not None else {}).items():
            self.say(path, text, digest, platform)

    def _diff_ids(self, config: Config | None, layers: int) -> list[str | None]:
        """What each layer unpacks to; None for each when the configuration speaks of others."""
        if config is None or config.rootfs is None:
            return [None] * layers
        said = config.rootfs.diff_ids or []
        if len(said) != layers:
            why = f"names {len(said)} layers, and the manifest {layers}: theirs cannot be verified"
            self.lost("configuration", why)
            return [None] * layers
        return [each if is_digest(each) else None for each in said]

    def over(self) -> None:
        """All has been listed: an image that names nothing has not been read."""
        if not (self.listing.built or self.listing.gaps):
            self.lost("image", "names no image: its lists of manifests are empty")

    def blob(self, found: Descriptor, what: str) -> Blob | None:
        """The blob of a descriptor; None (and a gap) when its digest cannot be verified."""
        if not is_digest(found.digest):
            self.lost(what, "has a digest that cannot be verified")
            return None
        return Blob(name=found.digest, digest=found.digest, size=found.size)


def _config(raw: bytes | None) -> Config | None:
    """What is understood of a configuration, which may be anything (of an attestation, say)."""
    try:
        return None if raw is None else CONFIG.decode(raw)
    except MALFORMED:
        return None


def _platform(found: Descriptor, config: Config | None, index: tuple[Descriptor, ...]) -> str:
    notes = found.annotations or {}
    if kind := notes.get(_KIND):
        about = next((each for each in index if each.digest == notes.get(_ABOUT)), None)
        whose = about.platform.words if about and about.platform else "an image"
        return f"{kind.removesuffix('-manifest')} of {whose}"
    platform: Platform | None = found.platform or (config.platform if config else None)
    return platform.words if platform else "unknown/unknown"


def _why(error: Exception) -> str:
    return str(error) if isinstance(error, msgspec.ValidationError) else "it is no JSON"
