"""A city's rows as the five bureaus would send them: real workbooks, read back by the readers that read the real ones.

What does not belong here: the cities (`examples`), and rows written past the reader (`rows`).
"""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sources import contracts
from sources.contracts import Table
from sources.reference import area_names, periods
from sources.workbook import read_workbook
from tests.elimination.cities import CITY
from tests.elimination.matching import Row
from tests.elimination.rows import Tables, row
from tests.elimination.units import BUREAUS
from tests.workbooks import code, write_return
from warehouse.layers import ensure_schemas, write_rows
from warehouse.paths import Home

UNITS = {"education_bureau": ("千元", 10), "statistics_bureau": ("元", 10000)}
"""What a bureau reports in, and how many of it are 万元; 万元 where not given."""
SLOPPY, PAYERS_LEDGERS = ("payee_code", "_no"), ("gov_payment", "outflow", "enterprise_contract")
FIRMS = "statistics_bureau__enterprise_rd"


def complete(city: Tables) -> Tables:
    """Return the city with everyone reporting: a row per area of 市财政局, a unit of 0 in each sector, a firm of 0."""
    tables = {table_id: list(rows) for table_id, rows in city.items()}
    g_rows = tables.setdefault("finance_bureau__gov_input", [])
    there = {one["area_key"] for one in g_rows}
    g_rows += [
        row("finance_bureau__gov_input", area_key=key) for key in area_names() if key not in there and key != CITY
    ]
    for number, bureau in enumerate(BUREAUS, start=100):
        tables.setdefault(f"{bureau}__unit", [row(f"{bureau}__unit", unit_code=code(number))])
    if not tables.get(f"{FIRMS}_area"):
        tables.setdefault(FIRMS, [row(FIRMS, enterprise_code=code(100, "91330400"), frame_category="工业")])
    return tables


def receive(city: Tables, period: str, home: Home, inbox: Path) -> None:
    """Write the five workbooks of one period, read them, and keep what was read as accepted."""
    ensure_schemas(home)
    for provider in contracts.providers_of("half_year"):
        stand_ins = {t.table_id for t in provider.tables.values() if t.instead_of}
        replaced = {table_id for t in provider.tables.values() if city.get(t.table_id) for table_id in t.instead_of}
        sheets = {
            t.table_id: _sheet(t, city.get(t.table_id, []), provider.provider)
            for t in provider.tables_of("half_year")
            if t.table_id not in replaced and (t.table_id not in stand_ins or city.get(t.table_id))
        }
        reported_on = periods()[period].ends_on + timedelta(days=10)
        path = write_return(
            inbox / f"{provider.label} {period}.xlsx",
            provider.provider,
            sheets,
            period=periods()[period].name,
            unit=UNITS.get(provider.provider, ("万元", 1))[0],
            reported_on=f"{reported_on:%Y年%-m月%-d日}",
        )
        for table_id, reading in read_workbook(path).tables.items():
            write_rows(home.rows("accepted", table_id, period), reading)


def sloppily_typed(city: Tables) -> Tables:
    """Return the city with payees' codes and numbers in lower case, full width and with inner blanks; on the payers' side only."""
    return {
        table_id: [
            {
                name: value.lower().replace("1", "１ ") if isinstance(value, str) and name.endswith(SLOPPY) else value
                for name, value in one.items()
            }
            for one in rows
        ]
        if table_id.endswith(PAYERS_LEDGERS)
        else rows
        for table_id, rows in city.items()
    }


def _sheet(table: Table, rows: list[Row], provider: str) -> list[dict[str, Any]]:
    columns = table.columns_of("half_year")
    _, times = UNITS.get(provider, ("万元", 1))
    return [{c.heading: _cell(c.type, one[c.name], times) for c in columns} for one in rows]


def _cell(kind: str, value: Any, times: int) -> Any:
    """A value as a clerk types it."""
    if kind == "area":
        return area_names()[value]
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Decimal):
        return float(value * times)
    return value.isoformat() if kind == "date" else value
