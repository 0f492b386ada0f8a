"""The receipt (回执) of one hand-in as plain JSON values: who sent what and when, what was read, what is wrong, what to do by when.

Built from plain data; field names are stable, amounts are text (exact), times are local (``+08:00``). `expectations.receipt_workbook`
makes the workbook from the same document.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

from expectations.findings import EXPLAINED, OPEN, RETURNED, SHANGHAI, FindingState, local_time
from sources.calendar import calendar, deadline
from sources.contracts import CADENCE_LABELS, Cadence, providers, table
from sources.finding import CLASS_LABELS, Finding, count_by_class, in_order
from sources.manifest import Manifest
from sources.reading_rules import OUR_FAULT
from sources.reference import periods
from sources.values import WAN_PER_UNIT

SCHEMA_VERSION = 1
State = Literal["received", "accepted", "awaiting_explanation", "returned", "replaced", "internal_error"]
STATE_LABELS: dict[State, str] = {
    "received": "受理中",
    "accepted": "受理",
    "awaiting_explanation": "待说明",
    "returned": "退回",
    "replaced": "已被替换",
    "internal_error": "受理中（系统故障）",
}
EXPLAINED_LABEL = "待审定"
SAID_BY_OTHERS = "（另一单位或数据组已说明，由审核人看）"


@dataclass(frozen=True)
class HandIn:
    """What is known of a file by its arrival alone.

    ``receipt_no`` is empty for a self-check, which nothing was handed in by. ``version_number`` counts the versions of one slot by arrival;
    ``replaces`` and ``replaced_by`` are 受理号, empty where there is none or it is not known yet.
    """

    file_name: str
    file_sha256: str
    size_bytes: int
    receipt_no: str = ""
    received_at: datetime | None = None
    provider: str = ""
    period: str = ""
    version_number: int = 0
    version_count: int = 0
    replaces: str = ""
    replaced_by: str = ""


@dataclass(frozen=True)
class Judgement:
    """What reading and gate 1 made of a hand-in: its tables' manifests and rows refused, its findings with their states.

    ``cadence`` is None where it could not be told. ``changes`` is what `warehouse.versions.changes` gives, None for a first version.
    """

    cadence: Cadence | None
    reported_on: date | None
    manifests: Mapping[str, Manifest]
    findings: Sequence[FindingState]
    changes: dict[str, Any] | None = None


def open_states(findings: Sequence[Finding]) -> list[FindingState]:
    """Return findings that nobody has decided on yet."""
    return [FindingState(finding, "", OPEN) for finding in findings]


def arrival_document(hand_in: HandIn, findings: Sequence[Finding], at: datetime) -> dict[str, Any]:
    """Return the receipt at arrival: 受理中, or 退回 with the findings of a file that cannot be read or assigned."""
    judgement = Judgement(None, None, {}, open_states(findings))
    state: State = _verdict(judgement.findings) if findings else "received"
    return _document(hand_in, judgement, state, state, at)


def judged_document(hand_in: HandIn, judgement: Judgement, at: datetime) -> dict[str, Any]:
    """Return the receipt after gate 1; among its findings may be those of gate 2 that the bureau is asked about."""
    verdict = _verdict(judgement.findings)
    return _document(hand_in, judgement, "replaced" if hand_in.replaced_by else verdict, verdict, at)


def renewed_document(document: Mapping[str, Any], findings: Sequence[FindingState], at: datetime) -> dict[str, Any]:
    """Return a judged receipt with its findings as they stand now, and all else as it was: after a decision, or after gate 2."""
    verdict = _verdict(findings)
    state: State = "replaced" if document["replaced_by"] else verdict
    renewed = {**document, "written_at": _time(at), **_standing(findings, document["provider"], state, verdict)}
    return renewed | {"next_action": _next_action(renewed)}


def failed_document(hand_in: HandIn, at: datetime) -> dict[str, Any]:
    """Return the receipt of a file on which our own program failed: it is kept, and the sender need not send it again."""
    return _document(hand_in, Judgement(None, None, {}, []), "internal_error", "internal_error", at)


def is_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return whether two receipts say the same, whenever they were written."""
    return {**one, "written_at": ""} == {**other, "written_at": ""}


def _verdict(findings: Sequence[FindingState]) -> State:
    if any(f.finding.rule_id == OUR_FAULT for f in findings):
        return "internal_error"
    blocking = {f.finding.rule_class for f in findings if f.is_blocking}
    return "returned" if "mandatory" in blocking else "awaiting_explanation" if blocking else "accepted"


def _document(hand_in: HandIn, judgement: Judgement, state: State, verdict: State, at: datetime) -> dict[str, Any]:
    provider = providers().get(hand_in.provider)
    period = periods().get(hand_in.period)
    cadence = judgement.cadence or ("year" if period and period.kind == "year" else "half_year" if period else None)
    tables = [_table(table_id, manifest) for table_id, manifest in judgement.manifests.items()]
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "receipt_no": hand_in.receipt_no,
        "is_self_check": not hand_in.receipt_no,
        "stage": "arrived" if state in ("received", "internal_error") else "judged",
        "provider": hand_in.provider,
        "provider_label": provider.label if provider else "未识别",
        "period": hand_in.period,
        "period_label": period.name if period else "未识别",
        "cadence": cadence or "",
        "form_label": CADENCE_LABELS[cadence] if cadence else "未识别",
        "file_name": hand_in.file_name,
        "file_size_bytes": hand_in.size_bytes,
        "file_sha256": hand_in.file_sha256,
        "received_at": _time(hand_in.received_at),
        "written_at": _time(at),
        "reported_on": judgement.reported_on.isoformat() if judgement.reported_on else "",
        "version_number": hand_in.version_number,
        "version_count": hand_in.version_count,
        "replaces": hand_in.replaces,
        "replaced_by": hand_in.replaced_by,
        "row_count": sum(t["row_count"] for t in tables),
        "cell_count": sum(t["cell_count"] for t in tables),
        "tables": tables,
        **_standing(judgement.findings, hand_in.provider, state, verdict),
        "changes": judgement.changes,
        **_deadline(hand_in),
    }
    return document | {"next_action": _next_action(document)}


def _standing(findings: Sequence[FindingState], provider: str, state: State, verdict: State) -> dict[str, Any]:
    """Return the part of a receipt that changes with the ledger: states, counts, findings."""
    counts = count_by_class(f.finding for f in findings)
    blocking = count_by_class(f.finding for f in findings if f.is_blocking)
    open_queries: Counter[str] = Counter()
    for f in findings:
        if f.is_blocking and f.finding.rule_class == "query":
            open_queries[f.state] += f.finding.stands_for_count
    return {
        "state": state,
        "state_label": _label(state, open_queries),
        "verdict": verdict,
        "verdict_label": _label(verdict, open_queries),
        "mandatory_count": counts["mandatory"],
        "query_count": counts["query"],
        "note_count": counts["note"],
        "blocking_mandatory_count": blocking["mandatory"],
        "blocking_query_count": blocking["query"],
        "explained_query_count": open_queries[EXPLAINED],
        "returned_query_count": open_queries[RETURNED],
        "gate_2_query_count": sum(f.is_blocking and bool(f.finding.asks) for f in findings),
        "findings": [_finding(f, provider) for f in _ordered(findings)],
    }


def _label(state: State, open_queries: Mapping[str, int]) -> str:
    """Return a state as people read it: 待审定 once every open 核实性 finding is explained."""
    is_explained = state == "awaiting_explanation" and set(open_queries) == {EXPLAINED}
    return EXPLAINED_LABEL if is_explained else STATE_LABELS[state]


def _table(table_id: str, manifest: Manifest) -> dict[str, Any]:
    contract = table(table_id)
    factor = WAN_PER_UNIT.get(manifest.unit)
    return {
        "table_id": table_id,
        "sheet": manifest.sheet,
        "unit": manifest.unit,
        "row_count": manifest.row_count,
        "cell_count": manifest.row_count * len(manifest.cell_columns),
        "heading_row": manifest.heading_row,
        "control_totals": [
            {
                "column": name,
                "heading": contract.column(name).heading,
                "total_wan": total,
                "total_in_unit": plain(Decimal(total) / factor) if factor else total,
            }
            for name, total in manifest.control_totals_wan.items()
        ],
    }


def plain(number: Decimal) -> str:
    """Return a decimal as people write it: all its digits, no trailing zeros, no exponent."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _ordered(findings: Sequence[FindingState]) -> list[FindingState]:
    by_id = {f.finding.finding_id: f for f in findings}
    return [by_id[finding.finding_id] for finding in in_order([f.finding for f in findings])]


def _finding(state: FindingState, provider: str) -> dict[str, Any]:
    """Return one finding; of one that gate 2 asks this bureau about, in the words for this bureau, its mark in place of a cell."""
    finding, decision, explanation = state.finding, state.decision, state.explanation
    ask = finding.ask_of(provider)
    words = {"cell": finding.mark, "found": ask.found, "expected": ask.expected, "message": ask.message} if ask else {}
    if ask:
        # What a finding of two sides is about names both of them, an enterprise that this bureau has not reported among them.
        words["subject"] = finding.mark
    if ask and explanation and len(finding.asks) > 1 and f"-{provider}-" not in explanation.source:
        # What the other side says may hold its units' figures; the reviewer reads it, not this bureau.
        words["explanation"] = SAID_BY_OTHERS
    return {
        "finding_id": finding.finding_id,
        "rule_id": finding.rule_id,
        "rule_class": finding.rule_class,
        "class_label": CLASS_LABELS[finding.rule_class],
        "level": finding.level,
        "table_id": finding.table_id,
        "sheet": finding.sheet,
        "cell": finding.cell,
        "subject": finding.subject,
        "found": finding.found,
        "expected": finding.expected,
        "message": finding.message,
        "why": finding.why,
        "action": finding.action,
        "stands_for_count": finding.stands_for_count,
        "state": state.state if finding.rule_class != "note" else "提示",
        "decided_by": decision.by if decision else "",
        "decided_at": _time(decision.at) if decision else "",
        "decision_reason": decision.reason if decision else "",
        "decision_kind": decision.kind if decision else "",
        "waived_until": decision.until.isoformat() if decision and decision.until else "",
        # Who explained stays in the ledger: contact persons stop at the archive.
        "explanation": explanation.text if explanation else "",
        "explained_at": _time(explanation.at) if explanation else "",
        "gate": 2 if finding.asks else 1,
        **words,
    }


def _deadline(hand_in: HandIn) -> dict[str, Any]:
    if hand_in.period not in periods():
        return {"due_on": "", "is_due_provisional": False, "late_days_count": None}
    due = deadline(hand_in.period, hand_in.provider)
    late = (hand_in.received_at.astimezone(SHANGHAI).date() - due.due_on).days if hand_in.received_at else None
    return {
        "due_on": due.due_on.isoformat(),
        "is_due_provisional": due.is_provisional,
        # A period from before the document is history, which nobody is late with.
        "late_days_count": None if late is None else max(late, 0) if calendar().is_owed(hand_in.period) else 0,
    }


def _time(at: datetime | None) -> str:
    return at.astimezone(SHANGHAI).isoformat(timespec="seconds") if at else ""


def shown_time(text: str) -> str:
    """Return a time of the document as people read it: ``2026-07-20 09:30``; empty stays empty."""
    return local_time(datetime.fromisoformat(text)) if text else ""


def _next_action(document: Mapping[str, Any]) -> str:
    mandatory, query = document["blocking_mandatory_count"], document["blocking_query_count"]
    by = f"（期限 {document['due_on']}）" if document["due_on"] else ""
    if document["is_self_check"]:
        return {
            "returned": f"有强制性问题 {mandatory} 条，请按“问题清单”改正后再报送{by}。",
            "awaiting_explanation": f"有核实性问题 {query} 条：不属实的请改正，属实的请在“核实说明”工作表逐条写明，再报送{by}。",
            "internal_error": "系统在检查这份文件时出错，不是填报的问题；请把文件和本回执发给市委科技办数据组。",
        }.get(document["verdict"], f"没有需要改正或说明的问题，可以报送{by}。")
    return {
        "received": "文件已完整收到、存档，正在审核；审核结果写在更新后的回执里，现在不需要做什么。",
        "accepted": "已受理，不需要再做什么。发现差错的，改正后写上新的报出日期再报一次，系统以新的为准。",
        "awaiting_explanation": _explanation_wanted(document, by),
        "returned": (
            f"有强制性问题 {mandatory} 条，本次报送退回：请按“问题清单”逐条改正，写上新的报出日期，重新报送{by}。"
            + (f"另有核实性问题 {query} 条，请一并改正或说明。" if query else "")
        ),
        "replaced": f"已有更新的版本（受理号 {document['replaced_by']}），以新版本为准；本版本留存备查，不需要再做什么。",
        "internal_error": "系统在处理这份文件时出错，不是填报的问题。文件已完整存档，不需要重报；市委科技办数据组处理后更新本回执。",
    }[str(document["state"])]


def _explanation_wanted(document: Mapping[str, Any], by: str) -> str:
    """Return what a bureau does about open 核实性 findings, as far as they are not explained yet."""
    explained, returned = document["explained_query_count"], document["returned_query_count"]
    waiting = document["blocking_query_count"] - explained - returned
    parts = []
    if waiting:
        parts.append(
            f"有核实性问题 {waiting} 条待说明：属实的，请在“核实说明”工作表逐条写明原因，连同报表再报一次；不属实的，请改正后再报{by}。"
        )
    if returned:
        parts.append(f"有 {returned} 条的说明被退回（理由见“问题清单”）：请针对理由重新说明，或改正后再报{by}。")
    if explained:
        parts.append(f"有 {explained} 条已说明，等待审定" + ("。" if parts else "，现在不需要做什么。"))
    if document["gate_2_query_count"] and (waiting or returned):
        parts.append(
            f"其中 {document['gate_2_query_count']} 条是各单位的数放在一起才看得出的（第二道关卡）：工作表、单元格照“问题清单”抄（# 开头的编号）。"
        )
    return "".join(parts)
