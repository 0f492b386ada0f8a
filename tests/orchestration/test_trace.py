"""Every published figure is traced to cells that add up to it, whether 市统计局 sent unit records or only its sums by area."""

import json
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result

from sources import reader_process
from sources.reference import area_names
from sources.workbook import read_workbook
from tests.conftest import ACCEPT, SAMPLES, run_sti
from tests.workbooks import write_return

AREA = "330402"
INDICATORS = (
    *("gov_total", "gov_platform", "gov_talent", "gov_poc_pilot", "gov_incubator", "enterprise_rd"),
    *("university_sti", "institute_sti", "hospital_sti", "other_gross", "other_eliminated", "other_net", "sti_total"),
    *("special_bond", "soe_platform", "industry_fund", "EG", "EE"),
)
OVERLAPS = {
    "education_bureau": "与高校重复额",
    "science_bureau": "与科研机构重复额",
    "health_commission": "与医疗卫生机构重复额",
}
SHEET = "规上企业研发费用（分地区）"


def ask(home: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(home / "published" / "warehouse.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def sums_by_area(unit_home: Path) -> list[dict[str, Any]]:
    """The sample's enterprises of 2026H1 as 市统计局's own sums in 千元, with the overlaps that unit records gave."""
    [enterprises] = [
        reading.rows.to_pylist()
        for path in (SAMPLES / "2026H1").glob("市统计局*.xlsx")
        for table_id, reading in read_workbook(path).tables.items()
        if table_id == "statistics_bureau__enterprise_rd" and reading.rows is not None
    ]
    found: dict[tuple[str, str], Decimal] = {
        (provider, area): amount
        for provider, area, amount in ask(
            unit_home,
            "select provider, area, sum(amount_wan) from fct_elimination where period = '2026H1' and reason = 'OE' group by all",
        )
    }
    # A row of every area: performers may be where no enterprise is.
    keys = {(one["area_key"], one["frame_category"]) for one in enterprises} | {
        (area, "工业") for area in area_names() if area != "330400"
    }
    rows = []
    for area, category in sorted(keys):
        own = [one for one in enterprises if (one["area_key"], one["frame_category"]) == (area, category)]
        columns = {
            "研究开发费用合计": "rd_expense_wan",
            "委托境内研究机构": "external_rd_institute_wan",
            "委托境内高等学校": "external_rd_university_wan",
            "来自政府部门的资金": "from_government_wan",
        }
        rows.append(
            {"地区": area_names()[area], "规上类别": category, "企业数": len(own)}
            | {heading: float(sum(one[c] or 0 for one in own) * 10) for heading, c in columns.items()}
            | {h: float(found.get((p, area), 0) * 10) if category == "工业" else 990 for p, h in OVERLAPS.items()}
        )
    return rows


@pytest.fixture(scope="module")
def area_home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample home after 市统计局 has replaced its unit records of 2026H1 by its sums by area."""
    folder = tmp_path_factory.mktemp("by_area")
    home = folder / "home"
    shutil.copytree(sample_home, home, ignore=shutil.ignore_patterns("dagster", "dbt"))
    sheets = {"statistics_bureau__enterprise_rd_area": sums_by_area(sample_home)}
    (folder / "inbox").mkdir()
    path = folder / "inbox" / "市统计局_2026H1.xlsx"
    write_return(path, "statistics_bureau", sheets, unit="千元", reported_on="2026年9月10日")
    result = run_sti("--home", home, "run", "2026H1", "--inbox", folder / "inbox", *ACCEPT, "--json")
    assert result.exit_code == 0, result.stderr
    # What had been accepted of the records went with them: a count of this run's acceptances is not below 0.
    assert json.loads(result.stdout)["accepted_query_count"] >= 0
    return home


def traced(home: Path, area: str, indicator: str, period: str = "2026H1") -> dict[str, Any]:
    result = run_sti("--home", home, "trace", "--period", period, "--area", area, "--indicator", indicator, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def check(home: Path, area: str, indicator: str, found: dict[str, Any]) -> None:
    table, key = (
        ("mart_overlap_memo", "memo_id") if len(indicator) == 2 else ("mart_half_year_monitoring", "indicator_id")
    )
    [(value,)] = ask(
        home, f"select value_wan from {table} where period = '2026H1' and area_key = '{area}' and {key} = '{indicator}'"
    )
    cells = sum(Decimal(c["value_wan"]) for c in found["cells"] if c["value_wan"])
    removed = sum(Decimal(r["amount_wan"]) for r in found["removals"])
    assert found["is_explained"]
    assert Decimal(found["value_wan"]) == value == (removed if indicator == "other_eliminated" else cells - removed)
    assert all(r["evidence"] for r in found["removals"])


@pytest.mark.parametrize("indicator", [i for i in INDICATORS if not i.startswith(("other_", "sti_"))])
def test_every_figure_of_unit_records_before_removal_is_traced_to_cells_that_add_up(
    sample_home: Path, indicator: str
) -> None:
    check(sample_home, AREA, indicator, traced(sample_home, AREA, indicator))


@pytest.mark.parametrize("indicator", [i for i in INDICATORS if i != "EE"])
def test_every_figure_from_sums_by_area_is_traced_to_cells_that_add_up(area_home: Path, indicator: str) -> None:
    area = "330400" if indicator in ("enterprise_rd", "EG") else AREA
    check(area_home, area, indicator, traced(area_home, area, indicator))


def test_what_the_bureau_removed_by_area_shows_the_cell_row_and_the_overlap_it_stated(area_home: Path) -> None:
    removals = [r for r in traced(area_home, AREA, "other_net")["removals"] if r["tier"] == "bureau"]
    [path] = (area_home.parent / "inbox").iterdir()
    sheet = openpyxl.load_workbook(path)[SHEET]
    headings = {str(cell.value): cell.column for row in sheet.iter_rows(max_row=4) for cell in row}
    assert {r["provider"] for r in removals} == {"education_bureau", "science_bureau"}
    for removal in removals:
        [place] = removal["evidence"]
        written = sheet.cell(place["row_number"], headings[OVERLAPS[removal["provider"]]]).value
        assert Decimal(str(written)) / 10 == Decimal(place["amount_wan"]) == Decimal(removal["amount_wan"])
        assert (place["sheet"], sheet.cell(place["row_number"], headings["地区"]).value) == (SHEET, "南湖区")


def test_enterprises_commissions_among_themselves_are_not_in_the_sums_and_the_trace_says_so(area_home: Path) -> None:
    found = traced(area_home, "330400", "EE")
    assert (found["value_wan"], found["is_explained"], found["note"]) == (None, False, "not_collected")
    ask_for_text = ("trace", "--period", "2026H1", "--area", "330400", "--indicator", "EE")
    assert "没有这一栏" in run_sti("--home", area_home, *ask_for_text).stdout


def test_sums_by_area_remove_what_the_unit_records_did_and_earlier_periods_stay_as_they_were(
    area_home: Path, sample_home: Path
) -> None:
    by_reason = "select sum(amount_wan) from fct_elimination where period = '2026H1' and reason = 'OE'"
    assert ask(area_home, by_reason) == ask(sample_home, by_reason)
    growth = (
        "select area_key, value_wan, base_wan, growth_pct, growth_note from mart_half_year_monitoring "
        "where period = '2026H1' and indicator_id = 'enterprise_rd' order by all"
    )
    assert ask(area_home, growth) == ask(sample_home, growth)
    earlier = "select * from fct_elimination where period < '2026H1' order by all"
    assert ask(area_home, earlier) == ask(sample_home, earlier)
    assert traced(area_home, AREA, "EE", "2025H1")["is_explained"]


def test_a_figure_whose_accepted_rows_changed_is_not_explained_by_others_of_the_same_sum(
    home_copy: Path, sti: Callable[..., Result]
) -> None:
    path = home_copy / "accepted" / "education_bureau__unit" / "2026H1" / "rows.parquet"
    table = pq.ParquetFile(path).read()
    amounts = table.column("sti_activity_wan").to_pylist()
    position = table.schema.get_field_index("sti_activity_wan")
    swapped = pa.array([*amounts[1:], amounts[0]], table.schema.field(position).type)
    path.chmod(0o644)
    pq.write_table(table.set_column(position, table.schema.field(position), swapped), path)
    trace = ("--home", home_copy, "trace", "--period", "2026H1", "--area", "330400", "--indicator")
    result = sti(*trace, "university_sti")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "sti run 2026H1" in result.stderr
    assert sti(*trace, "gov_total").exit_code == 0


def test_a_reader_that_dies_during_a_trace_is_told_plainly(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_process, "MOST_WALL_SECONDS", 0.0)
    arguments = ("trace", "--period", "2026H1", "--area", AREA, "--indicator", "enterprise_rd")
    result = run_sti("--home", sample_home, *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "没有追溯到单元格" in result.stderr
    assert "内部错误" not in result.stderr
