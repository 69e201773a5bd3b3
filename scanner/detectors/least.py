"""The least that a pattern matches: what may be repeated at its end is there as often as it must.

Hyperscan says of a match every place where it could end. One that ends in ``[A-Za-z]{80,300}`` is
met hundreds of times in a long run of letters, and an embedded image or program is one run of a
million. In its least form it is met once for each beginning, at which the whole may be looked for.
"""

from __future__ import annotations

import re

from stanch.scanner.detectors.syntax import AROUND, begin_of, least_times, tokens_of


def least(pattern: bytes) -> bytes:
    """A pattern with a match at each beginning of one of ``pattern``, none of them longer.

    What may follow it is left out; a pattern that could then match nothing at all stays as it is.
    """
    tokens = tokens_of(pattern)
    while tokens:
        begin = begin_of(tokens, len(tokens))
        if tokens[begin] in AROUND:
            del tokens[begin:]
            continue
        end = len(tokens)
        while end and tokens[end - 1] == b")":
            end -= 1
        times = least_times(tokens[end - 1]) if end > 1 else None
        if times:
            tokens[end - 1] = b"{%d}" % times
        if times is None or times:
            break
        del tokens[begin_of(tokens, end - 1) : end]
    found = b"".join(tokens)
    return pattern if re.match(found, b"") else found
