"""How long answers are kept, by environment, and when a store is asked again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stanch.responder.lifecycle.cache.setting import CacheSection
from stanch.responder.lifecycle.model.environment import Environment

Chance = Callable[[], float]
"""0 to 1; spreads load."""

UNHEARD = 5.0
"""Seconds for which a value counts while the Redis that would say otherwise is out of touch."""
_KEEP = {
    Environment.DEVELOPMENT: 0.0,
    Environment.TEST: 60.0,
    Environment.STAGING: 300.0,
    Environment.PRODUCTION: 300.0,
}
_TEST_OUTAGE = 300.0
_SPREAD = 0.2
_FIRST_REFUSAL = 5.0
_FIRST_OUTAGE, _LAST_OUTAGE = 1.0, 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Seconds: ``keep`` an answer is as good as new, ``outage`` the last good one is given."""

    keep: float
    outage: float
    chance: Chance

    @property
    def kept(self) -> bool:
        """Whether anything is."""
        return self.keep > 0

    def fresh(self) -> float:
        """For how long this answer is as good as new: never longer than ``keep``."""
        return self._spread(self.keep)

    def after_refusal(self, count: int) -> float:
        """When to ask again after the ``count``-th refusal: a broken secret costs no more calls
        than a sound one.
        """  # noqa: D205  # one sentence
        return self._spread(min(self.keep, _doubled(_FIRST_REFUSAL, count)))

    def after_outage(self, count: int) -> float:
        """When to ask again a store that did not answer ``count`` times."""
        return self._spread(min(_LAST_OUTAGE, self.keep, _doubled(_FIRST_OUTAGE, count)))

    def _spread(self, seconds: float) -> float:
        return seconds * (1 - _SPREAD * self.chance())


def terms(environment: Environment, section: CacheSection, chance: Chance) -> Terms:
    """What holds in an environment."""
    keep = min(_KEEP[environment], section.most_seconds)
    outage = section.outage_seconds
    if environment is Environment.TEST:
        outage = min(outage, _TEST_OUTAGE)
    return Terms(keep=keep, outage=max(outage, keep), chance=chance)


def _doubled(first: float, count: int) -> float:
    return float(first * 2 ** min(max(count - 1, 0), 16))
