"""The sheet 核实说明 of any workbook: what a provider says of its 核实性 findings, row by row as written.

Which finding a row speaks of is not known here; `expectations.explanations` matches them by rule, sheet and cell.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sources.finding import Finding
from sources.grids import Sheet
from sources.layout import FOOT_LABELS, NOTE_LABELS, find_headings
from sources.reading_rules import breach
from sources.text import clean, code_of, label_of
from sources.values import is_blank, shown

EXPLANATION_HEADINGS = ("规则编号", "工作表", "单元格", "说明", "说明人")
WHOLE = frozenset(("", "-", "—", "——", "/", "无", "整份文件", "整张表", "整表"))
"""What stands where a finding has no sheet or no cell: nothing, or what the receipt says there."""

EVERY_CELL = "全部"
"""What stands there where one explanation holds for every finding of a rule on a sheet, those that no list has among them."""
_EVERY_CELL = frozenset((EVERY_CELL, "所有", "各处", "全部单元格", "所有单元格"))

MOST_ROWS, MOST_CHARACTERS = 5000, 4000
"""A sheet or a text beyond this is no explanation but a mistake, or worse."""

_FOOT = tuple(f"{label}:" for label in FOOT_LABELS)
_NOTE = tuple(f"{label}:" for label in NOTE_LABELS)
_ROW = re.compile(r"第?(\d+)行?")
_CELL = re.compile(r"([A-Z]{1,3})(\d+)")
_EXCEL_DAY_ZERO = datetime(1899, 12, 31)
_SECONDS_PER_MINUTE, _MINUTES_PER_HOUR = 60, 60


@dataclass(frozen=True)
class ExplanationRow:
    """One row of 核实说明, comparable: rule id in capitals, sheet without white space, cell as ``K8``, ``3:3``, empty or `EVERY_CELL`.

    ``fault`` says that a cell of the row could not be read.
    """

    row_number: int
    rule_id: str
    sheet: str
    cell: str
    text: str
    by: str
    fault: str = ""


def read_explanations(sheet: Sheet, **where: str) -> tuple[tuple[ExplanationRow, ...], list[Finding]]:
    """Return the rows of 核实说明, and a note where it holds something but no headings; ``where`` is for that note."""
    headings = find_headings(sheet.grid, EXPLANATION_HEADINGS)
    if headings is None:
        if all(is_blank(value) for row in sheet.grid for value in row):
            return (), []
        message = f"“{sheet.name}”里找不到表头（{'、'.join(EXPLANATION_HEADINGS)}），其中的说明没有登记"
        return (), [breach("RD-131", message, sheet=sheet.name, subject="核实说明/表头", found="无", **where)]
    rows: list[ExplanationRow] = []
    for row_number in range(headings.row_number + 1, len(sheet.grid) + 1):
        if _is_margin(sheet.grid[row_number - 1]):
            continue
        if len(rows) == MOST_ROWS:
            message = f"“{sheet.name}”第{row_number}行起没有读：说明最多 {MOST_ROWS} 行"
            return tuple(rows), [breach("RD-131", message, sheet=sheet.name, subject="核实说明/行数", **where)]
        row = _row(sheet, row_number, headings.columns)
        if row.rule_id or row.sheet or row.cell or row.text or row.by or row.fault:
            rows.append(row)
    return tuple(rows), []


def _row(sheet: Sheet, row_number: int, columns: dict[str, int]) -> ExplanationRow:
    values: dict[str, object] = {}
    fault = ""
    for heading in EXPLANATION_HEADINGS:
        index = columns.get(heading)
        values[heading] = sheet.at(row_number, index) if index is not None else ""
        if index is not None and (row_number, index) in sheet.faults:
            fault = f"“{heading}”是{sheet.faults[row_number, index].reason}"
    if len(shown(values["说明"])) > MOST_CHARACTERS:
        fault = f"“说明”超过 {MOST_CHARACTERS} 字"
    texts = {heading: "" if is_blank(value) else clean(shown(value)) for heading, value in values.items()}
    sheet_name = label_of(texts["工作表"])
    return ExplanationRow(
        row_number,
        code_of(texts["规则编号"]),
        "" if sheet_name in WHOLE else sheet_name,
        comparable_cell(values["单元格"]),
        texts["说明"],
        texts["说明人"],
        fault,
    )


def comparable_cell(value: object) -> str:
    """Return a cell's name as findings have it: ``K8``; ``3:3`` for a row, also where Excel took that for a time; empty for a whole sheet."""
    if isinstance(value, time):
        return f"{value.hour}:{value.minute}"
    if isinstance(value, datetime):
        value = value - _EXCEL_DAY_ZERO
    if isinstance(value, timedelta):
        hours, minutes = divmod(int(value.total_seconds()) // _SECONDS_PER_MINUTE, _MINUTES_PER_HOUR)
        return f"{hours}:{minutes}"
    text = code_of(shown(value)).replace("$", "") if not is_blank(value) else ""
    if text in WHOLE:
        return ""
    if text in _EVERY_CELL:
        return EVERY_CELL
    row = _ROW.fullmatch(text)
    if row:
        return f"{row[1]}:{row[1]}"
    cell = _CELL.fullmatch(text.split(":")[0])
    # K8:K8, or a merged range: its first cell names it.
    return f"{cell[1]}{cell[2]}" if cell else text


def _is_margin(row: Sequence[object]) -> bool:
    """Whether a row belongs to the foot, or is a note that stands alone in it."""
    filled = [label_of(value) for value in row if not is_blank(value)]
    if not filled:
        return True
    return filled[0].startswith(_FOOT) or (len(filled) == 1 and label_of(row[0]).startswith(_NOTE))
