"""What the eye and the reader may take differently: each is read by a stated rule and said, asked about, or refused."""

import os
import re
import signal
import zipfile
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font

from sources import reader_process
from sources.workbook import WorkbookReading, read_workbook
from tests.workbooks import finance_rows, payment_row, with_cell, write_return

LEDGER = "拨付明细"


def finance(tmp_path: Path, edit: Callable[[Workbook], None] | None = None, **rows: object) -> Path:
    payments = [payment_row(1, **rows), payment_row(2), payment_row(3)]
    return write_return(
        tmp_path / "市财政局.xlsx",
        "finance_bureau",
        finance_rows() | {"finance_bureau__gov_payment": payments},
        edit=edit,
    )


def rules(reading: WorkbookReading) -> set[tuple[str, str]]:
    return {(f.rule_id, f.cell) for f in reading.findings}


def rewritten(path: Path, change: Callable[[str, str], str]) -> Path:
    """The same package with its XML parts changed as text."""
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    with zipfile.ZipFile(path, "w") as target:
        for name, data in parts.items():
            target.writestr(name, change(name, data.decode()) if name.endswith((".xml", ".rels")) else data)
    return path


def in_ledger(old: str, new: str) -> Callable[[str, str], str]:
    return lambda name, xml: re.sub(old, new, xml, flags=re.DOTALL) if name.endswith("sheet2.xml") else xml


def cell(place: str, new: str) -> Callable[[str, str], str]:
    return in_ledger(rf'<c r="{place}"[^>]*?(?:/>|>.*?</c>)', new)


@pytest.mark.parametrize("code", ['0"0000"', "\\10", '0"00.00"'])
def test_digits_that_a_format_adds_to_a_figure_are_asked_about(tmp_path: Path, code: str) -> None:
    def edit(book: Workbook) -> None:
        book[LEDGER]["K4"].number_format = code

    assert ("RD-053", "K4") in rules(read_workbook(finance(tmp_path, edit)))


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ('<c r="K4"><f>[1]Sheet1!A1</f><v>10</v></c>', "RD-044"),
        ('<c r="K4"><f>1+1</f></c>', "RD-102"),
        ('<c r="K4" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "RD-101"),
        ('<c r="K4"><v>abc</v></c>', "RD-050"),
        ('<c r="K4" t="d"><v>nonsense</v></c>', "RD-050"),
    ],
)
def test_a_cell_that_cannot_be_believed_is_named(tmp_path: Path, written: str, rule: str) -> None:
    assert (rule, "K4") in rules(read_workbook(rewritten(finance(tmp_path), cell("K4", written))))


def test_a_cell_written_twice_refuses_the_file_by_name(tmp_path: Path) -> None:
    path = rewritten(finance(tmp_path), cell("K4", '<c r="K4"><v>10</v></c><c r="K4"><v>99</v></c>'))
    (finding,) = read_workbook(path).findings
    assert "K4" in finding.message
    assert LEDGER in finding.message


def test_saved_results_of_formulas_are_read_and_asked_about_where_they_may_be_old(tmp_path: Path) -> None:
    formula = cell("K4", "<c r=\"K4\"><f>SUM('x'!A1)</f><v>10</v></c>")
    stale = lambda name, xml: formula(name, re.sub("<calcPr[^>]*>", '<calcPr calcMode="manual"/>', xml))  # noqa: E731
    fresh = lambda name, xml: formula(name, re.sub("<calcPr[^>]*>", "", xml))  # noqa: E731
    assert ("RD-055", "K4") in rules(read_workbook(rewritten(finance(tmp_path), stale)))
    reading = read_workbook(rewritten(finance(tmp_path), fresh))
    assert "RD-055" not in {rule for rule, _ in rules(reading)}
    assert reading.tables["finance_bureau__gov_payment"].rows["amount_wan"][0].as_py() == Decimal(10)


@pytest.mark.parametrize("code", ["0%", "0,", "0!.0,", ";;;", '0"元"', '0"亿元"'])
def test_an_amount_that_looks_another_size_is_asked_about(tmp_path: Path, code: str) -> None:
    def edit(book: Workbook) -> None:
        book[LEDGER]["K4"].number_format = code

    assert ("RD-053", "K4") in rules(read_workbook(finance(tmp_path, edit)))


def test_fewer_decimals_shown_than_stored_is_said(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        book[LEDGER]["K4"].number_format = "0"

    reading = read_workbook(finance(tmp_path, edit, 金额=12.3))
    assert [(f.rule_class, f.cell) for f in reading.findings if f.rule_id == "RD-054"] == [("note", "K4")]


def test_a_number_that_became_a_date_and_a_code_shown_with_zeros_are_asked_about(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        book[LEDGER]["F5"].value, book[LEDGER]["F5"].number_format = 12, "000000"

    found = rules(read_workbook(finance(tmp_path, edit, 项目编号=datetime(2026, 3, 1))))
    assert {("RD-056", "F4"), ("RD-053", "F5")} <= found


@pytest.mark.parametrize("code", ["yyyy/m/d", 'yyyy"年"m"月"d"日"', "[$-804]yyyy/m/d;@"])
def test_dates_are_dates_in_chinese_formats_and_in_the_1904_system(tmp_path: Path, code: str) -> None:
    def edit(book: Workbook) -> None:
        book.epoch = datetime(1904, 1, 1)
        book[LEDGER]["J4"].number_format = code

    reading = read_workbook(finance(tmp_path, edit, 拨付日期=datetime(2026, 3, 15)))
    assert str(reading.tables["finance_bureau__gov_payment"].rows["paid_on"][0]) == "2026-03-15"
    assert "RD-060" in {rule for rule, _ in rules(reading)}


def test_hidden_rows_and_columns_are_read_and_named(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        for row in (5, 6):
            book[LEDGER].row_dimensions[row].hidden = True
        book[LEDGER].column_dimensions["K"].hidden = True
        book[LEDGER].sheet_state = "veryHidden"

    reading = read_workbook(finance(tmp_path, edit))
    assert reading.tables["finance_bureau__gov_payment"].rows.num_rows == 3
    assert {f.found for f in reading.findings if f.rule_id == "RD-058"} == {"5-6", "K"}
    assert "RD-020" in {rule for rule, _ in rules(reading)}


def test_what_a_merged_cell_covers_is_asked_about(tmp_path: Path) -> None:
    merged = in_ledger("</sheetData>", '</sheetData><mergeCells count="1"><mergeCell ref="K4:K5"/></mergeCells>')
    assert {("RD-026", "K4"), ("RD-059", "K5")} <= rules(read_workbook(rewritten(finance(tmp_path), merged)))


@pytest.mark.parametrize("is_strict", [False, True])
def test_prefixes_and_the_strict_form_read_alike(tmp_path: Path, is_strict: bool) -> None:
    plain = read_workbook(finance(tmp_path)).tables["finance_bureau__gov_payment"].rows["amount_wan"]

    def change(name: str, xml: str) -> str:
        if is_strict:
            xml = xml.replace(
                "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
                "http://purl.oclc.org/ooxml/spreadsheetml/main",
            )
            return xml.replace(
                "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
                "http://purl.oclc.org/ooxml/officeDocument/relationships",
            )
        return (
            re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", xml).replace("xmlns=", "xmlns:x=") if "/worksheets/" in name else xml
        )

    reading = read_workbook(rewritten(finance(tmp_path), change))
    assert reading.tables["finance_bureau__gov_payment"].rows["amount_wan"] == plain


def test_labels_first_and_values_later_are_paired_in_order(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        for sheet in book.worksheets:
            for column, text in enumerate(
                ["填报单位：", "报告期：", "计量单位：", "市财政局", "2026年上半年", "千元"], start=1
            ):
                sheet.cell(row=2, column=column).value = text

    reading = read_workbook(finance(tmp_path, edit))
    assert (reading.provider, reading.period) == ("finance_bureau", "2026H1")
    assert reading.tables["finance_bureau__gov_payment"].manifest.unit == "千元"


def test_a_note_right_below_the_headings_is_no_foot(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        book[LEDGER].insert_rows(4)
        book[LEDGER]["A4"] = "注：本表数据为累计数。"

    reading = read_workbook(finance(tmp_path, edit))
    assert reading.tables["finance_bureau__gov_payment"].rows.num_rows == 3
    assert [(f.rule_class, f.cell) for f in reading.findings if f.cell == "4:4"] == [("note", "4:4")]


@pytest.mark.parametrize("amount", ["(100)", "1E+05", "1 000", "100元", "'100", "−5"])
def test_look_alike_numbers_are_refused(tmp_path: Path, amount: str) -> None:
    assert ("RD-103", "K4") in rules(read_workbook(finance(tmp_path, with_cell(LEDGER, "K4", amount))))


def test_the_child_reads_what_the_parent_would_and_a_killed_child_costs_no_file(tmp_path: Path) -> None:
    path = finance(tmp_path)
    here, there = read_workbook(path), reader_process.read_workbook(path)
    assert there == here
    child = reader_process.READER._child
    assert child
    os.kill(child.pid, signal.SIGKILL)
    assert reader_process.read_workbook(path) == here


def test_a_file_that_takes_too_long_is_refused_and_the_next_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = finance(tmp_path)
    monkeypatch.setattr(reader_process, "MOST_WALL_SECONDS", 0.0)
    (finding,) = reader_process.read_workbook(path).findings
    assert (finding.rule_id, finding.rule_class) == ("RD-062", "mandatory")
    monkeypatch.undo()
    assert reader_process.read_workbook(path).tables


@pytest.mark.parametrize(
    ("code", "amount", "is_asked"),
    [
        ('[>10000]0.0,"万";0', 50_000, True),
        ('[>10000]0.0,"万";0', 500, False),
        ('[<10000]0;0.0,"万"', 50_000, True),
        ('[<10000]0;0.0,"万"', 500, False),
        ('[>=100000000]0!.00,,"亿";[>=10000]0!.0,"万";0', 50_000, True),
        ('[>=100000000]0!.00,,"亿";[>=10000]0!.0,"万";0', 500, False),
        ("[红色][<0]-0;0", 500, False),
        ("[=0]-;0", 500, False),
    ],
)
def test_a_format_with_conditions_is_asked_about_where_it_shows_another_size(
    tmp_path: Path, code: str, amount: float, is_asked: bool
) -> None:
    def edit(book: Workbook) -> None:
        book[LEDGER]["K4"].value = amount
        book[LEDGER]["K4"].number_format = code

    assert (("RD-053", "K4") in rules(read_workbook(finance(tmp_path, edit)))) == is_asked


def test_a_figure_of_which_a_part_is_struck_through_is_asked_about(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        book[LEDGER]["K4"] = CellRichText(TextBlock(InlineFont(strike=True), "50"), "10")
        book[LEDGER]["G4"] = CellRichText(TextBlock(InlineFont(strike=False, b=True), "示例"), "项目")

    path = finance(tmp_path, edit)
    assert ("RD-066", "K4") in rules(read_workbook(path))
    inline = "<is><r><rPr><strike/></rPr><t>50</t></r><r><t>10</t></r></is>"
    rewritten(path, cell("K4", f'<c r="K4" t="inlineStr">{inline}</c>'))
    assert ("RD-066", "K4") in rules(read_workbook(path))
    assert ("RD-066", "G4") not in rules(read_workbook(path))


def test_a_row_that_is_struck_through_is_read_and_asked_about(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        for cell in book[LEDGER][5]:
            cell.font = Font(strike=True)
        book[LEDGER]["A4"].font = Font(strike=False)

    reading = read_workbook(finance(tmp_path, edit))
    (asked,) = reading.findings
    assert (asked.rule_id, asked.cell, asked.found.startswith("11 个：A5、B5")) == ("RD-066", "A5", True)
    assert reading.tables["finance_bureau__gov_payment"].manifest.row_count == 3
