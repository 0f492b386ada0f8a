"""Lateness in the Dagster UI: the board as an asset, and per provider whether its half-years and years came in time.

Dagster's own freshness policies look at an asset as a whole, and it would pass with a half-year missing; so this goes by our calendar: one
check per provider and one on the publication, and an observation on every half-year's partition.
"""

from collections.abc import Iterator

import dagster as dg

from orchestration import status
from orchestration.options import RunOptions
from orchestration.partitions import BOARD, OWNERS, PUBLISHED, return_key
from orchestration.submissions import AWAITING, RETURNED, Submission
from sources.calendar import calendar
from sources.contracts import providers
from warehouse.paths import Home
from warehouse.publish import published_inputs

ON_TIME = "on_time"
PUBLISHED_ON_TIME = "published_on_time"
WATCH_JOB = "submission_watch"


@dg.asset(
    key=BOARD,
    deps=[return_key(provider) for provider in providers()],
    group_name="reports",
    owners=OWNERS,
    kinds={"html"},
    description="报送情况表：每个单位每个报告期的期限、状态、剩余工作日、迟报天数；同时写成一张离线网页。每天更新，任何时候可以再点一次。",
)
def submission_board(context: dg.AssetExecutionContext, options: RunOptions) -> dg.MaterializeResult:
    """Show where every return stands, write the page, and note it on each period's partition of the provider's return."""
    home = options.where
    found = status.current(home)
    path = status.write_page(home, found)
    for each in found:
        context.log_event(_observation(each))
    return dg.MaterializeResult(
        metadata={
            "报送情况": dg.MetadataValue.md(status.markdown(found)),
            "小结": status.summary(found),
            "网页": dg.MetadataValue.path(str(path)),
        }
    )


def _observation(each: Submission) -> dg.AssetObservation:
    return dg.AssetObservation(
        return_key(each.provider.provider),
        partition=each.period,
        description=f"{each.state}　{each.remaining}",
        metadata={
            "状态": each.state,
            "期限": status.due_text(each),
            "剩余": each.remaining,
            "迟报（天）": each.late_days_count,
            "版本数": each.version_count,
        },
    )


def is_behind(each: Submission) -> bool:
    """Return whether something is still to be sent, corrected or explained although the deadline has passed."""
    is_open = each.is_overdue or (each.state in (RETURNED, AWAITING) and not each.is_asked_only)
    return each.is_owed and is_open and each.today > each.deadline.due_on


def unpublished(home: Home, found: list[Submission]) -> list[str]:
    """Return the periods that should have been published by the day of the returns' status and were not, in the calendar's order."""
    rules = calendar()
    published = {key.split("/")[1] for key in published_inputs(home)}
    late: dict[str, bool] = {}
    for each in found:
        if each.is_owed and each.period not in published:
            last = rules.working_days.shifted(each.deadline.due_on, rules.publication_working_days_after)
            late[each.period] = late.get(each.period, True) and last < each.today
    return [period for period, is_late in late.items() if is_late]


@dg.multi_asset_check(
    name="timeliness",
    can_subset=True,
    specs=[
        *(
            dg.AssetCheckSpec(
                ON_TIME,
                asset=return_key(provider.provider),
                description=f"{provider.label}各报告期按时报送：过了期限还缺报、退回未改、待说明的不通过。期限见报送日历，含工作日顺延和改期。",
            )
            for provider in providers().values()
        ),
        dg.AssetCheckSpec(
            PUBLISHED_ON_TIME,
            asset=PUBLISHED,
            description=f"期限之后 {calendar().publication_working_days_after} 个工作日内发布；逐个报告期看，晚了的列出来。",
        ),
    ],
)
def timeliness(context: dg.AssetCheckExecutionContext, options: RunOptions) -> Iterator[dg.AssetCheckResult]:
    """Tell of every provider whether it is behind, and of every period whether its publication is; a warning that stops no run."""
    home = options.where
    found = status.current(home)
    for provider in providers().values():
        mine = [each for each in found if each.provider == provider]
        yield dg.AssetCheckResult(
            asset_key=return_key(provider.provider),
            check_name=ON_TIME,
            passed=not any(is_behind(each) for each in mine),
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "没有按时": "、".join(each.period for each in mine if is_behind(each)) or "无",
                "各报告期": dg.MetadataValue.md(status.markdown(mine)),
            },
        )
    late = unpublished(home, found)
    yield dg.AssetCheckResult(
        asset_key=PUBLISHED,
        check_name=PUBLISHED_ON_TIME,
        passed=not late,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"还没有发布": "、".join(late) or "无"},
    )


submission_watch = dg.define_asset_job(
    WATCH_JOB,
    selection=dg.AssetSelection.assets(BOARD).without_checks() | dg.AssetSelection.checks(timeliness),
    executor_def=dg.in_process_executor,
    description="报送情况：更新报送情况表，逐单位看有没有按时报送，看有没有按时发布。只看不动，随时可以运行。",
)

watch_daily = dg.ScheduleDefinition(
    name="submission_watch_daily",
    job=submission_watch,
    cron_schedule="30 8 * * *",
    execution_timezone="Asia/Shanghai",
    default_status=dg.DefaultScheduleStatus.STOPPED,
    description="每天早上 8:30 更新报送情况：开报、临近期限、逾期都从这里看得出来。默认关闭，由负责人打开。",
)
