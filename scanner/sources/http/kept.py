"""Answers that a host is asked about again only whether they still hold (ETag, RFC 9110 §13).

A host that says so (304) has looked at who asks now, so what is kept may be anybody's answer: it is
given to nobody to whom the host would not give the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from stanch.scanner.local import cache
from stanch.scanner.model.record import Record
from stanch.scanner.sources.http.answer import Answer

_LARGEST = 4 << 20  # bytes of an answer that is kept
_HEADERS = ("etag", "link")


class Kept(Record):
    """Answers of one kind of question in a folder of the user's cache; none without a cache."""

    folder: cache.Folder

    def recall(self, url: str, headers: Mapping[str, str]) -> Answer | None:
        """What the host answered the last time, with its ``etag``."""
        stored = cache.read(self.folder, _name(url, headers))
        try:
            return None if stored is None else msgspec.msgpack.decode(stored, type=Answer)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return None

    def keep(self, url: str, headers: Mapping[str, str], answer: Answer) -> None:
        """Remember an answer that can be asked about; others are left alone."""
        if "etag" not in answer.headers or len(answer.body) > _LARGEST:
            return
        told = {name: answer.headers[name] for name in _HEADERS if name in answer.headers}
        kept = Answer(status=answer.status, headers=told, body=answer.body, url=answer.url)
        cache.write(self.folder, _name(url, headers), msgspec.msgpack.encode(kept))


def _name(url: str, headers: Mapping[str, str]) -> str:
    said = "\n".join((url, *(f"{name.lower()}: {headers[name]}" for name in sorted(headers))))
    return hashlib.sha256(said.encode()).hexdigest()
