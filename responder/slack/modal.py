"""Review -> modal: the exact calls, the terms, and the decision. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from stanch.responder.domain.ids import ApprovalId, IncidentId, label
from stanch.responder.slack.blocks import Block, context, plain, preformatted, section, terms
from stanch.responder.slack.desk import Review
from stanch.responder.slack.text import exact, said

View = dict[str, Any]

SUBMIT = "leak.decide.v1"
DECISION, REASON, CONFIRM = "decision", "reason", "confirm"
APPROVE, REFUSE = "approve", "refuse"
MIN_REASON = 10
_MAX_REASON = 500
_LONG_WORD = re.compile(r"[A-Za-z0-9+_=]{20,}")
_COMMIT = re.compile(r"[0-9a-f]{40}")
_CHUNK = 2800
_MAX_CHUNKS = 60  # of Slack's 100 blocks; what does not fit cannot be approved here


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a modal is about: ids only, carried in ``private_metadata``."""

    incident: IncidentId
    approval: ApprovalId
    plan_hash: str
    channel: str

    def pack(self) -> str:
        """JSON for ``private_metadata``."""
        return json.dumps([self.incident, self.approval, self.plan_hash, self.channel])

    @classmethod
    def unpack(cls, text: str) -> Subject:
        """The subject of a submitted modal. ValueError: not as this app wrote it."""
        found = json.loads(text)
        match found:
            case [int(incident), str(approval), str(plan_hash), str(channel)]:
                return cls(
                    incident=IncidentId(incident),
                    approval=ApprovalId(approval),
                    plan_hash=plan_hash,
                    channel=channel,
                )
            case _:
                raise ValueError("not the subject of a modal of ours")


def loading() -> View:
    """Shown at once while the plan is being fetched: a trigger_id lives three seconds."""
    return modal("Review", [section("Fetching the plan…")])


def note(text: str) -> View:
    """A modal that only says something."""
    return modal("Review", [section(said(text, 2900))])


def review_view(review: Review, *, channel: str) -> View:
    """The decision, complete: what is not shown in full is not offered for approval."""
    ask = review.ask
    chunks = _chunks(ask.calls)
    if len(chunks) > _MAX_CHUNKS:
        return note(
            f"This plan is too long to show here in full, so it cannot be decided here. "
            f"Use: stanch approve {label(review.incident)}"
        )
    subject = Subject(
        incident=review.incident, approval=ask.approval, plan_hash=ask.plan_hash, channel=channel
    )
    blocks = [
        section(f"*{said(ask.title, 2000)}*"),
        context("Exactly these calls will be made, nothing else:"),
        *(preformatted(chunk) for chunk in chunks),
        context(f"{terms(ask)}\nPlan {said(ask.plan_hash[:12], 20)} · {label(review.incident)}"),
    ]
    if review.barred is not None:
        said_so = section(f"*You cannot decide this.* {said(review.barred, 1000)}")
        return modal(label(review.incident), [said_so, *blocks])
    return modal(label(review.incident), [*blocks, *_inputs(review)]) | {
        "callback_id": SUBMIT,
        "submit": plain("Submit decision"),
        "private_metadata": subject.pack(),
    }


def _chunks(calls: tuple[str, ...]) -> list[str]:
    chunks: list[str] = []
    for call in calls:
        line = exact(call) or "-"
        pieces = [line[i : i + _CHUNK] for i in range(0, len(line), _CHUNK)]
        if chunks and len(chunks[-1]) + len(pieces[0]) < _CHUNK:
            chunks[-1] += "\n" + pieces.pop(0)
        chunks += pieces
    return chunks


def _inputs(review: Review) -> list[Block]:
    options = [_option(APPROVE, "Approve"), _option(REFUSE, "Refuse")]
    inputs = [
        _input(
            DECISION,
            "Your decision",
            {"type": "radio_buttons", "options": options},
        ),
        ask_text(REASON, "Why", multiline=True),
    ]
    if review.confirm is not None:
        inputs.append(
            _input(
                CONFIRM,
                f"To approve, type {review.confirm}",
                {"type": "plain_text_input", "max_length": 20},
                hint="This cannot be undone. Leave it empty to refuse.",
            )
            | {"optional": True}
        )
    return inputs


def ask_text(
    name: str,
    title: str,
    *,
    multiline: bool = False,
    most: int = _MAX_REASON,
    hint: str = f"At least {MIN_REASON} characters. It is kept in the record: no secrets here.",
) -> Block:
    """A field for text."""
    element = {"type": "plain_text_input", "multiline": multiline, "max_length": most}
    return _input(name, title, element, hint=hint)


def _input(name: str, title: str, element: Block, *, hint: str | None = None) -> Block:
    block = {
        "type": "input",
        "block_id": name,
        "label": plain(title),
        "element": element | {"action_id": name},
    }
    return block if hint is None else block | {"hint": plain(hint)}


def _option(value: str, text: str) -> Block:
    return {"value": value, "text": plain(text)}


def modal(title: str, blocks: list[Block]) -> View:
    """A modal with a way out."""
    return {"type": "modal", "title": plain(title), "close": plain("Close"), "blocks": blocks}


def typed(view: View, name: str) -> str:
    """What was typed into a field; empty when it was left empty or is not there."""
    return (view["state"]["values"].get(name, {}).get(name, {}).get("value") or "").strip()


def problem_of(reason: str) -> str | None:
    """Why a reason cannot be kept, or None."""
    if len(reason) < MIN_REASON:
        return f"Say why in at least {MIN_REASON} characters."
    if _like_secret(reason):
        return "A part of this looks like a secret, and reasons are kept. Leave it out."
    return None


def _like_secret(reason: str) -> bool:
    """A long word of letters and digits that is not a commit. Ticket links and ids pass."""
    return any(
        not _COMMIT.fullmatch(word) and not word.isalpha() and not word.isdigit()
        for word in _LONG_WORD.findall(reason)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person put into the modal."""

    granted: bool
    reason: str


def read_answer(view: View, review: Review) -> Answer | dict[str, str]:
    """The answer, or what is wrong with it by block id, as ``response_action: errors`` wants it."""
    state = view["state"]["values"]
    chosen = state[DECISION][DECISION].get("selected_option")
    reason = typed(view, REASON)
    problems: dict[str, str] = {}
    if chosen is None:
        problems[DECISION] = "Choose Approve or Refuse."
    problem = problem_of(reason)
    if problem is not None:
        problems[REASON] = problem
    granted = chosen is not None and chosen["value"] == APPROVE
    wanted = review.confirm
    if granted and wanted is not None and typed(view, CONFIRM).upper() != wanted.upper():
        problems[CONFIRM] = f"That is not {wanted}. Look at the calls above."
    return problems or Answer(granted=granted, reason=reason)
