"""An image in a registry, by the protocol that all of them speak (OCI distribution, version 2)."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import IO

from stanch.scanner.local.hosts import Hosts
from stanch.scanner.model.error import ScannerError
from stanch.scanner.model.nearest import nearest
from stanch.scanner.sources.content.unpacked import DamagedError
from stanch.scanner.sources.http.answer import HttpError
from stanch.scanner.sources.http.body import Body
from stanch.scanner.sources.image.access import Access, header_source
from stanch.scanner.sources.image.blob import Blob
from stanch.scanner.sources.image.listing import Lister, Listing, Masked
from stanch.scanner.sources.image.manifest import MALFORMED, MANIFEST, Descriptor
from stanch.scanner.sources.image.reference import Reference

#: All that there are: a registry converts what is not accepted into something older.
_ACCEPT = (
    "application/vnd.oci.image.index.v1+json, "
    "application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.docker.distribution.manifest.v2+json, "
    "application/vnd.oci.artifact.manifest.v1+json"
)
_INDEX = "application/vnd.oci.image.index.v1+json"
_MISSING = 404
_MOST = 50  # manifests whose referrers are asked for
_BUFFER = 1 << 20


class Registry:
    """The repository of one image."""

    addressed = True

    def __init__(self, reference: Reference, hosts: Hosts) -> None:
        self._reference = reference
        self._access = Access(reference, hosts)

    def listing(self, image: str, masked: Masked) -> Listing:
        """What the image holds; whatever is wrong with it is in the listing's gaps."""
        lister = Lister(
            store=self, listing=Listing(image=image, home=self._reference.home), masked=masked
        )
        try:
            data = self._manifest()
            digest = self._reference.digest or f"sha256:{hashlib.sha256(data).hexdigest()}"
            lister.manifest(data, Descriptor(digest=digest, size=len(data)))
            lister.over()
            asked = list(dict.fromkeys((digest, *(each.manifest for each in lister.listing.built))))
            for each in asked[:_MOST]:
                self._referrers(lister, each)
            if len(asked) > _MOST:
                lister.lost("referrers", f"of more than {_MOST} manifests are not asked for")
        except ScannerError as error:
            lister.lost("image", f"{error}; {error.remedy}")
        except DamagedError as error:
            lister.lost("image", str(error))
        return lister.listing

    def open(self, blob: Blob) -> IO[bytes]:
        """A blob as it comes; what breaks off is taken up again."""
        kind = "manifests" if blob.manifest else "blobs"
        try:
            if blob.manifest:
                return io.BytesIO(self._access.get(f"manifests/{blob.name}", _ACCEPT).body)
            url = f"{self._reference.base}/{kind}/{blob.name}"
            opened = self._access.client.body(url, headers=header_source(self._access))
            return io.BufferedReader(_Stream(opened), _BUFFER)
        except ScannerError as error:
            raise DamagedError(f"{error}; {error.remedy}") from error

    def loose(self, known: Iterable[str]) -> Iterable[Blob]:
        """What else a registry keeps belongs to other images."""
        del known
        return ()

    def rank(self, blob: Blob) -> int:
        """By size."""
        return -(blob.size or 0)

    def close(self) -> None:
        """Close the connections."""
        self._access.close()

    def _manifest(self) -> bytes:
        version = self._reference.version
        answer = self._access.get(f"manifests/{version}", _ACCEPT, missing=True)
        if answer.status == _MISSING:
            raise self._unknown()
        kind, _, said = (self._reference.digest or "").partition(":")
        if said and hashlib.new(kind, answer.body).hexdigest() != said:
            raise DamagedError("the manifest does not have the digest that was asked for")
        return answer.body

    def _unknown(self) -> HttpError:
        """There is no such tag: name the nearest."""
        name, version = self._reference.name, self._reference.version
        try:
            answer = self._access.get("tags/list?n=100", "application/json", missing=True)
            found = answer.json() if answer.status != _MISSING else {}
        except HttpError:  # whoever may not list them is told without
            found = {}
        tags = found.get("tags") if isinstance(found, dict) else None
        known = [each for each in tags or () if isinstance(each, str)]
        remedy = nearest(version, known) if known else "mend the name or the tag"
        return HttpError(
            f"{self._reference.host} has no {name}:{version}", remedy=remedy, status=_MISSING
        )

    def _referrers(self, lister: Lister, digest: str) -> None:
        """What refers to a manifest: signatures, lists of what is in it, attestations."""
        answer = self._access.get(f"referrers/{digest}", _INDEX, missing=True)
        if answer.status == _MISSING:  # an old registry: the same under a tag
            tag = digest.replace(":", "-")
            answer = self._access.get(f"manifests/{tag}", _ACCEPT, missing=True)
        if answer.status == _MISSING:
            return
        pages = self._access.client.following(answer, answer.url, self._access.headers())
        for page in (answer, *pages):
            try:
                index = MANIFEST.decode(page.body)
            except MALFORMED:
                lister.lost(f"referrers of {digest}", "are no index")
                return
            for each in index.manifests or ():
                lister.descriptor(each)


class _Stream(io.RawIOBase):
    """A streamed answer as a file."""

    def __init__(self, opened: AbstractContextManager[Body]) -> None:
        super().__init__()
        self._opened = opened
        self._body = opened.__enter__()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io passes
        try:
            data = self._body.read(len(buffer))
        except ScannerError as error:
            raise DamagedError(f"{error}; {error.remedy}") from error
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._opened.__exit__(None, None, None)
        super().close()
