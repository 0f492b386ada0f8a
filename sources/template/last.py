"""Last period's figures beside the inputs: a locked sheet per table, and one grey column that looks the row up in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from openpyxl.utils import get_column_letter
from openpyxl.workbook import Workbook

from sources.contracts import Column, Table
from sources.layout import LAST_SHEET_PREFIX
from sources.spreadsheet import fill_as_typed
from sources.template.form import FIRST_COLUMN, Form, SheetForm
from sources.template.formulas import ROW
from sources.template.styles import number_format, width
from sources.values import WAN_PER_UNIT

FIRST_ROW = 4


@dataclass(frozen=True)
class LastFigures:
    """What a table held in an earlier period: rows by column name, amounts in 万元, areas by name, booleans as 是 and 否."""

    period_name: str
    rows: Sequence[Mapping[str, object]]


def can_be_found_again(table: Table) -> bool:
    """Whether a table's rows are the same units or areas in the next period, and may be shown: no records of single enterprises."""
    keys = [table.column(name) for name in table.key]
    return (
        table.data_class != "restricted"
        and bool(keys)
        and all(key.type in ("area", "enum", "uscc") for key in keys)
        and any(column.type == "money" for column in table.columns)
    )


def _figure(columns: Sequence[Column]) -> Column:
    """Return the amount that stands beside the inputs: the first that must be there, else the first."""
    amounts = [column for column in columns if column.type == "money"]
    return next((column for column in amounts if column.required), amounts[0])


def last_formula(sheet: SheetForm) -> str:
    """Return the formula of 上期数: the row's earlier figure by its key, nothing where there was none."""
    last_row = FIRST_ROW + sheet.last_count - 1

    def cells(name: str) -> str:
        letter = sheet.letter(name)
        return f"'{LAST_SHEET_PREFIX}{sheet.table.sheet}'!${letter}${FIRST_ROW}:${letter}${last_row}"

    same = ",".join(f"--({cells(key)}={sheet.letter(key)}{ROW})" for key in sheet.table.key)
    first_key = f"{sheet.letter(sheet.table.key[0])}{ROW}"
    value = f"SUMPRODUCT({same},{cells(_figure(sheet.columns).name)})"
    return f'=IF({first_key}="","",IF(SUMPRODUCT({same})=0,"",{value}))'


def write_last_sheet(book: Workbook, form: Form, sheet: SheetForm, last: LastFigures) -> None:
    """Add the sheet of last period's figures, its columns under the same letters as on the form."""
    at = book.create_sheet(f"{LAST_SHEET_PREFIX}{sheet.table.sheet}")
    figure = _figure(sheet.columns).heading
    at["B1"] = (
        f"{sheet.table.label}：{last.period_name}已准入的数（{form.unit}）。只供对照，不取数；表上“上期数”一列是其中的“{figure}”。"
    )
    at["B1"].style = "sti_hint"
    for place, column in enumerate(sheet.columns):
        number = FIRST_COLUMN + place
        cell = at.cell(FIRST_ROW - 1, number, column.heading)
        cell.style = "sti_own_heading"
        at.column_dimensions[get_column_letter(number)].width = width(column)
        for index, row in enumerate(last.rows):
            cell = at.cell(FIRST_ROW + index, number)
            fill_as_typed(cell, _shown(row.get(column.name), column, form))
            cell.style = "sti_last" if column.is_number else "sti_printed"
            cell.number_format = number_format(column, form)
    at.row_dimensions[FIRST_ROW - 1].height = 44
    at.freeze_panes = at.cell(FIRST_ROW, FIRST_COLUMN + 2)
    at.protection.sheet = True


def _shown(value: object, column: Column, form: Form) -> object:
    if isinstance(value, Decimal) and column.type == "money":
        return float(value / WAN_PER_UNIT[form.unit])
    return float(value) if isinstance(value, Decimal) else value
