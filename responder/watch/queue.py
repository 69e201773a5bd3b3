"""Pushes to Amazon ECR, which EventBridge puts into a queue: each image is read once.

A message is taken out of the queue when what it says is in the store; one that comes twice has the
id of its event, and no second effect.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from stanch.responder.domain.error import StanchError
from stanch.responder.domain.watched import Source
from stanch.responder.telemetry.log import get_logger
from stanch.responder.watch.aws import Connect
from stanch.responder.watch.setting import Watched
from stanch.responder.watch.sight import Brought, News, Sight
from stanch.scanner.api import Scan, Scanner

log = get_logger(__name__)
IMAGE = "image"
_MOST = 50  # calls of one look, of ten messages each
_HELD = 120  # seconds in which nobody else gets a message
_WAIT = 1  # seconds for which an empty queue is asked
_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d")
_URL = re.compile(r"https?://[^/]+/\d{12}/[\w-]{1,80}(?:\.fifo)?")
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._/-]{0,254}[a-z0-9])?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_ACCOUNT = re.compile(r"\d{12}")


class QueueError(StanchError):
    """The queue cannot be read."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Queues:
    """Takes messages out of queues of SQS."""

    connect: Connect

    def look(self, source: Source, watched: Watched, now: datetime) -> Sight:
        """All that wait, up to five hundred."""
        del now
        if not _URL.fullmatch(source.subject):
            raise QueueError(
                f"{source.subject} is no queue",
                remedy="write its URL: https://sqs.REGION.amazonaws.com/ACCOUNT/NAME",
            )
        client = self.connect("sqs", _region(source.subject))
        sight = Sight(results=iter(()), cursor=source.cursor)
        receipts: list[str] = []
        sight.results = _taken(client, source.subject, watched, sight, receipts)
        sight.done = lambda: _removed(client, source.subject, receipts)
        return sight


@dataclass(frozen=True, slots=True)
class Images:
    """Reads an image by its digest, once."""

    scanner: Callable[[], Scanner]

    def look(self, source: Source, watched: Watched, now: datetime) -> Sight:
        """The whole image."""
        del watched, now
        scan: Scan = self.scanner().scan_target(source.subject)
        return Sight(results=iter(scan), cursor=source.cursor)


def _taken(
    client: Any, url: str, watched: Watched, sight: Sight, receipts: list[str]
) -> Iterator[Brought]:
    for _ in range(_MOST):
        try:
            answer = client.receive_message(
                QueueUrl=url,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_HELD,
                WaitTimeSeconds=_WAIT,
            )
        except (BotoCoreError, ClientError) as error:
            raise QueueError(
                f"SQS does not answer as it should ({_code(error)})",
                remedy="it needs AWS credentials that may call sqs:ReceiveMessage and "
                "sqs:DeleteMessage on that queue: aws sts get-caller-identity",
            ) from None
        messages = answer.get("Messages", [])
        for message in messages:
            news = _news(message.get("Body", ""), watched)
            if news is not None:
                yield news
            receipts.append(message["ReceiptHandle"])
        if not messages:
            return
    sight.more = True


def _removed(client: Any, url: str, receipts: list[str]) -> None:
    """Take them out; what stays comes again and is known."""
    for first in range(0, len(receipts), 10):
        batch = receipts[first : first + 10]
        entries = [{"Id": str(n), "ReceiptHandle": each} for n, each in enumerate(batch)]
        try:
            client.delete_message_batch(QueueUrl=url, Entries=entries)
        except (BotoCoreError, ClientError) as error:
            log.warning("queue.not_emptied", why=_code(error))


def _news(body: str, watched: Watched) -> News | None:
    """The image that was pushed; None for what is no such event."""
    try:
        event = json.loads(body)
        if isinstance(event, dict) and isinstance(event.get("Message"), str):
            event = json.loads(event["Message"])  # by way of SNS
    except (ValueError, RecursionError):
        event = None
    pushed = _pushed(event) if isinstance(event, dict) else None
    if pushed is None:
        log.warning("queue.unknown_message", watch=watched.name)
        return None
    account, region, name, digest = pushed
    host = watched.registry or f"{account}.dkr.ecr.{region}.amazonaws.com{_china(region)}"
    detail = event.get("detail", {})
    if detail.get("action-type") != "PUSH" or detail.get("result") != "SUCCESS":
        return None
    return News(kind=IMAGE, subject=f"image:{host}/{name}@{digest}", event=str(event["id"])[:64])


def _pushed(event: Mapping[str, Any]) -> tuple[str, str, str, str] | None:
    detail = event.get("detail")
    if event.get("source") != "aws.ecr" or not isinstance(detail, dict) or not event.get("id"):
        return None
    found = (
        str(event.get("account")),
        str(event.get("region")),
        str(detail.get("repository-name")),
        str(detail.get("image-digest")),
    )
    forms = (_ACCOUNT, _REGION, _NAME, _DIGEST)
    return found if all(f.fullmatch(x) for f, x in zip(forms, found, strict=True)) else None


def _china(region: str) -> str:
    return ".cn" if region.startswith("cn-") else ""


def _region(url: str) -> str:
    """The Region that a queue's address names; of an emulator's any will do."""
    found = re.search(r"//sqs\.([a-z0-9-]+)\.", url)
    return found[1] if found else "us-east-1"


def _code(error: Exception) -> str:
    response = getattr(error, "response", {})
    return str(response.get("Error", {}).get("Code") or type(error).__name__)
