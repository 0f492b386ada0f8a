"""What the command line prints: tables and findings for people, plain dictionaries for ``--json``."""

import sys
from collections.abc import Iterable
from typing import Any

import click
import pyarrow as pa
from rich.console import Console
from rich.table import Table
from rich.text import Text

from expectations.replay import NOT_SUBMITTED
from orchestration.blocking import KIND_LABELS, Cause, agreed_text, agreements, by_actor
from orchestration.printing_annual import ranking_rows
from orchestration.printing_targets import short_rows
from orchestration.run import RunOutcome
from sources.calendar import owing
from sources.contracts import providers
from sources.contracts import table as contract_table
from sources.finding import CLASS_LABELS, Finding, count_by_class, place_count
from sources.reference import CITY, area_names, periods
from sources.text import visible
from sources.workbook import WorkbookReading
from warehouse.paths import Home
from warehouse.quality import newest_page
from warehouse.query import QueryFailed, names_of, rows_of, run_query, shown
from warehouse.report.annex1 import annex1_rows
from warehouse.report.annex2 import annex2_path
from warehouse.report.annual import robustness_line, scheme_line
from warehouse.report.bridge import REASONS, TIERS
from warehouse.report.rounding import rounded
from warehouse.report.sheets import PLACES
from warehouse.report.targets import of_city, target_rows
from warehouse.trace import Removal, SourceCell, Trace
from warehouse.trace_annual import AnnualTrace

PIPE_WIDTH = 100_000
FINDINGS_SHOWN = 30
TRACED_SHOWN = 40
EVIDENCE_SHOWN = 4
NOTES = {
    "not_received": "部门未报",
    "not_reported": "单元格未填",
    "not_yet_eliminated": "五类主体没有收齐，不能剔除重复",
    "no_row": "表中没有这一行，或填“-”",
    "partly_reported": "合计中有一项没有数",
    "denominator_missing": "分母没有数",
    "denominator_not_positive": "分母不大于 0",
    "data_years_differ": "分子、分母不是同一年度的数",
    "not_collected": "市统计局本期只给分地区汇总表，表中没有这一栏",
}
"""Why a figure is not there (``value_note``, ``note_code``), in words."""


def _print(grid: Table) -> None:
    """Print a table: within a terminal's edge by folding cells, into a file or pipe at full width; never cut."""
    console = Console(highlight=False)
    (console if console.is_terminal else Console(highlight=False, width=PIPE_WIDTH)).print(grid)


def _grid(headings: Iterable[str], rows: Iterable[Iterable[Any]], **options: Any) -> Table:
    """Return a table whose texts are taken as they are: no markup, no emoji codes."""
    grid = Table(**options)
    for heading in headings:
        grid.add_column(Text(heading), overflow="fold")
    for row in rows:
        grid.add_row(*(Text(visible(shown(value), "\n\u3000")) for value in row))
    return grid


def table(rows: list[dict[str, Any]], empty: str) -> None:
    """Print rows of one shape as a table."""
    if rows:
        _print(_grid(rows[0], (row.values() for row in rows)))
    elif empty:
        click.echo(empty)


def arrow_table(result: pa.Table) -> None:
    """Print a query result as a table."""
    _print(_grid(names_of(result), rows_of(result)))
    click.echo(f"{result.num_rows} 行", err=True)


def _findings(found: list[Finding]) -> None:
    for finding in found[:FINDINGS_SHOWN]:
        click.echo(f"[{CLASS_LABELS[finding.rule_class]}] {finding.rule_id}  {finding.place or finding.subject}")
        click.echo(f"    {finding.message}")
        click.echo(f"    为什么：{finding.why}")
        click.echo(f"    怎么办：{finding.action}")
    if len(found) > FINDINGS_SHOWN:
        click.echo(f"另有 {place_count(found[FINDINGS_SHOWN:])} 条。")


def blocked(outcome: RunOutcome) -> None:
    """Print why a run did not publish, and what to do next."""
    absent = sum(f.rule_id == NOT_SUBMITTED for f in outcome.blocking)
    counts = count_by_class(f for f in outcome.blocking if f.rule_id != NOT_SUBMITTED)
    missing = f"缺报 {absent} 家，" if absent else ""
    click.echo(
        f"{outcome.period} 没有发布：{missing}强制性问题 {counts['mandatory']} 条，未认可的核实性问题 {counts['query']} 条。",
        err=True,
    )
    for cause in outcome.causes[:FINDINGS_SHOWN]:
        _cause(cause)
    more_count = sum(cause.place_count for cause in outcome.causes[FINDINGS_SHOWN:])
    if more_count:
        click.echo(f"另有 {more_count} 条，见 sti findings {outcome.period} --open", err=True)
    for refusal in outcome.refusals:
        click.echo(f"拒绝：{refusal}", err=True)
    for line in by_actor(outcome.causes):
        click.echo(f"等待 {line}", err=True)
    if counts["mandatory"]:
        click.echo("下一步：请报送单位改正后重新报送，再运行一次。", err=True)
    elif counts["query"]:
        click.echo(
            f"下一步：sti findings {outcome.period} --open 逐条看、逐条审定（sti decide）；样例城市、补录历史可以一次认可："
            f"sti run {outcome.period} --accept-queries --by 姓名 --reason 理由",
            err=True,
        )


def _cause(cause: Cause) -> None:
    """Print one cause that blocks, on standard error: the finding's class, rule and place, what it is, why, and who does what."""
    finding = cause.finding
    if finding:
        label = CLASS_LABELS[finding.rule_class]
        click.echo(
            f"[{label}] {finding.rule_id}  {finding.place or finding.subject}  （{finding.finding_id[:8]}）", err=True
        )
        click.echo(f"    {finding.message}", err=True)
        click.echo(f"    为什么：{finding.why}", err=True)
    else:
        click.echo(f"[{KIND_LABELS[cause.kind]}] {cause.message}", err=True)
    click.echo(f"    怎么办：{cause.actor}：{cause.action}", err=True)


def quality_page(home: Home, period: str) -> None:
    """Print where the quality page of a half-year's newest run lies, if there is one."""
    page = newest_page(home, period)
    if page:
        click.echo(f"质量审核页：{page}", err=True)


def published(home: Home, outcome: RunOutcome, *, show_table: bool) -> None:
    """Print that a run published, the annex 1 table of the city, and where everything lies."""
    accepted = f"（一次认可核实性问题 {outcome.accepted_query_count} 条）" if outcome.accepted_query_count else ""
    click.echo(f"{outcome.period} 已发布{accepted}", err=True)
    agreed = agreements(home, outcome.period)
    for provider in owing(outcome.period):
        if decision := agreed.get(provider.provider):
            click.echo(agreed_text(provider, decision), err=True)
    if show_table:
        annex1(home, outcome.period)
        click.echo(f"数仓：{home.published}")
    if show_table and periods()[outcome.period].kind == "year":
        click.echo(f"附件2 年度研判（{outcome.period}）。{scheme_line(home, outcome.period)}")
        table(ranking_rows(home, outcome.period), "")
        click.echo(robustness_line(home, outcome.period))
        click.echo(f"附件2：{annex2_path(home, outcome.period)}")
        click.echo(f"各单位的附件2、得分构成图：{home.reports / outcome.period}")
        targets(home, outcome.period)
    elif show_table:
        click.echo(f"附件1：{home.reports / outcome.period / f'附件1_{outcome.period}.xlsx'}")


def targets(home: Home, period: str) -> None:
    """Print how far the city has come to the targets of the plan, and where the picture lies."""
    picture = home.reports / period / f"目标进度_{period}.svg"
    click.echo(f"目标进度（全市，{period}），图在 {picture}；各地区：sti targets {period} --area 全部")
    table(short_rows(of_city(target_rows(home, period))), "")


def annex1(home: Home, period: str) -> None:
    """Print the city's annex 1 table."""
    title = "附件1 的指标，年报口径" if periods()[period].kind == "year" else "附件1 科技创新投入半年度监测体系"
    grid = Table(title=f"{title}（全市，{period}）")
    for heading in ("序号", "指标名称"):
        grid.add_column(heading)
    for heading in ("本期（万元）", "上年同期（万元）", "增长（%）", "占比（%）"):
        grid.add_column(heading, justify="right")
    for row in annex1_rows(home, period)[CITY]:
        value = row.value_text or row.value_wan
        figures = (value, row.base_wan, row.growth_pct, row.share_pct)
        texts = (figure if isinstance(figure, str) else "—" if figure is None else f"{figure:,}" for figure in figures)
        grid.add_row(row.annex_no, row.name, *texts)
    _print(grid)


def trace(found: Trace) -> None:
    """Print a traced figure: the cells that add up to it, what was removed, and the rows that each removal rests on."""
    why = f"（{NOTES.get(found.note, found.note)}）" if found.note else ""
    figure = f"没有出数{why}" if found.value_wan is None else f"{shown(found.value_wan)} 万元"
    click.echo(f"{found.period} {area_names()[found.area_key]} {found.indicator_name}：{figure}")
    _sources(found.cells, found.removals)
    if found.is_explained:
        click.echo("以上相加减，与发布的数一分不差。")


def annual_trace(found: AnnualTrace) -> None:
    """Print a traced figure of 附件2: each amount that it is worked out from, with its year, its cells and what was removed."""
    why = f"（{NOTES.get(found.note, found.note)}）" if found.note else ""
    figure = f"没有出数{why}" if found.value is None else f"{rounded(found.value, PLACES[found.unit])} {found.unit}"
    click.echo(f"{found.period} 附件2 {found.subject_name} {found.indicator_name}：{figure}")
    for place, part in enumerate(found.parts):
        role = "" if len(found.parts) == 1 else ("分子：" if place == 0 else "分母：")
        amount = "没有数" if part.value_wan is None else f"{shown(part.value_wan)} 万元"
        click.echo(f"{role}{part.label}（{part.data_year or '年度不明'}年的数，取自 {part.period} 年报）：{amount}")
        _sources(part.cells, part.removals)
    if found.is_explained:
        click.echo(
            "各项由单元格相加减，与发布的数一分不差"
            + ("；分子 ÷ 分母 × 100 即上面的比重。" if len(found.parts) > 1 else "。")
        )
    click.echo(f"增速的上年数：sti trace --period {periods()[found.period].base_period}，其余参数相同。")


def _sources(all_cells: list[SourceCell], all_removals: list[Removal]) -> None:
    """Print cells, and what was removed with the rows that each removal rests on."""
    has_corrections = any(c.correction for c in all_cells[:TRACED_SHOWN])
    cells = [
        {
            "单元格": f"{c.file_name}[{c.sheet}]!{c.cell}",
            "是谁的": c.about,
            "所填": f"{c.written} {c.unit}",
            "折合万元": c.value_wan,
            **({"更正": c.correction} if has_corrections else {}),
        }
        for c in all_cells[:TRACED_SHOWN]
    ]
    table(cells, "没有来源单元格")
    _more(len(all_cells), "个单元格")
    removals = [
        {
            "理由": f"{REASONS[r.reason]}（{TIERS[r.tier]}）",
            "剔除（万元）": r.amount_wan,
            "落在": r.unit_code or area_names()[r.area],
            "首个收款单位": r.first_recipient,
            "对方": r.counterparty_code,
            "编号": r.reference_no,
            "凭据": "；".join(
                f"{e.file_name}[{e.sheet}]第{e.row_number}行 {shown(e.amount_wan)}" for e in r.evidence[:EVIDENCE_SHOWN]
            )
            + (f"等{len(r.evidence)}行" if len(r.evidence) > EVIDENCE_SHOWN else ""),
        }
        for r in all_removals[:TRACED_SHOWN]
    ]
    if removals:
        table(removals, "")
        _more(len(all_removals), "笔剔除")
        click.echo(f"剔除合计 {sum(r.amount_wan for r in all_removals)} 万元")


def _more(count: int, what: str) -> None:
    if count > TRACED_SHOWN:
        click.echo(f"另有 {count - TRACED_SHOWN} {what}，用 --json 看全部。")


def outcome_json(home: Home, outcome: RunOutcome) -> dict[str, Any]:
    """Return a run's outcome as plain values."""
    page = newest_page(home, outcome.period)
    return {
        "period": outcome.period,
        "published": outcome.is_published,
        "quality_page": str(page) if page else None,
        "warehouse": str(home.published) if outcome.is_published else None,
        "accepted_query_count": outcome.accepted_query_count,
        "blocking": [finding.as_dict() for finding in outcome.blocking],
        "refusals": outcome.refusals,
        "causes": [cause.as_dict() for cause in outcome.causes],
    }


def check(reading: WorkbookReading, found: list[Finding]) -> None:
    """Print the self-check of one workbook: what was read, with control totals, and every finding."""
    who = providers()[reading.provider].label if reading.provider else "未识别单位"
    click.echo(f"{reading.file_name}：{who} {reading.period or '未识别报告期'}")
    for table_id, read in reading.tables.items():
        manifest = read.manifest
        contract = contract_table(table_id)
        totals = "，".join(
            f"{contract.column(name).heading} {total}" for name, total in list(manifest.control_totals_wan.items())[:1]
        )
        beside = f"（{manifest.file_name}）" if manifest.file_name != reading.file_name else ""
        click.echo(
            f"  {visible(manifest.sheet)}{beside}：{manifest.row_count} 行，计量单位{manifest.unit or '无'}，合计（万元）{totals or '无'}"
        )
    _findings(found)
    counts = count_by_class(found)
    verdict = "退回" if counts["mandatory"] else "待说明" if counts["query"] else "受理"
    summary = "，".join(f"{label} {counts[rule_class]}" for rule_class, label in CLASS_LABELS.items())
    click.echo(f"  结论：{verdict}（{summary}）")


def check_json(reading: WorkbookReading, found: list[Finding]) -> dict[str, Any]:
    """Return the self-check of one workbook as plain values."""
    return {
        "file_name": reading.file_name,
        "file_sha256": reading.file_sha256,
        "provider": reading.provider,
        "period": reading.period,
        "reported_on": reading.reported_on.isoformat() if reading.reported_on else None,
        "tables": {table_id: read.manifest.as_dict() for table_id, read in reading.tables.items()},
        "findings": [finding.as_dict() for finding in found],
    }


def prompt(home: Home) -> None:
    """Read queries line by line (a query ends with ``;``) until end of input or ``.quit``."""
    interactive = sys.stdin.isatty()
    if interactive:
        click.echo("只读查询；语句以分号结束，.quit 退出。", err=True)
    pending = ""
    while True:
        if interactive:
            click.echo("... " if pending else "sti> ", nl=False, err=True)
        line = sys.stdin.readline()
        if not line or line.strip() in (".quit", ".exit"):
            return
        pending += line
        if pending.rstrip().endswith(";"):
            try:
                arrow_table(run_query(home, pending))
            except QueryFailed as error:
                click.echo(f"查询有误：{error}", err=True)
            pending = ""
