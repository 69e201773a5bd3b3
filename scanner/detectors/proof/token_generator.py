r"""Examples from templates: rules and tests never contain a literal token.

A template is text with words in braces; everything else stays as written. ``generate`` is
deterministic in its seed. The words:

======================  =================================================================
``{base62:N}``          N of 0-9 A-Z a-z; likewise ``hex``, ``digits``, ``upper``, ``lower``,
                        ``letters``, ``base32`` (A-Z 2-7), ``base32low``, ``base36`` (0-9 a-z),
                        ``base36up``, ``hexup``, ``base58``, ``base64`` (with ``+/``), ``base64url``
``{repeat:C:N}``        the character C, N times (masks, placeholders)
``{word:TEXT}``         TEXT; splits a literal that must not stand in a file in one piece
``{lf}``                a line feed
``{path:TEXT}``         nothing; the example is all that stands in a file of that path
``{uuid}``              a random UUID
``{password}``          14 characters as a password generator would make, with a sign
``{aws_key_id}``        a long-lived access key id that decodes to an account
``{aws_session_id}``    the same of a session
``{aws_secret}``        a 40-character secret access key
``{aws_session_token}`` a session token
``{crc32_base62}``      GitHub's checksum over what the word before produced
``{gitlab_length}``     a routable GitLab token's payload length, 2 characters
``{gitlab_crc}``        its checksum over the token so far
``{jwt}``               a signed JSON Web Token; ``{jwt:expired}``, ``{jwt:none}`` (unsigned)
``{basic}``             user and password as HTTP Basic credentials
``{pem:KIND}``          a private key block: rsa, ec, pkcs8, openssh, encrypted, pgp, putty
``{pkcs12}``            a sealed PKCS#12 store in base64; ``{jks}``, ``{jks:certificate}``, and
                        ``{der_key}``, a private key in base64 without armour
``{mnemonic:N}``        a wallet's recovery phrase for N random bytes
``{pem_escaped:KIND}``  the same on one line, with line feeds written as ``\n``
======================  =================================================================

An unknown word in braces stays as it is, so that code and templates need no escaping.
"""

from __future__ import annotations

import base64
import binascii
import json
import random
import re
import string
import textwrap
import uuid
import zlib
from collections.abc import Callable, Mapping

from stanch.scanner.detectors.proof import keystore_generator
from stanch.scanner.detectors.structure.azure_key import cask_checksum, marvin32
from stanch.scanner.detectors.structure.checksum import (
    crc32_apify,
    crc32_base36,
    crc32_base62,
    length_base36,
)
from stanch.scanner.detectors.structure.mnemonic import phrase_of
from stanch.scanner.detectors.structure.vapid import public_key
from stanch.scanner.detectors.structure.wallet import base58check, bech32

_WORD = re.compile(r"\{([a-z0-9_]+)(?::([^{}]*))?\}")
_PATH = re.compile(r"\{path:([^{}]+)\}")
_ALPHABETS = {
    "base62": string.digits + string.ascii_letters,
    "hex": "0123456789abcdef",
    "digits": string.digits,
    "upper": string.ascii_uppercase,
    "lower": string.ascii_lowercase,
    "base32": string.ascii_uppercase + "234567",
    "base36": string.digits + string.ascii_lowercase,
    "hexup": "0123456789ABCDEF",
    "base32low": string.ascii_lowercase + "234567",
    "base36up": string.digits + string.ascii_uppercase,
    "letters": string.ascii_letters,
    "base58": "".join(sorted(set(string.digits + string.ascii_letters) - set("0OIl"))),
    "base64": string.digits + string.ascii_letters + "+/",
    "base64url": string.digits + string.ascii_letters + "-_",
}
_TOKEN = re.compile(r"[A-Za-z0-9_.-]*$")
_TOKEN_AND_SIGN = re.compile(r"[A-Za-z0-9_=-]*$")
_OPENSSH_MAGIC = b"openssh-key-v1\0"


def generate(template: str, seed: int) -> bytes:
    """The template's example number ``seed``; the same two always give the same bytes."""
    return _Example(random.Random(f"{seed}/{template}")).write(template).encode()  # noqa: S311 - reproducible, opens nothing


def path_of(template: str) -> str | None:
    """The path of the file that the template is all of."""
    named = _PATH.search(template)
    return named[1] if named else None


class _Example:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._out = ""
        self._last = ""

    def write(self, template: str) -> str:
        at = 0
        for word in _WORD.finditer(template):
            self._out += template[at : word.start()]
            self._last = self._word(word[1], word[2] or "") if self._known(word[1]) else word[0]
            self._out += self._last
            at = word.end()
        return self._out + template[at:]

    def _known(self, name: str) -> bool:
        return name in _ALPHABETS or hasattr(self, f"word_{name}")

    def _word(self, name: str, argument: str) -> str:
        if name in _ALPHABETS:
            return self._some(_ALPHABETS[name], int(argument))
        word: Callable[[str], str] = getattr(self, f"word_{name}")
        return word(argument)

    def _some(self, alphabet: str, count: int) -> str:
        return "".join(self._chance.choices(alphabet, k=count))

    def _varied(self, alphabet: str, count: int) -> str:
        """Random characters with both cases and digits, as every long real value has."""
        while True:
            value = self._some(alphabet, count)
            if (value.lower(), value.upper()) != (value, value) and re.search(r"\d", value):
                return value

    def word_repeat(self, argument: str) -> str:
        character, _, count = argument.partition(":")
        return character * int(count)

    def word_word(self, argument: str) -> str:
        return argument

    def word_path(self, _: str) -> str:
        return ""

    def word_lf(self, _: str) -> str:
        return "\n"

    def word_uuid(self, _: str) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128), version=4))

    def word_password(self, _: str) -> str:
        body = self._varied(_ALPHABETS["base62"], 12)
        return f"{body[:5]}!{body[5:]}9"

    def word_aws_key_id(self, _: str) -> str:
        return "AKIA" + self._key_id_body()

    def word_aws_session_id(self, _: str) -> str:
        return "ASIA" + self._key_id_body()

    def _key_id_body(self) -> str:
        account = self._chance.randrange(10**11, 10**12)
        head = (1 << 47 | account << 7 | self._chance.getrandbits(7)).to_bytes(6, "big")
        return base64.b32encode(head + self._chance.randbytes(4)).decode()

    def word_aws_secret(self, _: str) -> str:
        return self._varied(_ALPHABETS["base64"], 40)

    def word_aws_session_token(self, _: str) -> str:
        head = base64.b64encode(b"!\x0a\x09origin").decode()
        return head + self._varied(_ALPHABETS["base64"], 320)

    def word_crc32_base62(self, _: str) -> str:
        return crc32_base62(self._last.encode()).decode()

    def word_gitlab_length(self, _: str) -> str:
        payload = re.sub(r"^(?:GR1348941|gl[a-z]+-)", "", self._token()).split(".")[0]
        return length_base36(payload.encode()).decode()

    def word_gitlab_crc(self, _: str) -> str:
        return crc32_base36(self._token().encode()).decode()

    def _token(self) -> str:
        token = _TOKEN.search(self._out)
        return token[0] if token else ""

    def word_jwt(self, argument: str) -> str:
        unsigned = argument == "none"
        expires = 1_000_000_000 if argument == "expired" else 4_000_000_000
        header = {"alg": "none" if unsigned else "HS256", "typ": "JWT"}
        payload = {"sub": self._some(_ALPHABETS["hex"], 12), "exp": expires}
        parts = [json.dumps(part, separators=(",", ":")).encode() for part in (header, payload)]
        encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts]
        return ".".join([*encoded, "" if unsigned else self._some(_ALPHABETS["base64url"], 43)])

    def word_basic(self, _: str) -> str:
        pair = f"{self._some(_ALPHABETS['lower'], 6)}:{self.word_password('')}"
        return base64.b64encode(pair.encode()).decode()

    def word_crc32_apify(self, _: str) -> str:
        return crc32_apify(self._token().encode()).decode()

    def word_crc32_hex(self, _: str) -> str:
        return f"{zlib.crc32(self._last.encode()):08x}"

    def word_crc32_hexup(self, _: str) -> str:
        token = _TOKEN_AND_SIGN.search(self._out)
        return f"{zlib.crc32(token[0].encode() if token else b''):08X}"

    def word_crc32_grafana(self, _: str) -> str:
        return zlib.crc32(self._token().rstrip("_").encode()).to_bytes(4, "little").hex()

    def word_crc32_confluent(self, _: str) -> str:
        raw = zlib.crc32(self._last.encode()).to_bytes(4, "little")
        return base64.b64encode(raw).decode()[:6]

    def word_age_key(self, _: str) -> str:
        return bech32("age-secret-key-", self._chance.randbytes(32)).upper()

    def word_vapid_pair(self, _: str) -> str:
        private = self._chance.randbytes(32)
        both = (public_key(private) or b"", private)
        return ", ".join(f"'{base64.urlsafe_b64encode(raw).decode().rstrip('=')}'" for raw in both)

    def word_nkey_seed(self, _: str) -> str:
        raw = bytes([0x95, 0x00]) + self._chance.randbytes(32)  # a user's seed
        return base64.b32encode(raw + binascii.crc_hqx(raw, 0).to_bytes(2, "little")).decode()[:58]

    def word_bitcoin_wif(self, _: str) -> str:
        return base58check(b"\x80" + self._chance.randbytes(32) + b"\x01").decode()

    def word_bitcoin_xprv(self, _: str) -> str:
        head = bytes.fromhex("0488ade4") + bytes(9)
        return base58check(
            head + self._chance.randbytes(32) + b"\0" + self._chance.randbytes(32)
        ).decode()

    def word_azure_storage_key(self, _: str) -> str:
        return self._azure(60, 76, b"+ASt", b"Default0")

    def word_azure_redis_key(self, _: str) -> str:
        return self._azure(28, 33, b"AzCa", b"Access00")

    def _azure(self, size: int, at: int, signature: bytes, seed: bytes) -> str:
        """Random bytes whose base64 has the signature at its place, then their checksum."""
        text = base64.b64encode(self._chance.randbytes(size))
        raw = base64.b64decode(text[:at] + signature + text[at + len(signature) :])[:size]
        return base64.b64encode(raw + marvin32(raw, seed)).decode()

    def word_azure_cask(self, _: str) -> str:
        body = (
            self._some(_ALPHABETS["base62"], 52) + "JQQJ99BE" + self._some(_ALPHABETS["base62"], 20)
        )
        return body + cask_checksum(body.encode()).decode()

    def word_b64json(self, argument: str) -> str:
        claims = {name: self._some(_ALPHABETS["base62"], 40) for name in argument.split(",")}
        raw = json.dumps(claims, separators=(",", ":")).encode()
        return (
            base64.b64encode(raw.replace(b"\n", b""))
            .decode()
            .rstrip("=")
            .replace("+", "-")
            .replace("/", "_")
        )

    def word_bedrock_key(self, _: str) -> str:
        text = f"BedrockAPIKey-{self._some(_ALPHABETS['base62'], 84)}"
        return "ABSK" + base64.b64encode(text.encode()).decode()

    def word_b64password(self, _: str) -> str:
        return base64.b64encode(self.word_password("").encode()).decode()

    def word_b64pem(self, _: str) -> str:
        return base64.b64encode(self.word_pem("rsa").encode()).decode()

    def word_discord_token(self, _: str) -> str:
        bot = str(self._chance.randrange(10**17, 9 * 10**17)).encode()
        head = base64.b64encode(bot).decode().rstrip("=")
        return (
            f"{head}.{self._some(_ALPHABETS['base62'], 6)}.{self._some(_ALPHABETS['base62'], 38)}"
        )

    def word_atlassian_pat(self, _: str) -> str:
        number = str(self._chance.randrange(10**11, 10**12)).encode()
        return base64.b64encode(number + b":" + self._chance.randbytes(20)).decode()

    def word_jfrog_reftkn(self, _: str) -> str:
        issued = self._some(_ALPHABETS["digits"], 9)
        text = f"reftkn:01:1{issued}:{self._some(_ALPHABETS['base62'], 27)}"
        return base64.b64encode(text.encode()).decode()

    def word_pypi_macaroon(self, _: str) -> str:
        identifier = self._chance.randbytes(60)
        raw = b"\x02\x01\x08pypi.org\x02\x3c" + identifier + b"\x00\x00\x06\x20"
        return "pypi-" + _urlsafe(raw + self._chance.randbytes(32))

    def word_fly_macaroon(self, _: str) -> str:
        return "fm2_" + base64.b64encode(b"\x94" + self._chance.randbytes(200)).decode()

    def word_jwt_azure(self, _: str) -> str:
        header = {"typ": "JWT", "alg": "RS256", "x5t": self._some(_ALPHABETS["base62"], 27)}
        return self._token_of(
            header, {"iss": "https://sts.windows.net/acme/", "exp": 4_000_000_000}
        )

    def word_jwt_supabase(self, _: str) -> str:
        claims = {
            "iss": "supabase",
            "ref": self._some(_ALPHABETS["lower"], 20),
            "role": "service_role",
        }
        return self._token_of({"alg": "HS256", "typ": "JWT"}, claims)

    def _token_of(self, header: Mapping[str, object], claims: Mapping[str, object]) -> str:
        parts = [json.dumps(each, separators=(",", ":")).encode() for each in (header, claims)]
        return ".".join([*map(_urlsafe, parts), self._some(_ALPHABETS["base64url"], 43)])

    def word_gcp_json(self, _: str) -> str:
        key = {
            "type": "service_account",
            "project_id": "acme",
            "private_key_id": self._some(_ALPHABETS["hex"], 40),
            "private_key": self.word_pem("pkcs8") + "\n",
            "client_email": "svc@acme.iam.gserviceaccount.com",
        }
        return json.dumps(key, indent=2)

    def word_gcp_adc(self, _: str) -> str:
        credentials = {
            "client_id": self._some(_ALPHABETS["digits"], 12) + "-x.apps.googleusercontent.com",
            "client_secret": self._some(_ALPHABETS["base62"], 24),
            "refresh_token": "1//0" + self._some(_ALPHABETS["base64url"], 90) + "b",
            "type": "authorized_user",
        }
        return json.dumps(credentials, indent=2)

    def word_pkcs12(self, _: str) -> str:
        return base64.b64encode(keystore_generator.pkcs12(self._chance)).decode()

    def word_jks(self, argument: str) -> str:
        return base64.b64encode(keystore_generator.jks(self._chance, argument or "key")).decode()

    def word_der_key(self, _: str) -> str:
        return base64.b64encode(keystore_generator.private_key(self._chance)).decode()

    def word_mnemonic(self, size: str) -> str:
        return " ".join(phrase_of(self._chance.randbytes(int(size))))

    def word_pem_escaped(self, argument: str) -> str:
        return self.word_pem(argument).replace("\n", "\\n")

    def word_pem(self, argument: str) -> str:
        label, body = {
            "rsa": ("RSA PRIVATE KEY", self._der(1190)),
            "ec": ("EC PRIVATE KEY", self._der(118)),
            "pkcs8": ("PRIVATE KEY", self._der(1216)),
            "encrypted": ("ENCRYPTED PRIVATE KEY", self._der(1300)),
            "openssh": ("OPENSSH PRIVATE KEY", _OPENSSH_MAGIC + self._chance.randbytes(400)),
            "pgp": ("PGP PRIVATE KEY BLOCK", b"\xc5" + self._chance.randbytes(900)),
            "putty": ("", self._chance.randbytes(200)),
        }[argument]
        lines = textwrap.wrap(base64.b64encode(body).decode(), 64)
        if argument == "putty":
            head = ["PuTTY-User-Key-File-2: ssh-ed25519", "Encryption: none", "Comment: key"]
            middle = ["Public-Lines: 1", lines[0], f"Private-Lines: {len(lines) - 1}", *lines[1:]]
            return "\n".join([*head, *middle, "Private-MAC: " + self._some("0123456789abcdef", 40)])
        armour = ["", *lines] if argument == "pgp" else lines
        # Put together here so that no file of ours holds a whole header.
        return "\n".join([f"-----BEGIN {label}-----", *armour, f"-----END {label}-----"])

    def _der(self, size: int) -> bytes:
        """A DER SEQUENCE of ``size`` random bytes that begins with version 0."""
        head = b"\x30" + (bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2, "big"))  # noqa: PLR2004 - DER's short form
        return head + b"\x02\x01\x00" + self._chance.randbytes(size - 3)


def _urlsafe(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
