"""``when:`` of a runbook: does an output hold, or is it a certain word?

Four forms, and no more: ``${a.b}``, ``not ${a.b}``, ``${a.b} is word``, ``${a.b} is not word``.
"""

from __future__ import annotations

import re

from stanch.responder.engine.reference import REFERENCE, Outputs, known, resolve

CONDITION = re.compile(
    rf"(?P<no>not )?(?P<value>{REFERENCE.pattern})(?: is (?P<other>not )?(?P<word>[\w.:/@-]+))?"
)
FORMS = "${step.output}, not ${step.output}, ${step.output} is WORD, ${step.output} is not WORD"


def holds(condition: str, outputs: Outputs) -> bool:
    """Whether the condition holds; what is not known is empty."""
    found = CONDITION.fullmatch(condition)
    if found is None:
        raise ValueError(f"not a condition: {condition}")
    value = resolve(found["value"], outputs) if known(found["value"], outputs) else None
    if found["word"] is not None:
        return (str(value) == found["word"]) is (found["other"] is None)
    return bool(value) is (found["no"] is None)
