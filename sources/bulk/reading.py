"""Reading one bulk file: a file in, one table's typed rows piece by piece and findings out; memory does not grow with the rows.

Called in a child process by `sources.reader_process`, which keeps the rows.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sources.bulk.columns import ColumnReader, Piece, exact_sum
from sources.bulk.csv_reader import CsvFile, Foot
from sources.bulk.parquet_reader import ParquetFile
from sources.bulk.sniff import MOST_BULK_ROWS, UnreadableBulk, check_size, kind_of
from sources.contracts import STATUS_SUFFIX, Cadence, Column, Table, table, tables
from sources.finding import Finding
from sources.grids import Sheet
from sources.identity import headings_of, identify
from sources.layout import Headings, cell_name, find_headings, info_line, units_below
from sources.limited import LimitedFindings, cut_short
from sources.manifest import Manifest
from sources.reading_rules import breach, reading_rules
from sources.reference import area_keys, periods
from sources.sheet import (
    TotalRow,
    check_date,
    check_total_row,
    check_units_below,
    day_that_counts,
    days_said,
    map_columns,
    report_above,
    stated_unit,
)
from sources.text import label_of
from sources.values import WAN_PER_UNIT, date_of, is_blank, shown

TELLING_TYPES = ("area", "enum", "boolean", "date")


@dataclass(frozen=True)
class BulkIdentity:
    """Whose a bulk file is and which table it holds, as far as its head and its end tell; ``findings`` say what they do not.

    ``period`` and ``table`` are empty where the file cannot be assigned. ``reported_on`` is the 报出日期 that counts.
    """

    file_name: str
    file_sha256: str
    provider: str
    period: str
    cadence: Cadence | None
    table: Table | None = None
    reported_on: date | None = None
    findings: list[Finding] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {
            "table": self.table.table_id if self.table else "",
            "reported_on": self.reported_on.isoformat() if self.reported_on else "",
            "findings": [finding.as_dict() for finding in self.findings],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "BulkIdentity":
        """Rebuild an identity from `as_dict`."""
        values = {
            "table": table(data["table"]) if data["table"] else None,
            "reported_on": date.fromisoformat(data["reported_on"]) if data["reported_on"] else None,
            "findings": [Finding.from_dict(finding) for finding in data["findings"]],
        }
        return cls(**data | values)


@dataclass(frozen=True)
class BulkReading:
    """What reading a bulk file gave beside its rows; unless ``is_read``, the rows given so far are no table's and are to be thrown away."""

    manifest: Manifest
    reported_on: date | None
    findings: list[Finding]
    is_read: bool


def identify_bulk(path: Path, sha256: str, asked_period: str | None = None, *, file_name: str = "") -> BulkIdentity:
    """Tell a bulk file's provider, period and table from its title lines (CSV) or its metadata (Parquet); the rows are not read."""
    name = file_name or path.name
    where = {"file_name": name, "file_sha256": sha256}
    try:
        source = _open(path, name)
    except UnreadableBulk as error:
        finding = breach("RD-072", str(error), subject="文件", cell=error.cell, found=str(error), **where)
        return BulkIdentity(name, sha256, "", "", None, findings=[finding])
    headings = find_headings(source.head, _all_headings())
    info = info_line(source.head, headings.row_number if headings else len(source.head) + 1)
    said = next((value for value, _ in info.get("工作表", [])), "")
    sheet_name = said or _sheet_by_headings(headings)
    identity = identify(Path(name), sha256, [Sheet(sheet_name, 0, "visible", source.head)], asked_period)
    provider = identity.provider.provider if identity.provider else ""
    findings = [cut_short(finding) for finding in identity.findings]
    table = (
        _table_of(identity.provider.tables_of(identity.cadence or "half_year"), sheet_name)
        if identity.provider
        else None
    )
    where |= {"provider": provider, "period": identity.period}
    if identity.provider and table is None:
        allowed = "、".join(t.sheet for t in identity.provider.tables_of(identity.cadence or "half_year"))
        message = (
            f"工作表“{said}”不在{identity.provider.label}的表式内" if said else "没有写明工作表，按列名也认不出是哪张表"
        )
        findings.append(breach("RD-070", message, subject="工作表", found=said or "空白", expected=allowed, **where))
        findings[-1] = cut_short(findings[-1])
    elif table is not None and not said:
        message = f"没有写明工作表，按列名认作“{table.sheet}”"
        findings.append(breach("RD-071", message, table_id=table.table_id, subject="工作表", found="空白", **where))
    above = date_of(next((value for value, _ in info.get("报出日期", [])), None))
    below = source.end()[1].reported_on if isinstance(source, CsvFile) else None
    days, period = {day for day in (above, below) if day}, periods().get(identity.period)
    # One that cannot be true is reported (RD-023) once the file is read.
    day = day_that_counts(days, period) if period else max(days, default=None)
    return BulkIdentity(
        name, sha256, provider, identity.period if table else "", identity.cadence, table, day, findings
    )


def read_bulk(path: Path, identity: BulkIdentity, take: Callable[[pa.RecordBatch], Any]) -> BulkReading:
    """Read an assigned bulk file by its table's contract.

    Args:
        path: the file.
        identity: as `identify_bulk` told it, with a table and a period.
        take: gets the rows in the contract's schema, some ten thousand at a time; a piece may be empty.
    """
    if identity.table is None:
        raise ValueError(f"{identity.file_name}: not assigned to a table")
    try:
        return _Reading(path, identity, identity.table).read(take)
    except UnreadableBulk as error:
        return refused(identity, identity.table, str(error), error.cell)


def refused(identity: BulkIdentity, table: Table, reason: str, cell: str = "") -> BulkReading:
    """Return the reading of a file that cannot be read to its end: the reason as a hard error."""
    where = {"provider": identity.provider, "period": identity.period, "table_id": table.table_id, "sheet": table.sheet}
    where |= {"file_name": identity.file_name, "file_sha256": identity.file_sha256}
    finding = breach("RD-072", reason, subject="文件", cell=cell, found=reason, **where)
    of_file = (identity.file_name, identity.file_sha256, table.sheet)
    manifest = Manifest(table.table_id, identity.period, table.provider, *of_file, unit="", heading_row=0)
    return BulkReading(manifest, identity.reported_on, [finding], is_read=False)


def texts_at(path: Path, file_name: str, column: int, row_numbers: set[int]) -> dict[int, str]:
    """Return what is written in one column (0-based) of a bulk file in the given rows, by row number."""
    return _open(path, file_name).texts(column, row_numbers)


class _Reading:
    """One file being read by one contract."""

    def __init__(self, path: Path, identity: BulkIdentity, table: Table) -> None:
        self.identity, self.table = identity, table
        self.source = _open(path, identity.file_name)
        self.sheet = Sheet(table.sheet, 0, "visible", self.source.head)
        self.findings = LimitedFindings(
            {
                "file_name": identity.file_name,
                "file_sha256": identity.file_sha256,
                "provider": table.provider,
                "period": identity.period,
                "table_id": table.table_id,
                "sheet": table.sheet,
            }
        )
        self.totals: dict[str, Decimal] = {}
        self.unread: set[str] = set()
        self.row_count = 0

    def read(self, take: Callable[[pa.RecordBatch], Any]) -> BulkReading:
        table, report, day = self.table, self.findings.report, self.identity.reported_on
        found = find_headings(self.source.head, headings_of(table))
        if found is None:
            report("RD-012", f"在“{table.sheet}”里找不到表头行", found="无", expected=table.columns[0].heading)
            return BulkReading(self._manifest(), day, self.findings.all(), is_read=False)
        end = units_below(*self.source.end()) if isinstance(self.source, CsvFile) else []
        below = [one._replace(row_number=0) for one in end]
        unit = stated_unit(table, self.sheet, found, report, below)
        # In Parquet the names of the columns are the first row, as they are where a spreadsheet opens the file.
        headings = replace(found, row_number=1) if isinstance(self.source, ParquetFile) else found
        columns = map_columns(table, self.identity.cadence or "half_year", headings, report)
        if columns is None or unit is None:
            manifest = self._manifest(unit or "", headings.row_number)
            return BulkReading(manifest, day, self.findings.all(), is_read=False)
        areas = area_keys(periods()[self.identity.period].ends_on)
        readers = [ColumnReader(column, index, WAN_PER_UNIT[unit], areas) for column, index in columns.items()]
        self.totals = {reader.column.name: Decimal(0) for reader in readers if reader.column.type == "money"}
        letters = {reader.column.name: cell_name(reader.index, 1)[:-1] for reader in readers}
        for numbers, cells in self._pieces(headings, columns):
            take(self._batch(readers, numbers, cells))
        foot = self.source.foot if isinstance(self.source, CsvFile) else Foot()
        days, unread_date = days_said(self.source.head, found, foot.body)
        check_units_below(unit, foot.units if table.unit_line else [], report)
        self._finish(foot, readers, found)
        day = check_date(days, unread_date, periods()[self.identity.period], report)
        manifest = self._manifest(
            unit,
            headings.row_number,
            cell_columns=letters,
            reported_on=max(days).isoformat() if days else "",
            row_count=self.row_count,
            control_totals_wan={name: f"{total:f}" for name, total in self.totals.items()},
        )
        return BulkReading(manifest, day, self.findings.all(), is_read=True)

    def _manifest(self, unit: str = "", heading_row: int = 0, **more: object) -> Manifest:
        identity = self.identity
        where = (self.table.table_id, identity.period, self.table.provider, identity.file_name, identity.file_sha256)
        return Manifest(*where, self.table.sheet, unit=unit, heading_row=heading_row, **more)  # type: ignore[arg-type]

    def _pieces(self, headings: Headings, columns: dict[Column, int]) -> Iterator[tuple[pa.Array, dict[int, pa.Array]]]:
        """Yield the pieces of the file with the cells of every mapped column, after a look at columns without a heading."""
        width = len(
            self.source.head[-1] if isinstance(self.source, ParquetFile) else self.source.head[headings.row_number - 1]
        )
        covered = {*headings.columns.values(), *headings.unknown.values(), *headings.twice.values()}
        bare = [index for index in range(width) if index not in covered]
        wanted = [*columns.values(), *bare]
        if isinstance(self.source, ParquetFile):
            pieces = self.source.pieces(wanted)
        else:
            telling = next((i for c, i in columns.items() if c.required and c.type in TELLING_TYPES), 0)
            pieces = self.source.pieces(headings, telling, wanted, self.findings)
        for numbers, cells in pieces:
            for index in bare:
                self._report_bare(numbers, cells[index], index)
            yield numbers, cells

    def _report_bare(self, numbers: pa.Array, cells: pa.Array, index: int) -> None:
        filled = {value for value in pc.unique(cells).to_pylist() if not is_blank(value)}
        for position, value in enumerate(cells.to_pylist()) if filled else ():
            if value in filled:
                place = cell_name(index, numbers[position].as_py())
                self.findings.report(
                    "RD-013", f"没有表头的单元格里有“{shown(value)}”，不取数", cell=place, found=shown(value)
                )

    def _batch(self, readers: list[ColumnReader], numbers: pa.Array, cells: dict[int, pa.Array]) -> pa.RecordBatch:
        """Return a piece's rows in the contract's schema, and report its cells."""
        count = len(numbers)
        self.row_count += count
        if self.row_count > MOST_BULK_ROWS:
            raise UnreadableBulk(f"超过 {MOST_BULK_ROWS:,} 行，请分期或按地区拆分")
        pieces = {reader.column.name: reader.read(cells[reader.index]) for reader in readers}
        self._report(readers, pieces, numbers)
        row_key = pa.scalar(f"{self.identity.file_sha256[:16]}:0:")
        data: dict[str, pa.Array] = {
            "row_id": pc.binary_join_element_wise(row_key, numbers.cast(pa.string()), ""),
            "period": pa.repeat(self.identity.period, count),
            "file_sha256": pa.repeat(self.identity.file_sha256, count),
            "sheet_name": pa.repeat(self.table.sheet, count),
            "row_number": numbers,
        }
        for reader in readers:
            piece = pieces[reader.column.name]
            data[reader.column.name] = piece.values
            if piece.statuses is not None:
                data[reader.column.name + STATUS_SUFFIX] = piece.statuses
            if reader.column.type == "money":
                self.totals[reader.column.name] += exact_sum(piece.values)
        schema = self.table.schema
        nothing = {f.name: pa.nulls(count, f.type) for f in schema if f.name not in data}
        return pa.record_batch([(data | nothing)[f.name] for f in schema], schema=schema)

    def _report(self, readers: list[ColumnReader], pieces: dict[str, Piece], numbers: pa.Array) -> None:
        """Report the cells of a piece that are no plain values, in row order."""
        keys = [pieces[name].values for name in self.table.key if name in pieces]
        noted = [
            (position, reader.index, reader.column.name, note)
            for reader in readers
            for position, note in pieces[reader.column.name].notes
        ]
        self.unread |= {name for _, _, name, note in noted if reading_rules()[note.rule_id].rule_class == "mandatory"}
        noted.sort(key=lambda entry: entry[:2])
        for position, index, name, note in noted:
            if self.findings.is_full(note.rule_id):
                self.findings.count_more(note.rule_id, 1)
                continue
            number = numbers[position].as_py()
            key = "/".join(str(v.as_py()) for values in keys if (v := values[position]).is_valid)
            self.findings.report(
                note.rule_id,
                note.message,
                cell=cell_name(index, number),
                subject=f"{key or number}/{name}",
                found=note.found,
                expected=note.expected,
            )

    def _finish(self, foot: Foot, readers: list[ColumnReader], headings: Headings) -> None:
        """Report what the file as a whole shows once its last row is read."""
        report = self.findings.report
        report_above(self.source.head if isinstance(self.source, CsvFile) else [], headings, report)
        for number in foot.stray:
            message = f"第{number}行在表尾里、表尾后或是第二个合计行，没有取数"
            report("RD-014", message, cell=f"{number}:{number}")
        self.findings.count_more("RD-014", foot.more_stray_count)
        if not self.row_count:
            report("RD-021", f"“{self.table.sheet}”没有数据行", found="0行")
        read = [(reader.column, reader.index, reader.read_text) for reader in readers]
        total = TotalRow(foot.total_row, foot.total) if foot.total_row else None
        check_total_row(self.table, self.sheet, total, self.row_count, self.totals, read, report, self.unread)


def _open(path: Path, file_name: str) -> CsvFile | ParquetFile:
    check_size(path)
    return ParquetFile(path) if kind_of(path, file_name) == "parquet" else CsvFile(path, _all_headings())


def _all_headings() -> list[str]:
    return list(dict.fromkeys(heading for table in tables().values() for heading in headings_of(table)))


def _table_of(candidates: tuple[Table, ...], sheet_name: str) -> Table | None:
    return next((table for table in candidates if label_of(table.sheet) == label_of(sheet_name)), None)


def _sheet_by_headings(headings: Headings | None) -> str:
    """Return the name of the one sheet whose headings these are; empty where several or none would fit."""
    if headings is None:
        return ""
    labels = {label_of(heading) for heading in headings.columns}
    fitting = {
        table.sheet
        for table in tables().values()
        if all(
            label_of(c.heading) in labels or {label_of(a) for a in c.aliases} & labels
            for c in table.columns_of("half_year")
        )
    }
    return fitting.pop() if len(fitting) == 1 else ""
