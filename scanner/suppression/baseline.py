"""``.stanch-baseline``: the findings that a repository has accepted, committed with its code.

JSON lines. The first says the format's version and how digests are computed; then one entry a line,
sorted by digest. Git joins two branches' entries by itself when ``.gitattributes`` asks for the
``union`` driver (``stanch baseline create`` does that), so a reader takes entries in any order, the
same entry twice, and the heads of two baselines that were made on two branches.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import msgspec

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.record import Record, replace
from stanch.scanner.suppression.digest import KDF, Recipe
from stanch.scanner.suppression.entry import Entry, Imported, Line

VERSION = 1
_LARGEST = 64 * 2**20  # bytes; a quarter of a million entries
_MOST_RECIPES = 4  # each costs a digest for each finding
_Kind = TypeVar("_Kind", Entry, Imported)


class _Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True,
            tag_field="type", tag="stanch-baseline"):  # fmt: skip
    version: int
    kdf: str
    salt: str
    memory: int
    passes: int


class Baseline(Record):
    """Recipes (the first makes new digests), entries, and what came from detect-secrets as it was.

    All three are sorted and without duplicates.
    """

    recipes: tuple[Recipe, ...]
    entries: tuple[Entry, ...] = ()
    imported: tuple[Imported, ...] = ()

    @classmethod
    def fresh(cls) -> Baseline:
        """An empty baseline with a new salt."""
        return cls(recipes=(Recipe.fresh(),))

    @classmethod
    def read(cls, path: Path) -> Baseline:
        """The baseline in a file. Raises :class:`UsageError` with line and remedy."""
        try:
            with path.open("rb") as file:
                data = file.read(_LARGEST + 1)
        except OSError as error:
            raise UsageError(
                f"the baseline {path} cannot be read: {error.strerror}",
                remedy="make one with `stanch baseline create`, or name another with --baseline",
            ) from error
        return cls.parse(data, name=str(path))

    @classmethod
    def parse(cls, data: bytes, *, name: str) -> Baseline:
        """As :meth:`read`, for bytes that are here already (a blob of git)."""
        if len(data) > _LARGEST:
            raise _wrong(f"{name} is larger than {_LARGEST >> 20} MiB")
        recipes: list[Recipe] = []
        lines: list[Line] = []
        for number, raw in enumerate(data.splitlines(), start=1):
            if not raw.strip():
                continue
            if raw.startswith((b"<<<<<<<", b"=======", b">>>>>>>")):
                raise _wrong(
                    f"{name}:{number}: a conflict of git is not resolved",
                    remedy="keep both sides' lines and delete the three markers",
                )
            parsed = _parsed(raw, f"{name}:{number}")
            if isinstance(parsed, _Head):
                recipes.append(_recipe(parsed, f"{name}:{number}"))
            else:
                lines.append(parsed)
        if not recipes:
            raise _wrong(f"{name} does not begin with a line that says its version")
        return cls(recipes=_sorted_recipes(recipes, name)).adding(lines)

    def adding(self, lines: Iterable[Line]) -> Baseline:
        """With these too. Of two entries for the same the one that ends first counts."""
        entries = {_place(each): each for each in self.entries}
        imported = {_place(each): each for each in self.imported}
        for line in lines:
            match line:
                case Entry():
                    _put(entries, line)
                case Imported():
                    _put(imported, line)
        return replace(
            self,
            entries=tuple(entries[place] for place in sorted(entries)),
            imported=tuple(imported[place] for place in sorted(imported)),
        )

    def joined(self, other: Baseline) -> Baseline:
        """With all that another one has. Of two entries for the same the one that ends first."""
        recipes = tuple(dict.fromkeys((*self.recipes, *other.recipes)))
        return replace(self, recipes=recipes).adding(other.lines)

    def modest(self) -> Baseline:
        """Without recipes that cost more than our own: whoever writes a change picks its price."""
        return replace(self, recipes=tuple(each for each in self.recipes if each.is_modest))

    def replacing(self, lines: Iterable[Line]) -> Baseline:
        """With these instead of what it has for the same credentials."""
        fresh = tuple(lines)
        places = {_place(each) for each in fresh}
        return self.keeping(lambda each: _place(each) not in places).adding(fresh)

    def keeping(self, wanted: Callable[[Line], bool]) -> Baseline:
        """With those entries only that are wanted."""
        return replace(
            self,
            entries=tuple(filter(wanted, self.entries)),
            imported=tuple(filter(wanted, self.imported)),
        )

    @property
    def lines(self) -> tuple[Line, ...]:
        """Every entry, in the order of the file."""
        return (*self.entries, *self.imported)

    def text(self) -> str:
        """The file's content; the same baseline gives the same bytes."""
        heads = [
            _Head(version=VERSION, kdf=KDF, salt=each.salt, memory=each.memory, passes=each.passes)
            for each in self.recipes
        ]
        encoded = (msgspec.json.encode(each).decode() for each in (*heads, *self.lines))
        return "".join(line + "\n" for line in encoded)

    def write(self, path: Path) -> None:
        """Write the file so that it is complete or as it was before."""
        draft = path.with_name(f"{path.name}.{secrets.token_hex(6)}")
        try:
            draft.write_text(self.text(), encoding="utf-8")
            os.replace(draft, path)  # noqa: PTH105  # says that it replaces
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise UsageError(
                f"the baseline {path} cannot be written: {error.strerror}",
                remedy="name a file in a directory that you may write with --baseline",
            ) from error


_DECODER: msgspec.json.Decoder[_Head | Entry | Imported] = msgspec.json.Decoder(
    _Head | Entry | Imported
)


def _parsed(raw: bytes, where: str) -> _Head | Entry | Imported:
    try:
        return _DECODER.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _wrong(f"{where}: this line is not understood ({error})") from error


def _recipe(head: _Head, where: str) -> Recipe:
    if head.version != VERSION or head.kdf != KDF:
        raise _wrong(
            f"{where}: version {head.version} with {head.kdf!r} is not known here",
            remedy="use a version of Stanch that knows it; this one writes version "
            f"{VERSION} with {KDF}",
        )
    return Recipe(salt=head.salt, memory=head.memory, passes=head.passes)


def _sorted_recipes(recipes: list[Recipe], name: str) -> tuple[Recipe, ...]:
    distinct = sorted(set(recipes), key=lambda each: (each.salt, each.memory, each.passes))
    if len(distinct) > _MOST_RECIPES:
        raise _wrong(f"{name} joins more than {_MOST_RECIPES} baselines")
    return tuple(distinct)


def _place(line: Line) -> tuple[str, str]:
    return (line.id, line.within or "") if isinstance(line, Entry) else (line.path, line.sha1)


def _put(into: dict[tuple[str, str], _Kind], line: _Kind) -> None:
    known = into.get(_place(line))
    if known is None or _rank(line) < _rank(known):
        into[_place(line)] = line


def _rank(line: Line) -> tuple[bool, str, str]:
    """Earliest end first; the text makes the choice the same on every clone."""
    return line.expires is None, str(line.expires), msgspec.json.encode(line).decode()


def _wrong(message: str, *, remedy: str = "") -> UsageError:
    return UsageError(
        message,
        remedy=remedy or "restore the file from git, or mend the line that is named",
    )
