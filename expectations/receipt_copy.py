"""Copies of a hand-in's sheets in its receipt: what was read, cell by cell at its own address, the faulty cells coloured and commented."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from openpyxl import Workbook
from openpyxl.comments import Comment
from openpyxl.styles import Alignment
from openpyxl.styles.cell_style import StyleArray
from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string
from openpyxl.worksheet.worksheet import Worksheet

from expectations import receipt_style as style
from sources.contacts import LEFT_OUT, is_contact_heading, without_contacts
from sources.finding import CLASS_ORDER
from sources.grids import Sheet
from sources.spreadsheet import fill, harmless, sheet_title
from sources.text import label_of
from sources.values import is_blank, shown

FIRST_ROWS = 200
"""Rows of a sheet that are copied in any case; beyond them only rows with findings."""
FAULTY_ROWS = 1000
COMMENTS = 1000
COMMENT_TEXT = 1500
MOST_COLUMNS = 100
_CELL = re.compile(r"^[A-Z]{1,3}[1-9]\d*$")
_ROW = re.compile(r"^([1-9]\d*):\1$")
_DATES = {date: "yyyy-mm-dd", datetime: "yyyy-mm-dd", time: "hh:mm:ss"}


@dataclass(frozen=True)
class Copied:
    """One copied sheet: its title in the receipt, how many rows the original has, and which rows were left out, in words."""

    title: str
    row_count: int
    rows: frozenset[int]
    left_out: str = ""


def link_to(copied: Mapping[str, Copied], sheet: str, cell: str) -> str:
    """Return where in the receipt a finding's place is, as a hyperlink's location; empty where it was not copied."""
    target = copied.get(label_of(sheet))
    if target is None:
        return ""
    row = _ROW.match(cell)
    place = f"A{row.group(1)}" if row else cell if _CELL.match(cell) else "A1"
    if coordinate_from_string(place)[1] not in target.rows and place != "A1":
        return ""
    title = target.title.replace("'", "''")
    return f"'{title}'!{place}"


def copy_sheets(book: Workbook, sheets: Sequence[Sheet], document: Mapping[str, Any]) -> dict[str, Copied]:
    """Copy the sheets into the workbook; return them by the original's squeezed name.

    Every cell stands at its own address. Of a long sheet only the first rows and the rows with findings are copied; the others are hidden, and
    that is said. Names and telephone numbers of contact persons are left out.
    """
    by_sheet: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for finding in document["findings"]:
        by_sheet[label_of(finding["sheet"])].append(finding)
    headings = {label_of(read["sheet"]): read["heading_row"] for read in document["tables"]}
    copied = {}
    for sheet in sheets:
        label = label_of(sheet.name)
        target = book.create_sheet(sheet_title(sheet.name, book.sheetnames))
        copied[label] = _copy(target, sheet, by_sheet[label], headings.get(label, 0))
        style.set_page(target, landscape=True, footer=sheet.name)
    return copied


class _Marks:
    """The findings of one sheet by row and by cell, hardest first."""

    def __init__(self, findings: Sequence[Mapping[str, Any]]) -> None:
        self.cells: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        self.rows: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
        self.whole: list[Mapping[str, Any]] = []
        for finding in findings:
            row = _ROW.match(finding["cell"])
            if row:
                self.rows[int(row.group(1))].append(finding)
            elif _CELL.match(finding["cell"]):
                self.cells[finding["cell"]].append(finding)
            else:
                self.whole.append(finding)

    def faulty_rows(self) -> list[int]:
        """Return the numbers of the rows that bear a finding, in order."""
        return sorted({coordinate_from_string(cell)[1] for cell in self.cells} | set(self.rows))


def _copy(target: Worksheet, sheet: Sheet, findings: Sequence[Mapping[str, Any]], heading_row: int) -> Copied:
    marks = _Marks(findings)
    last = max(
        (number for number, row in enumerate(sheet.grid, start=1) if not all(is_blank(v) for v in row)), default=0
    )
    last = max([last, *marks.faulty_rows()[-1:]])
    beyond = [number for number in marks.faulty_rows() if number > FIRST_ROWS][:FAULTY_ROWS]
    chosen = [*range(1, min(last, FIRST_ROWS) + 1), *beyond]
    width = _width(sheet, chosen)
    plain, centred, above = _styles(target)
    hidden = _contact_columns(sheet, heading_row)
    for number in chosen:
        row = without_contacts(sheet.grid[number - 1]) if number <= len(sheet.grid) else []
        for index in range(min(len(row), MOST_COLUMNS)):
            fault = sheet.faults.get((number, index))
            if fault or not is_blank(row[index]):
                cell = target.cell(number, index + 1)
                value = LEFT_OUT if index in hidden and number > heading_row else row[index]
                _write(cell, f"（{fault.reason}）" if fault else value)
                cell._style = copy(above if number < heading_row else centred if number == heading_row else plain)  # type: ignore[union-attr]
                if type(row[index]) in _DATES:
                    cell.number_format = _DATES[type(row[index])]
    _mark(target, marks, width, frozenset(chosen))
    _shape(target, sheet, chosen, width, heading_row)
    left_out = ""
    if len(chosen) < last:
        # Rows without a definition are then not shown, so that those copied keep their numbers.
        target.sheet_format.zeroHeight = True
        for number in chosen:
            target.row_dimensions[number].hidden = False
        left_out = (
            f"只附前 {FIRST_ROWS} 行和其后有问题的 {len(beyond)} 行，行号与原表一致，其余 {last - len(chosen)} 行不附。"
        )
    return Copied(target.title, last, frozenset(chosen), left_out)


def _width(sheet: Sheet, rows: Sequence[int]) -> int:
    widths = [
        max((index + 1 for index, value in enumerate(sheet.grid[n - 1]) if not is_blank(value)), default=0)
        for n in rows
        if n <= len(sheet.grid)
    ]
    return min(max(widths, default=1) or 1, MOST_COLUMNS)


def _contact_columns(sheet: Sheet, heading_row: int) -> set[int]:
    if not 0 < heading_row <= len(sheet.grid):
        return set()
    return {index for index, value in enumerate(sheet.grid[heading_row - 1]) if is_contact_heading(value)}


def _write(cell: Any, value: object) -> None:
    """Write a raw cell as it was read: numbers at 15 significant digits, like the reader takes them."""
    fill(cell, float(shown(value)) if isinstance(value, float) else value)


def _styles(target: Worksheet) -> tuple[StyleArray, StyleArray, StyleArray]:
    """Return the styles of rows, headings and what stands above them, made once: cell by cell they take most of the time of a copy."""
    made = []
    middle = Alignment(vertical="center")
    kinds = (
        (style.BODY, middle, style.BOX),
        (style.LABEL, style.CENTRE, style.BOX),
        (style.LABEL, middle, style.NO_BOX),
    )
    for font, alignment, border in kinds:
        cell = target.cell(1, 1)
        cell.font, cell.alignment, cell.border = font, alignment, border
        made.append(copy(cell._style))  # type: ignore[union-attr]
    target.cell(1, 1)._style = StyleArray()  # type: ignore[union-attr]
    return made[0], made[1], made[2]


def _mark(target: Worksheet, marks: _Marks, width: int, rows: frozenset[int]) -> None:
    """Colour and comment the faulty rows, then the faulty cells over them, as far as their rows were copied."""
    comments = 0
    for number, findings in marks.rows.items():
        if number not in rows:
            continue
        for column in range(1, width + 1):
            target.cell(number, column).fill = _fill_of(findings)
        comments = _comment(target.cell(number, 1), findings, comments)
    for place, findings in marks.cells.items():
        letters, number = coordinate_from_string(place)
        if number not in rows or column_index_from_string(letters) > MOST_COLUMNS:
            continue
        cell = target.cell(number, column_index_from_string(letters))
        cell.fill, cell.font, cell.border = _fill_of(findings), style.FAULTY, style.BOX
        comments = _comment(cell, findings, comments)
    if marks.whole:
        _comment(target.cell(1, 1), marks.whole, 0)
    everything = [f for found in (*marks.cells.values(), *marks.rows.values(), marks.whole) for f in found]
    if everything:
        target.sheet_properties.tabColor = style.CLASS_COLOURS[_hardest(everything)]


def _hardest(findings: Sequence[Mapping[str, Any]]) -> str:
    return str(min((f["rule_class"] for f in findings), key=lambda rule_class: CLASS_ORDER[rule_class]))


def _fill_of(findings: Sequence[Mapping[str, Any]]) -> Any:
    return style.CLASS_FILLS[_hardest(findings)]


def _comment(cell: Any, findings: Sequence[Mapping[str, Any]], count: int) -> int:
    """Put the findings beside a cell; a sheet with thousands of them gets the first thousand, the list has all."""
    if count >= COMMENTS:
        return count
    parts = [f"【{f['class_label']}】{f['message']}\n为什么：{f['why']}\n怎么办：{f['action']}" for f in findings]
    text = str(harmless("\n\n".join(parts)))[:COMMENT_TEXT]
    comment = Comment(text, "审核", width=360)
    comment.height = int(style.height_of(text, 50) * 1.25) + 12
    cell.comment = comment
    return count + 1


def _shape(target: Worksheet, sheet: Sheet, rows: Sequence[int], width: int, heading_row: int) -> None:
    """Give the columns a width that fits their first rows (headings wrap), and keep the headings in sight."""
    body = [sheet.grid[n - 1] for n in rows if heading_row < n <= len(sheet.grid)][:80]
    headings = sheet.grid[heading_row - 1] if 0 < heading_row <= len(sheet.grid) else []
    heights = [style.LINE_POINTS]
    for index in range(width):
        texts = [shown(row[index]) for row in body if index < len(row) and not is_blank(row[index])]
        # A foot may run on to the right; it shall not make its column wide.
        longest = max((style.width_of(text) for text in texts if "：" not in text and ":" not in text), default=6)
        heading = label_of(headings[index]) if index < len(headings) else ""
        fitting = min(max(longest + 2, style.width_of(heading) / 3 + 2, 8), 26)
        target.column_dimensions[get_column_letter(index + 1)].width = fitting
        heights.append(style.height_of(heading, fitting - 1))
    if heading_row:
        target.row_dimensions[heading_row].height = max(heights)
        target.freeze_panes = f"B{heading_row + 1}"
        target.print_title_rows = f"{heading_row}:{heading_row}"
