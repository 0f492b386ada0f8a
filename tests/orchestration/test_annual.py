"""The sample city's years through the public door: annual workbooks in, figures of annex 2 out, against the expected results."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from click.testing import Result

from tests.conftest import ACCEPT, SAMPLES
from tests.orchestration.expected import FIELDS, compare_annex2, compare_areas, compare_ledger, expected, published


@pytest.mark.parametrize("field", FIELDS)
def test_every_annual_figure_equals_the_expected_one_to_the_last_digit(annual_home: Path, field: str) -> None:
    compared = compare_areas(annual_home, "2025", "mart_annual_monitoring", field)
    assert compared > (30 if field != "growth_reason" else 3)


def test_the_annual_elimination_ledger_and_its_sums_equal_the_expected_ones_row_by_row(annual_home: Path) -> None:
    compare_ledger(annual_home, "2025")


def test_the_annual_total_equals_the_expected_one_in_every_area(annual_home: Path) -> None:
    rows = published(
        annual_home,
        "select area_key, value_wan from mart_annual_monitoring where period = '2025' and indicator_id = 'sti_total'",
    )
    wanted = {("330400" if k == "CITY" else k): Decimal(v) for k, v in expected("2025")["sti_total_wan"].items()}
    assert dict(rows) == wanted


def test_a_year_stands_beside_its_second_half_and_is_never_compared_with_it(annual_home: Path) -> None:
    rows = published(
        annual_home,
        "select period, value_wan, base_period, base_wan, basis from mart_half_year_monitoring "
        "where area_key = '330400' and indicator_id = 'enterprise_rd' union all "
        "select period, value_wan, base_period, base_wan, basis from mart_annual_monitoring "
        "where area_key = '330400' and indicator_id = 'enterprise_rd' order by 1",
    )
    assert [(period, base, basis) for period, _, base, _, basis in rows] == [
        ("2024", "2023", "year|规上企业"),
        ("2025", "2024", "year|规上企业"),
        ("2025H2", "2024H2", "half_year|规上工业"),
    ]
    assert rows[1][1] != rows[2][1]
    assert rows[1][3] == rows[0][1]
    # 2024H2 was never sent: the whole year 2024 does not stand in for it.
    assert rows[2][3] is None


def test_the_board_of_a_year_lists_the_six_who_owe_and_of_a_half_year_five(
    annual_home: Path, sti: Callable[..., Result]
) -> None:
    rows = json.loads(sti("--home", annual_home, "status", "--json").stdout)
    assert [row["单位"] for row in rows if row["报告期"] == "2025"][-1] == "市委科技办"
    assert {(p, sum(r["报告期"] == p for r in rows)) for p in ("2025", "2025H2")} == {("2025", 6), ("2025H2", 5)}
    assert {row["状态"] for row in rows if row["报告期"] in ("2025", "2025H2")} == {"已准入"}


ANNUAL_FAULTS = {
    "the four parts above the total": ("市统计局", "全社会研发与生产总值", "C6", 100, "RDG-002", "C6"),
    "GDP in another unit": ("市统计局", "全社会研发与生产总值", "H7", 580, "RDG-004", "H7"),
    "R&D of another year": ("市统计局", "全社会研发与生产总值", "B8", 2025, "ANN-001", "B8"),
    "a unit's R&D of another year": ("市教育局", "科技活动费用", None, 2023, "ANN-001", None),
    "a target that is no number": ("市委科技办", "任务指标", "D6", None, "COM-001", "D6"),
    "more than all": ("市委科技办", "任务指标", "E5", 182, "COM-004", "E5"),
}


@pytest.mark.parametrize("name", ANNUAL_FAULTS)
def test_a_fault_in_an_annual_sheet_is_named_by_its_cell(name: str, sti: Callable[..., Result], tmp_path: Path) -> None:
    provider, sheet, cell, value, rule, at = ANNUAL_FAULTS[name]
    book = openpyxl.load_workbook(SAMPLES / "2025" / f"{provider}_2025.xlsx")
    if cell is None:
        heading = next(c for row in book[sheet].iter_rows() for c in row if str(c.value).strip() == "数据年度")
        cell = at = f"{heading.column_letter}{heading.row + 2}"
    book[sheet][cell] = value
    book.save(tmp_path / "改.xlsx")
    result = sti("--home", tmp_path, "check", tmp_path / "改.xlsx", "--json")
    found = [(f["rule_id"], f["cell"]) for f in json.loads(result.stdout)[0]["findings"]]
    assert (rule, at) in found, found
    assert result.exit_code == 2


def test_a_year_that_lacks_the_list_of_commitments_is_not_published(tmp_path: Path, sti: Callable[..., Result]) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    for path in (SAMPLES / "2024").glob("*.xlsx"):
        if "市委科技办" not in path.name:
            (inbox / path.name).write_bytes(path.read_bytes())
    result = sti("--home", tmp_path / "home", "run", "2024", "--inbox", inbox, *ACCEPT)
    assert result.exit_code == 2
    assert "市委科技办没有报送2024年全年的报表" in result.stderr
    assert not (tmp_path / "home" / "published").exists()


def test_annex_2_equals_the_expected_one_to_the_last_digit_scores_composites_and_ranks_too(annual_home: Path) -> None:
    assert compare_annex2(annual_home, 2025) == 327


def test_every_figure_of_annex_2_bears_the_year_that_its_number_is_of(annual_home: Path) -> None:
    rows = published(
        annual_home, "select distinct indicator_id, data_year from mart_annual_evaluation where year = 2025"
    )
    this_year = {
        "gov_total",
        "gov_platform",
        "gov_talent",
        "gov_poc_pilot",
        "gov_incubator",
        "enterprise_rd",
        "sti_activity",
    }
    assert set(rows) == {(i, 2025 if i in this_year else 2024) for i, _ in rows}
    assert len(rows) == 11


def test_what_cannot_be_compared_with_last_year_says_why(annual_home: Path) -> None:
    rows = published(
        annual_home,
        "select distinct indicator_id, dimension, note_code from mart_annual_evaluation "
        "where year = 2025 and subject_type = 'area' and note_code is not null",
    )
    # No annual return of 2023: the ratio of 2024 has no denominator, and so no change to 2025.
    assert rows == [("rd_to_sti", "growth", "base_missing")]
    ((notes,),) = published(
        annual_home,
        "select count(*) from mart_annual_evaluation where value is null and (note is null or score_points is not null)",
    )
    assert notes == 0


def test_sectors_and_the_city_have_figures_and_no_score(annual_home: Path) -> None:
    rows = published(
        annual_home,
        "select subject_type, count(value), count(score_points) from mart_annual_evaluation "
        "where year = 2025 and subject_type in ('sector', 'city') group by all order by 1",
    )
    assert rows == [("city", 26, 0), ("sector", 12, 0)]


def test_the_published_formulas_work_every_score_out_again(annual_home: Path) -> None:
    # The macros are doubles: where all shares of a group lie within a millionth of each other, seven places are what they hold.
    ((scored, wrong),) = published(
        annual_home,
        "select count(*), count(*) filter (abs(efficacy_linear(value, unacceptable, satisfactory, 60, 40) - score_points) > 1e-6) "
        "from mart_annual_evaluation where score_points is not null",
    )
    assert (scored > 500, wrong) == (True, 0)


def test_scores_are_marked_provisional_wherever_they_show(annual_home: Path, sti: Callable[..., Result]) -> None:
    assert published(annual_home, "select distinct scheme_id, is_provisional from mart_annual_ranking") == [
        ("provisional", True)
    ]
    shown = sti("--home", annual_home, "score", "2025", "南湖区")
    assert "暂定" in shown.stdout.splitlines()[0]
    rows = json.loads(sti("--home", annual_home, "score", "2025", "330402", "--json").stdout)["figures"]
    assert len(rows) == 27
    assert all("暂定" in row["得分"] for row in rows if row["得分"])
    assert sti("--home", annual_home, "score", "2025", "不存在").exit_code == 1
    assert sti("--home", annual_home, "score", "2025H2", "330402").exit_code == 1


def test_an_annual_return_is_compared_with_the_year_before_and_with_no_half_year(
    annual_home: Path, sti: Callable[..., Result]
) -> None:
    found = json.loads(sti("--home", annual_home, "findings", "2025", "--json").stdout)
    compared = [f["message"] for f in found if f["rule_id"] in ("CMP-001", "CMP-002", "CMP-003")]
    assert compared and all("上年同期（2024年全年）" in message for message in compared)
    assert not [f for f in found if f["rule_id"] in ("CMP-004", "RD-095")]


def test_every_rank_has_an_interval_and_people_see_it_with_how_it_came_about(
    annual_home: Path, sti: Callable[..., Result]
) -> None:
    rows = published(
        annual_home,
        "select count(*), count(*) filter (1 <= rank_low and rank_low <= rank_high and rank_high <= ranked), "
        "count(*) filter (rank_low < rank_high), min(rank_kept_pct + rank_first_pct) >= 0, min(rank_draw_count), max(rank_coverage_pct) "
        "from (select *, count(rank) over (partition by year, subject_type) as ranked from mart_annual_ranking) where rank is not null",
    )
    ((ranked, sound, wide, is_share, draws, coverage),) = rows
    assert ranked == sound > wide > 0
    assert (is_share, draws, coverage) == (True, 5000, 90)
    shown = sti("--home", annual_home, "score", "2025", "南湖区").stdout
    assert "位次区间" in shown and "5000 次" in shown
    (standing,) = json.loads(sti("--home", annual_home, "score", "2025", "330402", "--json").stdout)["ranking"]
    low, high = published(
        annual_home, "select rank_low, rank_high from mart_annual_ranking where year = 2025 and subject_key = '330402'"
    )[0]
    assert standing["位次区间"] == (str(low) if low == high else f"{low}–{high}")
