"""Workbooks that once slipped through: each is now read right, asked about, or refused."""

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from sources.workbook import WorkbookReading, read_workbook
from tests.workbooks import education_rows, finance_rows, outflow_row, payment_row, with_cell, write_return


def finance(tmp_path: Path, **more: Any) -> WorkbookReading:
    rows = more.pop("rows", None) or finance_rows()
    return read_workbook(write_return(tmp_path / "市财政局.xlsx", "finance_bureau", rows, **more))


def education(tmp_path: Path, **more: Any) -> WorkbookReading:
    rows = more.pop("rows", None) or education_rows()
    return read_workbook(write_return(tmp_path / "市教育局.xlsx", "education_bureau", rows, **more))


def rules(reading: WorkbookReading) -> set[str]:
    return {f.rule_id for f in reading.findings}


@pytest.mark.parametrize(
    "text",
    [
        "2026.7.25",
        "2026-07-25 14:30",
        "2026年7月",
        "二〇二六年七月",
        "20260725",
        "2026年13月45日",
        "2062年7月25日",
        "2025年7月20日",
    ],
)
def test_a_reporting_date_that_is_none_or_cannot_be_true_is_asked_about(tmp_path: Path, text: str) -> None:
    assert "RD-023" in rules(finance(tmp_path, reported_on=text))


@pytest.mark.parametrize("impossible", ["2062-07-25", "2016-07-25"])
def test_an_impossible_reporting_date_beside_one_that_cannot_be_read_counts_for_nothing(
    tmp_path: Path, impossible: str
) -> None:
    def edit(book: Workbook) -> None:
        for sheet in book.worksheets:
            sheet["D2"] = f"报出日期：{impossible}"

    reading = finance(tmp_path, reported_on="近日", edit=edit)
    assert reading.reported_on is None
    asked = [f for f in reading.findings if f.rule_id == "RD-023" and f.table_id == "finance_bureau__gov_payment"]
    assert [f.found for f in asked] == ["近日", impossible]


@pytest.mark.parametrize(
    "text", ["2026年7月10日", "2026-7-10", "2026/07/10", "２０２６年７月１０日", "2026年 7月 10日"]
)
def test_a_reporting_date_as_people_write_it_is_read(tmp_path: Path, text: str) -> None:
    reading = finance(tmp_path, reported_on=text)
    assert str(reading.reported_on) == "2026-07-10"
    assert "RD-023" not in rules(reading)


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("海宁市财政局", ""),
        ("市", ""),
        ("财政局", ""),
        ("嘉兴市财政局", "finance_bureau"),
        ("市 财政局", "finance_bureau"),
    ],
)
def test_only_the_bureau_itself_speaks_for_the_city(tmp_path: Path, name: str, provider: str) -> None:
    def edit(book: Workbook) -> None:
        for sheet in book.worksheets:
            sheet["A2"] = f"填报单位：{name}"

    assert finance(tmp_path, edit=edit).provider == provider


def test_two_units_on_one_sheet_are_refused(tmp_path: Path) -> None:
    reading = finance(tmp_path, edit=with_cell("拨付明细", "A1", "明细表 计量单位：元"))
    assert "RD-024" in rules(reading)
    assert "finance_bureau__gov_payment" not in reading.tables


def test_two_sheets_of_one_name_are_refused(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        copy = book.copy_worksheet(book["拨付明细"])
        copy.title = "拨付明细 "

    assert "RD-025" in rules(finance(tmp_path, edit=edit))


def test_a_row_of_nothing_but_uncalculated_formulas_is_no_blank_row(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        for cell in book["转拨明细"][4]:
            cell.value = "=源!A1"

    reading = education(tmp_path, edit=edit)
    assert "A4" in [f.cell for f in reading.findings if f.rule_id == "RD-102"]


def test_an_uncalculated_formula_beside_the_headings_is_named(tmp_path: Path) -> None:
    assert "RD-013" in rules(education(tmp_path, edit=with_cell("转拨明细", "K4", "=1+1")))


def test_a_note_in_the_margin_does_not_swallow_its_row(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        book["转拨明细"].insert_cols(1)
        book["转拨明细"]["A4"] = "注：此笔为补报"

    assert ("RD-014", "4:4") in [(f.rule_id, f.cell) for f in education(tmp_path, edit=edit).findings]


@pytest.mark.parametrize("cells", [{"A": "PZ9", "K": 5000}, {"K": 5000}])
def test_a_row_after_the_foot_with_few_cells_is_not_lost(tmp_path: Path, cells: dict[str, Any]) -> None:
    def edit(book: Workbook) -> None:
        row = book["拨付明细"].max_row + 1
        for column, value in cells.items():
            book["拨付明细"][f"{column}{row}"] = value

    assert "RD-014" in rules(finance(tmp_path, edit=edit))


def test_a_payment_whose_project_is_called_total_is_a_payment(tmp_path: Path) -> None:
    rows = finance_rows() | {"finance_bureau__gov_payment": [payment_row(1), payment_row(2, 项目名称="合计")]}
    assert finance(tmp_path, rows=rows).tables["finance_bureau__gov_payment"].rows.num_rows == 2


def test_long_numbers_that_lost_digits_are_never_taken_for_references(tmp_path: Path) -> None:
    rows = education_rows() | {"education_bureau__outflow": [outflow_row(1, 项目编号=202601010000000123)]}
    assert [f.cell for f in education(tmp_path, rows=rows).findings if f.rule_id == "RD-118"] == ["E4"]


def test_merged_data_cells_are_asked_about(tmp_path: Path) -> None:
    rows = education_rows() | {"education_bureau__outflow": [outflow_row(1), outflow_row(2)]}
    reading = education(tmp_path, rows=rows, edit=lambda book: book["转拨明细"].merge_cells("E4:E5"))
    assert [f.cell for f in reading.findings if f.rule_id == "RD-026"] == ["E4"]


@pytest.mark.parametrize("amount", ["6" * 24, 1e25, "-" + "9" * 30])
def test_an_absurd_amount_is_a_finding_never_a_crash(tmp_path: Path, amount: object) -> None:
    assert "RD-107" in rules(finance(tmp_path, edit=with_cell("拨付明细", "K4", amount)))


@pytest.mark.parametrize("raw", ["٣", "2026-5-1 8"])
def test_look_alikes_are_not_read_as_something_else(tmp_path: Path, raw: str) -> None:
    cell = "J4" if "-" in raw else "K4"
    assert cell in [
        f.cell for f in finance(tmp_path, edit=with_cell("拨付明细", cell, raw)).findings if f.rule_class == "mandatory"
    ]


def test_a_half_year_that_calls_itself_annual_is_refused(tmp_path: Path) -> None:
    assert "RD-004" in rules(finance(tmp_path, edit=with_cell("拨付明细", "D2", "报表类别：年报")))


def test_a_bare_year_is_no_reporting_period(tmp_path: Path) -> None:
    assert "RD-003" in rules(finance(tmp_path, period="2026年"))
