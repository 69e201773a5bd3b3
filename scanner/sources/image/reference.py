"""Names of images in registries: ``[HOST/]NAME[:TAG][@DIGEST]``."""

from __future__ import annotations

import re

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import Record
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.image.blob import is_digest

HUB = "registry-1.docker.io"
"""Where images are whose name has no host."""

_HUB_NAMES = frozenset(("docker.io", "index.docker.io", HUB))
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))
_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_NAME = re.compile(rf"{_PART}(?:/{_PART})*\Z")
_TAG = re.compile(r"\w[\w.-]{0,127}\Z", re.ASCII)
_HOST = re.compile(r"(?:\[[0-9a-f:]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::\d{1,5})?\Z")


class Reference(Record):
    """``version`` is a digest, or else a tag. ``scheme`` is ``http`` only where nobody listens."""

    host: str
    name: str
    version: str
    scheme: str = "https"

    @property
    def base(self) -> str:
        """The address of the repository."""
        return f"{self.scheme}://{self.host}/v2/{self.name}"

    @property
    def home(self) -> str:
        """The repository as targets name it."""
        plain = "http://" if self.scheme == "http" and not self._loopback else ""
        return f"{plain}{self.host}/{self.name}"

    @property
    def _loopback(self) -> bool:
        return _bare(self.host) in _LOOPBACK

    @property
    def digest(self) -> str | None:
        """The digest, where the version is one."""
        return self.version if is_digest(self.version) else None

    @property
    def is_hub(self) -> bool:
        """Whether it is at Docker Hub."""
        return self.host == HUB


def parsed(text: str) -> Reference:
    """The image that a text names; raises :class:`UsageError` when it names none."""
    scheme, rest = None, text
    for known in ("https", "http"):
        if text.startswith(f"{known}://"):
            scheme, rest = known, text.removeprefix(f"{known}://")
    first, slash, behind = rest.partition("/")
    if slash and (scheme or "." in first or ":" in first or first == "localhost"):
        host, path = first.lower(), behind
    else:
        host, path = HUB, rest
    path, at, digest = path.partition("@")
    name, colon, tag = path.partition(":")
    if host in _HUB_NAMES:
        host = HUB
        name = name if "/" in name else f"library/{name}"
    fits = _HOST.match(host) and _NAME.match(name) and (not colon or _TAG.match(tag))
    if not fits or (at and not is_digest(digest)):
        raise UsageError(
            f"{display(text)} names no image",
            remedy="write HOST/NAME:TAG or HOST/NAME@sha256:…, names in lower case, or the path of "
            "a saved one: stanch scan image:./saved.tar",
        )
    usual = "http" if _bare(host) in _LOOPBACK else "https"
    version = digest if at else tag or "latest"
    return Reference(host=host, name=name, version=version, scheme=scheme or usual)


def _bare(host: str) -> str:
    """The host without its port."""
    return host.rpartition(":")[0] if re.search(r":\d+\Z", host) else host
