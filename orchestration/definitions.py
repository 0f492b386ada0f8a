"""Everything Dagster loads, assembled; nothing is defined here."""

import dagster as dg

from orchestration.alerts.sensor import submission_alerts
from orchestration.automation import arrival_sensor
from orchestration.intake import intake_assets
from orchestration.models import dbt_build, gate_2
from orchestration.options import RunOptions
from orchestration.partitions import ANNEX1, ANNEX2, BOARD, return_key, table_key
from orchestration.progress import progress_logger
from orchestration.publication import annex1, annex2, targets, warehouse
from orchestration.timeliness import submission_board, submission_watch, timeliness, watch_daily
from sources.contracts import providers

HALF_YEAR_JOB = "half_year"
YEAR_JOB = "year"
BACKFILL_JOB = "half_year_intake"

# What only an annual return has is no step of a half-year (annex 2 neither), and annex 1 none of a year.
ANNUAL_ONLY = [
    key
    for provider in providers().values()
    if not provider.tables_of("half_year")
    for key in (
        return_key(provider.provider),
        *(table_key(layer, table_id) for layer in ("raw", "accepted") for table_id in provider.tables),
    )
]

EVERYTHING = dg.AssetSelection.all() - dg.AssetSelection.assets(BOARD) - dg.AssetSelection.checks(timeliness)

half_year = dg.define_asset_job(
    HALF_YEAR_JOB,
    selection=EVERYTHING - dg.AssetSelection.assets(*ANNUAL_ONLY, ANNEX2),
    executor_def=dg.in_process_executor,
    description="一个半年度从头到尾：收件、存档、读取、第一道关卡、准入、建模、第二道关卡、发布、附件1、目标进度。补多个半年度：选中多个分区发起补数。",
)
year = dg.define_asset_job(
    YEAR_JOB,
    selection=EVERYTHING - dg.AssetSelection.assets(ANNEX1),
    executor_def=dg.in_process_executor,
    description="一个年度从头到尾：收件、存档、读取、第一道关卡、准入、建模（含附件2 的打分）、第二道关卡、发布、附件2、目标进度。分区选年份。",
)
half_year_intake = dg.define_asset_job(
    BACKFILL_JOB,
    selection=dg.AssetSelection.groups("archive", "raw", "accepted") - dg.AssetSelection.checks(timeliness),
    executor_def=dg.in_process_executor,
    description="补历史：只收件、读取、审核、准入若干个半年度（或年度），不建模；准入齐了再对最近一期运行 half_year，一次建模发布全部。",
)

defs = dg.Definitions(
    assets=[*intake_assets(), dbt_build, warehouse, annex1, annex2, targets, submission_board],
    asset_checks=[gate_2, timeliness],
    jobs=[half_year, year, half_year_intake, submission_watch],
    schedules=[watch_daily],
    sensors=[arrival_sensor({"half_year": half_year, "year": year}), submission_alerts],
    resources={"options": RunOptions()},
    executor=dg.in_process_executor,
    loggers={"console": progress_logger},
)
