"""One round of alerts: see what there is to tell, write it down, send what is due. By the sensor, or by ``sti alerts --send`` from cron."""

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from orchestration.alerts import journal
from orchestration.alerts.config import AlertsConfig, Channel
from orchestration.alerts.events import LastRun, happening
from orchestration.alerts.posting import PostFailed, opened
from orchestration.alerts.wording import message
from orchestration.status import current
from sources.calendar import Calendar, calendar
from warehouse.paths import Home

Clock = Callable[[], datetime]
RUNS_LOOKED_AT = 500


@dataclass
class Round:
    """What a round did: alerts raised or ended, how many were sent, what failed (channel and reason), how many still wait."""

    written: list[dict[str, Any]] = field(default_factory=list)
    sent_count: int = 0
    failures: list[str] = field(default_factory=list)
    waiting_count: int = 0

    @property
    def summary(self) -> str:
        """The round in one line."""
        told = sum(not line["is_silent"] for line in self.written)
        parts = [f"新的 {told} 条", f"已发 {self.sent_count} 条", f"待发 {self.waiting_count} 条"]
        return "，".join([*parts, *self.failures])


def observe(
    home: Home, config: AlertsConfig, runs: dict[str, LastRun], now: datetime, rules: Calendar | None = None
) -> list[dict[str, Any]]:
    """Write into the journal what is new and what is over; return those lines."""
    rules = rules or calendar()
    found = current(home, now=now, rules=rules)
    returns = {(each.period, each.provider.provider): each for each in found}
    return journal.update(home, happening(home, found, runs, rules), returns, config.channels, now)


def deliver(
    home: Home,
    config: AlertsConfig,
    environ: Mapping[str, str],
    result: Round,
    budget_seconds: float = float("inf"),
    clock: Clock = lambda: datetime.now(UTC),
) -> Round:
    """Send what is due, channel by channel, each in the order of the alerts; a channel that fails keeps nobody else waiting.

    Raises:
        SenderBusy: another process is sending.
    """
    end = time.monotonic() + budget_seconds
    with journal.sending(home):
        every = journal.outbox(journal.account(home), config.channels, config.retry)
        for channel in config.channels:
            waiting = [each for each in every if each.channel == channel.name and not each.is_sent]
            due = [each for each in waiting if each.next_at is None or each.next_at <= clock()]
            sent = _send(home, channel, environ, due, result, end, clock) if due else 0
            result.sent_count += sent
            result.waiting_count += len(waiting) - sent
    return result


def _send(
    home: Home,
    channel: Channel,
    environ: Mapping[str, str],
    due: list[journal.Delivery],
    result: Round,
    end: float,
    clock: Clock,
) -> int:
    sent = 0
    names = {"alert_id": due[0].entry["alert_id"], "channel": channel.name}
    try:
        with opened(channel, environ) as post:
            for delivery in due:
                if time.monotonic() > end:
                    break
                names = {"alert_id": delivery.entry["alert_id"], "channel": channel.name}
                text = message(delivery.entry, is_repeat=delivery.is_repeat)
                journal.note(home, "attempt", clock(), **names)
                try:
                    remark = post(text)
                except PostFailed as error:
                    if error.is_of_channel:
                        raise
                    _failed(home, names, error, result, clock)
                    continue
                journal.note(home, "sent", clock(), **names, reason=remark)
                sent += 1
    except PostFailed as error:
        _failed(home, names, error, result, clock)
    return sent


def _failed(home: Home, names: dict[str, str], error: PostFailed, result: Round, clock: Clock) -> None:
    result.failures.append(f"{names['channel']}：{error}")
    journal.note(
        home,
        "failed",
        clock(),
        **names,
        reason=str(error),
        is_of_channel=error.is_of_channel,
        is_unsure=error.is_unsure,
    )


def last_runs(home: Home, instance: Any = None) -> dict[str, LastRun]:
    """Return how the last finished run of each period ended, from Dagster's own store; empty where nothing ever ran."""
    if instance is None and not home.dagster.exists():
        return {}
    import dagster as dg

    from orchestration.run import prepare
    from orchestration.timeliness import WATCH_JOB

    if instance is None:
        prepare(home)
        with dg.DagsterInstance.get() as own:
            return last_runs(home, own)
    ended = dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE])
    found: dict[str, LastRun] = {}
    for record in instance.get_run_records(ended, limit=RUNS_LOOKED_AT):
        run = record.dagster_run
        period = run.tags.get("dagster/partition")
        if period and run.job_name != WATCH_JOB:
            is_success = run.status == dg.DagsterRunStatus.SUCCESS
            if period not in found:
                is_blocked = not is_success and _is_blocked(instance, run.run_id)
                found[period] = LastRun(run.run_id, is_success, is_blocked, record.end_time or math.inf)
    return found


def _is_blocked(instance: Any, run_id: str) -> bool:
    """Return whether a failed run was stopped by its checks and refusals alone."""
    import dagster as dg

    from orchestration.run import BLOCKED_BY_US

    failed = instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    errors = [entry.dagster_event.step_failure_data.error for entry in failed]
    return bool(errors) and all(error and error.cls_name in BLOCKED_BY_US for error in errors)
