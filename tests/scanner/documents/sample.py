"""One small document of each kind with a token inside: what tests read and the benchmark plants.

Where a format hides text (compressed, encoded, cut into runs) the token is hidden as programs of
that format would hide it, so that only what opens it can find it.
"""

from __future__ import annotations

import base64
import gzip
import importlib.util
import json
import marshal
import quopri
import sqlite3
import struct
import zlib
from collections.abc import Callable, Mapping

from tests.scanner.documents.office_sample import docx, odp, ods, odt, pptx, xlsx, zipped

Make = Callable[[str], bytes]


def har(token: str) -> bytes:
    """A recording of a browser; the token is in a header."""
    sent = [
        {"name": "Accept", "value": "*/*"},
        {"name": "Authorization", "value": f"token {token}"},
    ]
    request = {"method": "GET", "url": "https://api.example.org/user", "headers": sent}
    return _har({"request": request, "response": {"status": 200, "content": {}}})


def har_body(token: str) -> bytes:
    """The same; the token is in a body that is written in base64."""
    text = base64.b64encode(json.dumps({"access": token, "scope": "repo"}).encode()).decode()
    content = {"mimeType": "application/json", "encoding": "base64", "text": text}
    return _har({"request": {"method": "GET", "headers": []}, "response": {"content": content}})


def _har(entry: Mapping[str, object]) -> bytes:
    quiet = {"request": {"method": "GET", "headers": []}, "response": {"status": 204}}
    log = {"version": "1.2", "creator": {"name": "b"}, "entries": [quiet, quiet, quiet, entry]}
    return json.dumps({"log": log}, indent=1).encode()


def cassette(token: str) -> bytes:
    """A recording of VCR.py with a compressed body."""
    body = base64.encodebytes(gzip.compress(f'{{"access": "{token}"}}'.encode())).decode()
    lines = "".join(f"        {line}\n" for line in body.splitlines())
    return (
        "interactions:\n- request:\n    body: null\n    headers:\n      Accept: ['*/*']\n"
        "    method: GET\n    uri: https://api.example.org/token\n  response:\n    body:\n"
        f"      string: !!binary |\n{lines}    headers:\n      Content-Encoding: [gzip]\n"
        "    status: {code: 200, message: OK}\nversion: 1\n"
    ).encode()


def cassette_json(token: str) -> bytes:
    """The same in JSON; the token is in a header."""
    request = {"method": "GET", "uri": "https://x.example", "headers": {"Authorization": [token]}}
    return json.dumps({"version": 1, "interactions": [{"request": request}]}, indent=1).encode()


def postman_collection(token: str) -> bytes:
    """A request with a bearer token."""
    bearer = [{"key": "token", "value": token, "type": "string"}]
    request = {"method": "GET", "auth": {"type": "bearer", "bearer": bearer}}
    schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
    info = {"_postman_id": "1", "name": "x", "schema": schema}
    return json.dumps(
        {"info": info, "item": [{"name": "a", "request": request}]}, indent=1
    ).encode()


def postman_environment(token: str) -> bytes:
    """Variables of an environment."""
    values = [{"key": "apiToken", "value": token, "enabled": True}]
    whole = {"id": "1", "name": "x", "values": values, "_postman_variable_scope": "environment"}
    return json.dumps(whole, indent=1).encode()


def terraform_state(token: str) -> bytes:
    """An attribute that a provider marks as sensitive; it is in clear all the same."""
    one = {"schema_version": 0, "attributes": {"id": "1", "value": token}}
    one["sensitive_attributes"] = [[{"type": "get_attr", "value": "value"}]]
    resource = {"mode": "managed", "type": "x_token", "name": "ci", "instances": [one]}
    whole = {"version": 4, "terraform_version": "1.9.0", "lineage": "x", "resources": [resource]}
    return json.dumps(whole, indent=1).encode()


def notebook(token: str) -> bytes:
    """A token that a cell has printed."""
    output = {"name": "stdout", "output_type": "stream", "text": ["begin\n", f"{token}\n"]}
    cell = {"cell_type": "code", "source": ["print(x)"], "outputs": [output], "metadata": {}}
    whole = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1).encode()


def sqlite(token: str) -> bytes:
    """A table with one row that matters."""
    with sqlite3.connect(":memory:") as base:
        base.execute("create table users (id integer primary key, name text, token text)")
        rows = [(number, f"user{number}", None) for number in range(1, 17)]
        base.executemany("insert into users values (?, ?, ?)", [*rows, (17, "ann", token)])
        base.commit()
        return base.serialize()


def pdf(token: str, page: int = 4) -> bytes:
    """Pages whose text is compressed, and kerned so that no string is whole."""
    pieces = "".join(f"({token[at : at + 7]})-15" for at in range(0, len(token), 7))
    texts = [f"(page {number})" if number != page else pieces for number in range(1, page + 2)]
    objects = ["<< /Type /Catalog /Pages 2 0 R >>"]
    kids = " ".join(f"{4 + 2 * at} 0 R" for at in range(len(texts)))
    objects.append(f"<< /Type /Pages /Count {len(texts)} /Kids [{kids}] >>")
    objects.append("<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>")
    whole = [each.encode() for each in objects]
    for at, text in enumerate(texts):
        whole.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R"
            b" >> >> /Contents %d 0 R >>" % (5 + 2 * at)
        )
        stream = zlib.compress(f"BT /F1 12 Tf 72 700 Td [{text}] TJ ET".encode())
        head = b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(stream)
        whole.append(head + stream + b"\nendstream")
    return _numbered(whole)


def _numbered(objects: list[bytes]) -> bytes:
    data, places = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", []
    for number, each in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return data + head + table + end % (len(objects) + 1, len(data))


_HEAD = "From: ann@example.org\nTo: ben@example.org\nSubject: keys\nMIME-Version: 1.0\n"


def mail(token: str) -> bytes:
    """A body whose lines are wrapped within the token."""
    text = quopri.encodestring(f"{'x' * 60} {token} = yours\n".encode()).decode()
    head = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n"
    return f"{_HEAD}{head}\n{text}".encode()


def mail_attachment(token: str) -> bytes:
    """An office file as an attachment."""
    return (
        f'{_HEAD}Content-Type: multipart/mixed; boundary="=b"\n\n--=b\nContent-Type: text/plain\n\n'
        'see below\n--=b\nContent-Type: application/octet-stream; name="keys.docx"\n'
        'Content-Disposition: attachment; filename="keys.docx"\n'
        f"Content-Transfer-Encoding: base64\n\n{base64.encodebytes(docx(token)).decode()}--=b--\n"
    ).encode()


def mailbox(token: str) -> bytes:
    """Two mails, the second of which matters."""
    return b"".join(
        b"From x@y Sat Feb  3 04:05:06 2024\n%b\n" % mail(each) for each in ("-", token)
    )


def slack_export(token: str) -> bytes:
    """A day of a channel."""
    messages = [
        {"type": "message", "user": "U1", "text": "hello", "ts": "1706900000.000100"},
        {"type": "message", "user": "U2", "text": f"it is {token}", "ts": "1706900001.000200"},
    ]
    return zipped(
        {
            "channels.json": json.dumps([{"id": "C1", "name": "ops"}]),
            "users.json": json.dumps([{"id": "U1"}]),
            "ops/2024-02-02.json": json.dumps(messages, indent=1),
        }
    )


def bash_history(token: str) -> bytes:
    """With times."""
    return f"#1706900000\nls\n#1706900001\ncurl -H 'Authorization: token {token}' x\n".encode()


def zsh_history(token: str) -> bytes:
    """In its extended form."""
    return f": 1706900000:0;ls\n: 1706900001:0;export GH={token}\n".encode()


def fish_history(token: str) -> bytes:
    """Its own form."""
    return f"- cmd: ls\n  when: 1706900000\n- cmd: set -x GH {token}\n  when: 1706900001\n".encode()


def pyc(token: str) -> bytes:
    """A compiled module."""
    code = compile(f"def connect(client):\n    return client('{token}')\n", "m.py", "exec")
    return importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)


def java_class(token: str) -> bytes:
    """A class whose constant pool has the token, among other kinds of constants."""
    pool = [
        b"\x01" + struct.pack(">H", len(text)) + text
        for text in (b"Main", b"java/lang/Object", token.encode(), b"ConstantValue")
    ]
    pool += [b"\x05" + bytes(8), b"\x07\0\x01", b"\x07\0\x02", b"\x08\0\x03"]
    count = len(pool) + 2  # a long has two
    return b"\xca\xfe\xba\xbe\0\0\0\x3d" + struct.pack(">H", count) + b"".join(pool) + bytes(14)


def jar(token: str) -> bytes:
    """An archive with a class."""
    return zipped(
        {"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n", "a/M.class": java_class(token)}
    )


def dex(token: str) -> bytes:
    """Android's bytecode: a table of strings."""
    strings = [b"<init>", token.encode(), "é".encode()]
    offset = 0x70 + 4 * len(strings)
    table, pool = b"", b""
    for text in strings:
        table += struct.pack("<I", offset + len(pool))
        pool += bytes([len(text.decode())]) + text + b"\0"
    size = offset + len(pool)
    head = b"dex\n035\0" + bytes(24) + struct.pack("<III", size, 0x70, 0x12345678) + bytes(12)
    return (head + struct.pack("<II", len(strings), 0x70)).ljust(0x70, b"\0") + table + pool


def resources(token: str) -> bytes:
    """Android's table of resources, in UTF-16 as old tools write it."""
    strings = ["app_name", token]
    table, pool = b"", b""
    for text in strings:
        table += struct.pack("<I", len(pool))
        pool += struct.pack("<H", len(text)) + text.encode("utf-16-le") + b"\0\0"
    start = 28 + len(table)
    head = struct.pack("<HHIIIIII", 1, 28, start + len(pool), len(strings), 0, 0, start, 0)
    whole = head + table + pool
    return struct.pack("<HHII", 2, 12, 12 + len(whole), 1) + whole


def apk(token: str) -> bytes:
    """An application whose code has the token."""
    return zipped({"AndroidManifest.xml": b"\x03\0\x08\0\x08\0\0\0", "classes.dex": dex(token)})


def apk_resources(token: str) -> bytes:
    """The same; its resources have it."""
    return zipped({"classes.dex": dex("-"), "resources.arsc": resources(token)})


#: By the name of the file.
DOCUMENTS: Mapping[str, Make] = {
    "header.har": har,
    "body.har": har_body,
    "cassette.yaml": cassette,
    "cassette.json": cassette_json,
    "x.postman_collection.json": postman_collection,
    "x.postman_environment.json": postman_environment,
    "terraform.tfstate": terraform_state,
    "analysis.ipynb": notebook,
    "app.sqlite": sqlite,
    "letter.docx": docx,
    "book.xlsx": xlsx,
    "talk.pptx": pptx,
    "letter.odt": odt,
    "book.ods": ods,
    "talk.odp": odp,
    "paper.pdf": pdf,
    "body.eml": mail,
    "attachment.eml": mail_attachment,
    "box.mbox": mailbox,
    "slack-export.zip": slack_export,
    ".bash_history": bash_history,
    ".zsh_history": zsh_history,
    "fish_history": fish_history,
    "module.pyc": pyc,
    "program.jar": jar,
    "code.apk": apk,
    "resources.apk": apk_resources,
}
