"""The dbt models as assets, every dbt test as a check, and gate 2 on the finished candidate.

dbt is unpartitioned: it rebuilds everything from ``accepted/``, all periods at once, into a private file.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import DagsterDbtTranslator, DbtProject, dbt_assets

from expectations.judge import judge_database, load_suite
from expectations.ledger_file import LedgerError
from expectations.rules import is_restricted
from orchestration import dbt, quality, receipts
from orchestration.gate import GATE_2 as GATE_2_SCOPE
from orchestration.gate import accepted_hand_ins, settled_at_gate_1
from orchestration.options import RunOptions
from orchestration.partitions import OWNERS
from orchestration.shown import findings_metadata
from sources.contracts import Cadence
from sources.finding import in_order
from sources.reference import periods
from warehouse import layers, publish

GATE_2 = "gate_2"
GATE_2_BY_KIND: dict[Cadence, tuple[str, ...]] = {
    "half_year": (
        "fct_input",
        "fct_elimination_finding",
        "fct_reconciliation",
        "mart_half_year_monitoring",
        "mart_target_progress",
    ),
    "year": (
        "fct_input",
        "fct_elimination_finding",
        "fct_reconciliation",
        "mart_annual_monitoring",
        "mart_annual_evaluation",
        "mart_annual_ranking",
        "mart_target_progress",
    ),
}
"""What gate 2 judges of a half-year and of a year."""
GATE_2_TABLES = tuple(dict.fromkeys(table for tables in GATE_2_BY_KIND.values() for table in tables))
GROUPS = {
    "staging": "staging",
    "intermediate": "intermediate",
    "elimination": "elimination",
    "evaluation": "evaluation",
    "targets": "targets",
    "dims": "facts",
    "facts": "facts",
    "marts": "marts",
}


TEST_LABELS = {
    "not_null": "不得为空",
    "unique": "不得重复",
    "unique_combination": "主键不得重复",
    "accepted_values": "只能取规定的值",
    "relationships": "须在维度表中",
}


class Translator(DagsterDbtTranslator):
    """Our names for dbt's nodes: key ``<folder>/<model>``, group by folder, owners."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Return the accepted table for a source, else folder and name."""
        if dbt_resource_props["resource_type"] == "source":
            return dg.AssetKey(["accepted", dbt_resource_props["name"]])
        if dbt_resource_props["resource_type"] == "seed":
            return dg.AssetKey(["seeds", dbt_resource_props["name"]])
        return dg.AssetKey([dbt_resource_props["fqn"][1], dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Return the layer: seeds, staging, intermediate, facts (with dimensions), marts."""
        if dbt_resource_props["resource_type"] == "seed":
            return "seeds"
        return GROUPS.get(dbt_resource_props["fqn"][1])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """Return the house's owners."""
        return OWNERS

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """Return the Chinese description alone, without the raw SQL."""
        return dbt_resource_props.get("description") or dbt_resource_props["name"]

    def get_asset_check_spec(
        self, asset_spec: dg.AssetSpec, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetCheckSpec | None:
        """Return the check of a dbt test, described in Chinese."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        return spec._replace(description=_test_label(manifest["nodes"][unique_id])) if spec else None


def _test_label(node: Mapping[str, Any]) -> str:
    """Return what a dbt test says: its own description, else column and kind."""
    if node.get("description"):
        return node["description"]
    kind = (node.get("test_metadata") or {}).get("name", "")
    column = node.get("column_name")
    return f"{column}：{TEST_LABELS.get(kind, kind)}" if column else TEST_LABELS.get(kind, node["name"])


TRANSLATOR = Translator()


def _counts(home_candidate: str) -> dict[str, int]:
    with duckdb.connect(home_candidate, read_only=True) as connection:
        tables = connection.execute(
            "select schema_name, table_name, estimated_size from duckdb_tables() where not internal"
        ).fetchall()
        counts = {
            name: connection.execute(f'select count(*) from "{schema}"."{name}"').fetchall()[0][0]
            for schema, name, _ in tables
        }
        return counts | dict(connection.execute("from staging.working_row_count").fetchall())


@dbt_assets(manifest=dbt.ensure_manifest(), dagster_dbt_translator=TRANSLATOR, name="dbt_build")
def dbt_build(
    context: dg.AssetExecutionContext, options: RunOptions
) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
    """Build the candidate from ``accepted/`` and report every model and test; the whole of it, whatever was selected."""
    home = options.where
    with options.writing():
        layers.ensure_schemas(home)
        try:
            inputs = layers.verify_accepted(home)
        except layers.LayerError as error:
            raise dg.Failure(str(error)) from error
        try:
            results = dbt.build(home).results
        except dbt.WrongSetting as error:
            raise dg.Failure(str(error)) from error
        counts = _counts(str(home.candidate))
        failed = [_failure_line(result) for result in results if str(result.status) not in ("success", "pass")]
        if not failed:
            publish.write_build_record(home, inputs)
    checks = {key.name: key for key in context.selected_asset_check_keys}
    for result in results:
        node, status = result.node, str(result.status)
        if node.resource_type in ("model", "seed") and status == "success":
            key = TRANSLATOR.get_asset_key(node.to_dict())
            metadata: dict[str, Any] = {"用时（秒）": round(result.execution_time, 3)}
            if node.name in counts:
                metadata["dagster/row_count"] = counts[node.name]
            if key in context.selected_asset_keys:
                yield dg.MaterializeResult(asset_key=key, metadata=metadata)
        elif node.name in checks:
            check = checks[node.name]
            yield dg.AssetCheckResult(
                asset_key=check.asset_key,
                check_name=check.name,
                passed=status == "pass",
                metadata={"失败行数": result.failures or 0},
            )
    if failed:
        lines = dg.MetadataValue.md("\n".join(f"- {line}" for line in failed))
        raise dg.Failure("建模没有通过：" + "；".join(failed[:10]), metadata={"未通过": lines})


def _failure_line(result: Any) -> str:
    reason = (result.message or "").strip().splitlines()
    return f"{result.node.name}（{result.status}）：{reason[0] if reason else '被上游跳过'}"


def _model_key(name: str) -> dg.AssetKey:
    return next(key for key in dbt_build.keys if key.path[-1] == name)


@dg.multi_asset_check(
    name="gate_2",
    can_subset=True,
    specs=[
        dg.AssetCheckSpec(
            GATE_2,
            asset=_model_key(table),
            blocking=True,
            description=f"第二道关卡：{load_suite(table).label}，逐期审核；有一条阻断问题就不发布。",
        )
        for table in GATE_2_TABLES
    ],
)
def gate_2(context: dg.AssetCheckExecutionContext, options: RunOptions) -> Iterator[dg.AssetCheckResult]:
    """Judge facts and marts of the candidate, every half-year and year in it, and keep the verdict bound to the file."""
    home = options.where
    suites = {kind: [load_suite(table) for table in tables] for kind, tables in GATE_2_BY_KIND.items()}
    found_by_table: dict[str, list] = {table: [] for table in GATE_2_TABLES}
    blocking_by_table: dict[str, list] = {table: [] for table in GATE_2_TABLES}
    found_by_period: dict[str, list] = {}
    summaries = []
    accepted = sorted(layers.accepted_periods(home))
    for period in accepted:
        try:
            settled = settled_at_gate_1(home, period)
            verdicts = judge_database(
                suites[periods()[period].kind], home.candidate, period, home.root, settled, home.findings
            )
        except LedgerError as error:
            # Of any period that stands in the candidate, not only of the one that is run.
            raise dg.Failure(str(error)) from error
        found = in_order([f for verdict in verdicts for f in verdict.findings])
        blocking = options.settle(context.run.run_id, period, GATE_2_SCOPE, found)
        found_by_period[period] = found
        summaries += [verdict.summary for verdict in verdicts]
        for table in GATE_2_TABLES:
            found_by_table[table] += [f for f in found if f.table_id == table]
            blocking_by_table[table] += [f for f in blocking if f.table_id == table]
        with options.writing():
            receipts.renew_all(home, period)
    asked = context.run.tags.get("dagster/partition")
    pages = {
        period: quality.write_gate_2(home, period, context.run.run_id, summaries, found_by_period[period])
        for period in ([asked] if asked in accepted else accepted)
    }
    passed = not any(blocking_by_table.values())
    # What every figure and its base in an earlier period came from.
    inputs = {period: accepted_hand_ins(home, period) for period in accepted}
    publish.write_gate_2_record(home, {"passed": passed, "suites": summaries, "hand_ins": inputs})
    for table in GATE_2_TABLES:
        if dg.AssetCheckKey(_model_key(table), GATE_2) in context.selected_asset_check_keys:
            yield dg.AssetCheckResult(
                asset_key=_model_key(table),
                check_name=GATE_2,
                passed=not blocking_by_table[table],
                metadata=findings_metadata(
                    "、".join(accepted),
                    found_by_table[table],
                    blocking_by_table[table],
                    is_restricted=is_restricted(table),
                    page=pages[max(pages)] if pages else None,
                ),
            )


def published_model_keys() -> list[dg.AssetKey]:
    """Return the keys of the models that a publication holds: dimensions, facts and marts."""
    return sorted(key for key in dbt_build.keys if key.path[0] in ("dims", "facts", "marts"))
