"""The text's worked examples from workbook to figure: written as workbooks, read, built once, and looked up in the marts.

Each example is a half-year of its own; the last is reported as sums by area, a year after the first.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest

from orchestration import dbt
from sources.contracts import tables
from tests.elimination.examples import (
    HOSPITAL_B,
    UNIVERSITY_A,
    Example,
    examples,
    government,
    payment,
    received,
    together,
    unit,
)
from tests.elimination.returns import complete, receive, sloppily_typed
from tests.elimination.rows import Tables, row
from warehouse.paths import Home

LOOK_THROUGH, BY_AREA, SLOPPY = "2026H1", "2027H1", "2024H1"
"""In the last one the payers' side is typed sloppily: a chain of three hangs on numbers and codes being compared normalised."""
EXAMPLE_OF = dict(zip(("2026H1", "2024H1", "2024H2", "2025H1", "2025H2", "2026H2", "2027H2"), examples(), strict=False))
FROM_GOVERNMENT_OR_ENTERPRISES = {"中央直拨", "省级直拨", "市县财政", "上级转移支付", "企业合同"}
CUTS = ("OE_CAP", "OG_T3_LIMIT", "UNIT_CAP", "BUREAU_CAP", "LAY_FAILED")


def sums_by_area() -> Tables:
    """A university with 50 of which 20 came from 市财政局, a hospital with 10 in another area; firms only as sums by area."""
    table_id = "statistics_bureau__enterprise_rd_area"
    in_another_area = unit(HOSPITAL_B, 10)
    in_another_area["health_commission__unit"][0]["area_key"] = "330402"
    sums = [
        row(table_id, frame_category="工业", rd_expense_wan=600, overlap_university_wan=70, from_government_wan=8),
        row(table_id, frame_category="工业", area_key="330402", overlap_hospital_wan=4),
        row(table_id, frame_category="服务业", area_key="330402", rd_expense_wan=77, overlap_hospital_wan=99),
    ]
    return together(
        government(20, payment(UNIVERSITY_A, 20, "P1")),
        unit(UNIVERSITY_A, 50, received("市县财政", 20, "P1")),
        in_another_area,
        {table_id: sums},
    )


class Built(NamedTuple):
    """The file that dbt built of all the half-years."""

    candidate: Path

    def sql(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.candidate), read_only=True) as connection:
            return connection.execute(query, list(values)).fetchall()

    def city(self, period: str, column: str = "value_wan") -> dict[str, Any]:
        query = f"select indicator_id, {column} from mart_half_year_monitoring where period = ? and area_key = '330400'"
        return dict(self.sql(query, period))

    def ledger(self, period: str) -> set[tuple[Any, ...]]:
        columns = "reason, tier, unit_code, amount_wan, first_recipient, counterparty_code, reference_no"
        return set(self.sql(f"select {columns} from fct_elimination where period = ?", period))

    def cuts(self, period: str) -> dict[str, int]:
        query = f"select finding_kind, count(*) from fct_elimination_finding where period = ? and finding_kind in {CUTS} group by all"
        return dict(self.sql(query, period))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("examples")
    home = Home.at(folder / "home")
    cities = {period: example.tables for period, example in EXAMPLE_OF.items()} | {BY_AREA: sums_by_area()}
    for period, city in cities.items():
        receive(complete(sloppily_typed(city) if period == SLOPPY else city), period, home, folder)
    nodes = dbt.build(home).results
    assert [(n.node.name, n.message) for n in nodes if str(n.status) not in ("success", "pass")] == []
    return Built(home.candidate)


@pytest.mark.parametrize(("period", "example"), EXAMPLE_OF.items(), ids=lambda value: getattr(value, "name", value))
def test_a_worked_example_comes_out_of_workbooks_as_the_text_states_it(
    built: Built, period: str, example: Example
) -> None:
    city = built.city(period)
    assert (city["sti_total"], city["other_gross"], city["other_net"]) == (
        example.total,
        example.o_gross,
        example.o_net,
    )
    assert built.ledger(period) == example.ledger
    assert built.cuts(period) == example.findings


def test_money_that_passes_through_a_university_is_counted_once_and_not_790_640_or_600(built: Built) -> None:
    inflow = [one for table_id, rows in examples()[0].tables.items() if table_id.endswith("inflow") for one in rows]
    direct = [one["amount_wan"] for one in inflow if one["fund_channel"] in FROM_GOVERNMENT_OR_ENTERPRISES]
    handed = [one["amount_wan"] for one in inflow if one["final_source_channel"] in FROM_GOVERNMENT_OR_ENTERPRISES]
    city = built.city(LOOK_THROUGH)
    nothing_removed = city["gov_total"] + city["enterprise_rd"] + city["other_gross"]
    all_removed = nothing_removed - sum(direct)
    all_removed_with_look_through = all_removed - sum(handed)
    assert (nothing_removed, all_removed, all_removed_with_look_through) == (790, 640, 600)
    assert city["sti_total"] == 620


def test_a_removal_shows_the_rows_of_both_sides(built: Built) -> None:
    [(evidence,)] = built.sql(
        "select evidence from fct_elimination where period = ? and reason = 'OG' and unit_code = ?",
        LOOK_THROUGH,
        HOSPITAL_B,
    )
    places = set()
    for table_id in tables("half_year"):
        query = f"select '{table_id}', sheet_name, row_number from staging.stg_{table_id} where row_id in (select unnest(?))"
        places |= set(_from_home(built, query, json.loads(evidence)))
    assert places == {
        ("finance_bureau__gov_payment", "拨付明细", 4),
        ("education_bureau__inflow", "经费来源明细", 4),
    }


def test_everything_that_stays_in_the_candidate_opens_when_the_steps_are_gone(built: Built) -> None:
    with duckdb.connect(str(built.candidate), read_only=True) as connection:
        views = connection.execute(
            "select schema_name || '.' || view_name from duckdb_views() where not internal"
        ).fetchall()
    assert len(views) > 30
    for (view,) in views:
        _from_home(built, f"select * from {view} limit 1")


def _from_home(built: Built, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """Ask with the paths of the staging views, which are relative to the home."""
    with duckdb.connect(str(built.candidate), read_only=True) as connection:
        connection.execute(f"set file_search_path = '{built.candidate.parent.parent}'")
        return connection.execute(query, list(values)).fetchall()


def test_sums_by_area_are_removed_up_to_what_the_sector_has_left_there(built: Built) -> None:
    assert built.ledger(BY_AREA) == {
        ("OG", "T1", UNIVERSITY_A, 20, "", "", "P1"),
        ("OE", "bureau", "", 30, "", "", ""),
        ("OE", "bureau", "", 4, "", "", ""),
    }
    assert built.cuts(BY_AREA) == {"BUREAU_CAP": 1}
    city = built.city(BY_AREA)
    assert (city["enterprise_rd"], city["other_gross"], city["other_net"], city["sti_total"]) == (600, 60, 6, 626)
    areas = built.sql(
        "select area_key, value_wan from mart_half_year_monitoring "
        "where period = ? and indicator_id = 'other_net' and value_wan > 0",
        BY_AREA,
    )
    assert sorted(areas) == [("330400", 6), ("330402", 6)]


def test_a_half_year_in_sums_is_compared_with_one_in_unit_records(built: Built) -> None:
    growth = built.city(BY_AREA, "growth_pct")
    assert (growth["enterprise_rd"], growth["other_net"]) == (20, -70)
    assert growth["sti_total"] == pytest.approx((626 / 620 - 1) * 100)
    memo = {
        (period, memo_id): value
        for period, memo_id, value in built.sql(
            "select period, memo_id, value_wan from mart_overlap_memo where area_key = '330400'"
        )
    }
    assert (memo[BY_AREA, "EG"], memo[BY_AREA, "EE"]) == (8, None)
    assert memo[LOOK_THROUGH, "EE"] == 0
