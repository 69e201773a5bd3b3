"""One question to git, which works on the answer while others work, too.

Plain strings and system calls, as in ``shadow``: ``subprocess`` takes longer to load than git takes
to answer.
"""

from __future__ import annotations

import os

from scanner.sources import shadow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from scanner.sources.shadow import Place

_BLOCK = 1 << 16


class Errand:
    """A running git that sees only our configuration; :meth:`end` leaves nothing behind.

    Its index is the repository's, or the one that is named.
    """

    __slots__ = ("_answer", "_code", "_git", "_shadow")

    def __init__(self, place: Place, *arguments: str, index: str | None = None) -> None:
        top, git_dir, common_dir = place
        self._code = 0
        self._shadow = shadow.made(git_dir, common_dir)
        surroundings = shadow.environment(self._shadow, git_dir)
        if index is not None:
            surroundings["GIT_INDEX_FILE"] = index
        self._answer, question = os.pipe()
        try:
            self._git = os.posix_spawnp(
                "git",
                shadow.command(self._shadow, top, *arguments),
                surroundings,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, question, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
            )
        except OSError:
            os.close(self._answer)
            shadow.removed(self._shadow)
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
        shadow.removed(self._shadow)

    def _status(self) -> int:
        if self._git:
            self._code = os.waitpid(self._git, 0)[1]
            self._git = 0
        return self._code
