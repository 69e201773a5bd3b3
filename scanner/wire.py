"""A private line between a process and a child that it forks: values in, the same values out.

What ``multiprocessing`` offers for this takes longer to load than a small scan takes. Nobody but
the two processes holds an end, so what arrives is what the other one sent.
"""

from __future__ import annotations

import os
import pickle

from stanch.scanner.model.record import Record

_HEADER = 8  # bytes that say how long a message is


class Wire(Record, frozen=False):
    """One end: what it hears and what it says, as open pipes."""

    ear: int
    mouth: int

    def send(self, value: object) -> None:
        """Send a value; raises :class:`BrokenPipeError` when nobody listens any more."""
        body = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        rest = memoryview(len(body).to_bytes(_HEADER, "big") + body)
        while rest:
            rest = rest[os.write(self.mouth, rest) :]

    def receive(self) -> object:
        """The next value; raises :class:`EOFError` when the other end is closed."""
        size = int.from_bytes(self._exactly(_HEADER), "big")
        return pickle.loads(self._exactly(size))  # noqa: S301  # see the module

    def fileno(self) -> int:
        """What to wait at until something arrives."""
        return self.ear

    def close(self) -> None:
        """Hang up."""
        os.close(self.ear)
        os.close(self.mouth)

    def _exactly(self, size: int) -> bytes:
        parts = []
        while size:
            part = os.read(self.ear, size)
            if not part:
                raise EOFError
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def line() -> tuple[Wire, Wire]:
    """Both ends of a new line. Programs that are started do not inherit them."""
    there, here = os.pipe()
    back, far = os.pipe()
    return Wire(ear=back, mouth=here), Wire(ear=there, mouth=far)
