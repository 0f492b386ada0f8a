"""Reading one sheet by its contract: headings by name, every cell of every data row accounted for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from sources.contracts import STATUS_SUFFIX, Cadence, Column, Table
from sources.finding import Finding
from sources.grids import Sheet
from sources.identity import headings_of
from sources.layout import Body, Headings, cell_name, find_body, find_headings, info_line, info_row
from sources.manifest import Manifest
from sources.reading_rules import breach
from sources.reference import Period, area_keys, periods
from sources.text import label_of
from sources.values import FEN_IN_WAN, MISSING, NOT_REPORTED, WAN_PER_UNIT, CellFault, CellValue, cell_reader, is_blank

Reporter = Callable[..., None]
LATEST_REPORT = timedelta(days=2 * 366)
"""A correction may come late, but not later than two years after the period's end."""


@dataclass(frozen=True)
class TableReading:
    """One sheet's rows in the contract's schema (None where the sheet could not be read), its manifest, and its findings.

    The rows of a bulk file are not held in memory but in ``spooled``, a Parquet file with the manifest in its metadata.
    """

    manifest: Manifest
    rows: pa.Table | None
    reported_on: date | None = None
    findings: list[Finding] = field(default_factory=list)
    spooled: Path | None = None

    @property
    def is_read(self) -> bool:
        """Whether there are rows, be there none of them."""
        return self.rows is not None or self.spooled is not None


def read_table(
    table: Table, cadence: Cadence, sheet: Sheet, *, file_name: str, file_sha256: str, period: str
) -> TableReading:
    """Read one sheet.

    Args:
        table: its contract.
        cadence: whether the return is half-yearly or annual; decides which headings are required.
        sheet: its cells.
        file_name: for the findings.
        file_sha256: for the rows.
        period: the workbook's period key.
    """
    findings: list[Finding] = []

    def report(rule_id: str, message: str, **more: str) -> None:
        where = {"file_name": file_name, "file_sha256": file_sha256, "provider": table.provider, "period": period}
        findings.append(breach(rule_id, message, table_id=table.table_id, sheet=sheet.name, **where, **more))

    def manifest(unit: str = "", **more: object) -> Manifest:
        where = (table.table_id, period, table.provider, file_name, file_sha256, sheet.name)
        return Manifest(*where, unit=unit, heading_row=headings.row_number if headings else 0, **more)  # type: ignore[arg-type]

    headings = find_headings(sheet.grid, headings_of(table))
    if headings is None:
        report("RD-012", f"在“{sheet.name}”里找不到表头行", found="无", expected=table.columns[0].heading)
        return TableReading(manifest(), None, None, findings)
    body = find_body(sheet, headings)
    columns = map_columns(table, cadence, headings, report)
    unit = stated_unit(table, sheet, headings, report)
    if columns is None or unit is None:
        return TableReading(manifest(), None, body.reported_on, findings)
    rows = _Rows(table, columns, sheet, unit, file_sha256, period, report)
    for row_number in body.data:
        rows.add(row_number)
    _check_rest(sheet, headings, body, report)
    check_date(body, periods()[period], report)
    if not body.data:
        report("RD-021", f"“{sheet.name}”没有数据行", found="0行")
    totals = rows.control_totals()
    check_total_row(table, sheet, body.total, len(body.data), totals, rows.readers, report)
    letters = {column.name: cell_name(index, 1)[:-1] for column, index in columns.items()}
    reported = body.reported_on.isoformat() if body.reported_on else ""
    described = manifest(
        unit,
        cell_columns=letters,
        reported_on=reported,
        row_count=len(body.data),
        control_totals_wan={name: f"{total:f}" for name, total in totals.items()},
    )
    return TableReading(described, rows.to_arrow(), body.reported_on, findings)


def map_columns(table: Table, cadence: Cadence, headings: Headings, report: Reporter) -> dict[Column, int] | None:
    """Map contract columns to column indexes; None (and hard errors) where a required heading is missing or doubled."""
    row = headings.row_number
    complete = True
    columns: dict[Column, int] = {}
    for column in table.columns_of(cadence):
        index = next((headings.columns[h] for h in (column.heading, *column.aliases) if h in headings.columns), None)
        if index is None:
            complete = False
            message = f"第{row}行缺少表头“{column.heading}”；其他列不会顶替，整张表不取数"
            report("RD-009", message, cell=f"{row}:{row}", subject=column.heading, found="无", expected=column.heading)
        else:
            columns[column] = index
    for heading, index in headings.twice.items():
        complete = False
        report("RD-011", f"表头“{heading}”出现了两次", cell=cell_name(index, row), subject=heading, found=heading)
    other_cadence = {label_of(c.heading): c for c in table.columns if cadence not in c.cadence}
    for label, index in headings.unknown.items():
        report("RD-010", f"表头“{label}”不在表式内，该列不取数", cell=cell_name(index, row), subject=label, found=label)
    for heading, index in headings.columns.items():
        if label_of(heading) in other_cadence:
            message = f"表头“{heading}”不属于这种报表，该列不取数"
            report("RD-010", message, cell=cell_name(index, row), subject=heading, found=heading)
    return columns if complete else None


def stated_unit(table: Table, sheet: Sheet, headings: Headings, report: Reporter) -> str | None:
    """Return the stated unit of amounts; None (and a hard error) where it is missing or unknown."""
    if not table.unit_line:
        return "万元"
    said = info_line(sheet.grid, headings.row_number).get("计量单位", [])
    value, place = said[0] if said else ("", "")
    if len({other for other, _ in said}) > 1:
        found = "、".join(f"{other}（{where}）" for other, where in said)
        report("RD-024", f"计量单位写了两个：{found}", cell=said[-1][1], subject="计量单位", found=found)
        return None
    if not value:
        row = info_row(sheet.grid, headings.row_number) or max(headings.row_number - 1, 1)
        message = f"第{row}行没有“计量单位”，整张表不取数"
        report(
            "RD-007", message, cell=f"{row}:{row}", subject="计量单位", found="空白", expected="、".join(WAN_PER_UNIT)
        )
        return None
    if value not in WAN_PER_UNIT:
        message = f"计量单位写的是“{value}”，只能是{'、'.join(WAN_PER_UNIT)}"
        report("RD-008", message, cell=place, subject="计量单位", found=value, expected="、".join(WAN_PER_UNIT))
        return None
    return value


class _Rows:
    """The rows read so far, column by column."""

    def __init__(
        self,
        table: Table,
        columns: dict[Column, int],
        sheet: Sheet,
        unit: str,
        file_sha256: str,
        period: str,
        report: Reporter,
    ) -> None:
        self.table, self.sheet, self.report = table, sheet, report
        self.file_sha256, self.period = file_sha256, period
        areas = area_keys(periods()[period].ends_on)
        factor = WAN_PER_UNIT[unit]
        self.columns = columns
        self.readers = [(column, index, cell_reader(column, factor, areas)) for column, index in columns.items()]
        self.key = [position for position, (column, _, _) in enumerate(self.readers) if column.name in table.key]
        self.values: list[list[CellValue]] = []
        self.row_numbers: list[int] = []

    def add(self, row_number: int) -> None:
        """Read one data row; every fault becomes a finding, and the row is kept with that cell missing."""
        row: list[CellValue] = []
        notes: list[tuple[str, str, str, str, int]] = []
        raw = self.sheet.grid[row_number - 1]
        width = len(raw)
        for column, index, reader in self.readers:
            try:
                if self.sheet.uncalculated:
                    _refuse_uncalculated(self.sheet, row_number, column, index)
                cell = reader(raw[index] if index < width else None)
                if cell.remark:
                    notes.append((*cell.remark, str(cell.value), "", index))
            except CellFault as fault:
                cell = NOT_REPORTED if column.is_number else MISSING
                notes.append((fault.rule_id, fault.message, fault.found, fault.expected, index))
            row.append(cell)
        if notes:
            key = "/".join(str(row[position].value) for position in self.key if row[position].value is not None)
            for rule_id, message, found, expected, index in notes:
                cell_at = cell_name(index, row_number)
                self.report(
                    rule_id,
                    message,
                    cell=cell_at,
                    subject=f"{key or row_number}/{index}",
                    found=found,
                    expected=expected,
                )
        self.values.append(row)
        self.row_numbers.append(row_number)

    def control_totals(self) -> dict[str, Decimal]:
        """Return the exact sum of every money column, in 万元."""
        return {
            column.name: sum((v for row in self.values if isinstance(v := row[position].value, Decimal)), Decimal(0))
            for position, (column, _, _) in enumerate(self.readers)
            if column.type == "money"
        }

    def to_arrow(self) -> pa.Table:
        """Return the rows in the contract's schema; columns of another cadence are null."""
        schema = self.table.schema
        count = len(self.values)
        sheet_key = f"{self.file_sha256[:16]}:{self.sheet.index}"
        data: dict[str, list] = {
            "row_id": [f"{sheet_key}:{number}" for number in self.row_numbers],
            "period": [self.period] * count,
            "file_sha256": [self.file_sha256] * count,
            "sheet_name": [self.sheet.name] * count,
            "row_number": self.row_numbers,
        }
        for position, (column, _, _) in enumerate(self.readers):
            data[column.name] = [row[position].value for row in self.values]
            if column.is_number:
                data[column.name + STATUS_SUFFIX] = [row[position].status for row in self.values]
        return pa.table([pa.array(data.get(f.name, [None] * count), type=f.type) for f in schema], schema=schema)


def _check_rest(sheet: Sheet, headings: Headings, body: Body, report: Reporter) -> None:
    """Report cells that no column accounts for: beside the headings in data rows, and rows after the foot."""
    covered = set(headings.columns.values()) | set(headings.unknown.values()) | set(headings.twice.values())
    data = set(body.data)
    for row_number in body.data:
        row = sheet.grid[row_number - 1]
        for index, value in enumerate(row):
            if index not in covered and value is not None and not is_blank(value):
                place = cell_name(index, row_number)
                report("RD-013", f"没有表头的单元格里有“{value}”，不取数", cell=place, found=str(value))
    for row_number, index in sorted(sheet.uncalculated):
        if row_number in data and index not in covered:
            report("RD-013", "没有表头的单元格里有公式，不取数", cell=cell_name(index, row_number), found="公式")
    for row_number, index in sheet.merged:
        if row_number in data:
            report(
                "RD-026",
                "数据区里有合并单元格，只读到左上角一格",
                cell=cell_name(index, row_number),
                found="合并单元格",
            )
    for row_number in body.stray:
        report(
            "RD-014", f"第{row_number}行在表尾里、表尾后或是第二个合计行，没有取数", cell=f"{row_number}:{row_number}"
        )


def check_date(body: Body, period: Period, report: Reporter) -> None:
    """Report a 报出日期 that is none, or that cannot be true: before the period began, or years after its end."""
    day = body.reported_on
    if body.unread_date:
        report("RD-023", f"报出日期“{body.unread_date}”认不出", subject="报出日期", found=body.unread_date)
    elif day and not period.starts_on <= day <= period.ends_on + LATEST_REPORT:
        report("RD-023", f"报出日期 {day} 不像是{period.name}的报出日期", subject="报出日期", found=day.isoformat())


def _refuse_uncalculated(sheet: Sheet, row_number: int, column: Column, index: int) -> None:
    """Refuse a cell whose formula has no cached value.

    Raises:
        CellFault: it is one.
    """
    if (row_number, index) in sheet.uncalculated:
        message = f"“{column.heading}”是没有保存计算结果的公式"
        raise CellFault("RD-102", "公式", "公式的计算结果", message)


def check_total_row(
    table: Table,
    sheet: Sheet,
    total_row: int | None,
    row_count: int,
    totals: dict[str, Decimal],
    readers: list[tuple[Column, int, Callable[[object], CellValue]]],
    report: Reporter,
) -> None:
    """Compare the 合计 row with the exact sums; it is required on some sheets. Holds to half a fen per summand."""
    required = table.total_row == "required"
    if total_row is None:
        if required:
            report("RD-015", f"“{sheet.name}”没有合计行", found="无", expected="合计行")
        return
    tolerance = FEN_IN_WAN / 2 * row_count
    cells = sheet.grid[total_row - 1]
    for column, index, reader in readers:
        if column.type != "money":
            continue
        raw = cells[index] if index < len(cells) else None
        if is_blank(raw) and (total_row, index) not in sheet.uncalculated:
            if required and totals[column.name]:
                message = f"合计行的“{column.heading}”是空白，各行之和为 {totals[column.name]:f} 万元"
                report("RD-016", message, cell=cell_name(index, total_row), subject=f"合计/{column.name}", found="空白")
            continue
        place = cell_name(index, total_row)
        try:
            _refuse_uncalculated(sheet, total_row, column, index)
            stated = reader(raw).value
        except CellFault as fault:
            report(fault.rule_id, fault.message, cell=place, subject=f"合计/{column.name}", found=fault.found)
            continue
        difference = stated - totals[column.name] if isinstance(stated, Decimal) else Decimal(0)
        if abs(difference) > tolerance:
            report(
                "RD-016" if required else "RD-017",
                f"合计行的“{column.heading}”为 {stated:f} 万元，各行之和为 {totals[column.name]:f} 万元，相差 {difference:f} 万元",
                cell=place,
                subject=f"合计/{column.name}",
                found=f"{stated:f}",
                expected=f"{totals[column.name]:f}",
            )
