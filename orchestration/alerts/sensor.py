"""The sensor that tells: every minute one round of alerts, beside all runs; off until somebody turns it on."""

import os
from datetime import UTC, datetime

import dagster as dg

from orchestration import running
from orchestration.alerts import rounds
from orchestration.alerts.config import AlertsError, load_alerts
from orchestration.alerts.journal import SenderBusy
from orchestration.options import RunOptions

SEND_BUDGET_SECONDS = 20
"""Dagster ends an evaluation after 60 s; the message under way may take its channel's time beyond this. What is left goes at the next tick."""


@dg.sensor(
    name="submission_alerts",
    minimum_interval_seconds=60,
    default_status=dg.DefaultSensorStatus.STOPPED,
    description=(
        "提醒：开报、催报、逾期、收到、退回、待说明、运行被拦或出错、发布；一件事发一次，了结时再发一次解除。"
        "按 alerts.yaml 发邮件、钉钉、企业微信，发不出去的以后再发。默认关闭，由负责人打开；不发起运行。"
    ),
)
def submission_alerts(context: dg.SensorEvaluationContext, options: RunOptions) -> dg.SkipReason:
    """Make one round; what it did is the reason why no run is started."""
    home, now = options.where, datetime.now(UTC)
    try:
        running.settle(home, context.instance)
        config = load_alerts(home.alerts_file)
        result = rounds.Round(rounds.observe(home, config, rounds.last_runs(home, context.instance), now))
        rounds.deliver(home, config, os.environ, result, SEND_BUDGET_SECONDS)
    except (AlertsError, SenderBusy) as error:
        return dg.SkipReason(str(error))
    for failure in result.failures:
        context.log.warning(failure)
    return dg.SkipReason(result.summary)
