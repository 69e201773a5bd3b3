"""One question to git, which works on the answer while others work, too.

Plain strings and system calls, as in ``shadow``: ``subprocess`` takes longer to load than git takes
to answer.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_BLOCK = 1 << 16


class Errand:
    """A running git; command line and environment come from ``shadow``."""

    __slots__ = ("_answer", "_code", "_git")

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self._code = 0
        self._answer, question = os.pipe()
        try:
            self._git = os.posix_spawnp(
                command[0],
                command,
                environment,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, question, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
            )
        except OSError:
            os.close(self._answer)
            raise
        finally:
            os.close(question)

    def answer(self) -> bytes | None:
        """All that git says, None when it fails."""
        blocks = []
        while block := os.read(self._answer, _BLOCK):
            blocks.append(block)
        return None if self._status() else b"".join(blocks)

    def end(self) -> None:
        """Wait for git, which ends when nobody listens."""
        os.close(self._answer)
        self._status()

    def _status(self) -> int:
        if self._git:
            self._code = os.waitpid(self._git, 0)[1]
            self._git = 0
        return self._code
