"""``stanch mask``: a stream without its credentials, live."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import click

from stanch.scanner.detectors.ruleset.ruleset import configured_rules
from stanch.scanner.local.fingerprint_key import run_key
from stanch.scanner.local.hosts import dereferenced
from stanch.scanner.local.stream import say
from stanch.scanner.model.error import SourceError, UsageError
from stanch.scanner.model.finding import Confidence
from stanch.scanner.scan.engine import ScanEngine
from stanch.scanner.scan.mask.known_value import KnownValues
from stanch.scanner.scan.mask.masking import Masking
from stanch.scanner.scan.mask.stream import MaskedStream
from stanch.scanner.sources.files.followed import Followed

_CHUNK = 1 << 20
_WAIT = 0.003  # seconds that a whole line may wait for more
_POLL = 0.05  # seconds between two looks at a file
_PIPE_SIZE = 1031  # F_SETPIPE_SZ: Python names it on some builds only


@click.command("mask")
@click.option(
    "--value",
    "references",
    multiple=True,
    metavar="REF",
    help="A value that is masked whatever it looks like, in every encoding that programs print: "
    "env:NAME or file:/path. Several are possible.",
)
@click.option(
    "--follow",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Read a file as it grows instead of standard input, also when it is rotated.",
)
@click.option(
    "--min-confidence",
    type=click.Choice([each.value for each in Confidence]),
    default=Confidence.MEDIUM.value,
    show_default=True,
    help="What is masked of what the rules find.",
)
def command(references: tuple[str, ...], follow: Path | None, min_confidence: str) -> None:
    """Copy standard input to standard output, with [MASKED] in the place of credentials.

    All other bytes are as they came. A line goes on some milliseconds after its end; what may
    still become a value (a word without an end, an open private key, wrapped base64) waits.
    What could not be judged is masked whole.

    Exit codes: 0 all of it was judged, 2 usage or configuration, 3 something was not.
    """
    if follow is None and sys.stdin is None:
        raise UsageError("standard input is closed", remedy="feed it: COMMAND | stanch mask")
    values = [dereferenced(each, "--value", os.environ) for each in references]
    engine = ScanEngine(
        configured_rules(Path.cwd()),
        run_key(None),
        min_confidence=Confidence(min_confidence),
    )
    masking = Masking(engine, KnownValues(values))
    stream = MaskedStream(masking)
    try:
        for out in _followed(stream, follow) if follow else _piped(stream, sys.stdin.fileno()):
            _write(out)
    except BrokenPipeError:  # the reader has gone: nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    for why in dict.fromkeys(masking.unjudged):
        say(f"masked whole, for it could not be judged: {why}")
    sys.exit(3 if masking.unjudged else 0)


def _piped(stream: MaskedStream, descriptor: int) -> Iterator[bytes]:
    # A Ctrl-C reaches the writer as well: what it says last is masked too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):  # no pipe
        fcntl.fcntl(descriptor, _PIPE_SIZE, _CHUNK)
    since: float | None = None
    while True:
        left = None if since is None else max(0.0, since + _WAIT - time.monotonic())
        if select.select([descriptor], [], [], left)[0]:
            data = os.read(descriptor, _CHUNK)
            if not data:
                break
            yield stream.feed(data)
            since = time.monotonic() if since is None else since
        if since is not None and time.monotonic() - since >= _WAIT:
            yield stream.flush()
            since = None
    yield stream.finish()


def _followed(stream: MaskedStream, path: Path) -> Iterator[bytes]:
    try:
        file = Followed(path)
    except OSError as error:
        raise UsageError(
            f"cannot read {path}: {error.strerror}",
            remedy="name a file that this user may read: stanch mask --follow FILE",
        ) from error
    ended: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: ended.append(number))
    with closing(file):
        while not ended:
            try:
                data = file.read(_CHUNK)
            except OSError as error:  # what stands in its place now may be anybody's
                yield stream.finish()
                remedy = f"let this user read it, then: stanch mask --follow {path}"
                raise SourceError(f"cannot read {path}: {error.strerror}", remedy=remedy) from error
            if file.turned:
                yield stream.finish()
            if data:
                yield stream.feed(data)
            else:
                yield stream.flush()
                time.sleep(_POLL)
    yield stream.finish()


def _write(data: bytes) -> None:
    view = memoryview(data)
    descriptor = sys.stdout.fileno()
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:  # whoever shares the stream has made it so
            select.select([], [descriptor], [])
