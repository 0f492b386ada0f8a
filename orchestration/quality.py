"""The quality page of a run: written anew after each gate that the run comes to, from what the gates keep; the newest after each decision too."""

import traceback
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from expectations import findings as ledger
from expectations import quality
from expectations.rules import is_restricted
from orchestration.blocking import KIND_LABELS, Cause, cause_of
from orchestration.gate import GATE_2, accepted_hand_ins, gate_scope
from orchestration.hand_ins import Judged
from sources.contracts import providers, providers_of, tables
from sources.finding import CLASS_ORDER, Finding, count_by_class
from sources.reference import periods
from warehouse import layers
from warehouse import quality as store
from warehouse.paths import Home, log_error
from warehouse.publish import gate_2_record

GATE_2_LABEL = "第二道关卡（事实表与监测表）"
LISTED_COUNT = 40
"""Kinds of open findings that the head of a page lists."""


def write_gate_1(home: Home, period: str, run_id: str, judged: Judged) -> Path | None:
    """Put what gate 1 said of one return on the run's page; return the page, None where it could not be written (the log says why)."""
    receipt = judged.receipt
    about = {"受理号": receipt.receipt_no, "文件": receipt.file_name}
    scope = gate_scope(receipt.provider)
    return _write(home, period, run_id, scope, judged.outcome.summaries, judged.outcome.findings, about)


def write_gate_2(
    home: Home, period: str, run_id: str, summaries: Sequence[Mapping[str, Any]], found: Sequence[Finding]
) -> Path | None:
    """Put what gate 2 said of one half-year on the run's page; returns as `write_gate_1`."""
    mine = [summary for summary in summaries if summary["period"] == period]
    base = periods()[period].base_period
    about = {"审的是": _hand_ins(home, period), "比的是": _hand_ins(home, base) if base in periods() else ""}
    return _write(home, period, run_id, GATE_2, mine, found, {name: text for name, text in about.items() if text})


def _hand_ins(home: Home, period: str) -> str:
    """Return the hand-ins that the accepted data of a period came from, in words; empty where there are none."""
    named = accepted_hand_ins(home, period)
    hand_ins = dict.fromkeys(
        (one["receipt_no"], one["file_sha256"]) for tables_of in named.values() for one in tables_of.values()
    )
    return "、".join(f"{number or '受理号不详'}（{sha256[:16]}…）" for number, sha256 in hand_ins)


def _write(
    home: Home,
    period: str,
    run_id: str,
    scope: str,
    summaries: Sequence[Mapping[str, Any]],
    found: Sequence[Finding],
    about: Mapping[str, str],
) -> Path | None:
    try:
        folder = store.run_folder(home, period, run_id)
        states = ledger.states(home.findings, period)
        known = store.document(folder) or {"run": run_id.split("-")[0], "sections": {}}
        section = quality.section(scope, _label(scope), summaries, found, states, about)
        return _put(home, period, folder, known, {**known["sections"], scope: section}, states)
    except Exception:
        # A page is for people to look at: a run does not end for want of one.
        log_error(home, traceback.format_exc())
        return None


def renew(home: Home, period: str) -> Path | None:
    """Write the page of a period's newest run anew with the states that the ledger has now, as after a decision.

    Returns:
        The page; None where there is none, or it could not be written (the log says why).
    """
    try:
        folder, known = store.newest(home, period)
        if folder is None or known is None:
            return None
        states = ledger.states(home.findings, period)
        sections = {scope: _anew(home, period, part, states) for scope, part in known["sections"].items()}
        return _put(home, period, folder, known, sections, states)
    except Exception:
        log_error(home, traceback.format_exc())
        return None


def _anew(home: Home, period: str, part: dict[str, Any], states: Sequence[ledger.FindingState]) -> dict[str, Any]:
    """Return a section with the states that hold now; as it was, where a gate has judged something else since."""
    scope = part["scope"]
    if scope == GATE_2:
        record = gate_2_record(home) or {"suites": []}
        summaries = [summary for summary in record["suites"] if summary["period"] == period]
        found = [s.finding for s in states if s.scope == GATE_2 and s.state != ledger.CORRECTED]
    else:
        judged = layers.gate_record(home, scope.partition(":")[2], period)
        is_of_page = judged is not None and judged["receipt_no"] == part["about"].get("受理号")
        summaries = judged["suites"] if judged and is_of_page else []
        found = [Finding.from_dict(entry) for entry in judged["findings"]] if judged and is_of_page else []
    return quality.section(scope, part["label"], summaries, found, states, part["about"]) if summaries else part


def _put(
    home: Home,
    period: str,
    folder: Path,
    known: Mapping[str, Any],
    sections: Mapping[str, Any],
    states: Sequence[ledger.FindingState],
) -> Path:
    """Write a run's document and page; ``known`` is the document as it was."""
    from expectations.quality_page import SHOWN_RUN_COUNT, render

    now = datetime.now(UTC).isoformat(timespec="seconds")
    document = {
        "schema_version": quality.SCHEMA_VERSION,
        "period": period,
        "period_label": periods()[period].name,
        "run": known["run"],
        "started_at": known.get("started_at", now),
        "written_at": now,
        "sections": {each: sections[each] for each in _scopes(period) if each in sections},
        **_standing(sections, period, states),
        "kept_run_count": store.KEPT_RUN_COUNT,
    }
    return store.write(folder, document, render(document, *store.history(home, period, SHOWN_RUN_COUNT, folder)))


def _standing(sections: Mapping[str, Any], period: str, states: Sequence[ledger.FindingState]) -> dict[str, Any]:
    """Return how the half-year stands: the verdict, what is to do and by whom, what was not judged, and what is missing by decision."""
    blocking = [state for state in states if state.is_blocking]
    agreed = [gate_scope(s.finding.provider) for s in states if s.state == ledger.MISSING_AGREED]
    missing_agreed = [_label(scope) for scope in agreed]
    lines = _to_do(period, blocking)
    not_judged = [_label(scope) for scope in _scopes(period) if scope not in {*sections, *agreed}]
    by_class = count_by_class(state.finding for state in blocking)
    return {
        "verdict": _verdict(by_class["mandatory"], by_class["query"], not_judged, missing_agreed),
        "to_do": lines[:LISTED_COUNT],
        "to_do_more": len(lines[LISTED_COUNT:]),
        "not_judged": not_judged,
        "missing_agreed": missing_agreed,
    }


def _to_do(period: str, blocking: Sequence[ledger.FindingState]) -> list[dict[str, Any]]:
    """Return what still blocks, one line per rule, table, and who must do what, hardest first; of restricted tables only counts."""
    groups: dict[tuple[str, ...], list[Cause]] = {}
    for state in sorted(blocking, key=lambda each: CLASS_ORDER[each.finding.rule_class]):
        cause, finding = cause_of(period, state), state.finding
        groups.setdefault((cause.kind, cause.actor, finding.table_id, finding.rule_id), []).append(cause)
    lines = []
    for (_, actor, table_id, rule_id), causes in groups.items():
        first, contract = causes[0].finding, tables().get(table_id)
        assert first
        restricted = is_restricted(table_id)
        lines.append(
            {
                "class": first.rule_class,
                "kind_label": KIND_LABELS[causes[0].kind],
                "who": actor,
                "table": contract.label if contract else first.sheet,
                "rule_id": rule_id,
                "count": sum(cause.place_count for cause in causes),
                "place": "" if restricted else first.place or first.subject,
                "message": first.why if restricted else first.message,
                "action": causes[0].action,
            }
        )
    return lines


def _verdict(
    mandatory_count: int, query_count: int, not_judged: Sequence[str], agreed: Sequence[str]
) -> dict[str, str]:
    absent = f"还没有审核：{'、'.join(not_judged)}。" if not_judged else ""
    absent += f"缺报（已有记名的决定）：{'、'.join(agreed)}。" if agreed else ""
    queries = f"核实性问题 {query_count} 处待说明、待认可。" if query_count else ""
    if mandatory_count:
        text = f"强制性问题 {mandatory_count} 处，须改正后重新报送。{queries}{absent}"
        return {"tone": "failed", "title": "没有通过", "text": text}
    if query_count:
        return {"tone": "query", "title": "等待核实", "text": f"没有强制性问题。{queries}{absent}"}
    if not_judged:
        return {"tone": "open", "title": "还没有审完", "text": f"已审的没有阻断问题。{absent}"}
    text = f"{'收到的' if agreed else '各单位的'}报表和汇总结果都没有阻断问题。{absent}"
    return {"tone": "passed", "title": "两道关卡全部通过", "text": text}


def _scopes(period: str) -> list[str]:
    return [*(gate_scope(provider.provider) for provider in providers_of(periods()[period].kind)), GATE_2]


def _label(scope: str) -> str:
    return GATE_2_LABEL if scope == GATE_2 else providers()[scope.partition(":")[2]].label
