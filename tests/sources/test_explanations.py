"""核实说明 as clerks fill it in: cells named in every way, Excel's own ideas of them, headings elsewhere, a foot below."""

from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook

from sources.explanations import EXPLANATION_HEADINGS, MOST_CHARACTERS, MOST_ROWS, comparable_cell
from sources.reader_process import read_workbook
from tests.workbooks import finance_rows, write_return


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("k8", "K8"), (" $K$8", "K8"), ("Ｋ８", "K8"), ("K8:K9", "K8"), ("3:3", "3:3"), ("第3行", "3:3"), ("3", "3:3"), (3, "3:3"),
        (time(3, 3), "3:3"), (timedelta(hours=30, minutes=30), "30:30"), (datetime(1900, 1, 1, 1, 25), "25:25"), ("61:61", "61:61"),
        (None, ""), ("—", ""), ("整张表", ""),
    ],
)  # fmt: skip
def test_a_cell_is_known_however_it_is_written(written: object, meant: str) -> None:
    assert comparable_cell(written) == meant


def test_rows_are_read_below_their_headings_wherever_these_stand_and_the_foot_is_none(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        sheet = book.create_sheet(" 核实说明 ")
        sheet.append(["核实性审核说明表"])
        sheet.append([None, "说明人", "规 则编号", "工作表", "单元格", "说 明"])
        sheet.append([None, "张三", "gen-003", "拨付 明细", "3:3", "说明：上年末拨付"])
        sheet.append([])
        sheet.append([None, None, None, None, None, "只有说明的一行"])
        sheet.append(["注：照回执填"])
        sheet.append(["填表人：张三", None, "联系电话：0573"])

    path = write_return(tmp_path / "表.xlsx", "finance_bureau", finance_rows(), edit=edit)
    rows = read_workbook(path).explanations
    assert [(r.row_number, r.rule_id, r.sheet, r.cell, r.text, r.by) for r in rows] == [
        (3, "GEN-003", "拨付明细", "3:3", "说明：上年末拨付", "张三"),
        (5, "", "", "", "只有说明的一行", ""),
    ]


def test_explanations_without_headings_are_not_lost_in_silence(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        book.create_sheet("核实说明").append(["GEN-003", "J4", "上年末拨付"])

    path = write_return(tmp_path / "表.xlsx", "finance_bureau", finance_rows(), edit=edit)
    assert [f.rule_id for f in read_workbook(path).findings if f.sheet == "核实说明"] == ["RD-131"]


def test_a_flood_of_explanations_is_cut_and_said(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        sheet = book.create_sheet("核实说明")
        sheet.append(list(EXPLANATION_HEADINGS))
        sheet.append(["GEN-003", "拨付明细", "J4", "长" * (MOST_CHARACTERS + 1), "张三"])
        for _ in range(MOST_ROWS):
            sheet.append(["GEN-003", "拨付明细", "J4", "上年末拨付", "张三"])

    reading = read_workbook(write_return(tmp_path / "表.xlsx", "finance_bureau", finance_rows(), edit=edit))
    assert len(reading.explanations) == MOST_ROWS
    assert str(MOST_CHARACTERS) in reading.explanations[0].fault
    assert [f.rule_id for f in reading.findings if f.sheet == "核实说明"] == ["RD-131"]
