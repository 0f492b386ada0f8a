"""How a receipt's workbook looks: fonts that every Chinese office has, one colour per class and state, A4."""

import unicodedata
from collections.abc import Callable, Sequence
from copy import copy
from itertools import count
from math import ceil

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.cell_style import StyleArray
from openpyxl.worksheet.worksheet import Worksheet

from sources.spreadsheet import append

SONG, HEI = "宋体", "黑体"
TITLE = Font(name=HEI, size=18)
STATE = Font(name=HEI, size=20, bold=True, color="FFFFFF")
SECTION = Font(name=HEI, size=12)
LABEL = Font(name=HEI, size=10.5)
BODY = Font(name=SONG, size=10.5)
SMALL = Font(name=SONG, size=9, color="595959")
LINK = Font(name=SONG, size=10.5, color="0563C1", underline="single")
FAULTY = Font(name=SONG, size=10.5, bold=True)
GREYED = Font(name=SONG, size=10.5, color="7F7F7F")

_THIN = Side(style="thin", color="A6A6A6")
BOX = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
NO_BOX = Border()
CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
LEFT = Alignment(horizontal="left", vertical="center", wrap_text=True)
RIGHT = Alignment(horizontal="right", vertical="center")
TOP = Alignment(horizontal="left", vertical="top", wrap_text=True)

LABEL_FILL = PatternFill("solid", fgColor="F2F2F2")
HEADING_FILL = PatternFill("solid", fgColor="DDEBF7")
CLASS_COLOURS = {"mandatory": "FF9999", "query": "FFD966", "note": "BDD7EE"}
"""强制性 red, 核实性 amber, 提示 blue: light enough for black text, told apart in grey print by the comment and the list."""
CLASS_FILLS = {rule_class: PatternFill("solid", fgColor=colour) for rule_class, colour in CLASS_COLOURS.items()}
STATE_FILLS = {
    "accepted": PatternFill("solid", fgColor="548235"),
    "awaiting_explanation": PatternFill("solid", fgColor="BF8F00"),
    "returned": PatternFill("solid", fgColor="C00000"),
    "received": PatternFill("solid", fgColor="2F5597"),
    "replaced": PatternFill("solid", fgColor="7F7F7F"),
    "internal_error": PatternFill("solid", fgColor="2F5597"),
}
LINE_POINTS = 16.0
A4 = "9"


def width_of(text: str) -> int:
    """Return how many narrow columns a text takes; a Chinese character takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in text)


def height_of(text: str, width: float) -> float:
    """Return the height in points that a text needs in a cell ``width`` narrow columns wide (spreadsheets do not fit merged cells)."""
    lines = sum(max(1, ceil(width_of(line) / max(width - 1, 1))) for line in text.split("\n"))
    return lines * LINE_POINTS + 5


def rows_below(sheet: Worksheet, alignment: Alignment) -> Callable[[Sequence[object]], list[Cell]]:
    """Return what appends a row in the body's style and gives its cells; nothing else may append to the sheet meanwhile.

    Set cell by cell, as a sheet's last row looked up anew, a style takes most of the time of a list of thousands.
    """
    numbers, model = count(sheet.max_row + 1), StyleArray()

    def add(values: Sequence[object]) -> list[Cell]:
        append(sheet, values)
        row = next(numbers)
        cells = [sheet.cell(row, column) for column in range(1, len(values) + 1)]
        if not any(model):
            cells[0].font, cells[0].border, cells[0].alignment = BODY, BOX, alignment
            model[:] = cells[0]._style  # type: ignore[union-attr]
        for cell in cells:
            cell._style = copy(model)  # type: ignore[union-attr]
        return cells  # type: ignore[return-value]

    return add


def set_page(sheet: Worksheet, *, landscape: bool, footer: str, heading_rows: str = "") -> None:
    """Set a sheet up for print: A4, one page wide, page numbers, heading rows repeated."""
    sheet.page_setup.paperSize = A4
    sheet.page_setup.orientation = "landscape" if landscape else "portrait"
    sheet.page_setup.fitToWidth = 1
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True  # type: ignore[union-attr]
    sheet.page_margins.left = sheet.page_margins.right = 0.5
    sheet.page_margins.top, sheet.page_margins.bottom, sheet.page_margins.footer = 0.6, 0.8, 0.4
    sheet.print_options.horizontalCentered = True
    # An ampersand begins a code there.
    sheet.oddFooter.left.text = footer.replace("&", "&&")  # type: ignore[union-attr]
    sheet.oddFooter.right.text = "第 &P 页，共 &N 页"  # type: ignore[union-attr]
    if heading_rows:
        sheet.print_title_rows = heading_rows
