"""Reading one sheet by its contract: headings by name, every cell of every data row accounted for."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from sources.contracts import Cadence, Column, Table
from sources.finding import Finding
from sources.grids import Grid, Sheet
from sources.identity import headings_of
from sources.layout import (
    Body,
    Headings,
    UnitBelow,
    cell_name,
    data_above,
    find_body,
    find_headings,
    info_line,
    info_row,
    units_above,
    units_below,
    without_template_columns,
)
from sources.limited import LimitedFindings
from sources.manifest import Manifest
from sources.reference import Period, periods
from sources.rows import Readers, Reporter, Rows, fault_at
from sources.seen import report_unseen
from sources.text import label_of
from sources.values import FEN_IN_WAN, WAN_PER_UNIT, CellFault, date_of, is_blank

_IN_YUAN = re.compile(r"^人民币|\(?人民币\)?$")
"""What may stand beside a unit: every amount is in 人民币."""
LATEST_REPORT = timedelta(days=2 * 366)
"""A correction may come late, but not later than two years after the period's end."""


class TotalRow(NamedTuple):
    """The 合计 row: its number on the sheet (1-based) and its cells."""

    row_number: int
    cells: Sequence[object]


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
    of_table = {"provider": table.provider, "period": period, "table_id": table.table_id, "sheet": sheet.name}
    findings = LimitedFindings({"file_name": file_name, "file_sha256": file_sha256} | of_table, longest_text=None)
    report = findings.report

    def manifest(unit: str = "", **more: object) -> Manifest:
        where = (table.table_id, period, table.provider, file_name, file_sha256, sheet.name)
        return Manifest(*where, unit=unit, heading_row=headings.row_number if headings else 0, **more)  # type: ignore[arg-type]

    headings = find_headings(sheet.grid, headings_of(table))
    if headings is None:
        report("RD-012", f"在“{sheet.name}”里找不到表头行", found="无", expected=table.columns[0].heading)
        return TableReading(manifest(), None, None, findings.all())
    sheet, headings = without_template_columns(sheet, headings)
    body = find_body(sheet, headings)
    columns = map_columns(table, cadence, headings, report)
    below = units_below(sheet.grid, body) if table.unit_line else []
    unit = stated_unit(table, sheet, headings, report, below)
    days, unread_date = days_said(sheet.grid, headings, body)
    if columns is None or unit is None or not check_units_below(unit, below, report):
        return TableReading(manifest(), None, day_that_counts(days, periods()[period]), findings.all())
    rows = Rows(table, columns, sheet, body.data, unit, period, report)
    report_above(sheet.grid, headings, report)
    _check_rest(sheet, headings, body, report)
    report_unseen(sheet, headings, body, columns, unit, report)
    reported_on = check_date(days, unread_date, periods()[period], report)
    if not body.data:
        report("RD-021", f"“{sheet.name}”没有数据行", found="0行")
    totals = rows.control_totals()
    total = TotalRow(body.total, sheet.grid[body.total - 1]) if body.total else None
    check_total_row(table, sheet, total, len(body.data), totals, rows.readers, report, rows.unread)
    letters = {column.name: cell_name(index, 1)[:-1] for column, index in columns.items()}
    reported = max(days).isoformat() if days else ""
    described = manifest(
        unit,
        cell_columns=letters,
        reported_on=reported,
        row_count=len(body.data),
        control_totals_wan={name: f"{total:f}" for name, total in totals.items()},
    )
    return TableReading(described, rows.to_arrow(file_sha256), reported_on, findings.all())


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


def stated_unit(
    table: Table, sheet: Sheet, headings: Headings, report: Reporter, below: Sequence[UnitBelow] = ()
) -> str | None:
    """Return the stated unit of amounts; None (and a hard error) where it is missing or unknown.

    It stands above the headings: one that is only found ``below`` is not taken, but named in the hard error.
    """
    if not table.unit_line:
        return "万元"
    said = info_line(sheet.grid, headings.row_number).get("计量单位", [])
    said = [(_IN_YUAN.sub("", written), where) for written, where in said]
    value, place = said[0] if said else ("", "")
    if len({other for other, _ in said}) > 1:
        found = "、".join(f"{other}（{where}）" for other, where in said)
        report("RD-024", f"计量单位写了两个：{found}", cell=said[-1][1], subject="计量单位", found=found)
        return None
    if not value:
        row = info_row(sheet.grid, headings.row_number) or max(headings.row_number - 1, 1)
        elsewhere = _unit_elsewhere(sheet.grid, headings, below)
        message = f"第{row}行没有“计量单位”{elsewhere}，整张表不取数"
        report(
            "RD-007", message, cell=f"{row}:{row}", subject="计量单位", found="空白", expected="、".join(WAN_PER_UNIT)
        )
        return None
    if value not in WAN_PER_UNIT:
        message = f"计量单位写的是“{value}”，只能是{'、'.join(WAN_PER_UNIT)}"
        report("RD-008", message, cell=place, subject="计量单位", found=value, expected="、".join(WAN_PER_UNIT))
        return None
    other = next(((unit, place) for unit, place in units_above(sheet.grid, headings) if unit != value), None)
    if other:
        message = f"计量单位写的是“{value}”，{other[1]} 却写着“{other[0]}”，整张表不取数"
        report("RD-024", message, cell=other[1], subject="计量单位", found=f"{value}、{other[0]}")
        return None
    return value


def _unit_elsewhere(grid: Grid, headings: Headings, below: Sequence[UnitBelow]) -> str:
    """Return in brackets where a sheet names its unit in other words, or where it is not looked for; empty where it does not."""
    above = next(
        (f"（{place} 写着“{unit}”，须写成“计量单位：{unit}”）" for unit, place in units_above(grid, headings)), ""
    )
    return above or next((f"（{one.place} 写着“{one.unit}”，须移到表头以上）" for one in below if one.is_stated), "")


def check_units_below(unit: str, below: Sequence[UnitBelow], report: Reporter) -> bool:
    """Report where the foot or a note names another unit than the sheet's; return whether the sheet may be read by its own.

    One that is stated as 单位 contradicts it; one that a note names in passing may be about other figures, and is asked about.
    """
    others = [one for one in below if one.unit != unit]
    for one in others:
        found = f"{unit}、{one.unit}"
        if one.is_stated:
            message = f"计量单位写的是“{unit}”，表尾或说明里（{one.place}）却写着“{one.unit}”，整张表不取数"
            report("RD-024", message, cell=one.place, subject="计量单位", found=found)
        else:
            message = f"计量单位写的是“{unit}”，表尾或说明里（{one.place}）提到“{one.unit}”；按“{unit}”取数"
            report("RD-065", message, cell=one.place, subject=f"计量单位/{one.unit}", found=found)
    return not any(one.is_stated for one in others)


def report_above(grid: Grid, headings: Headings, report: Reporter) -> None:
    """Report rows of data above the headings: a second table, or a row sorted or moved up there, would be lost."""
    for row_number in data_above(grid, headings):
        message = f"第{row_number}行没有取数：它在表头（第{headings.row_number}行）上面"
        report("RD-014", message, cell=f"{row_number}:{row_number}")


def _check_rest(sheet: Sheet, headings: Headings, body: Body, report: Reporter) -> None:
    """Report cells that no column accounts for: beside the headings in data rows, and rows after the foot."""
    covered = set(headings.columns.values()) | set(headings.unknown.values()) | set(headings.twice.values())
    data = set(body.data)
    width = max((len(sheet.grid[row_number - 1]) for row_number in body.data), default=0)
    bare = [index for index in range(width) if index not in covered]
    for row_number in body.data if bare else ():
        for index in bare:
            value = sheet.at(row_number, index)
            if value is not None and not is_blank(value):
                place = cell_name(index, row_number)
                report("RD-013", f"没有表头的单元格里有“{value}”，不取数", cell=place, found=str(value))
    for (row_number, index), fault in sorted(sheet.faults.items()):
        if row_number in data and index not in covered and fault.rule_id == "RD-102":
            report("RD-013", "没有表头的单元格里有公式，不取数", cell=cell_name(index, row_number), found="公式")
    for row_number, index in sorted(sheet.linked):
        if index in covered or row_number not in data:
            message = "单元格的数取自另一个工作簿"
            report("RD-044", message, cell=cell_name(index, row_number), found="引用其他工作簿的公式", expected="数值")
    for row_number in body.stray:
        why = (
            f"第{body.foot}行起是表尾" if body.foot and row_number > body.foot else "这是第二个合计行，或与表尾同在一行"
        )
        report("RD-014", f"第{row_number}行没有取数：{why}", cell=f"{row_number}:{row_number}")


def days_said(grid: Grid, headings: Headings, body: Body) -> tuple[set[date], str]:
    """Return every 报出日期 of a sheet, above the headings and in the foot, and what stands there where that is no date."""
    days, unread = set(body.days), body.unread_date
    for written, _ in info_line(grid, headings.row_number).get("报出日期", []):
        day = date_of(written)
        if day:
            days.add(day)
        else:
            unread = unread or written
    return days, unread


def day_that_counts(days: Collection[date], period: Period) -> date | None:
    """Return the latest 报出日期, or None where that cannot be true: before the period began, or years after its end.

    A slip of the pen (2062) would keep every later version from being used.
    """
    day = max(days, default=None)
    return day if day and period.starts_on <= day <= period.ends_on + LATEST_REPORT else None


def check_date(days: Collection[date], unread: str, period: Period, report: Reporter) -> date | None:
    """Return the 报出日期 that counts, as `day_that_counts`; report two different ones, one that is no date, and one that cannot be true."""
    if len(days) > 1:
        texts = "、".join(day.isoformat() for day in sorted(days))
        report("RD-024", f"报出日期写了不同的几个：{texts}", subject="报出日期", found=texts)
    latest, day = max(days, default=None), day_that_counts(days, period)
    if unread:
        report("RD-023", f"报出日期“{unread}”认不出", subject="报出日期", found=unread)
    if latest and not day:
        report(
            "RD-023", f"报出日期 {latest} 不像是{period.name}的报出日期", subject="报出日期", found=latest.isoformat()
        )
    return day


def check_total_row(
    table: Table,
    sheet: Sheet,
    total: TotalRow | None,
    row_count: int,
    totals: dict[str, Decimal],
    readers: Readers,
    report: Reporter,
    unread: Collection[str],
) -> None:
    """Compare the 合计 row with the exact sums; it is required on some sheets. Holds to half a fen per summand.

    A column with a cell that could not be read (``unread``) is not compared: that cell has its finding, and the difference would only say it again.
    """
    required = table.total_row == "required"
    if total is None:
        if required:
            report("RD-015", f"“{sheet.name}”没有合计行", found="无", expected="合计行")
        return
    tolerance = FEN_IN_WAN / 2 * row_count
    for column, index, reader in readers:
        if column.type != "money":
            continue
        raw = total.cells[index] if index < len(total.cells) else None
        broken = fault_at(sheet, total.row_number, column, index)
        if is_blank(raw) and not broken:
            if required and totals[column.name]:
                message = f"合计行的“{column.heading}”是空白，各行之和为 {totals[column.name]:f} 万元"
                report(
                    "RD-016",
                    message,
                    cell=cell_name(index, total.row_number),
                    subject=f"合计/{column.name}",
                    found="空白",
                )
            continue
        place = cell_name(index, total.row_number)
        try:
            if broken:
                raise broken
            stated = reader(raw).value
        except CellFault as fault:
            report(fault.rule_id, fault.message, cell=place, subject=f"合计/{column.name}", found=fault.found)
            continue
        difference = stated - totals[column.name] if isinstance(stated, Decimal) else Decimal(0)
        if abs(difference) > tolerance and column.name not in unread:
            report(
                "RD-016" if required else "RD-017",
                f"合计行的“{column.heading}”为 {stated:f} 万元，各行之和为 {totals[column.name]:f} 万元，相差 {difference:f} 万元",
                cell=place,
                subject=f"合计/{column.name}",
                found=f"{stated:f}",
                expected=f"{totals[column.name]:f}",
            )
