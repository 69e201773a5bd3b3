"""How much of one piece of input is read as structure: hostile documents end, others never."""

from __future__ import annotations

#: Scalars, brackets and keys: a second or two of work, and more than a window of Secrets holds.
MOST = 400_000


class Budget:
    """Counts down; ``spent`` says that something was not read."""

    __slots__ = ("_left", "spent")

    def __init__(self, most: int = MOST) -> None:
        self._left = most
        self.spent = False

    def spend(self, count: int = 1) -> bool:
        """Whether there is enough left for ``count`` more."""
        self._left -= count
        self.spent = self.spent or self._left < 0
        return not self.spent
