"""Unusual, and all right: what real programs write must not be refused."""

from tests.sources.hostile.case import MICROSOFT, SHEET, SML, Case, cell_with, declare, parts_case, relate, replace
from tests.sources.hostile.cells import _link
from tests.sources.hostile.contents import _name, _relation
from tests.sources.hostile.packages import Archive, Entry, Parts, entries_of, zipped

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


def _wps(parts: Parts) -> None:
    """What WPS adds: cell images with their own relationship, its own build id, custom properties, custom XML."""
    parts["xl/cellimages.xml"] = b'<etc:cellImages xmlns:etc="http://www.wps.cn/officeDocument/2017/etCustomData"/>'
    relate(parts, "xl/workbook.xml", "http://www.wps.cn/officeDocument/2020/cellImage", "cellimages.xml")
    declare(parts, "xl/cellimages.xml", "application/vnd.wps-officedocument.cellimage+xml")
    relate(parts, "xl/cellimages.xml", "image", "media/image1.png")
    parts["xl/media/image1.png"] = PNG
    parts["docProps/custom.xml"] = (
        b'<Properties><property name="KSOProductBuildVer"/><property name="ICV"/></Properties>'
    )
    relate(parts, "", "custom-properties", "docProps/custom.xml")
    parts["customXml/item1.xml"] = b"<s:customData xmlns:s='http://www.wps.cn/officeDocument/2013/wpsCustomData'/>"
    relate(parts, "xl/workbook.xml", "customXml", "../customXml/item1.xml", key="rIdY")
    cell_with(parts, "G4", '<f>DISPIMG("ID_1",1)</f><v>=DISPIMG("ID_1",1)</v>', 't="str"')


def _excel(parts: Parts) -> None:
    """What Excel adds: printer settings, comments with their drawing, threads, calculation chain, tables, labels, form controls."""
    parts["xl/printerSettings/printerSettings1.bin"] = "HP LaserJet".encode("utf-16-le") + b"\0" * 900
    relate(parts, SHEET, "printerSettings", "../printerSettings/printerSettings1.bin", key="a1")
    parts["xl/comments1.xml"] = b"<comments><authors/><commentList/></comments>"
    relate(parts, SHEET, "comments", "../comments1.xml", key="a2")
    parts["xl/drawings/vmlDrawing1.vml"] = b'<xml xmlns:v="urn:schemas-microsoft-com:vml"><v:shape><br></v:shape></xml>'
    relate(parts, SHEET, "vmlDrawing", "../drawings/vmlDrawing1.vml", key="a3")
    parts["xl/threadedComments/threadedComment1.xml"] = b"<ThreadedComments/>"
    parts["xl/ctrlProps/ctrlProp1.xml"] = b'<formControlPr objectType="CheckBox"/>'
    relate(parts, SHEET, "ctrlProp", "../ctrlProps/ctrlProp1.xml", key="a4")
    parts["docMetadata/LabelInfo.xml"] = b"<clbl:labelList xmlns:clbl='x'/>"
    parts["docProps/thumbnail.wmf"] = b"\xd7\xcd\xc6\x9a" + b"\0" * 40
    relate(
        parts,
        "",
        "http://schemas.openxmlformats.org/package/2006/relationships/metadata/thumbnail",
        "docProps/thumbnail.wmf",
    )
    parts["_xmlsignatures/sig1.xml"] = b"<Signature xmlns='http://www.w3.org/2000/09/xmldsig#'/>"
    parts["xl/media/document.pdf"] = b"%PDF-1.7\n"
    declare(parts, "xl/printerSettings/printerSettings1.bin", f"{SML}printerSettings")


def _hyperlinks(parts: Parts) -> None:
    targets = (
        "https://www.jiaxing.gov.cn/a?b=1#c",
        "http://10.1.2.3/x",
        "mailto:a@jiaxing.gov.cn",
        "附件/说明.docx",
        "#Sheet1!A1",
    )
    for number, target in enumerate(targets):
        relate(parts, SHEET, "hyperlink", target, outside=True, key=f"h{number}")


def _stream(good: Parts) -> bytes:
    """As programs write that cannot go back: sizes after the data."""
    entries = entries_of(good)
    for entry in entries:
        entry.descriptor = True
    return Archive(entries).bytes()


def _zip64_local(good: Parts) -> bytes:
    """As Java libraries write: zip64 room in the local header, sizes after the data."""
    entries = entries_of(good)
    for entry in entries:
        entry.descriptor, entry.local_extra = True, b"\x01\x00\x10\x00" + b"\0" * 16
    return Archive(entries).bytes()


def _growth(good: Parts) -> bytes:
    """As Excel writes: compression level in the flags, room to grow in the extra field."""
    entries = entries_of(good, local_extra=b"\x20\xa2\x04\x00\x28\xa0\x00\x00")
    for entry in entries:
        entry.flags |= 6
    return Archive(entries).bytes()


def _folders(good: Parts) -> bytes:
    """As people zip an unpacked workbook again: with entries for the folders."""
    folders = [Entry(name, b"", method=0) for name in (b"xl/", b"xl/worksheets/", b"_rels/")]
    return Archive([*folders, *entries_of(good)]).bytes()


def _marked(parts: Parts) -> None:
    for name in ("xl/workbook.xml", SHEET, "xl/styles.xml"):
        parts[name] = b"\xef\xbb\xbf" + parts[name]


def _pipes_in_texts(parts: Parts) -> None:
    cell_with(parts, "G4", '<f>"a|b"&amp;"[1]x!"&amp;"DDE("</f><v>a|b[1]x!DDE(</v>', 't="str"')


CASES = [
    parts_case("good", lambda parts: None),
    parts_case("good-wps", _wps),
    parts_case("good-excel", _excel),
    parts_case("good-hyperlinks", _hyperlinks),
    parts_case("good-old-macro-name-without-macro", _name("_xlnm.Auto_Open", "#REF!")),
    parts_case("good-names", _name("_xlnm.Print_Titles", "'拨付明细'!$1:$3")),
    parts_case("good-pivot-on-other-workbook", _relation("externalLinkPath", "file:///C:/x.xlsx", outside=True)),
    parts_case("good-long-link-path", _relation(
        "http://schemas.microsoft.com/office/2019/04/relationships/externalLinkLongPath", "file:///C:/x.xlsx", outside=True)),
    parts_case("good-missing-link-path", _relation(
        f"{MICROSOFT}xlExternalLinkPath/xlPathMissing", "x.xlsx", outside=True)),
    parts_case("good-unused-link", _link),
    parts_case("good-pipes-and-brackets-in-texts", _pipes_in_texts),
    parts_case("good-table-reference", lambda parts: cell_with(parts, "K4", "<f>SUM(表1[2026])*1</f><v>10</v>")),
    parts_case("good-byte-order-marks", _marked),
    parts_case("good-template", lambda parts: replace(parts, "[Content_Types].xml", "sheet.main+xml", "template.main+xml")),
    Case("good-sizes-after-data", _stream),
    Case("good-zip64-headers", _zip64_local),
    Case("good-zip64-end", lambda good: Archive(entries_of(good), zip64=True).bytes()),
    Case("good-room-to-grow", _growth),
    Case("good-folders", _folders),
    Case("good-comment", lambda good: Archive(entries_of(good), comment=b"made by hand").bytes()),
    Case("good-stored", lambda good: zipped(good, compression=0)),
    Case("good-gap", lambda good: Archive([*entries_of(good), Entry(b"docProps/x", b"x", before=b"\0" * 64)]).bytes()),
    Case("good-content-types-last", lambda good: zipped({k: good[k] for k in sorted(good, key=lambda k: k[0] == "[")})),
]  # fmt: skip
