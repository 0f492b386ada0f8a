"""Two readers, one answer; and the files that would break either are refused before they are opened."""

import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest

from sources.grids import read_sheets
from sources.workbook import read_workbook, sha256_of
from tests.workbooks import finance_rows, write_return

SAMPLES = Path(__file__).parent.parent / "samples"
GOOD = sorted(SAMPLES.glob("20*/*.xlsx"))


def plain(value: object) -> object:
    """The same cell as either reader gives it: empty text is no text, a whole float is an int, a date has no hour."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value.date()
    return int(value) if isinstance(value, float) and value.is_integer() else value


@pytest.mark.parametrize("path", GOOD, ids=lambda p: p.stem)
def test_a_third_reader_agrees_cell_by_cell(path: Path) -> None:
    book = openpyxl.load_workbook(path)
    sheets = read_sheets(path)
    assert [(s.name, s.state) for s in sheets] == [(s.title, s.sheet_state) for s in book.worksheets]
    for sheet in sheets:
        assert not sheet.faults
        cells = [list(map(plain, row)) for row in book[sheet.name].iter_rows(values_only=True)]
        width = max(map(len, cells))
        grid = [[plain(v) for v in row] + [None] * (width - len(row)) for row in sheet.grid]
        assert grid == cells + [[None] * width] * (len(grid) - len(cells)), sheet.name


@pytest.mark.parametrize("cell", ["XFD1048576", "ZZ30", "A1048577"])
def test_a_stray_far_cell_is_named_and_refused(tmp_path: Path, cell: str) -> None:
    path = write_return(tmp_path / "ok.xlsx", "finance_bureau", finance_rows())
    far = tmp_path / "far.xlsx"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(far, "w") as target:
        for item in source.infolist():
            data = source.read(item)
            if item.filename == "xl/worksheets/sheet2.xml":
                row = "".join(c for c in cell if c.isdigit())
                data = data.replace(
                    b"</sheetData>", f'<row r="{row}"><c r="{cell}"><v>1</v></c></row></sheetData>'.encode()
                )
            target.writestr(item, data)
    (finding,) = read_workbook(far).findings
    assert finding.rule_id == "RD-001"
    assert cell in finding.message


def test_a_row_far_below_the_foot_is_not_lost(tmp_path: Path) -> None:
    def edit(book: openpyxl.Workbook) -> None:
        for column, cell in zip("ABCDEFGHIJKL", book["拨付明细"][4], strict=True):
            book["拨付明细"][f"{column}30000"] = cell.value

    reading = read_workbook(write_return(tmp_path / "x.xlsx", "finance_bureau", finance_rows(), edit=edit))
    assert ("RD-014", "30000:30000") in [(f.rule_id, f.cell) for f in reading.findings]


def test_reading_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = write_return(tmp_path / "x.xlsx", "finance_bureau", finance_rows())
    before = sha256_of(path)
    read_workbook(path)
    assert sha256_of(path) == before
    assert openpyxl.load_workbook(path).sheetnames == ["政府科技创新投入", "拨付明细"]
