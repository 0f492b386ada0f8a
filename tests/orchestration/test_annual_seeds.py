"""A new year's document needs rows, not a release: an indicator, an area and other weights through seeds alone; a bureau that is missing."""

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

from expectations.judge import judge_database, load_suite
from orchestration.dbt import PROJECT_DIR
from tests.orchestration.expected import published

NEW_AREA = "JX-NEW"
RESULTS = "select * from mart_annual_ranking where {} order by all"


def add(project: Path, seed: str, *rows: dict[str, Any]) -> None:
    """Append rows to a seed; what a row leaves out is blank."""
    path = project / "seeds" / f"{seed}.csv"
    names = path.read_text(encoding="utf-8").splitlines()[0].split(",")
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.DictWriter(file, names, restval="", lineterminator="\n").writerows(rows)


def add_like(home: Path, table_id: str, area: str, share: Decimal) -> None:
    """Report the new area in 2025: the row of another area, its amounts a part of that one's."""
    path = home / "accepted" / table_id / "2025" / "rows.parquet"
    table = pq.read_table(path)
    row = next(row for row in table.to_pylist() if row["area_key"] == area)
    row |= {
        name: (value * share).quantize(Decimal("1e-6")) for name, value in row.items() if isinstance(value, Decimal)
    }
    row |= {"area_key": NEW_AREA, "row_id": row["row_id"] + ":new"}
    path.chmod(0o644)
    pq.write_table(pa.concat_tables([table, pa.Table.from_pylist([row], schema=table.schema)]), path)


@pytest.fixture(scope="module")
def changed(annual_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample years modelled again with more rows in the seeds, a tenth area, and without the institutes' bureau in 2025."""
    folder = tmp_path_factory.mktemp("changed")
    project, home = folder / "project", folder / "home"
    shutil.copytree(PROJECT_DIR, project, ignore=shutil.ignore_patterns("target", "logs"))
    shutil.copytree(annual_home / "accepted", home / "accepted")
    (home / "candidate").mkdir()
    for table in (home / "accepted").glob("science_bureau__*"):
        shutil.rmtree(table / "2025")
    since = {"valid_from": "2025-01-01"}
    add(project, "area", {"area_key": NEW_AREA, "area_name": "示例新区", "area_type": "zone", "is_ranked": "true",
                          "sort_order": 11, **since})  # fmt: skip
    at = {"subject_type": "area", "indicator_id": "science_in_budget"}
    add(project, "annual_indicator", {**at, "annex_no": "试", "sort_order": 90, "indicator_name": "财政科学技术支出占比", "unit": "%",
                                      "value_kind": "ratio", "numerator": "science_technology_expenditure",
                                      "denominator": "general_budget_expenditure", "data_year_offset": 0, **since})  # fmt: skip
    add(project, "annual_dimension", {**at, "dimension": "level", **since})
    add(project, "scoring_weight", {"scheme_id": "provisional", **at, "weight": "2.5"})
    add(project, "scoring_dimension", {"scheme_id": "provisional", **at, "dimension": "level"})
    for table_id in ("finance_bureau__gov_input", "statistics_bureau__rd_gdp"):
        add_like(home, table_id, "330402", Decimal("0.5"))
    options = [f"--{name}-dir={project}" for name in ("project", "profiles")]
    command = "from dbt.cli.main import cli; cli()"
    done = subprocess.run(
        [sys.executable, "-c", command, "--quiet", "--log-level-file", "none", "build", *options, "--exclude-resource-type", "unit_test", "test"],
        cwd=home, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "candidate" / "warehouse.duckdb"


def rows_of(warehouse: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_an_indicator_a_tenth_area_and_a_weight_need_rows_only_and_leave_the_year_before_alone(
    annual_home: Path, changed: Path
) -> None:
    ranked = rows_of(
        changed,
        "select subject_key, rank, full_weight from mart_annual_ranking where year = 2025 and subject_type = 'area'",
    )
    assert sorted(rank for _, rank, _ in ranked) == list(range(1, 11))
    assert NEW_AREA in {key for key, _, _ in ranked}
    # Seven of the document's own (four of them a quarter each), and the new one.
    assert {weight for _, _, weight in ranked} == {Decimal("9.5")}
    scored = rows_of(
        changed,
        "select count(score_points), min(weight), max(data_year) from mart_annual_evaluation "
        "where year = 2025 and indicator_id = 'science_in_budget'",
    )
    assert scored == [(10, Decimal("2.5"), 2025)]
    # The year before, when neither was in force, stands as published, the intervals of its ranks too.
    before = RESULTS.format("year = 2024")
    assert rows_of(changed, before) == published(annual_home, before)


def test_units_of_a_bureau_that_did_not_send_stand_there_as_missing_and_nobody_else_is_touched(
    annual_home: Path, changed: Path
) -> None:
    institutes = "select subject_key, subject_name from mart_annual_ranking where year = {} and subject_type = 'institute' order by 1"
    assert rows_of(changed, institutes.format(2025)) == published(annual_home, institutes.format(2024))
    shown = rows_of(
        changed,
        "select distinct total_points, rank, rank_low, rank_high, scored_weight, note from mart_annual_ranking "
        "where year = 2025 and subject_type = 'institute'",
    )
    assert shown == [(None, None, None, None, Decimal(0), "部门本年度缺报，按 2024 年度的名单列出，不排位")]
    figures = rows_of(
        changed,
        "select distinct value, note_code, note is not null from mart_annual_evaluation "
        "where year = 2025 and subject_type = 'institute'",
    )
    assert figures == [(None, "value_missing", True)]
    others = RESULTS.format("year = 2025 and subject_type in ('university', 'hospital')")
    assert rows_of(changed, others) == published(annual_home, others)


def judged(warehouse: Path, home: Path) -> set[tuple[str, str]]:
    (verdict,) = judge_database([load_suite("mart_annual_ranking")], warehouse, "2025", home)
    return {(finding.rule_id, finding.rule_class) for finding in verdict.findings}


def test_gate_2_asks_nothing_more_of_a_missing_bureau_and_knows_an_impossible_interval(
    changed: Path, tmp_path: Path
) -> None:
    home = changed.parents[1]
    assert judged(changed, home) == set()
    wrong = tmp_path / "wrong.duckdb"
    shutil.copy(changed, wrong)
    with duckdb.connect(str(wrong)) as connection:
        connection.execute("update mart_annual_ranking set rank_high = 99 where year = 2025 and subject_key = '330402'")
        connection.execute(
            "update mart_annual_ranking set rank_low = rank + 1, rank_high = rank + 1 "
            "where year = 2025 and subject_type = 'hospital' and rank = 1"
        )
    assert judged(wrong, home) == {("RNK-003", "mandatory"), ("RNK-004", "note")}
