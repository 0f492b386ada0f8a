"""Finding things on a sheet by name: the title lines, the heading rows, the data rows, the 合计 row and the foot.

Works on plain cell values (a list of rows, 0-based); knows no contract beyond the list of headings it is given.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import NamedTuple

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
_TOTAL_MARK = TOTAL_LABEL[0]
TEMPLATE_HEADINGS = ("校验", "本表校验", "跨表校验", "上期数")
"""Columns that the template adds for the clerk: how a row stands, what is wrong with it, last period's figure. Never data."""
INSTRUCTION_SHEET, LAST_SHEET_PREFIX = "填报说明", "上期数_"
"""Sheets that the template adds beside the forms."""
HEAD_ROWS = 40
"""A heading row is looked for in this many rows; no form has a title longer than three."""

_INFO = re.compile(rf"({'|'.join(INFO_LABELS)}):(.*?)(?=(?:{'|'.join(INFO_LABELS)}):|$)")
_BARE_UNIT = re.compile(r"(?:百|千|万|百万|千万|亿)?元")
_UNIT = re.compile(rf"(单位:?|\()({_BARE_UNIT.pattern})(?=$|[^\w/]|{'|'.join(INFO_LABELS)})")
_UNIT_LABELS = ("计量单位:", "金额单位:", "货币单位:")
_UNIT_LINE = rf"(?:{'|'.join(_UNIT_LABELS)}|单位:{_BARE_UNIT.pattern}(?=$|[^\w/]))"
_FOOT = re.compile(rf"^(?:(?:{'|'.join(FOOT_LABELS)}|(?:{'|'.join(NOTE_LABELS)})\d*):|{_UNIT_LINE})")
_NOTE = re.compile(rf"^(?:(?:{'|'.join(NOTE_LABELS)})\d*:|{_UNIT_LINE})")
_NUMBERED = re.compile(r"^(?:\d+[.、)](?!\d)|\(\d+\)|[①-⑳])\D")
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

    ``days`` are the 报出日期 in the foot, ``unread_date`` is what stands after one that is no date. ``notes`` are rows of text between the
    headings and the data; ``foot`` is the row that the foot begins with.
    """

    data: list[int]
    total: int | None
    stray: list[int]
    notes: list[int]
    foot: int | None
    days: frozenset[date]
    unread_date: str

    @property
    def reported_on(self) -> date | None:
        """The latest 报出日期 in the foot; two different ones are reported."""
        return max(self.days, default=None)


class UnitBelow(NamedTuple):
    """A unit of amounts that the foot or a note names: its place, and whether as 单位, not in passing.

    Rows are 1-based, columns 0-based; row 0 is one near the end of a file whose rows have not been counted.
    """

    unit: str
    row_number: int
    column_index: int
    is_stated: bool

    @property
    def place(self) -> str:
        """The cell's name, in words where its row is not known."""
        return cell_name(self.column_index, self.row_number) if self.row_number else "文件末尾"


def cell_name(column_index: int, row_number: int) -> str:
    """Return ``K8`` for column index 10 (0-based), row 8 (1-based)."""
    return f"{get_column_letter(column_index + 1)}{row_number}"


def info_line(grid: Grid, before_row: int) -> dict[str, list[tuple[str, str]]]:
    """Return what the lines above the headings say: label → every (value, place).

    A label and its value stand in one cell, in neighbouring ones, or below each other; several may share a cell, in any order. Where several
    labels come first and as many values after them, they belong together in that order.
    """
    found: dict[str, list[tuple[str, str]]] = {}
    lines = [
        [(column, label_of(shown(value))) for column, value in enumerate(row) if not is_blank(value)]
        for row in grid[: before_row - 1]
    ]
    for index, cells in enumerate(lines):
        below = dict(lines[index + 1]) if index + 1 < len(lines) else {}
        for labels, values in _runs(cells):
            row_number = index + 1
            if not values:
                # Nothing beside the labels: look below them, but not at what is a label itself.
                values = [(column, below[column]) for column, _ in labels if ":" not in below.get(column, ":")]
                row_number += 1
            if len(labels) == 1 or len(labels) == len(values):
                for (_, label), (column, value) in zip(labels, values, strict=False):
                    found.setdefault(label, []).append((value, cell_name(column, row_number)))
    return found


def _runs(cells: list[tuple[int, str]]) -> list[tuple[list[tuple[int, str]], list[tuple[int, str]]]]:
    """Split a line's cells (column, text) into runs: labels, and the values that follow them."""
    runs: list[tuple[list[tuple[int, str]], list[tuple[int, str]]]] = [([], [])]
    for column, text in cells:
        said = _INFO.findall(text)
        labels, values = runs[-1]
        if said and (values or any(value for _, value in said)):
            runs.append(([], []))
        for label, value in said:
            if value:
                runs.insert(-1, ([(column, label)], [(column, value)]))
            else:
                runs[-1][0].append((column, label))
        if not said and labels:
            values.append((column, text))
    return [(labels, values) for labels, values in runs if labels]


def info_row(grid: Grid, before_row: int) -> int | None:
    """Return the 1-based number of the first line above the headings that holds any of the info labels."""
    for index, row in enumerate(grid[: before_row - 1]):
        if any(_INFO.search(label_of(value)) for value in row if not is_blank(value)):
            return index + 1
    return None


def data_above(grid: Grid, headings: Headings) -> list[int]:
    """Return the 1-based numbers of the rows above the headings that look like data: three filled cells or more, an amount among them.

    The lines of a title and of labels with their values are none.
    """
    found = []
    for index, row in enumerate(grid[: headings.row_number - 1]):
        cells = [value for value in row if not is_blank(value)]
        if len(cells) > 2 and any(_is_amount(v) for v in cells) and not any(_is_label(v) for v in cells):
            found.append(index + 1)
    return found


def _is_label(value: object) -> bool:
    label = label_of(value)
    return label.endswith(":") or _INFO.search(label) is not None


def _is_amount(value: object) -> bool:
    """Whether a cell is filled in as cells of amounts are: a number, nil, or below the unit."""
    return number_of(value) is not None or (isinstance(value, str) and value.strip() in NIL | BELOW_UNIT)


def units_above(grid: Grid, headings: Headings) -> list[tuple[str, str]]:
    """Return every unit of amounts that the lines above the headings name in any words, as (unit, place): ``单位：元``, ``（万元）``."""
    return [
        (unit, cell_name(column, index + 1))
        for index, row in enumerate(grid[: headings.row_number - 1])
        for column, value in enumerate(row)
        if isinstance(value, str)
        for _, unit in _UNIT.findall(label_of(value))
    ]


def units_below(grid: Grid, body: Body) -> list[UnitBelow]:
    """Return every unit of amounts that the foot, or a note below the headings, names: where a sheet says it where nobody looks for it."""
    found = []
    for row_number in (*body.notes, *range(body.foot or len(grid) + 1, len(grid) + 1)):
        is_asked = False
        for index, value in enumerate(grid[row_number - 1]):
            label = label_of(value) if isinstance(value, str) else ""
            if is_asked and _BARE_UNIT.fullmatch(label):
                found.append(UnitBelow(label, row_number, index, True))
            found += [UnitBelow(unit, row_number, index, mark != "(") for mark, unit in _UNIT.findall(label)]
            if label:
                is_asked = label.endswith(_UNIT_LABELS)
    return found


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


def without_template_columns(sheet: Sheet, headings: Headings) -> tuple[Sheet, Headings]:
    """Return the sheet and its headings without the columns that the template adds; an empty row is empty then, whatever they say."""
    ours = {column for label, column in headings.unknown.items() if label in TEMPLATE_HEADINGS}
    if not ours:
        return sheet, headings
    below = headings.row_number
    kept = [
        [None if column in ours and index >= below else value for column, value in enumerate(row)]
        for index, row in enumerate(sheet.grid)
    ]
    unknown = {label: column for label, column in headings.unknown.items() if column not in ours}
    without = replace(
        sheet,
        grid=kept,
        faults={place: fault for place, fault in sheet.faults.items() if place[1] not in ours},
        formulas=frozenset(place for place in sheet.formulas if place[1] not in ours),
        linked=frozenset(place for place in sheet.linked if place[1] not in ours),
        hidden_columns=sheet.hidden_columns - ours,
    )
    return without, replace(headings, unknown=unknown)


def find_body(sheet: Sheet, headings: Headings) -> Body:
    """Split the rows below the headings into data rows, the 合计 row and the foot; blank rows are skipped.

    The foot begins at the first row that starts with a foot label or, once data have come, a note; rows of data after it, or in it, are
    stray. A note that stands alone in its row right below the headings belongs to them.
    """
    faulty = {row_number for row_number, _ in sheet.faults}
    data: list[int] = []
    notes: list[int] = []
    stray: list[int] = []
    total: int | None = None
    days: set[date] = set()
    unread_date = ""
    foot: int | None = None
    for row_number in range(headings.row_number + 1, len(sheet.grid) + 1):
        # Most cells are numbers, or begin with a letter or digit; only the others are looked at closely.
        cells = [
            value
            for value in sheet.grid[row_number - 1]
            if type(value) is float or (type(value) is str and value[:1].isalnum()) or not is_blank(value)
        ]
        if not cells and row_number not in faulty:
            continue
        if not data and total is None and foot is None and len(cells) == 1 and _is_note(cells[0], bool(notes)):
            notes.append(row_number)
        elif cells and isinstance(cells[0], str) and _FOOT.match(label_of(cells[0])):
            foot = foot or row_number
            if _more_than_foot(cells):
                stray.append(row_number)
            said, text = _reported_on(cells)
            days |= said
            unread_date = text or unread_date
        elif foot:
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
    return Body(data, total, stray, notes, foot, frozenset(days), unread_date)


def _is_note(value: object, is_after_note: bool) -> bool:
    """Whether a text that is alone in its row is a note, or goes on with the note above it: ``2.金额单位见表头``."""
    text = label_of(value) if isinstance(value, str) else ""
    return _NOTE.match(text) is not None or (is_after_note and _NUMBERED.match(text) is not None)


def _is_total(cells: list[object]) -> bool:
    """Whether a row is the 合计 row: the word in any column, and beside it nothing but amounts."""
    for value in cells:
        if type(value) is str and _TOTAL_MARK in value:
            break
    else:
        return False
    words = [label_of(value) for value in cells if isinstance(value, str) and number_of(value) is None]
    return TOTAL_LABEL in words and all(word == TOTAL_LABEL or word in NIL or word in BELOW_UNIT for word in words)


def _more_than_foot(cells: list[object]) -> bool:
    """Whether a row of the foot holds more than labels and their values: data beside a note in the margin, say."""
    labels = [label_of(value) for value in cells]
    waiting = sum(label.endswith(":") for label in labels)
    numbers = sum(number_of(value) is not None for value in cells)
    # A number with no label that waits for it (a telephone's, a day's) is an amount; so is any beside a note.
    if numbers > (0 if _NOTE.match(labels[0]) else waiting):
        return True
    return sum(":" not in label for label in labels) > waiting + 1


def _reported_on(cells: list[object]) -> tuple[set[date], str]:
    """Return every 报出日期 of a foot row, and what stands there where that is no date."""
    days: set[date] = set()
    unread = ""
    for position, value in enumerate(cells):
        for match in _REPORTED_ON.finditer(fold_width(value)) if isinstance(value, str) else ():
            written: object = match.group(1).strip()
            if not written and position + 1 < len(cells):
                written = cells[position + 1]
            day = date_of(written)
            if day:
                days.add(day)
            elif not is_blank(written):
                unread = shown(written)
    return days, unread
