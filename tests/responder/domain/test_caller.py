"""Who speaks on the command line: a name is a claim, an account is a fact."""

from __future__ import annotations

import pytest

from stanch.responder.domain.approval import Person
from stanch.responder.domain.caller import at_command_line
from stanch.responder.domain.error import UsageError


def person(name: str, account: str | None = None) -> Person:
    return Person(name=name, groups=frozenset({"ops"}), account=account)


FREE = {"alice": person("alice"), "bob": person("bob")}
TIED = {"alice": person("alice", "al"), "bob": person("bob", "bo"), "carol": person("carol")}


def test_the_account_is_recorded_beside_the_name() -> None:
    caller = at_command_line(FREE, "alice", "root")
    assert (caller.actor, caller.trace) == ("cli:alice", {"account": "root"})


def test_without_a_name_the_account_speaks_for_whom_it_belongs_to() -> None:
    assert at_command_line(FREE, None, "bo").name == "bo"
    assert at_command_line(TIED, None, "bo").name == "bob"


@pytest.mark.parametrize(
    ("name", "account", "message"),
    [
        ("bob", "al", "bob works from the account 'bo'"),
        ("bob", "root", "bob works from the account 'bo'"),
        ("carol", "al", "the account 'al' is alice's"),
        ("nobody", "al", "the account 'al' is alice's"),  # who asks as nobody could then approve
    ],
)
def test_where_accounts_are_tied_nobody_speaks_for_somebody_else(
    name: str, account: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        at_command_line(TIED, name, account)


def test_a_person_without_an_account_speaks_from_any_that_is_nobodys() -> None:
    assert at_command_line(TIED, "carol", "root").name == "carol"
