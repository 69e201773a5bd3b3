"""Which copies there are, and what only a person can take away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from stanch.responder.domain.copy import Reach, outcome
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.step import Call, Effect, StepContext, StepSpec, Verdict, Verified
from stanch.responder.providers.aws.adapter.image import image_of
from stanch.responder.providers.copies.keeper import Keepers

_MOST = 200  # copies of a kind that a run acts on


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """No parameters."""


class FindCopies:
    """Sort the places where the credential was seen by who can take them away."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="copies.find",
        title="Find the copies that can be taken away",
        effect=Effect.READ,
        params=Nothing,
        outputs=("images", "logs", "by_hand", "left_out"),
        aside=True,
    )

    def __init__(self, keepers: Keepers) -> None:
        self._keepers = keepers

    def calls(self, params: Nothing, preview: str) -> tuple[Call, ...]:
        """None: what was seen is known."""
        del params, preview
        return ()

    def look(self, params: Nothing, ctx: StepContext) -> Verdict:
        """Each copy once, in the order in which it was found."""
        found = self.foresee(
            params, {target: seen.url for seen in ctx.exposures for target in seen.copies}
        )
        counted = {
            name: len(each) if isinstance(each, list) else each for name, each in found.items()
        }
        return Verified(evidence=counted, outputs=found)

    def foresee(self, params: Nothing, kept: Mapping[str, str]) -> JsonObject:
        """All of it is known beforehand."""
        del params
        images: list[JsonObject] = []
        logs: list[JsonObject] = []
        by_hand: list[JsonObject] = []
        for target, link in kept.items():
            if image_of(target):
                images.append({"copy": target})
            elif self._keepers.of(target) is not None:
                logs.append({"copy": target, "link": link})
            else:
                by_hand.append({"copy": target, "link": link})
        left_out = sum(max(0, len(each) - _MOST) for each in (images, logs, by_hand))
        return {
            "images": images[:_MOST],
            "logs": logs[:_MOST],
            "by_hand": by_hand[:_MOST],
            "left_out": left_out,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """``copy``: what is to be taken away, as `stanch scan` takes it; ``link``: its page.

    ``why`` we could not.
    """

    copy: str
    link: str = ""
    why: str = ""


class TakeAwayByHand:
    """A person takes a copy away where we cannot, and says so. Nobody has looked."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="copies.by_hand",
        title="Take the copy away by hand, and say that it is done",
        effect=Effect.READ,
        params=ByHand,
        outputs=("copy", "state", "how"),
        aside=True,
    )

    def __init__(self, keepers: Keepers) -> None:
        del keepers

    def calls(self, params: ByHand, preview: str) -> tuple[Call, ...]:
        """What is to be done, and where."""
        where = f" ({params.link})" if params.link else ""
        why = f"; Stanch did not: {params.why}" if params.why else ""
        return (
            Call(
                api="by hand",
                arguments={"delete": params.copy, "with": preview},
                words=f"by hand: {_what(params.copy)} {params.copy}{where}{why}",
            ),
        )

    def look(self, params: ByHand, ctx: StepContext) -> Verdict:
        """A person's word, and that it is no more."""
        del ctx
        how = f"nobody has looked; `stanch scan {params.copy}` does"
        found = outcome(params.copy, Reach.SAID, how)
        return Verified(evidence={"did": _what(params.copy)}, outputs=found)


def _what(target: str) -> str:
    if target.startswith("image:"):
        return "delete the image, its tags and its manifest, in the registry:"
    if target.startswith("log:circleci/"):
        return "CircleCI deletes no log: ask its support to, and keep the project private:"
    return "delete the log where it is kept:"
