"""Gate 1 for one return, the same for a run and for a self-check: what the reader found, and what the suites say."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expectations.judge import judge_workbook
from expectations.names import judge_names
from sources.finding import Finding, in_order, told_apart
from sources.reader_process import read_workbook
from sources.reading_rules import breach
from sources.unit_register import UnitRegister
from sources.workbook import WorkbookReading
from warehouse.layers import manifest_of, write_rows


@dataclass(frozen=True)
class GateOutcome:
    """The findings of one return, hardest first, and the suites' summaries to keep with the run."""

    findings: list[Finding]
    summaries: list[dict[str, Any]]

    def of_table(self, table_id: str) -> list[Finding]:
        """Return the findings of one table; an empty id gives those of the workbook as a whole."""
        return [finding for finding in self.findings if finding.table_id == table_id]


def judge_return(
    reading: WorkbookReading, files: dict[str, Path], register: UnitRegister, said: Iterable[Finding] = ()
) -> GateOutcome:
    """Judge one return: the reader's findings, what is said of its correction slips, names beside codes, and every suite of its tables.

    ``files`` are the rows files of the tables that could be read. A return without one readable table has the reader's hard errors.

    Raises:
        NoSuiteError: a table has no suite; nothing may pass then.
    """
    # A table that the reader refused has its hard error; comparisons with it would only repeat that.
    refused = {f.table_id for f in reading.findings if f.rule_class == "mandatory"} - files.keys()
    manifests = {table_id: manifest_of(path) for table_id, path in files.items()}
    verdicts = judge_workbook(files, manifests, refused) if files else []
    names = judge_names(register, files, manifests)
    found = [*reading.findings, *said, *names, *(finding for verdict in verdicts for finding in verdict.findings)]
    return GateOutcome(told_apart(in_order(found)), [verdict.summary for verdict in verdicts])


def self_check(path: Path, folder: Path, register: UnitRegister) -> tuple[WorkbookReading, GateOutcome]:
    """Check one workbook as a run would, storing nothing beyond the scratch ``folder``."""
    reading = read_workbook(path)
    return reading, judge_reading(reading, folder, register)


def judge_reading(reading: WorkbookReading, folder: Path, register: UnitRegister) -> GateOutcome:
    """Judge what was read of one workbook, storing nothing beyond the scratch ``folder``."""
    if reading.cadence == "year":
        note = breach(
            "RD-027",
            "年报只检查了能不能读准，还没有审核规则",
            file_name=reading.file_name,
            provider=reading.provider,
        )
        return GateOutcome(told_apart(in_order([*reading.findings, note])), [])
    files = {}
    for table_id, table in reading.tables.items():
        files[table_id] = folder / f"{table_id}.parquet"
        write_rows(files[table_id], table)
    return judge_return(reading, files, register)
