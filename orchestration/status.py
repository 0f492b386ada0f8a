"""The status board in its forms: rows for a terminal and for ``--json``, Markdown for Dagster, a page, and the published table."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from expectations import findings as ledger
from orchestration.blocking import blocking_causes, by_actor
from orchestration.gate import GATE_2
from orchestration.submissions import STATES, Submission, local_today, periods_in_play, submissions
from sources.calendar import Calendar
from sources.reference import periods
from warehouse.paths import Home, write_atomically
from warehouse.publish import StatusTable
from warehouse.report.status_page import status_page

SUBMISSION_STATUS = "mart_submission_status"
DESCRIPTION = (
    "报送情况：报告期 × 该报的表，一行一张；没有报的也有行（未到期或缺报）。发布那一刻的情况，见 as_of；此刻的情况用 sti status。"
    "一份报表整份准入、整份退回，所以同一单位同一报告期各表的状态相同。时间都是北京时间"
)
COLUMNS: tuple[tuple[str, pa.DataType, str], ...] = (
    ("period", pa.string(), "报告期：2026H1 半年报，2026 年报"),
    ("table_id", pa.string(), "表号：填报单位__表；以另一张表代替的不在内"),
    ("provider", pa.string(), "填报单位标识"),
    ("provider_name", pa.string(), "填报单位名称"),
    ("table_name", pa.string(), "表的名称"),
    ("opens_on", pa.date32(), "开报日"),
    ("due_on", pa.date32(), "本表的报送期限，当天为止；遇非工作日已按报送日历顺延"),
    ("is_due_provisional", pa.bool_(), "期限是否暂定：尚未正式下达，或所在年份的放假安排尚未公布"),
    ("received_at", pa.timestamp("s"), "最近一版收到的时间；没有收到为空"),
    ("first_received_at", pa.timestamp("s"), "第一版收到的时间；没有收到为空"),
    ("receipt_no", pa.string(), "最近一版的受理号；没有收到为空"),
    ("version", pa.int32(), "收到的版本数，0 为没有收到"),
    ("state", pa.string(), "整份报表的状态：未到期、缺报（逾期）、同意缺报、已报未审、退回、待说明、待审定、已准入"),
    (
        "late_days_count",
        pa.int32(),
        "迟报天数（自然日）：第一版晚于本表期限的天数；没有收到的，到 as_of 逾期的天数；0 为不迟，开始报送之前的历史期不算",
    ),
    ("findings_mandatory_count", pa.int32(), "本表未处理的强制性问题条数（第一道关卡）"),
    ("findings_query_count", pa.int32(), "本表未处理的核实性问题条数（第一道关卡）"),
    ("return_mandatory_count", pa.int32(), "整份报表未处理的强制性问题条数，整份工作簿的问题也在内"),
    (
        "return_query_count",
        pa.int32(),
        "整份报表未处理的核实性问题条数，整份工作簿的问题、第二道关卡问到本单位的也在内",
    ),
    ("as_of", pa.timestamp("s"), "本行是什么时候的情况（发布时间）"),
)


def current(
    home: Home, period: str | None = None, now: datetime | None = None, rules: Calendar | None = None
) -> list[Submission]:
    """Return the returns of one period, or of all that are asked for by now or that anything was received for."""
    wanted = [period] if period else periods_in_play(home, local_today(now), rules)
    return submissions(home, wanted, now, rules)


def board(found: list[Submission]) -> list[dict[str, object]]:
    """Return the status of every return as rows with Chinese headings, for people and for ``--json``."""
    return [
        {
            "报告期": each.period,
            "单位": each.provider.label,
            "状态": each.state,
            "期限": due_text(each),
            "剩余": each.remaining,
            "版本数": each.version_count,
            "最近收到": ledger.local_time(each.received_at) if each.received_at else "",
            "强制性": each.mandatory_count,
            "核实性": each.query_count,
        }
        for each in found
    ]


def board_json(found: list[Submission]) -> list[dict[str, object]]:
    """Return the board's rows with plain figures and dates beside the words."""
    return [
        {
            **row,
            "期限": each.deadline.due_on.isoformat(),
            "暂定": each.deadline.is_provisional,
            "改期": [
                {"期限": m.due_on.isoformat(), "决定": m.decided_on.isoformat(), "决定人": m.by, "理由": m.reason}
                for m in each.deadline.history
            ],
            "开报": each.opens_on.isoformat(),
            "受理号": each.receipt_no,
            "剩余天数": each.days_left,
            "剩余工作日": each.working_days_left,
            "迟报天数": each.late_days_count,
            "provider": each.provider.provider,
        }
        for row, each in zip(board(found), found, strict=True)
    ]


def due_text(each: Submission) -> str:
    """Return a deadline as people read it, with what is to be known of it."""
    notes = ["暂定"] if each.deadline.is_provisional else []
    notes += ["已改期"] if each.deadline.history else []
    return f"{each.deadline.due_on}" + (f"（{'，'.join(notes)}）" if notes else "")


def summary(found: list[Submission]) -> str:
    """Return how many returns stand in each state, in one line, the most pressing first."""
    counts = {state: sum(each.state == state for each in found) for state in STATES}
    return "，".join(f"{state} {count}" for state, count in counts.items() if count)


def waiting_at_gate_2(home: Home, found: list[Submission]) -> list[str]:
    """Return per shown period whom gate 2 waits for, and for what: the bureaus that it asks, and the data group for what asks nobody."""
    shown = dict.fromkeys(each.period for each in found)
    return [
        f"{period} 第二道关卡等待 {line}"
        for period in shown
        for line in by_actor(blocking_causes(home, period, GATE_2))
    ]


def markdown(found: list[Submission]) -> str:
    """Return the board as Markdown, one table per period, the latest period first."""
    lines: list[str] = []
    for period in dict.fromkeys(each.period for each in reversed(found)):
        mine = [each for each in found if each.period == period]
        lines += ["", f"#### {period} {periods()[period].name}：{summary(mine)}", ""]
        rows = [{k: v for k, v in row.items() if k != "报告期"} for row in board(mine)]
        lines += ["| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0])]
        lines += ["| " + " | ".join(str(value) for value in row.values()) + " |" for row in rows]
    return "\n".join(lines).strip()


def page(found: list[Submission], now: datetime | None = None) -> str:
    """Return the board as one offline HTML page: first who still owes what, then every period, those not open yet last."""
    keys = list(dict.fromkeys(each.period for each in reversed(found)))
    by_period = {key: [each for each in found if each.period == key] for key in keys}
    keys.sort(key=lambda key: by_period[key][0].opens_on > by_period[key][0].today)
    sections = []
    for key in keys:
        moves = list(dict.fromkeys(move for each in by_period[key] for move in each.deadline.history))
        sections.append(
            {
                "period": key,
                "name": periods()[key].name,
                "summary": summary(by_period[key]),
                "rows": board(by_period[key]),
                "moves": [f"{m.decided_on} {m.by}：期限改为 {m.due_on}，{m.reason}" for m in moves],
            }
        )
    return status_page(_to_do(found), sections, ledger.local_time(now or datetime.now(UTC)))


def write_page(home: Home, found: list[Submission]) -> Path:
    """Write the page among the home's reports; return where."""
    path = home.reports / "报送情况.html"
    write_atomically(path, page(found).encode())
    return path


def _to_do(found: list[Submission]) -> list[dict[str, Any]]:
    """Return who has something to do now, provider by provider: state, period, and how much time there is."""
    pressing = [
        each for each in found if each.is_asked_only or (each.days_left is not None and each.today >= each.opens_on)
    ]
    owners = dict.fromkeys(each.provider.label for each in pressing)
    return [
        {
            "owner": owner,
            "items": [
                {"state": each.state, "text": f"{each.period}　{each.remaining}"}
                for each in pressing
                if each.provider.label == owner
            ],
        }
        for owner in owners
    ]


def status_table(home: Home, now: datetime | None = None) -> StatusTable:
    """Return what the published warehouse says of the returns: one row per period and owed table, as of now."""
    now = now or datetime.now(UTC)
    rows = [row for each in current(home, now=now) for row in _table_rows(each, _local(now))]
    schema = pa.schema([(name, kind) for name, kind, _ in COLUMNS])
    table = pa.Table.from_pylist(sorted(rows, key=lambda row: (row["period"], row["table_id"])), schema)
    return StatusTable(SUBMISSION_STATUS, DESCRIPTION, table, {name: comment for name, _, comment in COLUMNS})


def _table_rows(each: Submission, as_of: datetime) -> list[dict[str, Any]]:
    first = _local(each.first_received_at) if each.first_received_at else None
    came_on = first.date() if first else each.today
    return [
        {
            "period": each.period,
            "table_id": owed.table.table_id,
            "provider": each.provider.provider,
            "provider_name": each.provider.label,
            "table_name": owed.table.label,
            "opens_on": each.opens_on,
            "due_on": owed.deadline.due_on,
            "is_due_provisional": owed.deadline.is_provisional,
            "received_at": _local(each.received_at) if each.received_at else None,
            "first_received_at": first,
            "receipt_no": each.receipt_no or None,
            "version": each.version_count,
            "state": each.state,
            "late_days_count": max((came_on - owed.deadline.due_on).days, 0) if each.is_owed else 0,
            "findings_mandatory_count": owed.mandatory_count,
            "findings_query_count": owed.query_count,
            "return_mandatory_count": each.mandatory_count,
            "return_query_count": each.query_count,
            "as_of": as_of,
        }
        for owed in each.tables
    ]


def _local(at: datetime) -> datetime:
    return at.astimezone(ledger.SHANGHAI).replace(tzinfo=None, microsecond=0)
