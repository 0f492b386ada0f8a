"""The ledger as people handle it: a finding by the beginning of its id, its line in a table, its history; receipts anew after a decision."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any

from expectations import findings as ledger
from expectations.ledger_file import local_time, read_events, recorded_periods
from expectations.replay import Happening, Replay
from orchestration import receipts
from orchestration.blocking import next_actor
from orchestration.gate import GATE_2, gate_scope
from sources.contracts import providers
from sources.finding import CLASS_LABELS, CLASS_ORDER
from warehouse.paths import Home

ID_SHOWN = 8
LEAST_PREFIX = 4
_PREFIX = re.compile(rf"^[0-9a-f]{{{LEAST_PREFIX},16}}$")


class UnknownFinding(LookupError):
    """No finding has this id, or several have; the message says which, and what to do."""


def find(home: Home, beginnings: Sequence[str]) -> tuple[str, list[ledger.FindingState]]:
    """Return the period and the findings with these ids, or unique beginnings of ids, in the order given, each once.

    Raises:
        UnknownFinding: none or several begin so, or they are of different periods.
        LedgerError: a ledger is damaged.
    """
    known = {
        state.finding.finding_id: (period, state)
        for period in recorded_periods(home.findings)
        for state in ledger.states(home.findings, period)
    }
    ids = sorted(known)
    found: dict[str, tuple[str, ledger.FindingState]] = {}
    for beginning in beginnings:
        finding_id = _one(ids, beginning.lower())
        found[finding_id] = known[finding_id]
    periods = {period for period, _ in found.values()}
    if len(periods) > 1:
        raise UnknownFinding(f"这些问题分属 {'、'.join(sorted(periods))}；一次只能处理同一个报告期的")
    return periods.pop(), [state for _, state in found.values()]


def _one(ids: Sequence[str], beginning: str) -> str:
    """Return the one of the sorted ids that begins so."""
    if not _PREFIX.match(beginning):
        raise UnknownFinding(f"“{beginning}”不是问题编号：写 sti findings 列出的编号，至少前 {LEAST_PREFIX} 位")
    fitting = ids[bisect_left(ids, beginning) : bisect_right(ids, beginning + "g")]
    if not fitting:
        raise UnknownFinding(f"没有编号为 {beginning} 的问题；运行 sti findings PERIOD 看编号")
    if len(fitting) > 1:
        raise UnknownFinding(f"{beginning} 可以是 {'、'.join(fitting)}；请多写几位")
    return fitting[0]


def lines(
    home: Home, period: str, *, only_open: bool = False, provider: str = "", rule_class: str = ""
) -> list[dict[str, Any]]:
    """Return the ledger of a period as plain values: what stands, hardest first, then what is 已修改.

    Raises:
        LedgerError: the ledger is damaged.
    """
    states = [
        state
        for state in ledger.states(home.findings, period)
        if (state.is_blocking or not only_open)
        and (provider in ("", state.finding.provider) or state.finding.ask_of(provider))
        and rule_class in ("", state.finding.rule_class)
    ]
    states.sort(key=_order)
    return [_line(period, state) for state in states]


def counted(found: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Return how many places lines of the ledger stand for, and how many of these block; a list may be cut, its count never is."""
    counts = [(line["stands_for_count"], line["is_blocking"]) for line in found]
    return sum(count for count, _ in counts), sum(count for count, is_blocking in counts if is_blocking)


def _order(state: ledger.FindingState) -> tuple[Any, ...]:
    finding = state.finding
    place = (finding.file_name, finding.sheet, finding.rule_id, len(finding.cell), finding.cell)
    return (state.state == ledger.CORRECTED, CLASS_ORDER[finding.rule_class], finding.provider, *place)


def _line(period: str, state: ledger.FindingState) -> dict[str, Any]:
    finding, decision, explanation = state.finding, state.decision, state.explanation
    concerned = [finding.provider, *(ask.provider for ask in finding.asks)]
    label = "、".join(providers()[provider].label for provider in concerned if provider in providers())
    return {
        **finding.as_dict(),
        "asks": [ask.provider for ask in finding.asks],
        "provider_label": label,
        "class_label": CLASS_LABELS[finding.rule_class],
        "scope": state.scope,
        "state": _shown_state(state),
        "is_blocking": state.is_blocking,
        "explanation": explanation.text if explanation else "",
        "explained_by": explanation.by if explanation else "",
        "explained_at": explanation.at.isoformat() if explanation else "",
        "explained_in": explanation.source if explanation else "",
        "decision_id": decision.decision_id if decision else "",
        "decision_kind": decision.kind if decision else "",
        "decided_by": decision.by if decision else "",
        "decided_at": decision.at.isoformat() if decision else "",
        "decision_reason": decision.reason if decision else "",
        "until": decision.until.isoformat() if decision and decision.until else "",
        "next": next_actor(period, state),
    }


def _shown_state(state: ledger.FindingState) -> str:
    """Return the state; a note has none, as long as it stands."""
    is_note = state.finding.rule_class == "note" and state.state != ledger.CORRECTED
    return CLASS_LABELS["note"] if is_note else state.state


def table_row(line: dict[str, Any]) -> dict[str, object]:
    """Return a line of the ledger as the table on the screen has it."""
    place = f"[{line['sheet']}]!{line['cell']}" if line["cell"] else f"[{line['sheet']}]" if line["sheet"] else ""
    said = f"{line['explanation']}（{line['explained_by']}）" if line["explanation"] else ""
    until = f"，到 {line['until']}" if line["until"] else ""
    decided = f"{line['decided_by']}：{line['decision_reason']}{until}" if line["decided_by"] else ""
    return {
        "编号": line["finding_id"][:ID_SHOWN],
        "规则": line["rule_id"],
        "类别": line["class_label"],
        "单位": line["provider_label"],
        "位置": place or line["subject"],
        "填的是": line["found"],
        "状态": line["state"],
        "说明": said,
        "决定": decided,
        "下一步": line["next"],
    }


def history(home: Home, period: str, finding_id: str) -> list[Happening]:
    """Return everything that happened to a finding, oldest first.

    Raises:
        LedgerError: the ledger is damaged.
    """
    return Replay(read_events(home.findings, period)).histories.get(finding_id, [])


def history_row(happening: Happening) -> dict[str, object]:
    """Return one line of a history as the table on the screen has it."""
    return {
        "时间": local_time(happening.at),
        "事情": happening.what,
        "谁": happening.by or "关卡",
        "内容": happening.words,
    }


def write_receipts(home: Home, period: str, states: Sequence[ledger.FindingState]) -> list[str]:
    """Write the receipts of the hand-ins anew that these findings are about, and return their 受理号."""
    concerned = dict.fromkeys(provider for state in states for provider in _concerned(state))
    return [number for provider in concerned if (number := receipts.renew(home, provider, period))]


def _concerned(state: ledger.FindingState) -> list[str]:
    """Return whose receipts a finding is in: of its return, or of the bureaus that gate 2 asks."""
    if state.scope == gate_scope(state.finding.provider):
        return [state.finding.provider]
    return [ask.provider for ask in state.finding.asks] if state.scope == GATE_2 else []
