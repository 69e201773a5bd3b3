"""Compressed content as a stream: gzip, bzip2, xz and zstd, whatever they are made of.

All four decompressors speak one language (that of :mod:`lzma`), so one loop reads them: one member
or frame after another, with flat memory, and an end that is proven. What stands behind the last
member, or is missing in it, is an error and never a silent end.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import Protocol

from stanch.scanner.sources.content.text_or_binary import BZIP2, GZIP, SKIPPABLE, XZ, ZSTD
from stanch.scanner.sources.content.window import Read

_CHUNK = 32 << 10  # bytes read at once: behind each member what is left of them is copied
_LONGEST_MAGIC = 6
_BUFFER = 256 << 10
_MOST_MEMORY = 128 << 20  # bytes of a dictionary of xz; its strongest level takes half of it
_WINDOW_LOG = 26  # 64 MiB; the strongest level of zstd but one


class DamagedError(OSError):
    """The content is broken or cut; its text says how."""


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool:
        """Whether the member is over."""

    @property
    def needs_input(self) -> bool:
        """Whether nothing more comes out of what it was given."""

    @property
    def unused_data(self) -> bytes:
        """What stands behind the member."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Take input, give up to so many bytes."""


def unpacker(head: bytes) -> Callable[[], _Decompressor] | None:
    """What makes decompressors for content that begins like this; None when it is plain."""
    if head.startswith(GZIP):
        return _gzip
    if head.startswith(BZIP2):
        return _bzip2
    if head.startswith(XZ):
        return _xz
    return _zstd if head.startswith((ZSTD, *SKIPPABLE)) else None


def unpacked(
    read: Read, make: Callable[[], _Decompressor], heard: Callable[[bytes], None] | None = None
) -> io.BufferedReader:
    """The content behind ``read``; reading raises :class:`DamagedError` for what is no content.

    ``heard`` gets every piece before it is given out, and may raise that as well.
    """
    return io.BufferedReader(_Members(read, make, heard), _BUFFER)


class _Members(io.RawIOBase):
    """One member after the other."""

    def __init__(
        self,
        read: Read,
        make: Callable[[], _Decompressor],
        heard: Callable[[bytes], None] | None,
    ) -> None:
        super().__init__()
        self._heard = heard
        self._read = read
        self._make = make
        self._now = make()
        self._input = b""  # what the decompressor has not been given
        self._over = False
        self._broken: DamagedError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io passes
        size = len(buffer)
        if self._broken is not None:
            raise self._broken
        try:
            while not self._over:
                data = self._more(size)
                if data:
                    if self._heard is not None:
                        self._heard(data)
                    buffer[: len(data)] = data
                    return len(data)
        except DamagedError as error:
            self._broken = error
            raise
        return 0

    def _more(self, size: int) -> bytes:
        if self._now.eof:
            self._next()
            return b""
        if self._now.needs_input and not self._input:
            self._input = self._read(_CHUNK)
            if not self._input:
                raise DamagedError("compressed content is cut")
        given, self._input = self._input, b""
        try:
            return self._now.decompress(given, size)
        except DamagedError:
            raise
        except Exception as error:
            # Each library has an exception of its own, and loading all four takes longer than this.
            raise DamagedError(f"compressed content is damaged ({type(error).__name__})") from error

    def _next(self) -> None:
        rest = self._now.unused_data or self._read(_CHUNK)
        while rest and not rest.strip(b"\0"):
            rest = self._read(_CHUNK)  # padding
        if rest and len(rest) < _LONGEST_MAGIC:
            rest += self._read(_CHUNK)
        if not rest:
            self._over = True
        elif unpacker(rest) is None:
            raise DamagedError("what stands behind the compressed content is not read")
        else:
            self._now, self._input = self._make(), rest


def _gzip() -> _Decompressor:
    from isal import igzip_lib  # noqa: PLC0415  # most scans have no use for it

    return igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)


def _bzip2() -> _Decompressor:
    import bz2  # noqa: PLC0415  # as above

    return bz2.BZ2Decompressor()


def _xz() -> _Decompressor:
    import lzma  # noqa: PLC0415  # as above

    return lzma.LZMADecompressor(memlimit=_MOST_MEMORY)


def _zstd() -> _Decompressor:
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415  # as above
    else:
        from backports import zstd  # noqa: PLC0415  # as above

    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})
