"""Cells that no reader takes, one per column type and way of getting it wrong, and the few that only a template refuses."""

from datetime import date
from typing import Any

from sources.contracts import Column
from tests.workbooks import code

FAULTS: dict[str, tuple[Any, ...]] = {
    "text": (None, "　", " ", 1234567890123456),
    "reference": (1234567890123456,),
    "code": (None, 2610, "2610", 1234567890123456),
    "uscc": (
        None,
        330400123456789000,
        code(3)[:-1] + "0",
        code(3)[:-1],
        code(3) + "1",
        code(3).lower(),
        "九一三三",
        "#REF!",
    ),
    "area": (None, "嘉兴", "全市", "南湖", 330402),
    "enum": (None, "别的", "工业、建筑业", 1),
    "boolean": (None, "Y", "否否", 1),
    "date": (
        None,
        "约3月",
        "2026-03-15",
        "2026年3月5日",
        "2026/3/5",
        "2026-02-30",
        "3月15日",
        "2026年3月",
        date(2026, 2, 1),
    ),
    "year": (None, "二五", 25, "2025年", "2025", 2025.5, 2101),
    "count": (None, -1, 1.5, "两户", "-", "#N/A"),
    "number": (None, "约100", "350家", "-", "…", 1e15, "#DIV/0!", 0.00000012),
    "money": (None, "约100", "100万", "-", "…", "——", "--", 1e19, "#REF!", "#VALUE!", 0.0000000123, "1-2"),
}
STRICTER: dict[str, tuple[tuple[Any, str], ...]] = {
    "money": (("1,234.50", "RD-103"), (" 12 ", "RD-103"), ("１２", "RD-103")),
    "count": (("12", "RD-103"),),
    "area": (("嘉兴经济技术开发区", "RD-111"), ("南湖 区", "RD-111")),
    "enum": (("{first} ", "RD-112"),),
    "boolean": (("是　", "RD-113"),),
    "uscc": (
        (code(3)[:9] + " " + code(3)[9:], "RD-109 RD-110"),
        (code(3).translate({c: c + 0xFEE0 for c in range(0x21, 0x7F)}), "RD-109 RD-110"),
    ),
}
"""What the gate reads all the same, at most with a 提示, and the template wants written properly: value, the template's rule."""


def stricter_of(column: Column) -> list[tuple[Any, str]]:
    """Return the values that only the template refuses in a column, with its rule."""
    first = column.values[0] if column.values else ""
    return [
        (value.format(first=first), rule.split()[-1 if not column.required else 0])
        for value, rule in STRICTER.get(column.type, ())
    ]
