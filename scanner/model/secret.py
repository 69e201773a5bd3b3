"""A secret is a type, not a string."""

from __future__ import annotations

from typing import Never, final


@final
class SecretValue:
    """Bytes that must not be printed, logged, pickled or serialised.

    The value leaves only through :meth:`reveal`, so every use can be found by searching for that
    name. A plain slotted class on purpose: ``asdict`` and pickle would leak a dataclass.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The raw bytes. The caller must not store, log or format them."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretValue):
            return NotImplemented
        from hmac import compare_digest  # noqa: PLC0415  # as in fingerprint.py

        return compare_digest(self._value, other._value)

    # Equal secrets must not be findable through a hash table's order or a printed hash.
    __hash__ = None  # type: ignore[assignment]  # unhashable by design

    def __repr__(self) -> str:
        return f"SecretValue(<{len(self._value)} bytes>)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce_ex__(self, protocol: object) -> Never:
        raise TypeError("a SecretValue is never serialised; seal it in the vault instead")

    def __copy__(self) -> SecretValue:
        return self

    def __deepcopy__(self, memo: object) -> SecretValue:
        return self
