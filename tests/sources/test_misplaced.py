"""What a clerk has put where it is not looked for: rows above the headings, figures in the foot, copied sheets, another period, another unit."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import Workbook

from sources.workbook import WorkbookReading, read_workbook
from tests.workbooks import finance_rows, with_cell, write_return

LEDGER, SUMMARY = "拨付明细", "政府科技创新投入"


def finance(
    tmp_path: Path, edit: Callable[[Workbook], None] | None = None, name: str = "市财政局.xlsx"
) -> WorkbookReading:
    return read_workbook(write_return(tmp_path / name, "finance_bureau", finance_rows(), edit=edit))


def serious(reading: WorkbookReading) -> list[tuple[str, str, str]]:
    return [(f.rule_id, f.sheet, f.cell) for f in reading.findings if f.rule_class != "note"]


def copied_above_its_headings(row_number: int, cells: int) -> Callable[[Workbook], None]:
    def edit(book: Workbook) -> None:
        sheet = book[LEDGER]
        values = [cell.value for cell in sheet[4]][:cells]
        sheet.insert_rows(row_number)
        for column, value in enumerate(values, start=1):
            sheet.cell(row_number, column).value = value

    return edit


@pytest.mark.parametrize("row_number", [1, 2, 3])
def test_a_row_of_data_above_the_headings_is_not_lost_in_silence(tmp_path: Path, row_number: int) -> None:
    reading = finance(tmp_path, copied_above_its_headings(row_number, 12))
    assert serious(reading) == [("RD-014", LEDGER, f"{row_number}:{row_number}")]


def test_a_table_above_one_with_better_headings_is_not_lost_in_silence(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        sheet = book[SUMMARY]
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3, max_row=14)]
        for offset, row in enumerate(rows):
            for column, value in enumerate(row, start=1):
                sheet.cell(20 + offset, column).value = value
        sheet["A3"] = "地区名称"

    lost = [cell for rule, sheet, cell in serious(finance(tmp_path, edit)) if (rule, sheet) == ("RD-014", SUMMARY)]
    assert lost == [f"{n}:{n}" for n in range(4, 15)]


@pytest.mark.parametrize(
    "row",
    [
        ["表号：", 101, "有效期至：2027年6月"],
        ["嘉兴市", "政府科技创新投入", "情况表"],
        ["表号", 101],
    ],
)
def test_a_title_in_several_cells_is_no_row_of_data(tmp_path: Path, row: list[object]) -> None:
    def edit(book: Workbook) -> None:
        book[LEDGER].insert_rows(1)
        for column, value in enumerate(row, start=1):
            book[LEDGER].cell(1, column).value = value

    assert serious(finance(tmp_path, edit)) == []


@pytest.mark.parametrize("row", [["注：追加", 500], ["单位负责人：甲", 500], ["说明：见附件", None, None, 500]])
def test_a_figure_beside_a_note_or_a_name_in_the_foot_is_not_lost_in_silence(tmp_path: Path, row: list[object]) -> None:
    def edit(book: Workbook) -> None:
        sheet = book[LEDGER]
        for column, value in enumerate(row, start=1):
            sheet.cell(sheet.max_row + (column == 1), column).value = value

    assert serious(finance(tmp_path, edit)) == [("RD-014", LEDGER, "8:8")]


def test_a_telephone_and_a_day_typed_as_numbers_belong_to_the_foot(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        for column, value in enumerate(["填表人：甲", "联系电话：", 13800000000], start=1):
            book[LEDGER].cell(8, column).value = value

    assert serious(finance(tmp_path, edit)) == []


def test_a_copied_sheet_with_figures_is_asked_about(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        book.copy_worksheet(book[LEDGER]).title = "拨付明细 (2)"

    reading = finance(tmp_path, edit)
    assert serious(reading) == [("RD-028", "拨付明细 (2)", "")]


def test_a_copied_sheet_without_figures_and_a_helper_sheet_are_only_said(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        copy = book.copy_worksheet(book[LEDGER])
        copy.title = "空白表"
        copy.delete_rows(4, 10)
        book.create_sheet("辅助").append(["地区", 1, 2])

    reading = finance(tmp_path, edit)
    assert serious(reading) == []
    assert [f.message for f in reading.findings] == ["未取数的工作表：空白表、辅助"]


def test_a_renamed_sheet_is_named_where_the_right_one_is_missed(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        book[LEDGER].title = "拨付明细表"

    missing = next(f for f in finance(tmp_path, edit).findings if f.rule_id == "RD-005")
    assert "“拨付明细表”像是它，请把名称改为“拨付明细”" in missing.message


@pytest.mark.parametrize(
    ("title", "asked"),
    [
        ("嘉兴市2025年上半年政府科技创新投入情况表", True),
        ("2026年1-12月政府科技创新投入情况表", True),
        ("嘉兴市2026年1—6月政府科技创新投入情况表", False),
        ("2026年度政府科技创新投入半年报表", False),
        ("2026年上半年与2025年上半年政府科技创新投入情况表", False),
    ],
)
def test_a_title_of_another_period_is_asked_about(tmp_path: Path, title: str, asked: bool) -> None:
    def edit(book: Workbook) -> None:
        book[SUMMARY]["A1"] = title

    assert [f.rule_id for f in finance(tmp_path, edit).findings] == (["RD-029"] if asked else [])


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("市财政局_2025H1.xlsx", True),
        ("2025年上半年财政局.xlsx", True),
        ("市财政局2026H2_更正.xlsx", True),
        ("市财政局_2026H1（2）.xlsx", False),
        ("20250712收到_财政局.xlsx", False),
    ],
)
def test_a_file_name_of_another_period_is_asked_about_and_decides_nothing(
    tmp_path: Path, name: str, asked: bool
) -> None:
    reading = finance(tmp_path, name=name)
    assert reading.period == "2026H1"
    assert [f.rule_id for f in reading.findings] == (["RD-029"] if asked else [])


@pytest.mark.parametrize(
    ("place", "text", "refused"),
    [
        ("A1", "政府科技创新投入（单位：元）", True),
        ("E2", "金额单位:千元", True),
        ("A1", "政府科技创新投入（亿元）", True),
        ("E2", "单位：万元", False),
        ("E2", "人均单位：元/人", False),
    ],
)
def test_two_units_above_the_headings_are_not_chosen_from(tmp_path: Path, place: str, text: str, refused: bool) -> None:
    def edit(book: Workbook) -> None:
        book[SUMMARY][place] = text

    reading = finance(tmp_path, edit)
    assert serious(reading) == ([("RD-024", SUMMARY, place)] if refused else [])
    assert ("finance_bureau__gov_input" in reading.tables) is not refused


def test_what_cannot_be_seen_in_a_cell_is_seen_in_its_finding(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        book[LEDGER]["K4"] = "51.13\u200b"
        book[LEDGER]["K5"] = "1_x001B_[2J\n[提示] 假的"
        book[LEDGER]["K6"] = "9" * 30_000

    first, second, third = [f for f in finance(tmp_path, edit).findings if f.sheet == LEDGER]
    assert first.message == "“金额”填的是“51.13<200b>”，不是数字"
    assert second.found == "1<001b>[2J<000a>[提示] 假的"
    assert len(third.message) < 1100 and "共 30000 字" in third.found


def test_long_values_that_differ_at_their_end_are_different_findings(tmp_path: Path) -> None:
    def edit(digit: str) -> Callable[[Workbook], None]:
        return with_cell(LEDGER, "K4", "约" * 5000 + digit)

    ids = {f.finding_id for digit in "12" for f in finance(tmp_path, edit(digit)).findings}
    assert len(ids) == 2


FOOT = 8
"""The row below the ledger's foot."""


@pytest.mark.parametrize(
    ("cells", "asked"),
    [
        (["注：单位：元"], "RD-024"),
        (["计量单位：", "元"], "RD-024"),
        (["填表人：甲", "金额单位：千元"], "RD-024"),
        (["说明：另有国债资金1200（元）"], "RD-065"),
        (["注：单位：万元"], ""),
        (["计量单位：万元（人民币）"], ""),
        (["填报单位：元和街道"], ""),
    ],
)
def test_another_unit_in_the_foot_is_not_passed_over(tmp_path: Path, cells: list[str], asked: str) -> None:
    def edit(book: Workbook) -> None:
        for column, value in enumerate(cells, start=1):
            book[LEDGER].cell(FOOT, column).value = value

    reading = finance(tmp_path, edit)
    found = [(rule, sheet) for rule, sheet, _ in serious(reading)]
    assert found == ([(asked, LEDGER)] if asked else [])
    assert ("finance_bureau__gov_payment" in reading.tables) is (asked != "RD-024")


@pytest.mark.parametrize(("row", "text"), [(FOOT, "计量单位：万元"), (7, "注：1.单位：万元"), (4, "计量单位：万元")])
def test_a_unit_that_stands_only_below_the_headings_is_refused_and_found(tmp_path: Path, row: int, text: str) -> None:
    def edit(book: Workbook) -> None:
        book[LEDGER]["C2"] = None
        if row == 4:
            book[LEDGER].insert_rows(4)
        book[LEDGER].cell(row, 1).value = text

    (refused,) = [f for f in finance(tmp_path, edit).findings if f.rule_class == "mandatory"]
    assert (refused.rule_id, f"（A{row} 写着“万元”，须移到表头以上）" in refused.message) == ("RD-007", True)


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ({"C8": "报出日期：2026-07-12"}, "2026-07-10、2026-07-12"),
        ({"B7": "报出日期：2026-07-12 报出日期：2026-07-15"}, "2026-07-12、2026-07-15"),
        ({"D2": "报出日期：2026-07-01"}, "2026-07-01、2026-07-10"),
        ({"C7": "报出日期：2026/7/10"}, ""),
    ],
)
def test_two_different_days_of_report_are_not_chosen_from_in_silence(
    tmp_path: Path, cells: dict[str, str], found: str
) -> None:
    def edit(book: Workbook) -> None:
        for place, value in cells.items():
            if place.endswith("8"):
                book[LEDGER]["A8"] = "填表人：甲"
            book[LEDGER][place] = value

    reading = finance(tmp_path, edit)
    assert [f.found for f in reading.findings if f.rule_id == "RD-024"] == ([found] if found else [])
    assert serious(reading) == ([("RD-024", LEDGER, "")] if found else [])
    assert str(reading.tables["finance_bureau__gov_payment"].reported_on) == (found.split("、")[-1] or "2026-07-10")


def test_a_day_of_report_above_the_headings_alone_counts(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        for sheet in book:
            sheet.delete_rows(sheet.max_row)
            sheet["D2"], sheet["E2"] = "报出日期：", datetime(2026, 7, 11)

    assert str(finance(tmp_path, edit).reported_on) == "2026-07-11"
