"""Small packages of Office and LibreOffice that those programs open, with a token inside."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SLIDES = "application/vnd.openxmlformats-officedocument.presentationml"


def docx(token: str) -> bytes:
    """A paragraph that the editor has cut into three runs."""
    runs = "".join(f"<w:r><w:t>{part}</w:t></w:r>" for part in (token[:3], token[3:20], token[20:]))
    body = f"<w:p><w:r><w:t>Hello</w:t></w:r></w:p><w:p>{runs}</w:p>"
    return office(
        "word/document.xml",
        f'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f"<w:body>{body}</w:body></w:document>",
        {"word/document.xml": f"{_WORD}.document.main+xml"},
    )


def xlsx(token: str) -> bytes:
    """Cell B7, as a shared string that is cut into runs."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    runs = f"<r><t>{token[:9]}</t></r><r><t>{token[9:]}</t></r>"
    return office(
        "xl/workbook.xml",
        f'<workbook xmlns="{main}" xmlns:r="{_RELATIONS}"><sheets>'
        '<sheet name="Keys" sheetId="1" r:id="rId1"/></sheets></workbook>',
        {
            "xl/workbook.xml": f"{_SHEET}.sheet.main+xml",
            "xl/worksheets/sheet1.xml": f"{_SHEET}.worksheet+xml",
            "xl/sharedStrings.xml": f"{_SHEET}.sharedStrings+xml",
        },
        {
            "xl/_rels/workbook.xml.rels": _related(
                worksheet="worksheets/sheet1.xml", sharedStrings="sharedStrings.xml"
            ),
            "xl/sharedStrings.xml": f'<sst xmlns="{main}"><si><t>name</t></si>'
            f"<si>{runs}</si></sst>",
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData><row r="7">'
            '<c r="A7" t="s"><v>0</v></c><c r="B7" t="s"><v>1</v></c></row></sheetData>'
            "</worksheet>",
        },
    )


def pptx(token: str) -> bytes:
    """A slide's text in two runs."""
    names = (
        'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
        'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
        f'xmlns:r="{_RELATIONS}"'
    )
    runs = f"<a:r><a:t>{token[:5]}</a:t></a:r><a:r><a:t>{token[5:]}</a:t></a:r>"
    shape = (
        '<p:sp><p:nvSpPr><p:cNvPr id="2" name="t"/><p:cNvSpPr/><p:nvPr/></p:nvSpPr><p:spPr/>'
        f"<p:txBody><a:bodyPr/><a:p>{runs}</a:p></p:txBody></p:sp>"
    )
    slide = (
        f'<p:sld {names}><p:cSld><p:spTree><p:nvGrpSpPr><p:cNvPr id="1" name=""/><p:cNvGrpSpPr/>'
        f"<p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>{shape}</p:spTree></p:cSld></p:sld>"
    )
    return office(
        "ppt/presentation.xml",
        f'<p:presentation {names}><p:sldIdLst><p:sldId id="256" r:id="rId1"/></p:sldIdLst>'
        "</p:presentation>",
        {
            "ppt/presentation.xml": f"{_SLIDES}.presentation.main+xml",
            "ppt/slides/slide2.xml": f"{_SLIDES}.slide+xml",
        },
        {
            "ppt/_rels/presentation.xml.rels": _related(slide="slides/slide2.xml"),
            "ppt/slides/slide2.xml": slide,
        },
    )


def office(
    main: str,
    text: str,
    types: Mapping[str, str] | None = None,
    more: Mapping[str, str] | None = None,
) -> bytes:
    """A package of Office's with one main part."""
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{kind}"/>'
        for name, kind in (types or {}).items()
    )
    declared = (
        f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{overrides}</Types>'
    )
    parts = {"[Content_Types].xml": declared, "_rels/.rels": _related(officeDocument=main)}
    return zipped({**parts, main: text, **(more or {})})


def _related(**targets: str) -> str:
    each = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATIONS}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets.items(), 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{each}</Relationships>'


_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0"
_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0"
_DRAW = "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0"
_MANIFEST = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"


def odt(token: str) -> bytes:
    """A paragraph whose middle is bold."""
    parts = f"{token[:7]}<text:span>{token[7:12]}</text:span>{token[12:]}"
    return open_document("text", f"<text:p>Hello</text:p><text:p>{parts}</text:p>")


def ods(token: str) -> bytes:
    """Cell B7, behind repeated empty ones."""
    parts = f"<text:p>{token[:7]}<text:span>{token[7:]}</text:span></text:p>"
    return open_document(
        "spreadsheet",
        '<table:table table:name="Keys">'
        '<table:table-row table:number-rows-repeated="6"><table:table-cell/></table:table-row>'
        f"<table:table-row><table:table-cell/><table:table-cell>{parts}</table:table-cell>"
        "</table:table-row></table:table>",
    )


def odp(token: str) -> bytes:
    """A slide."""
    parts = f"<text:p>{token[:7]}<text:span>{token[7:]}</text:span></text:p>"
    box = f"<draw:frame><draw:text-box>{parts}</draw:text-box></draw:frame>"
    return open_document("presentation", f"<draw:page draw:name='a'>{box}</draw:page>")


def open_document(kind: str, body: str) -> bytes:
    """A package of LibreOffice's."""
    content = (
        f'<office:document-content xmlns:office="{_OFFICE}" xmlns:text="{_TEXT}" '
        f'xmlns:table="{_TABLE}" xmlns:draw="{_DRAW}" office:version="1.3"><office:body>'
        f"<office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    mime = f"application/vnd.oasis.opendocument.{kind}"
    entries = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{media}"/>'
        for path, media in (("/", mime), ("content.xml", "text/xml"))
    )
    manifest = f'<manifest:manifest xmlns:manifest="{_MANIFEST}">{entries}</manifest:manifest>'
    return zipped({"mimetype": mime, "content.xml": content, "META-INF/manifest.xml": manifest})


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A compressed archive."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return held.getvalue()
