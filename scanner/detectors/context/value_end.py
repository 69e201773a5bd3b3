"""Where a value ends: at its own quote, or where the language around it goes on.

Cut short, two passwords are one credential and an accepted one hides the other.
"""

from __future__ import annotations

from stanch.scanner.detectors.text.regex_cache import regex

#: A bare value in a program ends at white space, a closing sign, an entity or the next parameter.
BARE = regex(rb"(?:(?!&(?:#\d+;|[a-z]+;|[\w.-]{1,40}=)|\\[nrt\"'])[^\s\"'`<>,;)\]}|])+")
_WORD = regex(rb"\S+")
_ENTITY = regex(rb"&(?:#\d+|quot|apos|lt|gt);")
_WRITTEN_OUT = regex(rb"\\[nrt\"']")
_END_TAG = regex(rb"</[A-Za-z][\w:.-]{0,40}>")
_TAG = regex(rb"</[\w-]|<[a-zA-Z!][^<>]{0,80}>")
#: `;Database=x`, `,user: y`, `&page=2`: the next of several settings on a line.
_NEXT = regex(rb"[;,&|][ ]?[A-Za-z_][\w.-]{1,30}(?: [A-Za-z]{1,12}){0,2}[ ]?[=:](?![=/])|[;,]\"")
_BRACKETS = ((b"(", b")"), (b"[", b"]"), (b"{", b"}"), (b"<", b">"))
_QUOTES = (b'"', b"'", b"`")
_LISTED = b";,|&"
#: What a sentence or a list closes with behind a value, unless the value has opened it.
_OPENS = {b",": b"", b";": b"", b"|": b"", b")": b"(", b"]": b"[", b"}": b"{", b">": b"<"}
_SHELL = b"'\\''"
_TAG_ENDS = (b"/>", b">")


def closing(window: bytes, quote: bytes) -> int | None:
    """Where the value that ends with ``quote`` ends, on the same line.

    An escaped quote ends none, nor does a doubled one. In single quotes and in XML a backslash may
    be meant as it stands, hence the last one on the line ends the value when no other does.
    """
    line = window.split(b"\n", 1)[0]
    at = line.find(quote)
    if len(quote) != 1:
        return at if at > 0 else None
    escaped = -1
    while at >= 0:
        behind = line[at + 1 : at + 2]
        if (at - len(line[:at].rstrip(b"\\"))) % 2:
            escaped = at
        elif line[at : at + len(_SHELL)] == _SHELL:
            at += len(_SHELL) - 1
        elif at and behind == quote and line.find(quote, at + 2) > 0:
            at += 1
        else:
            return at if at > 0 else None
        at = line.find(quote, at + 1)
    rest = line[escaped + 1 :].lstrip(b" \t")
    literal = rest.startswith(_TAG_ENDS) or (quote == b"'" and not rest.strip(b" \t\r,;)]}"))
    return escaped if escaped > 0 and literal else None


def bare_end(window: bytes, front: bytes, *, exact: bool, alone: bool = False) -> int:
    """Where a bare value of a file that is no program ends in ``window``.

    ``front`` is the line in front of its name. In ``exact`` settings each sign up to white space
    belongs to the value, most of all where it stands ``alone`` on its line; in a text a sign at its
    end belongs to the sentence.
    """
    word = _WORD.match(window)
    if word is None:
        return 0
    end = word.end()
    opened = tuple(mark for mark in _QUOTES if front.count(mark) % 2)
    if alone and exact and not opened:
        tag = _END_TAG.search(window, 0, end)
        return tag.start() if tag else end
    marks = opened if exact or opened else _QUOTES
    ends = [window.find(mark, 0, end) for mark in marks]
    patterns = (_NEXT, _TAG) if exact and not opened else (_NEXT, _TAG, _ENTITY, _WRITTEN_OUT)
    ends += [found.start() for each in patterns if (found := each.search(window))]
    ends += [window.find(c, 0, end) for o, c in _BRACKETS if front.count(o) > front.count(c)]
    separator = front.rstrip()[-1:].replace(b"?", b"&")
    if separator and separator in _LISTED:
        ends.append(window.find(separator, 0, end))
    end = min([end, *(each for each in ends if each >= 0)])
    if exact and not opened:
        return end
    while end and window[end - 1 : end] in _OPENS:
        opens = _OPENS[window[end - 1 : end]]
        if opens and opens in window[:end]:
            break
        end -= 1
    return end
