"""What Dagster loads: names that users hold on to, descriptions, owners, as many checks as tests, nothing in preview."""

import json
import subprocess
import sys

import dagster as dg
import pytest

from expectations.rules import SUITES_DIR
from orchestration import dbt
from orchestration.definitions import BACKFILL_JOB, HALF_YEAR_JOB, YEAR_JOB, defs
from orchestration.models import GATE_2_TABLES
from orchestration.partitions import PERIODS
from sources import contracts
from sources.reference import periods

GRAPH = defs.resolve_asset_graph()
KEYS = {"/".join(key.path) for key in GRAPH.get_all_asset_keys()}
TABLES = contracts.tables()
NODES = json.loads(dbt.ensure_manifest().read_text(encoding="utf-8"))["nodes"].values()


def test_one_id_runs_through_contract_asset_suite_and_staging_model() -> None:
    models = {node["name"] for node in NODES if node["resource_type"] == "model"}
    suites = {path.stem for path in SUITES_DIR.glob("*.yaml")}
    for table_id in TABLES:
        assert {f"raw/{table_id}", f"accepted/{table_id}"} <= KEYS
        assert f"stg_{table_id}" in models
        assert table_id in suites
    assert {m.removeprefix("stg_") for m in models if m.startswith("stg_")} == set(TABLES)
    assert {k.split("/")[1] for k in KEYS if k.startswith(("raw/", "accepted/"))} == set(TABLES)


def test_staging_has_the_contracts_columns_in_the_contracts_order() -> None:
    nodes = {node["name"]: node for node in NODES if node["resource_type"] == "model"}
    for table_id, table in TABLES.items():
        assert list(nodes[f"stg_{table_id}"]["columns"]) == table.schema.names, table_id


def test_asset_keys_are_not_renamed_by_accident() -> None:
    stable = {
        "archive/inbox",
        "published/warehouse",
        "reports/annex1",
        "reports/annex2",
        "reports/submission_board",
        "reports/targets",
        "marts/mart_half_year_monitoring",
        "facts/fct_input",
    }
    stable |= {f"archive/{provider.provider}" for provider in contracts.providers().values()}
    stable |= {f"dims/dim_{name}" for name in ("area", "indicator", "period", "unit")}
    assert stable <= KEYS


def test_every_asset_has_a_chinese_description_an_owner_and_a_layer() -> None:
    layers = {
        "archive",
        "raw",
        "accepted",
        "seeds",
        "staging",
        "intermediate",
        "elimination",
        "evaluation",
        "targets",
        "facts",
        "marts",
        "published",
        "reports",
    }
    for key in GRAPH.get_all_asset_keys():
        node = GRAPH.get(key)
        assert any("\u4e00" <= c <= "\u9fff" for c in node.description or ""), key
        assert node.owners, key
        assert node.group_name in layers, key


def test_every_dbt_test_and_every_suite_is_a_check() -> None:
    tests = {node["name"] for node in NODES if node["resource_type"] == "test"}
    checks = {(("/".join(key.asset_key.path)), key.name) for key in GRAPH.asset_check_keys}
    assert tests <= {name for _, name in checks}
    assert {asset for asset, name in checks if name == "gate_1"} == {f"raw/{table_id}" for table_id in TABLES}
    judged = {asset.split("/")[1] for asset, name in checks if name == "gate_2"}
    assert judged == set(GATE_2_TABLES)
    assert {"mart_half_year_monitoring", "mart_annual_monitoring", "mart_annual_evaluation"} <= judged


def test_lineage_runs_unbroken_from_the_inbox_to_the_annex() -> None:
    seen, frontier = set(), {dg.AssetKey(["reports", name]) for name in ("annex1", "annex2")}
    while frontier:
        seen |= frontier
        frontier = {parent for key in frontier for parent in GRAPH.get(key).parent_keys} - seen
    # The board and the progress to the targets look on from beside: no figure of the annex comes from them.
    beside = {"reports/submission_board", "reports/targets"}
    assert {"/".join(key.path) for key in seen} >= {key for key in KEYS - beside if not key.startswith("seeds/")}


def test_partitions_are_the_calendars_half_years_and_years_newest_first() -> None:
    assert PERIODS.get_partition_keys() == list(periods())[::-1]
    assert PERIODS.get_partition_keys()[-3:] == ["2024", "2024H2", "2024H1"]
    for name in (HALF_YEAR_JOB, YEAR_JOB, BACKFILL_JOB):
        assert defs.resolve_job_def(name).partitions_def == PERIODS


def test_only_a_year_asks_the_office_for_its_commitments() -> None:
    steps = {name: {node.name for node in defs.resolve_job_def(name).nodes} for name in (HALF_YEAR_JOB, YEAR_JOB)}
    assert steps[YEAR_JOB] - steps[HALF_YEAR_JOB] == {
        "archive__sti_office",
        "read_sti_office",
        "accept_sti_office",
        "reports__annex2",
    }
    assert steps[HALF_YEAR_JOB] - steps[YEAR_JOB] == {"reports__annex1"}


def test_definitions_load_without_a_warning_of_ours_or_of_dagster() -> None:
    code = (
        "import warnings, json\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    from orchestration.definitions import defs\n"
        "    defs.resolve_asset_graph()\n"
        "print(json.dumps([[w.category.__name__, w.filename, str(w.message)] for w in caught]))\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    # sqlglot's optional tokenizer announces its own end of life; it is a dependency of dagster-dbt.
    assert [w for w in json.loads(out) if "sqlglotrs" not in w[1]] == []


@pytest.mark.parametrize("name", [HALF_YEAR_JOB, YEAR_JOB, BACKFILL_JOB])
def test_jobs_run_in_one_process(name: str) -> None:
    assert defs.resolve_job_def(name).executor_def.name == "in_process"
