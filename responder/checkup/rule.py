"""Runbooks, and the people whose approval they want."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stanch.responder.bootstrap import installed_runbooks
from stanch.responder.config import Settings
from stanch.responder.domain.check import Check, State
from stanch.responder.domain.runbook import Runbook
from stanch.responder.services.people import duplicates

_ENOUGH = 2  # who asks may not decide


def load_enabled(settings: Settings) -> Mapping[str, Runbook]:
    """The runbooks in force. Raises RunbookError."""
    return installed_runbooks(settings)


def runbooks(books: Mapping[str, Runbook]) -> Iterator[Check]:
    """What is loaded."""
    for book in books.values():
        yield Check(State.GOOD, "runbooks", f"{book.id} v{book.version}: {len(book.steps)} steps")


def people(settings: Settings, books: Mapping[str, Runbook]) -> Iterator[Check]:
    """Every approval that a runbook asks for can be given by somebody who did not ask."""
    persons = settings.persons().values()
    for shared in duplicates(settings.persons()):
        yield Check(
            State.WRONG, "people", f"two people share {shared}", "give each their own, or one entry"
        )
    if persons and not any(person.account for person in persons):
        yield Check(
            State.GOOD,
            "people",
            "no account is set: on the command line `--as` is a claim that nobody checks",
            'set [people.NAME] account = "login" for each, or decide in Slack only',
        )
    for group, policies in _wanted(books).items():
        members = [person for person in persons if group in person.groups]
        what = f"{len(members)} in the group {group!r}, for {', '.join(policies)}"
        if len(members) >= _ENOUGH:
            yield Check(State.GOOD, "people", what)
            continue
        yield Check(
            State.WRONG,
            "people",
            f"{what}; who asks may not decide, so two are needed",
            f'add people to stanch.toml: [people.NAME] groups = ["{group}"]',
        )


def _wanted(books: Mapping[str, Runbook]) -> dict[str, list[str]]:
    """Groups, each with the policies that name it."""
    found: dict[str, set[str]] = {}
    for book in books.values():
        for policy in book.policies.values():
            found.setdefault(policy.group, set()).add(policy.id)
    return {group: sorted(names) for group, names in sorted(found.items())}
