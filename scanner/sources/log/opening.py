"""Opens what ``log:`` names: a file, or what a provider keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.provenance import InLog
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.log.seen import Seen
from stanch.scanner.sources.log.source import Log, Logs

if TYPE_CHECKING:
    from stanch.scanner.sources.log.provider.asking import Asking


def opened(
    reference: str, seen: Seen | None = None, heard: Callable[[bytes], None] = lambda _: None
) -> Logs:
    """The logs; what is on this machine goes first. Raises :class:`UsageError`.

    With ``seen`` those that were not read before, which it then remembers; ``heard`` gets the text.
    """
    path = Path(reference).expanduser()
    if path.is_dir():
        raise UsageError(
            f"{display(reference)} is a directory",
            remedy="name a log in it, or scan it as files: stanch scan DIRECTORY",
        )
    if path.exists():
        return Logs((_file(path),))
    provider, _, rest = reference.partition("/")
    if provider in PROVIDERS and rest.strip("/"):
        return PROVIDERS[provider](rest, seen, heard)
    raise UsageError(
        f"there is no file {display(reference)}",
        remedy="name a log, the archive of a run, or who keeps it "
        f"({', '.join(PROVIDERS)}): stanch scan log:FILE",
    )


Heard = Callable[[bytes], None]
Opens = Callable[[str, "Seen | None", Heard], Logs]


def _asked(name: str) -> Opens:
    """A provider that answers over HTTP."""

    def logs(path: str, seen: Seen | None, heard: Heard) -> Logs:
        module = _module(name)
        asking = _asking(module, path, seen)
        return Logs(module.logs(asking), ended=asking.client.close, heard=heard)

    return logs


def _module(name: str) -> ModuleType:
    """Loaded late: a file on this machine needs no network."""
    return import_module(f"stanch.scanner.sources.log.provider.{name}")


def _asking(module: ModuleType, path: str, seen: Seen | None = None) -> Asking:
    from stanch.scanner.sources.http.client import bearer  # noqa: PLC0415  # as above
    from stanch.scanner.sources.log.provider.asking import Asking  # noqa: PLC0415  # as above

    return Asking.of(path, module.HOST, getattr(module, "authorize", bearer), seen)


def logs_kept(target: str) -> Logs:
    """The logs behind ``log:PROVIDER/…``, and never a file of this machine."""
    provider, _, rest = target.removeprefix("log:").partition("/")
    return PROVIDERS[provider](rest, None, lambda _: None)


def provider_asked(target: str) -> Asking:
    """Who keeps the logs behind such a target, asked as a scan asks; for those with HTTP alone."""
    provider, _, rest = target.removeprefix("log:").partition("/")
    return _asking(_module(provider), rest)


def _cloudwatch(path: str, seen: Seen | None, heard: Heard) -> Logs:
    from stanch.scanner.sources.log.provider.aws import cloudwatch  # noqa: PLC0415  # as above

    return Logs(cloudwatch(path, seen), heard=heard)


def _codebuild(path: str, seen: Seen | None, heard: Heard) -> Logs:
    from stanch.scanner.sources.log.provider.aws import codebuild  # noqa: PLC0415  # as above

    return Logs(codebuild(path, seen), heard=heard)


#: What stands in front of the first slash. A provider is a file in ``provider/``, and a line here.
PROVIDERS: Mapping[str, Opens] = {
    "github": _asked("github"),
    "gitlab": _asked("gitlab"),
    "jenkins": _asked("jenkins"),
    "buildkite": _asked("buildkite"),
    "circleci": _asked("circleci"),
    "cloudwatch": _cloudwatch,
    "codebuild": _codebuild,
}


def _file(path: Path) -> Log:
    place = InLog(path=display(path.as_posix()), provider="")
    return Log(place=place, open=lambda: path.open("rb"))
