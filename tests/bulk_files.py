"""Bulk files made for a test: a sheet of a workbook as CSV or Parquet, and the workbook without it."""

import csv
import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from sources.contracts import table
from sources.grids import read_sheets
from sources.identity import headings_of
from sources.layout import find_body, find_headings, info_line

Rows = list[list[Any]]


def without_sheet(source: Path, sheet: str, target: Path) -> Path:
    """The workbook without one of its sheets."""
    book = openpyxl.load_workbook(source)
    del book[sheet]
    book.save(target)
    return target


def sheet_rows(source: Path, sheet: str) -> Rows:
    """The sheet's cells, row by row."""
    return [[*row] for row in openpyxl.load_workbook(source)[sheet].iter_rows(values_only=True)]


def as_text(value: Any) -> str:
    """A cell as a spreadsheet program writes it to CSV."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f"{value.year}/{value.month}/{value.day}"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def csv_text(rows: Rows, *, delimiter: str = ",", line_end: str = "\r\n") -> str:
    """The rows as CSV text."""
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=line_end).writerows(
        [[as_text(v) for v in row] for row in rows]
    )
    return text.getvalue()


def write_csv(path: Path, rows: Rows, *, encoding: str = "utf-8-sig", **more: Any) -> Path:
    """Write the rows as CSV; the name of the sheet has to stand in them, or its headings tell it."""
    path.write_bytes(csv_text(rows, **more).encode(encoding))
    return path


def write_parquet(path: Path, source: Path, table_id: str, **said: str) -> Path:
    """Write a sheet's data rows as typed Parquet: amounts as decimals, dates as dates, what its lines say as metadata."""
    contract = table(table_id)
    sheet = next(s for s in read_sheets(source) if s.name == contract.sheet)
    headings = find_headings(sheet.grid, headings_of(contract))
    assert headings is not None
    body = find_body(sheet, headings)
    info = {label: values[0][0] for label, values in info_line(sheet.grid, headings.row_number).items()}
    metadata = info | {"工作表": contract.sheet, "报出日期": str(body.reported_on)} | said
    arrays, names = [], []
    for column in contract.columns_of("half_year"):
        cells = [sheet.at(n, headings.columns[column.heading]) for n in body.data]
        cells = [None if c == "" else c for c in cells]
        if column.type == "money" and not any(isinstance(c, str) for c in cells):
            cells = [None if c is None else Decimal(as_text(c)) for c in cells]
        elif column.type != "date":
            cells = [None if c is None else as_text(c) for c in cells]
        names.append(column.heading)
        arrays.append(pa.array(cells, pa.date32() if column.type == "date" else None))
    pq.write_table(pa.table(arrays, names).replace_schema_metadata(metadata), path)
    return path
