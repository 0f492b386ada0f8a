"""What a cell takes as it is typed: drop-down lists, dates, whole numbers, amounts, text of 18 characters.

Pasting goes past these; the check columns do not.
"""

from typing import Literal

from openpyxl.worksheet.datavalidation import DataValidation

from sources.contracts import Column
from sources.template.form import Form, SheetForm
from sources.template.formulas import ROW, choices, compiled

LONGEST_LIST = 255
"""Characters that Excel takes in a list written into the validation."""


def validation(form: Form, sheet: SheetForm, column: Column) -> DataValidation | None:
    """Return the validation of a column, with its cells; None where anything may be typed."""
    letter = sheet.letter(column.name)
    first = f"{letter}{sheet.first_row}"
    made = _made(form, sheet, column, first)
    if made is None:
        return None
    made.allow_blank = True
    made.showErrorMessage = True
    made.errorTitle = column.heading[:32]
    made.add(f"{first}:{letter}{sheet.last_row}")
    return made


def _made(form: Form, sheet: SheetForm, column: Column, first: str) -> DataValidation | None:
    offered = choices(column, form.period)
    if offered:
        text = ",".join(offered)
        if len(text) > LONGEST_LIST or any("," in value for value in offered):
            raise ValueError(f"{column.heading}：下拉值写不进一个列表：{text}")
        return DataValidation(type="list", formula1=f'"{text}"', error=f"只能填：{'、'.join(offered)}"[:255])
    if column.type == "uscc":
        made = DataValidation(type="textLength", operator="equal", formula1="18", error="统一社会信用代码为18位文本。")
        made.showInputMessage = True
        made.promptTitle, made.prompt = column.heading[:32], "18位，按文本填写；没有的留空。"
        return made
    if column.type == "date":
        bounds = [day.strftime("DATE(%Y,%m,%d)") for day in (form.period.starts_on, form.period.ends_on)]
        # A date outside the period may be true (核实性): Excel asks, and takes it.
        style: Literal["warning", "stop"] = "warning" if column.within_period else "stop"
        error = (
            f"请填日期，如 {form.period.ends_on}；应在报告期（{form.period.starts_on} 至 {form.period.ends_on}）内。"
        )
        return DataValidation(
            type="date", operator="between", formula1=bounds[0], formula2=bounds[1], errorStyle=style, error=error
        )
    if column.type == "year":
        return DataValidation(
            type="whole", operator="between", formula1="1900", formula2="2099", error="请填四位年份，如 2025。"
        )
    if column.is_number:
        return _number(form, sheet, column, first)
    return None


def _number(form: Form, sheet: SheetForm, column: Column, first: str) -> DataValidation:
    least = f"，不小于 {column.min}" if column.min is not None else ""
    whole = "整数" if column.type == "count" else "数字"
    if column.numbers_only:
        error = f"只能填{whole}{least}；没有的填 0。"
        if column.min is not None:
            return DataValidation(type="decimal", operator="greaterThanOrEqual", formula1=str(column.min), error=error)
        return DataValidation(type="decimal", operator="between", formula1="-1E13", formula2="1E13", error=error)
    number = f"AND(ISNUMBER({first}),N({first})>={column.min})" if column.min is not None else f"ISNUMBER({first})"
    nil = compiled("{c:nil}", form, sheet, column).replace(ROW, str(sheet.first_row))
    error = f"请填{whole}{least}；没有发生填 - 或 0，不足一个计量单位填 …，没有统计到的留空。"
    return DataValidation(type="custom", formula1=f"OR({number},{nil})", error=error)
