"""The finding ledger: what the gates found and what was decided about it, per period, append-only.

One file ``<period>.jsonl`` per period; one event per line, written in one go, synced to disk, numbered. A
process that is killed while writing leaves at most a torn last line, which nobody relies on yet: it is passed
over, and its number is used again. A number that is missing in between means that a line was lost, and then
nothing may pass.

A scope (``gate1:finance_bureau``, ``gate2``) is what one run of a gate speaks for: its newest record supersedes
the earlier one, and findings that went away are 已修改. A decision binds to finding ids, and an id to the value,
so a decision lapses when the value changes.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from sources.finding import CLASS_LABELS, Finding, in_order

SHANGHAI = ZoneInfo("Asia/Shanghai")
OPEN = "未处理"
CORRECTED = "已修改"
ACCEPTED = "说明通过"
DECISION_STATES = {"accepted": ACCEPTED}
"""The state that each kind of decision gives a finding as long as it is current."""

PERIOD = re.compile(r"^\d{4}(H[12])?$")


class LedgerError(RuntimeError):
    """The ledger is damaged: nothing may pass until it is restored."""


class DecisionError(ValueError):
    """A decision that may not be taken; the message says why."""


@dataclass(frozen=True)
class Decision:
    """One recorded decision by a named person, on the findings that it lists and no others."""

    decision_id: str
    kind: str
    at: datetime
    by: str
    reason: str
    finding_ids: tuple[str, ...]


@dataclass(frozen=True)
class FindingState:
    """A finding with its scope, its state in Chinese, and the decision that the state rests on, if any."""

    finding: Finding
    scope: str
    state: str
    decision: Decision | None = None

    @property
    def is_blocking(self) -> bool:
        """Whether a release has to wait: an open mandatory finding, or a query without an accepted explanation."""
        return self.finding.rule_class != "note" and self.state == OPEN


def local_time(at: datetime) -> str:
    """Return a time as people in Jiaxing read it: ``2026-07-20 09:30``."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def record(directory: Path, period: str, scope: str, findings: Sequence[Finding], at: datetime | None = None) -> bool:
    """Record the current findings of a scope; an empty list says that there are none.

    Returns:
        Whether anything was written: recording the same findings again writes nothing.

    Raises:
        LedgerError: the ledger is damaged.
        ValueError: a finding is of another period, or two findings have one id.
    """
    ids = [f.finding_id for f in findings]
    if len(set(ids)) != len(ids):
        raise ValueError(f"{scope}：有两条问题编号相同，无法登记")
    strangers = [f for f in findings if f.period != period]
    if strangers:
        raise ValueError(f"{scope}：问题 {strangers[0].finding_id} 不属于 {period}，不能登记")
    entries = sorted((f.as_dict() for f in findings), key=lambda entry: str(entry["finding_id"]))
    with _locked(directory, period) as file:
        events = _events(file)
        latest = next((e for e in reversed(events) if e["event"] == "recorded" and e["scope"] == scope), None)
        if latest is not None and latest["findings"] == entries:
            return False
        _append(file, len(events) + 1, {"event": "recorded", "at": _time(at), "scope": scope, "findings": entries})
    return True


def accept_queries(
    directory: Path,
    period: str,
    by: str,
    reason: str,
    findings: Iterable[Finding],
    at: datetime | None = None,
    decision_id: str = "",
) -> Decision:
    """Accept the explanations of 核实性 findings in one recorded decision.

    What counts is the finding as the ledger holds it: it must be current and of class query there. A decision that is taken gate by
    gate, within one run, is recorded under one ``decision_id``.

    Raises:
        DecisionError: no name or reason, no finding, a finding that is not current, or one that is not 核实性.
        LedgerError: the ledger is damaged.
    """
    wanted = list(dict.fromkeys(f.finding_id for f in findings))
    if not by.strip() or not reason.strip():
        raise DecisionError("说明通过须写明审核人姓名和理由")
    if not wanted:
        raise DecisionError("没有要说明通过的核实性问题")
    with _locked(directory, period) as file:
        events = _events(file)
        current_by_id = {s.finding.finding_id: s.finding for s in _states(events) if s.state != CORRECTED}
        for finding_id in wanted:
            finding = current_by_id.get(finding_id)
            if finding is None:
                raise DecisionError(f"问题 {finding_id} 不在 {period} 的现有问题中，可能已修改或数值已变")
            if finding.rule_class != "query":
                what = f"{finding_id}（{finding.rule_id}，{finding.place}）是{CLASS_LABELS[finding.rule_class]}的"
                raise DecisionError(f"问题 {what}，只有核实性问题可以说明通过")
        event = {
            "event": "decided",
            "decision_id": decision_id or f"{period}-{len(events) + 1:05d}",
            "kind": "accepted",
            "at": _time(at),
            "by": by.strip(),
            "reason": reason.strip(),
            "finding_ids": wanted,
        }
        _append(file, len(events) + 1, event)
    return _decision(event)


def current(directory: Path, period: str) -> list[Finding]:
    """Return the findings that stand now, of every scope, hardest first."""
    return in_order([s.finding for s in states(directory, period) if s.state != CORRECTED])


def states(directory: Path, period: str) -> list[FindingState]:
    """Return every finding ever recorded for the period with its state; those that went away are 已修改."""
    path = _path(directory, period)
    if not path.exists():
        return []
    with path.open("rb") as file:
        return _states(_events(file))


def blocking(directory: Path, period: str, scope: str = "") -> list[Finding]:
    """Return what a release has to wait for, of every scope or of one: current mandatory findings, and queries not accepted."""
    return in_order([s.finding for s in states(directory, period) if s.is_blocking and scope in ("", s.scope)])


def _states(events: Iterable[dict[str, Any]]) -> list[FindingState]:
    recorded: dict[tuple[str, str], Finding] = {}
    standing: dict[str, set[str]] = {}
    decisions: dict[str, Decision] = {}
    for event in events:
        if event["event"] == "recorded":
            found = [Finding.from_dict(entry) for entry in event["findings"]]
            recorded |= {(event["scope"], f.finding_id): f for f in found}
            standing[event["scope"]] = {f.finding_id for f in found}
        else:
            taken = _decision(event)
            decisions |= dict.fromkeys(taken.finding_ids, taken)
    result = []
    for (scope, finding_id), finding in recorded.items():
        decision = decisions.get(finding_id) if finding.rule_class == "query" else None
        if finding_id not in standing[scope]:
            result.append(FindingState(finding, scope, CORRECTED, decision))
        else:
            result.append(FindingState(finding, scope, DECISION_STATES[decision.kind] if decision else OPEN, decision))
    return result


def _decision(event: dict[str, Any]) -> Decision:
    return Decision(
        event["decision_id"],
        event["kind"],
        datetime.fromisoformat(event["at"]),
        event["by"],
        event["reason"],
        tuple(event["finding_ids"]),
    )


def _time(at: datetime | None) -> str:
    at = at or datetime.now(UTC)
    if at.tzinfo is None:
        raise ValueError("时间须带时区")
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _path(directory: Path, period: str) -> Path:
    if not PERIOD.match(period):
        raise ValueError(f"报告期 {period!r} 须为 2026H1 或 2026 的形式")
    return directory / f"{period}.jsonl"


@contextmanager
def _locked(directory: Path, period: str) -> Iterator[BinaryIO]:
    """Open the period's file for reading and appending, alone; the kernel frees the lock when the process dies."""
    path = _path(directory, period)
    directory.mkdir(parents=True, exist_ok=True)
    is_new = not path.exists()
    with path.open("a+b", buffering=0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if is_new:
            _sync_directory(directory)
        yield file


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _events(file: BinaryIO) -> list[dict[str, Any]]:
    """Return the events in order.

    A line that is not whole is a torn one: whoever wrote it was killed before it counted. Its number is then
    used by the next event, so that the numbers still run on; a gap means a lost line.
    """
    file.seek(0)
    events: list[dict[str, Any]] = []
    for line in file.read().split(b"\n"):
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if not isinstance(event, dict) or event.get("number") != len(events) + 1:
            raise LedgerError(f"问题台账第 {len(events) + 1} 条缺失或损坏，请从备份恢复后再继续")
        events.append(event)
    return events


def _append(file: BinaryIO, number: int, event: dict[str, Any]) -> None:
    line = json.dumps({"number": number} | event, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
    end = file.seek(0, os.SEEK_END)
    if end:
        file.seek(end - 1)
        if file.read(1) != b"\n":
            line = b"\n" + line
    written = file.write(line)
    if written != len(line):
        raise LedgerError("问题台账没有写完整，可能磁盘已满；请清理磁盘后重试")
    os.fsync(file.fileno())
