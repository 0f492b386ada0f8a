"""What the gate says of a filled template, row by row, put where the template says it."""

from collections import Counter
from pathlib import Path

from orchestration.gate import GateOutcome, judge_return
from sources.finding import CLASS_LABELS, Finding
from sources.reference import area_names
from sources.template.form import Form
from sources.unit_register import register_of
from sources.workbook import WorkbookReading, read_workbook
from tests.templates.filling import Tables
from warehouse.layers import write_rows

AT_SUMMARY = {"PAY-001": "gov_input", "INF-001": "unit", "CON-002": "enterprise_rd"}
"""Rules whose finding names a ledger's largest row, and the table whose row the template names: there the sum is compared."""


def judged(path: Path, folder: Path) -> tuple[WorkbookReading, GateOutcome]:
    """Read a workbook and judge it by every suite."""
    reading = read_workbook(path)
    files = {}
    for table_id, table in reading.tables.items():
        files[table_id] = folder / path.stem / f"{table_id}.parquet"
        files[table_id].parent.mkdir(parents=True, exist_ok=True)
        write_rows(files[table_id], table)
    return reading, judge_return(reading, files, register_of([]))


def by_row(form: Form, findings: list[Finding], typed: Tables) -> dict[tuple[str, int], set[tuple[str, str]]]:
    """Return the findings as `filling.told` does: (table, row) → {(强制 | 核实 | 提示, rule)}."""
    result: dict[tuple[str, int], set[tuple[str, str]]] = {}
    for finding in findings:
        said = (CLASS_LABELS[finding.rule_class].removesuffix("性"), finding.rule_id)
        if finding.rule_id == "RD-054":
            # A 提示 on how a number is shown, which no formula can see; a reason for it stands in cell_checks.yaml.
            continue
        if finding.rule_id in AT_SUMMARY:
            table_id = f"{finding.provider}__{AT_SUMMARY[finding.rule_id]}"
            sheet, key = form.sheets[table_id], form.sheets[table_id].table.key[0]
            wanted = finding.subject.split("#")[0].split("/")[0]
            wanted = area_names().get(wanted, wanted)
            numbers = [n for n, row in enumerate(typed[table_id], start=sheet.first_row) if row[key].upper() == wanted]
        elif finding.cell and ":" not in finding.cell:
            table_id, numbers = finding.table_id, [int(finding.cell.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))]
        else:
            raise AssertionError(f"a finding without a row: {finding}")
        for number in numbers:
            result.setdefault((table_id, number), set()).add(said)
    return result


def doubled(form: Form, typed: Tables) -> set[tuple[str, int]]:
    """Return the rows whose key stands on another row as well: what they are compared with is not settled."""
    found = set()
    for table_id, rows in typed.items():
        sheet = form.sheets[table_id]
        keys = [tuple(row[name] for name in sheet.table.key) for row in rows]
        counts = Counter(keys)
        found |= {(table_id, n) for n, key in enumerate(keys, start=sheet.first_row) if key and counts[key] > 1}
    return found
