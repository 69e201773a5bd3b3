"""Precedence, refusals and the record, over stores that answer as told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from stanch.responder.lifecycle.backends.read_only import ReadOnly
from stanch.responder.lifecycle.backends.setting import SecretsSection
from stanch.responder.lifecycle.model.access import Access, Asker, Outcome
from stanch.responder.lifecycle.model.answer import (
    Absent,
    Denied,
    Described,
    Listed,
    Look,
    Present,
    Read,
    Unreachable,
)
from stanch.responder.lifecycle.model.backend import Ability, Backend
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.error import (
    SecretAbsent,
    SecretDenied,
    SecretRefused,
    SecretsConfigError,
    SecretUnavailable,
)
from stanch.responder.lifecycle.model.metadata import KEYS
from stanch.responder.lifecycle.model.reference import Reference, parse
from stanch.responder.lifecycle.model.segregation import Place
from stanch.responder.lifecycle.resolution.precedence import course
from stanch.responder.lifecycle.resolution.resolver import Resolved, Resolver
from stanch.scanner.model.secret import SecretValue

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ME = Asker(actor="cli:alice", where="desk/1", why="to see")
VALUE = SecretValue(b"a value")


class Told(ReadOnly):
    """A store that gives one answer to everything."""

    def __init__(
        self,
        name: str,
        answer: Read,
        *,
        tags: Mapping[str, str] | None = None,
        abilities: frozenset[Ability] = frozenset({Ability.ANNOTATE}),
    ) -> None:
        self.name = name
        self.answer = answer
        self.tags = tags or {}
        self.abilities = abilities
        self.reads = 0
        self.deleted_at: datetime | None = None

    def read(self, reference: Reference) -> Read:
        del reference
        self.reads += 1
        return self.answer

    def read_many(self, references: Sequence[Reference]) -> Mapping[Reference, Read]:
        return {each: self.read(each) for each in references}

    def describe(self, reference: Reference) -> Look:
        if not isinstance(self.answer, Present):
            return self.answer
        return Described(place=reference.path, tags=self.tags, deleted_at=self.deleted_at)

    def entries(self, *, under: str = "") -> Iterator[Listed | Denied | Unreachable]:
        raise NotImplementedError


@dataclass(slots=True)
class Book:
    """The record, in memory; ``full`` when it cannot be written."""

    written: list[Access] = field(default_factory=list)
    full: bool = False

    def record(self, access: Access) -> None:
        if self.full:
            raise OSError("no space")
        self.written.append(access)


def tags(reference: Reference, **changed: str) -> dict[str, str]:
    whole = {name: key.example for name, key in KEYS.items()}
    return whole | {"service": reference.service, "environment": reference.environment} | changed


def given(name: str, reference: Reference, **changed: str) -> Told:
    return Told(name, Present(value=VALUE, version="7"), tags=tags(reference, **changed))


def resolver(
    book: Book, *stores: Told, environment: str, declared: SecretsSection | None = None
) -> Resolver:
    known: dict[str, Backend] = {each.name: each for each in stores}
    section = declared or SecretsSection()
    return Resolver(
        place=Place(environment=Environment(environment), service="shop"),
        course=lambda env: course(env, section.sources(), known.__getitem__),
        log=book,
        clock=lambda: NOW,
    )


ABSENT, AWAY = Absent(why="it has none"), Unreachable(why="no answer")
CLOSED = Denied(why="not for you", remedy="ask for it")


def key(environment: str) -> Reference:
    return parse(f"secret://shop/{environment}/stripe/api-key")


def development(*answers: Read) -> list[Told]:
    names = ("secrets-manager", "env-file", "process-environment")
    return [
        Told(name, answer, tags=tags(key("dev")))
        for name, answer in zip(names, answers, strict=True)
    ]


def test_development_asks_the_store_then_the_file_then_the_environment() -> None:
    present = Present(value=VALUE, version="1")
    for answers, source in (
        ((present, present, present), "secrets-manager"),
        ((ABSENT, present, present), "env-file"),
        ((ABSENT, ABSENT, present), "process-environment"),
    ):
        stores = development(*answers)
        found = resolver(Book(), *stores, environment="dev").resolve(key("dev"), ME)
        assert (found.source, found.notes) == (source, ())
        assert sum(each.reads for each in stores) == 1


def test_development_passes_over_a_store_that_says_no_and_says_so() -> None:
    stores = development(CLOSED, Present(value=VALUE, version="1"), ABSENT)
    found = resolver(Book(), *stores, environment="dev").resolve(key("dev"), ME)
    assert found.notes == ("secrets-manager was passed over: not for you",)


def test_what_nobody_was_heard_about_is_unavailable_and_not_absent() -> None:
    with pytest.raises(SecretUnavailable, match="no answer"):
        resolver(Book(), *development(AWAY, ABSENT, ABSENT), environment="dev").resolve(
            key("dev"), ME
        )
    with pytest.raises(SecretDenied):
        resolver(Book(), *development(CLOSED, ABSENT, ABSENT), environment="dev").resolve(
            key("dev"), ME
        )
    with pytest.raises(SecretAbsent):
        resolver(Book(), *development(ABSENT, ABSENT, ABSENT), environment="dev").resolve(
            key("dev"), ME
        )


@pytest.mark.parametrize(
    ("answer", "error", "outcome"),
    [
        (ABSENT, SecretAbsent, Outcome.ABSENT),
        (CLOSED, SecretDenied, Outcome.DENIED),
        (AWAY, SecretUnavailable, Outcome.UNREACHABLE),
    ],
)
def test_production_asks_one_store_and_its_answer_stands(
    answer: Read, error: type[Exception], outcome: Outcome
) -> None:
    book, store = Book(), Told("secrets-manager", answer)
    others = [given(name, key("prod")) for name in ("env-file", "process-environment")]
    with pytest.raises(error):
        resolver(book, store, *others, environment="prod").resolve(key("prod"), ME)
    assert [each.reads for each in others] == [0, 0]
    assert [each.outcome for each in book.written] == [outcome]


@pytest.mark.parametrize(
    ("stores", "why"),
    [
        (("env-file",), "env-file is no store for production"),
        (("secrets-manager", "process-environment"), "process-environment is no store"),
        (("secrets-manager", "parameter-store"), "falls back to nothing"),
        ((), "names no store"),
    ],
)
def test_production_cannot_be_told_to_fall_back(stores: tuple[str, ...], why: str) -> None:
    made = [given(name, key("prod")) for name in stores]
    opened = resolver(Book(), *made, environment="prod", declared=SecretsSection(production=stores))
    with pytest.raises(SecretsConfigError, match=why):
        opened.resolve(key("prod"), ME)


def test_a_file_in_staging_is_deprecated_and_says_so() -> None:
    found = resolver(Book(), given("env-file", key("staging")), environment="staging")
    notes = found.resolve(key("staging"), ME).notes
    assert ["deprecated" in note for note in notes] == [True]


def test_without_metadata_nothing_is_given_and_the_next_command_adds_it() -> None:
    book = Book()
    store = given("secrets-manager", key("prod"), owner="", **{"rotation-period": "often"})
    with pytest.raises(SecretRefused) as caught:
        resolver(book, store, environment="prod").resolve(key("prod"), ME)
    assert "owner missing; rotation-period is not a period such as 90d or 8h" in str(caught.value)
    assert caught.value.remedy == (
        "run: stanch secrets annotate secret://shop/prod/stripe/api-key "
        "--owner payments-team --rotation-period 90d"
    )
    assert store.reads == 0  # the value was not even opened
    assert [each.outcome for each in book.written] == [Outcome.REFUSED]


def test_a_local_store_needs_metadata_from_staging_on() -> None:
    for environment, needed in (("test", False), ("staging", True)):
        bare = Told("env-file", Present(value=VALUE, version="1"), abilities=frozenset())
        opened = resolver(Book(), bare, environment=environment)
        if needed:
            with pytest.raises(SecretRefused) as caught:
                opened.resolve(key(environment), ME)
            assert "# stanch: owner=payments-team" in caught.value.remedy
        else:
            assert opened.resolve(key(environment), ME).metadata is None


def test_what_is_being_deleted_is_given_to_nobody() -> None:
    store = given("secrets-manager", key("prod"))
    store.deleted_at = NOW
    with pytest.raises(SecretRefused, match="being deleted"):
        resolver(Book(), store, environment="prod").resolve(key("prod"), ME)


def test_a_secret_of_another_place_is_refused_before_any_store_is_asked() -> None:
    book, store = Book(), given("secrets-manager", key("dev"))
    with pytest.raises(SecretRefused, match="it belongs to dev, and this is prod"):
        resolver(book, store, environment="prod").resolve(key("dev"), ME)
    assert store.reads == 0
    assert book.written[0].outcome is Outcome.REFUSED


def test_what_cannot_be_recorded_is_not_given() -> None:
    book = Book(full=True)
    with pytest.raises(OSError, match="no space"):
        resolver(book, given("secrets-manager", key("prod")), environment="prod").resolve(
            key("prod"), ME
        )


def test_every_access_but_development_s_is_recorded_with_who_where_and_why() -> None:
    book = Book()
    for environment in Environment:
        names = ("secrets-manager", "env-file", "process-environment")
        stores = [given(name, key(environment)) for name in names]
        found = resolver(book, *stores, environment=environment)
        assert isinstance(found.resolve(key(environment), ME), Resolved)
    assert [each.reference.environment for each in book.written] == ["test", "staging", "prod"]
    last = book.written[-1]
    assert (last.at, last.asker, last.outcome) == (NOW, ME, Outcome.GIVEN)
    assert (last.source, last.version) == ("secrets-manager", "7")
    assert "a value" not in str(last.words)


def test_how_long_the_store_took_is_on_the_record() -> None:
    book = Book()
    store = Told("secrets-manager", Present(value=VALUE, version="1"), tags=tags(key("prod")))
    resolver(book, store, environment="prod").resolve(key("prod"), ME)
    seconds = book.written[0].words["seconds"]
    assert isinstance(seconds, float)
    assert 0 <= seconds < 60
