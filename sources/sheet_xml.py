"""One worksheet's XML as rows of values, with what a person would have to know of it: faults, formulas, hidden rows, merged cells.

Every element below ``sheetData`` is accounted for or the sheet is refused: nothing that might be a cell is skipped. Rows in the plain form that
spreadsheet programs write are read by a regular expression (see `sources.xml_stream`), all others by the parser; a row means the same either way.
"""

import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from io import BytesIO
from typing import Any, NamedTuple

from openpyxl.utils import get_column_letter
from openpyxl.utils.cell import range_boundaries
from openpyxl.utils.datetime import MAC_EPOCH, WINDOWS_EPOCH, from_excel, from_ISO8601

from sources.package import Package, StruckText, is_strike, is_true, text_of
from sources.plain_rows import Converter, PlainRows, column_index
from sources.xml_stream import BadPart, Stream, stream_items

MOST_COLUMNS = 500
MOST_ROWS = 1_048_576
MOST_CELLS = 20_000_000
LAST_DAY = 2_958_466

_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})")
_NUMBER = re.compile(r"[ \t\r\n]*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[ \t\r\n]*")
_INDEX = re.compile(r"[ \t\r\n]*([0-9]{1,9})[ \t\r\n]*")
_INFINITE = (float("inf"), float("-inf"))
_PARENTS_OF_TEXT = {"v": ("c",), "f": ("c",), "t": ("is", "r")}


class Fault(NamedTuple):
    """A cell that cannot be believed: the rule it breaks, and why, as a Chinese clause."""

    rule_id: str
    reason: str


@dataclass
class SheetContent:
    """What one worksheet's XML holds; places are (row number, column index): 1-based row, 0-based column.

    ``rows`` starts with row 1; an empty cell is an empty text. ``styles`` runs beside it. ``merged`` holds ranges as (first row, first
    column, last row, last column).
    """

    rows: list[list[Any]] = field(default_factory=list)
    styles: list[tuple[int, ...]] = field(default_factory=list)
    faults: dict[tuple[int, int], Fault] = field(default_factory=dict)
    formulas: set[tuple[int, int]] = field(default_factory=set)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    is_filtered: bool = False


def read_sheet_xml(part: bytes, package: Package, rows: int | None = None) -> SheetContent:
    """Read one worksheet, or its first ``rows`` rows.

    Raises:
        BadPart: the XML is not well-formed, not a worksheet, has rows or cells twice or out of order, or a cell far outside.
    """
    reader = _Reader(package, rows)
    stream_items(BytesIO(part), reader.stream, "sheetData", "row", reader.take_row, reader.is_enough)
    if not reader.has_data:
        raise BadPart("没有 sheetData")
    reader.refuse_far_cell()
    return reader.content


class _Reader:
    """Reads rows either way into one `SheetContent`."""

    def __init__(self, package: Package, most_rows: int | None) -> None:
        self.package, self.most_rows = package, most_rows
        self.content = SheetContent()
        self.stream = Stream(self._start, self._end, self._text)
        self.has_data = False
        self._strings: dict[bytes, str] = {b"%d" % i: text for i, text in enumerate(package.strings)}
        self._plain = PlainRows(self._converter)
        self._epoch = MAC_EPOCH if package.is_1904 else WINDOWS_EPOCH
        self._day = lru_cache(maxsize=65536)(self._day_of)
        self._rows_hidden_by_default = False
        self._row = 0
        self._cells: dict[int, tuple[Any, int]] = {}
        self._cell: dict[str, str] = {}
        self._parts: dict[str, list[str]] = {}
        self._column = -1
        self._capture: list[str] | None = None

    def is_enough(self) -> bool:
        return self.most_rows is not None and len(self.content.rows) >= self.most_rows

    def take_row(self, item: bytes) -> bool:
        """Read a row in the plain form; False, with nothing changed, where it is in any other."""
        row = self._plain.read(item)
        if row is None or row.number <= len(self.content.rows):
            return False
        self._keep_row(*row)
        return True

    def _converter(self, type_: str, style: int) -> Converter | None:
        if type_ == "n":
            format_ = self.package.format_of(style)
            if not format_.is_date:
                return float
            return lambda value: self._day(float(value), format_.is_elapsed)
        known: dict[str, Converter] = {
            "s": self._strings.__getitem__,
            "b": {b"1": True, b"0": False}.__getitem__,
            "str": bytes.decode,
            "inlineStr": lambda text: text_of(text.decode()),
        }
        return known.get(type_)

    # The parser's way

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        path = self.stream.path
        parent = path[-2] if len(path) > 1 else ""
        if len(path) == 1 and name != "worksheet":
            raise BadPart("不是工作表")
        if parent == "sheetData":
            self._start_row(name, attributes)
        elif parent == "row":
            self._start_cell(name, attributes)
        elif parent == "c":
            if name not in ("v", "f", "is", "extLst") or name in self._parts:
                raise BadPart(f"单元格 {self._place()} 里有重复或不认识的内容")
            self._parts[name] = []
            self._capture = self._parts[name] if name != "extLst" else None
            if name == "f":
                self._cell |= {f"f:{key}": value for key, value in attributes.items()}
        elif self._capture is not None:
            if is_strike(name, attributes, path[-2:-1]):
                self._cell["is:strike"] = "1"
                self.package.has_struck_text = True
            if (
                name == ""
                or parent in ("v", "f", "t")
                or (name == "t" and parent not in _PARENTS_OF_TEXT["t"] and "rPh" not in path)
            ):
                raise BadPart(f"单元格 {self._place()} 里有不认识的内容")
        elif name == "sheetData":
            if self.has_data or len(path) != 2:
                raise BadPart("sheetData 不在应有的位置")
            self.has_data = True
        elif len(path) <= 3:
            self._note(name, attributes)

    def _start_row(self, name: str, attributes: dict[str, str]) -> None:
        if name != "row":
            raise BadPart("数据区里有不认识的内容")
        if "r" in attributes and not re.fullmatch("[1-9][0-9]{0,6}", attributes["r"]):
            raise BadPart(f"行号“{attributes['r']}”有误")
        self._row = int(attributes.get("r", len(self.content.rows) + 1))
        if self._row <= len(self.content.rows):
            raise BadPart(f"第 {self._row} 行出现了两次，或次序颠倒")
        self._row_attributes = attributes
        self._cells, self._column = {}, -1

    def _start_cell(self, name: str, attributes: dict[str, str]) -> None:
        if name == "extLst":
            return
        if name != "c":
            raise BadPart(f"第 {self._row} 行里有不认识的内容")
        reference = attributes.get("r")
        column = self._column + 1
        if reference is not None:
            match = _REFERENCE.fullmatch(reference)
            if match is None or int(match.group(2)) != self._row:
                raise BadPart(f"第 {self._row} 行里有单元格写着“{reference}”")
            column = column_index(match.group(1))
        if column <= self._column:
            raise BadPart(f"单元格 {reference} 出现了两次，或次序颠倒")
        self._column = column
        self._cell, self._parts = attributes, {}

    def _text(self, data: str) -> None:
        path = self.stream.path
        where = path[-1] if path else ""
        if self._capture is not None and where in _PARENTS_OF_TEXT:
            if "rPh" not in path:
                self._capture.append(data)
        elif where in ("c", "row", "sheetData", "is", "r", "v", "f", "t") and data.strip() and "extLst" not in path:
            raise BadPart(f"第 {self._row} 行里有不在单元格里的内容")

    def _end(self, name: str) -> None:
        path = self.stream.path
        parent = path[-1] if path else ""
        if parent == "c" and len(path) > 3 and path[-3:-1] == ["sheetData", "row"]:
            self._capture = None
        elif name == "c" and parent == "row":
            self._end_cell()
        elif name == "row" and parent == "sheetData":
            width = self._column + 1
            values: list[Any] = [""] * width
            styles = [0] * width
            for column, (value, style) in self._cells.items():
                values[column], styles[column] = value, style
            self._keep_row(self._row, values, tuple(styles), self._row_attributes)

    def _end_cell(self) -> None:
        style = int(self._cell["s"]) if self._cell.get("s", "0").isdigit() and "s" in self._cell else 0
        place = (self._row, self._column)
        has_formula = "f" in self._parts
        try:
            value = self._value(style, has_formula)
        except _Misread as fault:
            value = ""
            self.content.faults[place] = Fault(fault.rule_id, str(fault))
        if has_formula:
            self.content.formulas.add(place)
        self._cells[self._column] = (value, style)
        self._cell, self._parts = {}, {}

    def _value(self, style: int, has_formula: bool) -> Any:
        type_ = self._cell.get("t", "n")
        raw = "".join(self._parts.get("v", ()))
        if "is" in self._parts and ("v" in self._parts or type_ != "inlineStr"):
            raise _Misread("RD-050", "类型与内容对不上")
        if type_ == "inlineStr":
            if raw or "v" in self._parts:
                raise _Misread("RD-050", "类型与内容对不上")
            text = text_of("".join(self._parts.get("is", ())))
            return StruckText(text) if "is:strike" in self._cell else text
        if has_formula and ("v" not in self._parts or (not raw and type_ != "str")):
            raise _Misread("RD-102", "没有保存计算结果的公式")
        if type_ == "str":
            return text_of(raw)
        if not raw:
            if type_ == "e":
                raise _Misread("RD-050", "错误值没有写明是哪一种")
            return ""
        return self._typed(type_, raw, style)

    def _typed(self, type_: str, raw: str, style: int) -> Any:
        if type_ == "n":
            match = _NUMBER.fullmatch(raw)
            number = float(match.group(1)) if match else _INFINITE[0]
            if number in _INFINITE:
                raise _Misread("RD-050", f"数值单元格里存的是“{raw[:20]}”")
            format_ = self.package.format_of(style)
            try:
                return self._day(number, format_.is_elapsed) if format_.is_date else number
            except (ValueError, OverflowError) as error:
                raise _Misread("RD-050", f"日期单元格里存的是 {raw[:20]}，不是日期") from error
        if type_ == "s":
            match = _INDEX.fullmatch(raw)
            if match is None or int(match.group(1)) >= len(self.package.strings):
                raise _Misread("RD-050", f"文字的序号“{raw[:20]}”不在共享文字表里")
            return self.package.strings[int(match.group(1))]
        if type_ == "b" and raw.strip() in ("0", "1", "true", "false"):
            return raw.strip() in ("1", "true")
        if type_ == "e":
            return raw.strip() if raw.strip().startswith("#") else f"#{raw.strip()}"
        if type_ == "d":
            try:
                return from_ISO8601(raw.strip())
            except ValueError as error:
                raise _Misread("RD-050", f"日期写的是“{raw[:20]}”") from error
        raise _Misread("RD-050", f"单元格类型“{type_}”或其内容“{raw[:20]}”不认识")

    def _day_of(self, number: float, is_elapsed: bool) -> date | datetime | time | timedelta:
        if is_elapsed:
            return timedelta(days=number)
        if not 0 <= number < LAST_DAY:
            raise ValueError("not a date")
        day = from_excel(number, self._epoch)
        return day.date() if isinstance(day, datetime) and number == int(number) else day

    # Either way

    def _keep_row(self, number: int, values: list[Any], styles: tuple[int, ...], attributes: dict[str, str]) -> None:
        content = self.content
        if number > MOST_ROWS:
            raise BadPart(
                f"单元格 {get_column_letter(max(len(values), 1))}{number} 远在数据之外，请清除多余的行列后另存"
            )
        while len(content.rows) < number - 1:
            content.rows.append([])
            content.styles.append(())
        content.rows.append(values)
        content.styles.append(styles)
        is_hidden = is_true(attributes.get("hidden")) or _is_zero(attributes.get("ht"))
        if is_hidden or (self._rows_hidden_by_default and not attributes.get("ht")):
            content.hidden_rows.add(number)

    def refuse_far_cell(self) -> None:
        """Refuse a cell so far out that a reader would have to make room for millions of empty ones.

        Raises:
            BadPart: naming the cell.
        """
        rows = self.content.rows
        widest = max((len(values) for values in rows), default=0)
        if widest > MOST_COLUMNS:
            row = next(number for number, values in enumerate(rows, start=1) if len(values) > MOST_COLUMNS)
            raise BadPart(f"单元格 {get_column_letter(len(rows[row - 1]))}{row} 远在数据之外，请清除多余的行列后另存")
        if len(rows) * widest > MOST_CELLS:
            last = get_column_letter(max(len(rows[-1]), 1))
            raise BadPart(f"单元格 {last}{len(rows)} 远在数据之外，请清除多余的行列后另存")

    def _note(self, name: str, attributes: dict[str, str]) -> None:
        """Keep what stands beside the cells and changes what a person sees of them."""
        content = self.content
        if name == "sheetFormatPr":
            self._rows_hidden_by_default = is_true(attributes.get("zeroHeight"))
        elif name == "col" and (is_true(attributes.get("hidden")) or _is_zero(attributes.get("width"))):
            first, last = int(attributes.get("min", "1")), int(attributes.get("max", "1"))
            content.hidden_columns.update(range(first - 1, min(last, MOST_COLUMNS)))
        elif name == "mergeCell":
            try:
                left, top, right, bottom = range_boundaries(attributes.get("ref", ""))
            except (ValueError, TypeError) as error:
                raise BadPart(f"合并区域“{attributes.get('ref', '')}”有误") from error
            content.merged.append((top or 1, (left or 1) - 1, bottom or MOST_ROWS, (right or MOST_COLUMNS) - 1))
        elif name == "filterColumn":
            content.is_filtered = True

    def _place(self) -> str:
        return f"{get_column_letter(self._column + 1)}{self._row}"


class _Misread(Exception):
    """A single cell cannot be read; the others can."""

    def __init__(self, rule_id: str, reason: str) -> None:
        super().__init__(reason)
        self.rule_id = rule_id


def _is_zero(size: str | None) -> bool:
    try:
        return size is not None and float(size) == 0
    except ValueError:
        return False
