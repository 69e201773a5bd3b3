"""Is a value a word that people write where a password would stand?"""

from __future__ import annotations

import re

from stanch.scanner.detectors.text.regex_cache import regex

_STAND_INS = frozenset(
    b"""
    password passwd pass passwort pwd passphrase secret secrets token key apikey value string text
    none null nil true false undefined empty default test tests testing tester tested example
    sample demo dummy fake foo bar baz qux foobar foobaz admin administrator root user username
    login guest changeme change me my your yours his her their the a an of to in on for from with
    be by at enough least than bytes sua seu su tu tua mi minha meu votre mon ton ihr dein mein
    and or not is it this that here there new old current another other wrong right bad good
    invalid valid correct incorrect hidden redacted masked required optional enter insert put type
    set get some any every long short strong weak super very really random generated secure
    insecure unsecure unsafe safe private public shared client server service app application api
    access refresh bearer basic auth oauth id ids name names field label hash hashed encrypted
    encoded plain clear plaintext cleartext confirm confirmation repeat again reset forgot update
    create delete remove show hide display input output data file path config configuration
    settings option options env environment variable var param parameter arg argument host hostname
    port url uri address database db mysql postgres postgresql mongo mongodb redis rabbitmq sql
    john jane doe bob alice joe something anything nothing whatever placeholder todo fixme xxx abc
    abcd abcde abcdef qwerty asdf letmein hello world welcome github gitlab slack aws google
    production prod staging dev development local localhost one two three four first second third
    session cookie csrf jwt signing encryption master hmac web webhook bot email mail smtp account
    credential credentials code number char chars character characters expired missing mismatch
    please provide provided use using used must should unset blank mock stub fixture proxy real
    acme tiger android anonymous authorization unknown sk pk psw
    usuario contrase kennwort contrasena clave senha palavra haslo parol parola wachtwoord losenord
    adgangskode passord salasana sifre heslo jelszo geslo lozinka motdepasse ok fail failed success
    """.split()
)
#: The 170 pairs of letters that are most frequent in English words of documentation.
_PAIRS = frozenset(
    b"""
    ab ac ad ag ai al am an ap ar as at au ba be bl bo bu ca ce ch ci ck cl co cr ct cu da de
    di do ds ea ec ed ee ef el em en ep er es et ev ex fa fe ff fi fo ge gi gr ha he hi ho ia
    ib ic id ie if ig il im in io ip ir is it iv ke ki ks la le li ll lo ls ly ma me mi mo mp
    na nc nd ne ng ni no ns nt oc od ol om on oo op or os ot ou ov ow pa pe pi pl po pp pr pt
    py qu ra rd re ri rl rm rn ro rr rs rt ru ry sa sc se sh si so sp ss st su ta te th ti to
    tr ts tt tu ty ua ub ul um un up ur us ut va ve vi wa we wi
    """.split()
)
_LEET = bytes.maketrans(b"013457@$!", b"oieastasi")
_LIKE_WORDS = 0.6
_MOSTLY_SPELT = 0.55
_MOSTLY_PAIRS = 0.7
_DIGITS = frozenset(b"0123456789")
_FEW_DIGITS = 3
_PIECE = regex(rb"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[A-Z]")
_COUNTERS = frozenset(b"1 2 3 4 5 6 7 8 9 0 12 123 1234 12345 123456 00 01 02".split())
_SHORTEST = 3
_LONGEST_GLUED = 40


def pieces(value: bytes) -> list[bytes]:
    """The words of ``value``, split at case changes, digits and signs, in lower case."""
    return [piece.lower() for piece in _PIECE.findall(value)]


def reads_like_word(value: bytes) -> bool:
    """Whether letters follow each other as in words, ``s3kr1t`` read as ``sekrit``.

    Weak passwords are words as well: only what is known to be an example may be judged by this.
    """
    digits = sum(byte in _DIGITS for byte in value)
    if digits > _FEW_DIGITS or digits * 3 >= len(value) or len(value) > _LONGEST_GLUED:
        return False
    letters = b"".join(re.findall(rb"[a-z]+", value.translate(_LEET).lower()))
    pairs = [letters[at : at + 2] for at in range(len(letters) - 1)]
    return bool(pairs) and sum(pair in _PAIRS for pair in pairs) >= _LIKE_WORDS * len(pairs)


def is_made_of_words(value: bytes) -> bool:
    """Whether most of ``value`` is words joined by case or signs: a name, not what a machine drew.

    Stricter than :func:`reads_like_word`, for tokens: of 16 random letters and digits one in a
    thousand passes for words.
    """
    if sum(byte in _DIGITS for byte in value) > _FEW_DIGITS or len(value) > _LONGEST_GLUED:
        return False
    words = [word for word in pieces(value) if word.isalpha()]
    pairs = [word[at : at + 2] for word in words for at in range(len(word) - 1)]
    spelt = sum(len(word) for word in words if len(word) >= _SHORTEST)
    return spelt >= _MOSTLY_SPELT * sum(map(len, pieces(value))) > 0 and sum(
        pair in _PAIRS for pair in pairs
    ) >= _MOSTLY_PAIRS * len(pairs)


def is_stand_in(value: bytes, name: bytes = b"") -> bool:
    """Whether ``value`` says "a password goes here": only such words, or the field's own name."""
    words = pieces(value)
    if not words:
        return True
    lower = value.lower()
    if lower == name.lower() or (len(lower) >= _SHORTEST and set(lower) <= set(b"x*.-_?# ")):
        return True
    return all(word in _STAND_INS or word in _COUNTERS or _glued(word) for word in words)


def _glued(word: bytes) -> bool:
    """Whether a lower-case word is two or three stand-ins without a sign between them."""
    if not word.isalpha() or len(word) > _LONGEST_GLUED:
        return False
    reachable = {0}
    for end in range(1, len(word) + 1):
        starts = (at for at in reachable if end - at >= _SHORTEST)
        if any(word[at:end] in _STAND_INS for at in tuple(starts)) or (
            word[:end] in (b"my", b"db", b"a", b"nota")
        ):
            reachable.add(end)
    return len(word) in reachable
