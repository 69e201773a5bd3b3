"""Asks the world again: every claim of the story, with its evidence and its time."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from stanch.responder.domain import goal
from stanch.responder.domain.claim import Claim as ProductClaim
from stanch.responder.domain.claim import read_claim
from stanch.responder.lab.aws import ALIVE, AwsLab, World
from stanch.responder.lab.search import search
from stanch.responder.postmortem.text import span

FOUND, USAGE = 1, 2  # exit codes
# What the runbook changes: the API, and the stage it moves where one API does two things.
ACTS = (
    ("iam:UpdateAccessKey", None),
    ("iam:PutUserPolicy", None),
    ("iam:PutRolePolicy", None),
    ("iam:CreateAccessKey", None),
    ("secretsmanager:PutSecretValue", None),
    ("secretsmanager:UpdateSecretVersionStage", "AWSCURRENT"),
    ("iam:DeleteAccessKey", None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Something the story says, whether it held, how that was seen, and when (after detection)."""

    text: str
    held: bool
    evidence: str
    after: float | None = None


def prove(
    world: World, folder: Path, codes: Mapping[str, int], console: Console, *, since: int
) -> bool:
    """Ask the world, print one table, and say whether every claim held.

    ``codes`` are the exit codes of the story's commands by scene; calls of the emulator's journal
    are counted after number ``since``.
    """
    clocks = _clocks(folder / "home" / "stanch.db")
    claims = [
        *_about_the_clocks(clocks),
        *_about_the_world(world, clocks),
        _about_the_proof(folder / "home" / "stanch.db"),
        *_about_the_acts(world, since),
        *_about_the_people(codes),
        *_about_the_record(folder, codes),
        _about_the_secret(world, folder),
    ]
    console.print(_table(claims))
    return all(claim.held for claim in claims)


def _about_the_clocks(clocks: Mapping[str, float]) -> list[Claim]:
    return [
        Claim(
            text=f"Containment asked for within {span(goal.REQUESTED)}",
            held=_within(clocks.get("containment_requested_at"), goal.REQUESTED),
            evidence="disable key, deny sessions",
            after=clocks.get("containment_requested_at"),
        ),
        Claim(
            text=f"Containment verified within {span(goal.VERIFIED)}",
            held=_within(clocks.get("containment_verified_at"), goal.VERIFIED),
            evidence="both refused, seen 3 times",
            after=clocks.get("containment_verified_at"),
        ),
    ]


def _within(seconds: float | None, promised: timedelta) -> bool:
    return seconds is not None and seconds <= promised.total_seconds()


def _about_the_world(world: World, clocks: Mapping[str, float]) -> list[Claim]:
    key, session = world.attacker.try_key(), world.attacker.try_session()
    role = world.attacker.try_role_session()
    work = world.consumer.work()
    left = world.lab.client("iam").list_access_keys(UserName=world.user)["AccessKeyMetadata"]
    used = world.consumer.key().access_key_id
    ids = [entry["AccessKeyId"] for entry in left]
    return [
        Claim(
            text="The leaked key is refused",
            held=key == "InvalidAccessKeyId",
            evidence=f"attacker: {key}",
            after=clocks.get("proven_dead_at"),
        ),
        Claim(
            text="A session of it is refused",
            held=session == "AccessDenied",
            evidence=f"attacker: {session}",
            after=clocks.get("containment_verified_at"),
        ),
        Claim(
            text="A role's session born from it is refused",
            held=role == "AccessDenied",
            evidence=f"attacker: {role}",
            after=clocks.get("proven_dead_at"),
        ),
        Claim(
            text="The leaked key is gone",
            held=world.leaked.access_key_id not in ids and len(ids) == 1,
            evidence=f"the user has {len(ids)} key, a new one",
            after=clocks.get("proven_dead_at"),
        ),
        Claim(
            text="Its consumer works with the new key",
            held=work == ALIVE and [used] == ids,
            evidence=f"its daily work: {work}",
        ),
    ]


def _about_the_proof(database: Path) -> Claim:
    """What the product itself says it followed, and what it says it did not cover."""
    said = _last_claim(database)
    covers = said.covers if said else ()
    gaps = said.uncovered if said else ()
    return Claim(
        text="Everything born from it was followed",
        held=said is not None and said.proven and any("role release" in c for c in covers),
        evidence="\n".join(
            [
                *(f"followed: {each}" for each in covers or ["nothing"]),
                *(f"NOT followed: {gap}" for gap in gaps or ["nothing that is known"]),
            ]
        ),
        after=None,
    )


def _last_claim(database: Path) -> ProductClaim | None:
    """From the step's evidence, read with plain SQL."""
    if not database.is_file():
        return None
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT evidence FROM steps WHERE id = 'prove-dead' ORDER BY rowid DESC"
        row = connection.execute(query).fetchone()
    return read_claim(json.loads(row[0])) if row else None


def _about_the_acts(world: World, since: int) -> list[Claim]:
    counts = acts(world.lab, since=since)
    wrong = {act: count for act, count in counts.items() if count != 1}
    return [
        Claim(
            text="Every act happened exactly once",
            held=not wrong,
            evidence=f"{len(ACTS)} acts, counted at AWS" if not wrong else str(wrong),
        )
    ]


def acts(lab: AwsLab, *, since: int) -> dict[str, int]:
    """How often our own identity performed each act; the thief's refused attempts are not ours."""
    return {
        f"{api} {stage or ''}".strip(): sum(
            1
            for call in lab.calls(api, since=since)
            if call["performed"]
            and call["access_key_id"] == lab.admin.access_key_id
            and stage in {None, call["params"].get("VersionStage")}
        )
        for api, stage in ACTS
    }


def _about_the_people(codes: Mapping[str, int]) -> list[Claim]:
    return [
        Claim(
            text="Who asks cannot approve",
            held=codes["own"] == USAGE,
            evidence=f"alice's own word: exit {codes['own']}",
        ),
        Claim(
            text="Another person can",
            held=codes["approve"] == 0,
            evidence=f"bob's word: exit {codes['approve']}",
        ),
        Claim(
            text="Closed once the rest has owners",
            held=codes["close"] == 0,
            evidence=f"stanch close: exit {codes['close']}",
        ),
    ]


def _about_the_record(folder: Path, codes: Mapping[str, int]) -> list[Claim]:
    caught = _tampered(folder)
    pages = [folder / "postmortems" / f"LK-1.{kind}" for kind in ("md", "html")]
    return [
        Claim(
            text="The scan found it in history",
            held=codes["scan"] == FOUND,
            evidence=f"stanch scan: exit {codes['scan']}",
        ),
        Claim(
            text="The record is whole and anchored",
            held=codes["verify"] == 0,
            evidence=f"stanch audit verify: exit {codes['verify']}",
        ),
        Claim(
            text="A changed record is noticed",
            held=caught == FOUND,
            evidence=f"a copy, one word edited: exit {caught}",
        ),
        Claim(
            text="The postmortem is written",
            held=codes["postmortem"] == 0 and all(page.is_file() for page in pages),
            evidence=f"{pages[0].parent.name}/{pages[0].stem}.md, .html",
        ),
    ]


def _tampered(folder: Path) -> int:
    """Change one entry in a copy of the installation; the exit code of its verification.

    -1 when there is no installation to copy.
    """
    if not (folder / "home" / "stanch.db").is_file():
        return -1
    copy = folder / "tampered"
    shutil.copytree(folder / "home", copy)
    with closing(sqlite3.connect(copy / "stanch.db")) as database, database:
        database.execute("UPDATE ledger SET actor = 'nobody' WHERE seq = 3")
    done = subprocess.run(
        [sys.executable, "-m", "stanch", "audit", "verify"],
        cwd=folder,
        env={**os.environ, "STANCH_HOME": str(copy), "STANCH_CONFIG": str(folder / "stanch.toml")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # it says what to do about the copy, which nobody has to
        check=False,
    )
    return done.returncode


def _about_the_secret(world: World, folder: Path) -> Claim:
    session = world.attacker.session
    planted = {
        "the secret key": world.leaked.secret.encode(),
        "the key id": world.leaked.access_key_id.encode(),
        "the new secret key": world.consumer.key().secret.encode(),
    }
    if session is not None and session.token:
        planted["a session token"] = session.token.encode()
    role = world.attacker.role_session
    if role is not None and role.token:
        planted["a role's session token"] = role.token.encode()
    written = [path for path in folder.iterdir() if path.name != "payments"]
    result = search(written, planted)
    return Claim(
        text="The secret is written nowhere",
        held=not result.hits and result.files > 0,
        evidence=f"{result.files} files, {result.size / 1e6:.1f} MB, 12 forms"
        if not result.hits
        else f"FOUND in {result.hits[0].path.name}",
    )


def _clocks(database: Path) -> dict[str, float]:
    """The incident's clocks, read with plain SQL: seconds after detection. None without a store."""
    if not database.is_file():
        return {}
    names = ("containment_requested_at", "containment_verified_at", "proven_dead_at")
    with closing(sqlite3.connect(database)) as connection:
        query = f"SELECT detected_at, {', '.join(names)} FROM incidents WHERE id = 1"  # noqa: S608  # fixed names
        row = connection.execute(query).fetchone() or (0, None, None, None)
    return {
        name: (at - row[0]) / 1e6 for name, at in zip(names, row[1:], strict=True) if at is not None
    }


def _table(claims: list[Claim]) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), title="What was proven"
    )
    table.add_column("")
    table.add_column("Claim")
    table.add_column("Evidence, asked anew", overflow="fold")
    table.add_column("After", justify="right", no_wrap=True)
    for claim in claims:
        mark = "[green]✓[/]" if claim.held else "[bold red]✗[/]"
        when = f"{claim.after:.1f} s" if claim.after is not None else ""
        table.add_row(mark, claim.text, claim.evidence, when)
    return table
