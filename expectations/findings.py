"""The finding ledger: what the gates found and what was said and decided about it, per period, append-only.

A scope (``gate1:finance_bureau``, ``gate2``) is what one run of a gate speaks for: its newest record supersedes the earlier one, and
findings that went away are 已修改. Explanations and decisions bind to finding ids, and an id to the value, so they lapse when the value
changes. The file is in ``ledger_file``, what its events mean in ``replay``, who may move what in ``decisions``.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from expectations.decisions import DecisionError, accept_in_one_go
from expectations.ledger_file import SHANGHAI, LedgerError, append, events_of, local_time, locked, read_events, stamp
from expectations.replay import (
    ACCEPTED,
    CORRECTED,
    EXPLAINED,
    MISSING_AGREED,
    OPEN,
    OPEN_STATES,
    RETURNED,
    WAIVED,
    Decision,
    Explanation,
    FindingState,
    Replay,
)
from sources.finding import Finding, in_order

__all__ = [
    "ACCEPTED",
    "CORRECTED",
    "EXPLAINED",
    "MISSING_AGREED",
    "OPEN",
    "OPEN_STATES",
    "RETURNED",
    "SHANGHAI",
    "WAIVED",
    "Decision",
    "DecisionError",
    "Explanation",
    "FindingState",
    "LedgerError",
    "accept_queries",
    "blocking",
    "current",
    "local_time",
    "record",
    "states",
]


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
    entries = sorted((f.as_recorded() for f in findings), key=lambda entry: str(entry["finding_id"]))
    with locked(directory, period) as file:
        events, head = events_of(file)
        latest = next((e for e in reversed(events) if e["event"] == "recorded" and e["scope"] == scope), None)
        if latest is not None and latest["findings"] == entries:
            return False
        append(file, head, {"event": "recorded", "at": stamp(at), "scope": scope, "findings": entries})
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
    """Accept 核实性 findings in one recorded decision, explained or not; see `expectations.decisions.accept_in_one_go`."""
    return accept_in_one_go(directory, period, by, reason, [f.finding_id for f in findings], at, decision_id)


def current(directory: Path, period: str) -> list[Finding]:
    """Return the findings that stand now, of every scope, hardest first."""
    return in_order([s.finding for s in states(directory, period) if s.state != CORRECTED])


def states(directory: Path, period: str, at: datetime | None = None) -> list[FindingState]:
    """Return every finding ever recorded for the period with its state (now, unless a time is given); those that went away are 已修改.

    Raises:
        LedgerError: the ledger is damaged.
    """
    return Replay(read_events(directory, period)).states(at)


def blocking(directory: Path, period: str, scope: str = "", at: datetime | None = None) -> list[Finding]:
    """Return what a release has to wait for, of every scope or of one: open mandatory findings, and queries not accepted."""
    return in_order([s.finding for s in states(directory, period, at) if s.is_blocking and scope in ("", s.scope)])
