"""Reading one workbook: a file in, typed rows and findings out. Never raises for what a clerk may have done to it.

Called in a child process by `sources.reader_process`. Order: bytes (`sources.inspection`), cells (`sources.grids`), whose return
it is (`sources.identity`), then sheet by sheet by contract (`sources.sheet`). Rules *between* cells are not here but in
``expectations``.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from sources.contracts import Cadence, Provider, Table
from sources.explanations import ExplanationRow, read_explanations
from sources.finding import Finding
from sources.grids import Sheet, UnreadableWorkbook, read_sheets
from sources.identity import EXPLANATION_SHEET, Identity, identify, looks_like
from sources.inspection import has_links, open_plain
from sources.layout import HEAD_ROWS, INSTRUCTION_SHEET, LAST_SHEET_PREFIX
from sources.reading_rules import breach
from sources.sheet import TableReading, read_table
from sources.text import label_of, shown_name


@dataclass(frozen=True)
class WorkbookReading:
    """What one workbook gave.

    ``tables`` holds the tables that could be read, by id (rows in the contract's schema, manifest beside them);
    ``findings`` what the reader has to say, hard errors (强制性) among them; ``reported_on`` the latest 报出日期 of its sheets. ``given`` are the
    tables whose sheets the workbook holds, readable or not; ``explanations`` the rows of 核实说明.
    """

    file_name: str
    file_sha256: str
    provider: str
    period: str
    cadence: Cadence | None
    reported_on: date | None = None
    tables: dict[str, TableReading] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    given: frozenset[str] = frozenset()
    explanations: tuple[ExplanationRow, ...] = ()


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file's bytes in hex.

    Raises:
        OSError: it is no plain file, or may not be read.
    """
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def identify_workbook(path: Path, asked_period: str | None = None, *, file_name: str = "") -> WorkbookReading:
    """Tell whose return a workbook is from its first rows; the tables are not read.

    ``file_name`` is the name to speak of (the archive keeps files under their hash).
    """
    return _read(path, asked_period, file_name, rows=HEAD_ROWS)


def read_workbook(
    path: Path, asked_period: str | None = None, *, file_name: str = "", beside: Collection[str] = ()
) -> WorkbookReading:
    """Read a workbook by its provider's contract; see `WorkbookReading`.

    ``beside`` are tables that came as bulk files with it: their sheets are not missing.
    """
    return _read(path, asked_period, file_name, rows=None, beside=beside)


def _read(
    path: Path, asked_period: str | None, file_name: str, *, rows: int | None, beside: Collection[str] = ()
) -> WorkbookReading:
    name = shown_name(file_name or path.name)
    sha256 = ""
    try:
        sha256 = sha256_of(path)
        sheets = read_sheets(path, rows=rows)
    except UnreadableWorkbook as error:
        finding = breach(
            error.rule_id, str(error), file_name=name, file_sha256=sha256, subject="文件", found=str(error)
        )
        return WorkbookReading(name, sha256, "", "", None, findings=[finding])
    except OSError as error:
        message = f"文件读不了（{error.strerror or error}）"
        finding = breach("RD-046", message, file_name=name, subject="文件", found=message)
        return WorkbookReading(name, sha256, "", "", None, findings=[finding])
    identity = identify(Path(name), sha256, sheets, asked_period)
    if rows is not None or identity.provider is None or not identity.period:
        provider = identity.provider.provider if identity.provider else ""
        return WorkbookReading(name, sha256, provider, identity.period, identity.cadence, findings=identity.findings)
    reading = read_tables(name, sha256, sheets, identity, identity.provider, beside)
    if has_links(path) and all(finding.rule_id != "RD-044" for finding in reading.findings):
        where = {"file_name": name, "file_sha256": sha256, "provider": reading.provider, "period": reading.period}
        message = "工作簿里有指向其他工作簿的链接，取数的单元格没有用到"
        reading.findings.append(breach("RD-045", message, subject="外部链接", **where))
    return reading


def read_tables(
    name: str, sha256: str, sheets: list[Sheet], identity: Identity, provider: Provider, beside: Collection[str] = ()
) -> WorkbookReading:
    """Read the sheets of an identified return; arguments as for `read_workbook`."""
    cadence = identity.cadence or "half_year"
    period = identity.period
    where = {"file_name": name, "file_sha256": sha256, "provider": provider.provider, "period": period}
    by_name = {label_of(sheet.name): sheet for sheet in sheets}
    wanted = provider.tables_of(cadence)
    findings = list(identity.findings)
    tables: dict[str, TableReading] = {}
    reported: list[date] = []

    known = {label_of(table.sheet) for table in wanted} | {EXPLANATION_SHEET, INSTRUCTION_SHEET}
    unread = [s for s in sheets if label_of(s.name) not in known and not s.name.startswith(LAST_SHEET_PREFIX)]
    look_alikes = {sheet.name: table for sheet in unread if (table := looks_like(sheet, provider))}
    present = {table.table_id for table in wanted if label_of(table.sheet) in by_name}
    given = present | set(beside)
    for table in _to_read(wanted, given):
        sheet = by_name.get(label_of(table.sheet))
        if sheet is None and table.table_id in beside:
            continue
        if sheet is None:
            named = "”、“".join(name for name, like in look_alikes.items() if like.table_id == table.table_id)
            message = f"缺少工作表“{table.sheet}”" + (
                f"；“{named}”像是它，请把名称改为“{table.sheet}”" if named else ""
            )
            findings.append(
                breach(
                    "RD-005",
                    message,
                    table_id=table.table_id,
                    sheet=table.sheet,
                    found="无",
                    expected=table.sheet,
                    **where,
                )
            )
            continue
        reading = read_table(table, cadence, sheet, file_name=name, file_sha256=sha256, period=period)
        findings += reading.findings
        if reading.reported_on:
            reported.append(reading.reported_on)
        if reading.rows is not None:
            tables[table.table_id] = reading
        if sheet.is_hidden:
            how = "深度隐藏的（在 Excel 的菜单里也看不到）" if sheet.state == "veryHidden" else "隐藏的"
            message = f"工作表“{sheet.name}”是{how}，已照常读取"
            findings.append(breach("RD-020", message, table_id=table.table_id, sheet=sheet.name, **where))

    for table in wanted:
        doubled = sorted(given & set(table.instead_of))
        if table.table_id in given and doubled:
            names = "、".join(f"“{provider.tables[other].sheet}”" for other in doubled)
            message = f"“{table.sheet}”与{names}同时报送；汇总表只能代替单位表，本次按单位表取数"
            findings.append(breach("RD-006", message, table_id=table.table_id, sheet=_name_of(table, by_name), **where))
    for sheet_name, table in look_alikes.items():
        message = f"工作表“{sheet_name}”像是“{table.sheet}”，不是本次规定的工作表，没有取数"
        findings.append(breach("RD-028", message, sheet=sheet_name, found=sheet_name, expected=table.sheet, **where))
    others = "、".join(sheet.name for sheet in unread if sheet.name not in look_alikes)
    if others:
        findings.append(breach("RD-019", f"未取数的工作表：{others}", subject=others, **where))
    explanations: tuple[ExplanationRow, ...] = ()
    if EXPLANATION_SHEET in by_name:
        explanations, trouble = read_explanations(by_name[EXPLANATION_SHEET], **where)
        findings += trouble
    return WorkbookReading(
        name,
        sha256,
        provider.provider,
        period,
        cadence,
        max(reported, default=None),
        tables,
        findings,
        frozenset(present),
        explanations,
    )


def _name_of(table: Table, by_name: dict[str, Sheet]) -> str:
    """Return the sheet's name as the workbook spells it; a table that came as a bulk file has the contract's."""
    label = label_of(table.sheet)
    return by_name[label].name if label in by_name else table.sheet


def _to_read(wanted: tuple[Table, ...], present: set[str]) -> list[Table]:
    """Return the tables to read: all but stand-ins, unless a stand-in came alone, which then replaces the others."""
    stand_ins = [t for t in wanted if t.instead_of and t.table_id in present and not present & set(t.instead_of)]
    replaced = {table_id for table in stand_ins for table_id in table.instead_of}
    return [t for t in wanted if (not t.instead_of or t in stand_ins) and t.table_id not in replaced]
