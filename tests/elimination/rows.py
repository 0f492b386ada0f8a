"""Accepted rows from a few values: complete for the contract's schema, and written where dbt reads them.

What does not belong here: which rows make a city (`cities`, `examples`).
"""

import hashlib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sources import contracts
from sources.contracts import STATUS_SUFFIX
from tests.elimination.matching import Row

Tables = dict[str, list[Row]]
DEFAULTS: dict[str, Any] = {
    "boolean": False,
    "area": "JX-CITY",
    "text": "样本",
    "code": "3990",
    "date": date(2000, 1, 15),
    "money": Decimal(0),
}
"""What a required column holds where the city does not say."""


@lru_cache
def _blank(table_id: str) -> tuple[Row, dict[str, str]]:
    """Return a row of defaults, and the status column of each number column."""
    table = contracts.table(table_id)
    blank: Row = dict.fromkeys(table.schema.names)
    for column in table.columns:
        if column.required:
            blank[column.name] = DEFAULTS.get(column.type)
    return blank, {c.name: c.name + STATUS_SUFFIX for c in table.columns if c.is_number}


def row(table_id: str, **values: Any) -> Row:
    """Return one row with every column of the contract; required columns that are not given get a default.

    Period, file and row ids are given by `relabel`. A number column's status is told by its value, unless given.
    """
    blank, status_of = _blank(table_id)
    unknown = values.keys() - blank.keys()
    if unknown:
        raise KeyError(f"{table_id}: {sorted(unknown)}")
    complete = blank | values
    for name, status in status_of.items():
        if isinstance(complete[name], int):
            complete[name] = Decimal(complete[name])
        if complete[status] is None:
            complete[status] = "not_reported" if complete[name] is None else "reported"
    return complete


def relabel(city: Tables, period: str) -> Tables:
    """Return the same city as the return of another period: period, dates, file and row ids; amounts and codes stay.

    Row ids are unique over all tables and periods, so several cities fit in one home as different periods.
    """
    year = int(period[:4])
    labelled: Tables = {}
    for table_id, rows in city.items():
        table = contracts.table(table_id)
        sha256 = hashlib.sha256(f"{period} {table.provider}".encode()).hexdigest()
        sheet_index = list(contracts.providers()[table.provider].tables).index(table_id)
        of_file = {"period": period, "file_sha256": sha256, "sheet_name": table.sheet}
        labelled[table_id] = [
            one
            | {name: value.replace(year=year) for name, value in one.items() if isinstance(value, date)}
            | of_file
            | {"row_id": f"{sha256[:16]}:{sheet_index}:{number}", "row_number": number}
            for number, one in enumerate(rows, start=5)
        ]
    return labelled


def write_home(tables_by_period: Mapping[str, Tables], home: Path) -> None:
    """Write ``home/accepted/<table_id>/<period>/rows.parquet``, and the zero-row ``schema.parquet`` of every table."""
    for table_id, table in contracts.tables().items():
        folder = home / "accepted" / table_id
        folder.mkdir(parents=True, exist_ok=True)
        pq.write_table(table.schema.empty_table(), folder / "schema.parquet")
        for period, tables in tables_by_period.items():
            rows = tables.get(table_id, [])
            if {one["period"] for one in rows} - {period}:
                raise ValueError(f"{table_id}: rows of another period than {period}; use relabel first")
            if rows:
                (folder / period).mkdir(exist_ok=True)
                pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), folder / period / "rows.parquet")
