"""The sample city through the public door: workbooks in, the published figures out, against the expected results."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from click.testing import Result

from tests.conftest import ACCEPT, SAMPLES
from tests.orchestration.expected import FIELDS, compare_areas, compare_ledger, published


@pytest.mark.parametrize("field", FIELDS)
def test_every_figure_equals_the_expected_one_to_the_last_digit(sample_home: Path, field: str) -> None:
    compared = compare_areas(sample_home, "2026H1", "mart_half_year_monitoring", field)
    assert compared > (30 if field != "growth_reason" else 3)


def test_the_elimination_ledger_and_its_sums_equal_the_expected_ones_row_by_row(sample_home: Path) -> None:
    compare_ledger(sample_home, "2026H1")


@pytest.mark.parametrize(("area", "indicator"), [("330400", "sti_total"), ("330411", "other_net"), ("JX-CITY", "other_eliminated"),
                                                 ("330402", "gov_talent"), ("330481", "enterprise_rd")])  # fmt: skip
def test_a_figure_is_traced_to_its_cells_and_adds_up(
    sample_home: Path, sti: Callable[..., Result], area: str, indicator: str
) -> None:
    result = sti(
        "--home", sample_home, "trace", "--period", "2026H1", "--area", area, "--indicator", indicator, "--json"
    )
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    cells = sum(Decimal(c["value_wan"]) for c in found["cells"] if c["value_wan"])
    removed = sum(Decimal(r["amount_wan"]) for r in found["removals"])
    assert found["is_explained"]
    assert Decimal(found["value_wan"]) == (removed if indicator == "other_eliminated" else cells - removed)
    assert all(r["evidence"] for r in found["removals"])
    for cell in found["cells"][:3]:
        book = openpyxl.load_workbook(SAMPLES / "2026H1" / cell["file_name"])
        written = book[cell["sheet"]][cell["cell"]].value
        assert str(written).strip() == cell["written"].strip() or float(cell["written"]) == float(written)


def test_an_unknown_figure_cannot_be_traced_and_says_why(sample_home: Path, sti: Callable[..., Result]) -> None:
    result = sti("--home", sample_home, "trace", "--period", "2026H1", "--area", "999999", "--indicator", "sti_total")
    assert result.exit_code == 1
    assert "999999" in result.stderr


def test_the_sheet_of_eliminations_runs_from_gross_to_net(sample_home: Path) -> None:
    sheet = openpyxl.load_workbook(sample_home / "reports" / "2026H1" / "附件1_2026H1.xlsx")["剔除重复"]
    city = next(sheet.iter_rows(min_row=5, max_row=5, values_only=True))
    assert city[:3] == ("全市", "合计", 466609.53)
    assert city[-3:] == (210091.45, 256518.08, 22532.48)
    assert round(sum(v for v in city[3:-3] if v), 2) == pytest.approx(210091.45, abs=0.06)
    assert len(sheet._charts) == 1


def test_the_late_correction_replaces_the_january_return_and_both_are_kept(
    sample_home: Path, sti: Callable[..., Result]
) -> None:
    ((gross_wan,),) = published(
        sample_home,
        "select gross_wan from fct_input where period = '2025H2' and subject = 'university' "
        "and contains(unit_key, '12330400MYUX44UN08')",
    )
    corrected = openpyxl.load_workbook(SAMPLES / "2025H2" / "市教育局_2025H2_更正.xlsx")["科技活动费用"]
    row = next(r for r in corrected.iter_rows(values_only=True) if r[0] == "12330400MYUX44UN08")
    assert gross_wan == Decimal(str(row[5]))
    board = json.loads(sti("--home", sample_home, "status", "2025H2", "--json").stdout)
    education = next(line for line in board if line["单位"] == "市教育局")
    assert (education["版本数"], education["状态"]) == (2, "已准入")


def test_the_annex_workbook_has_the_documents_columns_and_a_sheet_per_area(sample_home: Path) -> None:
    book = openpyxl.load_workbook(sample_home / "reports" / "2026H1" / "附件1_2026H1.xlsx")
    assert book.sheetnames == [
        "全市",
        "市本级",
        "南湖区",
        "秀洲区",
        "嘉善县",
        "海盐县",
        "海宁市",
        "平湖市",
        "桐乡市",
        "嘉兴经开区",
        "嘉兴港区",
        "剔除重复",
    ]
    rows = list(book["全市"].iter_rows(min_row=4, values_only=True))
    assert rows[0] == (
        "序号",
        "指标名称",
        "单位",
        "数源单位",
        "责任单位",
        "本期",
        "上年同期",
        "增长（%）",
        "占比（%）",
        "位次",
    )
    assert [row[0] for row in rows[1:10]] == ["1", "1.1", "1.2", "1.3", "1.4", "2", "3.1", "3.2", "3.3"]
    assert rows[1][1] == "政府科技创新投入合计"
    assert rows[1][3:8] == ("市财政局", "各县（市、区）政府", 383224.37, 344972.77, 11.1)
    assert any("四舍五入" in str(row[0]) for row in rows[10:])


FAULTY = {
    "amount-about": ("2", "K8"), "amount-error-value": ("2", "K10"), "amount-with-unit": ("2", "J9"), "code-as-number": ("2", "A6"),
    "date-outside-period": ("query", "J9"), "enterprise-code-twice": ("2", "A28"), "external-exceeds-rd": ("2", "J4"),
    "external-not-sum-of-parts": ("2", "J8"), "formula-without-cached-value": ("2", "H7"), "gov-area-twice": ("2", "A14"),
    "gov-items-exceed-total": ("2", "B6"), "gov-negative-amount": ("2", "K9"), "gov-total-not-sum-of-budgets": ("2", "B7"),
    "gov-total-row-differs": ("2", "C14"), "handed-on-without-number": ("query", "G5"), "inflow-exceeds-source-column": ("2", "J39"),
    "last-source-missing": ("query", "L5"), "ledger-exceeds-summary": ("2", "K4"), "memo-with-budget-type": ("query", "C28"),
    "missing-heading": ("2", "3:3"), "no-unit": ("2", "2:2"), "numbers-as-text": ("note", "K9"),
    "unit-and-aggregate-sheets": ("query", ""), "unit-code-twice": ("2", "A11"), "unit-its-own-parent": ("2", "D6"),
    "unit-total-not-sum-of-sources": ("2", "F5"), "unknown-heading": ("query", "I3"), "voucher-twice": ("2", "A13"),
}  # fmt: skip
CLASSES = {"2": "mandatory", "query": "query", "note": "note"}


def test_every_faulty_sample_is_listed() -> None:
    assert {path.stem for path in (SAMPLES / "faulty").glob("*.xlsx")} == set(FAULTY)


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_sample_is_named_by_its_cell(name: str, sti: Callable[..., Result], tmp_path: Path) -> None:
    kind, cell = FAULTY[name]
    result = sti("--home", tmp_path, "check", SAMPLES / "faulty" / f"{name}.xlsx", "--json")
    findings = json.loads(result.stdout)[0]["findings"]
    assert cell in [f["cell"] for f in findings if f["rule_class"] == CLASSES[kind]], findings
    assert result.exit_code == (0 if kind == "note" else 2)
    if kind == "note":
        assert {f["rule_class"] for f in findings} == {"note"}


def test_a_faulty_sample_has_no_other_mandatory_finding_than_its_fault(
    sti: Callable[..., Result], tmp_path: Path
) -> None:
    paths = sorted((SAMPLES / "faulty").glob("*.xlsx"))
    result = sti("--home", tmp_path, "check", *paths, "--json")
    for report in json.loads(result.stdout):
        name = Path(report["file_name"]).stem
        cells = {f["cell"] for f in report["findings"] if f["rule_class"] == "mandatory"}
        assert cells <= {FAULTY[name][1]}, (name, cells)


def test_a_refused_return_stays_out_of_accepted_and_the_published_file_stands(
    home_copy: Path, sti: Callable[..., Result]
) -> None:
    before = (home_copy / "published" / "warehouse.duckdb").read_bytes()
    accepted = {path: path.read_bytes() for path in (home_copy / "accepted").rglob("2026H1/rows.parquet")}
    faulty = SAMPLES / "faulty" / "voucher-twice.xlsx"
    result = sti("--home", home_copy, "run", "2026H1", "--inbox", faulty, *ACCEPT)
    assert result.exit_code == 2
    assert "voucher-twice.xlsx[拨付明细]!A13" in result.stderr
    assert {path: path.read_bytes() for path in (home_copy / "accepted").rglob("2026H1/rows.parquet")} == accepted
    assert (home_copy / "published" / "warehouse.duckdb").read_bytes() == before
    again = sti("--home", home_copy, "run", "2025H2")
    assert again.exit_code == 0, again.stderr
    total = published(
        home_copy,
        "select value_wan from mart_half_year_monitoring where period = '2026H1' and area_key = '330400' and indicator_id = 'gov_total'",
    )
    assert total == [(Decimal("383224.370000"),)]


def test_a_memo_item_left_blank_is_blank_in_the_annex_and_not_zero(sample_home: Path) -> None:
    book = openpyxl.load_workbook(sample_home / "reports" / "2026H1" / "附件1_2026H1.xlsx")
    figures = {row[1]: row[5] for row in book["嘉兴港区"].iter_rows(min_row=5, values_only=True) if row[1]}
    assert figures["附项：产业基金"] is None
    assert figures["附项：专项债"] == 514.98
    assert published(
        sample_home,
        "select value_note from mart_half_year_monitoring where period = '2026H1' and area_key = 'JX-PORT' and indicator_id = 'industry_fund'",
    ) == [("not_reported",)]
