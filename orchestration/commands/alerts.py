"""``sti alerts``: what was told to whom, what waits, and a round of sending for those who have no daemon (cron)."""

import json
import os
from datetime import UTC, datetime
from typing import Any

import click

from expectations import findings as ledger
from orchestration import printing
from orchestration.command import WRONG_USE, Stop, guarded
from warehouse.paths import Home


@click.command("alerts")
@click.option("--send", is_flag=True, help="看一遍有什么要提醒，发该发的；可由 cron 每几分钟调一次")
@click.option("--test", "test_channel", metavar="CHANNEL", help="往一个通道发一条测试，不记账")
@click.option("--json", "as_json_", is_flag=True, help="以 JSON 输出")
@guarded
def alerts_command(home: Home, send: bool, test_channel: str | None, as_json_: bool) -> None:
    """提醒的收发账：哪件事、什么时候、走哪条路、发了没有。不带 --send 只看不发。

    0 没有发不出去的；1 设置有误，或有发不出去的（以后再发）。
    """
    from orchestration import running
    from orchestration.alerts import journal, rounds
    from orchestration.alerts.config import AlertsError, load_alerts

    try:
        config = load_alerts(home.alerts_file)
    except AlertsError as error:
        raise Stop(str(error), WRONG_USE) from error
    if test_channel:
        _test(config, test_channel)
        return
    result = rounds.Round()
    if send:
        now = datetime.now(UTC)
        running.settle(home)
        try:
            result.written = rounds.observe(home, config, rounds.last_runs(home), now)
            rounds.deliver(home, config, os.environ, result)
        except journal.SenderBusy as error:
            raise Stop(str(error), WRONG_USE) from error
    every = journal.outbox(journal.account(home), config.channels, config.retry)
    if as_json_:
        click.echo(json.dumps([_as_json(each) for each in every], ensure_ascii=False, indent=1))
    else:
        printing.table([_row(each) for each in every], "还没有发过提醒；用 sti alerts --send 看一遍、发该发的")
    if send:
        click.echo(result.summary, err=True)
    if result.failures:
        raise Stop("", WRONG_USE)


def _test(config: Any, name: str) -> None:
    from orchestration.alerts.posting import PostFailed, opened
    from orchestration.alerts.wording import Message

    channel = next((each for each in config.channels if each.name == name), None)
    if channel is None:
        raise Stop(f"alerts.yaml 里没有通道 {name}；有 {'、'.join(c.name for c in config.channels)}", WRONG_USE)
    at = datetime.now(UTC)
    text = Message(f"test-{at:%Y%m%d%H%M%S}", "", "【测试】科技创新投入提醒", ("这是一条测试，不用处理。",))
    try:
        with opened(channel, os.environ) as post:
            post(text)
    except PostFailed as error:
        raise Stop(f"{name}：{error}", WRONG_USE) from error
    click.echo(f"{name}：已发出一条测试")


def _state(each: Any) -> str:
    if each.is_sent:
        return "已发"
    return f"待发（失败 {each.failure_count} 次）" if each.failure_count else "待发"


def _row(each: Any) -> dict[str, Any]:
    from orchestration.alerts.wording import message

    return {
        "时间": ledger.local_time(datetime.fromisoformat(each.entry["at"])),
        "提醒": message(each.entry, is_repeat=False).title,
        "通道": each.channel,
        "状态": _state(each),
        "发出": ledger.local_time(datetime.fromisoformat(each.sent_at)) if each.sent_at else "",
        "下次": ledger.local_time(each.next_at) if each.next_at else "",
        "说明": each.reason,
        "编号": each.entry["alert_id"],
    }


def _as_json(each: Any) -> dict[str, Any]:
    from orchestration.alerts.wording import message

    return {
        "alert_id": each.entry["alert_id"],
        "event": each.entry["event"],
        "kind": each.entry["kind"],
        "period": each.entry["facts"]["period"],
        "provider": each.entry["provider"],
        "title": message(each.entry, is_repeat=False).title,
        "channel": each.channel,
        "raised_at": each.entry["at"],
        "is_sent": each.is_sent,
        "sent_at": each.sent_at,
        "failure_count": each.failure_count,
        "next_at": each.next_at.isoformat(timespec="seconds") if each.next_at else "",
        "reason": each.reason,
    }
