"""Who asks for something, through which door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stanch.responder.domain.approval import Person
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A person at a door: ``name`` is how approvals know them.

    On the command line the name is a claim, so ``account`` is recorded beside it: there the
    operating system's user, in Slack ``team/user``.
    """

    name: str
    door: str  # "cli", "slack"
    account: str = ""

    @property
    def actor(self) -> str:
        """How the record names them."""
        return self.door if self.door == "system" else f"{self.door}:{self.name}"

    @property
    def trace(self) -> JsonObject:
        """What the record keeps beside the name."""
        return {"account": self.account} if self.account else {}


SYSTEM = Caller(name="stanch", door="system")  # nobody asked: the house itself goes on


def at_command_line(people: Mapping[str, Person], name: str | None, account: str) -> Caller:
    """Who speaks from the operating system's ``account`` under ``name`` (None: whose it is).

    Where the configuration ties accounts to people, nobody speaks for somebody else: neither under
    the name of a person with another account, nor from a person's account under another name.
    """
    owner = next((p.name for p in people.values() if p.account == account), None)
    claimed = name or owner or account
    tied = people[claimed].account if claimed in people else None
    if tied not in {None, account}:
        raise UsageError(
            f"{claimed} works from the account {tied!r}, and this is {account!r}",
            remedy=f"run it from {tied!r}, or speak for yourself: leave out --as",
        )
    if owner not in {None, claimed}:
        raise UsageError(
            f"the account {account!r} is {owner}'s, not {claimed}'s",
            remedy="leave out --as, or change [people] in stanch.toml",
        )
    return Caller(name=claimed, door="cli", account=account)
