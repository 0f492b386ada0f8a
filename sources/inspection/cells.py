"""What the cells of a package are like, from the raw XML: which reader they need, and whether any lies far outside."""

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

from openpyxl.utils import column_index_from_string

MOST_COLUMNS = 500
MOST_ROWS = 1_048_576
MOST_CELLS = 20_000_000
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")
_CELL = re.compile(rb"""\br=["']([A-Z]{1,3})(\d+)["']""")


@dataclass(frozen=True)
class CellScan:
    """What the raw XML of all worksheets says: whether any cell holds a formula or an error value, and cells far outside."""

    has_formulas: bool
    has_error_values: bool
    far_cell: str


def scan_cells(path: Path) -> CellScan:
    """Look over every worksheet's XML, without a parser: cheap, and nothing is evaluated or allocated by position."""
    formulas = errors = False
    far = ""
    with zipfile.ZipFile(path) as package:
        for name in package.namelist():
            if not (name.startswith("xl/worksheets/") and name.endswith(".xml")):
                continue
            xml = package.read(name)
            formulas = formulas or _FORMULA.search(xml) is not None
            errors = errors or b't="e"' in xml or b"t='e'" in xml
            far = far or _far_cell(xml)
    return CellScan(formulas, errors, far)


def _far_cell(xml: bytes) -> str:
    """Return a cell so far out that a reader would have to make room for millions of empty ones, if there is one."""
    columns: dict[bytes, int] = {}
    last_row, row_cell = 0, ""
    for match in _CELL.finditer(xml):
        letters, row = match.group(1), int(match.group(2))
        if letters not in columns:
            columns[letters] = column_index_from_string(letters.decode())
            if columns[letters] > MOST_COLUMNS:
                return f"{letters.decode()}{row}"
        if row > last_row:
            last_row, row_cell = row, f"{letters.decode()}{row}"
    widest = max(columns.values(), default=0)
    return row_cell if last_row > MOST_ROWS or last_row * widest > MOST_CELLS else ""
