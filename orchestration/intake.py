"""From workbook to accepted rows: inbox → archive → raw → gate 1 → accepted, one chain of assets per provider.

A failed check of one provider keeps that provider's return out of ``accepted/`` and so everything downstream of it; the other
providers' returns are accepted all the same.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg

from expectations.rules import is_restricted
from orchestration import quality
from orchestration.blocking import agreed_missing, agreed_text, missing_submission, submission_scope
from orchestration.gate import gate_scope
from orchestration.hand_ins import judge_slot, receive_all
from orchestration.options import RunOptions
from orchestration.partitions import INBOX, OWNERS, PERIODS, return_key, table_key
from orchestration.shown import findings_metadata, in_markdown
from sources.contracts import CADENCE_LABELS, Provider, Table, providers
from sources.finding import Finding, place_count
from sources.reference import periods
from warehouse import archive, layers
from warehouse.correction_slip import SlipError
from warehouse.paths import Home

GATE_1 = "gate_1"
RETURN_GATE = "gate_1_return"
SUBMITTED = "submitted"
AGREED = "缺报决定"
ASSIGNED = "assigned"


@dg.asset(
    key=INBOX,
    partitions_def=PERIODS,
    group_name="archive",
    owners=OWNERS,
    kinds={"excel"},
    description="收件：把收件箱里的工作簿按内容哈希只读存档，一份一张回执；同一份文件再来，还是那张回执。",
    check_specs=[
        dg.AssetCheckSpec(
            ASSIGNED,
            asset=INBOX,
            description="每份来件都能认出填报单位和报告期；认不出的存档留证，阻断本期发布，不影响其他单位准入。",
        )
    ],
)
def inbox(context: dg.AssetExecutionContext, options: RunOptions) -> dg.MaterializeResult:
    """Receive every hand-in of the inbox into the archive."""
    home, period = options.where, context.partition_key
    folder = options.inbox_path
    with options.writing():
        received, refused = receive_all(home, folder, period) if folder else ([], [])
    blocking = options.settle(context.run.run_id, period, "intake", refused) if folder else []
    lines = ["| 受理号 | 单位 | 报告期 | 文件 | 收到时间 |", "|---|---|---|---|---|"]
    lines += [
        f"| {r.receipt_no} | {r.provider_label} | {r.period or '未识别'} | {in_markdown(r.file_name)} | {r.received_at} |"
        for r in received
    ]
    return dg.MaterializeResult(
        metadata={
            "收件箱": str(folder) if folder else "未指定（只用档案内已有的来件）",
            "dagster/row_count": len(received),
            "回执": dg.MetadataValue.md("\n".join(lines)),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=ASSIGNED, passed=not blocking, metadata=findings_metadata(period, refused, blocking)
            )
        ],
    )


def _archived_return(provider: Provider) -> dg.AssetsDefinition:
    key = return_key(provider.provider)

    @dg.asset(
        key=key,
        deps=[INBOX],
        partitions_def=PERIODS,
        group_name="archive",
        owners=OWNERS,
        kinds={"excel"},
        description=f"{provider.label}本期的报表：档案里属于这个单位、这个报告期的各个版本；报出日期晚的为准，同日的后到为准。",
        check_specs=[
            dg.AssetCheckSpec(
                SUBMITTED,
                asset=key,
                blocking=True,
                description="本期报表已报；缺报就是缺失，不当作零，阻断下游，除非有记名的缺报决定（此时为警告）。",
            )
        ],
    )
    def archived_return(context: dg.AssetExecutionContext, options: RunOptions) -> dg.MaterializeResult:
        period = context.partition_key
        refuse_unless_owed(provider, period)
        versions = archive.versions(options.where, provider.provider, period)
        found = missing_submission(options.where, provider, period)
        blocking = options.settle(context.run.run_id, period, submission_scope(provider.provider), found)
        lines = ["| 受理号 | 文件 | 收到时间 | sha256 |", "|---|---|---|---|"]
        lines += [
            f"| {v.receipt_no} | {in_markdown(v.file_name)} | {v.received_at} | {v.file_sha256[:16]}… |"
            for v in versions
        ]
        decision = agreed_missing(options.where, provider, period)
        agreed: dict[str, Any] = {AGREED: agreed_text(provider, decision)} if decision else {}
        return dg.MaterializeResult(
            metadata={"版本数": len(versions), "各版本": dg.MetadataValue.md("\n".join(lines)), **agreed},
            check_results=[
                dg.AssetCheckResult(
                    check_name=SUBMITTED,
                    passed=not found,
                    # Only an error holds the steps below.
                    severity=dg.AssetCheckSeverity.ERROR if blocking else dg.AssetCheckSeverity.WARN,
                    metadata={**findings_metadata(period, found, blocking), **agreed},
                )
            ],
        )

    return archived_return


def _raw_tables(provider: Provider) -> dg.AssetsDefinition:
    tables = tuple(provider.tables.values())

    @dg.multi_asset(
        name=f"read_{provider.provider}",
        specs=[
            dg.AssetSpec(
                table_key("raw", table.table_id),
                deps=[return_key(provider.provider)],
                group_name="raw",
                owners=OWNERS,
                kinds={"parquet"},
                description=f"{provider.label}·{table.sheet}：按表式读出的原样数据，每行知道文件、工作表、行号；金额万元。依据：{table.basis}。",
            )
            for table in tables
        ],
        partitions_def=PERIODS,
        check_specs=[*_gate_1_specs(tables)],
    )
    def read(context: dg.AssetExecutionContext, options: RunOptions) -> Iterator[dg.MaterializeResult]:
        home, period = options.where, context.partition_key
        refuse_unless_owed(provider, period)
        scope = gate_scope(provider.provider)
        try:
            with options.writing():
                judged = judge_slot(
                    home,
                    provider.provider,
                    period,
                    lambda found: options.settle(context.run.run_id, period, scope, found),
                )
        except (layers.LayerError, SlipError) as error:
            raise dg.Failure(str(error)) from error
        if judged is None:
            yield from _read_nothing(home, provider, period, tables)
            return
        page = quality.write_gate_1(home, period, context.run.run_id, judged)
        receipt, reading, outcome, blocking = judged.receipt, judged.reading, judged.outcome, judged.blocking
        blocked = {f.finding_id for f in blocking}

        def result(name: str, key: dg.AssetKey, found: list[Finding], restricted: bool) -> dg.AssetCheckResult:
            still = [f for f in found if f.finding_id in blocked]
            metadata = findings_metadata(period, found, still, is_restricted=restricted, page=page)
            return dg.AssetCheckResult(check_name=name, asset_key=key, passed=not still, metadata=metadata)

        for position, table in enumerate(tables):
            key = table_key("raw", table.table_id)
            checks = [result(GATE_1, key, outcome.of_table(table.table_id), is_restricted(table.table_id))]
            if position == 0:
                checks.append(result(RETURN_GATE, key, outcome.of_table(""), False))
            metadata: dict[str, Any] = {"dagster/row_count": 0, "说明": "本期没有报送此表，或整张表没有取数"}
            if table.table_id in reading.tables:
                manifest = reading.tables[table.table_id].manifest
                totals = "\n".join(
                    f"- {_heading(table, name)}：{total}" for name, total in manifest.control_totals_wan.items()
                )
                metadata = {
                    "dagster/row_count": manifest.row_count,
                    "受理号": receipt.receipt_no,
                    "文件": manifest.file_name,
                    "工作表": manifest.sheet,
                    "计量单位": manifest.unit or "无",
                    "报出日期": manifest.reported_on or "未填",
                    "控制合计（万元）": dg.MetadataValue.md(totals or "无金额列"),
                }
            yield dg.MaterializeResult(asset_key=key, metadata=metadata, check_results=checks)

    return read


def _read_nothing(
    home: Home, provider: Provider, period: str, tables: tuple[Table, ...]
) -> Iterator[dg.MaterializeResult]:
    """Report tables that were not sent, with checks that did not pass, as a warning: the half-year goes on without them by decision.

    Raises:
        dagster.Failure: nobody decided that.
    """
    decision = agreed_missing(home, provider, period)
    if decision is None:
        raise dg.Failure(f"{provider.label}没有报送 {period}，没有可读的报表")
    agreed = agreed_text(provider, decision)
    for table in tables:
        key = table_key("raw", table.table_id)
        checks = [
            dg.AssetCheckResult(
                check_name=spec.name,
                asset_key=key,
                passed=False,
                severity=dg.AssetCheckSeverity.WARN,
                metadata={"说明": "没有报表可审", AGREED: agreed},
            )
            for spec in _gate_1_specs(tables)
            if spec.asset_key == key
        ]
        yield dg.MaterializeResult(
            asset_key=key, metadata={"dagster/row_count": 0, AGREED: agreed}, check_results=checks
        )


def _gate_1_specs(tables: tuple[Table, ...]) -> Iterator[dg.AssetCheckSpec]:
    for position, table in enumerate(tables):
        key = table_key("raw", table.table_id)
        yield dg.AssetCheckSpec(
            GATE_1,
            asset=key,
            blocking=True,
            description=f"第一道关卡：{table.label}的读取规则和审核规则；强制性、未认可的核实性问题都阻断。",
        )
        if position == 0:
            yield dg.AssetCheckSpec(
                RETURN_GATE,
                asset=key,
                blocking=True,
                description="第一道关卡：整份工作簿的问题（打不开、单位或报告期不一致等）。",
            )


def _heading(table: Table, name: str) -> str:
    return table.column(name).heading


def _accepted_tables(provider: Provider) -> dg.AssetsDefinition:
    tables = tuple(provider.tables.values())
    raw = [table_key("raw", table.table_id) for table in tables]

    @dg.multi_asset(
        name=f"accept_{provider.provider}",
        specs=[
            dg.AssetSpec(
                table_key("accepted", table.table_id),
                deps=raw,
                group_name="accepted",
                owners=OWNERS,
                kinds={"parquet"},
                description=f"{provider.label}·{table.sheet}：通过第一道关卡的数据，dbt 只读这一层。一份报表要么整份准入，要么整份不准入。",
            )
            for table in tables
        ],
        partitions_def=PERIODS,
    )
    def accept(context: dg.AssetExecutionContext, options: RunOptions) -> Iterator[dg.MaterializeResult]:
        decision = agreed_missing(options.where, provider, context.partition_key)
        if decision:
            for table in tables:
                yield dg.MaterializeResult(
                    asset_key=table_key("accepted", table.table_id),
                    metadata={"dagster/row_count": 0, AGREED: agreed_text(provider, decision)},
                )
            return
        with options.writing():
            record, files = _accept(options, provider, context.partition_key)
        for table in tables:
            path = files.get(table.table_id)
            count = layers.row_count(path) if path else 0
            metadata: dict[str, Any] = {"dagster/row_count": count, "受理号": record["receipt_no"]}
            yield dg.MaterializeResult(asset_key=table_key("accepted", table.table_id), metadata=metadata)

    return accept


def _accept(options: RunOptions, provider: Provider, period: str) -> tuple[dict, dict[str, Path]]:
    """Accept one return if gate 1's own record and the ledger clear it, whoever asked for it.

    Raises:
        dagster.Failure: gate 1 has not seen the raw files, or something is open.
    """
    record = layers.gate_record(options.where, provider.provider, period)
    if record is None:
        raise dg.Failure(
            f"{provider.label} {period}：第一道关卡没有审核过现在的 raw 数据，不能准入；请运行 sti run {period}"
        )
    open_ones = options.open_findings(period, gate_scope(provider.provider))
    if open_ones:
        raise dg.Failure(
            f"{provider.label} {period} 还有 {place_count(open_ones)} 条阻断问题，不能准入：{open_ones[0].message}"
        )
    return record, layers.accept(options.where, provider.provider, period)


def refuse_unless_owed(provider: Provider, period: str) -> None:
    """Check that the provider owes a return for the period at all; 市委科技办 owes annual ones only.

    Raises:
        dagster.Failure: it owes none.
    """
    kind = periods()[period].kind
    if not provider.tables_of(kind):
        raise dg.Failure(
            f"{provider.label}不报{CADENCE_LABELS[kind]}，{period} 没有它的报表；半年度请运行作业 half_year"
        )


def intake_assets() -> list[dg.AssetsDefinition]:
    """Return the assets of the intake: the inbox, and per provider its return, raw tables and accepted tables."""
    makers = (_archived_return, _raw_tables, _accepted_tables)
    return [inbox, *(make(provider) for provider in providers().values() for make in makers)]
