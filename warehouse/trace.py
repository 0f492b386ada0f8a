"""From a published figure back to its cells: file, sheet, cell, what was written there; and each yuan removed, with both sides.

Reads the published warehouse for the figure and the ledger, ``accepted/`` for the rows, the archive for what the cell says. What it
finds must add up to the published figure; where it does not, it says so instead of explaining something else.
"""

import json
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
from openpyxl.utils import column_index_from_string

from sources import contracts
from sources.bulk.reading import texts_at
from sources.bulk.sniff import kind_of
from sources.grids import read_sheets
from sources.manifest import Manifest
from sources.reference import CITY, enterprise_frame, indicator_components, periods, subject_providers
from sources.values import shown
from warehouse.archive import archived
from warehouse.layers import manifest_of
from warehouse.paths import Home
from warehouse.query import connect

AMOUNT_COLUMNS = ("amount_wan", "sti_activity_wan", "rd_expense_wan", "gov_total_wan")
"""The column that says how much a row is about, whichever of them its table has."""


class CannotTrace(RuntimeError):
    """The figure cannot be traced; the message says why and what to do next."""


@dataclass(frozen=True)
class SourceCell:
    """One cell behind a figure: where it stands, what is written there, and what it adds, in 万元.

    ``correction`` says by which slip, and why, the value differs from what is written.
    """

    table_id: str
    file_name: str
    sheet: str
    cell: str
    about: str
    written: str
    unit: str
    value_wan: Decimal | None
    correction: str = ""


@dataclass(frozen=True)
class EvidenceRow:
    """One source row that a removal rests on."""

    row_id: str
    table_id: str
    file_name: str
    sheet: str
    row_number: int
    amount_wan: Decimal | None


@dataclass(frozen=True)
class Removal:
    """One row of the elimination ledger with the rows of both sides."""

    elimination_id: str
    reason: str
    tier: str
    unit_code: str
    counterparty_code: str
    reference_no: str
    amount_wan: Decimal
    estimated: bool
    evidence: list[EvidenceRow] = field(default_factory=list)


@dataclass(frozen=True)
class Trace:
    """A figure and everything behind it. ``is_explained``: the cells less the removals are exactly the published figure."""

    period: str
    area_key: str
    indicator_id: str
    indicator_name: str
    value_wan: Decimal | None
    cells: list[SourceCell]
    removals: list[Removal]
    is_explained: bool


@dataclass
class _Rows:
    """The accepted rows of one period, by table."""

    home: Home
    period: str
    written: dict[tuple[str, str], Any] = field(default_factory=dict)

    def path(self, table_id: str) -> Path:
        return self.home.rows("accepted", table_id, self.period)

    def manifest(self, table_id: str) -> Manifest:
        return manifest_of(self.path(table_id))

    def query(self, table_id: str, columns: str, where: str, values: list[Any]) -> list[tuple[Any, ...]]:
        """Select from one table's rows; nothing if the table was not sent."""
        if not self.path(table_id).exists():
            return []
        sql = f"select {columns} from read_parquet(?) where {where} order by row_number"
        with duckdb.connect() as connection:
            return connection.execute(sql, [str(self.path(table_id)), *values]).fetchall()

    def texts_of(self, manifest: Manifest, letter: str, row_numbers: list[int]) -> list[str]:
        """Return what is written in cells of one column of the archived workbook or bulk file."""
        path = archived(self.home, manifest.file_sha256)
        if not kind_of(path):
            return [self._text_of(manifest, letter, row_number) for row_number in row_numbers]
        texts = texts_at(path, path.name, column_index_from_string(letter) - 1, set(row_numbers))
        return [texts[row_number] or "空白" for row_number in row_numbers]

    def _text_of(self, manifest: Manifest, letter: str, row_number: int) -> str:
        key = (manifest.file_sha256, manifest.sheet)
        if key not in self.written:
            for sheet in read_sheets(archived(self.home, manifest.file_sha256)):
                self.written[manifest.file_sha256, sheet.name] = sheet.grid
        row = self.written[key][row_number - 1]
        index = column_index_from_string(letter) - 1
        return shown(row[index]) if index < len(row) and row[index] != "" else "空白"

    def cells(self, table_id: str, column: str, about: str, where: str, values: list[Any]) -> list[SourceCell]:
        """Return the cells of one column in the rows that a condition holds for."""
        found = self.query(table_id, f"row_number, {about}, {column}, row_id", where, values)
        if not found:
            return []
        manifest = self.manifest(table_id)
        letter = manifest.cell_columns[column]
        corrected = {entry["row_id"]: entry for entry in manifest.corrections if entry["column"] == column}
        texts = self.texts_of(manifest, letter, [row_number for row_number, *_ in found])
        return [
            SourceCell(
                table_id=table_id,
                file_name=manifest.file_name,
                sheet=manifest.sheet,
                cell=f"{letter}{row_number}",
                about=str(name),
                written=text,
                unit=manifest.unit,
                value_wan=value,
                correction=_correction(corrected.get(row_id)),
            )
            for (row_number, name, value, row_id), text in zip(found, texts, strict=True)
        ]

    @cached_property
    def tables(self) -> list[str]:
        return [table_id for table_id in contracts.tables("half_year") if self.path(table_id).exists()]

    def places(self, row_ids: set[str]) -> dict[str, EvidenceRow]:
        """Return where each of the given rows stands; one look at every table."""
        found: dict[str, EvidenceRow] = {}
        for table_id in self.tables:
            names = {column.name for column in contracts.table(table_id).columns}
            amount = next(name for name in AMOUNT_COLUMNS if name in names)
            columns = f"row_id, sheet_name, row_number, {amount}"
            file_name = self.manifest(table_id).file_name
            for row_id, sheet, row_number, value in self.query(
                table_id, columns, "list_contains(?, row_id)", [sorted(row_ids)]
            ):
                found[row_id] = EvidenceRow(row_id, table_id, file_name, sheet, row_number, value)
        return found


def _correction(entry: dict[str, str] | None) -> str:
    if entry is None:
        return ""
    return (
        f"更正单 {entry['slip_no']}：由 {entry['old']} 更正为 {entry['new']}（{entry['reason']}；"
        f"申请 {entry['requester']}，批准 {entry['approver']}）"
    )


def trace(home: Home, period: str, area_key: str, indicator_id: str) -> Trace:
    """Trace one published figure of one half-year.

    Raises:
        CannotTrace: no such figure, or what stands in ``accepted/`` is no longer what was published.
        NothingPublished: nothing was published yet.
    """
    with connect(home) as connection:
        found = connection.execute(
            "select indicator_name, value_wan from mart_half_year_monitoring where period = ? and area_key = ? and indicator_id = ?",
            [period, area_key, indicator_id],
        ).fetchall()
        if not found:
            raise CannotTrace(
                f"已发布的数仓里没有 {period}、{area_key}、{indicator_id} 这个数；请核对报告期、地区键和指标标识"
            )
        components = indicator_components(indicator_id)
        ledger = _ledger(connection, period, area_key, components)
    rows = _Rows(home, period)
    name, value = found[0]
    cells = [
        cell
        for subject, measure in components
        if measure != "eliminated"
        for cell in _cells(rows, area_key, subject, measure)
    ]
    places = rows.places({row_id for _, row_ids in ledger for row_id in row_ids})
    removals = [replace(removal, evidence=[places[i] for i in row_ids if i in places]) for removal, row_ids in ledger]
    gross = sum((cell.value_wan or Decimal(0) for cell in cells), Decimal(0))
    removed = sum((removal.amount_wan for removal in removals), Decimal(0))
    is_only_removed = {measure for _, measure in components} == {"eliminated"}
    expected = removed if is_only_removed else gross - removed
    if value is not None and expected != value:
        raise CannotTrace(
            f"{period} {area_key} {indicator_id} 发布的是 {value} 万元，现在的准入数据合起来是 {expected} 万元："
            f"发布之后准入数据又有变化；请运行 sti run {period} 重新发布后再追溯"
        )
    return Trace(period, area_key, indicator_id, name, value, cells, removals, is_explained=value is not None)


def _ledger(
    connection: duckdb.DuckDBPyConnection, period: str, area_key: str, components: list[tuple[str, str]]
) -> list[tuple[Removal, list[str]]]:
    """Return the ledger rows that lowered the figure, largest first, each with the ids of its evidence rows."""
    providers = [subject_providers()[subject] for subject, measure in components if measure in ("net", "eliminated")]
    found = connection.execute(
        "select elimination_id, reason, tier, unit_code, counterparty_code, reference_no, amount_wan, estimated, evidence "
        "from fct_elimination where period = ? and (? = ? or area = ?) and list_contains(?, provider) "
        "order by amount_wan desc, elimination_id",
        [period, area_key, CITY, area_key, providers],
    ).fetchall()
    return [(Removal(*line[:8]), json.loads(line[8])) for line in found]


def _cells(rows: _Rows, area_key: str, subject: str, measure: str) -> list[SourceCell]:
    """Return the cells that add up to one subject's measure in one area, or in the city."""
    in_area, values = ("true", []) if area_key == CITY else ("area_key = ?", [area_key])
    if subject == "government":
        column = "gov_total_wan" if measure in ("gross", "net") else f"{measure}_wan"
        return rows.cells("finance_bureau__gov_input", column, "area_key", in_area, values)
    if subject == "enterprise":
        frame = enterprise_frame(periods()[rows.period])
        counted = f"{in_area} and list_contains(?, frame_category)"
        units = rows.cells(
            "statistics_bureau__enterprise_rd", "rd_expense_wan", "enterprise_name", counted, [*values, frame]
        )
        return units or rows.cells(
            "statistics_bureau__enterprise_rd_area", "rd_expense_wan", "area_key", counted, [*values, frame]
        )
    table_id = f"{subject_providers()[subject]}__unit"
    counted = f"{in_area} and is_grade_3a and is_in_rd_statistics" if subject == "hospital" else in_area
    return rows.cells(table_id, "sti_activity_wan", "unit_name", counted, values)
