"""The progress to the targets of the plan, from workbooks to figures: beside what a plain reading of the same workbooks gives."""

import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from click.testing import Result
from openpyxl.utils import get_column_letter

from sources.reference import area_names
from tests.conftest import ACCEPT, SAMPLES
from tests.orchestration.expected import expected, published, to_twelve
from tests.orchestration.plain_workbooks import by_area, number, plain, rows_of
from warehouse.paths import Home
from warehouse.report.target_sheet import fill_target_chart_sheet, fill_target_sheet
from warehouse.report.targets import target_rows

CITY = "330400"
SCIENCE, REVENUE, GOV = "财政科学技术支出", "财政经常性收入", "政府科技创新投入合计"
FINANCE, FIRMS, RD, UNITS = "政府科技创新投入", "规上企业研发费用", "全社会研发与生产总值", "科技活动费用"
AMOUNT = "研究开发费用合计"
MARKET = ("规上企业委托(市内)", "其他企业委托(市内)", "企业委托(市外)", "境外资金", "成果转化收入")


def book(bureau: str, period: str) -> Path:
    return SAMPLES / period / f"{bureau}_{period}.xlsx"


def progress(home: Path, period: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Every cell of a period by target and area key."""
    names = [row[0] for row in published(home, "select column_name from (describe mart_target_progress)")]
    rows = published(home, f"select * from mart_target_progress where period = '{period}'")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return {(row["target_id"], row["area_key"]): row for row in found}


def same(found: Decimal | None, wanted: Fraction) -> bool:
    """Whether a published figure is the exact one, to twelve places."""
    assert found is not None
    return to_twelve(found) == to_twelve(Decimal(wanted.numerator) / Decimal(wanted.denominator))


def growth(now: Fraction, base: Fraction) -> Fraction:
    return (now / base - 1) * 100


def with_city(areas: dict[str, Fraction]) -> dict[str, Fraction]:
    keys = {name: key for key, name in area_names().items()}
    assert len(areas) == 10
    return {keys[name]: value for name, value in areas.items()} | {CITY: sum(areas.values(), Fraction(0))}


@pytest.mark.parametrize(("period", "base"), [("2025", "2024"), ("2026H1", "2025H1"), ("2025H2", "2024H2")])
def test_the_rules_of_finance_equal_a_plain_reading_in_every_area(
    annual_home: Path, sample_home: Path, period: str, base: str
) -> None:
    home = annual_home if period == "2025" else sample_home
    found = progress(home, period)
    now, before = (
        {heading: with_city(by_area(book("市财政局", each), FINANCE, heading)) for heading in (GOV, SCIENCE, REVENUE)}
        for each in (period, base)
    )
    states = set()
    for area, value in now[GOV].items():
        row = found["gov_total_not_fall", area]
        assert Fraction(row["value"]) == value
        assert Fraction(row["target_value"]) == before[GOV][area]
        assert Fraction(row["gap"]) == before[GOV][area] - value
        assert row["state"] == ("已达到" if value >= before[GOV][area] else "未达到")
        row = found["science_above_revenue", area]
        own = growth(now[SCIENCE][area], before[SCIENCE][area])
        other = growth(now[REVENUE][area], before[REVENUE][area])
        assert same(row["value"], own)
        assert same(row["target_value"], other)
        assert row["state"] == ("已达到" if own > other else "未达到"), area
        states.add(row["state"])
    # Both outcomes are there, or the comparison would prove little.
    assert period != "2025" or states == {"已达到", "未达到"}


def test_levels_of_a_year_stand_beside_their_target_with_gap_and_pace(annual_home: Path) -> None:
    found = progress(annual_home, "2025")
    total = Fraction(expected("2025")["sti_total_wan"]["CITY"])
    row = found["sti_total_2027", CITY]
    assert (Fraction(row["value"]), row["data_year"], row["target_year"]) == (total, 2025, 2027)
    assert Fraction(row["gap"]) == 8500000 - total
    # By hand: so much growth a year, twice, and the target is met to the fen.
    needed = 1 + Fraction(row["needed_growth_pct"]) / 100
    assert abs(total * needed**2 - 8500000) < Fraction(1, 10**6)
    row = found["gov_total_2027", CITY]
    assert Fraction(row["value"]) == sum(by_area(book("市财政局", "2025"), FINANCE, GOV).values())

    rd_now, rd_before = (by_area(book("市统计局", y), RD, "研究与试验发展经费支出") for y in ("2025", "2024"))
    gdp = by_area(book("市统计局", "2025"), RD, "地区生产总值")
    row = found["rd_expenditure_2027", CITY]
    assert (Fraction(row["value"]), row["data_year"]) == (sum(rd_now.values()), 2024)
    assert same(row["growth_pct"], growth(sum(rd_now.values()), sum(rd_before.values())))
    needed = 1 + Fraction(row["needed_growth_pct"]) / 100
    assert abs(sum(rd_now.values()) * needed**3 - 3300000) < Fraction(1, 10**6)
    # The state says whether the last year's pace, kept up for the three years, gets there.
    pace = sum(rd_now.values()) / sum(rd_before.values())
    assert row["state"] == ("进度正常" if sum(rd_now.values()) * pace**3 >= 3300000 else "进度滞后")
    row = found["rd_intensity_2027", CITY]
    with_gdp = sum(value for area, value in rd_now.items() if gdp[area])
    assert same(row["value"], with_gdp / sum(gdp.values()) * 100)


def test_two_years_give_no_interval_and_say_so(annual_home: Path) -> None:
    rows = [row for row in progress(annual_home, "2025").values() if row["projected_value"] is not None]
    assert len(rows) > 5
    assert {(row["projected_low"], row["projected_high"]) for row in rows} == {(None, None)}
    assert {row["projection_note"] for row in rows} == {"too_few_years_for_interval"}
    first = progress(annual_home, "2024")["sti_total_2027", CITY]
    assert (first["projected_value"], first["projection_note"]) == (None, "too_few_years_for_value")
    assert (first["state"], first["growth_note"], first["is_in_force"]) == ("不可判定", "base_missing", False)


def test_research_grows_against_the_same_data_year_or_not_at_all(annual_home: Path) -> None:
    row = progress(annual_home, "2025")["rd_above_sti", CITY]
    # R&D of 2024 on 2023 is known; the total of 2023 was never sent, and 2025 on 2024 does not stand in for it.
    assert row["data_year"] == 2024
    assert row["value"] is not None
    assert (row["target_value"], row["state"], row["value_note"]) == (None, "不可判定", "compare_base_missing")
    assert "没有上年同期的数" in row["note"]


def firms(period: str, column: str, wanted: str, *, only: str = "") -> list[Fraction]:
    rows = rows_of(book("市统计局", period), FIRMS, "统一社会信用代码")
    assert len(rows) == 300
    return [
        number(r[AMOUNT]) for r in rows if plain(r[column]) == wanted and (not only or plain(r["规上类别"]) == only)
    ]


def test_state_owned_enterprises_and_high_tech_ones_equal_a_plain_reading(annual_home: Path, sample_home: Path) -> None:
    found = progress(annual_home, "2025")
    everyone = {y: firms(y, "国有控股", "是") + firms(y, "国有控股", "否") for y in ("2024", "2025")}
    row = found["soe_rd_above_city", CITY]
    own = growth(sum(firms("2025", "国有控股", "是")), sum(firms("2024", "国有控股", "是")))
    city = growth(sum(everyone["2025"]), sum(everyone["2024"]))
    assert same(row["value"], own)
    assert same(row["target_value"], city + 2)
    assert row["state"] == ("已达到" if own >= city + 2 else "未达到")
    for home, period in ((annual_home, "2025"), (sample_home, "2026H1")):
        row = progress(home, period)["high_tech_share", CITY]
        counts = [len(firms(period, "高新技术企业", wanted, only="工业")) for wanted in ("是", "否")]
        assert same(row["value"], Fraction(counts[0] * 100, sum(counts)))
    # In a half-year only industry counts, in both years.
    row = progress(sample_home, "2026H1")["soe_rd_above_city", CITY]
    sums = [sum(firms(p, "国有控股", "是", only="工业")) for p in ("2026H1", "2025H1")]
    assert same(row["value"], growth(*sums))


def test_every_institute_is_measured_and_the_city_counts_those_that_reach_half(annual_home: Path) -> None:
    rows = rows_of(book("市科技局", "2025"), UNITS, "统一社会信用代码")
    wanted = {
        plain(row["统一社会信用代码"]).upper(): sum(number(row[name]) for name in MARKET)
        / number(row["科技活动费用合计"])
        for row in rows
    }
    found = published(annual_home, "select unit_code, share_pct, state from mart_target_unit where period = '2025'")
    assert {code for code, _, _ in found} == set(wanted)
    assert len(found) == 11
    for code, share, state in found:
        assert to_twelve(share) == to_twelve(Decimal(float(wanted[code] * 100))), code
        assert state == ("已达到" if wanted[code] * 2 >= 1 else "未达到")
    row = progress(annual_home, "2025")["institute_market_share", CITY]
    assert same(row["value"], Fraction(sum(share * 2 >= 1 for share in wanted.values()) * 100, 11))
    assert (row["target_value"], row["state"]) == (100, "未达到")


def test_every_commitment_of_the_plan_has_its_figure_of_the_sheet(annual_home: Path) -> None:
    for year in ("2024", "2025"):
        sheet = rows_of(book("市委科技办", year), "任务指标", "条款")
        found = [row for row in progress(annual_home, year).values() if row["rule_kind"] == "commitment"]
        assert len(found) == len(sheet) == 10
        assert {(row["clause"], row["value"]) for row in found} == {
            (str(line["条款"]).strip(), Decimal(line["完成值"])) for line in sheet
        }
        assert {row["state"] == "已达到" for row in found if row["value"] >= row["target_value"]} == {True}
        assert {row["state"] for row in found if row["value"] < row["target_value"]} == {"未达到"}


def test_a_half_year_does_not_judge_what_is_promised_for_whole_years(sample_home: Path) -> None:
    found = {target for target, _ in progress(sample_home, "2026H1")}
    assert found == {"gov_total_not_fall", "science_above_revenue", "soe_rd_above_city", "high_tech_share"}


def test_the_picture_and_the_command_show_every_target(annual_home: Path, sti: Callable[..., Result]) -> None:
    rows = progress(annual_home, "2025")
    picture = (annual_home / "reports" / "2025" / "目标进度_2025.svg").read_text(encoding="utf-8")
    texts = {node.text for node in ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")}
    assert {row["target_name"] for row in rows.values()} <= texts
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")
    shown = sti("--home", annual_home, "targets").stdout
    assert all(row["target_name"] in shown for (_, area), row in rows.items() if area == CITY)
    assert "818.94 亿元" in shown
    given = json.loads(sti("--home", annual_home, "targets", "2025", "--json").stdout)
    assert len(given["targets"]) == len(rows)
    assert len(given["units"]) == 11
    area = sti("--home", annual_home, "targets", "2025", "--area", "南湖区").stdout
    assert "只增不减" in area
    assert "850.00 亿元" not in area
    assert sti("--home", annual_home, "targets", "2027").exit_code == 1
    assert "没有 火星 的目标" in sti("--home", annual_home, "targets", "--area", "火星").stderr


def test_a_workbook_holds_the_targets_with_their_figures_and_a_chart(annual_home: Path, tmp_path: Path) -> None:
    rows = target_rows(Home.at(annual_home), "2025")
    made = openpyxl.Workbook()
    fill_target_sheet(made.active, "2025年全年", rows)
    fill_target_chart_sheet(made.create_sheet("图"), "2025年全年", rows)
    made.save(tmp_path / "目标.xlsx")
    sheet, picture = openpyxl.load_workbook(tmp_path / "目标.xlsx").worksheets
    lines = list(sheet.iter_rows(min_row=4, max_row=3 + len(rows), values_only=True))
    assert [line[1] for line in lines[:25]] == [row.target_name for row in rows if row.area_key == CITY]
    assert lines[0][3:9] == ("亿元", 850, 818.94, 2025, 31.06, 96.3)
    assert {line[14] for line in lines} <= {"已达到", "未达到", "进度正常", "进度滞后", "不可判定"}
    # What is not known is an empty cell with its reason, not a zero.
    (unknown,) = [line for line in lines if line[14] == "不可判定"]
    assert unknown[4] is None
    assert "没有上年同期的数" in unknown[15]
    # On A4 landscape, which takes some 130 characters, nothing is printed at less than six tenths; the chart stands on one page.
    assert sum(sheet.column_dimensions[get_column_letter(column)].width for column in range(1, 17)) < 130 / 0.6
    assert picture.sheet_properties.pageSetUpPr.fitToPage and picture.page_setup.fitToHeight == 1
    (chart,) = picture._charts
    assert len(chart.series[0].dPt) == sum(row.progress_pct is not None for row in rows if row.area_key == CITY)


def cells(sheet: Any, heading: str, label: str, key: str) -> Any:
    """The cell under a heading in the row whose ``key`` column holds a label."""
    places = {plain(c.value): c for row in sheet.iter_rows() for c in row if c.value is not None}
    row = next(r[0].row for r in sheet.iter_rows() if plain(sheet.cell(r[0].row, places[key].column).value) == label)
    return sheet.cell(row, places[heading].column)


@pytest.fixture(scope="module")
def changed_home(annual_home: Path, tmp_path_factory: pytest.TempPathFactory, sti: Callable[..., Result]) -> Path:
    """The year 2025 sent again, with what the plan's rules must notice."""
    folder = tmp_path_factory.mktemp("changed")
    home, inbox = folder / "home", folder / "inbox"
    shutil.copytree(annual_home, home, ignore=shutil.ignore_patterns("dagster", "dbt"))
    inbox.mkdir()

    finance = openpyxl.load_workbook(book("市财政局", "2025"))
    sheet = finance[FINANCE]
    before = by_area(book("市财政局", "2024"), FINANCE, GOV)["嘉善县"]
    fall = number(cells(sheet, GOV, "嘉善县", "地区").value) - before + Fraction(1, 10000)
    for label in ("嘉善县", "合计"):
        for heading in (GOV, "一般公共预算"):
            cell = cells(sheet, heading, label, "地区")
            cell.value = float(number(cell.value) - fall)
    finance.save(inbox / "市财政局.xlsx")

    science = openpyxl.load_workbook(book("市科技局", "2025"))
    sheet = science[UNITS]
    for label in ("示例产业技术研究院10", "合计"):
        for heading in ("企业委托(市外)", "科技活动费用合计"):
            cell = cells(sheet, heading, label, "单位名称")
            cell.value = float(number(cell.value) + Fraction("71.2"))
    science.save(inbox / "市科技局.xlsx")

    statistics = openpyxl.load_workbook(book("市统计局", "2025"))
    sums: dict[tuple[str, str], list[Fraction]] = {}
    for row in rows_of(book("市统计局", "2025"), FIRMS, "统一社会信用代码"):
        at = sums.setdefault((plain(row["地区"]), plain(row["规上类别"])), [Fraction(0)] * 4)
        for place, heading in enumerate((AMOUNT, "委托境内研究机构", "委托境内高等学校"), start=1):
            at[place] += number(row[heading])
        at[0] += 1
    for name in (FIRMS, "委托研发明细"):
        del statistics[name]
    sheet = statistics.create_sheet("规上企业研发费用（分地区）")
    sheet.append(["规上企业研发费用（分地区汇总）"])
    sheet.append(["填报单位：市统计局", "报告期：2025年全年", "计量单位：千元", "报表类别：年报"])
    headings = ["企业数", AMOUNT, "委托境内研究机构", "委托境内高等学校", "来自政府部门的资金"]
    sheet.append(["地区", "规上类别", *headings, "与高校重复额", "与科研机构重复额", "与医疗卫生机构重复额"])
    for (area, category), figures in sums.items():
        sheet.append([area, category, *(float(figure) for figure in figures), 0, 0, 0, 0])
    statistics.save(inbox / "市统计局.xlsx")

    office = openpyxl.load_workbook(book("市委科技办", "2025"))
    sheet = office["任务指标"]
    for label, target, done in (("新认定高新技术企业", 300, 320), ("举办院企对接活动", 12, 11)):
        cells(sheet, "目标值", label, "任务指标").value = target
        cells(sheet, "完成值", label, "任务指标").value = done
    cells(sheet, "任务指标", "布局建设中试平台", "任务指标").value = "布局建设中试基地"
    cells(sheet, "计量单位", "布局建设概念验证中心", "任务指标").value = "万元"
    office.save(inbox / "市委科技办.xlsx")

    result = sti("--home", home, "run", "2025", "--inbox", inbox, *ACCEPT)
    assert result.exit_code == 0, result.stderr + result.stdout
    assert "布局建设中试平台" in result.stdout
    return home


def test_a_fall_in_one_area_of_a_fen_is_a_fall_there_alone(annual_home: Path, changed_home: Path) -> None:
    before, after = (
        {area: row["state"] for (target, area), row in progress(home, "2025").items() if target == "gov_total_not_fall"}
        for home in (annual_home, changed_home)
    )
    assert before["330421"] == "已达到"
    assert after == before | {"330421": "未达到"}
    row = progress(changed_home, "2025")["gov_total_not_fall", "330421"]
    assert row["gap"] == Decimal("0.0001")


def test_half_to_the_fen_is_half(changed_home: Path) -> None:
    rows = published(
        changed_home,
        "select share_pct, state from mart_target_unit where period = '2025' and unit_name = '示例产业技术研究院10'",
    )
    assert rows == [(50.0, "已达到")]


def test_without_unit_records_nobody_knows_of_state_owned_and_high_tech_ones(changed_home: Path) -> None:
    found = progress(changed_home, "2025")
    for target in ("soe_rd_above_city", "high_tech_share"):
        row = found[target, CITY]
        assert (row["value"], row["state"], row["value_note"]) == (None, "不可判定", "unit_data_withheld")
    # The area sums are of the same frame: the city's own growth stands.
    assert found["enterprise_rd_2027", CITY]["growth_note"] is None


def test_a_lower_target_in_the_sheet_makes_nothing_reached_and_is_asked_about(
    changed_home: Path, sti: Callable[..., Result]
) -> None:
    found = progress(changed_home, "2025")
    row = found["commit_high_tech_new", CITY]
    assert (row["value"], row["target_value"], row["reported_target_value"]) == (320, 350, 300)
    assert (row["state"], row["value_note"]) == ("未达到", "reported_target_lower")
    row = found["commit_matchmaking", CITY]
    assert (row["state"], row["value_note"], row["reported_target_value"]) == ("已达到", "reported_target_higher", 12)
    findings = json.loads(sti("--home", changed_home, "findings", "2025", "--json").stdout)
    by_rule: dict[str, list[str]] = {}
    for finding in findings:
        by_rule.setdefault(finding["rule_id"], []).append(finding["subject"])
    assert [subject.split("/")[1] for subject in by_rule["TGT-005"]] == ["commit_high_tech_new"]
    assert {s.split("/")[1] for s in by_rule["TGT-006"]} == {"commit_pilot_platform", "commit_poc_center"}


def test_a_commitment_that_left_the_sheet_is_lacking_and_a_new_one_is_shown(changed_home: Path) -> None:
    found = progress(changed_home, "2025")
    row = found["commit_pilot_platform", CITY]
    assert (row["value"], row["target_value"], row["state"], row["value_note"]) == (None, 15, "缺数", "no_row")
    (new,) = [row for row in found.values() if not row["is_planned"]]
    assert (new["target_name"], new["value"], new["target_value"]) == ("布局建设中试基地", 12, 15)
    assert (new["state"], new["value_note"], new["clause"]) == ("未达到", "not_in_plan", "（十）")
    row = found["commit_poc_center", CITY]
    assert (row["value"], row["state"], row["value_note"]) == (None, "不可判定", "unit_differs")
