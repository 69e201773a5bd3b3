"""Which file a place in a patch belongs to: what is settings there decides what a bare word is."""

from __future__ import annotations

_PATCHES = (".patch", ".diff")
_HEADER = b"\n+++ "
_FAR = 1 << 16
_LINE = 1024
_NOTHING = b"/dev/null"


def patched(path: str, data: bytes, at: int) -> str:
    """The path of the file that the patch changes around ``at``; of other files their own."""
    if not path.endswith(_PATCHES):
        return path
    begin = max(0, at - _FAR)
    header = data.rfind(_HEADER, begin, at)
    if header < 0:
        return path
    name = (
        data[header + len(_HEADER) : header + _LINE].split(b"\n", 1)[0].split(b"\t", 1)[0].strip()
    )
    if name == _NOTHING or not name:
        return path
    return name.removeprefix(b"b/").decode(errors="replace")
