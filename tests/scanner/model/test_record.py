"""A record is a dataclass (frozen, slotted, by keyword) that costs next to nothing to define."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.model.record import Record, field_names, fresh, replace

Item = TypeVar("Item")


class Place(Record):
    path: str
    line: int = 1
    marks: tuple[str, ...] = ()
    source = "worktree"

    @property
    def shown(self) -> str:
        return f"{self.path}:{self.line}"

    def __str__(self) -> str:
        return super().__str__().upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceTwin:
    path: str
    line: int = 1
    marks: tuple[str, ...] = ()


class Tally(Record, frozen=False):
    seen: int = 0
    names: list[str] = fresh(list)


@dataclass(slots=True, kw_only=True)
class TallyTwin:
    seen: int = 0
    names: list[str] = field(default_factory=list)


class Sole(Record):
    value: object


class Box(Record, Generic[Item], frozen=False):
    item: Item


class Even(Record):
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError("odd")


_VALUES = st.fixed_dictionaries(
    {"path": st.text(max_size=3)},
    optional={"line": st.integers(0, 3), "marks": st.lists(st.text(max_size=1)).map(tuple)},
)
_TALLIES = st.fixed_dictionaries(
    {}, optional={"seen": st.integers(0, 3), "names": st.lists(st.text(max_size=1), max_size=2)}
)


@given(one=_VALUES, other=_VALUES)
def test_a_record_holds_shows_and_compares_what_a_dataclass_would(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    record, twin = Place(**one), PlaceTwin(**one)
    for name in ("path", "line", "marks"):
        assert getattr(record, name) == getattr(twin, name)
    assert repr(record) == repr(twin).replace("PlaceTwin", "Place", 1)
    assert (record == Place(**other)) == (twin == PlaceTwin(**other))
    assert (record != Place(**other)) == (twin != PlaceTwin(**other))
    assert len({record, Place(**other)}) == len({twin, PlaceTwin(**other)})
    assert record != twin
    assert dataclasses.asdict(record) == dataclasses.asdict(twin)


@given(one=_TALLIES, other=_TALLIES)
def test_a_mutable_record_does_as_well(one: dict[str, Any], other: dict[str, Any]) -> None:
    record, twin = Tally(**one), TallyTwin(**one)
    record.seen += 1
    twin.seen += 1
    assert repr(record) == repr(twin).replace("TallyTwin", "Tally", 1)
    assert (record == Tally(**other)) == (twin == TallyTwin(**other))
    del record.seen
    with pytest.raises(AttributeError):
        _ = record.seen
    with pytest.raises(TypeError, match="unhashable type: 'Tally'"):
        hash(record)


@pytest.mark.parametrize(
    "call",
    [
        lambda kind: kind(),
        lambda kind: kind(line=2),
        lambda kind: kind(path="a", colour="red"),
        lambda kind: kind("a"),
        lambda kind: kind("a", path="a"),
    ],
)
def test_wrong_arguments_are_refused_in_the_same_words(call: Callable[[Any], object]) -> None:
    with pytest.raises(TypeError) as expected:
        call(PlaceTwin)

    class Place(Record):  # has had no instance yet
        path: str
        line: int = 1
        marks: tuple[str, ...] = ()

    here = f"{test_wrong_arguments_are_refused_in_the_same_words.__name__}.<locals>."
    for _ in range(2):
        with pytest.raises(TypeError) as refused:
            call(Place)
        assert str(refused.value) == here + str(expected.value).replace("PlaceTwin", "Place")


def test_a_frozen_record_cannot_be_changed() -> None:
    place = Place(path="a")
    for name in ("path", "source", "colour"):
        with pytest.raises(AttributeError, match=name):
            setattr(place, name, "b")
        with pytest.raises(AttributeError, match=name):
            delattr(place, name)
    assert place == Place(path="a")


def test_a_record_has_room_for_its_fields_only() -> None:
    assert not hasattr(Place(path="a"), "__dict__")
    with pytest.raises(AttributeError):
        Tally().colour = "red"  # type: ignore[attr-defined]  # that is the point


def test_what_is_no_field_stays_with_the_class() -> None:
    place = Place(path="a", line=7)
    assert (Place.source, place.source, place.shown) == ("worktree", "worktree", "a:7")
    assert str(place) == repr(place).upper()
    assert field_names(Place) == ("path", "line", "marks")
    assert Place.__match_args__ == PlaceTwin.__match_args__
    match place:
        case Place(path="b"):
            pytest.fail("another path")
        case Place(path=path, line=line):
            assert (path, line) == ("a", 7)


def test_each_instance_has_a_default_of_its_own() -> None:
    one, other = Tally(), Tally()
    one.names.append("a")
    assert (one.names, other.names) == (["a"], [])
    given_names: list[str] = []
    assert Tally(names=given_names).names is given_names


@pytest.mark.parametrize("value", [Place(path="a", marks=("b",)), Sole(value=(1, [2])), Tally()])
def test_copies_and_what_comes_through_a_pipe_are_equal(value: Record) -> None:
    sent = [pickle.dumps(value, protocol) for protocol in range(pickle.HIGHEST_PROTOCOL + 1)]
    for got in (copy.copy(value), copy.deepcopy(value), *map(pickle.loads, sent)):
        assert got == value
        assert got is not value
        assert type(got) is type(value)
    assert not any(name.encode() in sent[-1] for name in field_names(type(value)))


def test_a_deep_copy_shares_nothing_that_changes() -> None:
    tally = Tally(names=["a"])
    assert copy.copy(tally).names is tally.names
    assert copy.deepcopy(tally).names is not tally.names


@pytest.mark.parametrize("way", [replace, dataclasses.replace])
def test_some_values_can_be_replaced(way: Callable[..., Place]) -> None:
    place = Place(path="a", line=2)
    assert way(place, line=3) == Place(path="a", line=3)
    assert place.line == 2
    with pytest.raises(TypeError, match="colour"):
        way(place, colour="red")


def test_libraries_that_know_dataclasses_know_records() -> None:
    ours, theirs = dataclasses.fields(Tally), dataclasses.fields(TallyTwin)
    for one, other in zip(ours, theirs, strict=True):
        assert (one.name, one.type, one.kw_only) == (other.name, other.type, other.kw_only)
        assert (one.default, one.default_factory) == (other.default, other.default_factory)
    written = msgspec.json.encode(Place(path="a"))
    assert msgspec.json.decode(written, type=Place) == Place(path="a")
    with pytest.raises(msgspec.ValidationError, match="path"):
        msgspec.json.decode(b"{}", type=Place)


def test_values_that_do_not_go_together_are_refused() -> None:
    assert Even(number=2).number == 2
    with pytest.raises(ValueError, match="odd"):
        Even(number=1)
    with pytest.raises(ValueError, match="odd"):
        replace(Even(number=2), number=3)


def test_a_record_may_be_generic_but_has_fields_and_no_heirs() -> None:
    assert Box[int](item=1) == Box(item=1)
    with pytest.raises(TypeError, match="Empty has no fields"):

        class Empty(Record):
            pass

    with pytest.raises(TypeError, match="Heir cannot extend another record"):

        class Heir(Place):
            more: int


def test_a_scan_loads_neither_dataclasses_nor_what_they_need(tmp_path: Path) -> None:
    (tmp_path / "shape.py").write_text("def area(width, height):\n    return width * height\n")
    code = (
        "import sys\n"
        # The error of whoever imports them names him.
        "sys.modules.update(dict.fromkeys(sys.argv[2:]))\n"
        "from stanch.scanner.scan.request import ScanRequest, scans\n"
        "for scan in scans(ScanRequest(targets=(sys.argv[1],), history=False)): print(*scan)\n"
    )
    for barred in ((), ("dataclasses", "inspect")):  # the first run fills the cache of the rules
        argv = [sys.executable, "-c", code, str(tmp_path), *barred]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
