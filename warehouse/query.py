"""Reading the published warehouse: read-only, hardened, and written out so that no text can turn into a formula."""

import csv
import io
import json
import math
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from sources.reference import periods
from sources.spreadsheet import harmless
from warehouse.paths import Home


class NothingPublished(RuntimeError):
    """There is no published warehouse in this home yet."""


class QueryFailed(RuntimeError):
    """The query is wrong; the message is DuckDB's, first line."""


def connect(home: Home) -> duckdb.DuckDBPyConnection:
    """Open the published warehouse read-only, with no access to files, network, extensions or settings.

    Raises:
        NothingPublished: nothing was published yet.
    """
    if not home.published.exists():
        raise NothingPublished(f"{home.root} 还没有发布过数仓；请先运行 make run 或 sti run")
    connection = duckdb.connect(str(home.published), read_only=True)
    for setting in (
        # DuckDB lets a query write where it spills to, whatever else is forbidden; it would spill beside the published file.
        "temp_directory = ''",
        "enable_external_access = false",
        "autoinstall_known_extensions = false",
        "lock_configuration = true",
    ):
        connection.execute(f"set {setting}")
    return connection


def monitoring_mart(period: str) -> str:
    """Return the published table that holds the indicators of annex 1 for a half-year, or for a year on the annual basis."""
    return "mart_annual_monitoring" if periods()[period].kind == "year" else "mart_half_year_monitoring"


def run_query(home: Home, query: str) -> pa.Table:
    """Run one query on the published warehouse.

    Raises:
        NothingPublished: nothing was published yet.
        QueryFailed: DuckDB refuses the query.
    """
    with connect(home) as connection:
        try:
            count = len(connection.extract_statements(query))
            if count != 1:
                raise QueryFailed(f"一次写一条查询语句，这里有 {count} 条")
            result = connection.sql(query)
            return pa.table({}) if result is None else result.to_arrow_table()
        except duckdb.Error as error:
            raise QueryFailed(str(error).strip().splitlines()[0]) from error


def shown(value: object) -> str:
    """Return a value as text for a terminal or CSV; empty for null."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def names_of(table: pa.Table) -> list[str]:
    """Return the column names, told apart where two columns bear the same one (``a``, ``a_2``)."""
    seen: Counter[str] = Counter()
    names = []
    for name in table.column_names:
        seen[name] += 1
        names.append(f"{name}_{seen[name]}" if seen[name] > 1 else name)
    return names


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    """Return the rows by position: two columns of one name stay two."""
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def as_csv(table: pa.Table) -> str:
    """Return a result as CSV (UTF-8 text, header row), formula-safe."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([harmless(name) for name in names_of(table)])
    for row in rows_of(table):
        writer.writerow([_in_csv(value) for value in row])
    return out.getvalue()


def _in_csv(value: object) -> object:
    """Return a value for CSV; whatever is no number is text, and text is formula-safe, a list or an interval too."""
    return shown(value) if isinstance(value, int | float | Decimal) else harmless(shown(value))


def as_json(table: pa.Table) -> str:
    """Return a result as a JSON array of objects; decimals and dates as text, so that no digit is lost; no number is null."""
    rows = [{name: _plain(value) for name, value in zip(names_of(table), row, strict=True)} for row in rows_of(table)]
    return json.dumps(rows, ensure_ascii=False, indent=1, default=shown)


def _plain(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return shown(value) if isinstance(value, Decimal | date) else value


def write_parquet(table: pa.Table, path: Path) -> None:
    """Write a result as Parquet."""
    pq.write_table(table.rename_columns(names_of(table)), path)
