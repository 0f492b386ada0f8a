"""From a file to plain cells: every sheet of a workbook as rows of Python values, formulas without a result kept apart."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import openpyxl
from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

from sources.inspection import has_formulas, inspect


class UnreadableWorkbook(Exception):
    """The file cannot be opened as a workbook; the message is one plain Chinese sentence."""


@dataclass(frozen=True)
class Sheet:
    """One worksheet: its name, whether it is hidden, its cells by row, and the cells whose formula has no cached value.

    ``uncalculated`` holds (row number, column index) pairs: 1-based row, 0-based column.
    """

    name: str
    index: int
    is_hidden: bool
    grid: list[tuple[object, ...]]
    uncalculated: frozenset[tuple[int, int]] = frozenset()


def read_sheets(path: Path, *, rows: int | None = None) -> list[Sheet]:
    """Read every worksheet's cells, or the first ``rows`` rows of each.

    Raises:
        UnreadableWorkbook: with the reason in Chinese.
    """
    refusal = inspect(path)
    if refusal:
        raise UnreadableWorkbook(refusal)
    try:
        values = _grids(path, data_only=True, rows=rows)
        formulas = _grids(path, data_only=False, rows=rows) if has_formulas(path) else None
    except Exception as error:  # a broken package fails in many ways inside the reader; each is the same to the clerk
        raise UnreadableWorkbook(f"文件打不开，可能已损坏（{type(error).__name__}）") from error
    if not values:
        raise UnreadableWorkbook("工作簿里没有可读的工作表，可能是“严格 Open XML”格式")
    return [
        Sheet(name, index, hidden, grid, _uncalculated(grid, formulas[index][2]) if formulas else frozenset())
        for index, (name, hidden, grid) in enumerate(values)
    ]


def _grids(path: Path, *, data_only: bool, rows: int | None) -> list[tuple[str, bool, list[tuple[object, ...]]]]:
    with warnings.catch_warnings():
        # openpyxl warns of styles and validations it drops; none of them is data.
        warnings.simplefilter("ignore", UserWarning)
        book = openpyxl.load_workbook(path, read_only=True, data_only=data_only, keep_links=False)
        try:
            result: list[tuple[str, bool, list[tuple[object, ...]]]] = []
            for sheet in book.worksheets:
                # The stored dimension may be wrong, and openpyxl would believe it.
                sheet.reset_dimensions()
                grid: list[tuple[object, ...]] = [*sheet.iter_rows(max_row=rows, values_only=True)]
                result.append((sheet.title, sheet.sheet_state != "visible", grid))
            return result
        finally:
            book.close()


def _uncalculated(values: list[tuple[object, ...]], formulas: list[tuple[object, ...]]) -> frozenset[tuple[int, int]]:
    return frozenset(
        (row_index + 1, column)
        for row_index, row in enumerate(formulas)
        for column, formula in enumerate(row)
        if isinstance(formula, ArrayFormula | DataTableFormula)
        or (isinstance(formula, str) and formula.startswith("="))
        if row_index >= len(values) or column >= len(values[row_index]) or values[row_index][column] is None
    )
