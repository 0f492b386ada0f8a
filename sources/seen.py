"""What a person who looks at a sheet does not see as it is read: hidden rows, merged cells, number formats, old results of formulas.

Each is read by a stated rule, and said; where the reading and the look may disagree about a figure, it is asked about.
"""

from collections.abc import Iterable
from datetime import date

from openpyxl.utils import get_column_letter

from sources.contracts import Column
from sources.grids import Sheet
from sources.layout import Body, Headings, cell_name
from sources.package import StruckText
from sources.rows import Reporter
from sources.values import is_blank, shown

STRUCK_NAMED = 20
"""Cells struck through that a finding names."""


def report_unseen(
    sheet: Sheet, headings: Headings, body: Body, columns: dict[Column, int], unit: str, report: Reporter
) -> None:
    """Report everything about one sheet that the eye and the reader may take differently.

    Args:
        sheet: the cells.
        headings: the heading rows found.
        body: the parts below them.
        columns: column index per contract column.
        unit: the sheet's unit of amounts.
        report: takes the findings.
    """
    _hidden(sheet, body, columns, report)
    _merged(sheet, body, report)
    _formats(sheet, body, columns, unit, report)
    _struck(sheet, body, columns, report)
    _formulas(sheet, body, columns, report)
    _elsewhere(sheet, body, headings, columns, report)
    for row_number in body.notes:
        text = next(shown(value) for value in sheet.grid[row_number - 1] if not is_blank(value))
        report(
            "RD-061",
            f"第{row_number}行当作说明，没有取数：“{text[:40]}”",
            cell=f"{row_number}:{row_number}",
            found=text,
        )


def _hidden(sheet: Sheet, body: Body, columns: dict[Column, int], report: Reporter) -> None:
    rows = sorted(sheet.hidden_rows & {*body.data, *([body.total] if body.total else [])})
    if rows:
        why = "被筛选掉或隐藏" if sheet.is_filtered else "隐藏"
        text = spans(rows)
        report("RD-058", f"第{text}行是{why}的，已照常读取", cell=f"{rows[0]}:{rows[0]}", subject="隐藏行", found=text)
    hidden = sorted(index for index in columns.values() if index in sheet.hidden_columns)
    if hidden:
        text = "、".join(get_column_letter(index + 1) for index in hidden)
        report("RD-058", f"{text}列是隐藏的，已照常读取", subject="隐藏列", found=text)


def _merged(sheet: Sheet, body: Body, report: Reporter) -> None:
    data = {*body.data, *([body.total] if body.total else [])}
    for top, left, bottom, right in sheet.merged:
        rows = [number for number in range(top, min(bottom, len(sheet.grid)) + 1) if number in data]
        place = cell_name(left, top)
        if rows:
            report("RD-026", "数据区里有合并单元格，只读到左上角一格", cell=place, found="合并单元格")
        for number in range(top, min(bottom, len(sheet.grid)) + 1):
            row = sheet.grid[number - 1]
            for index in range(left, min(right + 1, len(row))):
                if (number, index) != (top, left) and not is_blank(row[index]):
                    message = f"合并单元格 {place} 下面还盖着“{shown(row[index])}”，打开工作簿时看不见"
                    report("RD-059", message, cell=cell_name(index, number), found=shown(row[index]))


def _formats(sheet: Sheet, body: Body, columns: dict[Column, int], unit: str, report: Reporter) -> None:
    rows = [*body.data, *([body.total] if body.total else [])]
    plain = {style for style, format_ in enumerate(sheet.formats) if format_.code == "General" or format_.is_date}
    shapes = set(sheet.styles)
    for column, index in columns.items():
        if all(index >= len(styles) or styles[index] in plain for styles in shapes):
            continue
        misled: dict[str, list[int]] = {}
        rounded: list[int] = []
        for number in rows:
            styles = sheet.styles[number - 1] if number <= len(sheet.styles) else ()
            if index >= len(styles) or styles[index] in plain:
                continue
            value = sheet.at(number, index)
            if not isinstance(value, float):
                continue
            format_ = sheet.format_at(number, index)
            if not column.is_number:
                if column.type in ("text", "reference", "code") and format_.pads_with_zeros:
                    misled.setdefault("显示时补了开头的 0", []).append(number)
                continue
            how = format_.misleads(value, unit if column.type == "money" else "")
            if how:
                misled.setdefault(how, []).append(number)
            elif format_.rounds(value):
                rounded.append(number)
        for how, numbers in misled.items():
            first = cell_name(index, numbers[0])
            code, stored = sheet.format_at(numbers[0], index).code, shown(sheet.at(numbers[0], index))
            report(
                "RD-053",
                f"“{column.heading}”有 {len(numbers)} 个单元格{how}：{first} 存的是 {stored}，格式是“{code}”；按存的值读取",
                cell=first,
                subject=f"{column.name}/格式",
                found=f"{how}，{len(numbers)} 个，{stored}",
            )
        if rounded:
            first, stored = cell_name(index, rounded[0]), shown(sheet.at(rounded[0], index))
            report(
                "RD-054",
                f"“{column.heading}”有 {len(rounded)} 个单元格显示的小数位比存的少（{first} 存的是 {stored}），按存的值读取",
                cell=first,
                subject=f"{column.name}/小数位",
                found=str(len(rounded)),
            )


def _struck(sheet: Sheet, body: Body, columns: dict[Column, int], report: Reporter) -> None:
    """Report cells that somebody has struck through, as people do with figures that shall not count; they are read all the same."""
    shapes = {styles for styles in set(sheet.styles) if not sheet.struck.isdisjoint(styles)}
    if not shapes and not sheet.has_struck_text:
        return
    places = []
    for number in (*body.data, *([body.total] if body.total else [])):
        styles = sheet.styles[number - 1] if number <= len(sheet.styles) else ()
        for index in sorted(columns.values()):
            value = sheet.at(number, index)
            is_struck = index < len(styles) and styles[index] in sheet.struck
            if (is_struck or isinstance(value, StruckText)) and not is_blank(value):
                places.append(cell_name(index, number))
    if places:
        named = "、".join(places[:STRUCK_NAMED]) + (f" 等 {len(places)} 个" if len(places) > STRUCK_NAMED else "")
        report(
            "RD-066",
            f"{named}单元格划了删除线，已照常读取",
            cell=places[0],
            subject="删除线",
            found=f"{len(places)} 个：{named}",
        )


def _formulas(sheet: Sheet, body: Body, columns: dict[Column, int], report: Reporter) -> None:
    read = {*body.data, *([body.total] if body.total else [])}
    indices = set(columns.values())
    if sheet.is_stale:
        calculated = sorted(
            place for place in sheet.formulas if place[0] in read and place[1] in indices and place not in sheet.faults
        )
        if calculated:
            first = cell_name(calculated[0][1], calculated[0][0])
            report(
                "RD-055",
                f"{first} 等 {len(calculated)} 个单元格是公式，工作簿注明打开时要重新计算或是手动计算，保存的结果可能不是最新的",
                cell=first,
                subject="公式结果",
                found=str(len(calculated)),
            )
    if sheet.is_1904:
        dates = [c for c, index in columns.items() if any(isinstance(sheet.at(n, index), date) for n in body.data)]
        if dates:
            names = "、".join(f"“{column.heading}”" for column in dates)
            report("RD-060", f"工作簿用 1904 日期系统，{names}已按此换算", subject="1904", found="1904")


def _elsewhere(sheet: Sheet, body: Body, headings: Headings, columns: dict[Column, int], report: Reporter) -> None:
    """Report cells that cannot be believed and that no column reports: above the data, in the foot, beside the columns."""
    read, indices = {*body.data, *([body.total] if body.total else [])}, set(columns.values())
    for (number, index), fault in sorted(sheet.faults.items()):
        if number in read and index in indices:
            continue
        if number in body.data and fault.rule_id == "RD-102":
            continue  # RD-013, with the other cells beside the headings
        place = cell_name(index, number)
        where = "表头以上" if number <= headings.row_number else "表尾或没有取数的地方"
        report("RD-052", f"{where}的 {place} 读不准：{fault.reason}", cell=place, found=fault.reason)


def spans(numbers: Iterable[int]) -> str:
    """Return row numbers as people write them: ``5-9、12``."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return "、".join(str(a) if a == b else f"{a}-{b}" for a, b in runs)
