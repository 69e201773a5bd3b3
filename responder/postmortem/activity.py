"""Reads what the activity step found. Its outputs crossed a database: nothing is taken on trust."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from stanch.responder.domain.json import JsonValue
from stanch.responder.domain.run import StepRun, StepState
from stanch.responder.postmortem.report import Activity, Use
from stanch.responder.postmortem.text import aware, clean

USES = "aws.cloudtrail.activity"
_LIST_LIMIT = 50
_USE_LIMIT = 2000
# Whoever asked was turned away. Any other error means that the credential was accepted.
_REFUSALS = (
    "AccessDenied",
    "ExpiredToken",
    "Forbidden",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "SignatureDoesNotMatch",
    "Unauthorized",
    "UnrecognizedClient",
)


def read_activity(
    steps: Iterable[StepRun], *, detected_at: datetime, contained_at: datetime | None
) -> Activity | None:
    """The newest finished activity step of ``steps``, or None when there is none."""
    done = [s for s in steps if s.uses == USES and s.state is StepState.DONE]
    if not done:
        return None
    found = done[-1].outputs
    uses = tuple(sorted(_uses(found.get("events")), key=lambda use: (use.at, use.api, use.ip)))
    count = max(_number(found.get("count")), len(uses))
    return Activity(
        count=count,
        denied=max(_number(found.get("denied")), sum(use.refused for use in uses)),
        first_at=_instant(found.get("first")) or (uses[0].at if uses else None),
        last_at=_instant(found.get("last")) or (uses[-1].at if uses else None),
        source_ips=_names(found.get("source_ips")),
        user_agents=_names(found.get("user_agents")),
        apis=_names(found.get("apis")),
        children=_names(found.get("children")),
        uses=uses,
        before_detection=sum(use.at < detected_at for use in uses),
        after_detection=sum(use.at >= detected_at for use in uses),
        answered_late=sum(
            contained_at is not None and use.at > contained_at and not use.refused for use in uses
        ),
        own=_number(found.get("own")),
        complete=not found.get("truncated") and count == len(uses),
    )


def _uses(value: JsonValue) -> Iterable[Use]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return
    for item in value[:_USE_LIMIT]:
        if not isinstance(item, Mapping):
            continue
        at = _instant(item.get("time"))
        if at is None:
            continue
        outcome = _text(item.get("outcome"))
        yield Use(
            at=at,
            api=_text(item.get("api")) or "unknown call",
            ip=_text(item.get("ip")) or "unknown address",
            outcome=outcome or "ok",
            refused=outcome.removeprefix("Client.").startswith(_REFUSALS),
        )


def _names(value: JsonValue) -> tuple[str, ...]:
    """A list of names, or a mapping from name to count, as bounded clean text."""
    if isinstance(value, Mapping):
        names = [f"{name} ({times})" for name, times in sorted(value.items())]
    elif isinstance(value, Sequence) and not isinstance(value, str):
        names = [_text(item) for item in value]
    else:
        names = [_text(value)]
    shown = [clean(name, 160) for name in names if name]
    rest = len(shown) - _LIST_LIMIT
    return (*shown[:_LIST_LIMIT], *([f"and {rest} more"] if rest > 0 else []))


def _text(value: JsonValue) -> str:
    if isinstance(value, Mapping):
        return clean(", ".join(f"{key} {_text(item)}" for key, item in sorted(value.items())), 160)
    return "" if value is None else clean(str(value), 160)


def _number(value: JsonValue) -> int:
    return max(0, int(value)) if isinstance(value, int | float) and value == value else 0  # noqa: PLR0124  # NaN is not itself


def _instant(value: JsonValue) -> datetime | None:
    try:
        if isinstance(value, str):
            return aware(datetime.fromisoformat(value))
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
