"""One text cell of a bulk file: what a spreadsheet would have told by the cell's type, told from the text alone.

In CSV a number is text and text is text. So a plain number earns no remark that it was stored as text; Excel's ``="0012"`` is the text
0012; a formula is one without a result; and a code that Excel has turned into ``1.23457E+17`` is as lost as in a numeric cell.
"""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

from sources.contracts import Column
from sources.values import FEN_IN_WAN, CellFault, CellValue, number_of, shown

CellReader = Callable[[object], CellValue]

_EXCEL_TEXT = re.compile(r'\s*="((?:[^"]|"")*)"\s*')
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]+", re.IGNORECASE)
_PLAIN = re.compile(r"-?[0-9,]+(\.[0-9]+)?", re.ASCII)
_DIGITS = 15


def unwrapped(text: str) -> str:
    """Return the text that Excel's ``="…"`` stands for, or the text itself."""
    match = _EXCEL_TEXT.fullmatch(text) if "=" in text else None
    return match.group(1).replace('""', '"') if match else text


def text_reader(column: Column, factor: Decimal, read: CellReader) -> CellReader:
    """Return the function that reads one text cell of a bulk file.

    Args:
        column: the contract's column.
        factor: 万元 per stated unit for money, else 1.
        read: what reads a cell of a sheet; see `sources.values.cell_reader`.

    The function raises `CellFault` where the cell cannot be read as the column demands.
    """
    is_named_by_text = column.type in ("text", "reference", "code", "uscc")

    def read_text(raw: object) -> CellValue:
        if not isinstance(raw, str):
            return read(raw)
        text = unwrapped(raw)
        if text is raw and raw.lstrip().startswith("="):
            raise CellFault(
                "RD-102", shown(raw), "公式的计算结果", f"“{column.heading}”是没有计算结果的公式 {shown(raw)}"
            )
        if is_named_by_text and _SCIENTIFIC.fullmatch(text.strip()):
            rule_id = "RD-108" if column.type == "uscc" else "RD-118"
            message = f"“{column.heading}”成了科学计数法（{text.strip()}），末几位数字已丢失"
            raise CellFault(rule_id, shown(text), "文本", message)
        cell = read(text)
        return _without_noise(cell, text, factor) if cell.remark and column.is_number else cell

    return read_text


def _without_noise(cell: CellValue, text: str, factor: Decimal) -> CellValue:
    """Drop the remarks that a text file cannot help: that a number is text, and the noise that a binary fraction leaves behind."""
    rule_id = cell.remark[0] if cell.remark else ""
    if rule_id == "RD-104" and _PLAIN.fullmatch(text):
        return cell._replace(remark=None)
    number = number_of(text)
    if rule_id == "RD-105" and number is not None and len(number.as_tuple().digits) > _DIGITS:
        fifteen = Decimal(format(number, f".{_DIGITS - 1}e")) * factor
        if fifteen == fifteen.quantize(FEN_IN_WAN, rounding=ROUND_HALF_UP) == cell.value:
            return cell._replace(remark=None)
    return cell
