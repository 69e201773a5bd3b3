"""The first look at a change: nothing in it could be a credential, or somebody has to look closer.

Most of a hook's time goes into loading what judges candidates, and a small commit often has none.
This look loads the compiled patterns alone: the same search that the engine begins with, which may
report too much but never too little. Where it finds nothing, the engine would find nothing. For
whatever is out of the ordinary (a configuration, a large file, an object in a pack, an error) it
claims nothing, and the whole hook runs and says what there is to say.
"""

from __future__ import annotations

import os
import stat
import zlib

from stanch.scanner.detectors import cache, outline
from stanch.scanner.detectors.prefilter import COLOURED, Prefilter, stored
from stanch.scanner.detectors.run import may_hold_run
from stanch.scanner.model.error import ScannerError
from stanch.scanner.sources import shadow
from stanch.scanner.sources.bound import WINDOW, encoding_of, is_binary, is_opaque
from stanch.scanner.sources.errand import Errand
from stanch.scanner.sources.place import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import hyperscan

    from stanch.scanner.detectors.prefilter import Marks, Screen

    Look = Callable[[bytes, str], tuple[object, Marks]]

_INDEX = "GIT_INDEX_FILE"
_OBJECTS = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")
_STAGED = (["pre-commit"], ["run"], ["run", "--staged"])
_CHANGES = ("diff-index", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff")
_SUBMODULE = b"160000"
_POINTER = b"ref: "
_BRANCH = _POINTER + b"refs/heads/"
_OID = 40  # hexadecimal digits
_DIGITS = b"0123456789abcdef"
_RUN = {0}  # the first mark alone: letters enough in a row, but nothing escaped
_HEADER = 32  # bytes that fit "blob", a size below the window's, and a NUL


class _OutOfTheOrdinaryError(Exception):
    """Somebody has to look closer."""


def nothing(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Whether what the hook is asked to check certainly holds no credential; false says nothing."""
    given = list(arguments)
    try:
        place = os.path.realpath(".")
        if given in _STAGED:
            return _nothing_staged(place, environ)
        if given[:1] == ["run"] and not any(each.startswith("-") for each in given):
            return _holds_nothing(look_at(place), map(_file, given[1:]))
    except (OSError, ValueError, zlib.error, ScannerError, ImportError, _OutOfTheOrdinaryError):
        return False  # an ImportError: what is needed lies where an early start does not look
    return False


def _nothing_staged(place: str, environ: Mapping[str, str]) -> bool:
    staged = _Staged(place, environ)
    try:  # git looks for changes while the patterns are loaded
        return _holds_nothing(look_at(place), staged.contents())
    finally:
        staged.end()


def _holds_nothing(look: Look, contents: Iterable[tuple[str, bytes]]) -> bool:
    return all(is_empty(look, content, path) for path, content in contents)


def is_empty(look: Look, content: bytes, path: str) -> bool:
    """Whether nothing in the content could be a credential, neither plain nor encoded."""
    windows, marks = look(content, path)
    if windows or COLOURED in marks:  # a colour may stand within a token
        return False
    if not marks:
        return True
    if marks.keys() == _RUN and not may_hold_run(content):
        return True
    # Loaded when something may be encoded: it takes as long as all the rest.
    from stanch.scanner.detectors.decode import copies  # noqa: PLC0415

    return next(copies(content, marks), None) is None


def look_at(place: str) -> Look:
    """The search that counts around a place where nothing is configured, if it is at hand.

    Takes a content and its path; what it answers is empty where there is nothing.
    """
    for folder in _ancestors(place):
        if os.path.lexists(f"{folder}/stanch.toml") or _speaks_of_us(f"{folder}/pyproject.toml"):
            raise _OutOfTheOrdinaryError
    kept = cache.directory()
    known = outline.known(outline.Sources(outline.builtin()))
    database = stored(kept, known.patterns) if known else None
    if known is None or database is None:
        raise _OutOfTheOrdinaryError
    names = known.values

    def value(index: int) -> hyperscan.Database:
        found = stored(kept, names[index])
        if found is None:  # never needed before
            raise _OutOfTheOrdinaryError
        return found

    prefilter = Prefilter(database, value=value, reach=known.reach, loose=known.loose)
    screens = {index: _screen(check) for index, check in known.screened.items()}
    return lambda content, path: prefilter.look(content, path, screens)


def _screen(check: str) -> Screen:
    def screen(data: bytes, begin: int, end: int, path: str) -> bool:
        # Loaded when something is assigned to a secret's name: it takes as long as all the rest.
        from stanch.scanner.detectors.expression import SCREENS  # noqa: PLC0415

        return SCREENS[check](data, begin, end, path)

    return screen


def _ancestors(place: str) -> Iterator[str]:
    while True:
        yield place.rstrip("/")
        above = os.path.dirname(place)
        if above == place:
            return
        place = above


def _speaks_of_us(path: str) -> bool:
    """Whether a TOML file could have a table of ours; a name can also be written in escapes."""
    if not os.path.lexists(path):
        return False
    text = _read(path)
    return any(word in text for word in (b"stanch", b"\\u", b"\\U"))


def _file(name: str) -> tuple[str, bytes]:
    """The content of an ordinary small file below the current directory."""
    if name.startswith("/") or ".." in name.split("/"):
        raise _OutOfTheOrdinaryError
    content = _read(name)
    if is_binary(content):  # an archive, perhaps
        raise _OutOfTheOrdinaryError
    return display(name), content


def _read(path: str) -> bytes:
    """A whole small file; nothing else is opened, since a pipe or a device can block or act."""
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise _OutOfTheOrdinaryError
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(handle, "rb") as file:
        content = file.read(WINDOW + 1)
    if len(content) > WINDOW:
        raise _OutOfTheOrdinaryError
    return content


def _head(git_dir: str, common_dir: str) -> str:
    """The commit that HEAD is, as git keeps it: in a file, or in one for many.

    The layout: <https://git-scm.com/docs/gitrepository-layout>.
    """
    said = _read(f"{git_dir}/HEAD")
    if said.startswith(_BRANCH) and b".." not in said:
        name = said.removeprefix(_POINTER).rstrip(b"\n")
        path = f"{common_dir}/{os.fsdecode(name)}"
        said = _read(path) if os.path.lexists(path) else _packed(common_dir, name)
    oid = said.rstrip(b"\n")
    if len(oid) != _OID or oid.strip(_DIGITS):  # no commit yet, other hashes, or something broken
        raise _OutOfTheOrdinaryError
    return oid.decode()


def _packed(common_dir: str, name: bytes) -> bytes:
    """What the file for many refs says of one, as far as it says anything."""
    text = b"\n" + _read(f"{common_dir}/packed-refs")
    before, _, _ = text.partition(b" " + name + b"\n")
    return before.rpartition(b"\n")[2] if len(before) < len(text) else b""


class _Staged:
    """What is staged, listed by a git that runs while others work, and read from its own files."""

    def __init__(self, place: str, environ: Mapping[str, str]) -> None:
        found = next(filter(None, map(shadow.place_at, _ancestors(place))), None)
        if found is None or any(environ.get(name) for name in _OBJECTS):
            raise _OutOfTheOrdinaryError
        top, git_dir, common_dir = found
        self._objects = f"{common_dir}/objects"
        surroundings = shadow.environment(shadow.SKELETON, git_dir)
        surroundings[_OBJECTS[0]] = self._objects
        if index := environ.get(_INDEX):  # `git commit -a` and `git commit FILE` prepare another
            surroundings[_INDEX] = os.path.join(place, index)
        question = (*_CHANGES, _head(git_dir, common_dir), "--")
        self._changes = Errand(shadow.command(shadow.SKELETON, top, *question), surroundings)

    def contents(self) -> Iterator[tuple[str, bytes]]:
        """New and changed contents that are text, with their paths."""
        changes = self._changes.answer()
        if changes is None:
            raise _OutOfTheOrdinaryError  # no commit yet, or something is broken
        records = iter(changes.split(b"\0")[:-1])
        for change, path in zip(records, records, strict=True):
            _, mode, _, oid, _ = change.lstrip(b":").split()
            if mode != _SUBMODULE and oid.strip(b"0"):
                content = self._content(oid.decode())
                if encoding_of(content) is not None:
                    raise _OutOfTheOrdinaryError
                if not is_opaque(content):
                    yield display(path), content

    def end(self) -> None:
        """Leave nothing behind."""
        self._changes.end()

    def _content(self, oid: str) -> bytes:
        """What git keeps in a file of its own, as it does until it packs it.

        The layout: <https://git-scm.com/book/en/v2/Git-Internals-Git-Objects>.
        """
        reader = zlib.decompressobj()
        packed = _read(f"{self._objects}/{oid[:2]}/{oid[2:]}")
        head, _, content = reader.decompress(packed, WINDOW + _HEADER).partition(b"\0")
        if not reader.eof or len(content) > WINDOW or head != b"blob %d" % len(content):
            raise _OutOfTheOrdinaryError
        return content
