"""Value classes that cost next to nothing to define.

A scan of a small tree makes some forty kinds of values known before it reads the first file, and a
dataclass runs several generated functions through the compiler for each (ADR 0015). A record is
made once, as it is, and gets its constructor when the first instance is wanted::

    class Place(Record):
        path: str
        line: int = 1
        marks: list[str] = fresh(list)
"""

from __future__ import annotations

from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:  # this module is loaded before everything else
    from collections.abc import Callable
    from dataclasses import replace
    from typing import Any, TypeVar, dataclass_transform

    T = TypeVar("T")
else:

    def dataclass_transform(**_kinds: object) -> Callable[[T], T]:
        """What type checkers read; it does nothing."""
        return lambda made: made

    def replace(record: T, /, **changes: object) -> T:
        """The same with some values changed; the checker knows it as that of ``dataclasses``."""
        kept = {name: getattr(record, name) for name in type(record).__fields__}
        return type(record)(**kept | changes)


__all__ = ["Record", "field_names", "fresh", "replace"]


class _Fresh:
    """A default that is made for each instance."""

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], object]) -> None:
        self.make = make


def fresh(make: Callable[[], T]) -> T:
    """A default that every instance has for itself: what ``make`` gives."""
    return _Fresh(make)  # type: ignore[return-value]  # what stands in the class body is its recipe


def _no_assignment(_self: Record, name: str, _value: object) -> None:
    raise AttributeError(f"cannot assign to field {name!r}")


def _no_deletion(_self: Record, name: str) -> None:
    raise AttributeError(f"cannot delete field {name!r}")


# Not inherited: a mutable record is then assigned to as fast as any object.
_FROZEN = {"__setattr__": _no_assignment, "__delattr__": _no_deletion}
_MUTABLE = {"__hash__": None}


@dataclass_transform(frozen_default=True, kw_only_default=True)
class _Kind(type):
    """Takes the defaults out of the class body, so that the fields can be slots."""

    __fields__: tuple[str, ...]
    __fallbacks__: dict[str, object]
    __mutable__: bool
    __values__: attrgetter[tuple[object, ...]]

    def __new__(
        cls, name: str, bases: tuple[type, ...], body: dict[str, Any], *, frozen: bool = True
    ) -> _Kind:
        if not bases:
            return super().__new__(cls, name, bases, body)  # Record itself
        fields = tuple(body.get("__annotations__", ()))
        if not fields:
            raise TypeError(f"the record {name} has no fields")
        if any(getattr(base, "__fields__", ()) for base in bases):
            raise TypeError(f"{name} cannot extend another record")
        body["__fallbacks__"] = {field: body.pop(field) for field in fields if field in body}
        body["__fields__"] = body["__slots__"] = fields
        # With the kind in front there are always two: attrgetter makes no tuple of one.
        body["__values__"] = attrgetter("__class__", *fields)
        body["__mutable__"] = not frozen
        return super().__new__(cls, name, bases, (_FROZEN if frozen else _MUTABLE) | body)


class _Description:
    """The fields as :mod:`dataclasses` has them, for libraries that know values by that."""

    def __get__(self, record: object, kind: type[Record]) -> dict[str, Any]:
        from dataclasses import dataclass, field  # noqa: PLC0415  # asked for now and then

        body: dict[str, Any] = {"__doc__": "", "__annotations__": kind.__annotations__}
        for name, value in kind.__fallbacks__.items():
            body[name] = field(default_factory=value.make) if isinstance(value, _Fresh) else value
        twin: Any = type(kind.__name__, (), body)
        dataclass(init=False, repr=False, eq=False, kw_only=True)(twin)
        found: dict[str, Any] = twin.__dataclass_fields__
        kind.__dataclass_fields__ = found
        return found


class Record(metaclass=_Kind):
    """Named values: frozen (unless ``frozen=False``), slotted, given by keyword, compared by value.

    Fields are annotated, other class attributes are not; annotations have to be postponed (``from
    __future__ import annotations``). ``__post_init__`` may refuse what does not go together.
    Records do not extend each other.
    """

    __slots__ = ()
    __match_args__ = ()
    __dataclass_fields__ = _Description()

    def __init__(self, /, *values: object, **named: object) -> None:
        """For the first instance of a kind only: gives it a constructor of its own."""
        kind = type(self)
        kind.__init__ = made = _constructor(kind)  # type: ignore[method-assign]  # that is the point
        made(self, *values, **named)

    def __eq__(self, other: object) -> bool:
        kind = type(self)
        if type(other) is not kind:
            return NotImplemented
        return kind.__values__(self) == kind.__values__(other)

    def __hash__(self) -> int:
        return hash(type(self).__values__(self))

    def __repr__(self) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in type(self).__fields__)
        return f"{type(self).__qualname__}({values})"

    def __reduce__(self) -> tuple[Callable[..., Record], tuple[object, ...]]:
        return _restored, type(self).__values__(self)


def field_names(kind: type[Record]) -> tuple[str, ...]:
    """The names of a record's fields, in order."""
    return kind.__fields__


def _restored(kind: type[Record], *values: object) -> Record:
    return kind(**dict(zip(kind.__fields__, values, strict=True)))


def _constructor(kind: type[Record]) -> Callable[..., None]:
    """A function whose signature is the fields, so that it refuses what Python would refuse."""
    scope: dict[str, Any] = {"__name__": kind.__module__}
    lines = [f"def __init__(self, *, {', '.join(kind.__fields__)}):"]
    for name in kind.__fields__:
        value, default = name, kind.__fallbacks__.get(name)
        if isinstance(default, _Fresh):
            scope[f"{name}__fresh"] = default
            value = f"{name}__fresh.make() if {name} is {name}__fresh else {name}"
        if kind.__mutable__:
            lines.append(f" self.{name} = {value}")
        else:
            scope[f"{name}__set"] = vars(kind)[name].__set__  # faster than object.__setattr__
            lines.append(f" {name}__set(self, {value})")
    if hasattr(kind, "__post_init__"):
        lines.append(" self.__post_init__()")
    exec("\n".join(lines), scope)  # noqa: S102  # made of names that are fields
    made: Callable[..., None] = scope["__init__"]
    made.__kwdefaults__ = kind.__fallbacks__
    made.__qualname__ = f"{kind.__qualname__}.__init__"
    return made
