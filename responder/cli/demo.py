"""``stanch demo``: the whole story with the real product, against an AWS emulator on loopback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shlex import quote

import click
from rich.console import Console

from stanch.responder.domain.error import UsageError

MARK = ".stanch-demo"  # only a folder that holds this file is ever replaced
PROPAGATION = timedelta(seconds=4)  # what IAM takes; docs/adr/0006
REASON = "The replacement is in place and its consumer works."


_WHERE = ("STANCH_HOME", "STANCH_CONFIG")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where the story plays."""

    folder: Path
    console: Console
    environment: Mapping[str, str]

    @property
    def repository(self) -> Path:
        """The leaky repository."""
        return self.folder / "payments"

    def say(self, text: str) -> None:
        """One line of narration."""
        self.console.print(f"\n[bold]{text}[/]")

    def stanch(self, *arguments: str) -> int:
        """Run a command as a user would, in its own process; returns its exit code."""
        shown = " ".join(f'"{a}"' if " " in a else a for a in arguments)
        self.console.print(f"[cyan]$ stanch {shown}[/]")
        sys.stdout.flush()
        done = subprocess.run(
            [sys.executable, "-m", "stanch", *arguments],
            cwd=self.folder,
            env=dict(self.environment),
            check=False,
        )
        return done.returncode


@click.command("demo")
@click.option("--yes", is_flag=True, help="Approve by itself, without a key press.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(MARK),
    show_default=True,
    help="Where the story plays; replaced when it is an earlier demo.",
)
def command(yes: bool, folder: Path) -> None:  # noqa: FBT001  # click passes by name
    """Find a key in a repository's history, respond, approve, and prove the key dead.

    Everything is real: git, the scanner, the Celery workflow, HTTP to the emulator, the record. At
    the end the world is asked again and every claim is shown with its evidence.

    Exit codes: 0 every claim held, 1 one did not, 2 the lab is not installed, or FOLDER is not an
    earlier demo.
    """
    from stanch.responder.lab.aws import AwsLab, seed  # noqa: PLC0415  # only here is a lab needed
    from stanch.responder.lab.proof import prove  # noqa: PLC0415
    from stanch.responder.lab.repository import build, leaky_history  # noqa: PLC0415

    console = Console(highlight=False)
    began = time.monotonic()
    place = _fresh(folder)
    with AwsLab.start(propagation=PROPAGATION) as lab:
        world = seed(lab)
        stage = Stage(
            folder=place,
            console=console,
            environment=_environment(place, lab.admin.access_key_id, lab.admin.secret),
        )
        _configure(stage.folder, lab.endpoint_url, lab.region)
        history = leaky_history(world.leaked.access_key_id, world.leaked.secret)
        build(stage.repository, history, now=datetime.now(UTC))
        world.attacker.intrude()
        world.attacker.assume()
        seen = lab.calls()[-1]["seq"]
        codes = _play(stage, yes=yes or not sys.stdin.isatty())
        held = prove(world, stage.folder, codes, console, since=seen)
    page = Path(os.path.relpath(stage.folder)) / "postmortems" / "LK-1.html"
    console.print(
        f"\nThe story took {time.monotonic() - began:.0f} s. Open {page} to read it again, or look "
        "into its incident:"
    )
    for line in _looking_again(stage.environment):
        console.print(line, soft_wrap=True, markup=False, highlight=False)
    sys.exit(0 if held else 1)


def _play(stage: Stage, *, yes: bool) -> dict[str, int]:
    codes = {}
    stage.say(
        "A key was committed nine days ago and removed an hour later. Somebody found it, looked "
        "around, minted a session and assumed a role."
    )
    codes["scan"] = stage.stanch("scan", stage.repository.name)
    stage.say("alice is on call. One command contains, identifies and replaces.")
    codes["respond"] = stage.stanch("respond", stage.repository.name, "--as", "alice")
    stage.say("Deleting cannot be undone, so it waits. alice tries to approve her own request.")
    codes["own"] = stage.stanch("approve", "LK-1", "--as", "alice", "--yes", "--reason", REASON)
    stage.say("bob decides. The key is deleted, and proven dead.")
    confirmed = ("--yes", "--reason", REASON) if yes else ()
    codes["approve"] = stage.stanch("approve", "LK-1", "--as", "bob", *confirmed)
    stage.say("What is left to do gets an owner, and the incident is closed.")
    codes["close"] = stage.stanch(
        "close",
        "LK-1",
        "--as",
        "bob",
        "--owner",
        "alice",
        "--reason",
        "Dead, and its consumer works.",
    )
    stage.say("What happened, for those who ask tomorrow.")
    codes["postmortem"] = stage.stanch("postmortem", "LK-1")
    codes["verify"] = stage.stanch("audit", "verify")
    return codes


def _looking_again(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What to type to see the demo's incident instead of one's own."""
    exports = (f"export {name}={quote(environment[name])}" for name in _WHERE)
    return (*exports, "stanch incidents LK-1", f"unset {' '.join(_WHERE)}")


def _fresh(folder: Path) -> Path:
    if folder.exists():
        if not (folder / MARK).is_file():
            raise UsageError(
                f"{folder} exists and is not an earlier demo", remedy="name another with --folder"
            )
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / MARK).touch()
    return folder.absolute()


def _environment(folder: Path, access_key_id: str, secret: str) -> dict[str, str]:
    """The user's environment without their AWS and Stanch settings, with the lab's identity."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("STANCH_", "AWS_"))
    }
    return kept | {
        "STANCH_HOME": str(folder / "home"),
        "STANCH_CONFIG": str(folder / "stanch.toml"),
        "AWS_ACCESS_KEY_ID": access_key_id,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _configure(folder: Path, endpoint: str, region: str) -> None:
    (folder / "stanch.toml").write_text(
        f'[aws]\nendpoint_url = "{endpoint}"\nregion = "{region}"\n'
        "trail_lag_seconds = 0  # the lab's trail is not late\n\n"
        '[people.alice]\ngroups = ["security"]\n\n[people.bob]\ngroups = ["security"]\n',
        encoding="utf-8",
    )
