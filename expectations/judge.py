"""The judge: a suite applied to a table, and what it found.

Gate 1 judges the tables of one workbook, gate 2 tables of a candidate database. It fails closed: no suite, no table, no
sibling, an empty measure or an expectation that could not be evaluated never passes.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from expectations import bridge
from expectations.asking import asks_of, was_asked
from expectations.comparison import LISTED, Earlier, compare, missing_for
from expectations.large import judge_large
from expectations.ledger_file import id_key
from expectations.measures import (
    Bench,
    JudgeError,
    digest_of_rows,
    measure,
    open_database,
    open_workbook,
    prepare,
    values_of,
)
from expectations.rules import AGAINST_LABELS, NoSuiteError, Rule, Suite, SuiteError, load_suite
from sources import contracts
from sources.finding import CLASS_LABELS, Ask, Finding, RuleClass, count_by_class, told_apart
from sources.limited import findings_per_rule
from sources.manifest import Manifest
from sources.values import WAN_PER_UNIT

__all__ = [
    "JudgeError",
    "NoSuiteError",
    "SuiteError",
    "Verdict",
    "counts",
    "judge",
    "judge_database",
    "judge_workbook",
    "load_suite",
]


@dataclass(frozen=True)
class Verdict:
    """What one suite said about one table: the findings, and a summary of plain JSON values to keep with the run."""

    suite: str
    findings: tuple[Finding, ...]
    summary: dict[str, Any]

    @property
    def passed(self) -> bool:
        """Whether there is no mandatory finding."""
        return all(f.rule_class != "mandatory" for f in self.findings)


NOTHING_EARLIER = Earlier()


def judge(
    suite: Suite,
    *,
    relations: Mapping[str, Path],
    manifests: Mapping[str, Manifest],
    refused: Collection[str] = (),
    earlier: Earlier = NOTHING_EARLIER,
) -> Verdict:
    """Judge one table of a workbook (gate 1).

    ``relations`` are the ``rows.parquet`` of all tables of the workbook by table id, since rules compare sheets;
    ``manifests`` lead from a row and column back to the cell. ``refused`` are tables that the reader has refused with
    mandatory findings of its own: rules that compare with them are left out, and the summary says so. A missing table
    that is not among them makes a finding. ``earlier`` are the same provider's earlier figures (level 2); what it has none of is not
    compared, and the summary says so.

    Raises:
        JudgeError: the table cannot be judged.
    """
    with open_workbook(relations, manifests[suite.name].period, home=earlier.home) as bench:
        return _judge(bench, suite, manifests[suite.name], refused, earlier)


def judge_workbook(
    relations: Mapping[str, Path],
    manifests: Mapping[str, Manifest],
    refused: Collection[str] = (),
    earlier: Earlier = NOTHING_EARLIER,
) -> list[Verdict]:
    """Judge every table of one workbook (gate 1); arguments as for `judge`.

    Raises:
        NoSuiteError: a table has no suite.
        JudgeError: a table cannot be judged, or there is none.
    """
    suites = [load_suite(table_id) for table_id in relations]
    periods = {manifests[table_id].period for table_id in relations}
    if len(periods) != 1:
        raise JudgeError(f"一个工作簿须有且只有一个报告期，现有：{'、'.join(sorted(periods)) or '无'}")
    # What a sheet lawfully stands in for is not sent, and is asked of nobody.
    stood_in = {other for table_id in relations for other in contracts.table(table_id).instead_of}
    left_out = {*refused, *stood_in}
    with open_workbook(relations, periods.pop(), home=earlier.home) as bench:
        return [_judge(bench, suite, manifests[suite.name], left_out, earlier) for suite in suites]


def judge_database(
    suites: Sequence[Suite],
    database: Path,
    period: str,
    working_directory: Path | None = None,
    settled: Sequence[Finding] = (),
    ledgers: Path | None = None,
) -> list[Verdict]:
    """Judge the rows of one period in tables of a DuckDB file (gate 2), opened read-only; findings have no cell.

    ``working_directory`` is where relative paths in the file's views start (``$STI_HOME``). ``settled`` are queries of gate 1 that were asked and
    settled: a rule does not ask about the same figure beside the same earlier figure again, and the summary says how often
    (``asked_before_count``). ``ledgers`` is the folder of the ledgers, of which the period's has the secret that the ids are made with; one that is
    not there is begun.

    Raises:
        JudgeError: a table cannot be judged.
        LedgerError: the ledger is damaged.
    """
    with open_database(database, period, working_directory) as bench:
        verdicts = [_judge(bench, suite, None, (), NOTHING_EARLIER, settled) for suite in suites]
    key = id_key(ledgers, period) if ledgers else b""
    if not key:
        return verdicts
    return [replace(verdict, findings=tuple(f.salted(key) for f in verdict.findings)) for verdict in verdicts]


def counts(findings: Iterable[Finding]) -> dict[str, dict[str, Any]]:
    """Return the number of findings per rule and nothing of their content: what may be shown for restricted tables."""
    found: Counter[tuple[str, RuleClass]] = Counter()
    for f in findings:
        found[f.rule_id, f.rule_class] += f.stands_for_count
    return {
        rule_id: {"class": rule_class, "class_label": CLASS_LABELS[rule_class], "count": number}
        for (rule_id, rule_class), number in sorted(found.items())
    }


def _judge(
    bench: Bench,
    suite: Suite,
    manifest: Manifest | None,
    refused: Collection[str],
    earlier: Earlier,
    settled: Sequence[Finding] = (),
) -> Verdict:
    judged = prepare(bench, suite)
    valid = [rule for rule in suite.rules if rule.is_valid_on(bench.ends_on)]
    missing = {rule.check_id: [need for need in rule.needs if not bench.has(need)] for rule in valid}
    nothing_earlier = missing_for(suite, earlier)
    rules = [rule for rule in valid if not missing[rule.check_id] and not rule.against]
    compared = [rule for rule in valid if rule.against and rule.against not in nothing_earlier]
    if suite.name in bench.large:
        row_count, applied, results = judge_large(bench, suite, rules, judged)
    else:
        frame, applied = measure(bench, suite, [rule for rule in rules if not rule.expect.is_of_table], judged)
        row_count, results = len(frame), bridge.validate(suite.name, rules, frame) if rules else {}
    comparison = ""
    if compared:
        comparison = compare(bench, suite, judged, earlier)
        frame, applied_there = measure(bench, suite, compared, comparison)
        applied |= applied_there
        results |= bridge.validate(suite.name, compared, frame)

    findings: list[Finding] = []
    asked_before: Counter[str] = Counter()
    for rule in valid:
        if missing[rule.check_id] and not set(missing[rule.check_id]) <= set(refused):
            findings.append(_cannot_compare(rule, suite, bench.period, manifest, missing[rule.check_id]))
        elif rule.check_id not in results:
            continue
        elif rule.expect.is_of_table:
            if not results[rule.check_id]["success"]:
                findings.append(_finding(rule, suite, bench.period, manifest, {"row_count": row_count}))
        elif results[rule.check_id]["failing"]:
            failing = results[rule.check_id]["failing"]
            # A candidate database (gate 2) holds what gate 1 has let through: there every row is listed.
            listed = failing[: LISTED if rule.against else findings_per_rule()] if manifest else failing
            where = comparison if rule.against else judged
            for row in values_of(bench, suite, rule, where, listed):
                if rule.asked_before and was_asked(rule.asked_before, _plain(row), settled):
                    asked_before[rule.check_id] += 1
                    continue
                findings.append(_finding(rule, suite, bench.period, manifest, row))
            count = bridge.failing_count(results[rule.check_id])
            if manifest and count > len(listed):
                digest = results[rule.check_id].get("digest") or digest_of_rows(bench, suite, rule, where, failing)
                findings.append(_not_listed(rule, suite, bench.period, manifest, count - len(listed), count, digest))
    findings = told_apart(findings)
    checks = _checks(suite.name, valid, row_count, applied, results, earlier)
    for check in checks:
        check["asked_before_count"] = asked_before[check["check_id"]]
    return Verdict(suite.name, tuple(findings), _summary(suite, bench.period, row_count, checks, findings))


def _checks(
    table_id: str, valid: Sequence[Rule], rows: int, applied: dict[str, int], results: dict, earlier: Earlier
) -> list[dict[str, Any]]:
    return [
        {
            "check_id": rule.check_id,
            "rule_id": rule.id,
            "label": rule.label,
            "class": rule.rule_class,
            "level": rule.level,
            "why": rule.why,
            "rows_checked": applied.get(rule.check_id, rows if rule.check_id in results else 0),
            "could_be_computed": rule.check_id in results,
            "not_applicable": f"没有{AGAINST_LABELS[rule.against]}的数据"
            if rule.against and rule.check_id not in results
            else "",
            "compared_with": earlier.name_of(rule.against, table_id) if rule.check_id in results else None,
            "gx": bridge.to_keep(results[rule.check_id]) if rule.check_id in results else None,
        }
        for rule in valid
    ]


def _summary(
    suite: Suite, period: str, rows: int, checks: list[dict[str, Any]], findings: list[Finding]
) -> dict[str, Any]:
    run = {check["check_id"] for check in checks}
    by_class = count_by_class(findings)
    return {
        "suite": suite.name,
        "label": suite.label,
        "data_class": suite.data_class,
        "period": period,
        "rows": rows,
        "rules_run": sum(1 for check in checks if not check["not_applicable"]),
        "rules_met": sum(1 for check in checks if check["gx"] and check["gx"]["success"]),
        "findings": {rule_class: by_class[rule_class] for rule_class in CLASS_LABELS},
        "not_valid_in_period": [rule.check_id for rule in suite.rules if rule.check_id not in run],
        "checks": checks,
    }


def _finding(rule: Rule, suite: Suite, period: str, manifest: Manifest | None, row: Mapping[str, Any]) -> Finding:
    unit = manifest.unit if manifest else ""
    plain = _plain(row)
    texts = {name: _text(name, value, unit) for name, value in row.items()}
    key = "/".join(row.get(f"key_{k}") or "" for k in suite.subject_columns) if "place_data_row" in row else suite.name
    subject = rule.subject.format_map(plain) if rule.subject else f"{key}/{rule.column}" if rule.column else key
    found, expected = rule.found.format_map(plain), rule.expected.format_map(plain)
    message = rule.message.format_map(texts)
    return _of_table(
        rule,
        suite,
        period,
        manifest,
        cell=_cell(row.get("place_column") or rule.cell, manifest, row.get("place_row")),
        subject=subject,
        found=found,
        expected=expected,
        message=message,
        action=rule.action,
        asks=asks_of(rule, row, plain, Ask("", message, found, expected)),
    )


def _plain(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: _text(name, value, "") for name, value in row.items()}


def _cannot_compare(rule: Rule, suite: Suite, period: str, manifest: Manifest | None, missing: list[str]) -> Finding:
    """Return the outcome of a rule whose sibling table is missing: a finding of the rule's own class, never a pass."""
    known = contracts.tables()
    names = "、".join(f"“{known[m].sheet}”" if m in known else m for m in missing)
    return _of_table(
        rule,
        suite,
        period,
        manifest,
        subject=suite.name,
        found=f"缺少{names}",
        expected=f"有{names}可供核对",
        message=f"缺少{names}，“{rule.label}”无法核对。",
        action=f"请补齐{names}后重新报送。",
    )


def _not_listed(
    rule: Rule, suite: Suite, period: str, manifest: Manifest, rest: int, count: int, digest: str
) -> Finding:
    """Return what stands for the failing rows of a table that are not listed.

    Its value holds the file's hash and a digest of all failing rows, so that what is explained or accepted for it lapses with any change in
    the file, and with any change elsewhere (a correction, a sheet or an earlier figure compared with) that makes other rows or values of them.
    """
    return _of_table(
        rule,
        suite,
        period,
        manifest,
        subject=f"{rule.check_id}/其余",
        found=f"另有 {rest} 行（文件 {manifest.file_sha256[:16]}，摘要 {digest}）",
        expected="0 行",
        message=f"“{rule.label}”：同样的问题另有 {rest} 行，没有逐行列出（共 {count} 行）。",
        action=rule.action,
        stands_for_count=rest,
    )


def _of_table(
    rule: Rule,
    suite: Suite,
    period: str,
    manifest: Manifest | None,
    *,
    cell: str = "",
    stands_for_count: int = 1,
    asks: tuple[Ask, ...] = (),
    **texts: str,
) -> Finding:
    """Return a finding of a rule about a table as a whole, or about the cell given."""
    return Finding(
        rule_id=rule.id,
        rule_class=rule.rule_class,
        level=rule.level,
        provider=suite.provider,
        table_id=suite.name,
        period=period,
        file_name=manifest.file_name if manifest else "",
        file_sha256=manifest.file_sha256 if manifest else "",
        sheet=manifest.sheet if manifest else suite.label,
        cell=cell,
        why=rule.why,
        stands_for_count=stands_for_count,
        asks=asks,
        **texts,
    )


def _cell(column_name: str | None, manifest: Manifest | None, row_number: int | None) -> str:
    if manifest is None or row_number is None:
        return ""
    column = manifest.cell_columns.get(column_name or "")
    return f"{column}{row_number}" if column else f"{row_number}:{row_number}"


def _trimmed(value: Decimal) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(name: str, value: Any, unit: str) -> str:
    """Return a value as people read it: amounts (``_wan``) exact, in 万元, the sheet's own unit beside it."""
    if value is None:
        return "空白"
    if isinstance(value, Decimal):
        if not name.endswith("_wan"):
            return _trimmed(value)
        aside = f"（{_trimmed(value / WAN_PER_UNIT[unit])} {unit}）" if unit in WAN_PER_UNIT and unit != "万元" else ""
        return f"{_trimmed(value)} 万元{aside}"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float):
        return f"{value:.2f}"
    return str(value)
