"""Good packages whose cells are broken, hostile or far out."""

from collections.abc import Callable

from openpyxl.utils import get_column_letter

from tests.sources.hostile.case import SHEET, add_rows, cell_with, parts_case, relate, replace
from tests.sources.hostile.contents import _name, link_part
from tests.sources.hostile.packages import Parts

LINK = "xl/externalLinks/externalLink1.xml"
READER = "reader"
"""Answered by the reader that streams the cells, whatever its rule."""
TEXT = 't="inlineStr"'


def _formula(formula: str, place: str = "K4", value: str = "<v>10</v>") -> Callable[[Parts], object]:
    return lambda parts: cell_with(parts, place, f"<f>{formula}</f>{value}")


def _text(text: str, place: str = "K4") -> Callable[[Parts], object]:
    return lambda parts: cell_with(parts, place, f"<is><t>{text}</t></is>", TEXT)


def _row(inside: str, number: int = 9) -> Callable[[Parts], object]:
    return lambda parts: add_rows(parts, f'<row r="{number}">{inside}</row>')


def _link(parts: Parts) -> None:
    parts[LINK] = link_part('<externalBook r:id="rId1"/>')
    relate(parts, LINK, "externalLinkPath", "file:///C:/x/其他.xlsx", outside=True)
    relate(parts, "xl/workbook.xml", "externalLink", "externalLinks/externalLink1.xml")


def _linked(formula: str) -> Callable[[Parts], object]:
    def change(parts: Parts) -> None:
        _link(parts)
        cell_with(parts, "K5", f"<f>{formula}</f><v>10</v>")

    return change


def _linked_by_name(parts: Parts) -> None:
    _name("基数", "[1]Sheet1!$A$1")(parts)
    _linked("基数*1")(parts)


def _linked_and_filled_down(parts: Parts) -> None:
    _link(parts)
    cell_with(parts, "K4", '<f t="shared" ref="K4:K5" si="0">[1]Sheet1!A1</f><v>10</v>')
    cell_with(parts, "K5", '<f t="shared" si="0"/><v>10</v>')


def _utf_16(parts: Parts) -> None:
    _formula("cmd|'/c calc'!A0")(parts)
    parts[SHEET] = ('<?xml version="1.0" encoding="UTF-16"?>' + parts[SHEET].decode()).encode("utf-16")


def _merges(parts: Parts) -> None:
    made = "".join(f'<mergeCell ref="A{n}:B{n}"/>' for n in range(100, 100_100))
    replace(parts, SHEET, "</sheetData>", f'</sheetData><mergeCells count="100000">{made}</mergeCells>')


def _columns(parts: Parts) -> None:
    cells = "".join(f'<c r="{get_column_letter(n)}9"><v>1</v></c>' for n in range(1, 601))
    add_rows(parts, f'<row r="9">{cells}</row>')


CASES = [
    parts_case("cell-dde", _formula("cmd|'/c calc'!A0"), "RD-038", says="DDE"),
    parts_case("cell-dde-escaped", _formula("cmd&#x7c;'/c calc'!A0"), "RD-038"),
    parts_case("cell-dde-in-cdata", _formula("<![CDATA[cmd|'/c calc'!A0]]>"), "RD-038"),
    parts_case("cell-dde-behind-comment", _formula("cmd<!-- -->|'/c calc'!A0"), "RD-038"),
    parts_case("cell-dde-behind-element", _formula("<x/>cmd|'/c calc'!A0"), "RD-038"),
    parts_case("cell-dde-unread-place", _formula("1+MSEXCEL|'\\..\\..\\cmd.exe'!x", "A1"), "RD-038"),
    parts_case("cell-dde-utf-16", _utf_16, "RD-038"),
    parts_case("cell-dde-function", _formula('DDE("soffice";"x";"y")'), "RD-038"),
    parts_case("cell-rtd", _formula('RTD("x",,"y")'), "RD-038"),
    parts_case("cell-webservice", _formula('_xlfn.WEBSERVICE("http://127.0.0.1:9/")'), "RD-041", says="WEBSERVICE"),
    parts_case("cell-call", _formula('call("kernel32","WinExec","JCJ","calc",0)'), "RD-037"),
    parts_case("link-in-read-cell", _linked("[1]Sheet1!A1"), "RD-044", "K5"),
    parts_case("link-quoted", _linked("SUM('[1]2026 年'!A1:A9)"), "RD-044", "K5"),
    parts_case("link-by-file-name", _linked("[其他.xlsx]Sheet1!A1"), "RD-044", "K5"),
    parts_case("link-without-its-part", _formula("[1]Sheet1!A1", "K5"), "RD-044", "K5"),
    parts_case("link-by-name", _linked_by_name, "RD-044", "K5"),
    parts_case("link-filled-down", _linked_and_filled_down, "RD-044", "K5"),
    parts_case("error-value", lambda parts: cell_with(parts, "K4", "<v>#REF!</v>", 't="e"'), "RD-101", "K4"),
    parts_case("error-value-as-text", _text("#N/A"), "RD-101", "K4"),
    parts_case("formula-not-calculated", _formula("1+1", value=""), "RD-102", "K4"),
    parts_case("formula-in-quotes", _text("=1+1"), "RD-103", "K4"),
    parts_case("formula-in-quotes-that-calls", _text("=cmd|'/c calc'!A0"), "RD-103", "K4"),
    parts_case("formula-in-quotes-full-width", _text("＝1＋1"), "RD-103", "K4"),
    parts_case("number-as-text", _text("1，234.50"), "RD-104", "K4"),
    parts_case("number-with-unit", _text("100万"), "RD-103", "K4"),
    parts_case("number-about", _text("约100"), "RD-103", "K4"),
    parts_case("number-infinite", lambda parts: cell_with(parts, "K4", "<v>1E999</v>"), READER, "K4"),
    parts_case("number-huge", lambda parts: cell_with(parts, "K4", "<v>1E200</v>"), "RD-107", "K4"),
    parts_case("number-too-fine", lambda parts: cell_with(parts, "K4", "<v>10.00000001</v>"), "RD-105", "K4"),
    parts_case("code-as-number", lambda parts: cell_with(parts, "I4", "<v>123304001234567890</v>"), "RD-108", "I4"),
    parts_case("merges-hundred-thousand", _merges, ""),
    parts_case("far-cell", _row('<c r="XFD1048576"><v>1</v></c>', 1_048_576), READER, says="XFD1048576"),
    parts_case("far-row", _row('<c r="A1048577"><v>1</v></c>', 1_048_577), READER, says="A1048577"),
    parts_case("far-row-of-thirty-digits", _row(f'<c r="C1{"9" * 29}"><v>1</v></c>'), READER),
    parts_case("far-row-of-five-thousand-digits", _row(f'<c r="C{"9" * 5_000}"><v>1</v></c>'), READER),
    parts_case("far-column", _row('<c r="ZZZ9"><v>1</v></c>'), READER),
    parts_case("columns-six-hundred", _columns, READER),
    parts_case("xml-cut-worksheet", lambda parts: parts.update({SHEET: parts[SHEET][:-300]}), READER),
]  # fmt: skip
