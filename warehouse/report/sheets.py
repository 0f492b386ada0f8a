"""How the sheets of 附件2 look: title, headings, ruled tables, notes, and the set-up for A4 paper."""

import math
from collections.abc import Iterable, Mapping, Sequence

from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from sources.spreadsheet import append, fill

FORMATS = {"万元": "#,##0.00", "%": "0.0", "百分点": "0.00", "分": "0.00"}
"""How a figure is shown, by its unit."""

PLACES = {"万元": 2, "%": 1, "百分点": 2, "分": 2}
"""To how many places a figure is rounded, by its unit."""

THIN = Side(style="thin", color="808080")
RULED = Border(left=THIN, right=THIN, top=THIN, bottom=THIN)
SHADED = PatternFill("solid", fgColor="E8EEF4")
GREY = "7F7F7F"
LINE_POINTS = 15.5


def write_title(sheet: Worksheet, title: str, lines: Sequence[str], last_column: int, annex: str = "") -> None:
    """Write the title over the whole width, and below it one line of text each; ``annex`` stands above, at the left."""
    if annex:
        append(sheet, [annex])
    append(sheet, [title])
    sheet.cell(sheet.max_row, 1).font = Font(size=16, bold=True)
    sheet.cell(sheet.max_row, 1).alignment = Alignment(horizontal="center", vertical="center")
    sheet.row_dimensions[sheet.max_row].height = 26
    _merge_row(sheet, last_column)
    write_lines(sheet, lines, last_column)


def write_lines(sheet: Worksheet, lines: Iterable[str], last_column: int) -> None:
    """Write texts below the last row, each over the whole width and as high as it needs; column widths must be set before."""
    width = sum(_width(sheet, column) for column in range(1, last_column + 1))
    for line in lines:
        append(sheet, [line])
        _merge_row(sheet, last_column)
        sheet.cell(sheet.max_row, 1).alignment = Alignment(wrap_text=True, vertical="top")
        # A spreadsheet does not fit the height of merged cells by itself.
        sheet.row_dimensions[sheet.max_row].height = LINE_POINTS * max(1, math.ceil(text_width(line) / (width * 0.97)))


def write_headings(sheet: Worksheet, rows: Sequence[Sequence[str]]) -> None:
    """Write heading rows below the last one; a heading spreads over the blank cells at its right and, where all are blank, below it."""
    first = sheet.max_row + 1
    for row in rows:
        append(sheet, row)
    for offset, row in enumerate(rows):
        for column in range(1, len(row) + 1):
            cell = sheet.cell(first + offset, column)
            cell.border, cell.fill, cell.font = RULED, SHADED, Font(bold=True)
            cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
    if len(rows) == 1:
        return
    top, below = rows
    for column, text in enumerate(top, start=1):
        if text and not below[column - 1]:
            sheet.merge_cells(start_row=first, end_row=first + 1, start_column=column, end_column=column)
        elif text:
            end = column
            while end < len(top) and not top[end] and below[end]:
                end += 1
            if end > column:
                sheet.merge_cells(start_row=first, end_row=first, start_column=column, end_column=end)


def write_row(
    sheet: Worksheet,
    values: Sequence[object],
    units: Mapping[int, str],
    centred: Iterable[int] = (),
    fitted: Iterable[int] | None = None,
) -> None:
    """Write a ruled row; ``units`` says per column (from 1) in which unit its number is, ``centred`` which columns stand in the middle.

    A word that stands in place of a number is centred and grey, so that nobody takes it for one.
    The row is as high as the longest text in the columns ``fitted`` needs (by default in all without a number).
    """
    append(sheet, values)
    middle = set(centred)
    for column in range(1, len(values) + 1):
        cell = sheet.cell(sheet.max_row, column)
        cell.border = RULED
        is_word = column in units and isinstance(cell.value, str)
        is_centred = column in middle or is_word
        cell.alignment = Alignment(
            horizontal="center" if is_centred else None, vertical="center", wrap_text=column not in units
        )
        if is_word:
            cell.font = Font(color=GREY)
        elif column in units:
            cell.number_format = FORMATS.get(units[column], "General")
    wrapped = (
        math.ceil(text_width(str(value)) / (_width(sheet, column) - 1))
        for column, value in enumerate(values, start=1)
        if value and (column not in units if fitted is None else column in fitted)
    )
    lines = max(wrapped, default=1)
    if lines > 1:
        sheet.row_dimensions[sheet.max_row].height = LINE_POINTS * lines


def write_band(sheet: Worksheet, text: str, last_column: int) -> None:
    """Write the heading of a group of rows over the whole width."""
    append(sheet, [text])
    for column in range(1, last_column + 1):
        cell = sheet.cell(sheet.max_row, column)
        cell.border, cell.fill = RULED, SHADED
    sheet.cell(sheet.max_row, 1).font = Font(bold=True)
    sheet.cell(sheet.max_row, 1).alignment = Alignment(vertical="center")
    _merge_row(sheet, last_column)


def merge_down(sheet: Worksheet, column: int, first: int, last: int) -> None:
    """Let the first cell of a column spread over the rows ``first`` to ``last``."""
    if last > first:
        sheet.merge_cells(start_row=first, end_row=last, start_column=column, end_column=column)


def set_widths(sheet: Worksheet, widths: Sequence[float]) -> None:
    """Set the widths of the columns, in characters."""
    for column, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(column)].width = width


def set_up_page(sheet: Worksheet, first_heading: int, last_heading: int, frozen: str) -> None:
    """Set the sheet up for A4 landscape: the width fits, the headings stand on every page and stay in view, pages are numbered."""
    sheet.freeze_panes = frozen
    sheet.print_title_rows = f"{first_heading}:{last_heading}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]
    sheet.print_options.horizontalCentered = True
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.page_margins.top, sheet.page_margins.bottom, sheet.page_margins.footer = 0.5, 0.7, 0.35
    sheet.oddFooter.center.text = "第 &P 页，共 &N 页"  # type: ignore[union-attr]


def put(sheet: Worksheet, row: int, column: int, value: object, number_format: str = "General") -> Cell:
    """Put a value into one cell and return the cell."""
    cell = sheet.cell(row, column)
    fill(cell, value)
    cell.number_format = number_format
    return cell  # type: ignore[return-value]


def text_width(text: str) -> int:
    """Return how many columns of characters a text takes; a Chinese character takes two."""
    return sum(2 if ord(sign) > 0x2E7F else 1 for sign in text)


def _width(sheet: Worksheet, column: int) -> float:
    return sheet.column_dimensions[get_column_letter(column)].width or 9


def _merge_row(sheet: Worksheet, last_column: int) -> None:
    sheet.merge_cells(start_row=sheet.max_row, start_column=1, end_row=sheet.max_row, end_column=last_column)
