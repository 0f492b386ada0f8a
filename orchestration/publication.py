"""Publication and the annex workbooks: the last assets. Neither lets out what the gates' own records do not clear."""

import base64

import dagster as dg

from orchestration.blocking import blocking_causes, refusal_text
from orchestration.models import published_model_keys
from orchestration.options import RunOptions
from orchestration.partitions import ANNEX1, ANNEX2, OWNERS, PERIODS, PUBLISHED, TARGETS
from orchestration.printing_annual import interval
from orchestration.printing_targets import progress_rows
from orchestration.shown import in_markdown
from orchestration.status import status_table
from sources.reference import CITY, area_names
from warehouse import layers, publish
from warehouse.paths import Home
from warehouse.query import shown
from warehouse.report.annex1 import annex1_rows, write_annex1
from warehouse.report.annex2 import write_annex2
from warehouse.report.annual import SUBJECT_LABELS, Annual, NoSuchYear, read_annual
from warehouse.report.bridge import bridge_lines, bridge_svg
from warehouse.report.rounding import rounded
from warehouse.report.target_chart import write_target_chart
from warehouse.report.targets import TargetRow, of_city, target_rows


def refuse_unless_clear(home: Home, period: str) -> None:
    """Check that the candidate may go out: each period in it complete, and nothing open.

    A period beside the asked one that stands in ``accepted/`` just as it was last published was cleared then: a newer version of it that
    is refused, or not judged yet, keeps nobody else waiting. Its figures stay as they were published.

    Raises:
        dagster.Failure: saying what is missing or open, and who must act.
    """
    accepted = layers.accepted_periods(home)
    for each in [period, *sorted(accepted.keys() - {period})]:
        is_cleared = each != period and publish.is_published_as_accepted(home, each)
        causes = blocking_causes(home, each, "gate2" if is_cleared else "")
        if causes:
            raise dg.Failure(refusal_text(each, causes))


@dg.asset(
    key=PUBLISHED,
    deps=published_model_keys(),
    partitions_def=PERIODS,
    group_name="published",
    owners=OWNERS,
    kinds={"duckdb"},
    description="已发布的数仓：分析人员只读打开的 DuckDB 文件。发布是一步替换：已打开旧文件的人继续读旧的，新打开的读新的。",
)
def warehouse(context: dg.AssetExecutionContext, options: RunOptions) -> dg.MaterializeResult:
    """Publish the candidate, if the gates' own records clear it."""
    home, period = options.where, context.partition_key
    try:
        with options.writing():
            refuse_unless_clear(home, period)
            publication = publish.publish(home, [status_table(home)])
    except publish.NotPassed as error:
        raise dg.Failure(str(error)) from error
    lines = ["| 表 | 行数 |", "|---|---|", *(f"| {name} | {count} |" for name, count in publication.row_counts.items())]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(publication.row_counts.values()),
            "文件": dg.MetadataValue.path(str(publication.path)),
            "各表行数": dg.MetadataValue.md("\n".join(lines)),
        }
    )


@dg.asset(
    key=ANNEX1,
    deps=[PUBLISHED],
    partitions_def=PERIODS,
    group_name="reports",
    owners=OWNERS,
    kinds={"excel"},
    description="附件1 科技创新投入半年度监测体系：按文件原样式的工作簿，全市一张、各地区一张，数字取自已发布的数仓。",
)
def annex1(context: dg.AssetExecutionContext, options: RunOptions) -> dg.MaterializeResult:
    """Write the annex 1 workbook of one half-year."""
    home, period = options.where, context.partition_key
    path = write_annex1(home, period)
    city = bridge_lines(home, period)[0]
    picture = bridge_svg(city, f"其他主体科技创新投入：从剔除前到剔除后（{area_names()[CITY]}，{period}）")
    return dg.MaterializeResult(
        metadata={
            "文件": dg.MetadataValue.path(path),
            f"附件1（{area_names()[CITY]}）": dg.MetadataValue.md(annex1_markdown(home, period)),
            "剔除重复（桥图）": _picture("剔除重复", picture),
        }
    )


@dg.asset(
    key=ANNEX2,
    deps=[PUBLISHED],
    partitions_def=PERIODS,
    group_name="reports",
    owners=OWNERS,
    kinds={"excel"},
    description="附件2 科技创新投入年度研判体系：市委科技办一份（全部对象、综合得分、得分说明、得分构成），数源单位各一份，只有自己的单位和指标；"
    "只有年度分区有。打分方案暂定的，处处注明暂定。",
)
def annex2(context: dg.AssetExecutionContext, options: RunOptions) -> dg.MaterializeResult:
    """Write the annex 2 workbooks of one year, of 市委科技办 and of each bureau."""
    home, period = options.where, context.partition_key
    try:
        annual = read_annual(home, period)
    except NoSuchYear as error:
        raise dg.Failure(str(error)) from error
    paths = write_annex2(home, annual)
    return dg.MaterializeResult(
        metadata={
            "文件": dg.MetadataValue.md("\n".join(f"- `{path}`" for path in paths)),
            "综合得分": dg.MetadataValue.md(ranking_markdown(annual)),
            **{
                f"得分构成（{path.stem.rpartition('_')[2]}）": _picture(path.stem, path.read_text(encoding="utf-8"))
                for path in paths
                if path.suffix == ".svg"
            },
        }
    )


@dg.asset(
    key=TARGETS,
    deps=[PUBLISHED],
    partitions_def=PERIODS,
    group_name="reports",
    owners=OWNERS,
    description="目标进度：实施方案正文的目标、规则和任务到了哪一步，一张不联网画出的图（SVG），数字取自已发布的数仓 mart_target_progress。",
)
def targets(context: dg.AssetExecutionContext, options: RunOptions) -> dg.MaterializeResult:
    """Draw the progress to the targets of one half-year or year."""
    home, period = options.where, context.partition_key
    rows = target_rows(home, period)
    path = write_target_chart(home, period, rows)
    return dg.MaterializeResult(
        metadata={
            "文件": dg.MetadataValue.path(path),
            "目标进度（图）": _picture("目标进度", path.read_text(encoding="utf-8")),
            f"目标进度（{area_names()[CITY]}）": dg.MetadataValue.md(targets_markdown(of_city(rows))),
        }
    )


def _picture(name: str, svg: str) -> dg.MarkdownMetadataValue:
    """Return a picture as metadata that the UI shows without fetching anything."""
    return dg.MetadataValue.md(f"![{name}](data:image/svg+xml;base64,{base64.b64encode(svg.encode()).decode()})")


def ranking_markdown(annual: Annual) -> str:
    """Return the composites of a year as a Markdown table, by kind and rank."""
    heading = annual.marked("综合得分")
    lines = [
        annual.scheme,
        "",
        f"| 类别 | 研判对象 | {heading} | 位次 | 位次区间 | 上年位次 |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for each in annual.ranking:
        ranks = interval(each.rank_low, each.rank_high) or None
        figures = (rounded(each.total_points, 2), each.rank, ranks, each.base_rank)
        told = " | ".join("—" if figure is None else str(figure) for figure in figures)
        lines.append(f"| {SUBJECT_LABELS[each.subject_type]} | {in_markdown(each.subject_name)} | {told} |")
    return "\n".join(lines)


def targets_markdown(rows: list[TargetRow]) -> str:
    """Return targets as a Markdown table."""
    lines = [
        "| " + " | ".join(in_markdown(shown(value)) for value in row.values()) + " |" for row in progress_rows(rows)
    ]
    if not lines:
        return "本期没有目标进度"
    headings = list(progress_rows(rows[:1])[0])
    return "\n".join(["| " + " | ".join(headings) + " |", "|---" * len(headings) + "|", *lines])


def annex1_markdown(home: Home, period: str) -> str:
    """Return the city's annex 1 as a Markdown table."""
    lines = [
        "| 序号 | 指标名称 | 本期（万元） | 上年同期（万元） | 增长（%） | 占比（%） |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for row in annex1_rows(home, period)[CITY]:
        figures = (row.value_text or row.value_wan, row.base_wan, row.growth_pct, row.share_pct)
        lines.append(f"| {row.annex_no} | {row.name} | " + " | ".join(shown(figure) for figure in figures) + " |")
    return "\n".join(lines)
