"""Workbooks read plainly with openpyxl alone, beside the house's own readers: what a person with a calculator would take from them."""

import unicodedata
from fractions import Fraction
from pathlib import Path
from typing import Any

import openpyxl

NAMES_OF_ZONES = {"嘉兴经济技术开发区": "嘉兴经开区", "浙江乍浦经济开发区": "嘉兴港区", "乍浦经开区": "嘉兴港区"}


def plain(text: Any) -> str:
    """A label without white space and full-width forms of digits and brackets."""
    return "".join(unicodedata.normalize("NFKC", str(text or "")).split())


def number(value: Any) -> Fraction:
    """The number in a cell; nil and blank add nothing."""
    text = plain(value).replace(",", "")
    return Fraction(0) if text in ("", "-", "—", "…", "...") else Fraction(text)


def rows_of(path: Path, sheet: str, key: str) -> list[dict[str, Any]]:
    """The data rows of a sheet under their headings (one row of them or two); ``key`` is the heading that every data row fills."""
    lines = list(openpyxl.load_workbook(path)[sheet].iter_rows(values_only=True))
    at = next(i for i, line in enumerate(lines) if key in {plain(v) for v in line})
    names = [plain(v) for v in lines[at]]
    where = names.index(key)
    start = at + 1
    if lines[start][where] is None and any(lines[start]):
        names = [plain(low) or high for low, high in zip(lines[start], names, strict=True)]
        start += 1
    found = []
    for line in lines[start:]:
        if line[where] is None or "合计" in {plain(v) for v in line} or "单位负责人" in plain(line[where]):
            if found and not any(line):
                break
            continue
        if plain(line[where]).startswith(("注", "说明", "统计负责人", "填表人", "联系电话", "报出日期")):
            continue
        found.append(dict(zip(names, line, strict=True)))
    return found


def by_area(path: Path, sheet: str, heading: str) -> dict[str, Fraction]:
    """A column of a sheet with one row per area, by the area's official name."""
    return {
        NAMES_OF_ZONES.get(plain(row["地区"]), plain(row["地区"])): number(row[heading])
        for row in rows_of(path, sheet, "地区")
    }
