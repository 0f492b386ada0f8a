"""A new target, a moved one and another way to count need rows only; and what is missing stays missing."""

import csv
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.dbt import PROJECT_DIR
from tests.orchestration.test_annual_seeds import add

CITY = "330400"


def move(project: Path, target_id: str, until: str, **changes: Any) -> None:
    """End a target's row on a day and add one with changes, as whoever keeps the seeds would."""
    path = project / "seeds" / "target.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    old = next(row for row in rows if row["target_id"] == target_id)
    new = old | {name: str(value) for name, value in changes.items()}
    old["valid_to"] = until
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, new])


def change(path: Path, edit: Any) -> None:
    """Rewrite the rows of an accepted table."""
    table = pq.read_table(path)
    path.chmod(0o644)
    pq.write_table(pa.Table.from_pylist([edit(row) for row in table.to_pylist()], schema=table.schema), path)


@pytest.fixture(scope="module")
def candidate(annual_home: Path, sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("seeds")
    project, home = folder / "project", folder / "home"
    shutil.copytree(PROJECT_DIR, project, ignore=shutil.ignore_patterns("target", "logs"))
    shutil.copytree(annual_home / "accepted", home / "accepted")
    for period in ("2025H1", "2026H1"):
        for table in (sample_home / "accepted").iterdir():
            if (table / period).exists():
                shutil.copytree(table / period, home / "accepted" / table.name / period)
    (home / "candidate").mkdir()

    move(
        project,
        "sti_total_2027",
        "2024-12-31",
        threshold=8000000,
        target_name="2027年全市科技创新投入（调整）",
        valid_from="2025-01-01",
    )
    move(project, "institute_market_share", "2024-12-31", unit_threshold=20, valid_from="2025-01-01")
    move(project, "rd_intensity_2030", "2024-12-31", target_year=2024, valid_from="2025-01-01")
    add(project, "target", {"target_id": "platform_share", "target_name": "科研平台占政府投入的比重", "rule_kind": "level",
                            "comparison": "at_least", "provider": "finance_bureau", "scope": "area", "period_kinds": "year",
                            "measure": "gov_platform", "denominator": "gov_total", "threshold": 30, "unit": "%",
                            "data_year_offset": 0, "sort_order": 900, "source_clause": "（一）", "source_text": "试",
                            "in_force_from": "2025-01-01", "valid_from": "2025-01-01"})  # fmt: skip
    # No state-owned firms in 2025; in 2026H1 so few that their sum would give one away; no finance bureau in 2026H1.
    firms = home / "accepted" / "statistics_bureau__enterprise_rd"
    change(firms / "2025" / "rows.parquet", lambda row: row | {"is_state_controlled": False})
    half_year = firms / "2026H1" / "rows.parquet"
    two = [row["enterprise_code"] for row in pq.read_table(half_year).to_pylist() if row["is_state_controlled"]][:2]
    change(half_year, lambda row: row | {"is_state_controlled": row["enterprise_code"] in two})
    for table in ("finance_bureau__gov_input", "finance_bureau__gov_payment"):
        shutil.rmtree(home / "accepted" / table / "2026H1")

    options = [f"--{name}-dir={project}" for name in ("project", "profiles")]
    done = subprocess.run(
        [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "--log-level-file", "none", "build", *options,
         "--exclude-resource-type", "unit_test"],
        cwd=home, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "candidate" / "warehouse.duckdb"


def rows(candidate: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(candidate), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_a_target_is_added_and_moved_by_rows_alone_and_the_year_before_keeps_its_own(candidate: Path) -> None:
    found = rows(
        candidate,
        "select period, target_value, target_name, state_code from mart_target_progress where target_id = 'sti_total_2027' order by 1",
    )
    assert [(period, value) for period, value, _, _ in found] == [("2024", 8500000), ("2025", 8000000)]
    assert found[1][2:] == ("2027年全市科技创新投入（调整）", "reached")
    assert rows(candidate, "select period, count(*), count(value) from mart_target_progress where target_id = 'platform_share' group by 1") == [
        ("2025", 11, 11)
    ]  # fmt: skip
    # A target whose year is there and is not met is missed, no longer behind.
    assert rows(candidate, "select state_code, needed_note from mart_target_progress where target_id = 'rd_intensity_2030' and period = '2025'") == [
        ("missed", "past")
    ]  # fmt: skip


def test_each_institute_is_measured_by_the_threshold_in_force(candidate: Path) -> None:
    found = rows(candidate, "select distinct period, target_pct from mart_target_unit order by 1")
    assert found == [("2024", Decimal(50)), ("2025", Decimal(20))]


def test_no_state_owned_firms_and_too_few_of_them_are_no_figure(candidate: Path) -> None:
    query = (
        "select period, value, state_code, value_note from mart_target_progress "
        "where target_id = 'soe_rd_above_city' and period in ('2025', '2026H1') order by 1"
    )
    assert rows(candidate, query) == [
        ("2025", None, "undecidable", "no_units"),
        ("2026H1", None, "undecidable", "confidential"),
    ]


def test_a_half_year_without_the_finance_bureau_says_that_it_is_missing(candidate: Path) -> None:
    query = (
        "select target_id, count(*), count(value), min(state), max(state) from mart_target_progress "
        "where period = '2026H1' and provider = 'finance_bureau' group by 1 order by 1"
    )
    assert rows(candidate, query) == [
        ("gov_total_not_fall", 11, 0, "缺报", "缺报"),
        ("science_above_revenue", 11, 0, "缺报", "缺报"),
    ]
