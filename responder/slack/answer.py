"""The answer to a submitted modal, which Slack wants within three seconds."""

from __future__ import annotations

from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late

from slack_bolt import Ack

from stanch.responder.slack.text import bare

_ANSWER_WITHIN = 1.8
_MAX_PROBLEM = 1000

Problems = dict[str, str]  # what is wrong, by block id


def answer(ack: Ack, outcome: Future[Problems]) -> bool:
    """Close the modal, or say inside it what is wrong; False when the outcome is still open.

    The modal is closed then too: who submitted has to be told in another way.
    """
    try:
        problems = outcome.result(timeout=_ANSWER_WITHIN)
    except Late:
        ack()
        return False
    if problems:
        shown = {block: bare(text, _MAX_PROBLEM) for block, text in problems.items()}
        ack(response_action="errors", errors=shown)
    else:
        ack()
    return True
