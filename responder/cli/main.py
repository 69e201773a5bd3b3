"""The map of commands. Loads a command's module only when it is called."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import signal
import sys
from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

import click

from stanch.scanner import __version__
from stanch.scanner.local.stream import finished, leave, mistake, prepare, say
from stanch.scanner.model.error import INTERNAL, defect, ending, rendered


class Entry(NamedTuple):
    """Where a command lives, and its line in ``stanch --help``."""

    module: str
    summary: str


SECTIONS = {
    "Find": {
        "scan": Entry(
            "stanch.scanner.cli.scan", "Find leaked credentials in a directory or repository."
        ),
        "mask": Entry("stanch.scanner.cli.mask", "Take credentials out of a stream, live."),
        "baseline": Entry(
            "stanch.scanner.cli.baseline.command", "Accept findings with a reason, for a time."
        ),
        "hook": Entry(
            "stanch.scanner.cli.hook", "Stop credentials before they are committed or pushed."
        ),
        "ci": Entry("stanch.scanner.cli.ci", "Check what a pull request brings, and report it."),
        "guard": Entry(
            "stanch.scanner.cli.guard", "Judge what an AI assistant would send, run or show."
        ),
        "migrate": Entry(
            "stanch.scanner.cli.migrate.command", "Take over another scanner's allowlists."
        ),
        "rules": Entry("stanch.scanner.cli.rules", "List, show and prove the detection rules."),
    },
    "Respond": {
        "respond": Entry(
            "stanch.responder.cli.respond", "Open incidents for what leaks and run their runbooks."
        ),
        "incidents": Entry("stanch.responder.cli.incidents", "List incidents, or show one card."),
        "approve": Entry(
            "stanch.responder.cli.approve", "Give or refuse the approval an incident waits for."
        ),
        "close": Entry(
            "stanch.responder.cli.close", "Say that an incident is over, and who does the rest."
        ),
        "undo": Entry("stanch.responder.cli.undo", "Take back what an incident's runbook did."),
        "pause": Entry("stanch.responder.cli.pause", "Stop an incident's run where it stands."),
        "resume": Entry("stanch.responder.cli.resume", "Go on with a paused run."),
        "cancel": Entry("stanch.responder.cli.cancel", "End a run and leave the world as it is."),
        "runbooks": Entry(
            "stanch.responder.cli.runbooks", "List, check and plan runbooks (dry run)."
        ),
        "logs": Entry(
            "stanch.responder.cli.copies.logs", "Read the masked copy of a log that was deleted."
        ),
        "postmortem": Entry(
            "stanch.responder.cli.postmortem", "Write what happened as Markdown and HTML."
        ),
        "audit": Entry("stanch.responder.cli.audit", "Verify the tamper-evident record."),
        "evidence": Entry(
            "stanch.responder.cli.evidence.command", "Export what the record proves, by control."
        ),
    },
    "Manage": {
        "secrets": Entry(
            "stanch.responder.cli.secrets.command",
            "Know every secret, and give it only to whom it belongs.",
        ),
    },
    "Run": {
        "watch": Entry(
            "stanch.responder.cli.watch", "Watch hosts, pipelines, logs and queues for leaks."
        ),
        "sources": Entry(
            "stanch.responder.cli.sources", "Show what is watched: how far, how late, what failed."
        ),
        "serve": Entry(
            "stanch.responder.cli.serve", "Run the web and Slack doors of a team set-up."
        ),
        "worker": Entry("stanch.responder.cli.worker", "Run a worker of a team set-up."),
        "store": Entry("stanch.responder.cli.store", "Prepare a team's database and its roles."),
        "fleets": Entry(
            "stanch.responder.cli.fleets", "Show how far fleets are, and what was set aside."
        ),
        "demo": Entry(
            "stanch.responder.cli.demo", "Play the whole story against a local AWS emulator."
        ),
        "doctor": Entry(
            "stanch.responder.cli.doctor", "Check configuration, store, vault, AWS and Slack."
        ),
    },
}
COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}
_EXTRA = "stanch[respond]"  # brings what the responder's commands import
_SIGN = "sqlalchemy"  # one of its packages: where it is, the others are expected


class NotInstalledError(Exception):
    """A command needs a package that the scanner alone does not bring."""

    exit_code = 2

    def __init__(self, command: str, package: str) -> None:
        entry = COMMANDS.get(command)
        needed = _EXTRA if entry and entry.module.startswith("stanch.responder") else "stanch"
        called = f"stanch {command}"
        super().__init__(f"`{called}` needs {needed} ({package} is not installed)")
        # By path: whoever owns that name on an index is not known.
        path = needed.replace("stanch", "/path/to/the/checkout")
        self.remedy = f"pipx install --force '{path}', or in the checkout: make install"


class Map(click.Group):
    """A group that imports a command when it is called, not before."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, which otherwise looks for similar names among what is loaded."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as error:
            raise click.exceptions.NoSuchCommand(
                error.command_name, possibilities=COMMANDS, ctx=ctx
            ) from None

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, from its own module's ``command``."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        if _lacking([COMMANDS[cmd_name]]):
            raise ModuleNotFoundError(name=_SIGN)
        gc.disable()  # modules are no garbage
        command = importlib.import_module(COMMANDS[cmd_name].module).command
        gc.enable()
        if not isinstance(command, click.Command):
            raise TypeError(f"{COMMANDS[cmd_name].module}.command is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The map, without importing anything."""
        del ctx
        widest = max(map(len, COMMANDS))  # the sections' columns stand below each other
        for title, section in SECTIONS.items():
            note = f" (needs {_EXTRA})" if _lacking(section.values()) else ""
            with formatter.section(title + note):
                formatter.write_dl(
                    [(name.ljust(widest), entry.summary) for name, entry in section.items()]
                )


def _lacking(entries: Iterable[Entry]) -> bool:
    """Whether these are commands of the responder, and its packages are not there."""
    theirs = all(entry.module.startswith("stanch.responder") for entry in entries)
    return theirs and importlib.util.find_spec(_SIGN) is None


@click.command(cls=Map, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stanch")
def stanch() -> None:
    """Find leaked credentials and drive each one to proven dead.

    Exit codes: 0 clean, 1 findings or a failed step, 2 usage or configuration, 3 incomplete,
    70 internal error.
    """


def main() -> NoReturn:
    """Run ``stanch``; a scan is over with its last word."""
    prepare()
    code = _run()
    if sys.argv[1:2] == ["scan"]:
        # Taking thousands of rules apart one by one would cost a small scan a tenth of its time.
        leave(code)
    sys.exit(finished(code))


def _run() -> int:
    """Run a command; every error that people can mend is one message and a remedy."""
    signal.signal(signal.SIGTERM, _stopped)
    try:
        # Without standalone mode click returns the code of ctx.exit() instead of raising it.
        code = stanch.main(standalone_mode=False, obj=_open_fleet)
    except SystemExit as done:
        code = done.code
    except click.exceptions.Exit as done:
        code = done.exit_code
    except (click.Abort, KeyboardInterrupt) as stopped:
        click.echo(" ".join(("stopped;", *stopped.args)) if stopped.args else "stopped", err=True)
        return 130
    except click.exceptions.NoArgsIsHelpError as asked:
        click.echo(asked.format_message(), err=True)
        return 2
    except click.ClickException as error:
        return _refused(error)
    except Exception as error:  # noqa: BLE001  # the last door: a message, never a bare trace
        return _failed(_missing(error) or mistake(error) or error)
    return code if isinstance(code, int) else 0 if code is None else 1


def _open_fleet(*asked: Any) -> Any:
    """What `stanch scan --fleet` opens; nothing of it is loaded before."""
    if importlib.util.find_spec(_SIGN) is None:
        raise NotInstalledError("respond", _SIGN)
    return importlib.import_module("stanch.responder.cli.fleet").door(*asked)


def _refused(error: click.ClickException) -> int:
    """A command line that is not understood: why, and what to type next."""
    context = getattr(error, "ctx", None)
    called = context.command_path if context else "stanch"
    click.echo(f"error: {error.format_message()}\n  help: {called} --help", err=True)
    return 2


def _stopped(number: int, _frame: object) -> NoReturn:
    """End as a signal asks, but tidily: what lies in temporary folders is removed."""
    sys.exit(128 + number)


def _missing(error: Exception) -> NotInstalledError | None:
    """What an error says about a package that is not there; None if it says something else."""
    package = (getattr(error, "name", None) or "").partition(".")[0]
    if not isinstance(error, ModuleNotFoundError) or package in {"", "stanch"}:
        return None
    return NotInstalledError(" ".join(sys.argv[1:2]), package)


def _failed(error: Exception) -> int:
    remedy = getattr(error, "remedy", None)
    if remedy is None:
        click.echo(f"{defect(error)}\nplease report the lines above", err=True)
        return INTERNAL
    say(rendered(error, _ending(error, str(remedy))))
    return int(getattr(error, "exit_code", INTERNAL))


def _ending(error: Exception, remedy: str) -> str:
    """The remedy, with the next command to type at its end."""
    return ending(remedy, getattr(error, "then", None) or _help())


def _help() -> str:
    """The help of the command that was called."""
    called = [word for word in sys.argv[1:2] if word in COMMANDS]
    return " ".join(("stanch", *called, "--help"))


if __name__ == "__main__":
    main()
