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
from sources.bulk.sniff import kind_of
from sources.manifest import Manifest
from sources.reader_process import bulk_texts, written_cells
from sources.reference import CITY, area_names, enterprise_frame, indicator_components, periods, subject_providers
from sources.workbook import sha256_of
from warehouse.archive import archived
from warehouse.layers import manifest_of, row_count
from warehouse.paths import Home
from warehouse.publish import published_inputs
from warehouse.query import connect, monitoring_mart

AMOUNT_COLUMNS = ("amount_wan", "sti_activity_wan", "rd_expense_wan", "gov_total_wan")
"""The column that says how much a row is about, whichever of them its table has."""

MEMO_COLUMNS = {"EG": "from_government_wan", "EE": "external_rd_enterprise_wan"}
"""What stands beside the total (``mart_overlap_memo``), and the enterprises' column that it adds up."""

UNITS, AREAS = "statistics_bureau__enterprise_rd", "statistics_bureau__enterprise_rd_area"
"""市统计局 sends one of the two: an enterprise a row, or its own sums by area."""


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
    provider: str
    unit_code: str
    area: str
    first_recipient: str
    counterparty_code: str
    reference_no: str
    amount_wan: Decimal
    estimated: bool
    evidence: list[EvidenceRow] = field(default_factory=list)

    @property
    def evidence_column(self) -> str:
        """The column of the evidence rows that the removal is about, where it is not the row's own amount; else ''."""
        if self.tier == "bureau":
            subject = next(s for s, provider in subject_providers().items() if provider == self.provider)
            return f"overlap_{subject}_wan"
        return MEMO_COLUMNS.get(self.reason, "")


@dataclass(frozen=True)
class Trace:
    """A figure and everything behind it. ``is_explained``: the cells less the removals are exactly the published figure.

    ``note`` says why there is no figure (``value_note`` of the mart), else ''.
    """

    period: str
    area_key: str
    indicator_id: str
    indicator_name: str
    value_wan: Decimal | None
    cells: list[SourceCell]
    removals: list[Removal]
    is_explained: bool
    note: str = ""


@dataclass
class AcceptedRows:
    """The accepted rows of one period, by table, as they were published."""

    home: Home
    period: str
    checked: dict[str, Path] = field(default_factory=dict)

    def path(self, table_id: str) -> Path:
        """Return where a table's rows stand.

        Raises:
            CannotTrace: they are not, or no longer, the ones that were published.
        """
        if table_id in self.checked:
            return self.checked[table_id]
        path = self.home.rows("accepted", table_id, self.period)
        now = sha256_of(path) if path.exists() else None
        if now != self.published.get(f"{table_id}/{self.period}"):
            label = contracts.table(table_id).label
            raise CannotTrace(f"{self.period}“{label}”的准入数据与发布时的不同；{publish_again(self.period)}")
        self.checked[table_id] = path
        return path

    @cached_property
    def published(self) -> dict[str, str]:
        """The hash of every accepted file that the published warehouse was built from."""
        return published_inputs(self.home)

    def manifest(self, table_id: str) -> Manifest:
        """Return where a table's rows were read from."""
        return manifest_of(self.path(table_id))

    def query(self, table_id: str, columns: str, where: str, values: list[Any]) -> list[tuple[Any, ...]]:
        """Select from one table's rows; nothing if the table was not sent."""
        path = self.path(table_id)
        if not path.exists():
            return []
        sql = f"select {columns} from read_parquet(?) where {where} order by row_number"
        with duckdb.connect() as connection:
            return connection.execute(sql, [str(path), *values]).fetchall()

    def cells(self, table_id: str, column: str, about: str, where: str, values: list[Any]) -> list[SourceCell]:
        """Return the cells of one column in the rows that a condition holds for."""
        found = self.query(table_id, f"row_number, {about}, {column}, row_id", where, values)
        if not found:
            return []
        manifest = self.manifest(table_id)
        letter = manifest.cell_columns[column]
        corrected = {entry["row_id"]: entry for entry in manifest.corrections if entry["column"] == column}
        index = column_index_from_string(letter) - 1
        places = [(row_number, index) for row_number, *_ in found]
        texts = self._written(archived(self.home, manifest.file_sha256), manifest.sheet, places)
        return [
            SourceCell(
                table_id=table_id,
                file_name=manifest.file_name,
                sheet=manifest.sheet,
                cell=f"{letter}{row_number}",
                about=area_names().get(str(name), str(name)),
                written=text,
                unit=manifest.unit,
                value_wan=value,
                correction=_correction(corrected.get(row_id)),
            )
            for (row_number, name, value, row_id), text in zip(found, texts, strict=True)
        ]

    def _written(self, path: Path, sheet: str, places: list[tuple[int, int]]) -> list[str]:
        """Return what is written in cells of one column of the archived workbook or bulk file."""
        if not kind_of(path):
            return written_cells(path, sheet, places)
        texts = bulk_texts(path, places[0][1], {row_number for row_number, _ in places})
        return [texts[row_number] or "空白" for row_number, _ in places]

    @cached_property
    def tables(self) -> list[str]:
        """The tables that were sent, of those that figures and removals of annex 1 rest on, of a half-year or a year."""
        return [table_id for table_id in contracts.tables("half_year") if self.path(table_id).exists()]

    def places(self, row_ids: set[str], column: str) -> dict[str, EvidenceRow]:
        """Return where each of the given rows stands; one look at every table. ``column``: see `Removal.evidence_column`."""
        found: dict[str, EvidenceRow] = {}
        for table_id in self.tables:
            names = {c.name for c in contracts.table(table_id).columns}
            amount = next(name for name in (column, *AMOUNT_COLUMNS) if name in names)
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
    """Trace one published figure of a half-year or a year: an indicator of the monitoring table, or EG or EE beside the total.

    Raises:
        CannotTrace: no such figure, or what stands in ``accepted/`` is no longer what was published.
        NothingPublished: nothing was published yet.
    """
    with connect(home) as connection:
        name, value, note = _figure(connection, period, area_key, indicator_id)
        components = indicator_components(indicator_id)
        ledger = _ledger(connection, period, area_key, components)
    rows = AcceptedRows(home, period)
    if indicator_id in MEMO_COLUMNS:
        cells = _enterprise_cells(rows, area_key, MEMO_COLUMNS[indicator_id])
    else:
        cells = [
            cell
            for subject, measure in components
            if measure != "eliminated"
            for cell in _cells(rows, area_key, subject, measure)
        ]
    removals = _with_evidence(rows, ledger)
    gross = sum((cell.value_wan or Decimal(0) for cell in cells), Decimal(0))
    removed = sum((removal.amount_wan for removal in removals), Decimal(0))
    is_only_removed = {measure for _, measure in components} == {"eliminated"}
    expected = removed if is_only_removed else gross - removed
    if value is not None and expected != value:
        raise CannotTrace(
            f"{period} {area_key} {indicator_id} 发布的是 {value} 万元，现在的准入数据合起来是 {expected} 万元；{publish_again(period)}"
        )
    return Trace(period, area_key, indicator_id, name, value, cells, removals, value is not None, note)


def publish_again(period: str) -> str:
    """Return what to do where the accepted rows are no longer those of the published figure."""
    return f"发布之后准入数据又有变化；请运行 sti run {period} 重新发布后再追溯"


def _figure(
    connection: duckdb.DuckDBPyConnection, period: str, area_key: str, indicator_id: str
) -> tuple[str, Decimal | None, str]:
    """Return a published figure's name, its value, and why it has none."""
    table, columns, key = (
        ("mart_overlap_memo", "memo_name, value_wan, case when value_wan is null then 'not_collected' end", "memo_id")
        if indicator_id in MEMO_COLUMNS
        else (
            monitoring_mart(period),
            "indicator_name, value_wan, case when value_wan is null then value_note end",
            "indicator_id",
        )
    )
    found = connection.execute(
        f"select {columns} from {table} where period = ? and area_key = ? and {key} = ?",
        [period, area_key, indicator_id],
    ).fetchall()
    if not found:
        raise CannotTrace(
            f"已发布的数仓里没有 {period}、{area_key}、{indicator_id} 这个数；请核对报告期、地区键和指标标识"
        )
    name, value, note = found[0]
    return name, value, note or ""


def _with_evidence(rows: AcceptedRows, ledger: list[tuple[Removal, list[str]]]) -> list[Removal]:
    """Return the removals with where the rows of both sides stand.

    Raises:
        CannotTrace: a row that a removal rests on is no longer there.
    """
    wanted: dict[str, set[str]] = {}
    for removal, row_ids in ledger:
        wanted.setdefault(removal.evidence_column, set()).update(row_ids)
    places = {column: rows.places(row_ids, column) for column, row_ids in wanted.items()}
    missing = [i for column, row_ids in wanted.items() for i in sorted(row_ids) if i not in places[column]]
    if missing:
        raise CannotTrace(
            f"{rows.period} 剔除台账所凭的 {len(missing)} 行已不在准入数据里；{publish_again(rows.period)}"
        )
    return [
        replace(removal, evidence=[places[removal.evidence_column][i] for i in row_ids]) for removal, row_ids in ledger
    ]


def _ledger(
    connection: duckdb.DuckDBPyConnection, period: str, area_key: str, components: list[tuple[str, str]]
) -> list[tuple[Removal, list[str]]]:
    """Return the ledger rows that lowered the figure, largest first, each with the ids of its evidence rows."""
    providers = [subject_providers()[subject] for subject, measure in components if measure in ("net", "eliminated")]
    found = connection.execute(
        "select elimination_id, reason, tier, provider, unit_code, area, first_recipient, counterparty_code, reference_no, "
        "amount_wan, estimated, evidence "
        "from fct_elimination where period = ? and (? = ? or area = ?) and list_contains(?, provider) "
        "order by amount_wan desc, elimination_id",
        [period, area_key, CITY, area_key, providers],
    ).fetchall()
    return [(Removal(*line[:-1]), json.loads(line[-1])) for line in found]


def _cells(rows: AcceptedRows, area_key: str, subject: str, measure: str) -> list[SourceCell]:
    """Return the cells that add up to one subject's measure in one area, or in the city."""
    is_there, values = in_area(area_key)
    if subject == "government":
        column = "gov_total_wan" if measure in ("gross", "net") else f"{measure}_wan"
        return rows.cells("finance_bureau__gov_input", column, "area_key", is_there, values)
    if subject == "enterprise":
        return _enterprise_cells(rows, area_key, "rd_expense_wan")
    table_id = f"{subject_providers()[subject]}__unit"
    counted = f"{is_there} and is_grade_3a and is_in_rd_statistics" if subject == "hospital" else is_there
    return rows.cells(table_id, "sti_activity_wan", "unit_name", counted, values)


def _enterprise_cells(rows: AcceptedRows, area_key: str, column: str) -> list[SourceCell]:
    """Return one column's cells of the enterprises that count, or of the sums by area where those were sent in their place.

    The sums by area lack some columns: none then.
    """
    is_there, values = in_area(area_key)
    counted = f"{is_there} and list_contains(?, frame_category)"
    arguments = [*values, enterprise_frame(periods()[rows.period])]
    if UNITS in rows.tables and row_count(rows.path(UNITS)):
        return rows.cells(UNITS, column, "enterprise_name", counted, arguments)
    names = {c.name for c in contracts.table(AREAS).columns}
    return rows.cells(AREAS, column, "area_key", counted, arguments) if column in names else []


def in_area(area_key: str) -> tuple[str, list[str]]:
    """Return the condition on rows of an area, of all for the city, and its values."""
    return ("true", []) if area_key == CITY else ("area_key = ?", [area_key])
