"""From a file to plain cells: every sheet of a workbook as rows of Python values, formulas without a result kept apart."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import openpyxl
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from sources.inspection import CellScan, inspect, scan_cells

Grid = Sequence[Sequence[object]]
"""A sheet's cells by row, both 0-based; empty cells are None or an empty text."""


class UnreadableWorkbook(Exception):
    """The file cannot be opened as a workbook; the message is one plain Chinese sentence, ``rule_id`` the reading rule."""

    def __init__(self, message: str, rule_id: str = "RD-001") -> None:
        super().__init__(message)
        self.rule_id = rule_id


@dataclass(frozen=True)
class Sheet:
    """One worksheet: its name, whether it is hidden, its cells by row, and the cells whose formula has no cached value.

    ``uncalculated`` holds (row number, column index) pairs: 1-based row, 0-based column. ``merged`` holds the first such pair of every
    range of merged cells. ``linked`` holds the cells whose formula takes its value from another workbook.
    """

    name: str
    index: int
    is_hidden: bool
    grid: Grid
    uncalculated: frozenset[tuple[int, int]] = frozenset()
    merged: tuple[tuple[int, int], ...] = ()
    linked: frozenset[tuple[int, int]] = frozenset()


def read_sheets(path: Path, *, rows: int | None = None) -> list[Sheet]:
    """Read every worksheet's cells, or the first ``rows`` rows of each.

    python-calamine reads fast but turns error values into blanks and cannot tell a formula without a result from an empty cell; so a
    workbook whose XML holds either goes through openpyxl.

    Raises:
        UnreadableWorkbook: with the reason in Chinese.
    """
    inspection = inspect(path)
    if inspection.refusal:
        raise UnreadableWorkbook(inspection.refusal.message, inspection.refusal.rule_id)
    try:
        scan = scan_cells(path)
        if scan.far_cell:
            raise UnreadableWorkbook(f"单元格 {scan.far_cell} 远在数据之外，请清除多余的行列后另存")
        sheets = _careful(path, rows, scan) if scan.has_formulas or scan.has_error_values else _fast(path, rows)
    except UnreadableWorkbook:
        raise
    except Exception as error:  # a broken package fails in many ways inside the readers; each is the same to the clerk
        raise UnreadableWorkbook(f"文件打不开，可能已损坏（{type(error).__name__}）") from error
    if not sheets:
        raise UnreadableWorkbook("工作簿里没有可读的工作表，可能是“严格 Open XML”格式")
    return [replace(sheet, linked=inspection.linked.get(sheet.name, frozenset())) for sheet in sheets]


def _fast(path: Path, rows: int | None) -> list[Sheet]:
    with CalamineWorkbook.from_path(path) as book:
        return [
            Sheet(about.name, index, about.visible != SheetVisibleEnum.Visible, grid, merged=_merged(sheet))
            for index, about in enumerate(s for s in book.sheets_metadata if s.typ == SheetTypeEnum.WorkSheet)
            for sheet in [book.get_sheet_by_name(about.name)]
            for grid in [sheet.to_python(skip_empty_area=False, nrows=rows)]
        ]


def _merged(sheet: CalamineSheet) -> tuple[tuple[int, int], ...]:
    return tuple((start[0] + 1, start[1]) for start, _ in sheet.merged_cell_ranges or ())


def _careful(path: Path, rows: int | None, scan: CellScan) -> list[Sheet]:
    values = _openpyxl_grids(path, data_only=True, rows=rows)
    formulas = _openpyxl_grids(path, data_only=False, rows=rows) if scan.has_formulas else None
    with CalamineWorkbook.from_path(path) as book:
        merged = {name: _merged(book.get_sheet_by_name(name)) for name, _, _ in values}
    return [
        Sheet(
            name,
            index,
            hidden,
            grid,
            _uncalculated(grid, formulas[index][2]) if formulas else frozenset(),
            merged[name],
        )
        for index, (name, hidden, grid) in enumerate(values)
    ]


def _openpyxl_grids(path: Path, *, data_only: bool, rows: int | None) -> list[tuple[str, bool, Grid]]:
    with warnings.catch_warnings():
        # openpyxl warns of styles and validations it drops; none of them is data.
        warnings.simplefilter("ignore", UserWarning)
        book = openpyxl.load_workbook(path, read_only=True, data_only=data_only, keep_links=False)
        try:
            result: list[tuple[str, bool, Grid]] = []
            for sheet in book.worksheets:
                # The stored dimension may be wrong, and openpyxl would believe it.
                sheet.reset_dimensions()
                grid = [*sheet.iter_rows(max_row=rows, values_only=True)]
                result.append((sheet.title, sheet.sheet_state != "visible", grid))
            return result
        finally:
            book.close()


def _uncalculated(values: Grid, formulas: Grid) -> frozenset[tuple[int, int]]:
    return frozenset(
        (row_index + 1, column)
        for row_index, row in enumerate(formulas)
        for column, formula in enumerate(row)
        if isinstance(formula, ArrayFormula | DataTableFormula)
        or (isinstance(formula, str) and formula.startswith("="))
        if row_index >= len(values) or column >= len(values[row_index]) or values[row_index][column] is None
    )
