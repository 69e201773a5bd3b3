"""CloudWatch Logs and CodeBuild, with the AWS credentials that this process has.

Beside the login of a registry the one place of the scanner that knows AWS, and only when it is
asked. Events are read as they are kept: where a data protection policy masks them and the caller
may not see behind it, that is said.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import IO, Any

from stanch.scanner.model.error import SourceError, UsageError
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InLog
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.log.provider.asking import Key, unended, unread_units
from stanch.scanner.sources.log.provider.aws_news import news
from stanch.scanner.sources.log.seen import Seen
from stanch.scanner.sources.log.source import Log, unread
from stanch.scanner.sources.source import Milestone

LATEST = 50
"""Streams of a group, and builds of a project, that are read."""

_MOST_BUILDS = 100  # of one call
_STARTED = frozenset({"SUCCEEDED", "FAILED", "FAULT", "TIMED_OUT", "STOPPED", "IN_PROGRESS"})
_REMEDY = (
    "it needs AWS credentials that may call logs:DescribeLogGroups, logs:DescribeLogStreams, "
    "logs:GetLogEvents (and logs:Unmask), codebuild:BatchGet*, codebuild:ListBuildsForProject: "
    "aws sts get-caller-identity"
)
Listing = Iterator[Log | Gap | Milestone]


def cloudwatch(path: str, seen: Seen | None = None) -> Listing:
    """``REGION/GROUP`` or ``REGION/GROUP/STREAM``; both names may have slashes."""
    region, name = _parts(path, "cloudwatch/REGION/GROUP[/STREAM]")
    return _guarded(
        f"cloudwatch/{path}", lambda: _named(_client("logs", region), region, name, seen)
    )


def codebuild(path: str, seen: Seen | None = None) -> Listing:
    """``REGION/PROJECT`` or ``REGION/PROJECT:BUILD``: logs, and what the project has in clear."""
    region, name = _parts(path, "codebuild/REGION/PROJECT[:BUILD]")
    return _guarded(f"codebuild/{path}", lambda: _builds(region, name, seen))


def _parts(path: str, form: str) -> tuple[str, str]:
    region, _, name = path.partition("/")
    if not name.strip("/"):
        raise UsageError(f"{display(path)} names no log", remedy=f"stanch scan log:{form}")
    return region, name


def _client(service: str, region: str) -> Any:
    try:
        import boto3  # noqa: PLC0415  # an extra
        from botocore.config import Config  # noqa: PLC0415  # as above
    except ImportError as error:
        raise UsageError(
            "logs in AWS need boto3, which is not installed",
            remedy="pipx install '/path/to/the/checkout[respond]'",
        ) from error
    config = Config(connect_timeout=5, read_timeout=30, retries={"mode": "adaptive"})
    make: Any = boto3.Session().client  # its stubs want to know the service
    return make(service, region_name=region, config=config)


def _guarded(shown: str, listing: Callable[[], Listing]) -> Listing:
    """The listing; what AWS refuses is a gap."""
    try:
        yield from listing()
    except Exception as error:  # noqa: BLE001  # only AWS's own are told, which are known by then
        yield unread(display(shown), _told(error))


def _told(error: Exception) -> SourceError:
    """The error of AWS's client in our words; any other is raised again."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # it is loaded

    if isinstance(error, ClientError):
        code = error.response.get("Error", {}).get("Code", "")
        return SourceError(f"AWS answers {code or 'with an error'}", remedy=_REMEDY)
    if isinstance(error, BotoCoreError):
        return SourceError(f"AWS is not reached ({type(error).__name__})", remedy=_REMEDY)
    raise error


def _named(client: Any, region: str, name: str, seen: Seen | None) -> Listing:
    group, stream = name, ""
    while not _is_group(client, group):
        group, _, last = group.rpartition("/")
        stream = f"{last}/{stream}" if stream else last
        if not group:
            why = f"there is no log group {display(name)} in {region}"
            yield Gap(path=display(name), why=why, incomplete=True)
            return

    def place(each: str) -> InLog:
        return InLog(
            path=display(f"{group}/{each}"),
            provider="cloudwatch",
            link=_page(region, group, each),
            copies=_copy(region, group, each),
        )

    if seen is not None and not stream:
        yield from news(client, group, seen, place, lambda n, kept: _Events(client, group, n, kept))
        return
    names = [stream] if stream else list(_streams(client, group))
    for each in names[:LATEST]:
        yield Log(place=place(each), open=_events(client, group, each))
    if len(names) > LATEST:
        why = f"only the latest {LATEST} streams are read"
        yield Gap(path=display(group), why=why, incomplete=False)


def _is_group(client: Any, name: str) -> bool:
    found = client.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(each["logGroupName"] == name for each in found)


def _streams(client: Any, group: str) -> Iterator[str]:
    pages = client.get_paginator("describe_log_streams").paginate(
        logGroupName=group,
        orderBy="LastEventTime",
        descending=True,
        PaginationConfig={"MaxItems": LATEST + 1},
    )
    for page in pages:
        yield from (each["logStreamName"] for each in page["logStreams"])


def _events(
    client: Any,
    group: str,
    stream: str,
) -> Callable[[], AbstractContextManager[IO[bytes]]]:
    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        with io.BufferedReader(_Events(client, group, stream)) as file:
            yield file

    return opened


class _Events(io.RawIOBase):
    """A stream's messages as lines. A page may be empty; the end is a token that comes again.

    ``kept`` says behind which token, line and time to begin, and then where it ended.
    """

    def __init__(
        self, client: Any, group: str, stream: str, kept: dict[str, Any] | None = None
    ) -> None:
        super().__init__()
        self._client = client
        self._kept: dict[str, Any] = {"token": "", "line": 0, "at": 0} if kept is None else kept
        self._asked = {
            "logGroupName": group,
            "logStreamName": stream,
            "startFromHead": True,
            "unmask": True,
        }
        if self._kept["token"]:
            self._asked["nextToken"] = self._kept["token"]
        elif self._kept["at"]:
            self._asked["startTime"] = self._kept["at"]
        self._ready = b""
        self._over = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io passes
        while not self._ready and not self._over:
            self._more()
        size = min(len(self._ready), len(buffer))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _more(self) -> None:
        page = self._page()
        lines = (each["message"].rstrip("\n") + "\n" for each in page["events"])
        self._ready = "".join(lines).encode("utf-8", "surrogatepass")
        token = page["nextForwardToken"]
        last = max((each["timestamp"] for each in page["events"]), default=0)
        line = self._kept["line"] + self._ready.count(b"\n")
        self._kept.update(token=token, line=line, at=max(self._kept["at"], last))
        self._over = token == self._asked.get("nextToken")
        self._asked["nextToken"] = token

    def _page(self) -> Any:
        try:
            return self._client.get_log_events(**self._asked)
        except Exception as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
            if code == "InvalidParameterException" and "nextToken" in self._asked:
                # It lived for a day: by the time of the last event, of which some come once more.
                del self._asked["nextToken"]
                self._asked["startTime"] = self._kept["at"]
                return self._page()
            raise _told(error) from error


def _builds(region: str, name: str, seen: Seen | None) -> Listing:
    client, logs = _client("codebuild", region), _client("logs", region)
    project, _, build = name.partition(":")
    yield from _variables(client, project)
    if seen is not None and not build:
        units = _units(client, project)
        yield from unread_units(seen, project, units, partial(_build, logs, region, project))
        return
    if build:
        ids = [name]
    else:
        ids = client.list_builds_for_project(projectName=project, sortOrder="DESCENDING")["ids"]
    found = client.batch_get_builds(ids=ids[:LATEST])["builds"] if ids else []
    for each in found:
        yield from _build(logs, region, project, each)
    if not build and len(ids) > LATEST:
        why = f"only the latest {LATEST} builds are read"
        yield Gap(path=display(project), why=why, incomplete=False)


def _units(client: Any, project: str) -> Iterator[tuple[Key, Any]]:
    """All builds, newest first, by their numbers."""
    pages = client.get_paginator("list_builds_for_project").paginate(
        projectName=project, sortOrder="DESCENDING"
    )
    for page in pages:
        found = client.batch_get_builds(ids=page["ids"])["builds"] if page["ids"] else []
        for each in sorted(found, key=lambda build: -int(build["buildNumber"])):
            yield (int(each["buildNumber"]), ""), each


def _build(logs: Any, region: str, project: str, each: Any) -> Listing:
    where = each.get("logs", {})
    if each.get("buildStatus") in _STARTED and where.get("streamName"):
        place = InLog(
            path=display(f"{where['groupName']}/{where['streamName']}"),
            provider="codebuild",
            run=each["id"],
            job=project,
            link=where.get("deepLink"),
            copies=_copy(region, where["groupName"], where["streamName"]),
        )
        yield Log(place=place, open=_events(logs, where["groupName"], where["streamName"]))
    if each.get("buildStatus") == "IN_PROGRESS":
        yield unended(f"{display(project)}/{each['id']}")


def _variables(client: Any, project: str) -> Listing:
    """What the project hands to each build in clear: everybody who may read it sees that."""
    for each in client.batch_get_projects(names=[project])["projects"]:
        listed = each.get("environment", {}).get("environmentVariables", [])
        plain = [row for row in listed if row.get("type", "PLAINTEXT") == "PLAINTEXT"]
        said = "".join(f"{row['name']}={row['value']}\n" for row in plain)
        place = InLog(path=f"{display(project)}/environment", provider="codebuild", job=project)
        yield Log(place=place, open=_text(said.encode("utf-8", "surrogatepass")))


def _copy(region: str, group: str, stream: str) -> tuple[str, ...]:
    return (f"log:cloudwatch/{region}/{group}/{stream}",)


def _text(data: bytes) -> Callable[[], AbstractContextManager[IO[bytes]]]:
    @contextmanager
    def opened() -> Iterator[IO[bytes]]:
        yield io.BufferedReader(io.BytesIO(data))

    return opened


def _page(region: str, group: str, stream: str) -> str:
    """The stream's page in the console, which writes names in a way of its own."""
    from urllib.parse import quote  # noqa: PLC0415  # as above

    def named(name: str) -> str:
        return quote(quote(name, safe=""), safe="").replace("%", "$")

    return (
        f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}"
        f"#logsV2:log-groups/log-group/{named(group)}/log-events/{named(stream)}"
    )
