"""Packages with parts that run, fetch, point elsewhere or contradict each other."""

import random
import re
from collections.abc import Callable

from tests.sources.hostile.case import MICROSOFT, OFFICE, SHEET, SML, Case, declare, parts_case, relate, replace
from tests.sources.hostile.packages import Parts, zipped

MACRO, DDE, OBJECT, DOCTYPE, DATA, OUTSIDE = "RD-037", "RD-038", "RD-039", "RD-040", "RD-041", "RD-042"
DAMAGED, DOUBTFUL = "RD-034", "RD-035"
BOOK = "xl/workbook.xml"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
MAIN = f"{SML}sheet.main+xml"
XML = '<?xml version="1.0"?>'
ENTITY = '<!DOCTYPE x [<!ENTITY a "b">]>'
BILLION = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'
OUTSIDE_ENTITY = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


def _part(name: str, content: bytes = b"<x/>") -> Callable[[Parts], object]:
    return lambda parts: parts.update({name: content})


def _type(content_type: str, name: str = "xl/x.bin") -> Callable[[Parts], object]:
    return lambda parts: declare(parts, name, content_type)


def _relation(
    kind: str, target: str = "x.bin", *, owner: str = SHEET, outside: bool = False
) -> Callable[[Parts], object]:
    return lambda parts: relate(parts, owner, kind, target, outside=outside)


def _main_type(content_type: str) -> Callable[[Parts], object]:
    return lambda parts: replace(parts, "[Content_Types].xml", MAIN, content_type)


def _before_root(name: str, declaration: str, encoding: str = "utf-8") -> Callable[[Parts], object]:
    """Put a declaration before a part's first element, written in an encoding (with its mark)."""

    def change(parts: Parts) -> None:
        text = parts.get(name, b"<x/>").decode()
        root = text[text.index("?>") + 2 :] if text.startswith("<?xml") else text
        parts[name] = (declaration + root).encode(encoding)

    return change


def _name(name: str, text: str) -> Callable[[Parts], object]:
    def change(parts: Parts) -> None:
        for empty in ("<definedNames />", "<definedNames/>"):
            parts[BOOK] = parts[BOOK].replace(empty.encode(), b"")
        replace(
            parts,
            BOOK,
            "</sheets>",
            f'</sheets><definedNames><definedName name="{name}">{text}</definedName></definedNames>',
        )

    return change


def _second_sheet(attributes: str) -> Callable[[Parts], object]:
    return lambda parts: replace(parts, BOOK, "</sheets>", f"<sheet {attributes}/></sheets>")


def _decoy(parts: Parts) -> None:
    """Excel opens the part that the relationship names; a reader that goes by the file name opens the other."""
    parts["xl/real.xml"] = parts[BOOK]
    parts["xl/_rels/real.xml.rels"] = parts["xl/_rels/workbook.xml.rels"]
    parts["_rels/.rels"] = parts["_rels/.rels"].replace(b"xl/workbook.xml", b"xl/real.xml")


def _decoy_strings(parts: Parts) -> None:
    """Excel takes the texts of one part, a reader that goes by the file name those of another."""
    parts["xl/other.xml"] = parts["xl/sharedStrings.xml"] = b"<sst/>"
    relate(parts, BOOK, "sharedStrings", "other.xml")


def _decoy_type(parts: Parts) -> None:
    parts["xl/second.xml"] = parts[BOOK]
    declare(parts, "xl/second.xml", MAIN)


def _macro_sheet(parts: Parts) -> None:
    parts["xl/macrosheets/sheet1.xml"] = (
        b'<xm:macrosheet xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main"/>'
    )
    relate(parts, BOOK, f"{MICROSOFT}xlMacrosheet", "macrosheets/sheet1.xml")
    replace(parts, BOOK, "</sheets>", '<sheet name="M" sheetId="9" state="veryHidden" r:id="rIdX"/></sheets>')


def _macro_sheet_in_disguise(parts: Parts) -> None:
    """The folder says worksheet, the relationship says what it is."""
    parts["xl/worksheets/sheet9.xml"] = b"<macrosheet/>"
    relate(parts, BOOK, f"{MICROSOFT}xlIntlMacrosheet", "worksheets/sheet9.xml")


def link_part(inner: str) -> bytes:
    return (
        '<externalLink xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        f'xmlns:r="{OFFICE[:-1]}">{inner}</externalLink>'
    ).encode()


DDE_LINK = '<ddeLink ddeService="cmd" ddeTopic="/c calc"><ddeItems><ddeItem name="A0"/></ddeItems></ddeLink>'
OLE_LINK = '<oleLink r:id="rId1" progId="Word.Document"><oleItems/></oleLink>'
CHOICE = (
    '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
    f'<mc:Choice Requires="x">{DDE_LINK}</mc:Choice></mc:AlternateContent>'
)


def _no_sheets(parts: Parts) -> None:
    parts[BOOK] = re.sub(rb"<sheets>.*</sheets>", b"<sheets/>", parts[BOOK])


def _only_chart_sheets(parts: Parts) -> None:
    name = "xl/_rels/workbook.xml.rels"
    parts[name] = parts[name].replace(b"relationships/worksheet", b"relationships/chartsheet")


def _unknown_sheet(parts: Parts) -> None:
    name = "xl/_rels/workbook.xml.rels"
    parts[name] = parts[name].replace(b"relationships/worksheet", b"relationships/mystery")


def _huge_relationships(good: Parts) -> bytes:
    parts = dict(good)
    address = random.Random(7).randbytes(8_700_000).hex()
    relate(parts, SHEET, "hyperlink", f"http://a/{address}", outside=True)
    return zipped(parts, compression=0)


CASES = [
    parts_case("sheet-of-unknown-kind", _unknown_sheet, DAMAGED),
    parts_case("xlsm", _main_type("application/vnd.ms-excel.sheet.macroEnabled.main+xml"), MACRO, says="宏"),
    parts_case("xltm", _main_type("application/vnd.ms-excel.template.macroEnabled.main+xml"), MACRO),
    parts_case("xlam", _main_type("application/vnd.ms-excel.addin.macroEnabled.main+xml"), MACRO),
    parts_case("xlsb-type", _main_type("application/vnd.ms-excel.sheet.binary.macroEnabled.main"), "RD-032"),
    parts_case("macro-vba-project", _part("xl/vbaProject.bin", OLE), MACRO, says="VBA"),
    parts_case("macro-vba-project-in-capitals", _part("xl/VBAPROJECT.BIN", OLE), MACRO),
    parts_case("macro-vba-project-elsewhere", _part("custom/vbaProject.bin", OLE), MACRO),
    parts_case("macro-vba-project-renamed", _part("xl/media/image1.png", OLE), OBJECT),
    parts_case("macro-vba-type-only", _type("application/vnd.ms-office.vbaProject"), MACRO),
    parts_case("macro-vba-relationship-only", _relation(f"{MICROSOFT}vbaProject", owner=BOOK), MACRO),
    parts_case("macro-vba-signature", _part("xl/vbaProjectSignature.bin"), MACRO),
    parts_case("macro-xlm-sheet", _macro_sheet, MACRO, says="Excel 4.0"),
    parts_case("macro-xlm-sheet-in-disguise", _macro_sheet_in_disguise, MACRO),
    parts_case("macro-xlm-type", _type("application/vnd.ms-excel.macrosheet+xml"), MACRO),
    parts_case("macro-auto-open-name", _name("_xlnm.Auto_Open", "Sheet1!$A$1"), MACRO, says="Auto_Open"),
    parts_case("macro-auto-close-name", _name("Auto_Close", "[1]Macro1!$A$1"), MACRO),
    parts_case("macro-call-in-name", _name("x", 'CALL("kernel32","WinExec","JCJ","calc",0)'), MACRO),
    parts_case("macro-custom-ui", _part("customUI/customUI14.xml", b'<customUI onLoad="run"/>'), MACRO, says="功能区"),
    parts_case("macro-custom-ui-elsewhere",
        _relation("http://schemas.microsoft.com/office/2007/relationships/ui/extensibility", "ui.xml", owner=""), MACRO),
    parts_case("macro-activex", _part("xl/activeX/activeX1.xml"), MACRO, says="ActiveX"),
    parts_case("macro-activex-relationship", _relation("control", "../x/1.xml"), MACRO),
    parts_case("dde-link", _part("xl/externalLinks/externalLink1.xml", link_part(DDE_LINK)), DDE, says="DDE"),
    parts_case("dde-link-wrapped", _part("xl/externalLinks/externalLink1.xml", link_part(CHOICE)), DDE),
    parts_case("dde-link-odd-namespace", _part("xl/externalLinks/externalLink1.xml",
        b'<a:externalLink xmlns:a="a b c"><a:ddeLink/></a:externalLink>'), DDE),
    parts_case("dde-in-name", _name("x", "cmd|'/c calc'!A0"), DDE),
    parts_case("dde-realtime-data", _part("xl/volatileDependencies.xml", b'<volTypes><volType type="realTimeData"/></volTypes>'), DDE),
    parts_case("object-link", _part("xl/externalLinks/externalLink1.xml", link_part(OLE_LINK)), OBJECT),
    parts_case("object-embedded", _part("xl/embeddings/oleObject1.bin", OLE), OBJECT, says="嵌入对象"),
    parts_case("object-embedded-document", _part("xl/embeddings/Microsoft_Word_Document.docx", b"PK"), OBJECT),
    parts_case("object-elsewhere", _part("xl/printerSettings/printerSettings1.bin", OLE), OBJECT),
    parts_case("object-relationship", _relation("oleObject", "../x/1.bin"), OBJECT),
    parts_case("object-package-relationship", _relation("package", "../x/1.xlsx"), OBJECT),
    parts_case("object-linked-from-outside", _relation("oleObject", "http://127.0.0.1/x", outside=True), OBJECT),
    parts_case("doctype-workbook", _before_root(BOOK, ENTITY), DOCTYPE, says="DOCTYPE"),
    parts_case("doctype-billion-laughs", _before_root(SHEET, BILLION), DOCTYPE),
    parts_case("doctype-outside-entity", _before_root("xl/sharedStrings.xml", OUTSIDE_ENTITY), DOCTYPE),
    parts_case("doctype-without-entities", _before_root(SHEET, "<!DOCTYPE worksheet>"), DOCTYPE),
    parts_case("doctype-from-outside", _before_root(SHEET, '<!DOCTYPE worksheet SYSTEM "http://127.0.0.1:9/x.dtd">'), DOCTYPE),
    parts_case("doctype-content-types", _before_root("[Content_Types].xml", ENTITY), DOCTYPE),
    parts_case("doctype-relationships", _before_root("_rels/.rels", ENTITY), DOCTYPE),
    parts_case("doctype-styles", _before_root("xl/styles.xml", ENTITY), DOCTYPE),
    parts_case("doctype-theme", _before_root("xl/theme/theme1.xml", ENTITY), DOCTYPE),
    parts_case("doctype-properties", _before_root("docProps/core.xml", ENTITY), DOCTYPE),
    parts_case("doctype-unread-part", _before_root("customXml/item1.xml", ENTITY), DOCTYPE),
    parts_case("doctype-part-without-suffix", _before_root("xl/data", f"\n  {ENTITY}"), DOCTYPE),
    parts_case("doctype-after-mark", _before_root(SHEET, ENTITY, "utf-8-sig"), DOCTYPE),
    parts_case("doctype-utf-16", _before_root(SHEET, '<?xml version="1.0" encoding="UTF-16"?>' + ENTITY, "utf-16"), DOCTYPE),
    parts_case("doctype-utf-16-big-end", _before_root(SHEET, '\ufeff<?xml version="1.0" encoding="UTF-16"?>' + ENTITY, "utf-16-be"), DOCTYPE),
    parts_case("doctype-latin-1", _before_root(SHEET, '<?xml version="1.0" encoding="ISO-8859-1"?>' + ENTITY, "utf-8"), DOCTYPE),
    parts_case("doctype-behind-long-comment", _before_root(SHEET, f"{XML}<!--{'x' * 200_000}-->{ENTITY}"), DOCTYPE),
    parts_case("doctype-behind-instructions", _before_root(SHEET, f"{XML}{'<?a b?>' * 5_000}{ENTITY}"), DOCTYPE),
    parts_case("data-connection", _part("xl/connections.xml", b"<connections/>"), DATA, says="数据连接"),
    parts_case("data-connection-renamed", _type(f"{SML}connections+xml"), DATA),
    parts_case("data-query-table", _part("xl/queryTables/queryTable1.xml"), DATA),
    parts_case("data-query-relationship", _relation("queryTable", "../x/1.xml"), DATA),
    parts_case("data-model", _part("xl/model/item.data", b"\0"), DATA),
    parts_case("data-web-add-in", _part("xl/webextensions/webextension1.xml"), DATA),
    parts_case("outside-template", _relation("attachedTemplate", "http://127.0.0.1/x.xltx", owner=BOOK, outside=True), OUTSIDE),
    parts_case("outside-image", _relation("image", "http://127.0.0.1/x.png", outside=True), OUTSIDE),
    parts_case("outside-worksheet", _relation("worksheet", "http://127.0.0.1/x.xml", owner=BOOK, outside=True), OUTSIDE),
    parts_case("outside-workbook", _relation("officeDocument", "http://127.0.0.1/x.xml", owner="", outside=True), OUTSIDE),
    parts_case("outside-hyperlink-file", _relation("hyperlink", "file:///C:/Windows/system32/calc.exe", outside=True), OUTSIDE),
    parts_case("outside-hyperlink-drive", _relation("hyperlink", "C:/x.exe", outside=True), OUTSIDE),
    parts_case("outside-hyperlink-share", _relation("hyperlink", r"\\10.0.0.1\share\x", outside=True), OUTSIDE),
    parts_case("outside-hyperlink-slashes", _relation("hyperlink", "//10.0.0.1/share", outside=True), OUTSIDE),
    parts_case("outside-hyperlink-script", _relation("hyperlink", "javascript:alert(1)", outside=True), OUTSIDE),
    parts_case("outside-hyperlink-script-hidden", _relation("hyperlink", "java&#10;script:alert(1)", outside=True), OUTSIDE),
    parts_case("outside-hyperlink-program", _relation("hyperlink", "ms-excel:ofe|u|http://127.0.0.1/x", outside=True), OUTSIDE),
    parts_case("decoy-workbook", _decoy, DOUBTFUL, says="主体"),
    parts_case("decoy-content-type", _decoy_type, DOUBTFUL),
    parts_case("decoy-shared-strings", _decoy_strings, DOUBTFUL, says="文字"),
    parts_case("two-main-parts", _relation("officeDocument", "xl/workbook.xml", owner=""), DOUBTFUL),
    parts_case("two-relationships-of-one-id",
        lambda parts: relate(parts, BOOK, "worksheet", "worksheets/sheet1.xml", key="rId1"), DOUBTFUL),
    parts_case("two-sheets-of-one-part", _second_sheet('name="再来" sheetId="9" r:id="rId1"'), DOUBTFUL),
    parts_case("sheet-without-part", _second_sheet('name="不见了" sheetId="9" r:id="rId99"'), DAMAGED, says="不见了"),
    parts_case("sheet-part-missing", lambda parts: parts.pop(SHEET), DAMAGED, says="拨付明细"),
    parts_case("relationship-of-unknown-kind", _relation("mystery", "worksheets/sheet1.xml", owner=BOOK), ""),
    parts_case("no-sheets", _no_sheets, "RD-043", says="没有工作表"),
    parts_case("only-chart-sheets", _only_chart_sheets, "RD-043"),
    parts_case("no-workbook-relationships", lambda parts: parts.pop("xl/_rels/workbook.xml.rels"), DAMAGED),
    parts_case("no-package-relationships", lambda parts: parts.pop("_rels/.rels"), DOUBTFUL),
    parts_case("xml-cut-workbook", lambda parts: parts.update({BOOK: parts[BOOK][:-20]}), DAMAGED, says="XML"),
    parts_case("xml-cut-relationships", lambda parts: parts.update({"_rels/.rels": parts["_rels/.rels"][:90]}), DAMAGED),
    parts_case("xml-empty-worksheet", _part(SHEET, b""), DAMAGED, says="空的"),
    parts_case("xml-noise-worksheet", _part(SHEET, b"\x00\x01\x02\x03"), DAMAGED),
    parts_case("xml-unknown-encoding",
        _before_root(SHEET, '<?xml version="1.0" encoding="x-nothing"?>'), DAMAGED),
    parts_case("xml-utf-7", _before_root(SHEET, '<?xml version="1.0" encoding="utf-7"?>'), DAMAGED),
    Case("xml-huge-relationships", _huge_relationships, DAMAGED, says="大得不正常"),
]  # fmt: skip
