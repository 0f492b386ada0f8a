"""One cell, one value: exact, typed, or a fault that says what was found.

Amounts are read at 15 significant digits (spreadsheets carry noise like 0.30000000000000004) and converted to 万元 exactly.
Five things stay apart: a number (0 too), nil (``-`` ``—``), below the unit (``…``), blank, and a missing row.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import NamedTuple

from sources.contracts import Column
from sources.identifiers import code_fault
from sources.text import clean, code_of, fold_width, label_of
from sources.unit_register import closest

WAN_PER_UNIT = {"元": Decimal("0.0001"), "千元": Decimal("0.1"), "万元": Decimal(1), "亿元": Decimal(10000)}
FEN_IN_WAN = Decimal("0.000001")
LARGEST_WAN = Decimal(10) ** 14
LARGEST_EXACT = 10**15
"""Spreadsheets keep 15 digits of a number; a longer one has lost its last."""

ERROR_VALUES = {
    "#REF!",
    "#N/A",
    "#VALUE!",
    "#DIV/0!",
    "#NAME?",
    "#NULL!",
    "#NUM!",
    "#GETTING_DATA",
    "#SPILL!",
    "#CALC!",
}
NIL = {"-", "—", "–", "―", "－", "——"}
BELOW_UNIT = {"…", "……", "...", "......"}
NO_REFERENCE = frozenset(NIL | {"/", "\\", "0", "无", "没有", "暂无", "无编号", "不适用", "N/A", "NA", "*"})
"""What people write where there is no project or contract number. Taken for one, it would match every other row that has none."""
PLAIN_NUMBER = re.compile(r"[+-]?([0-9]+|[0-9]{1,3}(,[0-9]{3})+)(\.[0-9]+)?")
DATE_TEXT = re.compile(
    r"([0-9]{4})(?:-([0-9]{1,2})-([0-9]{1,2})|/([0-9]{1,2})/([0-9]{1,2})|\s*年\s*([0-9]{1,2})\s*月\s*([0-9]{1,2})\s*日)( 0?0:00(:00)?)?"
)

Value = str | bool | date | int | Decimal | None


class CellFault(Exception):
    """A cell that cannot be read as its column demands: the broken rule, what was found and what was expected."""

    def __init__(self, rule_id: str, found: str, expected: str, message: str) -> None:
        """Keep the parts of the later finding."""
        super().__init__(message)
        self.rule_id, self.found, self.expected, self.message = rule_id, found, expected, message


class CellValue(NamedTuple):
    """A read cell: its value, its status if it is a number cell, and a remark (rule, message) if reading it deserves one."""

    value: Value
    status: str | None = None
    remark: tuple[str, str] | None = None


MISSING = CellValue(None)
NOT_REPORTED = CellValue(None, "not_reported")


def shown(raw: object) -> str:
    """Return a raw cell as people see it."""
    if raw is None:
        return "空白"
    if isinstance(raw, datetime):
        return raw.isoformat(sep=" ", timespec="minutes") if raw.time() != time.min else raw.date().isoformat()
    if isinstance(raw, bool):
        return str(raw).upper()
    if isinstance(raw, float):
        return format(raw, ".15g")
    return str(raw)


def is_blank(raw: object) -> bool:
    """Return whether a raw cell holds nothing, or white space only."""
    if not isinstance(raw, str):
        return raw is None
    # Nearly every text begins with a visible character; only the others need the full look.
    return not raw or (not raw[0].isalnum() and not label_of(raw))


def is_error_value(raw: object) -> bool:
    """Return whether a raw cell is an error value such as ``#REF!``."""
    return isinstance(raw, str) and "#" in raw and raw.strip().upper() in ERROR_VALUES


def number_of(raw: object) -> Decimal | None:
    """Return the exact number in a numeric cell or a text that is one, else None. 15 significant digits for numeric cells."""
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | float):
        number = Decimal(format(raw, ".15g"))
        return number if number.is_finite() else None
    if isinstance(raw, str):
        text = fold_width(raw).strip()
        if PLAIN_NUMBER.fullmatch(text):
            return Decimal(text.replace(",", ""))
    return None


def read_number(raw: object, column: Column, factor: Decimal) -> CellValue:
    """Read an amount, count or plain number; ``factor`` converts to the warehouse's unit (万元 for money).

    Raises:
        CellFault: not a number, nil where only numbers may stand, negative counts, too large.
    """
    if is_blank(raw):
        return NOT_REPORTED
    if isinstance(raw, str):
        symbol = raw.strip()
        if symbol in NIL or symbol in BELOW_UNIT:
            if column.numbers_only:
                raise CellFault("RD-106", symbol, "数字", f"“{column.heading}”填的是“{symbol}”，这一列只能填数字")
            return CellValue(Decimal(0), "nil" if symbol in NIL else "below_unit")
    number = number_of(raw)
    if number is None:
        raise CellFault("RD-103", shown(raw), "数字", f"“{column.heading}”填的是“{shown(raw)}”，不是数字")
    remark = ("RD-104", f"文本“{raw}”已按数字 {number} 读取") if isinstance(raw, str) else None
    if column.type == "count":
        if number != number.to_integral_value() or number < 0:
            raise CellFault("RD-117", shown(raw), "非负整数", f"“{column.heading}”填的是“{shown(raw)}”，应为非负整数")
        return CellValue(int(number), "reported", remark)
    exact = number * factor
    if abs(exact) >= LARGEST_WAN:
        raise CellFault(
            "RD-107", shown(raw), "小于 1e14 万元", f"“{column.heading}”填的是“{shown(raw)}”，超出可能的范围"
        )
    rounded = exact.quantize(FEN_IN_WAN, rounding=ROUND_HALF_UP)
    if rounded != exact:
        remark = ("RD-105", f"“{column.heading}”填的是“{shown(raw)}”，折合 {exact.normalize():f} 万元，细于一分")
    return CellValue(rounded, "reported", remark)


def _text(raw: object, column: Column) -> CellValue:
    # Nearly every text is letters and digits alone, and there is nothing to clean in it; the shortest may stand for no number.
    if type(raw) is str and raw.isalnum() and (column.type == "text" or (raw.isascii() and len(raw) > 2)):
        return CellValue(raw if column.type == "text" else raw.upper())
    if isinstance(raw, int | float) and abs(raw) >= LARGEST_EXACT:
        raise CellFault(
            "RD-118", shown(raw), "文本", f"“{column.heading}”是超过 15 位的数值（{shown(raw)}），末几位已丢失"
        )
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    text = clean(shown(raw))
    if isinstance(raw, date | time | timedelta):
        return CellValue(text, remark=("RD-056", f"“{column.heading}”是日期或时间单元格（{text}），原来填的可能是编号"))
    if column.type == "code" and not isinstance(raw, str):
        return CellValue(text, remark=("RD-116", f"“{column.heading}”{text} 是数值单元格，可能丢了开头的 0"))
    if column.type == "reference" and not column.required and code_of(text) in NO_REFERENCE:
        return CellValue(None, remark=("RD-119", f"“{column.heading}”填的是“{text}”，按没有编号读取"))
    return CellValue(code_of(text) if column.type in ("code", "reference") else text)


@lru_cache(maxsize=65536)
def _checked_code(raw: str) -> tuple[str, str]:
    code = code_of(raw)
    return code, code_fault(code)


def _uscc(raw: object, column: Column) -> CellValue:
    if not isinstance(raw, str):
        raise CellFault(
            "RD-108", shown(raw), "文本", f"“{column.heading}”是数值单元格（{shown(raw)}），18位代码已丢失末几位数字"
        )
    code, fault = _checked_code(raw)
    if fault and column.required:
        raise CellFault("RD-109", code, "有效的统一社会信用代码", f"“{column.heading}”{code} {fault}")
    remark = ("RD-110", f"“{column.heading}”{code} {fault}") if fault else None
    return CellValue(code, remark=remark)


def _enum(raw: object, column: Column) -> CellValue:
    for value in column.values:
        if label_of(raw) == label_of(value):
            return CellValue(value)
    allowed = "、".join(f"“{v}”" for v in column.values)
    message = f"“{column.heading}”填的是“{shown(raw)}”，只能填{allowed}{_or_is_it(raw, column.values)}"
    raise CellFault("RD-112", shown(raw), allowed, message)


def _or_is_it(raw: object, known: Iterable[str]) -> str:
    """Return the known word that a cell may mean, as a question; a suggestion only, never read as that."""
    word = closest(shown(raw), known)
    return f"；是不是“{word}”" if word else ""


def _boolean(raw: object, column: Column) -> CellValue:
    answer = {"是": True, "否": False}.get(label_of(raw))
    if answer is None:
        raise CellFault("RD-113", shown(raw), "“是”或“否”", f"“{column.heading}”填的是“{shown(raw)}”，只能填“是”或“否”")
    return CellValue(answer)


def date_of(raw: object) -> date | None:
    """Return the date in a date cell, or in a text like 2026-03-15, 2026/3/15 or 2026年3月15日, else None."""
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    match = DATE_TEXT.fullmatch(fold_width(raw).strip()) if isinstance(raw, str) else None
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups()[:7] if part is not None)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _date(raw: object, column: Column) -> CellValue:
    day = date_of(raw)
    if day is None:
        raise CellFault("RD-114", shown(raw), "日期", f"“{column.heading}”填的是“{shown(raw)}”，不是日期")
    return CellValue(day)


def _year(raw: object, column: Column) -> CellValue:
    text = label_of(shown(raw)).removesuffix("年")
    if not re.fullmatch(r"(19|20)\d\d", text):
        raise CellFault("RD-117", shown(raw), "四位年份", f"“{column.heading}”填的是“{shown(raw)}”，应为四位年份")
    return CellValue(int(text))


_READERS: dict[str, Callable[[object, Column], CellValue]] = {
    "text": _text,
    "reference": _text,
    "code": _text,
    "uscc": _uscc,
    "enum": _enum,
    "boolean": _boolean,
    "date": _date,
    "year": _year,
}


def cell_reader(column: Column, factor: Decimal, areas: dict[str, str]) -> Callable[[object], CellValue]:
    """Return the function that reads one cell of a column.

    Args:
        column: the contract's column.
        factor: 万元 per stated unit; used by money columns only.
        areas: area key per squeezed name or alias, as valid in the period.

    The function raises `CellFault` where the cell cannot be read as the column demands.
    """

    def read_area(raw: object, column: Column) -> CellValue:
        key = areas.get(label_of(raw))
        if key is None:
            message = f"“{column.heading}”填的是“{shown(raw)}”，不在地区名录内{_or_is_it(raw, areas)}"
            raise CellFault("RD-111", shown(raw), "名录内的地区", message)
        return CellValue(key)

    if column.is_number:
        scale = factor if column.type == "money" else Decimal(1)
        blank, inner = NOT_REPORTED, lambda raw, column: read_number(raw, column, scale)
    else:
        blank, inner = MISSING, read_area if column.type == "area" else _READERS[column.type]

    def read(raw: object) -> CellValue:
        if is_blank(raw):
            if column.required:
                raise CellFault("RD-115", "空白", "必填", f"必填的“{column.heading}”为空")
            return blank
        if is_error_value(raw):
            raise CellFault(
                "RD-101", shown(raw).strip(), "数值或文字", f"“{column.heading}”是错误值 {shown(raw).strip()}"
            )
        return inner(raw, column)

    return read
