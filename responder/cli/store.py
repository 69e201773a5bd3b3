"""``stanch store``: what the owner of a team's database does, and nobody else."""

from __future__ import annotations

import re

import click

from stanch.responder.config import load
from stanch.responder.domain.error import UsageError
from stanch.responder.keys.reference import secret
from stanch.responder.store.grant import NOTICER, READER, WRITER, Rights, Role, prepare, script

_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,62}")


@click.group("store")
def command() -> None:
    """Prepare a team's database; run it as the owner of its tables."""


@command.command("prepare")
@click.option(
    "--role", metavar="ROLE", help="The application's: may add to the record, not change it."
)
@click.option("--role-password", metavar="REF", help="Its password: file:/path or env:NAME.")
@click.option("--reader", metavar="ROLE", help="The web pages': reads, but nothing that is sealed.")
@click.option("--reader-password", metavar="REF", help="Its password: file:/path or env:NAME.")
@click.option("--hooks", metavar="ROLE", help="The webhooks' door: says that there is news.")
@click.option("--hooks-password", metavar="REF", help="Its password: file:/path or env:NAME.")
@click.option("--sql", is_flag=True, help="Print the grants for a person to run; change nothing.")
def prepare_(  # noqa: PLR0913  # one for each option
    role: str | None,
    role_password: str | None,
    reader: str | None,
    reader_password: str | None,
    hooks: str | None,
    hooks_password: str | None,
    *,
    sql: bool,
) -> None:
    """Bring the tables up to date, make the roles that lack, and give each its rights alone.

    [store] url must name the owner (STANCH_STORE_URL, STANCH_STORE_PASSWORD). Repeat it after each
    upgrade, and with a new password to change one. Needs no key of the installation.

    Exit codes: 0 done, 2 usage or configuration.
    """
    roles = [
        _role(name, rights, password)
        for name, rights, password in (
            (role, WRITER, role_password),
            (reader, READER, reader_password),
            (hooks, NOTICER, hooks_password),
        )
        if name
    ]
    if sql:
        for statement in script(load().store.url, roles):
            click.echo(statement)
        return
    done = prepare(load().store_url(), roles)
    click.echo(f"{done}: the tables are up to date")
    for each in roles:
        click.echo(f"{each.name} {_MAY[id(each.rights)]}")


_MAY = {
    id(WRITER): "may work with it",
    id(READER): "may read it",
    id(NOTICER): "may say that there is news",
}


def _role(name: str, rights: Rights, password: str | None) -> Role:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} is no name for a role",
            remedy="use small letters, digits, - and _, as in `--role stanch`",
        )
    word = secret(password, what=f"the password of {name}") if password else None
    return Role(name=name, rights=rights, password=word)
