"""The documents that say what an image is made of, as far as reading it takes.

Whatever else they say is scanned as text and never understood.
"""

from __future__ import annotations

import msgspec

_SMALL = 4 << 20  # bytes of a document; what registries take at most

LARGEST = _SMALL
"""Bytes of a manifest, an index or a configuration."""


class Platform(msgspec.Struct, frozen=True, kw_only=True, rename="lower"):
    """For which machine."""

    os: str | None = None
    architecture: str | None = None
    variant: str | None = None

    @property
    def words(self) -> str:
        """As people write it."""
        said = [self.os or "unknown", self.architecture or "unknown"]
        return "/".join([*said, self.variant] if self.variant else said)


class Descriptor(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Names a blob."""

    digest: str
    size: int
    media_type: str | None = None
    platform: Platform | None = None
    annotations: dict[str, str] | None = None
    urls: list[str] | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An index (``manifests``) or the manifest of one image (``layers``)."""

    schema_version: int | None = None
    media_type: str | None = None
    manifests: list[Descriptor] | None = None
    config: Descriptor | None = None
    layers: list[Descriptor] | None = None


class RootFS(msgspec.Struct, frozen=True, kw_only=True):
    """The layers by what they unpack to."""

    diff_ids: list[str] | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One instruction of those that made an image."""

    created_by: str | None = None
    comment: str | None = None
    empty_layer: bool | None = None


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What is understood of an image's configuration."""

    os: str | None = None
    architecture: str | None = None
    variant: str | None = None
    rootfs: RootFS | None = None
    history: list[Step] | None = None

    @property
    def platform(self) -> Platform | None:
        """For which machine; None when it does not say."""
        if self.os is None and self.architecture is None:
            return None
        return Platform(os=self.os, architecture=self.architecture, variant=self.variant)


class Saved(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """An image in the ``manifest.json`` of ``docker save``."""

    config: str
    repo_tags: list[str] | None = None
    layers: list[str]


#: Made when this is loaded: msgspec crashes where two threads are the first to read a type.
MANIFEST = msgspec.json.Decoder(Manifest)
CONFIG = msgspec.json.Decoder(Config)
SAVED = msgspec.json.Decoder(list[Saved])
MALFORMED = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)
"""What decoding raises for what is no such document."""
