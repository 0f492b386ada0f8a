"""What starts by itself: a sensor that pulls, looks round the inbox, and starts the period that something new has arrived for."""

import json
import os
import time
from collections.abc import Mapping
from typing import Any

import dagster as dg

from orchestration import running
from orchestration.options import RunOptions
from sources.contracts import Cadence
from sources.pulling.config import SourcesError, load_sources
from sources.reference import periods
from warehouse.arrivals import Round, from_json, look_round, to_json
from warehouse.incoming import PullBusy
from warehouse.paths import Home
from warehouse.pull import pull

INTERVAL_SECONDS = 60
PULL_EVERY_SECONDS = 300
"""A bureau's server is not asked more often than this, unless something there is half-way."""

PULL_BUDGET_SECONDS = 12
LOOK_BUDGET_SECONDS = 12
"""Dagster ends an evaluation after 60 s; connecting, greeting and logging in may each take a pull's budget. The rest is for the next tick."""


def arrival_sensor(jobs: Mapping[Cadence, Any]) -> dg.SensorDefinition:
    """Return the sensor that starts the job of a half-year or a year, once per set of new hand-ins.

    It is off until somebody turns it on: a run judges hand-ins and may publish, and that begins by a person's decision, not because
    somebody opened the UI.
    """

    @dg.sensor(
        name="new_hand_ins",
        jobs=[*jobs.values()],
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description=(
            "来件即跑：按 sources.yaml 取件，再看收件箱；某个报告期有新的来件，就对它运行 half_year（年度运行 year），同一批来件只运行一次。"
            "默认关闭，由负责人打开：运行会审核并可能发布，不该因为有人打开界面就开始。"
        ),
    )
    def new_hand_ins(context: dg.SensorEvaluationContext, options: RunOptions) -> dg.SensorResult:
        home = options.where
        for mark in running.settle(home, context.instance):
            context.log.warning(mark.text)
        cursor: dict[str, Any] = json.loads(context.cursor) if context.cursor else {}
        pulled_at, said = _pull(home, float(cursor.get("pulled_at", 0)), context)
        found = look_round(home, from_json(cursor.get("seen", {})), budget_seconds=LOOK_BUDGET_SECONDS)
        keys = {period: found.batch_key(period) for period in found.arrivals}
        asked = set(cursor.get("asked", []))
        new = {period: key for period, key in keys.items() if key not in asked}
        # Only the keys that could come up again are remembered; Dagster itself never starts a run key twice.
        after = {"pulled_at": pulled_at, "seen": to_json(found.seen), "asked": sorted(keys.values())}
        text = json.dumps(after, ensure_ascii=False)
        for name in found.unassigned:
            context.log.warning(f"收件箱里的 {name} 认不出填报单位或报告期，不会自动运行；下一次运行会把它列为问题")
        if new:
            requests = [
                dg.RunRequest(run_key=key, partition_key=period, job_name=jobs[periods()[period].kind].name)
                for period, key in sorted(new.items())
            ]
            return dg.SensorResult(run_requests=requests, cursor=text)
        return dg.SensorResult(skip_reason=_why_not(found, keys, said), cursor=text)

    return new_hand_ins


def _pull(home: Home, last: float, context: dg.SensorEvaluationContext) -> tuple[float, str]:
    """Pull if it is time to; return when it was last done (0: do it again at the next tick), and what there is to say."""
    if not home.sources_file.exists():
        return 0, "没有 sources.yaml，只看收件箱"
    if 0 <= time.time() - last < PULL_EVERY_SECONDS:
        return last, ""
    try:
        report = pull(home, load_sources(home.sources_file), os.environ, budget_seconds=PULL_BUDGET_SECONDS)
    except (SourcesError, PullBusy) as error:
        context.log.warning(str(error))
        return time.time(), str(error)
    for line in report.of("failed", "refused"):
        context.log.warning(f"{line.source} {line.place}：{line.message}")
    for line in report.of("pulled"):
        context.log.info(f"{line.source} {line.place}：{line.message}")
    is_half_way = report.is_out_of_time or report.of("waiting")
    troubles = len(report.of("failed", "refused"))
    return 0 if is_half_way else time.time(), f"取件有 {troubles} 处没有取成，见本次记录" if troubles else ""


def _why_not(found: Round, keys: dict[str, str], said: str) -> str:
    reasons = [f"{'、'.join(sorted(keys))} 的这批来件已发起过运行"] if keys else ["没有新的来件"]
    if found.unsettled:
        reasons.append(f"{len(found.unsettled)} 份刚看到，下次不变再用（怕还没有写完）")
    if found.unassigned:
        reasons.append(f"{len(found.unassigned)} 份认不出填报单位或报告期")
    if found.is_out_of_time:
        reasons.append("时间用完，其余下次再看")
    return "；".join([*reasons, *([said] if said else [])])
