"""Finding things on a sheet by name: the title lines, the heading rows, the data rows, the 合计 row and the foot.

Works on plain cell values (a list of rows, 0-based); knows no contract beyond the list of headings it is given.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from openpyxl.utils import get_column_letter

from sources.grids import Grid, Sheet
from sources.text import fold_width, label_of
from sources.values import BELOW_UNIT, NIL, date_of, is_blank, number_of, shown

INFO_LABELS = ("填报单位", "报告期", "计量单位", "报表类别", "工作表", "报出日期")
FOOT_LABELS = (
    "单位负责人",
    "统计负责人",
    "填表人",
    "联系电话",
    "报出日期",
    "审核人",
    "复核人",
    "制表人",
    "负责人",
    "填表日期",
    "报送日期",
)
NOTE_LABELS = ("注", "说明")
TOTAL_LABEL = "合计"
HEAD_ROWS = 40
"""A heading row is looked for in this many rows; no form has a title longer than three."""

_INFO = re.compile(rf"({'|'.join(INFO_LABELS)}):(.*?)(?=(?:{'|'.join(INFO_LABELS)}):|$)")
_FOOT = re.compile(rf"^(?:{'|'.join(FOOT_LABELS)}|(?:{'|'.join(NOTE_LABELS)})\d*):")
_REPORTED_ON = re.compile(rf"报\s*出\s*日\s*期\s*:\s*(.*?)(?=(?:{'|'.join(FOOT_LABELS)})|$)", re.DOTALL)


@dataclass(frozen=True)
class Headings:
    """The heading row(s) found: the last one's number (1-based), and the column index (0-based) of every label."""

    row_number: int
    columns: dict[str, int]
    unknown: dict[str, int]
    twice: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Body:
    """The parts below the headings, as 1-based row numbers; ``stray`` are rows with cells after the foot.

    ``unread_date`` is what stands after 报出日期 where that is no date.
    """

    data: list[int]
    total: int | None
    stray: list[int]
    reported_on: date | None
    unread_date: str


def cell_name(column_index: int, row_number: int) -> str:
    """Return ``K8`` for column index 10 (0-based), row 8 (1-based)."""
    return f"{get_column_letter(column_index + 1)}{row_number}"


def info_line(grid: Grid, before_row: int) -> dict[str, list[tuple[str, str]]]:
    """Return what the lines above the headings say: label → every (value, place).

    A label and its value stand in one cell or in neighbouring ones; several may share a cell, in any order.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for index, row in enumerate(grid[: before_row - 1]):
        cells = [(column, label_of(value)) for column, value in enumerate(row) if not is_blank(value)]
        for position, (column, text) in enumerate(cells):
            for label, value in _INFO.findall(text):
                place = cell_name(column, index + 1)
                if not value and position + 1 < len(cells) and not _INFO.search(cells[position + 1][1]):
                    column, value = cells[position + 1]
                    place = cell_name(column, index + 1)
                if value:
                    found.setdefault(label, []).append((value, place))
    return found


def info_row(grid: Grid, before_row: int) -> int | None:
    """Return the 1-based number of the first line above the headings that holds any of the info labels."""
    for index, row in enumerate(grid[: before_row - 1]):
        if any(_INFO.search(label_of(value)) for value in row if not is_blank(value)):
            return index + 1
    return None


def _labels_of_two(top: Sequence[object], bottom: Sequence[object], groups: set[str]) -> list[str]:
    """Join two heading rows: ``其中：`` above ``科研平台投入`` reads ``其中:科研平台投入``."""
    labels, group = [], ""
    for column in range(max(len(top), len(bottom))):
        upper = label_of(top[column]) if column < len(top) else ""
        lower = label_of(bottom[column]) if column < len(bottom) else ""
        if upper:
            group = upper.rstrip(":") if upper.rstrip(":") in groups else ""
        labels.append(f"{group}:{lower}" if group and lower else upper + lower)
    return labels


def find_headings(grid: Grid, known: Sequence[str]) -> Headings | None:
    """Find the heading row, or the two heading rows, by name.

    Args:
        grid: the sheet's cells.
        known: every heading (and alias) that a contract knows for this sheet.

    Returns:
        The best row: the one with the most known headings; None where no row has two of them (one, if only one is known).
    """
    wanted = {label_of(heading): heading for heading in known}
    groups = {label.split(":")[0] for label in wanted if ":" in label}
    best: tuple[int, int, list[str]] | None = None
    for index in range(min(len(grid), HEAD_ROWS)):
        single = [label_of(value) if isinstance(value, str) else "" for value in grid[index]]
        candidates = [(index + 1, single)]
        if index + 1 < len(grid) and any(label.rstrip(":") in groups for label in single if label):
            candidates.append((index + 2, _labels_of_two(grid[index], grid[index + 1], groups)))
        for row_number, labels in candidates:
            score = len({label for label in labels if label in wanted})
            if score >= min(2, len(wanted)) and (best is None or score > best[0]):
                best = (score, row_number, labels)
    if best is None:
        return None
    _, row_number, labels = best
    columns: dict[str, int] = {}
    unknown: dict[str, int] = {}
    twice: dict[str, int] = {}
    for column, label in enumerate(labels):
        if label in wanted:
            (twice if wanted[label] in columns else columns)[wanted[label]] = column
        elif label:
            unknown[label] = column
    return Headings(row_number, columns, unknown, twice)


def find_body(sheet: Sheet, headings: Headings) -> Body:
    """Split the rows below the headings into data rows, the 合计 row and the foot; blank rows are skipped.

    The foot begins at the first row that starts with a foot label or a note; rows of data after it, or in it, are stray.
    """
    uncalculated = {row_number for row_number, _ in sheet.uncalculated}
    data: list[int] = []
    stray: list[int] = []
    total: int | None = None
    reported_on: date | None = None
    unread_date = ""
    in_foot = False
    for row_number in range(headings.row_number + 1, len(sheet.grid) + 1):
        cells = [value for value in sheet.grid[row_number - 1] if not is_blank(value)]
        if not cells and row_number not in uncalculated:
            continue
        if cells and isinstance(cells[0], str) and _FOOT.match(label_of(cells[0])):
            in_foot = True
            if _more_than_foot(cells):
                stray.append(row_number)
            day, text = _reported_on(cells)
            reported_on, unread_date = day or reported_on, text or unread_date
        elif in_foot:
            # A note may run on over several lines of text; anything else here is data that would be lost.
            if len(cells) != 1 or number_of(cells[0]) is not None:
                stray.append(row_number)
        elif _is_total(cells):
            if total is None:
                total = row_number
            else:
                stray.append(row_number)
        else:
            data.append(row_number)
    return Body(data, total, stray, reported_on, unread_date)


def _is_total(cells: list[object]) -> bool:
    """Whether a row is the 合计 row: the word in any column, and beside it nothing but amounts."""
    words = [label_of(value) for value in cells if isinstance(value, str) and number_of(value) is None]
    return TOTAL_LABEL in words and all(word == TOTAL_LABEL or word in NIL or word in BELOW_UNIT for word in words)


def _more_than_foot(cells: list[object]) -> bool:
    """Whether a row of the foot holds more than labels and their values: data beside a note in the margin, say."""
    labels = [label_of(value) for value in cells]
    waiting = sum(label.endswith(":") for label in labels)
    return sum(":" not in label for label in labels) > waiting + 1


def _reported_on(cells: list[object]) -> tuple[date | None, str]:
    """Return the 报出日期 of a foot row, or what stands there where that is no date."""
    for position, value in enumerate(cells):
        match = _REPORTED_ON.search(fold_width(value)) if isinstance(value, str) else None
        if match:
            written: object = match.group(1).strip()
            if not written and position + 1 < len(cells):
                written = cells[position + 1]
            day = date_of(written)
            return day, "" if day or is_blank(written) else shown(written)
    return None, ""
