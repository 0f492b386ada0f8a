"""A workbook in, rows and findings out: layouts that vary, and faults named by cell."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from sources.finding import Finding
from sources.workbook import WorkbookReading, read_workbook
from tests.workbooks import (
    code,
    education_rows,
    finance_rows,
    gov_row,
    outflow_row,
    payment_row,
    with_cell,
    write_return,
)


def finance(tmp_path: Path, **more: Any) -> WorkbookReading:
    rows = more.pop("rows", None) or finance_rows()
    return read_workbook(write_return(tmp_path / "市财政局.xlsx", "finance_bureau", rows, **more))


def education(tmp_path: Path, **more: Any) -> WorkbookReading:
    rows = more.pop("rows", None) or education_rows()
    return read_workbook(write_return(tmp_path / "市教育局.xlsx", "education_bureau", rows, **more))


def serious(reading: WorkbookReading) -> list[tuple[str, str]]:
    return [(f.rule_id, f.cell) for f in reading.findings if f.rule_class != "note"]


def only(reading: WorkbookReading) -> Finding:
    (finding,) = [f for f in reading.findings if f.rule_class != "note"]
    return finding


def test_a_plain_return_reads_without_a_finding(tmp_path: Path) -> None:
    reading = finance(tmp_path)
    assert serious(reading) == []
    assert (reading.provider, reading.period, reading.cadence) == ("finance_bureau", "2026H1", "half_year")
    assert str(reading.reported_on) == "2026-07-10"
    rows = reading.tables["finance_bureau__gov_input"].rows
    assert rows.num_rows == 10
    assert rows["gov_total_wan"][0].as_py() == Decimal("100.000000")
    assert rows["row_number"].to_pylist() == list(range(4, 14))
    assert reading.tables["finance_bureau__gov_payment"].manifest.cell_columns["amount_wan"] == "K"


def test_columns_in_another_order_with_blank_columns_and_broken_headings_give_the_same_rows(tmp_path: Path) -> None:
    plain = finance(tmp_path).tables["finance_bureau__gov_payment"].rows

    def shuffle(book: Workbook) -> None:
        sheet = book["拨付明细"]
        grid = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3, max_col=12)]
        order = [10, None, 3, 0, 11, 8, 1, 2, 4, 9, 5, 7, 6]
        for row_index, row in enumerate(grid):
            for position, source in enumerate(order, start=1):
                value = row[source] if source is not None else None
                if row_index == 0 and value:
                    value = f" {value[:1]}\n{value[1:]}　".replace("（", "(").replace("）", ")")
                sheet.cell(row=row_index + 3, column=position).value = value
        foot = sheet.max_row
        for column in range(1, 14):
            sheet.cell(row=foot, column=column).value = "单位负责人：示例负责人" if column == 1 else None

    shuffled = finance(tmp_path, edit=shuffle)
    assert serious(shuffled) == []
    found = shuffled.tables["finance_bureau__gov_payment"].rows
    for name in plain.column_names:
        if name not in ("row_id", "file_sha256"):
            assert found[name].to_pylist() == plain[name].to_pylist(), name


def test_two_heading_rows_with_merged_groups_read_like_one(tmp_path: Path) -> None:
    def two_rows(book: Workbook) -> None:
        sheet = book["政府科技创新投入"]
        sheet.insert_rows(4)
        for column in range(1, 16):
            heading = sheet.cell(row=3, column=column).value
            group, _, item = heading.partition("：")
            if item:
                first = sheet.cell(row=3, column=column - 1).value != f"{group}：" and column in (6, 10)
                sheet.cell(row=3, column=column).value = f"{group}：" if first else None
                sheet.cell(row=4, column=column).value = item
        sheet.merge_cells("F3:I3")
        sheet.merge_cells("J3:L3")

    reading = finance(tmp_path, edit=two_rows)
    assert serious(reading) == []
    rows = reading.tables["finance_bureau__gov_input"].rows
    assert rows["gov_platform_wan"].to_pylist() == [Decimal(50)] * 10
    assert rows["row_number"][0].as_py() == 5


@pytest.mark.parametrize(
    "line",
    [
        ["计量单位:万元　　报告期:2026年1-6月   填报单位:市财政局"],
        ["填报单位：", "市财政局", None, "报告期：", "2026年上半年", "计量单位：", "万元"],
        [None, "报 告 期 ： 2026 年 1—6 月", None, "填报单位：市财政局 计量单位：", "万元"],
    ],
)
def test_unit_period_and_provider_are_found_however_the_line_is_cut(tmp_path: Path, line: list[str | None]) -> None:
    def edit(book: Workbook) -> None:
        for sheet in book.worksheets:
            for column in range(1, 8):
                sheet.cell(row=2, column=column).value = line[column - 1] if column <= len(line) else None

    reading = finance(tmp_path, edit=edit)
    assert (serious(reading), reading.provider, reading.period) == ([], "finance_bureau", "2026H1")


def test_titles_of_three_rows_blank_rows_and_notes_do_no_harm(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        for sheet in book.worksheets:
            sheet.insert_rows(2, 2)
            sheet["A2"] = "（2026年半年报）"
            sheet["A3"] = "统计制度（示例）"
            foot = sheet.max_row
            sheet.insert_rows(foot)
            sheet.cell(row=foot + 2, column=1, value="注：1.本表数据为累计数。")
            sheet.cell(row=foot + 3, column=1, value="2.金额单位见表头。")

    reading = finance(tmp_path, edit=edit)
    assert serious(reading) == []
    assert reading.tables["finance_bureau__gov_payment"].rows.num_rows == 3


def test_a_year_on_a_half_year_form_is_the_second_half_and_on_an_annual_form_the_year(tmp_path: Path) -> None:
    rows = education_rows()
    assert education(tmp_path, period="2025年全年").period == "2025H2"
    annual = {
        "education_bureau__unit": [
            row | {"研究与试验发展经费支出": 1, "数据年度": 2024} for row in rows["education_bureau__unit"]
        ],
        "education_bureau__inflow": rows["education_bureau__inflow"],
        "education_bureau__outflow": rows["education_bureau__outflow"],
    }
    assert education(tmp_path, rows=annual, period="2025年1-12月").period == "2025"


def test_finance_falls_back_on_the_asked_period_and_says_so(tmp_path: Path) -> None:
    path = write_return(tmp_path / "f.xlsx", "finance_bureau", finance_rows(), period="2025年全年")
    for asked, period in (("2025", "2025"), ("2025H2", "2025H2"), (None, "2025H2")):
        reading = read_workbook(path, asked)
        assert reading.period == period
        assert "RD-018" in [f.rule_id for f in reading.findings]


def test_every_row_knows_its_file_sheet_and_row_and_ids_never_repeat(tmp_path: Path) -> None:
    reading = finance(tmp_path)
    ids = [i for table in reading.tables.values() for i in table.rows["row_id"].to_pylist()]
    assert len(ids) == len(set(ids)) == 13
    row = reading.tables["finance_bureau__gov_payment"].rows.slice(1, 1).to_pylist()[0]
    assert (row["file_sha256"], row["sheet_name"], row["row_number"]) == (reading.file_sha256, "拨付明细", 5)


def test_a_missing_heading_stops_the_sheet_and_shifts_nothing(tmp_path: Path) -> None:
    reading = finance(tmp_path, edit=with_cell("拨付明细", "E3", None))
    hard = [f for f in reading.findings if f.rule_class == "mandatory"]
    assert [(f.rule_id, f.cell, f.expected) for f in hard] == [("RD-009", "3:3", "资金渠道")]
    assert "finance_bureau__gov_payment" not in reading.tables


def test_cells_beside_the_headings_are_accounted_for(tmp_path: Path) -> None:
    assert serious(finance(tmp_path, edit=with_cell("拨付明细", "P5", "漏填"))) == [("RD-013", "P5")]


def test_rows_after_the_foot_are_not_lost(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        book["拨付明细"].append(list(payment_row(9).values()))

    assert serious(finance(tmp_path, edit=edit)) == [("RD-014", "8:8")]


def test_a_heading_twice_and_an_unknown_one_are_named(tmp_path: Path) -> None:
    assert serious(finance(tmp_path, edit=with_cell("拨付明细", "M3", "金额"))) == [("RD-011", "M3")]
    assert serious(finance(tmp_path, edit=with_cell("拨付明细", "M3", "备注栏"))) == [("RD-010", "M3")]


@pytest.mark.parametrize(("unit", "rule"), [("", "RD-007"), ("美元", "RD-008"), ("万", "RD-008")])
def test_a_sheet_without_a_known_unit_is_refused(tmp_path: Path, unit: str, rule: str) -> None:
    reading = finance(tmp_path, unit=unit)
    assert {f.rule_id for f in reading.findings if f.rule_class == "mandatory"} == {rule}
    assert reading.tables == {}


def test_the_total_row_must_equal_the_exact_sum(tmp_path: Path) -> None:
    assert serious(finance(tmp_path, edit=with_cell("政府科技创新投入", "C14", 1000.00001))) == [("RD-016", "C14")]
    # One fault, one finding: the total is compared once the cell can be read.
    assert serious(finance(tmp_path, edit=with_cell("政府科技创新投入", "C5", "约60"))) == [("RD-103", "C5")]
    assert serious(finance(tmp_path, edit=with_cell("政府科技创新投入", "C14", 1000.000005))) == []
    assert serious(finance(tmp_path, edit=with_cell("政府科技创新投入", "A14", None))) != []


def test_ten_areas_of_thirds_add_up_to_half_a_fen_per_summand(tmp_path: Path) -> None:
    rows = finance_rows()
    rows["finance_bureau__gov_input"] = [
        gov_row(row["地区"], total=33.333333, **{"其中：科研平台投入": 0}) for row in rows["finance_bureau__gov_input"]
    ]
    assert serious(finance(tmp_path, rows=rows, edit=with_cell("政府科技创新投入", "B14", 333.333335))) == []
    assert serious(finance(tmp_path, rows=rows, edit=with_cell("政府科技创新投入", "B14", 333.333336))) == [
        ("RD-016", "B14")
    ]


def test_a_missing_sheet_is_a_hard_error_not_a_zero(tmp_path: Path) -> None:
    reading = finance(tmp_path, edit=lambda book: book.remove(book["拨付明细"]))
    assert [(f.rule_id, f.sheet) for f in reading.findings if f.rule_class == "mandatory"] == [("RD-005", "拨付明细")]


def test_an_empty_ledger_is_asked_about(tmp_path: Path) -> None:
    rows = education_rows() | {"education_bureau__outflow": []}
    reading = education(tmp_path, rows=rows)
    assert [f.rule_id for f in reading.findings if f.rule_class == "query"] == ["RD-021"]
    assert reading.tables["education_bureau__outflow"].rows.num_rows == 0


def test_sheets_of_two_bureaus_in_one_workbook_conflict(tmp_path: Path) -> None:
    assert "RD-004" in [
        f.rule_id for f in education(tmp_path, edit=with_cell("转拨明细", "A2", "填报单位：市科技局")).findings
    ]


def test_a_sheet_of_another_period_conflicts(tmp_path: Path) -> None:
    assert "RD-004" in [
        f.rule_id for f in education(tmp_path, edit=with_cell("转拨明细", "B2", "报告期：2025年上半年")).findings
    ]


def test_hidden_sheets_are_read_and_said_and_strangers_are_named(tmp_path: Path) -> None:
    def edit(book: Workbook) -> None:
        book["转拨明细"].sheet_state = "hidden"
        book.create_sheet("随手记")["A1"] = "别忘了"

    reading = education(tmp_path, edit=edit)
    said = {f.rule_id: f.message for f in reading.findings}
    assert "转拨明细" in said["RD-020"]
    assert "随手记" in said["RD-019"]
    assert reading.tables["education_bureau__outflow"].rows.num_rows == 1


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "RD-030"),
        (b"hello", "RD-032"),
        (b"PK\x03\x04broken", "RD-034"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "RD-032"),
    ],
)
def test_what_is_no_workbook_is_refused_with_one_sentence(tmp_path: Path, content: bytes, rule: str) -> None:
    path = tmp_path / "坏文件.xlsx"
    path.write_bytes(content)
    finding = only(read_workbook(path))
    assert (finding.rule_id, finding.rule_class) == (rule, "mandatory")
    assert finding.message
    assert "Traceback" not in finding.message


def test_a_workbook_of_nobody_is_refused(tmp_path: Path) -> None:
    book = Workbook()
    book.worksheets[0]["A1"] = "随便什么"
    book.save(tmp_path / "x.xlsx")
    assert [f.rule_id for f in read_workbook(tmp_path / "x.xlsx").findings if f.rule_class == "mandatory"] == ["RD-002"]


def test_a_formula_with_a_cached_value_is_a_value_and_without_one_a_hard_error(tmp_path: Path, samples: Path) -> None:
    reading = finance(tmp_path, edit=with_cell("拨付明细", "K5", "=SUM(1,2)"))
    assert serious(reading) == [("RD-102", "K5")]


def test_a_wrong_stored_dimension_loses_no_row(tmp_path: Path) -> None:
    import zipfile

    path = write_return(tmp_path / "ok.xlsx", "finance_bureau", finance_rows())
    wrong = tmp_path / "wrong.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(wrong, "w") as target:
        for item in source.infolist():
            data = source.read(item)
            if item.filename.startswith("xl/worksheets/"):
                import re

                data = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B2"', data)
            target.writestr(item, data)
    assert read_workbook(wrong).tables["finance_bureau__gov_payment"].rows.num_rows == 3


def test_a_unit_handed_money_without_a_code_keeps_its_row(tmp_path: Path) -> None:
    rows = education_rows()
    rows["education_bureau__outflow"] = [
        outflow_row(1, 收款单位统一社会信用代码=None),
        outflow_row(2, 收款单位统一社会信用代码=code(2).lower()),
    ]
    reading = education(tmp_path, rows=rows)
    assert serious(reading) == []
    assert reading.tables["education_bureau__outflow"].rows["payee_code"].to_pylist() == [None, code(2)]
