"""Images of given files, made without any engine: layouts, saved archives, odd layers."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.scanner.sources.archive_sample import tarred

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"

Pack = Callable[[bytes], bytes]


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def plain(data: bytes) -> bytes:
    return data


def members(data: bytes) -> bytes:
    """As eStargz: a gzip member for each stretch of the archive."""
    return b"".join(gzipped(data[at : at + 1024]) for at in range(0, len(data), 1024))


def frames(data: bytes) -> bytes:
    """As zstd:chunked: frames, and frames without content between them."""
    cut = len(data) // 1024 // 2 * 1024
    skippable = b"\x50\x2a\x4d\x18\x04\0\0\0toc."
    return zstd.compress(data[:cut]) + skippable + zstd.compress(data[cut:]) + skippable


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """The files of a layer, the instruction that made it, and how it is packed."""

    files: Mapping[str, bytes] = field(default_factory=dict)
    said: str = "COPY . /app # buildkit"
    pack: Pack = gzipped
    tar: bytes | None = None

    @property
    def unpacked(self) -> bytes:
        return tarred(self.files) if self.tar is None else self.tar


@dataclass(slots=True, kw_only=True)
class Image:
    """An image; ``history`` is what its configuration says, made from the layers if not given."""

    layers: Sequence[Layer]
    config: Mapping[str, Any] = field(default_factory=dict)
    history: Sequence[Mapping[str, Any]] | None = None
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: str = "linux/amd64"
    notes: Mapping[str, str] = field(default_factory=dict)  # of its descriptor

    def configuration(self) -> bytes:
        system, machine = self.platform.split("/")
        steps = self.history
        if steps is None:
            steps = [{"created_by": each.said} for each in self.layers]
        ids = [digest(each.unpacked) for each in self.layers]
        return json.dumps(
            {
                "os": system,
                "architecture": machine,
                "config": dict(self.config),
                "rootfs": {"type": "layers", "diff_ids": ids},
                "history": list(steps),
            }
        ).encode()


Blobs = dict[str, bytes]


def described(blobs: Blobs, data: bytes, kind: str, **more: Any) -> dict[str, Any]:
    """Keep a blob, and name it."""
    blobs[digest(data)] = data
    return {"mediaType": kind, "digest": digest(data), "size": len(data), **more}


def manifest(blobs: Blobs, image: Image) -> dict[str, Any]:
    """Keep an image's blobs; the descriptor of its manifest."""
    config = described(blobs, image.configuration(), CONFIG)
    packed = [each.pack(each.unpacked) for each in image.layers]
    layers = [described(blobs, data, _kind(data)) for data in packed]
    made: dict[str, Any] = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config}
    made["layers"] = layers
    if image.annotations:
        made["annotations"] = dict(image.annotations)
    system, machine = image.platform.split("/")
    more: dict[str, Any] = {"platform": {"os": system, "architecture": machine}}
    if image.notes:
        more["annotations"] = dict(image.notes)
    return described(blobs, json.dumps(made).encode(), MANIFEST, **more)


def _kind(layer: bytes) -> str:
    ends = {b"\x1f\x8b": "+gzip", b"\x28\xb5": "+zstd"}
    return LAYER + ends.get(layer[:2], "")


def index(descriptors: Sequence[Mapping[str, Any]]) -> bytes:
    made = {"schemaVersion": 2, "mediaType": INDEX, "manifests": list(descriptors)}
    return json.dumps(made).encode()


def oci_files(*images: Image) -> dict[str, bytes]:
    """The files of an OCI layout."""
    blobs: Blobs = {}
    top = index([manifest(blobs, each) for each in images])
    files = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": top}
    return files | {f"blobs/{name.replace(':', '/')}": data for name, data in blobs.items()}


def legacy_files(*images: Image) -> dict[str, bytes]:
    """What `docker save` has written until its engine 25."""
    files: dict[str, bytes] = {}
    listed = []
    for image in images:
        config = image.configuration()
        name = f"{hashlib.sha256(config).hexdigest()}.json"
        files[name] = config
        names = []
        for number, layer in enumerate(image.layers):
            folder = hashlib.sha256(f"{name}{number}".encode()).hexdigest()
            files[f"{folder}/VERSION"] = b"1.0"
            files[f"{folder}/layer.tar"] = layer.unpacked
            names.append(f"{folder}/layer.tar")
        listed.append({"Config": name, "RepoTags": ["app:1"], "Layers": names})
    return files | {"manifest.json": json.dumps(listed).encode()}


def folder(root: Path, files: Mapping[str, bytes]) -> Path:
    for name, data in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return root


def archive(path: Path, files: Mapping[str, bytes], pack: Pack = plain) -> Path:
    path.write_bytes(pack(tarred(files)))
    return path


def whiteout(name: str) -> str:
    above, _, last = name.rpartition("/")
    return f"{above}/.wh.{last}" if above else f".wh.{last}"


def odd_tar(*entries: tarfile.TarInfo, data: bytes = b"") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as opened:
        for entry in entries:
            entry.size = len(data) if entry.isreg() else 0
            opened.addfile(entry, io.BytesIO(data))
    return out.getvalue()
