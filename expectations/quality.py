"""What the quality page of one run says, as plain data: per gate, provider and table each check with what it looked at and what failed.

Made from the summaries that the judge keeps of Great Expectations' results and from the findings. Of a table with restricted data only
counts go in. Rendering is `expectations.quality_page`'s.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from expectations.findings import FindingState
from expectations.rules import is_restricted
from sources.contracts import tables
from sources.finding import Finding, place_count

SCHEMA_VERSION = 1
KEPT_CELLS = 50
"""Failing cells listed per check; the number of all of them is kept beside."""

RESULTS = {
    "failed": "不符",
    "open_query": "待核实",
    "accepted": "已认可",
    "note": "提示",
    "not_compared": "没有核对",
    "met": "符合",
    "no_rows": "无适用行",
}
"""What a check can end as, hardest first, and what people read."""


def section(
    scope: str,
    label: str,
    summaries: Sequence[Mapping[str, Any]],
    found: Sequence[Finding],
    states: Iterable[FindingState],
    about: Mapping[str, str],
) -> dict[str, Any]:
    """Return what one gate said of one return (or of the candidate).

    Args:
        scope: as in the ledger, ``gate1:<provider>`` or ``gate2``.
        label: of the provider or the gate, Chinese.
        summaries: of the judge, one per table.
        found: every finding of the gate, those of the reader among them.
        states: the ledger's, whose state a finding bears.
        about: what was judged, for people: label and text, as ``{"受理号": …}``.
    """
    by_id = {state.finding.finding_id: state for state in states}
    of_table: dict[str, list[Finding]] = {}
    for finding in found:
        of_table.setdefault(finding.table_id, []).append(finding)
    judged = {summary["suite"]: summary for summary in summaries}
    names = [*judged, *(table_id for table_id in of_table if table_id not in judged)]
    listed = [_table(name, judged.get(name), of_table.get(name, []), by_id) for name in names]
    # What is said of the return as a whole stands first, then the tables in the order of the workbook.
    listed.sort(key=lambda table: bool(table["table_id"]))
    return {"scope": scope, "label": label, "about": dict(about), "tables": listed}


def _table(
    table_id: str, summary: Mapping[str, Any] | None, found: Sequence[Finding], by_id: Mapping[str, FindingState]
) -> dict[str, Any]:
    contract, restricted = tables().get(table_id), is_restricted(table_id)
    checks: list[dict[str, Any]] = []
    left = list(found)
    for kept in summary["checks"] if summary else ():
        mine: list[Finding] = []
        others: list[Finding] = []
        for finding in left:
            (mine if _is_of(finding, kept) else others).append(finding)
        left = others
        checks.append(_check(kept, mine, by_id, restricted=restricted))
    # What no suite asked: the reader's rules, names beside codes, correction slips.
    rules: dict[str, list[Finding]] = {}
    for finding in left:
        rules.setdefault(finding.rule_id, []).append(finding)
    for mine in rules.values():
        checks.append(_outcome(_of_finding(mine[0]), mine, by_id, restricted=restricted))
    return {
        "table_id": table_id,
        "label": summary["label"] if summary else contract.label if contract else "整份报表",
        "is_restricted": restricted,
        "row_count": summary["rows"] if summary else None,
        "checks": sorted(checks, key=lambda check: list(RESULTS).index(check["result"])),
    }


def _is_of(finding: Finding, kept: Mapping[str, Any]) -> bool:
    """Tell whether a finding came of this check; of a rule that stands once per column, the column is the end of the subject."""
    if finding.rule_id != kept["rule_id"]:
        return False
    _, _, column = kept["check_id"].partition("/")
    return not column or finding.subject.partition("#")[0].endswith(f"/{column}") or kept["check_id"] in finding.subject


def _of_finding(finding: Finding) -> dict[str, Any]:
    return {
        "check_id": finding.rule_id,
        "rule_id": finding.rule_id,
        # The reader's rules have no name of their own, and a finding's message tells of its cell.
        "label": finding.why,
        "class": finding.rule_class,
        "level": finding.level,
        "why": "",
        "compared_with": "",
        "evaluated_count": None,
    }


def _check(
    kept: Mapping[str, Any], mine: Sequence[Finding], by_id: Mapping[str, FindingState], *, restricted: bool
) -> dict[str, Any]:
    base = {key: kept[key] for key in ("check_id", "rule_id", "label", "class", "level", "why")}
    base["evaluated_count"] = kept["rows_checked"]
    base["compared_with"] = handed_in(kept["compared_with"]) if kept.get("compared_with") else ""
    if not kept["could_be_computed"]:
        # Without a finding: the table it compares with was refused, and has its own.
        return base | {
            "result": "not_compared",
            "failed_count": place_count(mine),
            "cells": _cells(mine, by_id, restricted),
        }
    if kept["gx"]["success"]:
        return base | {"result": "met" if kept["rows_checked"] else "no_rows", "failed_count": 0, "cells": []}
    count = max(kept["gx"]["failing_count"], place_count(mine), 1)
    # What gate 1 has asked about the same figures, and what was accepted there.
    base["asked_before_count"] = kept.get("asked_before_count", 0)
    outcome = _outcome(base, mine, by_id, restricted=restricted) | {"failed_count": count}
    return outcome | ({"result": "accepted"} if not mine and base["asked_before_count"] >= count else {})


def handed_in(named: Mapping[str, str]) -> str:
    """Return in words which hand-in a figure was compared with."""
    return f"{named['period']}，受理号 {named['receipt_no'] or '不详'}，SHA-256 {named['file_sha256'][:16]}…"


def _outcome(
    base: Mapping[str, Any], mine: Sequence[Finding], by_id: Mapping[str, FindingState], *, restricted: bool
) -> dict[str, Any]:
    """Return a check that found something: what it ends as depends on its class and on what was decided."""
    result = {"mandatory": "failed", "query": "open_query", "note": "note"}[base["class"]]
    if result != "note" and mine and not any(_is_open(finding, by_id) for finding in mine):
        result = "accepted"
    return {**base, "result": result, "failed_count": place_count(mine), "cells": _cells(mine, by_id, restricted)}


def _is_open(finding: Finding, by_id: Mapping[str, FindingState]) -> bool:
    state = by_id.get(finding.finding_id)
    return state is None or state.is_blocking


def _cells(mine: Sequence[Finding], by_id: Mapping[str, FindingState], restricted: bool) -> list[dict[str, str]]:
    if restricted:
        return []
    return [
        {
            "place": finding.place or finding.subject,
            "message": finding.message,
            "action": finding.action,
            "state": by_id[finding.finding_id].state if finding.finding_id in by_id else "",
        }
        for finding in mine[:KEPT_CELLS]
    ]


def results(document: Mapping[str, Any]) -> dict[tuple[str, str, str], tuple[str, int]]:
    """Return how each check of a run ended, and how many rows failed, by (scope, table, check): what a history is made of."""
    return {
        (part["scope"], table["table_id"], check["check_id"]): (check["result"], check["failed_count"])
        for part in document["sections"].values()
        for table in part["tables"]
        for check in table["checks"]
    }
