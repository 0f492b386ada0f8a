"""The data rows of one sheet, read column by column: typed values in the contract's schema, and a note for every fault.

A column holds the same few texts over and over, so each distinct cell is read once.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import pyarrow as pa

from sources.contracts import STATUS_SUFFIX, Column, Table
from sources.grids import Sheet
from sources.layout import cell_name
from sources.reference import area_keys, periods
from sources.values import MISSING, NOT_REPORTED, WAN_PER_UNIT, CellFault, CellValue, cell_reader

Reporter = Callable[..., None]
Readers = list[tuple[Column, int, Callable[[object], CellValue]]]
"""Per column of the contract its index on the sheet, and the function that reads one of its cells."""


class _Note(NamedTuple):
    """What reading one cell had to say."""

    row_number: int
    position: int
    rule_id: str
    message: str
    found: str
    expected: str


def fault_at(sheet: Sheet, row_number: int, column: Column, index: int) -> CellFault | None:
    """Return why a cell cannot be believed, whatever value it seems to have."""
    fault = sheet.faults.get((row_number, index))
    if fault is None:
        return None
    found, expected = ("公式", "公式的计算结果") if fault.rule_id == "RD-102" else (fault.reason, "能读准的单元格")
    return CellFault(fault.rule_id, found, expected, f"“{column.heading}”是{fault.reason}")


class Rows:
    """The rows of one table, read from a sheet.

    Args:
        table: its contract.
        columns: column index per contract column.
        sheet: the cells.
        row_numbers: the data rows, 1-based.
        unit: the stated unit of amounts.
        period: the period's key.
        report: takes the findings.
    """

    def __init__(
        self,
        table: Table,
        columns: dict[Column, int],
        sheet: Sheet,
        row_numbers: list[int],
        unit: str,
        period: str,
        report: Reporter,
    ) -> None:
        self.table, self.sheet, self.period = table, sheet, period
        self.row_numbers = row_numbers
        areas = area_keys(periods()[period].ends_on)
        factor = WAN_PER_UNIT[unit]
        self.readers = [(column, index, cell_reader(column, factor, areas)) for column, index in columns.items()]
        self.unread: set[str] = set()
        """Columns with a cell that could not be read; it counts as missing in their sums."""
        notes: list[_Note] = []
        self.cells = [self._column(position, notes) for position in range(len(self.readers))]
        self._report(notes, report)

    def _column(self, position: int, notes: list[_Note]) -> list[CellValue]:
        """Read one column; every fault becomes a note, and its cell counts as missing."""
        column, index, reader = self.readers[position]
        faulty = {row_number for row_number, at in self.sheet.faults if at == index}
        rows = [self.sheet.grid[row_number - 1] for row_number in self.row_numbers]
        raws: list[Any] = [row[index] if index < len(row) else "" for row in rows]
        # 1, 1.0 and True are one key, but not one cell; so each type has its own.
        known: dict[type, dict[Any, CellValue | CellFault]] = {kind: {} for kind in set(map(type, raws))}
        for raw in set(raws) if len(known) == 1 else raws:
            cells = known[type(raw)]
            if raw not in cells:
                try:
                    cells[raw] = reader(raw)
                except CellFault as fault:
                    cells[raw] = fault
        read: list[Any] = [cells[raw] for raw in raws] if len(known) == 1 else [known[type(raw)][raw] for raw in raws]
        if not faulty and all(
            type(cell) is CellValue and not cell.remark for of in known.values() for cell in of.values()
        ):
            return read
        for nth, row_number in enumerate(self.row_numbers):
            cell = read[nth]
            if row_number in faulty:
                cell = fault_at(self.sheet, row_number, column, index) or cell
            if isinstance(cell, CellFault):
                self.unread.add(column.name)
                notes.append(_Note(row_number, position, cell.rule_id, cell.message, cell.found, cell.expected))
                read[nth] = NOT_REPORTED if column.is_number else MISSING
            elif cell.remark:
                rule_id, message = cell.remark
                notes.append(_Note(row_number, position, rule_id, message, str(cell.value), ""))
        return read

    def _report(self, notes: list[_Note], report: Reporter) -> None:
        keys = [
            values
            for (column, _, _), values in zip(self.readers, self.cells, strict=True)
            if column.name in self.table.key
        ]
        at = {number: nth for nth, number in enumerate(self.row_numbers)} if notes else {}
        for note in sorted(notes):
            nth = at[note.row_number]
            key = "/".join(str(values[nth].value) for values in keys if values[nth].value is not None)
            column, index, _ = self.readers[note.position]
            report(
                note.rule_id,
                note.message,
                cell=cell_name(index, note.row_number),
                subject=f"{key or note.row_number}/{column.name}",
                found=note.found,
                expected=note.expected,
            )

    def control_totals(self) -> dict[str, Decimal]:
        """Return the exact sum of every money column, in 万元."""
        return {
            column.name: sum((value for cell in cells if isinstance(value := cell.value, Decimal)), Decimal(0))
            for (column, _, _), cells in zip(self.readers, self.cells, strict=True)
            if column.type == "money"
        }

    def to_arrow(self, file_sha256: str) -> pa.Table:
        """Return the rows in the contract's schema; columns of another cadence are null."""
        schema = self.table.schema
        count = len(self.row_numbers)
        sheet_key = f"{file_sha256[:16]}:{self.sheet.index}"
        data: dict[str, list] = {
            "row_id": [f"{sheet_key}:{number}" for number in self.row_numbers],
            "period": [self.period] * count,
            "file_sha256": [file_sha256] * count,
            "sheet_name": [self.sheet.name] * count,
            "row_number": self.row_numbers,
        }
        for (column, _, _), cells in zip(self.readers, self.cells, strict=True):
            data[column.name] = [cell.value for cell in cells]
            if column.is_number:
                data[column.name + STATUS_SUFFIX] = [cell.status for cell in cells]
        return pa.table([pa.array(data.get(f.name, [None] * count), type=f.type) for f in schema], schema=schema)
