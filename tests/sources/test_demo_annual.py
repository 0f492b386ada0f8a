"""The demo city's annual returns, read as any hand-in: they agree with its half-years, and obey what the annual forms add."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from sources.contracts import providers_of
from sources.demo_city import write_demo_city
from sources.reference import area_names
from sources.workbook import read_workbook

PERIODS = ("2025H2", "2024", "2025")
UNITS = ("education_bureau__unit", "science_bureau__unit", "health_commission__unit")

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small city's two years, and the whole-year half-year return beside the second."""
    out = tmp_path_factory.mktemp("annual_city")
    write_demo_city(out, scale=0.01, seed=3, periods=PERIODS)
    return out


@pytest.fixture(scope="module")
def city(folder: Path) -> dict[tuple[str, str], Rows]:
    """The rows of every table by period and table id."""
    tables = {}
    for path in sorted(folder.glob("20*/*.xlsx")):
        reading = read_workbook(path)
        assert reading.period == path.parent.name, path
        for table_id, read in reading.tables.items():
            assert read.rows is not None, (path, table_id)
            tables[reading.period, table_id] = read.rows.to_pylist()
    return tables


def test_the_six_providers_send_all_their_annual_tables(city: dict[tuple[str, str], Rows], folder: Path) -> None:
    wanted = {t.table_id for p in providers_of("year") for t in p.tables_of("year")}
    wanted.remove("statistics_bureau__enterprise_rd_area")
    for year in ("2024", "2025"):
        assert {table_id for period, table_id in city if period == year} == wanted
        assert len(list((folder / year).iterdir())) == 6


def test_a_year_is_its_whole_year_half_return_and_research_of_the_year_before(
    city: dict[tuple[str, str], Rows],
) -> None:
    own = {"row_id", "period", "file_sha256", "sheet_name", "row_number", "data_year", "rd_expenditure_wan"}
    for (period, table_id), rows in city.items():
        if period != "2025H2":
            continue
        annual = city["2025", table_id]
        left = [{k: v for k, v in row.items() if k not in own and not k.endswith("_status")} for row in rows]
        right = [{k: v for k, v in row.items() if k not in own and not k.endswith("_status")} for row in annual]
        assert left == right, table_id
    for table_id in UNITS:
        for year in ("2024", "2025"):
            assert {row["data_year"] for row in city[year, table_id]} == {int(year) - 1}
            assert all(row["rd_expenditure_wan"] > 0 for row in city[year, table_id])
        before = {row["unit_code"]: row["rd_expenditure_wan"] for row in city["2024", table_id]}
        assert all(0.8 < row["rd_expenditure_wan"] / before[row["unit_code"]] < 1.4 for row in city["2025", table_id])


def test_research_is_more_than_its_parts_and_only_the_city_level_has_no_gdp(city: dict[tuple[str, str], Rows]) -> None:
    for year in ("2024", "2025"):
        rows = city[year, "statistics_bureau__rd_gdp"]
        assert {row["area_key"] for row in rows} == area_names().keys() - {"330400"}
        for row in rows:
            parts = [row[f"rd_expenditure_{who}_wan"] for who in ("enterprise", "university", "institute", "hospital")]
            assert row["data_year"] == int(year) - 1 and row["rd_expenditure_wan"] >= sum(parts)
            assert (row["gdp_wan_status"] == "nil") == (row["area_key"] == "JX-CITY")
            if row["gdp_wan_status"] != "nil":
                assert 0.025 < row["rd_expenditure_wan"] / row["gdp_wan"] < 0.045


def test_the_gate_finds_nothing_mandatory_in_them(folder: Path, sti: Callable[..., Result], tmp_path: Path) -> None:
    result = sti("--home", tmp_path, "check", *sorted((folder / "2025").iterdir()), "--json")
    checked = json.loads(result.stdout)
    assert len(checked) == 6
    assert [f["message"] for each in checked for f in each["findings"] if f["rule_class"] == "mandatory"] == []
